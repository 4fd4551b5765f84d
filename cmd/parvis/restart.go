package main

import (
	"context"
	"fmt"
	"time"

	"parvis/kiosk/store"
)

// How long a restart waits for whoever stands at the borne.
const (
	mostWait = time.Minute     // for the end of a visit
	busyWait = 2 * time.Minute // and where something is being printed or sent just then
	endless  = 0               // until the visit ends by itself
	reading  = 4 * time.Second // for a sentence to be read
	freeLook = 200 * time.Millisecond
)

// freedom is whether the borne may restart now.
type freedom int

const (
	taken freedom = iota // somebody is there
	free                 // nobody is
	cut                  // somebody was, and reads why the visit has ended
)

// restart starts the application again as soon as nobody is at the borne, or
// after most. The errand stays begun: the application that comes ends it.
func (e *errands) restart(ctx context.Context, x store.Errand, most time.Duration) {
	if err := e.comesUp(); err != nil {
		e.end(x, failed(fmt.Errorf("la borne ne redémarrerait pas : %w", err)))
		return
	}
	since := time.Now()
	for ctx.Err() == nil {
		now, err := ask(ctx, e.panel.do, func() freedom { return e.free(time.Since(since), most) })
		switch {
		case err != nil && ctx.Err() == nil:
			e.end(x, failed(err))
			return
		case now == free:
			e.leave()
			return
		}
		wait := freeLook
		if now == cut {
			wait = reading
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		if now == cut {
			e.leave()
			return
		}
	}
}

// free sends whoever has had most time away, on the drawing loop. From then on
// the borne answers to nobody.
func (e *errands) free(waited, most time.Duration) freedom {
	s := e.panel.session
	late := most > 0 && waited >= most
	switch {
	case s.Idle():
		s.Farewell()
		return free
	case late && (!s.Busy() || waited >= busyWait):
		s.Farewell()
		return cut
	case most > 0:
		s.RestartSoon()
	}
	return taken
}
