package place_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/hours"
	"parvis/kiosk/place"
)

var here = &place.Point{Lat: 48.5734, Lon: 7.7521}

// town is a small directory: a is at the point itself, the others ever farther
// north, 0.009 degrees being about 1 km.
func town(t testing.TB) *place.Directory {
	d := MustOpen(t)
	MustImport(t, d, "ville.csv", CSV(
		[]string{"a", "nom=Médiathèque Olympe", "latitude=48.5734", "longitude=7.7521", "horaires=Tu-Sa 10:00-18:00",
			"services=Accès internet et matériel informatique|Aide aux démarches administratives", "frais_a_charge=Gratuit",
			"publics_specifiquement_adresses=Jeunes", "modalites_accompagnement=En autonomie"},
		[]string{"b", "nom=Maison France Services", "latitude=48.5824", "longitude=7.7521", "horaires=Mo-Fr 08:30-12:00,13:30-17:00",
			"services=Aide aux démarches administratives", "dispositif_programmes_nationaux=France Services|Conseillers numériques",
			"frais_a_charge=Gratuit", "prise_rdv=https://rdv.exemple.fr"},
		[]string{"c", "nom=Centre socioculturel des Écluses", "latitude=48.5914", "longitude=7.7521", "horaires=Mo-Fr 14:00-20:00",
			"services=Loisirs et créations numériques", "frais_a_charge=Gratuit sous condition|Payant", "publics_specifiquement_adresses=Seniors",
			"presentation_detail=Ateliers municipaux. Accès Wi-Fi, ordinateurs, entrée en fauteuil roulant."},
		[]string{"d", "nom=Atelier du Clavier", "commune=Kehl", "horaires=sur rendez-vous", "frais_a_charge=Payant", "date_maj=2024-03-01",
			"presentation_resume=Pas de Wi-Fi, non accessible : pas PMR", "modalites_acces=Prendre un RDV en ligne"},
		[]string{"e", "nom=Point numérique du Port", "latitude=48.6004", "longitude=7.7521", "fiche_acces_libre=https://acces.exemple.fr",
			"modalites_accompagnement=Accompagnement individuel", "services=Utilisation sécurisée du numérique"},
	))
	return d
}

func TestSearchByWords(t *testing.T) {
	d := town(t)
	for _, c := range []struct{ name, text, want, corrected string }{
		{"nothing asked", "", "a b c e d", ""},
		{"only signs", " , ! ", "a b c e d", ""},
		{"a word", "médiathèque ", "a", ""},
		{"accents don't matter", "mediatheque ", "a", ""},
		{"case doesn't matter", "MÉDIATHÈQUE ", "a", ""},
		{"plural ending", "médiathèques ", "a", ""},
		{"plural in -aux", "municipal ", "c", ""},
		{"joined letters", "Ecluse ", "c", ""},
		{"prefix while typing", "médiat", "a", ""},
		{"one letter", "m", "a b c", ""}, // Médiathèque, Maison, municipaux
		{"all words must occur", "maison médiathèque ", "", ""},
		{"in any order", "services maison ", "b", ""},
		{"small words don't count", "maison de la services ", "b", ""},
		{"city", "kehl", "d", ""},
		{"postcode", "67000", "a b c e d", ""},
		{"numbers are not corrected", "67001 ", "", ""},
		{"words of a service", "loisirs ", "c", ""},
		{"words of a programme", "conseiller ", "b", ""},
		{"words of the presentation", "ateliers municipaux", "c", ""},
		{"apostrophe", "l’atelier ", "c d", ""},
		{"letter wrong", "médiatheqie ", "a", "médiathèque"},
		{"letter missing", "mdiathèque ", "a", "médiathèque"},
		{"letter too many", "médiathhèque ", "a", "médiathèque"},
		{"letters swapped", "méidathèque ", "a", "médiathèque"},
		{"typing error while typing", "medai", "a", "médiathèque"},
		{"typing error in a beginning", "mediatjeq", "a", "médiathèque"},
		{"two typing errors are too many", "mediathqeiu ", "", ""},
		{"error beside a right word", "maison frnace ", "b", "maison france"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := MustSearch(t, d, place.Query{Text: c.text, Near: here})
			if got := IDs(r); got != c.want {
				t.Errorf("%q found %q, want %q", c.text, got, c.want)
			}
			if r.Corrected != c.corrected {
				t.Errorf("%q corrected to %q, want %q", c.text, r.Corrected, c.corrected)
			}
			if r.Total != len(r.Hits) {
				t.Errorf("total %d, %d hits", r.Total, len(r.Hits))
			}
		})
	}
}

func TestStem(t *testing.T) {
	for _, same := range [][]string{
		{"numerique", "numeriques"}, {"demarche", "demarches"}, {"municipal", "municipaux", "municipale", "municipales"},
		{"bureau", "bureaux"}, {"mediateur", "mediatrice", "mediateurs", "mediatrices"}, {"ancien", "ancienne", "anciennes"},
		{"imprimer", "imprime"}, {"lieu", "lieux"}, {"mois"}, {"bus"},
	} {
		for _, w := range same[1:] {
			if place.Stem(w) != place.Stem(same[0]) {
				t.Errorf("stem of %s is %s, of %s %s", w, place.Stem(w), same[0], place.Stem(same[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"mairie", "marie"}, {"impot", "import"}} {
		if place.Stem(pair[0]) == place.Stem(pair[1]) {
			t.Errorf("%s and %s have one stem", pair[0], pair[1])
		}
	}
}

func TestOneError(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"mairie", "mairie", true}, {"mairie", "maire", true}, {"maire", "mairie", true}, {"mairie", "mairue", true},
		{"mairie", "amirie", true}, {"mairie", "mairei", true}, {"mairie", "xmairie", true}, {"mairie", "mairiex", true},
		{"mairie", "amirei", false}, {"mairie", "mair", false}, {"abcd", "dbca", false}, {"", "a", true}, {"", "ab", false},
	} {
		if got := place.OneError(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestSearchFilters(t *testing.T) {
	d := town(t)
	for _, c := range []struct {
		name string
		q    place.Query
		want string
	}{
		{"service", place.Query{Services: []string{"Aide aux démarches administratives"}}, "a b"},
		{"service by key", place.Query{Services: []string{"aide_aux_demarches_administratives"}}, "a b"},
		{"or within", place.Query{Services: []string{"aide_aux_demarches_administratives", "loisirs_et_creations_numeriques"}}, "a b c"},
		{"and across", place.Query{Services: []string{"aide_aux_demarches_administratives"}, Programmes: []string{"france_services"}}, "b"},
		{"audience", place.Query{Audiences: []string{"seniors", "jeunes"}}, "a c"},
		{"fees", place.Query{Fees: []string{"payant"}}, "c d"},
		{"access mode", place.Query{AccessModes: []string{"prendre_un_rdv_en_ligne"}}, "d"},
		{"support mode", place.Query{SupportModes: []string{"en_autonomie"}}, "a"},
		{"specific care", place.Query{SpecificCare: []string{"illettrisme"}}, ""},
		{"computers: service or presentation", place.Query{Computers: true}, "a c"},
		{"wifi: not where it is denied", place.Query{WiFi: true}, "a c"},
		{"mediator: adviser or individual support", place.Query{Mediator: true}, "b e"},
		{"accessible: page or presentation, not where denied", place.Query{Accessible: true}, "c e"},
		{"free: without condition", place.Query{Free: true}, "a b"},
		{"booking: address or mode", place.Query{Booking: true}, "b d"},
		{"weekend", place.Query{Weekend: true}, "a"},
		{"words and filter", place.Query{Text: "maison", Free: true}, "b"},
		{"open on Tuesday at 15", place.Query{OpenAt: at("2026-11-03 15:00")}, "a b c"},
		{"open on Tuesday at 19", place.Query{OpenAt: at("2026-11-03 19:00")}, "c"},
		{"open on a holiday", place.Query{OpenAt: at("2026-11-11 15:00")}, ""},
		{"by opening, Tuesday at 9", place.Query{Sort: place.ByOpening, Now: at("2026-11-03 09:00")}, "b a c e d"},
		{"by opening, Saturday at 19", place.Query{Sort: place.ByOpening, Now: at("2026-11-07 19:00")}, "b c a e d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Near = here
			if got := IDs(MustSearch(t, d, c.q)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	t.Run("unknown value", func(t *testing.T) {
		_, err := d.Search(context.Background(), place.Query{Services: []string{"danse"}})
		var unknown *place.UnknownValueError
		if !errors.As(err, &unknown) || unknown.Field != "services" || !strings.Contains(err.Error(), "aide_aux_demarches_administratives") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSearchHit(t *testing.T) {
	d := town(t)
	hits := map[string]place.Hit{}
	for _, h := range MustSearch(t, d, place.Query{Near: here, Now: at("2026-11-02 15:00")}).Hits {
		hits[h.ID] = h
	}
	// 0.009 degrees of latitude are 1,000.8 m: 17.3 minutes at 4.5 km/h over
	// 1.3 times the way.
	if b := hits["b"]; b.Metres < 1000 || b.Metres > 1002 || b.Walk != 18*time.Minute {
		t.Errorf("b is %v m and %v away", b.Metres, b.Walk)
	}
	if a := hits["a"]; a.Metres != 0 || a.Walk != time.Minute {
		t.Errorf("a is %v m and %v away", a.Metres, a.Walk)
	}
	if x := hits["d"]; x.Metres != 0 || x.Walk != 0 || x.Position != nil {
		t.Errorf("d has no position, but %v m and %v", x.Metres, x.Walk)
	}
	for id, want := range map[string]hours.Kind{"a": hours.OpensLater, "b": hours.Open, "d": hours.Unknown, "e": hours.Unknown} {
		if got := hits[id].State.Kind; got != want {
			t.Errorf("%s: state %v, want %v", id, got, want)
		}
	}
	if !hits["d"].Stale || hits["a"].Stale {
		t.Errorf("stale: d %v, a %v", hits["d"].Stale, hits["a"].Stale)
	}
}

func TestSearchStaleAfterOneYear(t *testing.T) {
	d := MustOpen(t)
	MustImport(t, d, "l.csv", CSV([]string{"a", "date_maj=2025-11-02"}))
	for now, want := range map[string]bool{"2026-11-01 12:00": false, "2026-11-03 12:00": true} {
		if got := MustSearch(t, d, place.Query{Now: at(now)}).Hits[0].Stale; got != want {
			t.Errorf("on %s stale is %v", now, got)
		}
	}
}

func TestSearchPages(t *testing.T) {
	d := MustOpen(t)
	var rows [][]string
	for i := range 50 {
		// Ten places at each of five positions: ties everywhere.
		rows = append(rows, []string{fmt.Sprintf("p%02d", i), fmt.Sprintf("latitude=%.3f", 48.5+float64(i%5)/100), "longitude=7.7"})
	}
	MustImport(t, d, "l.csv", CSV(rows...))
	whole := MustSearch(t, d, place.Query{Near: here, Limit: 100})
	if whole.Total != 50 || len(whole.Hits) != 50 {
		t.Fatalf("%d of %d", len(whole.Hits), whole.Total)
	}
	for i := 1; i < 50; i++ {
		if whole.Hits[i].Metres < whole.Hits[i-1].Metres {
			t.Fatalf("hit %d is nearer than the one before", i)
		}
	}
	var ids []string
	for offset := 0; offset < 55; offset += 7 {
		r := MustSearch(t, d, place.Query{Near: here, Limit: 7, Offset: offset})
		if r.Total != 50 {
			t.Fatalf("total %d at offset %d", r.Total, offset)
		}
		for _, h := range r.Hits {
			ids = append(ids, h.ID)
		}
	}
	if got := strings.Join(ids, " "); got != IDs(whole) {
		t.Errorf("the pages hold %s\nthe whole is %s", got, IDs(whole))
	}
	if n := len(MustSearch(t, d, place.Query{}).Hits); n != place.DefaultLimit {
		t.Errorf("%d hits without a limit", n)
	}
}

// TestSearchSeesAnotherProcess imports through a second connection pool, as the
// agent does.
func TestSearchSeesAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	app, agent := MustOpenAt(t, dir), MustOpenAt(t, dir)
	MustImport(t, agent, "l.csv", CSV([]string{"a", "horaires=Mo 09:00-12:00"}, []string{"b"}))
	if got := IDs(MustSearch(t, app, place.Query{})); got != "a b" {
		t.Errorf("after an import elsewhere: %q", got)
	}
	MustImport(t, agent, "l.csv", CSV([]string{"b"}))
	if got := IDs(MustSearch(t, app, place.Query{})); got != "b" {
		t.Errorf("after a removal elsewhere: %q", got)
	}
}

func TestSchedule(t *testing.T) {
	d := town(t)
	MustSearch(t, d, place.Query{})
	first, err := d.Schedule("Tu-Sa 10:00-18:00")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := d.Schedule("Tu-Sa 10:00-18:00"); again != first {
		t.Error("a schedule of the directory is parsed anew")
	}
	if _, err := d.Schedule("sur rendez-vous"); err == nil {
		t.Error("no error for hours that can't be read")
	}
	if s, err := d.Schedule("Su 10:00-11:00"); err != nil || s == nil {
		t.Errorf("hours from elsewhere: %v", err)
	}
}

// TestSearchRealAgainstPlainScan compares the index with the slow and obvious
// way on the real places.
func TestSearchRealAgainstPlainScan(t *testing.T) {
	d := MustOpen(t)
	MustImport(t, d, "lieux.csv", MustRead(t, data(t, "places", "lieux.csv")))
	all := MustSearch(t, d, place.Query{Limit: 10000}).Hits
	if len(all) != 8749 {
		t.Fatalf("%d places", len(all))
	}
	when := at("2026-11-03 10:30")
	for _, near := range []*place.Point{{Lat: 44.84, Lon: -0.58}, {Lat: 48.85, Lon: 2.35}, {Lat: -20.9, Lon: 55.45}} {
		q := place.Query{Near: near, Text: "mairie ", Services: []string{"comprehension_du_monde_numerique", "aide_aux_demarches_administratives"},
			Programmes: []string{"conseillers_numeriques"}, OpenAt: when, Limit: 10000}
		got := MustSearch(t, d, q)
		want := map[string]bool{}
		for _, h := range all {
			if !strings.Contains(" "+strings.ToLower(strings.NewReplacer("-", " ", "'", " ", "’", " ", "(", " ", ")", " ", ",", " ", "\"", " ", ".", " ", "/", " ", "\n", " ", ";", " ").Replace(
				h.Name+" "+h.City+" "+h.Address+" "+h.AddressExtra+" "+h.Summary+" "+h.Detail)+" "), " mairie ") ||
				!slices.Contains(h.Services, "Compréhension du monde numérique") && !slices.Contains(h.Services, "Aide aux démarches administratives") ||
				!slices.Contains(h.Programmes, "Conseillers numériques") || h.Hours == "" {
				continue
			}
			s, err := hours.Parse(h.Hours, hours.AlsaceMoselle)
			if err == nil && s.State(when).Kind == hours.Open {
				want[h.ID] = true
			}
		}
		if got.Total < 50 {
			t.Fatalf("only %d found: the comparison says nothing", got.Total)
		}
		for _, h := range got.Hits {
			if !want[h.ID] && !strings.Contains(strings.ToLower(h.Name+h.Address+h.AddressExtra+h.Detail+h.Summary), "mairie") {
				t.Errorf("found %s %q for no reason", h.ID, h.Name)
			}
			delete(want, h.ID)
		}
		if len(want) > 0 {
			t.Errorf("not found: %v", want)
		}
		for i := 1; i < len(got.Hits); i++ {
			a, b := got.Hits[i-1], got.Hits[i]
			if b.Position != nil && (a.Position == nil || a.Metres > b.Metres) {
				t.Fatalf("%s at %v m comes before %s at %v m", a.ID, a.Metres, b.ID, b.Metres)
			}
		}
	}
}
