// Package journeytest builds a whole borne without a screen for tests: the
// shipped content, the demo places, a store on disk and a printer that takes
// every ticket. It also walks every page there is.
package journeytest

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/app/journey"
	"parvis/app/text"
	"parvis/content"
	"parvis/device"
	"parvis/device/printer"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/demarche"
	"parvis/kiosk/hours"
	"parvis/kiosk/level"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// Borne is a borne without a screen.
type Borne struct {
	*journey.Journey
	Store   *store.Store
	Dir     string
	Key     *age.X25519Identity // opens the sealed requests
	Tickets []printer.Document  // printed on the ticket printer
	Sheets  []printer.Document  // printed on the A4 printer
	Fault   error               // what the printers answer instead of printing
	Counts  map[string]int
	Clock   time.Time

	TicketPrinter, SheetPrinter, Reader device.Status
	DeviceLines                         []journey.DeviceLine
	Kept                                map[string]string // what outlives a restart
	Restarts                            int
	SocketsFail                         error  // why no stick is let in
	NoIdentity                          bool   // the borne is not enrolled yet
	Invitation                          string // the one that it can be enrolled by
	RestartFails                        error  // why the borne refuses
}

// New makes a borne on a Tuesday morning on which the demo places are open.
func New(t testing.TB) *Borne {
	t.Helper()
	online := device.Status{State: device.Online}
	b := &Borne{Dir: t.TempDir(), Counts: map[string]int{}, TicketPrinter: online, SheetPrinter: online, Reader: online, Kept: map[string]string{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	b.Clock = time.Date(2026, 11, 24, 10, 42, 0, 0, hours.Paris)
	b.Store, err = store.Open(b.Dir)
	must(err)
	t.Cleanup(func() { b.Store.Close() })
	const region = hours.Region("alsace-moselle")
	texts, err := text.Load()
	must(err)
	sub, err := fs.Sub(content.FS, "demarches")
	must(err)
	demarches, err := demarche.Load(sub)
	must(err)
	test, err := level.Load(content.FS)
	must(err)
	places, err := place.Open(t.Context(), b.Store.DB(), region)
	must(err)
	csv, err := content.FS.Open("demo/places.csv")
	must(err)
	defer csv.Close()
	_, err = places.Import(t.Context(), csv, "places.csv", func(r place.Rejection) { t.Error(r) })
	must(err)
	b.Key, err = age.GenerateX25519Identity()
	must(err)
	mediators, err := hours.Parse("Mo-Fr 09:00-12:00,14:00-17:00; PH off", region)
	must(err)
	b.Journey = &journey.Journey{
		Site: journey.Site{
			ID: "demo", Name: "Mairie de quartier", Phone: "03 53 01 00 00", Region: region,
			Position: place.Point{Lat: 48.5734, Lon: 7.7521}, Mediators: mediators, Languages: []string{"fr", "falc", "en"},
			Address: "1 place de la Fontaine, 67000 Ville-Exemple",
			Desk:    journey.Contact{Name: "Accueil", Phone: "03 53 01 00 00", Email: "accueil@ville.example.org"},
			IT:      journey.Contact{Name: "Assistance des bornes", Phone: "03 53 01 00 99"},
		},
		Texts: texts, Demarches: demarches, Level: test, Places: places,
		Desk:    &callback.Desk{Store: b.Store, Recipients: []age.Recipient{b.Key.Recipient()}},
		Outputs: []journey.Output{{ID: journey.Ticket, Print: b.printTo(&b.Tickets), Status: func() device.Status { return b.TicketPrinter }}},
		Count:   func(key string, n int) { b.Counts[key] += n },
		Now:     func() time.Time { return b.Clock },
		Cards:   cardRules(), CardReader: func(reader.Medium) (device.Status, bool) { return b.Reader, true },
		Staff: b.staff(t),
		Enrolment: &journey.Enrolment{
			Check: func(line string) error {
				if len(line) < len(b.Invitation) {
					return errors.New("trop court")
				}
				return nil
			},
			Ask: func(_ context.Context, line string) error {
				if line != b.Invitation {
					return errors.New("code inconnu")
				}
				b.NoIdentity = false
				return nil
			},
			Needed: func() bool { return b.NoIdentity },
		},
	}
	b.Fiches.Store(openFiches(t))
	return b
}

// Choose does one choice after the other and runs the tasks they start.
func (b *Borne) Choose(t testing.TB, v *visit.Visit, ids ...string) {
	t.Helper()
	for _, id := range ids {
		c, ok := b.Page(t.Context(), v).Find(id)
		if !ok || c.Disabled() {
			t.Fatalf("page %s has no choice %s (%+v)", v.Here().Page, id, c)
		}
		if task := b.Journey.Choose(t.Context(), v, id); task != nil {
			task.Run(t.Context())(v)
		}
	}
}

// Type presses a key for each sign.
func (b *Borne) Type(t testing.TB, v *visit.Visit, s string) {
	t.Helper()
	for _, r := range s {
		b.Choose(t, v, "key:"+string(r))
	}
}

// A Scene is a page in a state worth looking at, and how to get there.
type Scene struct {
	Name  string
	Visit *visit.Visit
}

// Scenes walks the borne until every page has been seen, and returns a visit
// that stands on each. The borne then has a ticket printer, an A4 printer and Wi-Fi.
func (b *Borne) Scenes(t testing.TB, lang string) []Scene {
	t.Helper()
	var all []Scene
	at := func(name string, ids ...string) *visit.Visit {
		v := visit.New(1, "")
		b.Choose(t, v, "lang:"+lang)
		b.Choose(t, v, ids...)
		if got := v.Here().Page; got != name {
			t.Fatalf("%v led to %s, want %s", ids, got, name)
		}
		all = append(all, Scene{strings.Join(append([]string{name}, ids...), " "), v})
		return v
	}
	b.Site.Wifi = ticket.Wifi{Name: "Mairie-Public", Password: "bienvenue", Note: "Acceptez les conditions."}
	b.Outputs = b.Outputs[:1]
	defer b.AddSheetPrinter() // where pages show what there is to print on, they show both
	all = append(all, Scene{"attract", visit.New(1, lang)})
	at("home")
	at("demarches", "demarches")
	at("demarche.themes", "demarches", "themes")
	for _, theme := range b.Demarches.Themes {
		at("demarches", "demarches", "themes", "theme:"+theme.ID)
	}
	b.Type(t, at("demarche.search", "demarches", "search"), "carte")
	b.Type(t, at("demarche.search", "demarches", "search"), "xyz")
	results := map[string][]string{}
	for _, d := range b.Demarches.Demarches {
		path := []string{"demarches", "themes", "theme:" + d.Theme, "demarche:" + d.ID}
		a := demarche.Answers{}
		for q := d.Next(a); q != nil; q = d.Next(a) {
			at("demarche.question", path...)
			a[q.ID] = q.Choices[len(q.Choices)-1].ID
			path = append(slices.Clone(path), "answer:"+a[q.ID])
		}
		at("demarche.result", path...)
		results[d.ID] = path
		at("demarche.sources", append(slices.Clone(path), "sources")...)
		if out := d.Outcome(a); len(out.Where) > 0 {
			at("demarche.where", append(slices.Clone(path), "where")...)
			for i, w := range out.Where {
				if w.Query != nil {
					at("places", append(slices.Clone(path), "where", "where:"+string(rune('0'+i)))...)
				}
			}
		}
		if len(d.Outcome(a).Online) > 0 {
			at("demarche.online", append(slices.Clone(path), "online")...)
		}
	}
	ficheScenes(at, results)
	at("help.need", "help")
	for _, need := range []string{"demarches", "apprendre", "ordinateur", "securite", "materiel"} {
		at("places", "help", "need:"+need)
	}
	at("places", "help", "need:demarches", "filter:open", "filter:mediator", "sort")
	at("places", "help", "need:materiel", "filter:open", "filter:wifi", "filter:accessible", "filters", "group:care", "filter:care:surdite", "show")
	at("places.filters", "help", "need:demarches", "filters")
	for _, g := range []string{"services", "audience", "care", "language", "price", "time", "network", "kit"} {
		at("places.filter", "help", "need:demarches", "filters", "group:"+g)
	}
	b.Type(t, at("places.search", "help", "search"), "medi")
	v := at("places", "help", "need:demarches")
	for _, part := range b.Page(t.Context(), v).Reading() {
		if part.Choice != nil && strings.HasPrefix(part.Choice.ID, "place:") {
			at("place", "help", "need:demarches", part.Choice.ID)
		}
	}
	at("place.phone", "help", "need:demarches", "place:demo-02", "phone")
	path := []string{"level"}
	for _, q := range b.Level.Questions {
		at("level.question", path...)
		path = append(slices.Clone(path), "answer:"+q.Choices[0].ID)
	}
	at("level.result", path...)
	at("card", "card")
	b.cardScenes(t, at)
	b.staffScenes(t, at)
	at("wifi", "help", "need:ordinateur", "wifi")
	at("language", "nav.language")
	at("person", "nav.person")
	b.callbackScenes(t, at)
	at("leaving", "nav.leave", "face:yes", "missing:internet")
	return all
}

func (b *Borne) callbackScenes(t testing.TB, at func(string, ...string) *visit.Visit) {
	t.Helper()
	keys := func(s string) []string {
		var ids []string
		for _, r := range s {
			ids = append(ids, "key:"+string(r))
		}
		return ids
	}
	at("callback.topic", "callback")
	start := []string{"callback", "topic:social_sante"}
	at("callback.phone", start...)
	at("callback.phone", slices.Concat(start, keys("061234"))...)
	at("callback.phone", slices.Concat(start, keys("99999999999999"))...)
	number := slices.Concat(start, keys("0612345678"), []string{"continue"})
	at("callback.when", number...)
	named := slices.Concat(number, []string{"slot:1", "continue"})
	at("callback.name", slices.Concat(named, keys("L"), keys("ea"))...)
	review := slices.Concat(named, []string{"continue"})
	at("callback.review", review...)
	at("callback.review", append(slices.Clone(review), "consent")...)
	at("callback.done", append(slices.Clone(review), "consent", "send")...)
	failed := b.Desk.Recipients
	b.Desk.Recipients = nil
	at("callback.failed", append(slices.Clone(review), "consent", "send")...)
	b.Desk.Recipients = failed
	for _, f := range device.Faults() {
		if f.Resident == "" {
			continue
		}
		for _, p := range []printer.Printed{printer.Nothing, printer.Maybe} {
			b.Fault = &printer.Error{Fault: f.Fault, Printed: p}
			at("print.failed", append(slices.Clone(review), "consent", "send", "print")...)
		}
	}
	b.Fault = nil
	b.Fault = &printer.Error{Fault: device.NoPaper, Printed: printer.Nothing}
	at("print.failed", "help", "need:demarches", "print")
	b.AddSheetPrinter()
	at("print.failed", "help", "need:demarches", "print", "on:a4")
	b.Fault = &printer.Error{Fault: device.Silent, Printed: printer.Maybe}
	at("print.failed", append(slices.Clone(review), "consent", "send", "print", "on:a4")...)
	b.Fault = nil
	at("print.choose", "help", "need:demarches", "print")
	b.Outputs = b.Outputs[:1]
}
