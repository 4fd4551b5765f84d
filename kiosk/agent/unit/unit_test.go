package unit_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/agent/unit"
)

func TestState(t *testing.T) {
	t.Parallel()
	m, conn := newBorne(t, nil)
	s := awaitState(t, conn, "parvis.service", unit.Running)
	if s.Sub != "running" || s.Result != "success" || s.Restarts != 0 || s.PID == 0 {
		t.Errorf("running: %+v", s)
	}
	if s.Status != "au service" {
		t.Errorf("status %q, want one line", s.Status)
	}
	if age := time.Since(s.Since); age < 0 || age > 30*time.Second {
		t.Errorf("running since %v", s.Since)
	}

	if log := m.Run(t, "journalctl", "--no-pager", "--unit=systemd-journald.service"); !strings.Contains(log, "max 30.0M") || strings.Contains(log, "nknown") {
		t.Errorf("the journal doesn't keep to its bounds: %s", log)
	}

	m.Run(t, "systemctl", "stop", "parvis.service")
	if s := awaitState(t, conn, "parvis.service", unit.Inactive); s.PID != 0 || s.Result != "success" {
		t.Errorf("stopped: %+v", s)
	}
	m.Run(t, "systemctl", "mask", "--runtime", "parvis-hub.service")
	for _, name := range []string{"nobody-has-this.service", "parvis-hub.service"} {
		if s, err := conn.State(t.Context(), name); !errors.Is(err, unit.ErrUnknown) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	m, conn := newBorne(t, nil)
	before := awaitState(t, conn, "parvis.service", unit.Running)
	start := time.Now()
	if err := conn.Restart(t.Context(), "parvis.service"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < slowness {
		t.Errorf("Restart returned after %v, before the service was ready", took)
	}
	after, err := conn.State(t.Context(), "parvis.service")
	if err != nil || after.Active != unit.Running || after.PID == before.PID {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}

	m.Run(t, "systemctl", "stop", "parvis.service")
	if err := conn.Restart(t.Context(), "parvis.service"); err != nil {
		t.Errorf("one that is stopped: %v", err)
	}

	touch(t, m.Path(brokenFile))
	if err := conn.Restart(t.Context(), "parvis.service"); !errors.Is(err, unit.ErrFailed) || !strings.Contains(err.Error(), "journalctl -u parvis.service") {
		t.Errorf("one that doesn't start: %v", err)
	}
	// systemd goes on trying: it comes up as soon as it can.
	if s := awaitState(t, conn, "parvis.service", unit.Activating); s.Result != "exit-code" {
		t.Errorf("while it fails: %+v", s)
	}
	if err := os.Remove(m.Path(brokenFile)); err != nil {
		t.Fatal(err)
	}
	awaitState(t, conn, "parvis.service", unit.Running)

	if err := conn.Restart(t.Context(), "nobody-has-this.service"); !errors.Is(err, unit.ErrUnknown) {
		t.Errorf("one that doesn't exist: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slowness/10)
	defer cancel()
	if err := conn.Restart(ctx, "parvis.service"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no time: %v", err)
	}
}

// A program whose loops stand still is killed and started again.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	m, conn := newBorne(t, nil)
	before := awaitState(t, conn, "parvis.service", unit.Running)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var seen []unit.State
	err := conn.Watch(ctx, "parvis.service", func(s unit.State) {
		if len(seen) == 0 { // now everything that happens is seen
			touch(t, m.Path(frozenFile))
		}
		seen = append(seen, s)
		if s.Result == unit.Watchdog {
			os.Remove(m.Path(frozenFile))
		}
		if s.Active == unit.Running && s.Restarts > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Watch: %v; seen %+v", err, seen)
	}
	killed := false
	for _, s := range seen {
		killed = killed || s.Result == unit.Watchdog
	}
	last := seen[len(seen)-1]
	if !killed || last.Restarts != 1 || last.PID == before.PID || last.Result != "success" {
		t.Errorf("seen %+v", seen)
	}
}

// What feeds the watchdog lives on.
func TestWatchdogFed(t *testing.T) {
	t.Parallel()
	_, conn := newBorne(t, nil)
	before := awaitState(t, conn, "parvis.service", unit.Running)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // WatchdogSec is 2
	defer cancel()
	err := conn.Watch(ctx, "parvis.service", func(s unit.State) {
		if s != before {
			t.Errorf("%+v became %+v", before, s)
		}
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestBusGoesAway(t *testing.T) {
	t.Parallel()
	m, conn := newBorne(t, nil)
	watching := make(chan struct{}, 10)
	watched := make(chan error, 1)
	go func() {
		watched <- conn.Watch(t.Context(), "parvis.service", func(unit.State) { watching <- struct{}{} })
	}()
	<-watching
	m.Run(t, "systemctl", "restart", "dbus.service")
	select {
	case err := <-watched:
		if !errors.Is(err, unit.ErrBus) {
			t.Errorf("Watch: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Watch has not noticed that the bus went")
	}
	awaitState(t, conn, "parvis.service", unit.Running)
	if err := conn.Restart(t.Context(), "parvis.service"); err != nil {
		t.Errorf("over the new bus: %v", err)
	}
	m.Kill()
	if _, err := conn.State(t.Context(), "parvis.service"); !errors.Is(err, unit.ErrBus) {
		t.Errorf("no bus: %v", err)
	}
	if _, err := unit.ConnectTo(t.Context(), m.Bus()); !errors.Is(err, unit.ErrBus) {
		t.Errorf("connecting to no bus: %v", err)
	}
}
