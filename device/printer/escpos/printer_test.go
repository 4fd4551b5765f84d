package escpos_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/device/sim"
	"parvis/device/transport"
)

// bench is a simulated printer on a real pty, and the driver that uses it.
type bench struct {
	*escpos.Printer
	thermal *sim.Thermal
	cable   *sim.Cable
	link    string
	torn    bool // commands are cut short, and not known for what they were

	mu      sync.Mutex
	tickets []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{link: filepath.Join(t.TempDir(), "printer")}
	b.thermal = sim.NewThermal(func(k sim.Ticket) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tickets = append(b.tickets, k.Text)
	})
	b.cable = sim.NewCable(b.link, b.thermal)
	if err := b.cable.Plug(); err != nil {
		t.Fatal(err)
	}
	b.Printer = escpos.New(transport.Serial(b.link, 115200), escpos.Options{})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the printer: %v", err)
		}
		if err := b.cable.Close(); err != nil {
			t.Errorf("close the cable: %v", err)
		}
		if unknown := b.thermal.Unknown(); len(unknown) > 0 && !b.torn {
			t.Errorf("the printer did not know %v", unknown)
		}
	})
	return b
}

// seen counts on how many tickets mark stands, and how often in all.
func (b *bench) seen(mark string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, text := range b.tickets {
		n += strings.Count(text, mark)
	}
	return n
}

// ticket is a document that says mark once at its top and end once at its end.
func ticket(mark string) printer.Document {
	blocks := []printer.Block{printer.Heading{Level: 1, Text: mark}, printer.Rule{}}
	for i := range 20 {
		blocks = append(blocks, printer.Checkbox{Text: fmt.Sprintf("Papier numéro %d", i+1)})
	}
	return printer.Document{Blocks: append(blocks,
		printer.QR{Data: "https://example.org/" + mark},
		printer.Text{Text: mark + "-end"}, printer.Cut{})}
}

func (b *bench) mustPrint(t *testing.T, mark string) {
	t.Helper()
	if err := b.Print(within(t, 10*time.Second), ticket(mark)); err != nil {
		t.Fatalf("print %s: %v", mark, err)
	}
	if n := b.seen(mark + "-end"); n != 1 {
		t.Fatalf("%s is printed %d times when Print returns", mark, n)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func wantError(t *testing.T, err error, fault device.Fault, printed printer.Printed) {
	t.Helper()
	var e *printer.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a *printer.Error with %s", err, fault)
	}
	if e.Fault != fault || e.Printed != printed {
		t.Errorf("error = %s, %s (%v), want %s, %s", e.Fault, e.Printed, e.Err, fault, printed)
	}
}

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
	{"error", device.Hardware, func(b *bench) { b.thermal.SetFault(sim.FaultFatal) }, func(b *bench) { b.thermal.SetFault(sim.FaultNone) }, true},
	{"silent", device.Silent, func(b *bench) { b.thermal.SetSilent(true) }, func(b *bench) { b.thermal.SetSilent(false) }, true},
	{"unplugged", device.Unplugged, func(b *bench) { _ = b.cable.Unplug() }, func(b *bench) { _ = b.cable.Plug() }, false},
}

// longest is how long Print may take to tell of a trouble.
func (tr trouble) longest() time.Duration {
	if tr.fault == device.Silent {
		return 3 * time.Second
	}
	return 2 * time.Second
}

func TestTroubleBeforeATicket(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.mustPrint(t, "FIRST")
			tr.make(b)
			start := time.Now()
			err := b.Print(t.Context(), ticket("SECOND"))
			wantError(t, err, tr.fault, printer.Nothing)
			if d := time.Since(start); d > tr.longest() {
				t.Errorf("it took %v to tell", d)
			}
			tr.mend(b)
			b.mustPrint(t, "THIRD")
			if n := b.seen("SECOND"); n != 0 {
				t.Errorf("the refused ticket came out %d times", n)
			}
			if n := b.seen("FIRST-end"); n != 1 {
				t.Errorf("the first ticket came out %d times", n)
			}
		})
	}
}

func TestTroubleAmidATicket(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.thermal.After(300, func() { tr.make(b) })
			start := time.Now()
			err := b.Print(t.Context(), ticket("FIRST"))
			wantError(t, err, tr.fault, printer.Maybe)
			if d := time.Since(start); d > tr.longest() {
				t.Errorf("it took %v to tell", d)
			}
			tr.mend(b)
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
}

func TestTroubleAfterATicket(t *testing.T) {
	for _, tr := range troubles {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.mustPrint(t, "FIRST")
			tr.make(b)
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
			if s, err := b.Status(within(t, 3*time.Second)); err != nil || !s.Ready() {
				t.Errorf("Status after mending = %+v, %v", s, err)
			}
			if n := b.seen("FIRST-end"); n != 1 {
				t.Errorf("the ticket came out %d times", n)
			}
		})
	}
}
