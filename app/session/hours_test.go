package session_test

import (
	"strings"
	"testing"
	"time"

	"parvis/kiosk/hours"
)

// Out of hours the page that attracts residents says when the house opens, in
// words that stay true.
func TestOutOfHours(t *testing.T) {
	d := newDesk(t)
	var err error
	if d.borne.Site.Opening, err = hours.Parse("Mo-Fr 08:30-18:00; PH off", hours.Metropole); err != nil {
		t.Fatal(err)
	}
	at := func(when, want string, dim bool) {
		t.Helper()
		if d.borne.Clock, err = time.ParseInLocation("2006-01-02 15:04", when, hours.Paris); err != nil {
			t.Fatal(err)
		}
		d.Tick()
		if lead := strings.ReplaceAll(d.frame.Page.Lead, "\u00a0", " "); !strings.Contains(lead, want) || d.frame.Dim != dim {
			t.Errorf("%s: %q, dim: %t; want %q, %t", when, lead, d.frame.Dim, want, dim)
		}
	}
	const name = "Mairie de quartier · "
	at("2026-11-24 10:00", "C’est gratuit", false)
	at("2026-11-24 18:00", name+"Ouvre demain à 8 h 30", true)
	at("2026-11-25 00:00", name+"Ouvre à 8 h 30", true) // while nobody was there
	at("2026-11-25 08:30", "C’est gratuit", false)
	at("2026-11-27 20:00", name+"Ouvre lundi à 8 h 30", true)
	d.Touch("lang:en")
	d.at("home") // the borne serves out of hours too
}
