package console_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/unfound"
)

// missed is what residents of the tests search for in vain in a month: where, what,
// and on how many days and bornes.
var missed = map[string]int{
	"demarche carte de sejour": 23, "demarche certificat de naissance": 18, "places patinoire": 16, "places fourriere": 14,
	"demarche chomage": 12, "places dechetterie": 9, "places depot de pain": 5, "demarche depot de pain": 6, "demarche بطاقة": 7,
	"places objets trouves": 4, "demarche " + strings.Repeat("tres", 10): 5,
}

// searched has the borne of Neudorf bring searches, by month, and closes all months
// with the hub's key, as its hourly work does.
func (h *fleetHub) searched(months map[string]map[string]int) {
	h.t.Helper()
	key, err := age.GenerateX25519Identity()
	must(h.t, err)
	for month, searches := range months {
		for search, n := range searches {
			kind, text, _ := strings.Cut(search, " ")
			for range n {
				sealed, err := unfound.Seal(unfound.Word{Kind: kind, Text: []byte(text)}, []age.Recipient{key.Recipient()})
				must(h.t, err)
				must(h.t, h.store.PutUnfound(ctx, "MN-01", store.Unfound{ID: uuid.New(), Month: month, Data: sealed}))
			}
		}
	}
	paris, err := time.LoadLocation("Europe/Paris")
	must(h.t, err)
	must(h.t, statistics.New(h.store, paris, key).Tidy(ctx, h.clock.Now()))
}

// What was searched for in vain is on the page, in the file and in the report, for
// all sites only, and not in what is published.
func TestUnfoundPages(t *testing.T) {
	t.Parallel()
	h := statHub(t, storetest.Open(t, storetest.SQLite(t)))
	h.cityYear(7, 12)
	h.searched(map[string]map[string]int{"2026-10": missed, "2026-11": missed, "2026-12": {"places patinoire": 8}})
	const title = "Ce que les habitants ont cherché sans le trouver"
	reader := h.as(people.Reader)
	_, page := reader.get("/statistiques?periode=2026-11")
	for _, want := range []string{title, `depot de pain<svg`, `<td data-label="Fois">20</td><td data-label="Où">Démarches</td>`, `<td data-label="Fois">5</td><td data-label="Où">Lieux</td>`, "بطاقة", "une fois par jour et par borne"} {
		if !strings.Contains(page, want) {
			t.Errorf("November has no %s", want)
		}
	}
	_, page = reader.get("/statistiques?periode=2026-S2")
	contains(t, plain(page), title, "carte de sejour", "30")
	if strings.Contains(page, "objets trouves") {
		t.Error("what was searched for 4 times a month is told")
	}
	sites, err := h.store.Sites(ctx)
	must(t, err)
	if _, page := reader.get("/statistiques?periode=2026-11&site=" + sites[0].ID); strings.Contains(page, title) {
		t.Error("one site's searches are told")
	}
	_, report := reader.get("/statistiques/rapport/2026-S2")
	contains(t, plain(report), title, "Ce qui a été le plus cherché sans être trouvé : « carte de sejour », 40 fois.")
	_, file, _ := reader.file("/statistiques/export.csv?periode=2026-S2")
	for _, want := range []string{title + ";carte de sejour (démarches);Fois;40;", title + ";depot de pain (lieux);Fois;10;", title + ";depot de pain (démarches);Fois;10;", title + ";patinoire (lieux);Fois;35;"} {
		if !strings.Contains(file, want) {
			t.Errorf("the file has no line %s", want)
		}
	}
	must(t, h.store.SetSetting(ctx, "opendata", "oui"))
	if _, open, _ := reader.file("/donnees-ouvertes/parvis-bornes-2026-T4.csv"); strings.Contains(open, "patinoire") || !strings.Contains(open, "visit") {
		t.Error("searches are published")
	}
}

// Pages show the first 30, the file all.
func TestManyUnfound(t *testing.T) {
	t.Parallel()
	h := statHub(t, storetest.Open(t, storetest.SQLite(t)))
	h.cityYear(10, 12)
	many := map[string]int{}
	for i := range 35 {
		many["places mot "+string(rune('a'+i/9))+string(rune('a'+i%9))] = 5
	}
	h.searched(map[string]map[string]int{"2026-11": many})
	reader := h.as(people.Reader)
	_, page := reader.get("/statistiques?periode=2026-11")
	_, report := reader.get("/statistiques/rapport/2026-S2")
	_, file, _ := reader.file("/statistiques/export.csv?periode=2026-11")
	for what, text := range map[string]string{"page": page, "report": report} {
		if n := strings.Count(text, `<th scope="row">mot `); n != 30 {
			t.Errorf("the %s shows %d", what, n)
		}
		contains(t, plain(text), "Les 30 plus fréquentes ; l’export CSV les a toutes.")
	}
	if n := strings.Count(file, " (lieux);Fois;5;"); n != 35 {
		t.Errorf("the file has %d", n)
	}
}

// Whether one resident searched for something can't be seen on any page, in any
// period or file.
func TestOneSearchMakesNoDifference(t *testing.T) {
	t.Parallel()
	tell := func(searches map[string]int) map[string]string {
		h := statHub(t, storetest.Open(t, storetest.SQLite(t)))
		h.cityYear(10, 12)
		h.searched(map[string]map[string]int{"2026-10": {"places a cote": 4, "places avant": 4}, "2026-11": searches})
		must(t, h.store.SetSetting(ctx, "opendata", "oui"))
		reader, told := h.as(people.Reader), map[string]string{}
		for _, period := range []string{"2026-10", "2026-11", "2026-12", "2026-T4", "2026-S2", "2026"} {
			for _, path := range []string{"/statistiques?", "/statistiques/export.csv?"} {
				path += url.Values{"periode": {period}}.Encode()
				status, body := reader.get(path)
				if told[path] = body; status != http.StatusOK {
					t.Errorf("%s answers %d", path, status)
				}
			}
		}
		for _, path := range []string{"/statistiques/rapport/2026-S2", "/donnees-ouvertes/parvis-bornes-2026-T4.csv"} {
			_, told[path] = reader.get(path)
		}
		return told
	}
	before := map[string]int{"places a cote": 7, "places avant": 3, "demarche avant": 4}
	first := tell(before)
	differ := func(search string) (paths []string) {
		after := maps.Clone(before)
		after[search]++
		for path, body := range tell(after) {
			if body != first[path] {
				paths = append(paths, path)
			}
		}
		return paths
	}
	for _, search := range []string{"places avant", "places a cote", "places jamais vu"} {
		if paths := differ(search); len(paths) > 0 {
			t.Errorf("one more %q can be seen in %v", search, paths)
		}
	}
	if len(differ("demarche avant")) == 0 {
		t.Error("the fifth can't be seen: this test could see nothing")
	}
}
