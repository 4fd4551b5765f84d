package pcsc_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/pcsc"
	"parvis/device/sim"
)

// dir holds the socket of pcscd. libpcsclite reads where it is once in the
// life of a process, so all tests share it and run one after the other.
var dir string

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "pcsc"); err != nil {
		log.Fatal(err)
	}
	if err := os.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(dir, "pcscd.comm")); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

// bench is a Reader before a real pcscd with virtual cards.
type bench struct {
	*sim.PCSCD
	events chan reader.Event
	served chan error

	mu       sync.Mutex
	statuses []string // as state/media/fault
}

func mustStart(t *testing.T) *sim.PCSCD {
	t.Helper()
	p, err := sim.StartPCSCD(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func newBench(t *testing.T, o pcsc.Options) *bench {
	t.Helper()
	b := &bench{PCSCD: mustStart(t)}
	b.serve(t, o)
	return b
}

func (b *bench) serve(t *testing.T, o pcsc.Options) {
	t.Helper()
	b.forget()
	events, served := make(chan reader.Event, 500), make(chan error, 2)
	b.events, b.served = events, served
	ctx, cancel := context.WithCancel(context.Background())
	r := pcsc.New(o)
	go func() {
		err := r.Serve(ctx, b.report, func(e reader.Event) { events <- e })
		served <- err
		served <- err // once for the test, once for the end
	}()
	t.Cleanup(func() {
		cancel()
		start := time.Now()
		if err := <-served; err == nil {
			t.Error("Serve ended without an error")
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			t.Errorf("Serve took %v to end", d)
		}
	})
}

// next is the next thing seen.
func (b *bench) next(t *testing.T) reader.Event {
	t.Helper()
	select {
	case e := <-b.events:
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("nothing seen for 5 s")
		return reader.Event{}
	}
}

func (b *bench) report(s device.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses = append(b.statuses, fmt.Sprintf("%s/%s/%s", s.State, s.Media, s.Fault))
}

// forget forgets the statuses so far.
func (b *bench) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses = nil
}

// wantStatus waits until the statuses wanted have come one after the other,
// with or without others between, and the last of them holds.
func (b *bench) wantStatus(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		b.mu.Lock()
		got = slices.Clone(b.statuses)
		b.mu.Unlock()
		rest := want
		for _, s := range got {
			if len(rest) > 0 && s == rest[0] {
				rest = rest[1:]
			}
		}
		if len(rest) == 0 && got[len(got)-1] == want[len(want)-1] {
			return
		}
	}
	t.Fatalf("statuses %q, want %q", got, want)
}

func (b *bench) wantEvent(t *testing.T, want reader.Event) {
	t.Helper()
	got := b.next(t)
	if plain(got) != plain(want) {
		t.Errorf("saw %s, want %s", plain(got), plain(want))
	}
}

func (b *bench) wantNothing(t *testing.T) {
	t.Helper()
	select {
	case e := <-b.events:
		t.Errorf("saw %s", plain(e))
	default:
	}
}

// plain shows what an Event hides.
func plain(e reader.Event) string {
	return fmt.Sprintf("%s present=%t several=%t number=%q atr=%X text=%q", e.Medium, e.Present, e.Several, e.Number, e.ATR, e.Text)
}

func card(t *testing.T, name string) sim.Card {
	t.Helper()
	c, err := sim.NewCard(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shown is the event of a card that lies there.
func shown(c sim.Card) reader.Event {
	e := reader.Event{Medium: reader.Contact, Present: true, ATR: c.ATR, Text: c.Text}
	if c.UID != nil {
		e.Medium, e.Number = reader.Contactless, strings.ToUpper(hex.EncodeToString(c.UID))
	}
	return e
}

// insert puts a card in. vpcd takes no second one before it has noticed that
// the first is gone.
func (b *bench) insert(t *testing.T, slot int, c sim.Card) {
	t.Helper()
	until := time.Now().Add(5 * time.Second)
	for err := b.Slots[slot].Insert(c); err != nil; err = b.Slots[slot].Insert(c) {
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

func (b *bench) remove(t *testing.T, slot int) {
	t.Helper()
	if err := b.Slots[slot].Remove(); err != nil {
		t.Fatal(err)
	}
}

// mustFollow fails when an event makes no sense after the last.
func mustFollow(t *testing.T, last, e reader.Event) {
	t.Helper()
	if e.Present && last.Present && !e.Several || !e.Present && (!last.Present || e.Several != last.Several) {
		t.Fatalf("after %s, saw %s", plain(last), plain(e))
	}
}

// is tells whether a status holds.
func (b *bench) is(want string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.statuses) > 0 && b.statuses[len(b.statuses)-1] == want
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// wantNoMore waits until there are no more open files and goroutines than
// before.
func wantNoMore(t *testing.T, files, routines int) {
	t.Helper()
	for until := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		f, r := openFiles(t), runtime.NumGoroutine()
		if f <= files && r <= routines {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d open files and %d goroutines, %d and %d before", f, r, files, routines)
		}
	}
}
