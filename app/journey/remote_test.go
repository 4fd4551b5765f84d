package journey_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parvis/app/journey"
	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/device"
	"parvis/device/printer"
	"parvis/kiosk/visit"
)

// A message stands first on every page, and is read first, in the site's
// language; a warning stands alone.
func TestMessageOnEveryPage(t *testing.T) {
	b := journeytest.New(t)
	words := ""
	b.Message = func() string { return words }
	scenes := b.Scenes(t, "en")
	for _, scene := range scenes {
		if p := b.Page(t.Context(), scene.Visit); p.Message.Text != "" || strings.HasPrefix(p.Reading()[0].Text, "La mairie") {
			t.Errorf("%s has a message before there is one", scene.Name)
		}
	}
	words = "La mairie ferme à 16 h."
	for _, scene := range scenes {
		p := b.Page(t.Context(), scene.Visit)
		if first := p.Reading()[0]; first.Text != words || first.Lang != "fr" || first.Choice != nil {
			t.Errorf("%s is read from %+v on", scene.Name, first)
		}
	}
	if p := b.Timeout(scenes[1].Visit, time.Second); p.Message.Text != "" {
		t.Errorf("the warning bears the message %q", p.Message.Text)
	}
}

// What a resident has typed, or a card has told, is nobody's business, from the
// page on where it can be typed until it is gone.
func TestPersonal(t *testing.T) {
	b := journeytest.New(t)
	for _, scene := range b.Scenes(t, "fr") {
		p := b.Page(t.Context(), scene.Visit)
		typing := false
		for _, block := range p.Blocks {
			if _, ok := block.(page.Field); ok {
				typing = true
			}
		}
		staff := strings.HasPrefix(p.Name, "maintenance") || strings.HasPrefix(p.Name, "card.")
		if (typing || staff || p.Private) && !b.Personal(t.Context(), scene.Visit) {
			t.Errorf("%s may be pictured", scene.Name)
		}
	}

	v := visit.New(1, "")
	personal := func(where string, want bool) {
		t.Helper()
		if got := b.Personal(t.Context(), v); got != want {
			t.Errorf("%s: personal is %t", where, got)
		}
	}
	personal("attract", false)
	b.Choose(t, v, "start")
	personal("home", false)
	b.Choose(t, v, "demarches", "demarche:carte-identite-passeport", "answer:carte")
	personal("amid a démarche", false)
	b.Choose(t, v, "nav.home", "callback", "topic:justice")
	personal("where a number is to be typed", true)
	b.Type(t, v, "0687914253")
	b.Choose(t, v, "nav.person")
	personal("with a number behind it", true)
	b.Choose(t, v, "nav.back", "nav.back")
	personal("one step back, the number kept", true)
	b.Choose(t, v, "nav.home")
	personal("home, the number erased", false)

	b.Choose(t, v, "help", "search")
	b.Type(t, v, "rsa")
	b.Choose(t, v, "nav.person")
	personal("with words searched for", true)
	b.Choose(t, v, "nav.home")
	b.Show(v, journeytest.Mediator)
	personal("a mediator's badge", true)
	b.Choose(t, v, "continue")
	personal("an accompanied visit", true)
	b.End(v, b.Clock)
	personal("the next visit", false)
}

func TestPrintTrial(t *testing.T) {
	b := journeytest.New(t)
	if err := b.PrintTrial(t.Context()); err != nil || len(b.Tickets) != 1 {
		t.Errorf("%d tickets, %v", len(b.Tickets), err)
	}
	b.AddSheetPrinter()
	if err := b.PrintTrial(t.Context()); err != nil || len(b.Tickets) != 2 || len(b.Sheets) != 0 {
		t.Errorf("%d tickets and %d sheets, %v", len(b.Tickets), len(b.Sheets), err)
	}
	for _, tt := range []struct {
		printed printer.Printed
		want    string
	}{{printer.Nothing, "Plus de papier"}, {printer.Maybe, "peut-être sorti"}} {
		b.Fault = &printer.Error{Fault: device.NoPaper, Printed: tt.printed}
		if err := b.PrintTrial(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "papier") {
			t.Errorf("without paper: %v, want %q", err, tt.want)
		}
	}
	b.Outputs = nil
	if err := b.PrintTrial(t.Context()); !errors.Is(err, journey.ErrNoPrinter) {
		t.Errorf("without a printer: %v", err)
	}
}

// A visit counts in its hour, and its time from the first touch to the last
// sign of life; who only looks counts nothing.
func TestVisitsAreCounted(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.End(v, b.Clock)
	if len(b.Counts) > 0 {
		t.Errorf("nobody came, and counted are %v", b.Counts)
	}
	for _, took := range []time.Duration{0, 90*time.Second + 400*time.Millisecond, 5 * time.Hour} {
		b.Choose(t, v, "start")
		began := b.Clock
		b.End(v, began.Add(took))
	}
	if b.Counts["visit"] != 3 || b.Counts["visit.h10"] != 3 || b.Counts["visit.seconds"] != 1+90+3600 {
		t.Errorf("counts %v", b.Counts)
	}
	b.Show(v, journeytest.Agent)
	b.End(v, b.Clock.Add(time.Minute))
	if b.Counts["visit.seconds"] != 1+90+3600 {
		t.Errorf("staff at work count as a visit: %v", b.Counts)
	}
}
