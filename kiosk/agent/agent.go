// Package agent is the work of a borne's daemon, which has no screen: it tells
// the hub how the borne is, delivers requests to be called back, does what the
// hub asks and brings profile, content and program up to date. It and the application know of each
// other by the borne's database only, so that either may die without the other.
package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// Unit is the application as a service of systemd.
type Unit interface {
	// State is systemd's word: active, activating, deactivating, inactive,
	// failed, reloading.
	State(ctx context.Context) (string, error)
	// Restart returns when the application is up again.
	Restart(ctx context.Context) error
}

// Identity is who the borne is to the hub: that of package enrol.
type Identity interface {
	// Certificate is from when to when the certificate holds, by the hub's time.
	Certificate() (from, to time.Time)
	// Recipient is the hub's public key that requests to be called back are
	// sealed to.
	Recipient() string
	// Renew gets the next certificate; ask asks the hub for it.
	Renew(ctx context.Context, ask func(context.Context, link.RenewRequest) (link.Enrolled, error)) error
}

// Network has the machine's network follow the profile in place: package network.
type Network interface {
	// Follow returns when the network does, or when it is known that it won't.
	Follow(ctx context.Context) error
	// Trial is the change of the network that waits for the hub to be reached with
	// it; empty where there is none.
	Trial() string
	// Reached tells that the hub has answered a report that was begun amid a trial.
	Reached(trial string) error
	// CutOff reports whether what the profile wants was taken back, as the hub was
	// not reached with it.
	CutOff() bool
	// Failure is what the profile wants and this machine does not take, in French,
	// or empty.
	Failure() string
}

// Options are what an agent works with.
type Options struct {
	Store *store.Store
	// Client goes by the network's settings of the profile in use.
	Client  *link.Client
	Version string
	Log     *slog.Logger
	// Now is the machine's own clock, which may be years off and may jump.
	Now func() time.Time

	// Machine reads how the machine is; what it can't find out is unknown, and
	// the rest counts in spite of the error.
	Machine func() (machine.Facts, error)
	// Inventory reads what the borne is made of; what it can't find out is left
	// out, and the rest counts in spite of the error. nil: it is not told.
	Inventory func(ctx context.Context) (link.Inventory, error)
	// Reboot restarts the machine; nil where the agent cannot.
	Reboot func(ctx context.Context) error
	// Unit is nil where no systemd looks after the application.
	Unit Unit
	// Logs gives the log of the last while, most bytes at most, the newest kept,
	// without what may be somebody's number.
	Logs func(ctx context.Context, last time.Duration, most int) ([]byte, error)
	// DropLogs makes room when the disk is nearly full; nil where somebody else
	// bounds the log.
	DropLogs func() error

	Identity Identity

	// Profiles and Content are the folders of the hub's profiles and packs: see
	// package shelf.
	Profiles string
	Content  string
	// CheckProfile tells whether the application would go by a profile: ErrUnfit
	// where it would not.
	CheckProfile func(ctx context.Context, file string) error
	// UpdatePack brings the pack of a version into its folder in Content, whole
	// and checked as the application would: ErrUnfit where it can't be used.
	UpdatePack func(ctx context.Context, fetch Fetch, version string) error
	// KeepPacks drops all packs but those of these versions.
	KeepPacks func(versions ...string) error
	// Network is nil where the machine's network is not the agent's to ask for.
	Network Network
	// Software is nil where the agent cannot change the borne's program.
	Software Software
	// Closed reports whether nobody is expected at the borne for a while.
	Closed func(now time.Time) bool
}

// Agent is the daemon.
type Agent struct {
	o     Options
	log   *slog.Logger
	clock *clock
	line  *line
	pulse pulse

	senses *senses
	faults faultTimes
	run    []byte
	seq    uint64
	disk   int       // percent free, as last measured
	kept   time.Time // when store.HubContact was last kept

	report  bell // something worth an early report
	outbox  bell // something may wait in the outbox
	errands bell // something may wait among the errands
	ended   bell // an errand may have ended
	told    bell // the hub has heard of an errand's end
	room    bell // the disk is full
	wanted  bell // the hub may want something else

	working sync.WaitGroup // errands under way
	refused said           // what has been said of what the hub refuses
	pursuit pursuit        // of what the hub wants
	wellFor time.Duration  // the application must be well to count as up
	missed  time.Duration  // between two deliveries of searches, on average
	wiring  string         // the trial of the network that the line was made anew for
	cutOff  struct {       // the profile with which the hub was last not reached
		version string
		at      time.Time
	}
}

// New makes an agent that doesn't work yet.
func New(o Options) *Agent {
	run := make([]byte, 8)
	rand.Read(run) // never fails
	c := newClock(o.Now)
	return &Agent{
		o: o, log: o.Log, clock: c, line: newLine(o.Log), senses: newSenses(o, c), run: run, disk: 100, wellFor: wellFor, missed: unfoundEvery,
		report: newBell(), outbox: newBell(), errands: newBell(), ended: newBell(), told: newBell(), room: newBell(), wanted: newBell(),
	}
}

// Serve works until ctx ends. It fails only where it cannot begin.
func (a *Agent) Serve(ctx context.Context) error {
	if err := a.recover(ctx); err != nil {
		return fmt.Errorf("commandes en cours : %w", err)
	}
	var loops sync.WaitGroup
	for name, loop := range map[string]func(context.Context){
		"report": a.reporting, "watch": a.watching, "outbox": a.delivering, "commands": a.listening,
		"errands": a.obeying, "outcomes": a.answering, "inventory": a.takingStock, "room": a.tidying, "wanted": a.pursuing, "unfound": a.tellingUnfound,
	} {
		a.pulse.beat(name, time.Minute)
		loops.Go(func() { loop(ctx) })
	}
	loops.Wait()
	a.working.Wait()
	return nil
}

// Stuck names a loop that has made no progress for far too long, or is "".
func (a *Agent) Stuck() string { return a.pulse.stuck() }

// trouble says what the borne's own disk refused, once until it is mended, and
// makes room if it is full.
func (a *Agent) trouble(ctx context.Context, what string, err error) {
	if err == nil {
		a.refused.forget(what)
		return
	}
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, store.ErrFull) {
		a.room.ring()
	}
	if a.refused.first(what) {
		a.log.Error(what, "erreur", err)
	}
}

// bell wakes one loop; ringing twice before it wakes is ringing once.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// wait waits for the bell, a time or the end of ctx, and tells which came.
func (b bell) wait(ctx context.Context, most time.Duration) (rung bool) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-b:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) { bell(nil).wait(ctx, d) }

// said remembers what was logged, so that what lasts is logged once.
type said struct {
	mu   sync.Mutex
	what map[string]bool
}

func (s *said) first(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.what == nil {
		s.what = make(map[string]bool)
	}
	fresh := !s.what[what]
	s.what[what] = true
	return fresh
}

func (s *said) forget(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.what, what)
}

// isLocal tells an errand that the agent itself gave the application.
func isLocal(id uuid.UUID) bool { return id.Version() == 5 }
