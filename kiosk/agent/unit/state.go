package unit

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Active is how a unit is.
type Active string

// The states of a unit that a service can have.
const (
	Inactive     Active = "inactive"
	Activating   Active = "activating" // starts, or waits to be started again after it failed
	Running      Active = "active"
	Deactivating Active = "deactivating"
	Failed       Active = "failed" // systemd has given up
)

// Watchdog is the Result of a service that systemd has killed because it no
// longer said that it is alive.
const Watchdog = "watchdog"

// State is how a service is.
type State struct {
	Active Active
	Sub    string    // more exactly, in systemd's words: "running", "auto-restart" …
	Since  time.Time // when Sub last changed, by the borne’s clock; zero where it never has
	// Result is why it last ended: "success", "exit-code", "signal", Watchdog …
	// It is "success" again as soon as the service has been started again:
	// only Watch sees each.
	Result   string
	Restarts int    // times that systemd has started it again by itself
	Status   string // what the service says of itself
	PID      int    // of its main process; 0 where there is none
}

// State tells how a service is: ErrUnknown where systemd has no such unit.
func (c *Conn) State(ctx context.Context, unit string) (State, error) {
	systemd, _, err := c.open(ctx)
	if err != nil {
		return State{}, err
	}
	properties, err := systemd.GetAllPropertiesContext(ctx, unit)
	if err != nil {
		return State{}, explain(err, "lire l’état de "+unit)
	}
	if load, _ := properties["LoadState"].(string); load != "loaded" {
		return State{}, fmt.Errorf("%w : %s (%s)", ErrUnknown, unit, load)
	}
	return stateOf(properties), nil
}

func stateOf(p map[string]any) State {
	var s State
	active, _ := p["ActiveState"].(string)
	s.Active = Active(active)
	s.Sub, _ = p["SubState"].(string)
	s.Result, _ = p["Result"].(string)
	s.Status, _ = p["StatusText"].(string)
	if at, _ := p["StateChangeTimestamp"].(uint64); at != 0 {
		s.Since = time.UnixMicro(int64(at))
	}
	restarts, _ := p["NRestarts"].(uint32)
	pid, _ := p["MainPID"].(uint32)
	s.Restarts, s.PID = int(restarts), int(pid)
	return s
}

// Watch calls changed with how a service is, and again each time that it
// changes, until ctx ends or the bus goes away (ErrBus): then watch again. It
// misses no end of the service, however soon it is started again.
func (c *Conn) Watch(ctx context.Context, unit string, changed func(State)) error {
	systemd, bus, err := c.open(ctx)
	if err != nil {
		return err
	}
	signals := make(chan *godbus.Signal, 100)
	bus.Signal(signals)
	defer bus.RemoveSignal(signals)
	path := godbus.ObjectPath("/org/freedesktop/systemd1/unit/" + dbus.PathBusEscape(unit))
	match := []godbus.MatchOption{
		godbus.WithMatchObjectPath(path),
		godbus.WithMatchInterface("org.freedesktop.DBus.Properties"),
		godbus.WithMatchMember("PropertiesChanged"),
	}
	if err := bus.AddMatchSignalContext(ctx, match...); err != nil {
		return explain(err, "suivre "+unit)
	}
	defer bus.RemoveMatchSignal(match...)
	manager := bus.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	err = manager.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.Subscribe", 0).Err
	if err != nil && errorName(err) != "org.freedesktop.systemd1.AlreadySubscribed" {
		return explain(err, "suivre "+unit)
	}
	properties, err := systemd.GetAllPropertiesContext(ctx, unit)
	if err != nil {
		return explain(err, "suivre "+unit)
	}
	was := stateOf(properties)
	changed(was)
	for {
		select {
		case s, open := <-signals:
			if !open {
				return fmt.Errorf("suivre %s : %w", unit, ErrBus)
			}
			if s.Path != path || s.Name != "org.freedesktop.DBus.Properties.PropertiesChanged" || len(s.Body) < 2 {
				continue
			}
			news, _ := s.Body[1].(map[string]godbus.Variant)
			for name, value := range news {
				properties[name] = value.Value()
			}
			if is := stateOf(properties); is != was {
				was = is
				changed(is)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
