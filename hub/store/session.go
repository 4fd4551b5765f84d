package store

import (
	"context"
	"database/sql"
	"time"
)

// Session is a browser's, as it is kept.
type Session struct {
	Hash    string // of the token in the cookie
	Person  string // empty while nobody has signed in
	Data    []byte
	Begun   time.Time
	Seen    time.Time // when somebody last did something
	Expires time.Time
}

const sessionColumns = `hash, person, data, begun, seen, expires`

func scanSession(row scanner) (Session, error) {
	var s Session
	var person sql.NullString
	var begun, seen, expires int64
	err := row.Scan(&s.Hash, &person, &s.Data, &begun, &seen, &expires)
	s.Person, s.Begun, s.Seen, s.Expires = person.String, at(begun), at(seen), at(expires)
	return s, err
}

// CreateSession keeps a new session, or one that is there already.
func (s *Store) CreateSession(ctx context.Context, v Session) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO session (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (hash) DO UPDATE SET person = excluded.person, data = excluded.data`,
			v.Hash, nullable(v.Person), v.Data, ms(v.Begun), ms(v.Seen), ms(v.Expires))
		return nil, err
	})
}

// SaveSession keeps the data of a session that is there. One that was ended in
// the meantime stays ended.
func (s *Store) SaveSession(ctx context.Context, hash string, data []byte) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `UPDATE session SET data = $1 WHERE hash = $2`, data, hash)
		return nil, err
	})
}

// Session returns a session, ended or not. Errors: ErrNotFound.
func (s *Store) Session(ctx context.Context, hash string) (Session, error) {
	v, err := one(ctx, s.read, scanSession, `SELECT `+sessionColumns+` FROM session WHERE hash = $1`, hash)
	return v, s.explain(err)
}

// SessionsOf lists a person's sessions, the last used first.
func (s *Store) SessionsOf(ctx context.Context, person string) ([]Session, error) {
	list, err := all(ctx, s.read, scanSession, `SELECT `+sessionColumns+` FROM session WHERE person = $1 ORDER BY seen DESC`, person)
	return list, s.explain(err)
}

// TouchSession notes that somebody did something.
func (s *Store) TouchSession(ctx context.Context, hash string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `UPDATE session SET seen = $1 WHERE hash = $2`, ms(now), hash)
		return nil, err
	})
}

// EndSession ends one session; one that isn't there is no error.
func (s *Store) EndSession(ctx context.Context, hash string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE hash = $1`, hash)
		return nil, err
	})
}

// EndSessionsOf ends all sessions of a person but one, which may be empty.
func (s *Store) EndSessionsOf(ctx context.Context, person, but string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person = $1 AND hash <> $2`, person, but)
		return nil, err
	})
}

// DropOldPeople forgets the sessions and links that ended, the tries that
// don't count any more and the lines of the audit log from before a time.
func (s *Store) DropOldPeople(ctx context.Context, now, tries, audit time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, drop := range []struct {
			query  string
			before time.Time
		}{
			{`DELETE FROM session WHERE expires < $1`, now},
			{`DELETE FROM link WHERE expires < $1`, now},
			{`DELETE FROM attempt WHERE last < $1`, tries},
			{`DELETE FROM audit WHERE at < $1`, audit},
		} {
			if _, err := tx.ExecContext(ctx, drop.query, ms(drop.before)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
