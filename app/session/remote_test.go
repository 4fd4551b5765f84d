package session_test

import (
	"strings"
	"testing"
	"time"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/app/session"
	"parvis/kiosk/link"
)

// A message shows at once on the page in sight, and goes; speech begins with it.
func TestMessageComesAndGoes(t *testing.T) {
	d := newDesk(t)
	words := ""
	d.borne.Message = func() string { return words }
	shows := func(where string) {
		t.Helper()
		if got := d.frame.Page.Message.Text; got != words {
			t.Errorf("%s shows the message %q, want %q", where, got, words)
		}
	}
	words = "La mairie ferme ce soir."
	d.Refresh()
	shows("attract")
	d.touch("start")
	shows("home")
	d.Press(session.Speech)
	d.until("the message to be read before the title", func() bool {
		all := strings.Join(d.said(), "\n")
		title := strings.Index(all, "Que voulez-vous faire")
		return title > 0 && strings.Index(all, words) > 0 && strings.Index(all, words) < title
	})
	words = ""
	d.Refresh()
	shows("home again")
}

// What an agent may not be sent a picture of.
func TestPersonalVisits(t *testing.T) {
	d := newDesk(t)
	personal := func(where string, want bool) {
		t.Helper()
		if got := d.Personal(); got != want {
			t.Errorf("%s: personal is %t", where, got)
		}
	}
	personal("attract", false)
	d.touch("start")
	personal("home", false)
	d.touch("callback", "topic:logement")
	personal("an empty keypad", true)
	d.touch("key:0", "key:6")
	d.after(46 * time.Second)
	d.at("timeout")
	personal("the warning over a number", true)
	d.after(time.Minute)
	d.at("attract")
	personal("after the wipe", false)

	d.touch("start")
	d.Card(journeytest.CityCard)
	d.at("card.city")
	personal("a card's page", true)
	d.touch("nav.home")
	personal("home, after a card", true)
	d.Card(journeytest.Stranger)
	d.touch("nav.home", "nav.leave", "leaving.finish")
	d.at("attract")
	personal("the next visit", false)
}

// While a request is sent, the page says only to wait; the number is there yet.
func TestPersonalWhileSending(t *testing.T) {
	d := newDesk(t)
	d.touch("start", "callback", "topic:logement")
	for _, key := range "0687914253" {
		d.touch("key:" + string(key))
	}
	d.touch("continue", "slot:any", "continue", "continue", "consent", "send")
	if !d.Busy() || d.Idle() || !d.Personal() {
		t.Errorf("sending: busy %t, idle %t, personal %t", d.Busy(), d.Idle(), d.Personal())
	}
	d.at("callback.done")
	if d.Busy() || !d.Personal() {
		t.Errorf("sent: busy %t, personal %t", d.Busy(), d.Personal())
	}
}

func TestState(t *testing.T) {
	d := newDesk(t)
	want := func(state link.AppState) {
		t.Helper()
		if got := d.State(); got != state {
			t.Errorf("state %q, want %q", got, state)
		}
	}
	want(link.AppIdle)
	d.touch("start")
	want(link.AppServing)
	if err := d.borne.SetOutOfService(true); err != nil {
		t.Fatal(err)
	}
	d.Refresh()
	want(link.AppServing) // who stands there is served
	d.touch("nav.leave", "leaving.finish")
	want(link.AppOutOfService)
	if err := d.borne.SetOutOfService(false); err != nil {
		t.Fatal(err)
	}
	want(link.AppIdle)
}

// A resident is told that the borne will restart, in the page's language, and
// then sent away with nothing left behind.
func TestFarewell(t *testing.T) {
	d := newDesk(t)
	d.touch("lang:en", "callback", "topic:logement", "key:0", "key:6")
	d.RestartSoon()
	if m := d.frame.Page.Message; !strings.Contains(m.Text, "one minute") || m.Lang != "en" {
		t.Errorf("the message is %+v", m)
	}
	if f := d.field(); f.Value != "06" {
		t.Errorf("what was typed is now %q", f.Value)
	}
	if !d.Farewell() {
		t.Error("nobody was there")
	}
	if p := d.frame.Page; p.Name != "restarting" || p.Lang != "en" || p.Private || len(p.Reading()) == 0 {
		t.Errorf("the last page is %+v", p)
	}
	for _, part := range d.frame.Page.Reading() {
		if part.Choice != nil {
			t.Errorf("it offers %s", part.Choice.ID)
		}
	}
	d.Touch("start")
	d.Press(session.Enter)
	d.Card(journeytest.CityCard)
	d.after(time.Second)
	if d.frame.Page.Name != "restarting" {
		t.Errorf("it led to %s", d.frame.Page.Name)
	}
	if d.Idle() {
		t.Error("it may restart twice")
	}
}

// An idle borne says farewell to nobody.
func TestFarewellToNobody(t *testing.T) {
	d := newDesk(t)
	d.RestartSoon()
	if m := d.frame.Page.Message; m.Text != "" {
		t.Errorf("who passes by reads %q", m.Text)
	}
	if d.Farewell() {
		t.Error("somebody was there")
	}
	if d.frame.Page.Name != "restarting" {
		t.Errorf("page %s", d.frame.Page.Name)
	}
}

// The loudness set from afar is that of the next visit. Whoever listens hears no
// change, and no sample.
func TestStartVolumeFromAfar(t *testing.T) {
	d := newDesk(t)
	set := func(step int) {
		t.Helper()
		if err := d.borne.SetVolume(step); err != nil {
			t.Fatal(err)
		}
		d.StartVolumeChanged()
	}
	set(5)
	d.Press(session.Speech)
	d.Press(session.Louder)
	d.hears("7 sur 8")
	d.touch("start", "start")
	d.at("home")
	set(1)
	d.Press(session.Quieter)
	d.hears("6 sur 8")
	d.Press(session.Speech)
	d.touch("nav.leave", "leaving.finish")
	d.at("attract")
	d.Press(session.Speech)
	d.Press(session.Louder)
	d.hears("3 sur 8")
	if all := strings.Join(d.said(), "\n"); strings.Contains(all, "Voici la voix") {
		t.Errorf("a sample is heard:\n%s", all)
	}
}

func (d *desk) field() page.Field {
	d.t.Helper()
	for _, block := range d.frame.Page.Blocks {
		if f, ok := block.(page.Field); ok {
			return f
		}
	}
	d.t.Fatalf("page %s has no field", d.frame.Page.Name)
	return page.Field{}
}
