package pcsc_test

import (
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/pcsc"
	"parvis/device/sim"
)

func TestContactlessCards(t *testing.T) {
	b := newBench(t, pcsc.Options{Readers: []string{"virtual pcd"}})
	b.wantStatus(t, "online/not_present/")
	long := card(t, "staff")
	long.Text = strings.Repeat("Où ? ", 60)
	longer := card(t, "city")
	longer.Text = strings.Repeat("Là. ", 60)
	for name, c := range map[string]sim.Card{
		"type 2": card(t, "city"), "type 4": card(t, "staff"),
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
	b.insert(t, 1, card(t, "08A1B2C3")) // with nothing on it
	b.wantEvent(t, shown(card(t, "08A1B2C3")))
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
	for _, asked := range []int{1, 3, 20} {
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
