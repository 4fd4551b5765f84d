// Package alerts tells people what is wrong with bornes: once when it begins,
// once when it is mended, and once for a whole network. All that it knows lies
// in the store, so any hub can go on where another has stopped.
package alerts

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	_ "time/tzdata" // a small server may have no zones

	"github.com/google/uuid"

	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Options say what alerts need.
type Options struct {
	Store *store.Store
	Key   *seal.Key // seals the secrets of channels
	// URL is the console's address, which messages lead to: "https://parvis.ville.fr".
	URL   string
	Now   func() time.Time // nil: time.Now
	Zone  *time.Location   // of the hours of presence; nil: Europe/Paris
	Log   *slog.Logger     // nil: slog.Default
	Roots *x509.CertPool   // trusted for mail servers and receivers; nil: the system's
}

// Alerts decides what to tell whom, and tells it. It is safe for concurrent use.
type Alerts struct {
	Options
	loopback bool          // a test's receivers are on this machine
	decided  chan struct{} // has a value when there are new messages to send

	mu   sync.Mutex // one step at a time
	turn *store.Turn
}

// New prepares alerts; Serve does the work.
func New(o Options) *Alerts {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Zone == nil {
		o.Zone = paris
	}
	return &Alerts{Options: o, turn: o.Store.Turn("alerts"), decided: make(chan struct{}, 1)}
}

// paris is in the program: see the import of time/tzdata.
var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

// How often and how long.
const (
	// every is how often the fleet is looked at. Silence has no event, and
	// faults must last before anybody is told, so nothing is gained by more.
	every = 10 * time.Second
	// settling is how long a fault must be gone before it counts as mended: one
	// that is back sooner was never away.
	settling = 10 * time.Minute
	// gathering is how much longer than link.Silence the hub waits for other
	// bornes of a network to fall silent, before it tells of the first.
	gathering = time.Minute
	// starting is how long the hub must have been at work before it judges
	// silence: until then it may be its own.
	starting = link.Silence + 30*time.Second
	// keep is how long alerts are kept after their end.
	keep = 400 * 24 * time.Hour
)

// Serve looks at the fleet and sends messages until ctx ends. Of several hubs
// on one database, one looks, and all send.
func (a *Alerts) Serve(ctx context.Context) error {
	var others sync.WaitGroup
	others.Go(func() { a.repeat(ctx, "send", every, a.decided, a.send) })
	others.Go(func() { a.repeat(ctx, "tidy", 24*time.Hour, nil, a.tidy) })
	a.repeat(ctx, "judge", every, nil, a.step)
	others.Wait()
	if err := a.turn.Leave(context.WithoutCancel(ctx), a.Now()); err != nil {
		a.Log.WarnContext(ctx, "alerts: the lease runs out by itself", "err", err)
	}
	return nil
}

// repeat does something again and again until ctx ends, and in between when it
// is woken. What fails is tried again the next time: the store may be away.
func (a *Alerts) repeat(ctx context.Context, what string, every time.Duration, wake <-chan struct{}, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "alerts: "+what, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-wake:
		}
	}
}

func (a *Alerts) tidy(ctx context.Context) error {
	return a.Store.TidyAlerts(ctx, a.Now().Add(-keep))
}

// step looks at the fleet once, if it is this hub's turn, and decides.
func (a *Alerts) step(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	if mine, err := a.turn.Take(ctx, now); err != nil || !mine {
		return err
	}
	j, err := a.look(ctx, now)
	if err != nil {
		a.turn.Interrupt()
		return err
	}
	change := j.decide()
	if len(change.Alerts) == 0 && len(change.Messages) == 0 {
		return nil
	}
	change.Lease, change.Holder, change.Now = a.turn.Lease, a.turn.Holder, now
	err = a.Store.ChangeAlerts(ctx, change)
	switch {
	case errors.Is(err, store.ErrLease):
		return nil // it took too long, and another hub goes on
	case err == nil && len(change.Messages) > 0:
		select {
		case a.decided <- struct{}{}:
		default: // it is awake already
		}
	}
	return err
}

// look reads all that a decision needs.
func (a *Alerts) look(ctx context.Context, now time.Time) (*judge, error) {
	j := &judge{now: now, zone: a.Zone, silence: a.turn.Awake(now) >= starting}
	var err error
	// Alerts first: what is written in between is seen the next time.
	if j.alerts, err = a.Store.OpenAlerts(ctx); err != nil {
		return nil, err
	}
	if j.bornes, err = a.Store.Watched(ctx); err != nil {
		return nil, err
	}
	if j.faults, err = a.Store.OpenFaults(ctx); err != nil {
		return nil, err
	}
	if j.sites, err = a.siteNames(ctx); err != nil {
		return nil, err
	}
	if j.rules, err = a.Rules(ctx); err != nil {
		return nil, err
	}
	if j.channels, err = a.Channels(ctx); err != nil {
		return nil, err
	}
	if j.hours, err = a.Hours(ctx); err != nil {
		return nil, err
	}
	return j, nil
}

func (a *Alerts) siteNames(ctx context.Context) (map[string]string, error) {
	sites, err := a.Store.Sites(ctx)
	names := make(map[string]string, len(sites))
	for _, s := range sites {
		names[s.ID] = s.Name
	}
	return names, err
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// FieldError says what is wrong with one field of a form, in French.
type FieldError struct{ Field, Text string }

func (e *FieldError) Error() string { return e.Text }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}
