package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parvis/kiosk/link"
)

// Secret returns what is kept under a name, sealed to the hub's own key (see
// package seal). Errors: ErrNotFound.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	data, err := one(ctx, s.read, scanOne[[]byte], `SELECT data FROM secret WHERE name = $1`, name)
	return data, s.explain(err)
}

// PutSecretOnce keeps data under a name unless something is there, and returns
// what is there afterwards: two hubs that start at once agree.
func (s *Store) PutSecretOnce(ctx context.Context, name string, data []byte) ([]byte, error) {
	var there []byte
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, data)
		if err != nil {
			return nil, err
		}
		there, err = one(ctx, tx, scanOne[[]byte], `SELECT data FROM secret WHERE name = $1`, name)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	return there, nil
}

// PutSecret keeps data under a name.
func (s *Store) PutSecret(ctx context.Context, name string, data []byte) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret (name, data) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET data = excluded.data`, name, data)
		return nil, err
	})
}

// Setting returns what is kept under a key, or "".
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	value, err := one(ctx, s.read, scanOne[string], `SELECT value FROM setting WHERE key = $1`, key)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return value, s.explain(err)
}

// SetSetting keeps a value under a key; an empty one removes it.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if value == "" {
			_, err := tx.ExecContext(ctx, `DELETE FROM setting WHERE key = $1`, key)
			return nil, err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO setting (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		return nil, err
	})
}

// Lease makes the caller the only hub that does a piece of work until a time,
// and reports whether it is: for what must be done once, by any hub. The holder
// may prolong it, or give it back with a time that is not after now. One that
// lasts much longer than what is asked for was taken by a clock that was ahead:
// nobody waits for its end.
func (s *Store) Lease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	held := false
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO lease (name, holder, ends) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends = excluded.ends
			WHERE lease.holder = excluded.holder OR lease.ends <= $4 OR lease.ends > $5`,
			name, holder, ms(until), ms(now), ms(until.Add(link.MaxSkew)))
		if err != nil {
			return nil, err
		}
		n, err := result.RowsAffected()
		held = n == 1
		return nil, err
	})
	return held && err == nil, err
}
