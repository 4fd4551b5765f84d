package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

func TestMain(m *testing.M) {
	flag.Parse()
	// These tests wait for a printer more than they compute.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// setup is a printer as it may stand in a borne.
type setup struct {
	model string
	tcp   bool
	speed float64 // mm/s; 0 is at once

	buffer int      // bytes; 0 is without end
	flow   sim.Flow // of the printer
	heeds  transport.Flow
}

func (s setup) String() string {
	if s.tcp {
		return s.model + " on tcp"
	}
	return s.model + " on a pty"
}

// setups are those that every fault is tried on.
var setups = []setup{{model: "generique"}, {model: "generique", tcp: true}, {model: "epson-tm-t20"}, {model: "custom-vkp80", tcp: true}}

// bench is a simulated printer behind a real pty or socket, and the driver that
// uses it.
type bench struct {
	*escpos.Printer
	thermal *sim.Thermal
	line    sim.Line
	port    string
	hand    bool // takes each ticket out of the mouth
	torn    bool // commands are cut short, and not known for what they were

	mu       sync.Mutex
	heard    []byte        // by the printer
	drop     string        // what the line loses from now on, wherever it stands in what is heard
	drops    int           // how often
	amid     chan struct{} // once a ticket has begun, questions wait for it
	tickets  []string
	mouths   []sim.Mouth // when each ticket began
	statuses []device.Status
	news     chan struct{} // one for each status, as far as there is room
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchOf(t, setup{model: escpos.Default}, func(*escpos.Options) {})
}

func newBenchOf(t *testing.T, s setup, adapt func(*escpos.Options)) *bench {
	t.Helper()
	b := &bench{news: make(chan struct{}, 1000)}
	b.thermal = sim.NewThermal(func(k sim.Ticket) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tickets = append(b.tickets, k.Text)
	})
	b.thermal.SetSpeed(s.speed)
	b.thermal.SetBuffer(s.buffer)
	b.thermal.SetFlow(s.flow)
	b.hand = s.model == "custom-vkp80"
	switch s.model {
	case "custom-vkp80":
		b.thermal.SetModel(sim.CustomVKP80)
	case "star-escpos":
		b.thermal.SetModel(sim.StarESCPOS)
	}
	options := escpos.Options{Model: mustLoad(t, s.model), Answer: 4 * time.Second} // patient, for a machine that does much else
	adapt(&options)
	if s.tcp {
		socket := sim.NewSocket("127.0.0.1:0", ear{b.thermal, b})
		b.line = socket
		b.mustPlug(t)
		b.port = "tcp://" + socket.Addr()
	} else {
		b.port = filepath.Join(t.TempDir(), "printer")
		b.line = sim.NewCable(b.port, ear{b.thermal, b})
		b.mustPlug(t)
	}
	b.Printer = escpos.New(transport.ForPort(b.port, 115200, transport.WithFlow(s.heeds)), options)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the printer: %v", err)
		}
		if err := b.line.Close(); err != nil {
			t.Errorf("close the line: %v", err)
		}
		if unknown := b.thermal.Unknown(); len(unknown) > 0 && !b.torn {
			t.Errorf("the printer did not know %v", unknown)
		}
	})
	return b
}

// ear is the printer's, with wax in it.
type ear struct {
	*sim.Thermal
	b *bench
}

func (e ear) Hear(b []byte) {
	e.b.mu.Lock()
	e.b.heard = append(e.b.heard, b...)
	if bytes.Contains(b, []byte("\x1b@")) {
		e.b.mouths = append(e.b.mouths, e.Mouth())
	}
	if at := bytes.Index(b, []byte(e.b.drop)); e.b.drops > 0 && at >= 0 {
		b = slices.Concat(b[:at], b[at+len(e.b.drop):])
		e.b.drops--
	}
	var amid chan struct{}
	if bytes.Contains(b, []byte("\x10\x04")) && bytes.Contains(e.b.heard, []byte("\x1b@")) {
		amid = e.b.amid
	}
	e.b.mu.Unlock()
	if amid != nil {
		<-amid
	}
	e.Thermal.Hear(b)
}

// lose makes the line lose some bytes the next n times that they are heard at
// once.
func (b *bench) lose(what string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop, b.drops = what, n
}

// wire is what the printer has heard.
func (b *bench) wire() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.heard)
}

func mustLoad(t testing.TB, name string) escpos.Model {
	t.Helper()
	m, err := escpos.LoadModel(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b *bench) mustPlug(t *testing.T) {
	t.Helper()
	if err := b.line.Plug(); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) mustUnplug(t *testing.T) {
	t.Helper()
	if err := b.line.Unplug(); err != nil {
		t.Fatal(err)
	}
}

// serve keeps Serve going as a supervisor does, until the test ends.
func (b *bench) serve(t *testing.T) { t.Cleanup(b.serveUntil(t)) }

// serveUntil is serve until the function it returns is called.
func (b *bench) serveUntil(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() {
		for ctx.Err() == nil {
			err := b.Serve(ctx, b.note)
			var e *printer.Error
			switch {
			case ctx.Err() != nil:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Serve = %v, want its context's error", err)
				}
				return
			case !errors.As(err, &e):
				t.Errorf("Serve = %v, want a *printer.Error", err)
				return
			}
			b.note(e.Fault.With(nil))
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	return func() { cancel(); served.Wait() }
}

func (b *bench) note(s device.Status) {
	b.mu.Lock()
	b.statuses = append(b.statuses, s)
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// last is the status reported last.
func (b *bench) last() device.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.statuses) == 0 {
		return device.Status{}
	}
	return b.statuses[len(b.statuses)-1]
}

// forget begins a new list of statuses, with the last of the old one.
func (b *bench) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses = b.statuses[max(0, len(b.statuses)-1):]
}

// await waits until the status reported last is so.
func (b *bench) await(t testing.TB, what string, is func(device.Status) bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !is(b.last()) {
		select {
		case <-b.news:
		case <-deadline:
			b.mu.Lock()
			defer b.mu.Unlock()
			t.Fatalf("never reported %s, but %+v", what, b.statuses)
		}
	}
}

func ready(s device.Status) bool { return s.Ready() && s.State == device.Online }

func (b *bench) awaitFault(t *testing.T, fault device.Fault) {
	t.Helper()
	b.await(t, string(fault), func(s device.Status) bool { return s.Fault == fault })
}

func (b *bench) awaitReady(t *testing.T) {
	t.Helper()
	b.await(t, "ready", ready)
}

// noDoubles fails the test when a status was reported twice in a row.
func (b *bench) noDoubles(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(slices.Compact(slices.Clone(b.statuses))); n != len(b.statuses) {
		// A line that cannot be opened ends Serve each time anew.
		for i := 1; i < len(b.statuses); i++ {
			if b.statuses[i] == b.statuses[i-1] && b.statuses[i].Fault != device.Unplugged {
				t.Errorf("reported twice: %+v", b.statuses[i])
			}
		}
	}
}

// seen counts how often mark stands on the tickets.
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
	if err := b.Print(within(t, 20*time.Second), ticket(mark)); err != nil {
		t.Fatalf("print %s: %v", mark, err)
	}
	if n := b.seen(mark + "-end"); n != 1 {
		t.Fatalf("%s is printed %d times when Print returns", mark, n)
	}
	if b.hand {
		if err := b.thermal.Take(); err != nil {
			t.Errorf("take %s: %v", mark, err)
		}
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
