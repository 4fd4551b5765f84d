package store

import (
	"context"
	"database/sql"
	"time"
)

// AccessToken lets a program in; package access knows what it means.
type AccessToken struct {
	ID      string // UUIDv7
	Digest  []byte // SHA-256
	Kind    string
	Owner   string // ID; may be empty
	Name    string
	Scope   string
	Created time.Time
	Used    string // the last day, "2026-11-21"; empty: never
}

const accessColumns = `id, digest, kind, owner, name, scope, created, used`

func scanAccess(row scanner) (t AccessToken, err error) {
	var created int64
	err = row.Scan(&t.ID, &t.Digest, &t.Kind, &t.Owner, &t.Name, &t.Scope, &created, &t.Used)
	t.Created = at(created)
	return t, err
}

// PutAccessToken keeps a token. Where it has an owner, the one that the owner
// had of this kind is worthless from then on.
func (s *Store) PutAccessToken(ctx context.Context, t AccessToken) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if t.Owner != "" {
			if err := dropAccess(ctx, tx, t.Kind, t.Owner); err != nil {
				return nil, err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO access_token (`+accessColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.ID, t.Digest, t.Kind, t.Owner, text(t.Name), t.Scope, ms(t.Created), t.Used)
		return nil, err
	})
}

func dropAccess(ctx context.Context, tx *sql.Tx, kind, owner string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM access_token WHERE kind = $1 AND owner = $2`, kind, owner)
	return err
}

// AccessToken returns the token with a digest. Errors: ErrNotFound.
func (s *Store) AccessToken(ctx context.Context, digest []byte) (AccessToken, error) {
	t, err := one(ctx, s.read, scanAccess, `SELECT `+accessColumns+` FROM access_token WHERE digest = $1`, digest)
	return t, s.explain(err)
}

// AccessTokens lists the tokens of a kind, the newest first.
func (s *Store) AccessTokens(ctx context.Context, kind string) ([]AccessToken, error) {
	found, err := all(ctx, s.read, scanAccess, `SELECT `+accessColumns+` FROM access_token WHERE kind = $1 ORDER BY id DESC`, kind)
	return found, s.explain(err)
}

// UseAccessToken notes the day on which a token was used.
func (s *Store) UseAccessToken(ctx context.Context, id, day string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `UPDATE access_token SET used = $1 WHERE id = $2`, day, id)
		return nil, err
	})
}

// RemoveAccessToken makes a token worthless. Errors: ErrNotFound.
func (s *Store) RemoveAccessToken(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `DELETE FROM access_token WHERE id = $1`, id))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return nil, err
	})
}
