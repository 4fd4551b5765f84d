package scanner_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line/linetest"
	"parvis/device/reader/scanner"
	"parvis/device/sim"
	"parvis/device/transport"
)

// bench is a scanner in fake time.
type bench struct {
	*linetest.Wire
	linetest.Record
	ctx    context.Context
	format scanner.Format
	served chan error
}

// run serves a reader in a bubble of fake time while test plays with it.
func run(t *testing.T, f scanner.Format, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := &bench{Wire: linetest.NewWire(), ctx: ctx, format: f}
		b.serve()
		b.expect(t, "starting online")
		test(t, b)
		cancel()
		if err := <-b.served; err == nil {
			t.Error("Serve ended without an error")
		}
	})
}

func (b *bench) serve() {
	b.served = make(chan error, 1)
	r := scanner.New(b.Open, b.format)
	go func() { b.served <- r.Serve(b.ctx, b.Report, b.Seen) }()
}

func (b *bench) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	if got := b.Take(); got != want {
		t.Errorf("the reader said\n%s\nwant\n%s", got, want)
	}
}

func TestCodeIsToldOfOnceInTwoSeconds(t *testing.T) {
	run(t, scanner.Format{}, func(t *testing.T, b *bench) {
		b.Send("ABC\r")
		b.expect(t, "+ABC")
		for range 5 { // held before the scanner
			time.Sleep(1500 * time.Millisecond)
			b.Send("ABC\r")
		}
		b.expect(t, "")
		time.Sleep(2100 * time.Millisecond)
		b.Send("ABC\r")
		b.expect(t, "+ABC")
	})
}

func TestSilenceEndsACodeWithoutSuffix(t *testing.T) {
	run(t, scanner.Format{NoSuffix: true}, func(t *testing.T, b *bench) {
		b.Send("AB")
		time.Sleep(40 * time.Millisecond)
		b.Send("C")
		time.Sleep(40 * time.Millisecond)
		b.expect(t, "")
		time.Sleep(20 * time.Millisecond)
		b.expect(t, "+ABC")
	})
}

// Each fault, before, amid and after a code: what the reader says of it, and
// that it tells of the next code.
func TestFaults(t *testing.T) {
	const still = 3 * time.Second
	for name, fault := range map[string]struct {
		strike func(t *testing.T, b *bench)
		want   string // what is said of it alone
		amid   string // what is said when it comes after AB, and C after it
	}{
		"half a code":        {func(t *testing.T, b *bench) { b.Send("HALF"); time.Sleep(still) }, "", "+C"},
		"an empty code":      {func(t *testing.T, b *bench) { b.Send("\r\n\r\n"); time.Sleep(still) }, "", "+AB +C"},
		"noise":              {func(t *testing.T, b *bench) { b.Send("\xff\x00\x81\r"); time.Sleep(still) }, "", "+C"},
		"too long":           {func(t *testing.T, b *bench) { b.Send(strings.Repeat("long", 800) + "\r"); time.Sleep(still) }, "", "+C"},
		"another code":       {func(t *testing.T, b *bench) { time.Sleep(still); b.Send("DEF\r"); time.Sleep(still) }, "+DEF", "+DEF +C"},
		"two codes at once":  {func(t *testing.T, b *bench) { time.Sleep(still); b.Send("DEF\r\nGHI\r\n"); time.Sleep(still) }, "+DEF +GHI", "+DEF +GHI +C"},
		"a code again":       {func(t *testing.T, b *bench) { time.Sleep(still); b.Send("DEF\rDEF\r"); time.Sleep(still) }, "+DEF", "+DEF +C"},
		"a pause in sending": {func(t *testing.T, b *bench) { time.Sleep(300 * time.Millisecond) }, "", "+ABC"},
		"a flood": {func(t *testing.T, b *bench) {
			for range 50 {
				b.Send(strings.Repeat("\xff\x00\x81\x0d", 20))
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(still)
		}, "online//noise online", "online//noise online +C"},
		"the line lost": {func(t *testing.T, b *bench) {
			b.Unplug()
			if err := <-b.served; !errors.Is(err, transport.ErrGone) {
				t.Errorf("Serve = %v, want ErrGone", err)
			}
			b.Plug()
			b.serve()
		}, "no_device//unplugged starting online", "no_device//unplugged starting online +C"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("before", func(t *testing.T) {
				run(t, scanner.Format{}, func(t *testing.T, b *bench) {
					fault.strike(t, b)
					b.expect(t, fault.want)
					b.Send("ABC\r")
					b.expect(t, "+ABC")
				})
			})
			t.Run("amid", func(t *testing.T) {
				run(t, scanner.Format{}, func(t *testing.T, b *bench) {
					b.Send("AB")
					synctest.Wait()
					fault.strike(t, b)
					b.Send("C\r")
					b.expect(t, fault.amid)
					b.Send("XYZ\r")
					b.expect(t, "+XYZ")
				})
			})
			t.Run("after", func(t *testing.T) {
				run(t, scanner.Format{}, func(t *testing.T, b *bench) {
					b.Send("ABC\r")
					b.expect(t, "+ABC")
					time.Sleep(still)
					fault.strike(t, b)
					b.expect(t, fault.want)
					b.Send("ABC\r")
					b.expect(t, "+ABC")
				})
			})
		})
	}
}

// What stands in an error goes to the log.
func TestErrorsHoldNoText(t *testing.T) {
	run(t, scanner.Format{}, func(t *testing.T, b *bench) {
		b.Send("SECRET\rSECR")
		synctest.Wait()
		b.Unplug()
		err := <-b.served
		b.served <- err
		if err == nil || strings.Contains(err.Error(), "SECR") {
			t.Errorf("error = %v", err)
		}
	})
}

// On a real line, with a simulated scanner.
func TestSimulatedScanner(t *testing.T) {
	dev := sim.NewScanner("]Q3", "\r\n")
	path := filepath.Join(t.TempDir(), "scanner")
	cable := sim.NewCable(path, dev)
	if err := cable.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cable.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	said, seen, served := make(chan device.Status, 9), make(chan string, 9), make(chan error, 1)
	go func() {
		r := scanner.New(transport.Serial(path, 9600), scanner.Format{Prefix: "]Q3"})
		served <- r.Serve(ctx, func(s device.Status) { said <- s }, func(e reader.Event) { seen <- e.Text })
	}()
	for s := range said {
		if s.Ready() {
			break
		}
	}
	for _, fault := range []string{"noise", "long", "flood", "scan-raw 5D5133", "scan-raw 0D"} {
		if _, err := dev.Do(fault); err != nil {
			t.Fatal(err)
		}
		if _, err := dev.Do("scan-raw 0D"); err != nil { // as a code after it would be lost with it
			t.Fatal(err)
		}
		code := "Pass " + fault
		dev.Scan(code)
		select {
		case got := <-seen:
			if got != code {
				t.Errorf("after %s: read %q", fault, got)
			}
		case <-time.After(2 * time.Second):
			t.Fatalf("after %s: nothing read for 2 s", fault)
		}
	}
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
}

func TestPluggedInAHundredTimes(t *testing.T) {
	dev := sim.NewScanner("", "\r\n")
	linetest.PlugAHundredTimes(t, func(open transport.Opener) reader.Reader { return scanner.New(open, scanner.Format{}) },
		dev, func() { dev.Scan("https://parvis.example/ABC") },
		func(e reader.Event) bool { return e.Text == "https://parvis.example/ABC" })
}
