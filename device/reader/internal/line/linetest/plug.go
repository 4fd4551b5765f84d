package linetest

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/sim"
	"parvis/device/transport"
)

// PlugAHundredTimes plugs a simulated device in and out on a real pty, with a
// loop that serves its reader again. Each time the reader must be back and have
// read what is shown within 2 s, and in the end there must be no more
// goroutines and open files.
func PlugAHundredTimes(t *testing.T, newReader func(transport.Opener) reader.Reader, dev sim.Device, show func(), want func(reader.Event) bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reader")
	cable := sim.NewCable(path, dev)
	files, routines := openFiles(t), runtime.NumGoroutine()
	r := newReader(transport.Serial(path, 9600))
	ctx, cancel := context.WithCancel(t.Context())
	online, seen, served := make(chan bool, 1000), make(chan reader.Event, 1000), make(chan struct{})
	go func() {
		defer close(served)
		for ctx.Err() == nil {
			_ = r.Serve(ctx, func(s device.Status) { online <- s.Ready() }, func(e reader.Event) { seen <- e })
			time.Sleep(10 * time.Millisecond) // its restart
		}
	}()
	for range 100 {
		if err := cable.Plug(); err != nil {
			t.Fatal(err)
		}
		late := time.After(2 * time.Second)
		await(t, late, online, func(ready bool) bool { return ready }, "online")
		show()
		await(t, late, seen, want, "read what was shown")
		if err := cable.Unplug(); err != nil {
			t.Fatal(err)
		}
		await(t, time.After(2*time.Second), online, func(ready bool) bool { return !ready }, "lost")
	}
	cancel()
	<-served
	if err := cable.Close(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(3 * time.Second); openFiles(t) > files || runtime.NumGoroutine() > routines; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d open files and %d goroutines, %d and %d before", openFiles(t), runtime.NumGoroutine(), files, routines)
		}
	}
}

// await takes what comes until ok, which must be before late.
func await[T any](t *testing.T, late <-chan time.Time, c <-chan T, ok func(T) bool, what string) {
	t.Helper()
	for {
		select {
		case v := <-c:
			if ok(v) {
				return
			}
		case <-late:
			t.Fatalf("not %s within 2 s", what)
		}
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
