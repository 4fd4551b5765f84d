package pcsc_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/pcsc"
)

// A pcscd that hangs answers nothing, and its library waits for it for ever.
func TestPCSCDHangs(t *testing.T) {
	b := &bench{PCSCD: mustStart(t)}
	r := pcsc.New(pcsc.Options{})
	seen := make(chan reader.Event, 10)
	serve := func(ctx context.Context) chan error {
		served := make(chan error, 1)
		go func() { served <- r.Serve(ctx, b.report, func(e reader.Event) { seen <- e }) }()
		return served
	}
	ended := func(served chan error, within time.Duration) error {
		t.Helper()
		select {
		case err := <-served:
			return err
		case <-time.After(within):
			t.Fatalf("Serve has not ended after %v", within)
			return nil
		}
	}
	routines := runtime.NumGoroutine()
	served := serve(t.Context())
	b.wantStatus(t, "online/not_present/")
	if err := b.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Thaw() }) // or it could not be stopped
	if err := ended(served, 8*time.Second); err == nil {
		t.Error("Serve ended without an error")
	}
	b.wantStatus(t, string(device.NoService.Info().State)+"//"+string(device.NoService))
	// Tried again it can be stopped, and leaves no more behind than before.
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		served := serve(ctx)
		time.Sleep(20 * time.Millisecond) // it waits for the call that hangs
		cancel()
		if err := ended(served, 500*time.Millisecond); !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
	}
	wantNoMore(t, openFiles(t), routines+1) // the call that hangs
	if err := b.Thaw(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served = serve(ctx)
	b.wantStatus(t, "online/not_present/")
	b.insert(t, 0, card(t, "vitale"))
	select {
	case e := <-seen:
		if !e.Present || e.Medium != reader.Contact {
			t.Errorf("saw %s", plain(e))
		}
	case <-time.After(5 * time.Second):
		t.Error("no card is seen once pcscd goes on")
	}
	cancel()
	_ = ended(served, 500*time.Millisecond)
}
