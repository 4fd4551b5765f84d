package e2e

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/content"
	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
	"parvis/kiosk/demarche"
)

// TestJourneys leads residents by the mouse through all a borne can do for
// them, one visit a subtest, and looks at the paper and the database.
func TestJourneys(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{morning}})
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

// directory is the demo places, by the names of their columns.
type directory []map[string]string

// demoPlaces reads the demo directory, nearest to the demo site first and those
// without a position last.
func demoPlaces(t *testing.T) directory {
	t.Helper()
	f, err := os.Open("../content/demo/places.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all directory
	for _, row := range rows[1:] {
		place := make(map[string]string)
		for i, column := range rows[0] {
			place[column] = row[i]
		}
		all = append(all, place)
	}
	slices.SortStableFunc(all, func(a, b map[string]string) int { return int(away(a) - away(b)) })
	return all
}

// away is how far a place is from the demo site, in metres.
func away(place map[string]string) float64 {
	if place["latitude"] == "" {
		return 1e9
	}
	lat, err1 := strconv.ParseFloat(place["latitude"], 64)
	lon, err2 := strconv.ParseFloat(place["longitude"], 64)
	if err1 != nil || err2 != nil {
		return -1
	}
	const metres = 111195 // a degree of latitude
	return math.Hypot((lat-48.5734)*metres, (lon-7.7521)*metres*math.Cos(48.5734*math.Pi/180))
}

// with keeps the places that have the value in the column.
func (d directory) with(column, value string) directory {
	var kept directory
	for _, place := range d {
		if slices.Contains(strings.Split(place[column], "|"), value) {
			kept = append(kept, place)
		}
	}
	return kept
}

// only keeps the places with these ids.
func (d directory) only(ids ...string) directory {
	var kept directory
	for _, place := range d {
		if slices.Contains(ids, place["id"]) {
			kept = append(kept, place)
		}
	}
	return kept
}

func (d directory) ids() []string {
	var ids []string
	for _, place := range d {
		ids = append(ids, place["id"])
	}
	return ids
}

// want compares the list on the glass with the places, nearest first.
func want(t *testing.T, b *xdrive.Borne, what string, places directory) {
	t.Helper()
	if got := offered(b, "place:"); !slices.Equal(got, places.ids()) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, places.ids())
	}
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
			counted("visit", "language.fr", "level."+profile.id, "ticket.printed", "place.shown", "missing.long", "missing.scan")
		})
	}
}

func testCallback(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	tap(b, "start", "callback")
	find(b, "topic:social_sante")
	write(b, "0612345652")
	find(b, "continue", "slot:1", "continue")
	write(b, "M")
	write(b, "élanie")
	find(b, "continue")
	if send := b.Target("send"); !send.Disabled {
		t.Error("a request can leave without consent")
	}
	find(b, "consent", "send")
	b.WaitPage("callback.done")

	all := outbox(t, b)
	code := requestOf(t, b, "+33612345652").Code
	if !slices.ContainsFunc(all, func(w waiting) bool { return w.Code == code }) {
		t.Errorf("parvis callback list does not show %s: %v", code, all)
	}
	ticket := print(t, b)
	wantText(t, ticket, "CODE: "+callback.FormatCode(code), "On vous rappelle",
		"aujourd’hui après-midi, 14 h – 17 h", "Ce ticket ne porte ni votre nom ni votre téléphone.")
	if found := betrayed([]byte(ticket.Text), secrets("0612345652", "Mélanie")); len(found) > 0 {
		t.Errorf("the ticket says %s:\n%s", found, ticket.Text)
	}
	wantRequest(t, requestOf(t, b, "+33612345652"), callback.Request{
		Topic: "social_sante", Phone: "+33612345652", FirstName: "Mélanie", Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-24T14:00:00+01:00", "2026-11-24T17:00:00+01:00")},
	})
	tap(b, "leave", "leaving.finish")
	b.WaitPage("attract")
	counted("visit", "language.fr", "callback.begun", "callback.kept", "ticket.printed")
}

// slot is a stretch of time.
func slot(t *testing.T, start, end string) callback.Slot {
	t.Helper()
	var s callback.Slot
	var err1, err2 error
	s.Start, err1 = time.Parse(time.RFC3339, start)
	s.End, err2 = time.Parse(time.RFC3339, end)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantRequest compares what the resident asked for, but for the ID, the code
// and the time, which are the borne's.
func wantRequest(t *testing.T, got, want callback.Request) {
	t.Helper()
	if now := slot(t, "2026-11-24T10:42:00+01:00", "2026-11-24T10:52:00+01:00"); got.Created.Before(now.Start) || got.Created.After(now.End) {
		t.Errorf("created %v", got.Created)
	}
	if got.ID.Version() != 7 {
		t.Errorf("ID %s", got.ID)
	}
	if code, err := callback.CheckCode(got.Code); err != nil || code != got.Code {
		t.Errorf("code %q: %v", got.Code, err)
	}
	want.ID, want.Code, want.Created = got.ID, got.Code, got.Created
	g, w := asJSON(t, got), asJSON(t, want)
	if g != w {
		t.Errorf("the request is\n%s, want\n%s", g, w)
	}
}

func asJSON(t *testing.T, r callback.Request) string {
	t.Helper()
	for i := range r.Slots {
		r.Slots[i].Start, r.Slots[i].End = r.Slots[i].Start.UTC(), r.Slots[i].End.UTC()
	}
	r.Created = r.Created.UTC()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each line of the review can be mended, and what leaves is the mended request.
func testMending(t *testing.T, b *xdrive.Borne) {
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0123456789")
	find(b, "continue", "slot:any", "continue")
	write(b, "Paul")
	find(b, "continue", "mend:topic", "topic:e_mail")
	b.WaitPage("callback.review")
	find(b, "mend:phone", "key.clear")
	write(b, "0692")
	if next := b.Target("continue"); !next.Disabled {
		t.Error("a short number is taken")
	}
	write(b, "123456")
	find(b, "continue")
	b.WaitPage("callback.review")
	find(b, "mend:when", "slot:2", "continue")
	b.WaitPage("callback.review")
	find(b, "mend:name", "key.rub", "key.rub", "key.rub", "key.rub", "continue")
	b.WaitPage("callback.review")
	find(b, "consent", "send")
	b.WaitPage("callback.done")
	wantRequest(t, requestOf(t, b, "+262692123456"), callback.Request{
		Topic: "e_mail", Phone: "+262692123456", Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-25T09:00:00+01:00", "2026-11-25T12:00:00+01:00")},
	})
	tap(b, "home")
	leave(b)
}

// A deaf resident is written to, at a number that can be written to, by a
// place of their choice.
func testTextMessage(t *testing.T, b *xdrive.Borne) {
	tap(b, "lang:en", "help")
	find(b, "need:demarches", "place:demo-02", "callback", "topic:argent_impots", "by_text")
	write(b, "0388112233")
	if next := b.Target("continue"); !next.Disabled {
		t.Error("a text message is promised to a landline")
	}
	find(b, "key.clear")
	write(b, "0768123456")
	find(b, "continue", "slot:0", "continue", "continue", "consent", "send")
	b.WaitPage("callback.done")
	wantRequest(t, requestOf(t, b, "+33768123456"), callback.Request{
		Topic: "argent_impots", Phone: "+33768123456", Text: true, Lang: "en", Site: "demo", PlaceID: "demo-02", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-24T09:00:00+01:00", "2026-11-24T12:00:00+01:00")},
	})
	tap(b, "home")
	leave(b)
}
