package escpos_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/sim"
	"parvis/device/transport"
)

func TestServeReportsEachChangeOnce(t *testing.T) {
	t.Parallel()
	for _, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, s, func(*escpos.Options) {})
			b.serve(t)
			b.awaitReady(t)
			for _, step := range []struct {
				do    func()
				fault device.Fault
			}{
				{func() { b.thermal.SetPaper(sim.PaperLow) }, device.PaperEnds},
				{func() { b.thermal.SetPaper(sim.PaperOut) }, device.NoPaper},
				{func() { b.thermal.SetCover(true) }, device.CoverOpen},
				{func() { b.thermal.SetPaper(sim.PaperIn); b.thermal.SetCover(false) }, device.None},
			} {
				b.forget()
				start := time.Now()
				step.do()
				b.awaitFault(t, step.fault)
				// Two steps of the hand may be seen as one or as two.
				if d := time.Since(start); d > 4*time.Second {
					t.Errorf("%s took %v to report", step.fault, d)
				}
			}
			b.noDoubles(t)
			if n := b.seen(""); n != 0 {
				t.Error("looking moved paper")
			}
		})
	}
}

// What tells by itself is heard long before it would be asked.
func TestServeHearsTheAutomaticStatus(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "epson-tm-t20"}, func(*escpos.Options) {})
	b.serve(t)
	b.awaitReady(t)
	best := time.Hour
	for range 5 {
		start := time.Now()
		b.thermal.SetCover(true)
		b.awaitFault(t, device.CoverOpen)
		best = min(best, time.Since(start))
		b.thermal.SetCover(false)
		b.awaitReady(t)
		b.mustPrint(t, "T"+strings.Repeat("x", len(b.tickets))) // ESC @ must not end it
	}
	if best > time.Second {
		t.Errorf("an open cover took %v to report", best)
	}
}

func TestServeReportsBusyWhileItPrints(t *testing.T) {
	t.Parallel()
	for _, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			s.speed = 500
			b := newBenchOf(t, s, func(*escpos.Options) {})
			b.thermal.SetPaper(sim.PaperLow)
			b.serve(t)
			b.awaitReady(t)
			b.forget()
			printed := make(chan error, 1)
			go func() { printed <- b.Print(t.Context(), ticket("A")) }()
			b.await(t, "busy", func(s device.Status) bool { return s.State == device.Busy && s.Ready() && s.Paper == device.PaperLow })
			if len(printed) > 0 {
				t.Error("busy was reported when the ticket was out")
			}
			if err := <-printed; err != nil {
				t.Fatal(err)
			}
			b.awaitReady(t)
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.statuses) != 3 {
				t.Errorf("not before, busy and after, but %+v", b.statuses)
			}
		})
	}
}

func TestServeReportsSilenceOnceAndItsEnd(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "generique", tcp: true}, func(o *escpos.Options) { o.Answer = 300 * time.Millisecond })
	b.serve(t)
	b.awaitReady(t)
	b.forget()
	b.thermal.SetSilent(true)
	b.awaitFault(t, device.Silent)
	// It goes on asking, and goes on keeping quiet about it.
	asked := strings.Count(b.wire(), "\x10\x04\x01")
	for deadline := time.Now().Add(10 * time.Second); strings.Count(b.wire(), "\x10\x04\x01") < asked+3; {
		if time.Now().After(deadline) {
			t.Fatal("it asks no more")
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.thermal.SetSilent(false)
	b.awaitReady(t)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.statuses) != 3 {
		t.Errorf("reported %+v", b.statuses)
	}
}

func TestServeForgivesAGlitch(t *testing.T) {
	t.Parallel()
	for model, question := range map[string]string{"generique": "\x10\x04\x02", "custom-vkp80": "\x10\x04\x14"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, setup{model: model}, func(o *escpos.Options) { o.Answer = 300 * time.Millisecond })
			b.serve(t)
			b.awaitReady(t)
			b.forget()
			b.lose(question, 1)
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				b.mu.Lock()
				lost := b.drops == 0
				b.mu.Unlock()
				if lost {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("it did not ask")
				}
			}
			b.thermal.SetPaper(sim.PaperLow)
			b.awaitFault(t, device.PaperEnds)
			b.mu.Lock()
			defer b.mu.Unlock()
			if len(b.statuses) != 2 {
				t.Errorf("one lost question was reported: %+v", b.statuses)
			}
		})
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx, b.note) }()
	b.awaitReady(t)
	start := time.Now()
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it went on for %v", d)
	}
	b.mustPrint(t, "A") // and has given the line back
}

func TestServeEndsWithItsLine(t *testing.T) {
	t.Parallel()
	t.Run("never there", func(t *testing.T) {
		t.Parallel()
		p := escpos.New(transport.ForPort(filepath.Join(t.TempDir(), "none"), 9600), escpos.Options{})
		err := p.Serve(t.Context(), func(s device.Status) { t.Errorf("reported %+v", s) })
		wantError(t, err, device.Unplugged, printer.Nothing)
	})
	for _, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, s, func(*escpos.Options) {})
			served := make(chan error, 1)
			go func() { served <- b.Serve(t.Context(), b.note) }()
			b.awaitReady(t)
			start := time.Now()
			b.mustUnplug(t)
			wantError(t, <-served, device.Unplugged, printer.Nothing)
			if d := time.Since(start); d > time.Second {
				t.Errorf("it took %v to notice", d)
			}
		})
	}
}

// Serve and those who print and ask want the line all the time.
func TestServeNeverHoldsUpAPrint(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "epson-tm-t20"}, func(*escpos.Options) {})
	b.serve(t)
	b.awaitReady(t)
	best := time.Hour
	for i := range 20 {
		start := time.Now()
		if i%2 == 0 {
			b.mustPrint(t, "T"+string(rune('a'+i)))
		} else if _, err := b.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	if best > 500*time.Millisecond {
		t.Errorf("each took %v or more", best)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tickets) != 10 {
		t.Errorf("%d tickets for 10", len(b.tickets))
	}
}

// Not parallel: it counts what the whole process holds.
func TestServeComesBackEachTimeItIsPluggedIn(t *testing.T) {
	for _, s := range setups[:2] {
		t.Run(s.String(), func(t *testing.T) {
			b := newBenchOf(t, s, func(*escpos.Options) {})
			stop := b.serveUntil(t)
			defer stop()
			b.awaitReady(t)
			files, routines := openFiles(t), runtime.NumGoroutine()
			var back []time.Duration
			for range 100 {
				b.mustUnplug(t)
				b.awaitFault(t, device.Unplugged)
				start := time.Now()
				b.mustPlug(t)
				b.awaitReady(t)
				back = append(back, time.Since(start))
			}
			soon(t, back)
			if n := openFiles(t); n > files {
				t.Errorf("%d open files, %d before", n, files)
			}
			for deadline := time.Now().Add(2 * time.Second); runtime.NumGoroutine() > routines && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			if n := runtime.NumGoroutine(); n > routines {
				t.Errorf("%d goroutines, %d before", n, routines)
			}
			b.mustPrint(t, "LAST")
		})
	}
}

// Without GS r the ticket counts as printed when the printer is well after it.
func TestModelWithoutCompletion(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) *bench {
		t.Parallel()
		return newBenchOf(t, setup{model: escpos.Default}, func(o *escpos.Options) { o.Model.Completion = false })
	}
	t.Run("prints", func(t *testing.T) {
		b := open(t)
		for _, mark := range []string{"A", "B"} {
			if err := b.Print(within(t, 5*time.Second), ticket(mark)); err != nil {
				t.Fatal(err)
			}
		}
		for deadline := time.Now().Add(5 * time.Second); b.seen("B-end") == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if b.seen("A-end") != 1 || b.seen("B-end") != 1 || strings.Contains(b.wire(), "\x1dr") {
			t.Errorf("tickets %q, heard %q", b.tickets, b.wire())
		}
	})
	t.Run("no paper before", func(t *testing.T) {
		b := open(t)
		b.thermal.SetPaper(sim.PaperOut)
		wantError(t, b.Print(t.Context(), ticket("A")), device.NoPaper, printer.Nothing)
	})
	t.Run("no paper amid", func(t *testing.T) {
		b := open(t)
		amid := make(chan struct{})
		b.thermal.After(100, func() { b.thermal.SetPaper(sim.PaperOut); close(amid) })
		b.mu.Lock()
		b.amid = amid // the question after the ticket comes when the paper has ended
		b.mu.Unlock()
		wantError(t, b.Print(t.Context(), ticket("A")), device.NoPaper, printer.Maybe)
		b.thermal.SetPaper(sim.PaperIn)
		if err := b.Print(within(t, 5*time.Second), ticket("B")); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Second); b.seen("B-end") == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if b.seen("A-end") != 1 || b.seen("B-end") != 1 {
			t.Errorf("tickets %q", b.tickets)
		}
	})
}

// A printer whose buffer is full hears no question; but it has said why.
func TestPaperEndsWhileTheLineIsFull(t *testing.T) {
	t.Parallel()
	for _, tcp := range []bool{false, true} {
		s := setup{model: "epson-tm-t20", tcp: tcp, buffer: 64}
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, s, func(o *escpos.Options) { o.Answer = 1500 * time.Millisecond })
			b.torn = true
			if _, err := b.Status(t.Context()); err != nil {
				t.Fatal(err)
			}
			doc := ticket("OLD")
			doc.Blocks = doc.Blocks[:3]
			for range 30000 { // more than all buffers on the way hold
				doc.Blocks = append(doc.Blocks, printer.Rule{}, printer.Text{Text: strings.Repeat("x", 40)})
			}
			b.thermal.After(300, func() { b.thermal.SetPaper(sim.PaperOut) })
			wantError(t, b.Print(t.Context(), doc), device.NoPaper, printer.Maybe)
			b.thermal.SetPaper(sim.PaperIn)
			b.mustPrint(t, "NEW")
			b.mu.Lock()
			defer b.mu.Unlock()
			if last := b.tickets[len(b.tickets)-1]; strings.Contains(last, "OLD") || !strings.HasPrefix(last, "NEW\n") {
				t.Errorf("the new ticket is\n%.300s", last)
			}
		})
	}
}

// A printer that was just seen well is busy, and has no fault of before.
func TestBusyHasNoStaleFault(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, setup{model: "generique", speed: 500}, func(*escpos.Options) {})
	b.thermal.SetPaper(sim.PaperOut)
	b.serve(t)
	b.awaitFault(t, device.NoPaper)
	b.thermal.SetPaper(sim.PaperIn)
	printed := make(chan error, 1)
	go func() { printed <- b.Print(within(t, 20*time.Second), ticket("A")) }()
	b.await(t, "busy", func(s device.Status) bool { return s.State == device.Busy })
	if s := b.last(); s.State == device.Busy && s != (device.Status{State: device.Busy, Paper: device.PaperFull}) {
		t.Errorf("reported %+v", s)
	}
	if err := <-printed; err != nil {
		t.Fatal(err)
	}
}

// The stump of a torn ticket does not wait for the next resident.
func TestServeCutsOffTheStump(t *testing.T) {
	t.Parallel()
	for _, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, s, func(*escpos.Options) {})
			b.torn = true
			b.thermal.After(300, func() { _ = b.line.Unplug() })
			wantError(t, b.Print(t.Context(), ticket("OLD")), device.Unplugged, printer.Maybe)
			b.mustPlug(t)
			b.serve(t)
			for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				wire := b.wire()
				at := strings.LastIndex(wire, "\x00\x1b@\x1dV") // what ends the torn command, and cuts
				if at >= 0 && strings.Contains(wire[at:], "\x10\x04") {
					break // it looks again
				}
				if time.Now().After(deadline) {
					t.Fatal("the stump still hangs in the printer")
				}
			}
			if n := b.seen("Papier numéro 1\n"); n != 1 {
				t.Errorf("the old ticket came out %d times", n)
			}
			if s.model == "custom-vkp80" {
				b.wantMouth(t, sim.MouthRetracted)
			}
			cuts := strings.Count(b.wire(), "\x1dV")
			b.mustPrint(t, "NEW") // with no cut before it: once was enough
			if n := strings.Count(b.wire(), "\x1dV"); n != cuts+1 {
				t.Errorf("%d cuts before the new ticket, %d after it", cuts, n)
			}
		})
	}
}

// Nobody waits for Serve to connect to a printer that is off.
func TestServeGivesWayWhileItConnects(t *testing.T) {
	t.Parallel()
	dialing := make(chan struct{}, 10)
	p := escpos.New(func(ctx context.Context) (transport.Line, error) {
		dialing <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}, escpos.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- p.Serve(ctx, func(device.Status) {}) }()
	<-dialing
	wantError(t, p.Print(within(t, 100*time.Millisecond), ticket("A")), device.Interrupted, printer.Nothing)
	if n := len(dialing); n == 0 {
		t.Error("Print never had its turn")
	}
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v", err)
	}
}
