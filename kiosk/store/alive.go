package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Alive is how the application says it is. Times are by the machine's own
// clock and kept to the millisecond.
type Alive struct {
	State   string // of link.AppState
	Version string
	Content string // version of the content shown; empty for what the program carries
	Profile string // version of the hub's profile in use; empty for the borne's own
	PID     int
	Started time.Time
	Seen    time.Time // when the drawing loop last answered
}

// ErrAlive says that the state is not one of the program's own words, or that
// a version is too long.
var ErrAlive = errors.New("état de l’application refusé")

const maxVersionLength = 100 // bytes

// SetAlive keeps how the application is.
func (s *Store) SetAlive(ctx context.Context, a Alive) error {
	if err := checkWords(ErrAlive, a.State); err != nil {
		return err
	}
	if n := max(len(a.Version), len(a.Content), len(a.Profile)); n > maxVersionLength {
		return fmt.Errorf("%w : version de %d octets, au plus %d", ErrAlive, n, maxVersionLength)
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO alive (one, state, version, content, profile, pid, started, seen)
		VALUES (1, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET state = excluded.state, version = excluded.version, content = excluded.content,
			profile = excluded.profile, pid = excluded.pid, started = excluded.started, seen = excluded.seen`,
		a.State, a.Version, a.Content, a.Profile, a.PID, a.Started.UnixMilli(), a.Seen.UnixMilli())
	if err != nil {
		return s.explain(err)
	}
	return nil
}

// Alive returns how the application last said it is; the zero Alive when it
// never has.
func (s *Store) Alive(ctx context.Context) (Alive, error) {
	var a Alive
	var started, seen int64
	err := s.db.QueryRowContext(ctx, `SELECT state, version, content, profile, pid, started, seen FROM alive`).
		Scan(&a.State, &a.Version, &a.Content, &a.Profile, &a.PID, &started, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return Alive{}, nil
	}
	if err != nil {
		return Alive{}, s.explain(err)
	}
	a.Started, a.Seen = time.UnixMilli(started).UTC(), time.UnixMilli(seen).UTC()
	return a, nil
}
