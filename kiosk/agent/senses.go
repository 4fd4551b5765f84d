package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parvis/device"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// How old what the application says may be.
const (
	deviceStale = 90 * time.Second
	appStale    = 30 * time.Second
	// An application that has just been started has this long to say so; where
	// systemd doesn't tell when that was, from the start of the agent on.
	appGrace = 30 * time.Second
	// One that has not come up for so long, however often systemd tries, is down.
	appFails = time.Minute
	// How often systemd is asked.
	unitEvery = 2 * time.Second
)

// sight is what can be seen of the borne at one moment.
type sight struct {
	app     link.AppState
	content string // its version, as is that of the profile
	profile string
	devices []link.Device
}

// key is what deserves a report at once when it changes.
func (s sight) key() string {
	text := string(s.app) + " " + s.content + " " + s.profile
	for _, d := range s.devices {
		text += fmt.Sprintf(" %s:%s:%s:%s", d.Name, d.State, d.Fault, d.Paper)
	}
	return text
}

// senses see how the application and the devices are: by the database, and by
// systemd where it looks after the application.
type senses struct {
	store *store.Store
	unit  Unit
	clock *clock
	began time.Time

	mu     sync.Mutex
	fresh  map[string]freshness
	state  string    // systemd's word
	asked  time.Time // when systemd was asked
	active time.Time // since when the unit is seen active without a break; zero: it isn't
	down   time.Time // since when it is seen not active; zero: it is
}

// freshness is when something last gave a sign of life. Its own date may be by
// a clock that is years off, so what counts is when the date changed.
type freshness struct {
	date    time.Time
	changed time.Time
}

func newSenses(o Options, c *clock) *senses {
	return &senses{store: o.Store, unit: o.Unit, clock: c, began: time.Now(), fresh: make(map[string]freshness)}
}

// age is how long ago name gave the sign of life that bears this date.
func (s *senses) age(name string, date time.Time) time.Duration {
	f, known := s.fresh[name]
	switch {
	case !known:
		// Nothing but its date tells how old the first one is.
		age := max(0, s.clock.own().Round(0).Sub(date))
		f = freshness{date, time.Now().Add(-age)}
	case !f.date.Equal(date):
		f = freshness{date, time.Now()}
	}
	s.fresh[name] = f
	return time.Since(f.changed)
}

// look sees how the borne is now.
func (s *senses) look(ctx context.Context) (sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	devices, err := s.store.Devices(ctx)
	if err != nil {
		return sight{}, err
	}
	alive, err := s.store.Alive(ctx)
	if err != nil {
		return sight{}, err
	}
	now := sight{app: s.app(ctx, alive), content: alive.Content, profile: alive.Profile}
	for _, d := range devices {
		now.devices = append(now.devices, s.device(d))
	}
	return now, nil
}

func (s *senses) device(d store.DeviceState) link.Device {
	seen := link.Device{Name: d.Name, Kind: d.Kind, State: d.State, Paper: d.Paper, Fault: d.Fault,
		Since: s.clock.mend(d.Since).Unix()}
	if s.age("device "+d.Name, d.Seen) > deviceStale {
		seen.State, seen.Paper, seen.Fault = device.Unknown, device.PaperUnknown, device.None
		seen.Since = s.clock.mend(d.Seen).Unix()
	}
	return seen
}

// app is how the application is: by systemd where it knows, refined by what the
// application says of itself.
func (s *senses) app(ctx context.Context, alive store.Alive) link.AppState {
	stale := alive.Seen.IsZero() || s.age("application", alive.Seen) > appStale
	state := s.unitState(ctx)
	switch {
	case state == "" && stale && time.Since(s.began) < appGrace:
		return link.AppStarting
	case state == "" && stale:
		return link.AppStopped
	case state == "activating" && time.Since(s.down) < appFails:
		return link.AppStarting
	case state == "activating":
		return link.AppStopped
	case slices.Contains([]string{"inactive", "failed", "deactivating"}, state):
		return link.AppStopped
	case stale && time.Since(s.active) < appGrace:
		return link.AppStarting
	case stale:
		return link.AppFrozen
	}
	return link.AppState(alive.State)
}

// unitState asks systemd now and then. When it doesn't answer, or doesn't look
// after the application, that is "".
func (s *senses) unitState(ctx context.Context) string {
	if s.unit == nil {
		return ""
	}
	if !s.asked.IsZero() && time.Since(s.asked) < unitEvery {
		return s.state
	}
	s.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, unitEvery)
	defer cancel()
	state, err := s.unit.State(ctx)
	if err != nil {
		state = ""
	}
	serves := state == "active" || state == "reloading"
	if serves {
		s.down = time.Time{}
	} else if s.down.IsZero() {
		s.down = time.Now()
	}
	switch {
	case !serves:
		s.active = time.Time{}
	case s.active.IsZero() && s.state == "":
		s.active = time.Now().Add(-appGrace) // it was so before the agent looked
	case s.active.IsZero():
		s.active = time.Now()
	}
	s.state = state
	return s.state
}
