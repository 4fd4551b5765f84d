package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// SetFactor gives a person a second factor: its sealed secret, the step of the
// code that proved it, and the hashes of recovery codes. With an empty secret
// it takes the factor away. Errors: ErrNotFound.
func (s *Store) SetFactor(ctx context.Context, person string, secret []byte, step int64, recovery [][]byte) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `UPDATE person SET secret = $1, step = $2 WHERE id = $3`, blob(secret), step, person))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, ErrNotFound
		}
		return nil, putRecovery(ctx, tx, person, recovery)
	})
}

func putRecovery(ctx context.Context, tx *sql.Tx, person string, hashes [][]byte) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE person = $1`, person); err != nil {
		return err
	}
	rows := make([][]any, len(hashes))
	for i, hash := range hashes {
		rows[i] = []any{person, hash}
	}
	return putRows(ctx, tx, `INSERT INTO recovery_code (person, hash) VALUES`, ``, rows)
}

// SetRecovery replaces a person's recovery codes by others, given as hashes.
func (s *Store) SetRecovery(ctx context.Context, person string, hashes [][]byte) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) { return nil, putRecovery(ctx, tx, person, hashes) })
}

// TakeStep notes that a person has used the code of a step, and reports
// whether it was new: neither it nor a later one had been used.
func (s *Store) TakeStep(ctx context.Context, person string, step int64) (fresh bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `UPDATE person SET step = $1 WHERE id = $2 AND step < $1`, step, person))
		fresh = n == 1
		return nil, err
	})
	return fresh, err
}

// TakeRecovery uses a recovery code up. Errors: ErrNotFound.
func (s *Store) TakeRecovery(ctx context.Context, person string, hash []byte) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE person = $1 AND hash = $2`, person, hash))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return nil, err
	})
}

// CountRecovery is how many recovery codes a person has left.
func (s *Store) CountRecovery(ctx context.Context, person string) (int, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT COUNT(*) FROM recovery_code WHERE person = $1`, person)
	return n, s.explain(err)
}

// Brake says how failed tries slow down further ones.
type Brake struct {
	Free   int           // tries that cost nothing
	Most   time.Duration // the longest wait; the first is one second, each next twice as long
	Forget time.Duration // without a try, all are forgotten
}

// Attempt counts a try under a name before it is made, so that many at once
// don't slip through, and returns how long to wait instead where it comes too
// early; such a one isn't counted.
func (s *Store) Attempt(ctx context.Context, name string, b Brake, now time.Time) (wait time.Duration, err error) {
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		var failures, last, until int64
		err := tx.QueryRowContext(ctx, `SELECT failures, last, until FROM attempt WHERE name = $1`, name).Scan(&failures, &last, &until)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		wait = 0
		// A time that is further away than any wait was noted by a clock that was ahead.
		if until > ms(now) && until <= ms(now.Add(b.Most)) {
			wait = at(until).Sub(now)
			return nil, nil
		}
		if now.Sub(at(last)).Abs() > b.Forget {
			failures = 0
		}
		failures++
		_, err = tx.ExecContext(ctx, `INSERT INTO attempt (name, failures, last, until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last = excluded.last, until = excluded.until`,
			name, failures, ms(now), ms(now.Add(b.after(int(failures)))))
		return nil, err
	})
	return wait, err
}

// after is how long to wait after so many tries.
func (b Brake) after(failures int) time.Duration {
	over := failures - b.Free
	switch {
	case over < 0:
		return 0
	case over > 20:
		return b.Most
	}
	return min(b.Most, time.Second<<over)
}

// ForgiveAttempt takes back one try under a name, and the wait that came of it:
// it was a good one.
func (s *Store) ForgiveAttempt(ctx context.Context, name string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `UPDATE attempt SET failures = failures - 1, until = 0 WHERE name = $1 AND failures > 0`, name)
		return nil, err
	})
}

// Attempted reports whether there was a try under a name that isn't forgotten.
func (s *Store) Attempted(ctx context.Context, name string) (bool, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT COUNT(*) FROM attempt WHERE name = $1`, name)
	return n > 0, s.explain(err)
}

// ForgetAttempts forgets the tries under a name: one has succeeded.
func (s *Store) ForgetAttempts(ctx context.Context, name string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM attempt WHERE name = $1`, name)
		return nil, err
	})
}
