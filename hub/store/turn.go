package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

// turnFor is after how long another hub goes on with work that is done in turn,
// when the one that did it has died.
const turnFor = 45 * time.Second

// Turn is a hub's part in work that any hub may do and one does, step by step. It
// is used by one goroutine at a time.
type Turn struct {
	Lease, Holder string

	store *Store
	since time.Time // of steps without a gap; zero: there is none
	last  time.Time // the last step that succeeded
}

// Turn prepares a hub's part in the work that a lease names.
func (s *Store) Turn(lease string) *Turn {
	return &Turn{Lease: lease, Holder: uuid.NewString(), store: s}
}

// Take begins a step, and tells whether it is this hub's turn.
func (t *Turn) Take(ctx context.Context, now time.Time) (bool, error) {
	held, err := t.store.Lease(ctx, t.Lease, t.Holder, now, now.Add(turnFor))
	if err != nil {
		t.Interrupt()
		return false, err
	}
	if gap := now.Sub(t.last); t.since.IsZero() || gap > link.Silence || gap < 0 {
		t.since = now
	}
	t.last = now
	return held, nil
}

// Interrupt says that the store was away: nobody could report meanwhile.
func (t *Turn) Interrupt() { t.since = time.Time{} }

// Awake is how long this hub has taken step after step, whoever's turn it was.
// For as long, silence was not its own.
func (t *Turn) Awake(now time.Time) time.Duration { return now.Sub(t.since) }

// Leave gives the lease back, so that another hub goes on at once; else it runs
// out by itself.
func (t *Turn) Leave(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := t.store.Lease(ctx, t.Lease, t.Holder, now, now)
	return err
}
