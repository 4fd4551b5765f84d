// Package health says whether a borne's application is up. It is the one
// measure for a new profile, new content and a new program: what doesn't pass
// it is taken back.
package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// Fresh is how old an application's last sign of life may be. It gives one every
// ten seconds at least.
const Fresh = 30 * time.Second

const (
	lookEvery = 500 * time.Millisecond
	// The application looks at its screen once a second: so much may be missing
	// between two signs of life.
	slack = 2 * time.Second
)

// ErrSick says that the application has not come up in time, or not with what
// it is meant to have.
var ErrSick = errors.New("l’application n’est pas en état de servir")

// Await waits until an application that is not the one that before tells of has
// been well for a time without a break: it serves, waits for somebody, or is out
// of service by staff's wish, and its screen answers. fits, where given, says
// what keeps one that has started from being the one awaited, which ends the
// wait. Clocks may be wrong and may jump: only changes count.
//
// Errors: ErrSick when ctx ends before or it doesn't fit. What can't be read is
// read again; read is store.Store.Alive.
func Await(ctx context.Context, read func(context.Context) (store.Alive, error), before store.Alive, lasts time.Duration, fits func(store.Alive) error) error {
	w := watch{lasts: lasts - min(slack, lasts/2), why: "elle n’a pas démarré"}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		a, err := read(ctx)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				w.since, w.why = time.Time{}, err.Error()
			}
		case a.Seen.IsZero() || Same(a, before):
		default:
			if fits != nil {
				if err := fits(a); err != nil {
					return fmt.Errorf("%w : %w", ErrSick, err)
				}
			}
			if w.well(a) {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w : %s", ErrSick, w.why)
		}
	}
}

// Same reports whether two signs of life are of one run of the application.
func Same(a, b store.Alive) bool { return a.PID == b.PID && a.Started.Equal(b.Started) }

// Well reports whether an application in a state does what it is there for.
func Well(state link.AppState) bool {
	return state == link.AppServing || state == link.AppIdle || state == link.AppOutOfService
}

// watch looks at one run of the application after the other.
type watch struct {
	lasts time.Duration
	run   store.Alive // as last seen
	first time.Time   // its first sign of life, by its own clock
	since time.Time   // it is well, by ours; zero: it isn't
	moved time.Time   // it last gave a sign of life, by ours
	why   string      // it is not up yet
}

// well takes in what the application says, and tells whether it is up.
func (w *watch) well(a store.Alive) bool {
	now := time.Now()
	switch {
	case !Well(link.AppState(a.State)):
		w.run, w.since, w.why = a, time.Time{}, fmt.Sprintf("elle est dans l’état « %s »", a.State)
		return false
	case w.since.IsZero() || !Same(a, w.run) || a.Seen.Before(w.first):
		if w.run.PID != 0 && !Same(a, w.run) {
			w.why = "elle s’arrête et redémarre"
		}
		w.run, w.first, w.since, w.moved = a, a.Seen, now, now
		return false
	case !a.Seen.Equal(w.run.Seen):
		w.run, w.moved = a, now
	case now.Sub(w.moved) > Fresh:
		w.first, w.since, w.moved, w.why = a.Seen, now, now, "elle ne donne plus signe de vie"
		return false
	}
	// By both clocks: its own may jump, and ours doesn't see whether the screen
	// has moved all along.
	return now.Sub(w.since) >= w.lasts && a.Seen.Sub(w.first) >= w.lasts
}
