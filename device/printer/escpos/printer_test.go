package escpos_test

import (
	"strings"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/sim"
)

// trouble is a fault as the hand or bad luck makes it, and as it is mended.
type trouble struct {
	name       string
	fault      device.Fault
	make, mend func(*bench)
	keeps      bool // the printer has received everything, and prints it after mending
}

var troubles = []trouble{
	{"no paper", device.NoPaper, func(b *bench) { b.thermal.SetPaper(sim.PaperOut) }, func(b *bench) { b.thermal.SetPaper(sim.PaperIn) }, true},
	{"cover open", device.CoverOpen, func(b *bench) { b.thermal.SetCover(true) }, func(b *bench) { b.thermal.SetCover(false) }, true},
	{"cutter stuck", device.Jam, func(b *bench) { b.thermal.SetFault(sim.FaultCutter) }, func(b *bench) { b.thermal.SetFault(sim.FaultNone) }, true},
	{"head hot", device.Overheated, func(b *bench) { b.thermal.SetFault(sim.FaultHot) }, func(b *bench) { b.thermal.SetFault(sim.FaultNone) }, true},
	{"error", device.Hardware, func(b *bench) { b.thermal.SetFault(sim.FaultFatal) }, func(b *bench) { b.thermal.SetFault(sim.FaultNone) }, true},
	{"silent", device.Silent, func(b *bench) { b.thermal.SetSilent(true) }, func(b *bench) { b.thermal.SetSilent(false) }, true},
	{"unplugged", device.Unplugged, func(b *bench) { _ = b.line.Unplug() }, func(b *bench) { _ = b.line.Plug() }, false},
}

// longest is how long Print may take to tell of a trouble.
const longest = 6 * time.Second

// eachTrouble tries every trouble on every setup, with nobody watching and with
// Serve at work.
func eachTrouble(t *testing.T, test func(t *testing.T, b *bench, tr trouble, served bool)) {
	t.Parallel()
	for _, s := range setups {
		for _, tr := range troubles {
			for _, served := range []bool{false, true} {
				name := s.String() + "/" + tr.name
				if served {
					name += ", served"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					b := newBenchOf(t, s, func(o *escpos.Options) {
						if tr.fault == device.Silent {
							o.Answer = 1500 * time.Millisecond // which each of these waits for
							o.Complete = 3 * time.Second
						}
					})
					if served {
						b.serve(t)
						b.awaitReady(t)
					}
					test(t, b, tr, served)
					if served {
						b.noDoubles(t)
					}
				})
			}
		}
	}
}

func TestTroubleBeforeATicket(t *testing.T) {
	eachTrouble(t, func(t *testing.T, b *bench, tr trouble, served bool) {
		b.mustPrint(t, "FIRST")
		if served {
			b.awaitReady(t)
		}
		tr.make(b)
		start := time.Now()
		err := b.Print(t.Context(), ticket("SECOND"))
		wantError(t, err, tr.fault, printer.Nothing)
		if d := time.Since(start); d > longest {
			t.Errorf("it took %v to tell", d)
		}
		if served {
			b.awaitFault(t, tr.fault)
		}
		tr.mend(b)
		if served {
			b.awaitReady(t)
		}
		b.mustPrint(t, "THIRD")
		if n := b.seen("SECOND"); n != 0 {
			t.Errorf("the refused ticket came out %d times", n)
		}
		if n := b.seen("FIRST-end"); n != 1 {
			t.Errorf("the first ticket came out %d times", n)
		}
	})
}

func TestTroubleAmidATicket(t *testing.T) {
	eachTrouble(t, func(t *testing.T, b *bench, tr trouble, served bool) {
		b.thermal.After(300, func() { tr.make(b) })
		start := time.Now()
		err := b.Print(t.Context(), ticket("FIRST"))
		wantError(t, err, tr.fault, printer.Maybe)
		if d := time.Since(start); d > longest {
			t.Errorf("it took %v to tell", d)
		}
		if served {
			b.awaitFault(t, tr.fault)
		}
		tr.mend(b)
		if served {
			b.awaitReady(t)
		}
		b.mustPrint(t, "SECOND")
		switch n := b.seen("FIRST-end"); {
		case n > 1, tr.keeps && n != 1:
			t.Errorf("the first ticket came out whole %d times", n)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.tickets {
			if strings.Contains(text, "FIRST") && strings.Contains(text, "SECOND") {
				t.Errorf("two tickets hang together:\n%s", text)
			}
		}
	})
}

func TestTroubleAfterATicket(t *testing.T) {
	eachTrouble(t, func(t *testing.T, b *bench, tr trouble, served bool) {
		b.mustPrint(t, "FIRST")
		if served {
			b.awaitReady(t)
		}
		tr.make(b)
		if served {
			b.awaitFault(t, tr.fault)
		}
		s, err := b.Status(within(t, 3*time.Second))
		switch tr.fault {
		case device.Silent, device.Unplugged:
			wantError(t, err, tr.fault, printer.Nothing)
			if s != (device.Status{}) {
				t.Errorf("status = %+v of a printer that said nothing", s)
			}
		default:
			if err != nil || s.Fault != tr.fault || s.Ready() {
				t.Errorf("Status = %+v, %v, want %s", s, err, tr.fault)
			}
		}
		tr.mend(b)
		if served {
			b.awaitReady(t)
		}
		if s, err := b.Status(within(t, 3*time.Second)); err != nil || !s.Ready() {
			t.Errorf("Status after mending = %+v, %v", s, err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.tickets) != 1 || !strings.Contains(b.tickets[0], "FIRST-end") {
			t.Errorf("not one ticket came out, but %q", b.tickets)
		}
	})
}

func TestEveryModelPrints(t *testing.T) {
	t.Parallel()
	for _, model := range escpos.Models() {
		for _, tcp := range []bool{false, true} {
			s := setup{model: model, tcp: tcp}
			t.Run(s.String(), func(t *testing.T) {
				t.Parallel()
				b := newBenchOf(t, s, func(*escpos.Options) {})
				b.serve(t)
				b.mustPrint(t, "A")
				b.awaitReady(t)
				b.mustPrint(t, "B")
				b.mu.Lock()
				defer b.mu.Unlock()
				if len(b.tickets) != 2 {
					t.Errorf("tickets %q", b.tickets)
				}
			})
		}
	}
}
