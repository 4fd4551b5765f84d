package e2e

import (
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"parvis/content"
	"parvis/e2e/xdrive"
	"parvis/kiosk/demarche"
)

// TestJourneys leads residents by the mouse through all a borne can do for
// them, one visit a subtest, and looks at the paper and the database.
func TestJourneys(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	for _, journey := range []struct {
		name string
		run  func(*testing.T, *xdrive.Borne)
	}{
		{"demarche", testDemarche},
		{"language", testLanguage},
		{"search", testSearch},
		{"filters", testFilters},
		{"level", testLevel},
		{"callback", testCallback},
		{"mending", testMending},
		{"text message", testTextMessage},
		{"not kept", testNotKept},
	} {
		t.Run(journey.name, func(t *testing.T) {
			visit(t, b)
			journey.run(t, b)
		})
	}
}

func testDemarche(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	tap(b, "start", "demarches")
	find(b, "demarche:carte-identite-passeport", "answer:deux", "answer:ado", "answer:perte", "answer:non")
	b.WaitPage("demarche.result")
	ticket := print(t, b)

	d, outcome := result(t, "carte-identite-passeport", map[string]string{"titre": "deux", "qui": "ado", "motif": "perte", "autre_titre": "non"})
	wantText(t, ticket, "Mairie de quartier", "Mardi 24 novembre · 10 h 4", d.Title["fr"],
		"Mairie de quartier des Trois-Ponts 1 place des Trois-Ponts 67000 Strasbourg",
		"Source : service-public.gouv.fr, F21089", "Informations vérifiées le 15 novembre 2026")
	if len(outcome.Bring) < 5 {
		t.Fatalf("%d papers to bring are no test", len(outcome.Bring))
	}
	for _, paper := range outcome.Bring {
		wantText(t, ticket, "[ ] "+paper.Text["fr"]+" "+paper.Detail["fr"])
	}
	if n := strings.Count(ticket.Text, "[ ]"); n != len(outcome.Bring) {
		t.Errorf("%d boxes to tick for %d papers", n, len(outcome.Bring))
	}
	for _, fact := range slices.Concat(outcome.Cost, outcome.Delay) {
		wantText(t, ticket, fact.Title["fr"])
	}
	for _, where := range outcome.Where {
		wantText(t, ticket, where.Text["fr"])
	}
	if read := scan(t, ticket); read != outcome.Online[0].URL {
		t.Errorf("the code on the ticket leads to %q, want %q", read, outcome.Online[0].URL)
	}

	leave(b, "face:yes")
	counted("visit", "language.fr", "demarche.carte-identite-passeport.begun", "demarche.carte-identite-passeport.done", "ticket.printed", "leaving.yes")
}

// result is what the content shipped says of a démarche.
func result(t *testing.T, id string, answers demarche.Answers) (*demarche.Demarche, demarche.Outcome) {
	t.Helper()
	sub, err := fs.Sub(content.FS, "demarches")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := demarche.Load(sub)
	if err != nil {
		t.Fatal(err)
	}
	d := catalogue.Get(id)
	return d, d.Outcome(answers)
}

// scan reads the one code on a ticket with a scanner that is not ours.
func scan(t *testing.T, ticket xdrive.Ticket) string {
	t.Helper()
	out, err := exec.Command("zbarimg", "-q", "--raw", ticket.PNG).Output()
	if err != nil {
		t.Fatalf("zbarimg %s: %v", ticket.PNG, err)
	}
	return strings.TrimSpace(string(out))
}

// A language chosen in the middle of a question leads back to it.
func testLanguage(t *testing.T, b *xdrive.Borne) {
	tap(b, "start", "demarches")
	find(b, "demarche:carte-identite-passeport", "answer:carte", "answer:enfant")
	question := offered(b, "answer:")
	for _, lang := range []string{"en", "falc", "fr"} {
		tap(b, "nav.language", "lang:"+lang)
		if p := b.WaitPage("demarche.question"); p.Lang != lang {
			t.Errorf("after choosing %s the question is in %s", lang, p.Lang)
		}
		if now := offered(b, "answer:"); !slices.Equal(now, question) {
			t.Errorf("in %s the answers are %q, before %q", lang, now, question)
		}
	}
	tap(b, "nav.language", "lang:en")
	find(b, "answer:premiere", "answer:oui")
	ticket := print(t, b)
	_, outcome := result(t, "carte-identite-passeport", map[string]string{"titre": "carte", "qui": "enfant", "motif": "premiere", "autre_titre": "oui"})
	for _, paper := range outcome.Bring {
		wantText(t, ticket, "[ ] "+paper.Text["en"])
	}
	leave(b)
}

func testSearch(t *testing.T, b *xdrive.Borne) {
	tap(b, "start", "help")
	find(b, "search")
	write(b, "mediateque") // without its second h
	if found := offered(b, "place:"); !slices.Equal(found, []string{"demo-03"}) {
		t.Fatalf("mediateque finds %q", found)
	}
	find(b, "place:demo-03")
	ticket := print(t, b)
	wantText(t, ticket, "Médiathèque de l’Orme", "12 rue de l’Orme-Bleu 67000 Strasbourg",
		"Mardi 24 : 12 h – 19 h Mercredi 25 : 10 h – 18 h", "Dimanche 29 : fermé", "Téléphone : 02 61 91 00 03")
	if read := scan(t, ticket); read != "https://demo.example/mediatheque" {
		t.Errorf("the code on the ticket leads to %q", read)
	}
	leave(b)
}

// Filters narrow the list: or within a group, and across groups.
func testFilters(t *testing.T, b *xdrive.Borne) {
	places := demoPlaces(t)
	helps := places.with("services", "Aide aux démarches administratives")
	tap(b, "start", "help")
	find(b, "need:demarches")
	want(t, b, "the need alone", helps)

	find(b, "filter:open") // on a Tuesday at 10 h 42
	want(t, b, "open now", helps.only("demo-01", "demo-02", "demo-04", "demo-09", "demo-11", "demo-13", "demo-18", "demo-19", "demo-21", "demo-24", "demo-25"))
	find(b, "filter:open", "filters", "group:network", "filter:programme:france_services", "filter:programme:conseillers_numeriques", "show")
	networks := append(helps.with("dispositif_programmes_nationaux", "France Services"),
		helps.with("dispositif_programmes_nationaux", "Conseillers numériques")...)
	want(t, b, "two networks", helps.only(networks.ids()...))

	find(b, "filters", "group:price", "filter:booking", "show")
	var booked []string
	for _, p := range networks {
		if p["prise_rdv"] != "" {
			booked = append(booked, p["id"])
		}
	}
	want(t, b, "two networks with appointments", helps.only(booked...))

	find(b, "filters", "clear", "show", "sort")
	closed := helps.only("demo-08", "demo-12", "demo-14").ids()
	if last := offered(b, "place:")[len(helps)-3:]; !slices.Contains(closed, last[2]) || !slices.Contains(closed, last[1]) {
		t.Errorf("sorted by opening, the list ends with %q, not with those closed now: %q", last, closed)
	}
	leave(b)
}

func testLevel(t *testing.T, b *xdrive.Borne) {
	for _, profile := range []struct {
		id, title      string
		answers        []string
		service, mode1 string
		mode2          string
	}{
		{"accompagnement", "Un accompagnement", []string{"aucun", "pas_d_adresse", "pas_internet", "jamais", "ne_sais_pas"},
			"Aide aux démarches administratives", "Accompagnement individuel", ""},
		{"formation", "Une formation", []string{"un_peu", "un_peu", "un_peu", "quelqu_un", "apprendre"},
			"Maîtrise des outils numériques du quotidien", "Dans un atelier collectif", ""},
		{"coup_de_pouce", "Un coup de pouce", []string{"sans_aide", "sans_aide", "sans_aide", "un_peu", "question"},
			"Accès internet et matériel informatique", "En autonomie", "Accompagnement individuel"},
	} {
		t.Run(profile.id, func(t *testing.T) {
			visit(t, b)
			counted := counting(t, b)
			tap(b, "start", "level")
			for _, answer := range profile.answers {
				find(b, "answer:"+answer)
			}
			b.WaitPage("level.result")
			all := demoPlaces(t).with("services", profile.service)
			all = all.only(append(all.with("modalites_accompagnement", profile.mode1).ids(), all.with("modalites_accompagnement", profile.mode2).ids()...)...)
			want(t, b, "the nearest two", all[:2])
			ticket := print(t, b)
			wantText(t, ticket, profile.title, all[0]["nom"], all[1]["nom"])
			find(b, "places")
			want(t, b, "all places that suit", all)
			find(b, "place:"+all[1]["id"])
			b.WaitPage("place")
			leave(b, "missing:long", "missing:scan")
			counted("visit", "language.fr", "level."+profile.id, "ticket.printed", "place.shown", "missing.scan", "missing.long")
		})
	}
}
