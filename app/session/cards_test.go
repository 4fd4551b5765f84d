package session_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/app/session"
	"parvis/app/voice"
	"parvis/device"
	"parvis/device/printer"
	"parvis/device/reader"
	"parvis/kiosk/visit"
)

// hold makes the ticket printer wait for release before it answers.
func (d *desk) hold() (release func()) {
	held := make(chan struct{})
	print := d.borne.Outputs[0].Print
	d.borne.Outputs[0].Print = func(ctx context.Context, doc printer.Document) error {
		<-held
		return print(ctx, doc)
	}
	return func() { close(held) }
}

func (d *desk) banner(want string) {
	d.t.Helper()
	if b := d.frame.Page.Banner; b == nil || !strings.Contains(b.Text, want) {
		d.t.Errorf("page %s, banner %+v, want %q", d.frame.Page.Name, b, want)
	}
}

func TestCardBeforeAVisit(t *testing.T) {
	d := newDesk(t)
	d.Card(journeytest.CityCard)
	d.at("card.city")
	if !d.frame.Fresh {
		t.Error("the glass takes the page for the one before")
	}
	d.after(45 * time.Second)
	d.at("timeout")
	d.after(30 * time.Second)
	d.at("attract")
}

// What was typed stays; Back returns to it.
func TestCardAmidTyping(t *testing.T) {
	for _, e := range []reader.Event{journeytest.CityCard, journeytest.Mediator, journeytest.Agent, journeytest.Vitale, journeytest.Stranger, journeytest.Two} {
		d := newDesk(t)
		d.touch("start", "callback", "topic:logement", "key:0", "key:6", "key:1")
		d.Card(e)
		if d.frame.Page.Name == "callback.phone" {
			t.Fatalf("%v leads nowhere", e)
		}
		d.touch("nav.back")
		d.at("callback.phone")
		if f := d.frame.Page.Blocks[0].(page.Field); f.Value != "06 1" {
			t.Errorf("%v: %q is left of what was typed", e, f.Value)
		}
	}
}

// A card is a sign that somebody is there, where it changes anything.
func TestCardDuringTheWarning(t *testing.T) {
	for _, tc := range []struct {
		name        string
		before      bool // a chip card lies in the reader
		e           reader.Event
		then, later string
	}{
		{"shown", false, journeytest.Vitale, "card.vitale", "card.vitale"},
		{"taken", true, reader.Event{Medium: reader.Contact}, "demarches", "demarches"},
		{"nothing was there", false, reader.Event{Medium: reader.Contact}, "timeout", "attract"},
		{"gone from the RFID reader", true, reader.Event{Medium: reader.RFID}, "timeout", "attract"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t)
			d.touch("start", "demarches")
			if tc.before {
				d.Card(journeytest.Vitale)
				d.touch("nav.back")
			}
			d.after(50 * time.Second)
			d.at("timeout")
			d.Card(tc.e)
			d.at(tc.then)
			d.after(40 * time.Second)
			d.at(tc.later)
		})
	}
}

// A reader that tells of cards where nobody is keeps no resident's page open.
func TestFlappingReader(t *testing.T) {
	other := reader.Event{Medium: reader.Contactless}
	for name, events := range map[string][]reader.Event{
		"gone and gone again":        {{Medium: reader.RFID}, other, {Medium: reader.Contact}},
		"the same card again":        {journeytest.Stranger, other},
		"one card, two, one":         {journeytest.Two, journeytest.Stranger},
		"a chip card in a bad slot":  {journeytest.Vitale, {Medium: reader.Contact}},
		"a city card and a stranger": {journeytest.CityCard, journeytest.Stranger},
	} {
		for _, how := range []string{"without speech", "with speech", "with slow speech"} {
			t.Run(name+", "+how, func(t *testing.T) {
				d := newDesk(t)
				d.touch("start", "callback", "topic:logement", "key:0")
				if how != "without speech" {
					d.Press(session.Speech)
				}
				patience := visit.WithSpeech.Idle + visit.WithSpeech.Warning + 3*time.Minute // the longest sentence counts too
				for waited := time.Duration(0); !d.frame.Wiped; waited += 5 * time.Second {
					if waited > patience {
						t.Fatalf("page %s is open after %v", d.frame.Page.Name, waited)
					}
					for _, e := range events {
						d.Card(e)
					}
					if how != "with slow speech" {
						d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
					}
					d.after(5 * time.Second)
				}
			})
		}
	}
}

// Staff who try one card after the other see each, and a touch makes more count.
func TestManyCards(t *testing.T) {
	d := newDesk(t)
	d.openMaintenance()
	for range 3 {
		for _, e := range []reader.Event{journeytest.Stranger, journeytest.Two, journeytest.Stranger, journeytest.Two} {
			d.after(50 * time.Second)
			d.Card(e)
			if d.frame.Page.Name != "maintenance" {
				t.Fatalf("page %s", d.frame.Page.Name)
			}
		}
		d.banner("plusieurs cartes")
		d.Touch("")
	}
}

// A card shown while the printer works waits for the end of that; a failure to
// print is told first, and the card is then forgotten.
func TestCardAmidPrinting(t *testing.T) {
	for name, fault := range map[string]error{"printed": nil, "failed": &printer.Error{Fault: device.NoPaper, Printed: printer.Nothing}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.borne.Fault = fault
			release := d.hold()
			d.touch("start", "help", "need:demarches", "print")
			d.at("waiting")
			d.Card(journeytest.Vitale)
			d.Card(journeytest.CityCard)
			d.at("waiting")
			release()
			if fault != nil {
				d.at("print.failed")
			} else {
				d.at("card.city")
				d.banner("Votre ticket est imprimé")
			}
			d.touch("nav.back")
			d.at("places")
			if len(d.borne.Tickets) > 1 {
				t.Errorf("%d tickets", len(d.borne.Tickets))
			}
			d.after(200 * time.Second)
			d.after(200 * time.Second)
			d.at("attract")
			for _, number := range []string{journeytest.CityNumber, journeytest.CityCard.Number} {
				if path := find(reflect.ValueOf(d.Session), number, "session", map[uintptr]bool{}); path != "" {
					t.Errorf("the card's number is left in %s", path)
				}
			}
		})
	}
}

// After a visit nothing of a card is reachable from the session.
func TestNothingIsLeftOfACard(t *testing.T) {
	d := newDesk(t)
	d.Card(journeytest.CityCard)
	d.touch("yes", "topic:logement", "slot:1", "continue", "continue")
	d.Card(journeytest.OtherCity)
	d.touch("nav.home", "nav.leave", "leaving.finish")
	d.at("attract")
	for _, number := range []string{journeytest.CityNumber, journeytest.OtherNumber, journeytest.CityCard.Number, journeytest.OtherCity.Number} {
		for name, v := range map[string]any{"session": d.Session, "frame": d.frame} {
			if path := find(reflect.ValueOf(v), number, name, map[uintptr]bool{}); path != "" {
				t.Errorf("%s is left in %s", number, path)
			}
		}
	}
}

// A chip card that stays in the reader is known to the next visit too.
func TestCardStaysInTheReader(t *testing.T) {
	d := newDesk(t)
	d.Card(journeytest.Vitale)
	d.touch("nav.home", "nav.leave")
	if said := d.frame.Page.Blocks[0].(page.Notice).Title; said != "N’oubliez pas votre carte" {
		t.Errorf("the page says %q first", said)
	}
	d.touch("leaving.finish", "start", "nav.leave")
	if said := d.frame.Page.Blocks[0].(page.Notice).Title; said != "N’oubliez pas votre carte" {
		t.Errorf("the next visit's page says %q first", said)
	}
	frames := d.frames
	d.Card(reader.Event{Medium: reader.Contact})
	if _, ok := d.frame.Page.Blocks[0].(page.Notice); ok || d.frames != frames+1 {
		t.Errorf("the page still speaks of a card that has been taken (%d frames)", d.frames-frames)
	}
}

func TestAccompaniedVisitGetsMorePatience(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.Card(journeytest.Mediator)
	d.touch("continue")
	d.after(visit.Accompanied.Idle - time.Second)
	d.at("home")
	d.after(time.Second)
	d.at("timeout")
	d.after(visit.Accompanied.Warning)
	d.at("attract")
	d.touch("start")
	if d.frame.Page.Header.Note == "Visite accompagnée" {
		t.Error("the next visit is accompanied")
	}
	d.after(visit.Usual.Idle)
	d.at("timeout")
}

// That a visit is accompanied from now on is heard too, though the line at the top
// of the page is not read.
func TestAccompaniedVisitIsHeard(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.Press(session.Speech)
	before := len(d.said())
	d.Card(journeytest.Mediator)
	d.until("the mode", func() bool { return strings.Contains(strings.Join(d.said()[before:], "\n"), "Visite accompagnée") })
}

// openMaintenance shows the badge and types the code.
func (d *desk) openMaintenance() {
	d.t.Helper()
	d.Card(journeytest.Agent)
	d.touch("key:2", "key:4", "key:6", "key:8", "enter")
	d.at("maintenance")
}

// The pages for staff close by themselves, and leave no code behind.
func TestMaintenanceEnds(t *testing.T) {
	d := newDesk(t)
	d.openMaintenance()
	d.after(visit.Maintenance.Idle)
	d.at("timeout")
	d.after(visit.Maintenance.Warning)
	d.at("attract")
	d.Card(journeytest.Agent)
	d.at("maintenance.pin")
	if path := find(reflect.ValueOf(d.Session), journeytest.PIN, "session", map[uintptr]bool{}); path != "" {
		t.Errorf("the code is left in %s", path)
	}
	d.touch("nav.home", "nav.leave", "leaving.finish")
	d.openMaintenance()
	d.touch("leaving.finish")
	d.at("attract")
	if !d.frame.Wiped {
		t.Error("leaving the pages for staff wipes nothing")
	}
}

// No digit of the code is heard from the loudspeaker, typed or only touched,
// though the resident before had asked to hear what they type; with a headset
// keys can be found, and what is typed is still not said.
func TestPINIsNotSpoken(t *testing.T) {
	for _, tc := range []struct{ headset, aloud bool }{{false, false}, {true, false}, {false, true}} {
		headset := tc.headset
		d := newDesk(t)
		d.borne.HeadsetIn = func() bool { return headset }
		d.Voice.SetOutput(voice.Output{Private: headset})
		d.touch("start")
		if tc.aloud {
			d.touch("callback", "topic:logement")
		}
		d.Press(session.Speech)
		if tc.aloud {
			d.touch("hear", "hear")
		}
		d.Card(journeytest.Agent)
		d.hears("Code d'entretien")
		before := len(d.said())
		d.touch("key:9", "key:9", "key:7", "key:7")
		d.Press(session.Next)
		d.Press(session.Repeat)
		d.hears("2 signes écrits")
		said := strings.Join(d.said()[before:], "\n")
		if strings.Contains(said, "\t9") != headset || strings.Contains(said, "97") {
			t.Errorf("%+v: said\n%s", tc, said)
		}
	}
}

// Out of service a touch does nothing, and Back from the code's page leads
// there again and forgets what was typed.
func TestClosedBorne(t *testing.T) {
	d := newDesk(t)
	d.openMaintenance()
	d.touch("out")
	d.until("the setting to be kept", func() bool {
		_, ok := d.frame.Page.Find("in")
		return ok
	})
	d.touch("leaving.finish")
	d.at("closed")
	d.Touch("")
	d.Touch("start")
	d.Press(session.Home)
	d.at("closed")
	clock := d.frame.Page.Header.Clock
	d.after(2 * time.Minute)
	if d.frame.Page.Name != "closed" || d.frame.Page.Header.Clock == clock {
		t.Errorf("page %s shows %s two minutes after %s", d.frame.Page.Name, d.frame.Page.Header.Clock, clock)
	}
	d.Card(journeytest.Agent)
	d.touch("key:2", "key:4", "nav.back")
	d.at("closed")
	if !d.frame.Wiped {
		t.Error("what was typed is not forgotten")
	}
}

// Staff hear the loudness that they set, and the next visit begins at it.
func TestVolumeSetByStaff(t *testing.T) {
	d := newDesk(t)
	d.openMaintenance()
	d.touch("sound", "louder")
	d.hears("Voici la voix de la borne")
	before := len(d.said())
	d.borne.SetVolume = func(int) error { return errors.New("disk") }
	d.touch("louder")
	d.until("the page to say so", func() bool {
		_, failed := d.frame.Page.Blocks[0].(page.Notice)
		return failed
	})
	if len(d.said()) != before {
		t.Error("the voice is heard though nothing has changed")
	}
	d.touch("nav.back", "leaving.finish")
	d.at("attract")
	d.Press(session.Speech)
	d.Press(session.Louder)
	d.hears("Volume 5 sur 8")
}

// With speech on the page is read after the sample of the loudness, and the
// pages for staff still close by themselves.
func TestVolumeSetWithSpeech(t *testing.T) {
	d := newDesk(t)
	d.openMaintenance()
	d.touch("sound")
	d.Press(session.Speech)
	d.hears("au début de chaque visite")
	d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
	before := len(d.said())
	d.touch("louder", "louder")
	d.until("the page after the sample", func() bool {
		_, after, ok := strings.Cut(strings.Join(d.said()[before:], "\n"), "Voici la voix de la borne")
		return ok && strings.Contains(after, "Volume 4 sur 8 au début")
	})
	d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
	d.after(visit.Maintenance.Idle)
	d.at("timeout")
}

// Louder amid the reading of a page says so, and the page is read on.
func TestLouderAmidReading(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	d.Press(session.Speech)
	d.hears("Que voulez-vous faire")
	before := len(d.said())
	d.Press(session.Louder)
	d.until("the rest of the page", func() bool {
		_, after, ok := strings.Cut(strings.Join(d.said()[before:], "\n"), "Volume 4 sur 8")
		return ok && strings.Contains(after, "carte")
	})
	d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
	d.after(visit.WithSpeech.Idle)
	d.at("timeout")
}

// A borne that rests forgets what somebody has tried and left.
func TestRestingForgets(t *testing.T) {
	for name, key := range map[string]session.Key{"volume": session.Louder, "speech": session.Speech, "contrast": session.Contrast} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.Press(key)
			d.until("the end of the reading", func() bool { return d.frame.Focus < 0 })
			d.after(visit.Usual.Idle)
			if d.frame.Wiped {
				t.Fatal("forgotten while somebody may still stand there")
			}
			d.after(visit.WithSpeech.Idle + visit.WithSpeech.Warning)
			if !d.frame.Wiped || d.frame.Contrast || d.Speaking() {
				t.Errorf("wiped %t, contrast %t, speech %t", d.frame.Wiped, d.frame.Contrast, d.Speaking())
			}
			frames := d.frames
			d.after(time.Hour)
			if d.frames != frames {
				t.Error("wiped again though there is nothing to forget")
			}
			d.touch("start")
			d.Press(session.Speech)
			d.Press(session.Louder)
			d.hears("Volume 4 sur 8")
		})
	}
}

// The loudness that a visit has chosen ends with it.
func TestVolumeEndsWithTheVisit(t *testing.T) {
	d := newDesk(t)
	d.touch("start")
	for range 5 {
		d.Press(session.Louder)
	}
	d.touch("nav.leave", "leaving.finish", "start")
	d.Press(session.Speech)
	d.Press(session.Louder)
	d.hears("Volume 4 sur 8")
}

// What was loud enough for a loudspeaker doesn't go to ears, neither from this
// visit nor from the setting.
func TestVolumeInAHeadset(t *testing.T) {
	d := newDesk(t)
	headset := false
	d.borne.HeadsetIn = func() bool { return headset }
	d.borne.Volume = func() int { return 6 }
	d.OutputChanged() // it begins with that
	d.touch("start")
	d.Press(session.Speech)
	press := func(k session.Key, says string) {
		t.Helper()
		before := len(d.said())
		d.Press(k)
		d.until(says, func() bool { return strings.Contains(strings.Join(d.said()[before:], "\n"), says) })
	}
	press(session.Louder, "Volume 8 sur 8")
	headset = true
	d.OutputChanged()
	press(session.Louder, "Volume 4 sur 8")
	d.touch("nav.leave", "nav.leave", "leaving.finish", "leaving.finish", "start")
	d.Press(session.Speech)
	press(session.Quieter, "Volume 2 sur 8")
	headset = false
	d.OutputChanged()
	press(session.Quieter, "Volume 6 sur 8")
}

// A page follows the state of the devices that it speaks of, and what has the
// focus keeps it.
func TestRefresh(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "help", "need:demarches")
	frames := d.frames
	d.Refresh()
	if d.frames != frames {
		t.Error("drawn again though nothing has changed")
	}
	d.Press(session.Next)
	focus := d.frame.Focus
	d.borne.TicketPrinter = device.NoPaper.With(nil)
	d.Refresh()
	if c, _ := d.frame.Page.Find("print"); !c.Disabled() || d.frame.Focus != focus || d.frame.Fresh {
		t.Errorf("print %+v, focus %d instead of %d, fresh %t", c, d.frame.Focus, focus, d.frame.Fresh)
	}
	d.touch("print")
	d.banner("plus de papier")
	d.borne.TicketPrinter = device.Status{State: device.Online}
	d.Refresh()
	if c, _ := d.frame.Page.Find("print"); c.Disabled() || d.frame.Page.Banner != nil {
		t.Errorf("there is paper again: print %+v, banner %+v", c, d.frame.Page.Banner)
	}
	d.after(50 * time.Second)
	d.at("timeout")
	d.borne.TicketPrinter = device.NoPaper.With(nil)
	d.Refresh()
	d.at("timeout")
}

// What a resident has just been told about something else stays.
func TestRefreshKeepsOtherHints(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement", "key:0", "continue")
	d.borne.Reader = device.Unplugged.With(nil)
	d.Refresh()
	d.banner("trop court")
}
