// Package rollout gives a new version to the fleet stage by stage, and stops by
// itself where too many bornes fare badly with it. All that it knows lies in the
// store, so any hub can go on where another has stopped.
package rollout

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Options say what an engine needs.
type Options struct {
	Store  *store.Store
	Offers Catalogue
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: slog.Default
}

// Engine moves rollouts on. It is used by one goroutine.
type Engine struct {
	Options
	turn *store.Turn
	slow time.Time // when those that are over were looked at
}

// New prepares an engine; Serve does the work.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Engine{Options: o, turn: o.Store.Turn("rollout")}
}

// How often and how long.
const (
	// every is how often rollouts are looked at, besides at once when somebody
	// has changed one.
	every = 10 * time.Second
	// slowly is how often those that are over are looked at: bornes that come
	// late have time.
	slowly = time.Minute
	// starting is how long the hub must have been at work before it judges
	// silence: until then it may be its own.
	starting = link.Silence + time.Minute
	// passing is how long any fault must last to count: what takes a new version
	// restarts, which looks like one.
	passing = 2 * time.Minute
)

// grace is how long a borne that was offered a version may be offline before it
// counts as silent. Taking software, it restarts, maybe twice.
func grace(kind string) time.Duration {
	if kind == link.KindSoftware {
		return 45 * time.Minute
	}
	return 10 * time.Minute
}

// patience is how long a borne that talks may take for a version. Software is
// installed after hours.
func patience(kind string) time.Duration {
	if kind == link.KindSoftware {
		return 36 * time.Hour
	}
	return 4 * time.Hour
}

// Serve moves rollouts on until ctx ends. Of several hubs on one database, one
// does.
func (e *Engine) Serve(ctx context.Context) error {
	events := e.Store.Watch(ctx)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := e.step(ctx); err != nil && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "rollout", "err", err) // the store may be away: the next step will do
		}
		if !await(ctx, tick, events) {
			if err := e.turn.Leave(context.WithoutCancel(ctx), e.Now()); err != nil {
				e.Log.WarnContext(ctx, "rollout: the lease runs out by itself", "err", err)
			}
			return nil
		}
	}
}

// await returns when there may be something to do, or false when it is over.
func await(ctx context.Context, tick *time.Ticker, events <-chan store.Event) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			return true
		case event, open := <-events:
			if !open {
				return false
			}
			if event.Topic == store.RolledOut || event.Topic == store.All {
				return true
			}
		}
	}
}

// step looks at all rollouts once, if it is this hub's turn.
func (e *Engine) step(ctx context.Context) error {
	now := e.Now()
	if mine, err := e.turn.Take(ctx, now); err != nil || !mine {
		return err
	}
	all, err := e.Store.Rollouts(ctx)
	if err != nil {
		return err
	}
	err = e.moveAll(ctx, all, now)
	if errors.Is(err, store.ErrLease) || errors.Is(err, store.ErrRolloutState) {
		return nil // another hub goes on, or somebody has decided otherwise: the next step sees
	}
	return err
}

func (e *Engine) moveAll(ctx context.Context, all []store.Rollout, now time.Time) error {
	if gap := now.Sub(e.slow); gap >= slowly || gap < 0 {
		if err := e.late(ctx, all); err != nil {
			return err
		}
		e.slow = now
	}
	for _, r := range all {
		if r.State == store.RolloutDone || !r.Ended.IsZero() && !r.Settled.IsZero() {
			continue
		}
		if err := e.move(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// move moves one rollout on as far as it goes now.
func (e *Engine) move(ctx context.Context, r store.Rollout) error {
	for {
		w, err := e.look(ctx, r)
		if err != nil || w == nil {
			return err
		}
		step, more := decide(*w)
		if err := e.keep(ctx, step); err != nil || !more {
			return err
		}
		if r, err = e.Store.Rollout(ctx, r.ID); err != nil {
			return err
		}
	}
}

// look reads all that a decision about a rollout needs; nil where it is done
// and nobody is missing.
func (e *Engine) look(ctx context.Context, r store.Rollout) (*world, error) {
	// The rows first: what is reported in between is seen the next time.
	rows, err := e.Store.RolloutBornes(ctx, r.ID)
	if err != nil || r.State == store.RolloutDone && !slices.ContainsFunc(rows, missing) {
		return nil, err
	}
	w, err := e.lookFor(ctx, r)
	if err != nil {
		return nil, err
	}
	w.bornes = rows
	return w, nil
}

// lookFor reads what a decision about a rollout needs of the fleet.
func (e *Engine) lookFor(ctx context.Context, r store.Rollout) (*world, error) {
	w := &world{rollout: r, now: e.Now()}
	var err error
	if w.fleet, err = e.Store.RolloutTargets(ctx); err != nil {
		return nil, err
	}
	// Where nobody at all is heard of, it is the hub that hears nothing.
	w.silence = e.turn.Awake(w.now) >= starting && anyHeard(w.fleet, w.now)
	versions, err := e.Offers(ctx, r.Kind)
	for _, v := range versions {
		w.offered = append(w.offered, v.Version)
	}
	return w, err
}

func anyHeard(fleet []store.RolloutTarget, now time.Time) bool {
	for _, t := range fleet {
		if now.Sub(t.Seen) <= link.Silence {
			return true
		}
	}
	return false
}

// missing reports whether a borne has yet to take the version.
func missing(b store.RolloutBorne) bool {
	return b.State != store.BorneHas && b.State != store.BorneWorse && b.State != store.BorneGone
}

// keep makes a step, where there is anything in it.
func (e *Engine) keep(ctx context.Context, step store.RolloutStep) error {
	found, is := step.Found, step.Rollout
	same := found.State == is.State && found.Stage == is.Stage && found.Settled.Equal(is.Settled)
	if same && len(step.Bornes) == 0 && len(step.Events) == 0 {
		return nil
	}
	step.Lease, step.Holder = e.turn.Lease, e.turn.Holder
	return e.Store.StepRollout(ctx, step)
}
