package agent

import (
	"context"
	"time"

	"parvis/kiosk/store"
)

// lookAnyway is how often the database is read even if nobody has written:
// what grows stale writes nothing.
const lookAnyway = 2 * time.Second

// watching looks every second whether something has changed that others should
// hear of: the hub of how the borne is, the loops of what waits for them.
func (a *Agent) watching(ctx context.Context) {
	w := &watch{agent: a}
	defer w.close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		a.pulse.beat("watch", time.Minute)
		a.trouble(ctx, "base de la borne", w.look(ctx))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// watch notices what is written into the database.
type watch struct {
	agent   *Agent
	changes *store.Changes
	looked  time.Time
	key     string // of what was seen last; never empty after that
}

func (w *watch) close() {
	if w.changes != nil {
		w.changes.Close()
		w.changes = nil
	}
}

func (w *watch) look(ctx context.Context) error {
	written, err := w.written(ctx)
	if err != nil {
		return err
	}
	if written {
		w.agent.outbox.ring()
		w.agent.errands.ring()
		w.agent.ended.ring()
	}
	if !written && time.Since(w.looked) < lookAnyway {
		return nil
	}
	w.looked = time.Now()
	seen, err := w.agent.senses.look(ctx)
	if err != nil {
		return err
	}
	if before := w.key; before != "" && before != seen.key() {
		w.agent.report.ring()
	}
	w.key = seen.key()
	return nil
}

func (w *watch) written(ctx context.Context) (any bool, err error) {
	if w.changes == nil {
		if w.changes, err = w.agent.o.Store.Changes(ctx); err != nil {
			return false, err
		}
	}
	if any, err = w.changes.Any(ctx); err != nil {
		w.close()
	}
	return any, err
}
