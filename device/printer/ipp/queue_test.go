package ipp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/ipp"
)

func TestQueueStopped(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.tap.uri, hasty)
	if err := d.cups.Disable(t.Context(), "A4"); err != nil {
		t.Fatal(err)
	}
	if s, err := p.Status(t.Context()); err != nil || s.Fault != device.Stopped || s.State != device.Offline {
		t.Errorf("disabled: status %+v, %v", s, err)
	}
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.Stopped, printer.Nothing)
	if err := d.cups.Enable(t.Context(), "A4"); err != nil {
		t.Fatal(err)
	}
	if err := d.cups.Reject(t.Context(), "A4"); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.Stopped, printer.Nothing)
	if err := d.cups.Accept(t.Context(), "A4"); err != nil {
		t.Fatal(err)
	}
	// Amid a job: it waits in the queue, and is taken out.
	d.tap.on(goipp.OpCreateJob, 1, func() {
		if err := d.cups.Disable(t.Context(), "A4"); err != nil {
			t.Error(err)
		}
	})
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.Stopped, printer.Nothing)
	if err := d.cups.Enable(t.Context(), "A4"); err != nil {
		t.Fatal(err)
	}
	onlyThisPrints(t, d, p)
}

func TestCUPSDown(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.cups.Queue("A4"), hasty)
	if err := d.cups.Stop(); err != nil {
		t.Fatal(err)
	}
	s, err := p.Status(t.Context())
	wantError(t, err, device.NoService, printer.Nothing)
	if s != (device.Status{}) {
		t.Errorf("status %+v beside an error", s)
	}
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.NoService, printer.Nothing)
	wantError(t, p.Serve(t.Context(), func(device.Status) {}), device.NoService, printer.Nothing)
	if err := d.cups.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	onlyThisPrints(t, d, p)
}

// CUPS goes away while a document waits for paper, and stays away: the document
// is cancelled as soon as CUPS is back.
func TestCUPSDownAmidAJob(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.tap.uri, patient)
	d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, "paper out") })
	d.tap.on(goipp.OpGetJobAttributes, 4, func() {
		if err := d.cups.Stop(); err != nil {
			t.Error(err)
		}
	})
	err := p.Print(t.Context(), doc("Trop tard"))
	var e *printer.Error
	if !errors.As(err, &e) || e.Fault != device.NoService || e.Printed != printer.Maybe {
		t.Errorf("error %v", err)
	}
	if err := d.cups.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Status(t.Context()); err != nil {
		t.Error(err)
	}
	d.do(t, "paper in")
	onlyThisPrints(t, d, p)
}

// After a restart CUPS prints the document again, though the printer still holds
// it: both are cancelled.
func TestCUPSRestartedAmidAJob(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.tap.uri, patient)
	d.tap.on(goipp.OpCreateJob, 1, func() { d.do(t, "paper out") })
	d.tap.on(goipp.OpGetJobAttributes, 4, func() {
		if err := d.cups.Stop(); err != nil {
			t.Error(err)
		}
	})
	d.tap.on(goipp.OpCancelJob, 2, func() {
		if err := d.cups.Start(t.Context()); err != nil {
			t.Error(err)
		}
	})
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.NoService, printer.Maybe)
	d.do(t, "paper in")
	onlyThisPrints(t, d, p)
}

func TestNoSuchQueue(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.cups.Queue("A3"), hasty)
	_, err := p.Status(t.Context())
	wantError(t, err, device.Unplugged, printer.Nothing)
	if err == nil || !strings.Contains(err.Error(), "no printer or queue at "+d.cups.Queue("A3")) {
		t.Errorf("error %v does not say what is missing", err)
	}
	wantError(t, p.Print(t.Context(), doc("Trop tard")), device.Unplugged, printer.Nothing)
}

// Serve tells each change once, also while a document waits.
func TestServe(t *testing.T) {
	t.Parallel()
	d := queued(t)
	p := ipp.New(d.tap.uri, hasty)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan device.Status, 100)
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, func(s device.Status) { seen <- s }) }()
	next := func(want device.Fault, state device.State) {
		t.Helper()
		select {
		case s := <-seen:
			if s.Fault != want || s.State != state {
				t.Errorf("told %+v, want %q and %q", s, want, state)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing told, want %q", want)
		}
	}
	next(device.None, device.Online)
	d.do(t, "paper out")
	next(device.NoPaper, device.UserError)
	d.do(t, "paper in")
	next(device.None, device.Online)
	d.do(t, "unplug")
	next(device.Unplugged, device.NoDevice)
	d.do(t, "plug")
	next(device.None, device.Online)
	polls := d.tap.count(goipp.OpGetPrinterAttributes)
	eventually(t, 30*time.Second, "two more looks", func() bool { return d.tap.count(goipp.OpGetPrinterAttributes) > polls+2 })
	select {
	case s := <-seen:
		t.Errorf("told %+v though nothing changed", s)
	default:
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve ended with %v", err)
	}
}
