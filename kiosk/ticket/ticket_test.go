package ticket_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/kiosk/demarche"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/ticket"
)

// spell is a Translate that shows which sentence was asked for, and with what:
// "ticket.when(lundi)".
func spell(id string, data map[string]any) string {
	short := strings.TrimPrefix(id, "ticket.")
	if len(data) == 0 {
		return short
	}
	var values []string
	for _, k := range slices.Sorted(maps.Keys(data)) {
		values = append(values, fmt.Sprint(data[k]))
	}
	return short + "(" + strings.Join(values, ",") + ")"
}

var site = ticket.Site{Name: "Mairie de quartier", Region: "metropole"}

// monday is a Monday morning in November.
func monday(t *testing.T) time.Time {
	t.Helper()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, 23, 10, 42, 0, 0, paris)
}

func library() place.Hit {
	return place.Hit{Place: place.Place{
		Name: "Médiathèque", Address: "3 rue des Fontaines", Postcode: "00000", City: "Ville",
		Phone: "+33199000000", Hours: "Mo-Fr 09:00-12:00,14:00-18:30",
	}}
}

const yaml = `
id: carte
theme: papiers
icon: id
rank: 1
topic: papiers_elections_citoyennete
checked: 2026-11-01
sources:
  - title: {fr: "Carte d’identité", falc: "Carte d’identité", en: "Identity card"}
    url: https://www.service-public.gouv.fr/particuliers/vosdroits/F1342
  - title: {fr: "La ville", falc: "La ville", en: "The city"}
    url: https://www.ville.example.org/papiers/
title:   {fr: "Carte d’identité", falc: "Carte d’identité", en: "Identity card"}
summary: {fr: "Demander", falc: "Demander", en: "Apply"}
questions:
  - id: qui
    text: {fr: "La carte est pour qui ?", falc: "Pour qui ?", en: "Who is it for?"}
    choices:
      - {id: moi, icon: user, label: {fr: "Pour moi", falc: "Pour moi", en: "For me"}}
      - {id: enfant, icon: user, label: {fr: "Pour un enfant", falc: "Pour un enfant", en: "For a child"}}
  - id: ancienne
    text: {fr: "Avez-vous l’ancienne carte ?", falc: "Avez-vous l’ancienne carte ?", en: "Do you have the old card?"}
    choices:
      - {id: oui, icon: check, label: {fr: "Oui", falc: "Oui", en: "Yes"}}
      - {id: non, icon: x, label: {fr: "Non", falc: "Non", en: "No"}}
bring:
  - text: {fr: "1 photo", falc: "1 photo", en: "1 photo"}
    detail: {fr: "Récente", falc: "Récente", en: "Recent"}
  - text: {fr: "L’ancienne carte", falc: "L’ancienne carte", en: "The old card"}
    if: "ancienne == 'oui'"
cost:
  - {title: {fr: "25 euros", falc: "25 euros", en: "25 euros"}, verify: true, if: "ancienne == 'non'"}
  - {title: {fr: "Gratuit", falc: "Gratuit", en: "Free"}, if: "ancienne == 'oui'"}
delay:
  - title: {fr: "3 semaines", falc: "3 semaines", en: "3 weeks"}
    detail: {fr: "Plus en été", falc: "Plus en été", en: "Longer in summer"}
advice:
  - text: {fr: "Venez vous-même", falc: "Venez vous-même", en: "Come in person"}
where:
  - text: {fr: "À la mairie", falc: "À la mairie", en: "At the town hall"}
online:
  - text: {fr: "Pré-demande", falc: "Pré-demande", en: "Pre-application"}
    url: https://example.org/demande
  - text: {fr: "Rendez-vous", falc: "Rendez-vous", en: "Appointment"}
    url: https://www.example.org/rendez-vous
`

const themes = `
themes:
  - id: papiers
    icon: id
    label: {fr: Papiers, falc: Papiers, en: Papers}
`

func load(t testing.TB) *demarche.Demarche {
	t.Helper()
	c, err := demarche.Load(fstest.MapFS{
		"themes.yaml": {Data: []byte(themes)},
		"carte.yaml":  {Data: []byte(yaml)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Get("carte")
}

// read gives a document as one line a block.
func read(d printer.Document) string {
	var b strings.Builder
	for _, block := range d.Blocks {
		switch x := block.(type) {
		case printer.Heading:
			fmt.Fprintf(&b, "%s %s\n", strings.Repeat("#", x.Level), x.Text)
		case printer.Text:
			fmt.Fprintln(&b, x.Text)
		case printer.Bullet:
			fmt.Fprintln(&b, strings.TrimSpace("* "+x.Text+" / "+x.Detail))
		case printer.Checkbox:
			fmt.Fprintln(&b, strings.TrimSpace("[ ] "+x.Text+" / "+x.Detail))
		case printer.Rule:
			fmt.Fprintln(&b, "---")
		case printer.QR:
			fmt.Fprintln(&b, "QR "+x.Data)
		case printer.Code:
			fmt.Fprintln(&b, "CODE "+x.Text)
		case printer.Cut:
			fmt.Fprintln(&b, "cut")
		}
	}
	return b.String()
}

func want(t *testing.T, d printer.Document, lines ...string) {
	t.Helper()
	head := []string{"## Mairie de quartier", "Now(23,month.november,time(10,42),weekday.monday)", "---"}
	all := append(append(head, lines...), "free", "cut")
	if got, want := read(d), strings.Join(all, "\n")+"\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := escpos.Encode(d); err != nil {
		t.Errorf("it cannot be printed: %v", err)
	}
}

func TestDemarche(t *testing.T) {
	answers := demarche.Answers{"qui": "moi", "ancienne": "non"}
	d := ticket.Demarche(site, monday(t), load(t), answers, "fr", []place.Hit{library()}, spell)
	want(t, d,
		"# Carte d’identité",
		"Pour moi",
		"### bring",
		"[ ] 1 photo / Récente",
		"### cost",
		"verify(25 euros)",
		"### delay",
		"3 semaines",
		"Plus en été",
		"---",
		"### where",
		"* À la mairie /",
		"Médiathèque",
		"3 rue des Fontaines",
		"00000 Ville",
		"phone(01 99 00 00 00)",
		"today(range(hour(12),hour(9))andrange(time(18,30),hour(14)))",
		"Pré-demande",
		"QR https://example.org/demande",
		"scan",
		"example.org/demande",
		"* Rendez-vous / example.org/rendez-vous",
		"### advice",
		"* Venez vous-même /",
		"---",
		"verify_how",
		"source(service-public.gouv.fr, F1342)",
		"source(ville.example.org/papiers)",
		"checked(date(first,month.november,2026))",
	)
	if d.Lang != "fr" {
		t.Errorf("language %q", d.Lang)
	}
}

func TestDemarcheFollowsTheAnswersAndTheLanguage(t *testing.T) {
	answers := demarche.Answers{"qui": "enfant", "ancienne": "oui"}
	got := read(ticket.Demarche(site, monday(t), load(t), answers, "en", nil, spell))
	for _, s := range []string{"# Identity card\nFor a child\n", "[ ] The old card", "\nFree\n", "* At the town hall"} {
		if !strings.Contains(got, s) {
			t.Errorf("%q is missing from\n%s", s, got)
		}
	}
	for _, s := range []string{"verify", "Yes", "25 euros"} {
		if strings.Contains(got, s) {
			t.Errorf("%q is in\n%s", s, got)
		}
	}
}

func TestDemarcheBeforeAllIsAnswered(t *testing.T) {
	got := read(ticket.Demarche(site, monday(t), load(t), demarche.Answers{}, "fr", nil, spell))
	if !strings.Contains(got, "# Carte d’identité\n### bring\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestPlace(t *testing.T) {
	h := library()
	h.AddressExtra, h.Websites, h.Source = "Bâtiment B", []string{"https://www.mediatheque.example.org/"}, "Coop"
	h.Updated, h.Walk, h.Stale = time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC), 7*time.Minute+20*time.Second, true
	h.Hours = "Mo-Fr 09:00-12:00"
	want(t, ticket.Place(site, monday(t), h, "fr", spell),
		"# Médiathèque",
		"3 rue des Fontaines",
		"Bâtiment B",
		"00000 Ville",
		"walk(7)",
		"phone(01 99 00 00 00)",
		"### hours",
		"hours_on(Day(23,weekday.monday),range(hour(12),hour(9)))",
		"hours_on(Day(24,weekday.tuesday),range(hour(12),hour(9)))",
		"hours_on(Day(25,weekday.wednesday),range(hour(12),hour(9)))",
		"hours_on(Day(26,weekday.thursday),range(hour(12),hour(9)))",
		"hours_on(Day(27,weekday.friday),range(hour(12),hour(9)))",
		"hours_on(Day(28,weekday.saturday),closed)",
		"hours_on(Day(29,weekday.sunday),closed)",
		"stale",
		"website",
		"QR https://www.mediatheque.example.org/",
		"scan",
		"mediatheque.example.org",
		"---",
		"source(Coop)",
		"updated(date(2,month.march,2025))",
	)
}

func TestHoursToday(t *testing.T) {
	tests := []struct {
		name  string
		hours string
		state hours.State
		day   int // of November 2026
		want  string
	}{
		{"open", "Mo-Fr 09:00-12:00", hours.State{}, 23, "today(range(hour(12),hour(9)))"},
		{"closed", "Tu 09:00-12:00", hours.State{}, 23, "today(closed)"},
		{"a holiday", "Mo-Su 09:00-12:00", hours.State{}, 11, "today(holiday(Armistice de 1918))"},
		{"a holiday the directory knows", "Mo-Fr 09:00-12:00", hours.State{Holiday: "Fête du lieu"}, 23, "today(holiday(Fête du lieu))"},
		{"unreadable", "le matin sauf exception", hours.State{}, 23, "hours_written(le matin sauf exception)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := library()
			h.Hours, h.State = tt.hours, tt.state
			at := monday(t).AddDate(0, 0, tt.day-23)
			got := read(ticket.Places(site, at, []place.Hit{h}, "fr", spell))
			if !strings.Contains(got, "\n"+tt.want+"\n") {
				t.Errorf("%q is missing from\n%s", tt.want, got)
			}
		})
	}
	t.Run("not known", func(t *testing.T) {
		h := library()
		h.Hours = ""
		if got := read(ticket.Places(site, monday(t), []place.Hit{h}, "fr", spell)); strings.Contains(got, "today") {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestPlaces(t *testing.T) {
	far := library()
	far.Name, far.Phone, far.Hours, far.Stale, far.Walk = "Maison", "", "", true, 20*time.Second
	want(t, ticket.Places(site, monday(t), []place.Hit{library(), far}, "fr", spell),
		"# places",
		"Médiathèque", "3 rue des Fontaines", "00000 Ville", "phone(01 99 00 00 00)",
		"today(range(hour(12),hour(9))andrange(time(18,30),hour(14)))",
		"Maison", "3 rue des Fontaines", "00000 Ville", "walk(1)", "stale",
	)
}

func TestLevel(t *testing.T) {
	want(t, ticket.Level(site, monday(t), "Accompagnement", "Quelqu’un fait avec vous.", []place.Hit{library()}, "fr", spell),
		"# Accompagnement", "Quelqu’un fait avec vous.", "---", "### where",
		"Médiathèque", "3 rue des Fontaines", "00000 Ville", "phone(01 99 00 00 00)",
		"today(range(hour(12),hour(9))andrange(time(18,30),hour(14)))",
	)
}

func TestCallback(t *testing.T) {
	want(t, ticket.Callback(site, monday(t), "K7Q 4M2", "lundi après-midi", "fr", spell),
		"# callback", "when(lundi après-midi)", "code", "CODE K7Q 4M2", "code_use", "anonymous",
	)
}

// A full démarche ticket is to be made and encoded in under 5 ms.
func BenchmarkDemarche(b *testing.B) {
	d, answers := load(b), demarche.Answers{"qui": "moi", "ancienne": "oui"}
	hits := []place.Hit{library(), library(), library()}
	at := time.Date(2026, 11, 23, 10, 42, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := escpos.Encode(ticket.Demarche(site, at, d, answers, "fr", hits, spell)); err != nil {
			b.Fatal(err)
		}
	}
}

// The address of the house stands below its name.
func TestAddress(t *testing.T) {
	t.Parallel()
	at := site
	at.Address = "1 place de la Fontaine, 67000 Ville"
	doc := ticket.Trial(at, monday(t), func(id string, _ map[string]any) string { return id })
	if len(doc.Blocks) < 2 || doc.Blocks[0] != (printer.Heading{Level: 2, Text: site.Name, Centred: true}) ||
		doc.Blocks[1] != (printer.Text{Text: at.Address, Centred: true}) {
		t.Errorf("the ticket begins %+v", doc.Blocks)
	}
}
