package pcsc_test

import (
	"context"
	"encoding/hex"
	"errors"
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

	"github.com/ebfe/scard"

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

func TestContactlessCards(t *testing.T) {
	b := newBench(t, pcsc.Options{Readers: []string{"virtual pcd"}})
	b.wantStatus(t, "online/not_present/")
	long := card(t, "staff")
	long.Text = strings.Repeat("Où ? ", 60)
	longer := card(t, "city")
	longer.Text = strings.Repeat("Là. ", 60)
	for name, c := range map[string]sim.Card{
		"type 2": card(t, "city"), "type 4": card(t, "staff"), "no text": card(t, "08A1B2C3"),
		"long type 2": longer, "long type 4": long,
	} {
		t.Run(name, func(t *testing.T) {
			b.insert(t, 0, c)
			b.wantEvent(t, shown(c))
			b.wantStatus(t, "online/present/")
			b.remove(t, 0)
			b.wantEvent(t, reader.Event{Medium: reader.Contactless})
			b.wantStatus(t, "online/not_present/")
			b.wantNothing(t)
		})
	}
}

// The law: nothing is asked of a carte Vitale, nor of any card with contacts.
func TestContactCardsAreAskedNothing(t *testing.T) {
	b := newBench(t, pcsc.Options{})
	vitales := []string{"3B7513000044 09EA9000", "3F6525002209699000"}
	cards := []sim.Card{card(t, "contact")}
	for _, atr := range vitales {
		raw, err := hex.DecodeString(strings.ReplaceAll(atr, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, sim.Card{ATR: raw})
	}
	for _, c := range cards {
		b.insert(t, 0, c)
		b.wantEvent(t, shown(c))
		b.wantStatus(t, "online/present/")
		b.remove(t, 0)
		b.wantEvent(t, reader.Event{Medium: reader.Contact})
		if n := b.Slots[0].APDUs(); n != 0 {
			t.Errorf("card %X was asked %d times", c.ATR, n)
		}
	}
}

func TestSeveralCards(t *testing.T) {
	b := newBench(t, pcsc.Options{})
	city, vitale := card(t, "city"), card(t, "vitale")
	b.insert(t, 0, city)
	b.wantEvent(t, shown(city))
	b.insert(t, 1, vitale)
	b.wantEvent(t, reader.Event{Present: true, Several: true})
	b.remove(t, 0)
	b.wantEvent(t, reader.Event{Several: true})
	b.wantEvent(t, shown(vitale))
	b.remove(t, 1)
	b.wantEvent(t, reader.Event{Medium: reader.Contact})
	b.wantStatus(t, "online/not_present/")
	b.wantNothing(t)
	if n := b.Slots[1].APDUs(); n != 0 {
		t.Errorf("the carte Vitale was asked %d times", n)
	}
}

func TestOnlyTheReadersMeant(t *testing.T) {
	b := newBench(t, pcsc.Options{Readers: []string{"ACR122", "PCD 00 01"}})
	b.wantStatus(t, "online/not_present/")
	b.insert(t, 0, card(t, "city"))
	b.insert(t, 1, card(t, "staff"))
	b.wantEvent(t, shown(card(t, "staff")))
	if n := b.Slots[0].APDUs(); n != 0 {
		t.Errorf("a card on another reader was asked %d times", n)
	}
}

func TestNoReader(t *testing.T) {
	b := newBench(t, pcsc.Options{Readers: []string{"ACR122"}})
	b.wantStatus(t, "starting//", "no_device//unplugged")
}

func TestMuteCard(t *testing.T) {
	b := newBench(t, pcsc.Options{})
	// As when it is put in upside down: vpcd gives no power to a card whose
	// answer is too long.
	b.insert(t, 0, sim.Card{ATR: make([]byte, 40)})
	b.wantStatus(t, "online/jammed/")
	b.remove(t, 0)
	b.wantStatus(t, "online/not_present/")
	b.wantNothing(t)
	b.insert(t, 0, card(t, "city"))
	b.wantEvent(t, shown(card(t, "city")))
}

func TestNoPCSCD(t *testing.T) {
	b := &bench{}
	b.serve(t, pcsc.Options{})
	b.wantStatus(t, "starting//", "offline//no_service")
	if err := <-b.served; !errors.Is(err, scard.ErrNoService) {
		t.Errorf("Serve = %v", err)
	}
}

// pcscd dies before, amid and after a card, and comes back.
func TestPCSCDDies(t *testing.T) {
	for name, meet := range map[string]func(t *testing.T, b *bench) (there bool){
		"before": func(t *testing.T, b *bench) bool { return false },
		"amid": func(t *testing.T, b *bench) bool {
			b.insert(t, 0, card(t, "city"))
			b.wantEvent(t, shown(card(t, "city")))
			return true
		},
		"after": func(t *testing.T, b *bench) bool {
			b.insert(t, 0, card(t, "vitale"))
			b.wantEvent(t, shown(card(t, "vitale")))
			b.remove(t, 0)
			b.wantEvent(t, reader.Event{Medium: reader.Contact})
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, pcsc.Options{})
			b.wantStatus(t, "online/not_present/")
			there := meet(t, b)
			if err := b.Stop(); err != nil {
				t.Fatal(err)
			}
			if there {
				b.wantEvent(t, reader.Event{Medium: reader.Contactless})
			}
			b.wantStatus(t, "offline//no_service")
			err := <-b.served
			if err == nil || strings.Contains(err.Error(), shown(card(t, "city")).Number) {
				t.Errorf("Serve = %v", err)
			}
			b.PCSCD = mustStart(t)
			b.serve(t, pcsc.Options{})
			b.wantStatus(t, "online/not_present/")
			b.insert(t, 0, card(t, "city"))
			b.wantEvent(t, shown(card(t, "city")))
		})
	}
}

// A card pulled out amid reading is told of whole or not at all.
func TestRemovalAmidReading(t *testing.T) {
	b := newBench(t, pcsc.Options{})
	c := card(t, "city")
	c.Text = strings.Repeat("Carte de la ville. ", 40)
	half := 0
	for _, asked := range []int{1, 2, 3, 20} {
		b.forget()
		b.insert(t, 0, c)
		for until := time.Now().Add(5 * time.Second); b.Slots[0].APDUs() < asked; runtime.Gosched() {
			if time.Now().After(until) {
				t.Fatalf("asked %d times in 5 s, want %d", b.Slots[0].APDUs(), asked)
			}
		}
		b.remove(t, 0)
		b.wantStatus(t, "online/present/", "online/not_present/")
		select {
		case e := <-b.events:
			if plain(e) != plain(shown(c)) {
				t.Errorf("pulled after %d questions: saw %s", asked, plain(e))
			}
			b.wantEvent(t, reader.Event{Medium: reader.Contactless})
		default:
			half++
		}
	}
	if half == 0 {
		t.Error("no card was pulled amid reading")
	}
	b.insert(t, 0, c)
	b.wantEvent(t, shown(c))
}

// Cards put in and pulled out of two readers again and again leave nothing
// behind, and what is told of them holds together.
func TestFiftyQuickCards(t *testing.T) {
	b := newBench(t, pcsc.Options{})
	b.wantStatus(t, "online/not_present/")
	city, staff := card(t, "city"), card(t, "staff")
	b.insert(t, 0, city)
	b.wantEvent(t, shown(city))
	b.remove(t, 0)
	b.wantEvent(t, reader.Event{Medium: reader.Contactless})
	files, routines := openFiles(t), runtime.NumGoroutine()
	var last reader.Event
	for range 25 {
		b.insert(t, 0, city)
		b.insert(t, 1, staff)
		for !last.Several {
			e := b.next(t)
			mustFollow(t, last, e)
			last = e
		}
		b.remove(t, 0)
		b.remove(t, 1)
		for last.Present || !b.is("online/not_present/") || len(b.events) > 0 {
			select {
			case e := <-b.events:
				mustFollow(t, last, e)
				last = e
			case <-time.After(time.Millisecond):
			}
		}
	}
	b.wantStatus(t, "online/not_present/")
	wantNoMore(t, files, routines)
	b.insert(t, 1, staff)
	b.wantEvent(t, shown(staff))
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

// Serve leaves nothing behind, whether pcscd is there or not.
func TestServeAgainAndAgain(t *testing.T) {
	p := mustStart(t)
	serve := func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_ = pcsc.New(pcsc.Options{}).Serve(ctx, func(s device.Status) {
			if s.State == device.Online {
				cancel()
			}
		}, func(reader.Event) {})
	}
	serve()
	files, routines := openFiles(t), runtime.NumGoroutine()
	for range 50 {
		serve()
	}
	wantNoMore(t, files, routines)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		serve()
	}
	wantNoMore(t, files, routines)
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
