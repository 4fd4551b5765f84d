package supervise_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer/escpos"
	"parvis/device/reader"
	"parvis/device/reader/serialrfid"
	"parvis/device/sim"
	"parvis/device/supervise"
	"parvis/device/transport"
)

// back is how soon after it was plugged in a device has to be there.
const back = 2 * time.Second

// waitFor waits until the device is so, and returns how long it took.
func waitFor(t *testing.T, b *supervise.Board, name, what string, so func(device.Status) bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !so(b.Status(name)) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("waited in vain for %s; the device is %+v", what, b.Status(name))
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

// wantNoMore waits for those that are just ending.
func wantNoMore(t *testing.T, when string, goroutines, files int) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > goroutines || openFiles(t) > files {
		if time.Now().After(end) {
			t.Errorf("%s: %d goroutines and %d files, before %d and %d", when, runtime.NumGoroutine(), openFiles(t), goroutines, files)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// silent is a reader that no card is shown to.
type silent struct{}

func (silent) Connect(io.Writer) {}
func (silent) Hear([]byte)       {}
func (silent) Work()             {}

// A hundred times, half of them without the kernel's word that something was
// plugged in.
func TestBackEachTimeItIsPluggedIn(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	path := filepath.Join(t.TempDir(), "lecteur")
	cable := sim.NewCable(path, silent{})
	rfid := serialrfid.New(transport.Serial(path, 9600))
	b := mustNew(t, supervise.Options{Log: new(record).logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
		return rfid.Serve(ctx, report, func(reader.Event) {})
	}))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx) }()

	slowest, midGoroutines, midFiles := time.Duration(0), 0, 0
	for i := range 100 {
		waitFor(t, b, "lecteur-1", "its loss", func(s device.Status) bool { return s.Fault == device.Unplugged })
		if i%25 == 24 { // away for so long that the pauses have grown
			time.Sleep(time.Second)
		}
		if err := cable.Plug(); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			b.Wake()
		}
		took := waitFor(t, b, "lecteur-1", "its return", device.Status.Ready)
		slowest = max(slowest, took)
		if took > back {
			t.Errorf("plugged in for the %dth time, it was back after %v", i+1, took)
		}
		switch i {
		case 0:
			midGoroutines, midFiles = runtime.NumGoroutine(), openFiles(t)
		case 99:
			wantNoMore(t, "plugged in for the last time", midGoroutines, midFiles)
		}
		if err := cable.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("back after %v at the latest", slowest)
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
	wantNoMore(t, "at the end", goroutines, files)
}

// The real printer's loop, with a printer at the end of a pty.
func TestPrinterOnALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "imprimante")
	thermal := sim.NewThermal(func(sim.Ticket) {})
	cable := sim.NewCable(path, thermal)
	t.Cleanup(func() {
		if err := cable.Close(); err != nil {
			t.Error(err)
		}
	})
	p := escpos.New(transport.Serial(path, 115200), escpos.Options{})
	t.Cleanup(func() { p.Close() })
	var r record
	var attempts atomic.Int32
	b := serve(t, supervise.Options{Log: r.logger()}, supervise.Loop{
		Name: "imprimante", Kind: device.TicketPrinter,
		Serve: func(ctx context.Context, report func(device.Status)) error {
			attempts.Add(1)
			return p.Serve(ctx, report)
		},
	})
	fault := func(f device.Fault) func(device.Status) bool {
		return func(s device.Status) bool { return s.Fault == f }
	}
	plug := func(do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}

	waitFor(t, b, "imprimante", "its absence", fault(device.Unplugged))
	plug(cable.Plug)
	waitFor(t, b, "imprimante", "its coming", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 1, backLine: 1, "": 2})

	thermal.SetPaper(sim.PaperOut)
	waitFor(t, b, "imprimante", "the end of its paper", fault(device.NoPaper))
	thermal.SetPaper(sim.PaperIn)
	waitFor(t, b, "imprimante", "new paper", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 2, backLine: 2, lostLine + ` appareil=imprimante défaut="Plus de papier"`: 1, "": 4})

	plug(cable.Unplug)
	waitFor(t, b, "imprimante", "its loss", fault(device.Unplugged))
	before := attempts.Load() // the next ones fail, and are not logged
	waitFor(t, b, "imprimante", "more attempts", func(device.Status) bool { return attempts.Load() > before+3 })
	plug(cable.Plug)
	waitFor(t, b, "imprimante", "its return", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 3, backLine: 3, lostLine + ` appareil=imprimante défaut="Appareil débranché"`: 2, "": 6})
}
