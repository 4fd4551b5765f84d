// Package supervise runs one loop for each device and starts it again whenever
// it ends, so that a device is back by itself soon after it can be. It knows
// how every device is at each moment, and logs one line when one is lost and
// one when it is back.
package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/thejerf/suture/v4"

	"parvis/device"
)

// Loop serves one device.
type Loop struct {
	Name string // for people and the store, as "imprimante" or "lecteur-1"
	Kind device.Kind
	// Serve opens the device and reports each change of its status, until ctx
	// ends or the device is lost: then it returns and is called again. Why it
	// returned is told by the Fault of a *printer.Error; else by the kind of
	// the error, such as transport.ErrGone; else by the last critical status
	// that it reported. A panic in Serve's own goroutine is caught; in another
	// that it started, it ends the program.
	Serve func(ctx context.Context, report func(device.Status)) error
}

// Options are what a Board may tell others.
type Options struct {
	Log *slog.Logger // nil for slog.Default()
	// Changed, which may be nil, is told of each change of a device's status
	// but not of a new cause alone. It is called from the device's loop, which
	// waits for it; never twice at a time for one device.
	Changed func(name string, s device.Status)
}

// Entry is how one device is.
type Entry struct {
	Name string
	Kind device.Kind
	device.Status
	Since time.Time // when its state or its fault last changed
}

// Board runs the loops and knows how each device is. Its methods may be called
// at any time from any goroutine.
type Board struct {
	log     *slog.Logger
	changed func(string, device.Status)
	watched []*watched
}

// stopTimeout is how long Serve waits for loops that do not end.
const stopTimeout = 10 * time.Second

// New makes the board of these loops; Serve runs them. It refuses two loops of
// one name and a loop without a name or a function.
func New(o Options, loops ...Loop) (*Board, error) {
	b := &Board{log: o.Log, changed: o.Changed}
	if b.log == nil {
		b.log = slog.Default()
	}
	names := make(map[string]bool)
	for _, l := range loops {
		if l.Name == "" || l.Serve == nil {
			return nil, fmt.Errorf("appareil « %s » : sans nom ou sans programme", l.Name)
		}
		if names[l.Name] {
			return nil, fmt.Errorf("deux appareils s’appellent « %s » : donnez-leur des noms différents", l.Name)
		}
		names[l.Name] = true
		b.watched = append(b.watched, &watched{
			Loop: l, board: b,
			wake:  make(chan struct{}, 1),
			since: time.Now(),
		})
	}
	return b, nil
}

// Serve runs all loops until ctx ends, waits for them to end, at most 10 s, and
// returns ctx's error.
func (b *Board) Serve(ctx context.Context) error {
	s := suture.New("appareils", suture.Spec{
		// Each device waits by itself between two attempts: a supervisor's own
		// pause would hold all of them for the sake of one.
		FailureThreshold: math.Inf(1),
		Timeout:          stopTimeout,
		EventHook:        b.hear,
	})
	for _, w := range b.watched {
		s.Add(w)
	}
	s.Add(calm{b})
	return s.Serve(ctx)
}

// hear logs what only the supervisor sees.
func (b *Board) hear(e suture.Event) {
	switch e := e.(type) {
	case suture.EventStopTimeout:
		b.log.Error("appareil qui ne s’arrête pas", "appareil", e.ServiceName)
	case suture.EventServicePanic: // outside of a device's loop, where none is expected
		b.log.Error("panne de la surveillance", "appareil", e.ServiceName, "pile", e.Stacktrace)
	}
}

// Status is how the device of that name is: Unknown before its first report,
// and for a name that no loop has.
func (b *Board) Status(name string) device.Status {
	for _, w := range b.watched {
		if w.Name == name {
			return w.entry().Status
		}
	}
	return device.Status{}
}

// All is how each device is, in the order in which New got them.
func (b *Board) All() []Entry {
	all := make([]Entry, len(b.watched))
	for i, w := range b.watched {
		all[i] = w.entry()
	}
	return all
}

// Wake makes the loops that wait to be started again start now. Call it when
// something was plugged in.
func (b *Board) Wake() {
	for _, w := range b.watched {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// watched is one device under supervision. Its lower half belongs to the loop.
type watched struct {
	Loop
	board *Board
	wake  chan struct{} // holds one token: something was plugged in

	telling sync.Mutex // held over one change, so that changes are told in order
	journal journal    // guarded by telling

	mu     sync.Mutex
	status device.Status
	since  time.Time

	pause    time.Duration // before the next attempt
	panicked bool          // the last attempt did
}

func (w *watched) String() string { return w.Name }

func (w *watched) entry() Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Entry{Name: w.Name, Kind: w.Kind, Status: w.status, Since: w.since}
}

// tell takes in a status and tells of it when it is news. What is said while a
// lost device is tried again is no news until the device says how it is. The
// caller holds telling.
func (w *watched) tell(s device.Status) {
	old := w.entry()
	quiet := s.Fault == device.None && (s.State == device.Starting || s.State == device.Unknown)
	if quiet && lost(old.Status) {
		return
	}
	if same(s, old.Status) {
		w.mu.Lock()
		w.status.Cause = s.Cause // the newest is what a technician looks for
		w.mu.Unlock()
		return
	}
	now, since := time.Now(), old.Since
	if s.State != old.State || s.Fault != old.Fault {
		since = now
	}
	w.journal.note(w.board.log.With("appareil", w.Name), now, s)
	w.mu.Lock()
	w.status, w.since = s, since
	w.mu.Unlock()
	if w.board.changed != nil {
		w.board.changed(w.Name, s)
	}
}

// same compares all but the cause: it may change with each attempt while the
// device is lost for one and the same reason.
func same(a, b device.Status) bool {
	a.Cause, b.Cause = "", ""
	return a == b
}

// lost reports whether the device is known not to work.
func lost(s device.Status) bool {
	switch s.State {
	case device.Offline, device.NoDevice, device.HardwareError, device.UserError:
		return true
	}
	return s.Fault.Info().Severity == device.Critical
}
