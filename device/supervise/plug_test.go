package supervise_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/supervise"
	"parvis/device/transport"
)

// back is how soon after it was plugged in a device has to be there.
const back = 2 * time.Second

// socket is where a device may be plugged in: a path that leads to a pty for
// as long as it is.
type socket struct {
	t             *testing.T
	path          string
	answer        func([]byte) []byte // what the device says to what it hears; may be nil
	master, slave *os.File
	quit          chan struct{}
	device        sync.WaitGroup
}

func (s *socket) plug() {
	s.t.Helper()
	var err error
	if s.master, s.slave, err = pty.Open(); err != nil {
		s.t.Fatal(err)
	}
	s.quit = make(chan struct{})
	if s.answer != nil {
		s.device.Go(s.serve)
	}
	if err := os.Symlink(s.slave.Name(), s.path); err != nil {
		s.t.Fatal(err)
	}
}

func (s *socket) unplug() {
	s.t.Helper()
	close(s.quit)
	s.device.Wait()
	if err := errors.Join(os.Remove(s.path), s.slave.Close(), s.master.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// serve answers until the device is unplugged. It polls: closing a pty does
// not end a read of it.
func (s *socket) serve() {
	fd := int(s.master.Fd())
	for buf := make([]byte, 64); ; {
		select {
		case <-s.quit:
			return
		default:
		}
		ready, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5)
		if ready < 1 {
			continue
		}
		n, err := unix.Read(fd, buf)
		if err != nil {
			continue
		}
		if _, err := unix.Write(fd, s.answer(buf[:n])); err != nil {
			return
		}
	}
}

// readerLoop serves a serial reader: it listens, and says nothing.
func readerLoop(path string) func(context.Context, func(device.Status)) error {
	return func(ctx context.Context, report func(device.Status)) error {
		report(device.Status{State: device.Starting})
		line, err := transport.OpenSerial(path, 9600)
		if err != nil {
			return err
		}
		defer line.Close()
		report(device.Status{State: device.Online})
		for buf := make([]byte, 64); ; {
			if _, err := line.Read(ctx, buf); err != nil {
				return err
			}
		}
	}
}

// printerLoop serves a ticket printer: it asks how it is, again and again.
func printerLoop(ctx context.Context, path string, report func(device.Status)) error {
	line, err := transport.OpenSerial(path, 115200)
	if err != nil {
		return &printer.Error{Fault: device.Unplugged, Printed: printer.Nothing, Err: err}
	}
	defer line.Close()
	for buf := make([]byte, 1); ; {
		if _, err := line.Write(ctx, []byte{0x10, 0x04, 0x04}); err != nil {
			return &printer.Error{Fault: device.Unplugged, Printed: printer.Nothing, Err: err}
		}
		answer, cancel := context.WithTimeout(ctx, time.Second)
		_, err := line.Read(answer, buf)
		cancel()
		switch {
		case err != nil:
			return &printer.Error{Fault: device.Unplugged, Printed: printer.Nothing, Err: err}
		case buf[0]&0x60 != 0:
			report(device.NoPaper.With(nil))
		default:
			report(device.Status{State: device.Online, Paper: device.PaperFull})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

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

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A hundred times, half of them without the kernel's word that something was
// plugged in.
func TestBackEachTimeItIsPluggedIn(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	s := &socket{t: t, path: filepath.Join(t.TempDir(), "lecteur")}
	var r record
	b := mustNew(t, supervise.Options{Log: r.logger()}, supervise.Loop{Name: "lecteur-1", Kind: device.CardReader, Serve: readerLoop(s.path)})
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
		s.plug()
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
			if g, f := runtime.NumGoroutine(), openFiles(t); g > midGoroutines || f > midFiles {
				t.Errorf("%d goroutines and %d files, the first time %d and %d", g, f, midGoroutines, midFiles)
			}
		}
		s.unplug()
	}
	t.Logf("back after %v at the latest", slowest)
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // those that have just ended are still counted
	}
	if g, f := runtime.NumGoroutine(), openFiles(t); g > goroutines || f > files {
		t.Errorf("%d goroutines and %d files at the end, %d and %d before", g, f, goroutines, files)
	}
}

func TestPrinterOnALine(t *testing.T) {
	var paper sync.Map // "out" while there is none
	s := &socket{t: t, path: filepath.Join(t.TempDir(), "imprimante"), answer: func([]byte) []byte {
		if _, out := paper.Load("out"); out {
			return []byte{0x72}
		}
		return []byte{0x12}
	}}
	var r record
	var attempts atomic.Int32
	b := serve(t, supervise.Options{Log: r.logger()}, supervise.Loop{
		Name: "imprimante", Kind: device.TicketPrinter,
		Serve: func(ctx context.Context, report func(device.Status)) error {
			attempts.Add(1)
			return printerLoop(ctx, s.path, report)
		},
	})
	fault := func(f device.Fault) func(device.Status) bool {
		return func(s device.Status) bool { return s.Fault == f }
	}

	waitFor(t, b, "imprimante", "its absence", fault(device.Unplugged))
	s.plug()
	waitFor(t, b, "imprimante", "its coming", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 1, backLine: 1, "": 2})

	paper.Store("out", true)
	waitFor(t, b, "imprimante", "the end of its paper", fault(device.NoPaper))
	paper.Delete("out")
	waitFor(t, b, "imprimante", "new paper", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 2, backLine: 2, lostLine + ` appareil=imprimante défaut="Plus de papier"`: 1, "": 4})

	s.unplug()
	waitFor(t, b, "imprimante", "its loss", fault(device.Unplugged))
	before := attempts.Load() // the next ones fail, and are not logged
	waitFor(t, b, "imprimante", "more attempts", func(device.Status) bool { return attempts.Load() > before+3 })
	s.plug()
	waitFor(t, b, "imprimante", "its return", device.Status.Ready)
	lines(t, &r, map[string]int{lostLine: 3, backLine: 3, lostLine + ` appareil=imprimante défaut="Appareil débranché"`: 2, "": 6})
	s.unplug()
}
