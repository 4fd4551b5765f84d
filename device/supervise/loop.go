package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/transport"
)

// Pauses before a loop is started again. They double from the first to the
// longest. A device that is away is looked for so often that it is back within
// 2 s, also where the kernel tells nothing of its coming; what fails for
// another reason is left alone for longer.
const (
	firstPause  = 250 * time.Millisecond
	awayPause   = time.Second
	failedPause = 30 * time.Second
	// An attempt that lasted so long did not fail at once.
	longAttempt = time.Minute
)

// Serve makes one attempt at the device; the supervisor calls it again and
// again.
func (w *watched) Serve(ctx context.Context) error {
	if err := w.wait(ctx); err != nil {
		return err
	}
	began := time.Now()
	a := &attempt{watched: w}
	err := a.run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.telling.Lock()
	defer w.telling.Unlock()
	a.over = true
	s := judge(err, a.last)
	w.pause = nextPause(w.pause, away(s), a.ready, time.Since(began))
	w.tellPanic(a)
	w.tell(s)
	return nil
}

// wait waits out the pause, unless something is plugged in. A panic comes from
// our own mistake: nothing that is plugged in mends it.
func (w *watched) wait(ctx context.Context) error {
	wake := w.wake
	if w.panicked {
		wake = nil
	}
	if w.pause > 0 {
		t := time.NewTimer(w.pause)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-wake:
		}
	}
	select {
	case <-w.wake: // from before this attempt
	default:
	}
	return ctx.Err()
}

// attempt is one call of a loop. The fields up to the blank line are guarded by
// telling: a loop may report from any of its goroutines.
type attempt struct {
	*watched
	last  device.Status // the last that it reported
	ready bool          // it has reported so
	over  bool

	stack []byte // of a panic
}

// run calls the loop, and makes an error of a panic.
func (a *attempt) run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			a.stack = debug.Stack()
			err = errPanic(r)
		}
	}()
	return a.Loop.Serve(ctx, func(s device.Status) {
		if ctx.Err() == nil { // what a loop says of a device that it lets go is no news
			a.report(s)
		}
	})
}

// report takes in what the loop says while it runs.
func (a *attempt) report(s device.Status) {
	a.telling.Lock()
	defer a.telling.Unlock()
	if a.over {
		return
	}
	a.last = s
	a.ready = a.ready || s.Ready()
	a.tell(s)
}

// errPanic says what was the matter. Only the runtime's own words are repeated:
// others may hold what a card or a code said.
func errPanic(r any) error {
	if err, ok := r.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", err)
	}
	return fmt.Errorf("panic: %T", r)
}

// tellPanic logs where our program failed, once for panics in a row.
func (w *watched) tellPanic(a *attempt) {
	again := w.panicked && !a.ready
	w.panicked = a.stack != nil
	if w.panicked && !again {
		w.board.log.Error("panne du programme d’un appareil", "appareil", w.Name, "pile", string(a.stack))
	}
}

var errEnded = errors.New("the loop ended without a reason")

// judge is how a device is whose loop has returned err, after last was its last
// report.
func judge(err error, last device.Status) device.Status {
	var p *printer.Error
	switch {
	case errors.As(err, &p) && p.Fault.Info().Severity == device.Critical:
		if p.Err != nil {
			err = p.Err
		}
		return p.Fault.With(err)
	case isGone(err):
		return device.Unplugged.With(err)
	case last.Fault.Info().Severity == device.Critical:
		return last
	case err == nil:
		return device.Hardware.With(errEnded)
	}
	return device.Hardware.With(err)
}

// isGone reports whether err says that there is no line. A tty whose adapter
// was pulled out answers with an I/O error.
func isGone(err error) bool {
	for _, gone := range []error{transport.ErrGone, fs.ErrNotExist, syscall.ENODEV, syscall.ENXIO, syscall.EIO} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// away reports whether a device that is so may come back at any moment.
func away(s device.Status) bool { return s.State == device.NoDevice || s.State == device.Offline }

// nextPause is the pause after an attempt that ended so, when the last one was
// followed by a pause of last. A device that worked begins anew; what fails for
// other reasons than being away has to have lasted for that.
func nextPause(last time.Duration, away, ready bool, ran time.Duration) time.Duration {
	next := max(2*last, firstPause)
	if ran >= longAttempt || away && ready {
		next = firstPause
	}
	if away {
		return min(next, awayPause)
	}
	next = min(next, failedPause)
	// Bornes that failed together do not try again together.
	return next - rand.N(next/4)
}
