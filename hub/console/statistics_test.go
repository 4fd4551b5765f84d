package console_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parvis/hub/clocktest"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// newYear is when the statistics of 2026 are all closed.
var newYear = time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)

// statSites are the sites of the tests, and how many visits each has a day.
var statSites = []struct {
	name, borne string
	visits      int
}{
	{"Mairie de Neudorf", "MN-01", 34}, {"Centre administratif", "CA-01", 52}, {"Mairie de la Meinau", "MM-01", 18},
	{"Médiathèque Malraux", "ML-01", 27}, {"Mairie de Cronenbourg", "MC-01", 9}, {"=Annexe du Port", "AP-01", 1},
}

// dayOf counts a day as a borne does.
func dayOf(r *rand.Rand, visits int) map[string]int {
	n := map[string]int{}
	some := func(keys ...string) string { return keys[int(float64(len(keys))*r.Float64()*r.Float64())] }
	for range visits {
		n["visit"]++
		n[fmt.Sprintf("visit.h%02d", 9+r.IntN(4)+r.IntN(5))]++
		n["language."+some("fr", "fr", "fr", "ar", "en", "falc")]++
		demarche := "demarche." + some("carte-identite-passeport", "carte-vitale-droits-sante", "impots", "rsa-prime-activite", "logement-social", "permis-conduire", "retraite")
		switch r.IntN(5) {
		case 0:
			n[demarche+".left"]++
			n["left.demarche."+some("q1", "q2", "q3", "q4")]++
		case 1, 2:
			n[demarche+".done"]++
		case 3:
			n["level."+some("accompagnement", "formation", "coup_de_pouce")]++
			n["leaving."+some("yes", "some", "no")]++
		case 4:
			n["aid."+some("bigger", "speech", "contrast", "low", "keypad")]++
			n["missing."+some("person", "demarche", "scan", "internet", "long", "language")]++
			n["need."+some("demarches", "apprendre", "ordinateur", "securite", "materiel")]++
		}
	}
	return n
}

// cityYear makes the fleet and its counts from one month to another of 2026.
func (h *fleetHub) cityYear(from, to time.Month) {
	h.t.Helper()
	h.cityYearBut(from, to, func(map[string]map[string]map[string]int) {})
}

// cityYearBut is cityYear with a change: borne → day → key → count.
func (h *fleetHub) cityYearBut(from, to time.Month, change func(days map[string]map[string]map[string]int)) {
	h.t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	all := map[string]map[string]map[string]int{}
	for _, s := range statSites {
		h.enrol(s.name, s.borne)
		days := map[string]map[string]int{}
		for d := time.Date(2026, from, 1, 0, 0, 0, 0, time.UTC); d.Before(time.Date(2026, to+1, 1, 0, 0, 0, 0, time.UTC)); d = d.AddDate(0, 0, 1) {
			visits := s.visits * (70 + r.IntN(60) + 3*int(d.Month())) / 100
			switch {
			case d.Weekday() == time.Sunday, s.visits < 5 && d.Day() > 3:
				visits = 0
			case d.Weekday() == time.Saturday:
				visits /= 3
			}
			if visits > 0 {
				days[d.Format(time.DateOnly)] = dayOf(r, visits)
			}
		}
		all[s.borne] = days
	}
	change(all)
	for borne, days := range all {
		h.report(borne, func(r *link.Report) { r.Counts = days })
	}
}

func statHub(t testing.TB, s *store.Store) *fleetHub {
	t.Helper()
	return fleetHubOver(t, s, clocktest.At(newYear))
}

// cityCalls are requests to be called back of those months, as they are counted
// when they are deleted. Where few come, none is told.
func (h *fleetHub) cityCalls(dsn string, from, to time.Month) {
	h.t.Helper()
	db, _ := storetest.Past(h.t, dsn)
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range statSites {
		for month := from; month <= to; month++ {
			many := s.visits * (80 + r.IntN(40)) / 100
			for key, n := range map[string]int{store.CallInTime: many * 4 / 5, store.CallLate: many / 5, store.CallOutcome + "reached": many / 2,
				store.CallOutcome + "appointment_kept": many / 4, store.CallOutcome + "redirected": many / 8, store.CallOutcome + "unreachable": many / 8,
				store.CallOutcome + "other": many / 40} {
				_, err := db.Exec(`INSERT INTO callback_count (site, month, key, n) VALUES ($1, $2, $3, $4)`,
					"site-"+sha256Hex([]byte(s.name))[:12], fmt.Sprintf("2026-%02d", month), key, n)
				must(h.t, err)
			}
		}
	}
}

func TestStatisticsPages(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	h := statHub(t, storetest.Open(t, dsn))
	b := h.As(people.Admin)
	b.Open("/statistiques")
	b.Check("statistiques-vide")
	h.cityYear(1, 12)
	h.cityCalls(dsn, 1, 12)
	h.searched(map[string]map[string]int{"2026-10": missed, "2026-11": missed})
	b.Open("/statistiques")
	contains(t, plain(b.Text("main")), "2e semestre 2026", "comparé au 1er semestre 2026", "Visites par mois", "juillet", "Carte d’identité, passeport", "moins de 5 n’est pas compté",
		"Demandes de rappel", "Appelées dans le délai", "Comment les demandes de rappel se terminent", "Rendez-vous tenu")
	if here := b.Text("nav [aria-current]"); here != "Statistiques" {
		t.Errorf("the menu is at %q", here)
	}
	b.Check("statistiques-semestre")
	b.Open("/statistiques?periode=2026-11")
	contains(t, plain(b.Text("main")), "Visites par jour", "comparé à octobre 2026")
	contains(t, plain(b.Text("section:has(#introuvables)")), "Recherche Fois Où", "carte de sejour 20 Démarches", "patinoire 15 Lieux")
	b.Check("statistiques-mois")
	b.Click(".stat-sites summary")
	b.Click(`.stat-sites label:nth-of-type(4) input`)
	b.Click(`.stat-filter button`)
	b.Until(`location.search.includes("site=") && document.readyState == "complete"`)
	contains(t, plain(b.Text("main")), "Sites : 1 choisi", "n’est donné que pour tous les sites ensemble")
	b.Check("statistiques-un-site")
	b.Open("/statistiques?periode=demain")
	contains(t, plain(b.Text("main")), "Période incomprise")
	b.Open("/statistiques/donnees-ouvertes")
	b.Check("donnees-ouvertes-reglage")
	b.Click("main form button")
	b.Until(`document.querySelector(".flash")`)
	b.Check("donnees-ouvertes-publiees")
	b = h.Browser()
	b.Open("/donnees-ouvertes")
	contains(t, plain(b.Text("main")), "4e trimestre 2026", "Table Schema")
	b.Check("donnees-ouvertes")
}

// The report on paper: Chromium prints it, and poppler reads it.
func TestReport(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	h := statHub(t, storetest.Open(t, dsn))
	h.cityYear(1, 12)
	h.cityCalls(dsn, 1, 12)
	h.searched(map[string]map[string]int{"2026-10": missed, "2026-11": missed})
	b := h.As(people.Reader)
	b.Open("/statistiques/rapport/2026-S2")
	b.Check("rapport")
	dir := t.TempDir()
	if os.Getenv("PARVIS_SCREENS") != "" {
		dir = filepath.Join("..", "..", "docs", "screens", "console")
	}
	pdf := filepath.Join(dir, "rapport.pdf")
	printed := browsertest.Get(b, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFOutlineAndTagged()))
	must(t, os.WriteFile(pdf, printed, 0o644))
	if info := poppler(t, "pdfinfo", pdf); !strings.Contains(info, "(A4)") || !regexp.MustCompile(`Pages: +[2-6]\n`).MatchString(info) {
		t.Errorf("the report is printed as\n%s", info)
	}
	text := plain(poppler(t, "pdftotext", "-layout", pdf, "-"))
	contains(t, text, "Rapport du 2e semestre 2026", "comparé au 1er semestre 2026", "L’essentiel", "Les bornes de 6 sites ont reçu", "Visites par mois", "Carte d’identité, passeport", "Demandes de rappel", "Délai dépassé", "Ce que les habitants ont cherché sans le trouver", "carte de sejour", "1/")
	for _, unwanted := range []string{"Se déconnecter", "Imprimer", "Mise en service"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%q is printed", unwanted)
		}
	}
	poppler(t, "pdftoppm", "-r", "70", "-png", pdf, filepath.Join(dir, "rapport-page"))
	pages, err := filepath.Glob(filepath.Join(dir, "rapport-page*.png"))
	must(t, err)
	if len(pages) < 2 {
		t.Errorf("%d pictures of pages", len(pages))
	}
}

// poppler runs one of its programs, and returns what it says.
func poppler(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s (Debian package poppler-utils): %v\n%s", program, err, out)
	}
	return string(out)
}

func TestStatisticsCSV(t *testing.T) {
	t.Parallel()
	h := statHub(t, storetest.Open(t, storetest.SQLite(t)))
	h.cityYear(7, 12)
	status, body, header := h.as(people.Reader).file("/statistiques/export.csv?periode=2026-S2")
	if status != http.StatusOK || header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(body, "\ufeff") {
		t.Fatalf("%d %v", status, header)
	}
	lines := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
	lines.Comma = ';'
	rows, err := lines.ReadAll()
	must(t, err)
	found := map[string]bool{}
	for _, row := range rows {
		found[row[1]+"/"+row[2]] = true
		for _, c := range row {
			if strings.ContainsAny(c[:min(1, len(c))], "=+-@") {
				t.Errorf("a spreadsheet would take %q for a formula", c)
			}
		}
	}
	for _, want := range []string{"Visites par mois/juillet", "Visites par heure/10 h", "Par site/Mairie de Neudorf", "Par site/'=Annexe du Port", "Démarches/Impôts", "Ce qui a manqué/Scanner un papier"} {
		if !found[want] {
			t.Errorf("there is no line %s", want)
		}
	}
}

func TestOpenData(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		h := statHub(t, open())
		h.cityYear(10, 12)
		nobody := h.Client()
		paths := []string{"/donnees-ouvertes", "/donnees-ouvertes/schema.json", "/donnees-ouvertes/parvis-bornes-2026-T4.csv"}
		for _, path := range paths {
			if status, _ := h.Get(nobody, path); status != http.StatusNotFound {
				t.Errorf("%s answers %d while it is off", path, status)
			}
		}
		admin := h.as(people.Admin)
		admin.post("/statistiques/donnees-ouvertes", url.Values{"on": {"oui"}})
		for _, path := range paths {
			if status, _ := h.Get(nobody, path); status != http.StatusOK {
				t.Errorf("%s answers %d while it is on", path, status)
			}
		}
		for _, path := range []string{"2027-T1.csv", "2026-11.csv", "2026-S2.csv", "x", "2026-T4"} {
			if status, _ := h.Get(nobody, "/donnees-ouvertes/parvis-bornes-"+path); status != http.StatusNotFound {
				t.Errorf("%s answers %d", path, status)
			}
		}
		_, text := h.Get(nobody, paths[1])
		var schema struct {
			Fields []struct {
				Name, Type  string
				Constraints struct {
					Required bool
					Pattern  string
				}
			}
			PrimaryKey []string
		}
		must(t, json.Unmarshal([]byte(text), &schema))
		_, text = h.Get(nobody, paths[2])
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		must(t, err)
		keys := map[string]bool{}
		for i, row := range rows[1:] {
			for f, field := range schema.Fields {
				_, err := strconv.Atoi(row[f])
				switch {
				case rows[0][f] != field.Name:
					t.Fatalf("column %d is %q, and %q in the schema", f, rows[0][f], field.Name)
				case field.Constraints.Required && row[f] == "",
					field.Type == "integer" && err != nil,
					field.Constraints.Pattern != "" && !regexp.MustCompile(field.Constraints.Pattern).MatchString(row[f]):
					t.Errorf("line %d: %q is no %s", i+2, row[f], field.Name)
				}
			}
			if key := row[0] + "/" + row[1] + "/" + row[3]; keys[key] {
				t.Errorf("%s is there twice", key)
			} else {
				keys[key] = true
			}
			n, _ := strconv.Atoi(row[4])
			if machines := strings.HasPrefix(row[3], "fault.") || strings.HasPrefix(row[3], "presence."); !machines && n%5 != 0 {
				t.Errorf("line %d tells %d", i+2, n)
			}
		}
		if len(rows) < 100 || !keys["2026-T4//demarche.impots.done"] {
			t.Errorf("%d lines", len(rows))
		}
		admin.post("/statistiques/donnees-ouvertes", nil)
		if status, _ := h.Get(nobody, paths[2]); status != http.StatusNotFound {
			t.Errorf("switched off again, it answers %d", status)
		}
		_, page := admin.get("/journal")
		contains(t, plain(page), "Données ouvertes réglées", "état : publiées", "état : arrêtées")
	})
}

// Two cities that differ by one resident: one more visit, with all that goes
// with it, in a month when few came; and another at an hour when few came. Every
// page, every period, every choice of one site, every file is the same.
func TestOneResidentMakesNoDifference(t *testing.T) {
	t.Parallel()
	tell := func(change func(days map[string]map[string]map[string]int)) map[string]string {
		h := statHub(t, storetest.Open(t, storetest.SQLite(t)))
		h.cityYearBut(10, 12, change)
		must(t, h.store.SetSetting(ctx, "opendata", "oui"))
		admin := h.as(people.Admin)
		told := map[string]string{}
		read := func(path string) {
			status, body := admin.get(path)
			if status != http.StatusOK {
				t.Errorf("%s answers %d", path, status)
			}
			told[path] = body
		}
		sites, err := h.store.Sites(ctx)
		must(t, err)
		for _, period := range []string{"2026-10", "2026-11", "2026-12", "2026-T4", "2026-S2", "2026"} {
			for _, site := range append(sites, store.Site{}) {
				q := url.Values{"periode": {period}, "site": {site.ID}}.Encode()
				read("/statistiques?" + q)
				read("/statistiques/export.csv?" + q)
			}
		}
		read("/statistiques/rapport/2026-S2")
		read("/donnees-ouvertes/parvis-bornes-2026-T4.csv")
		return told
	}
	before := tell(func(map[string]map[string]map[string]int) {})
	differ := func(change func(days map[string]map[string]map[string]int)) (paths []string) {
		for path, body := range tell(change) {
			if body != before[path] {
				paths = append(paths, path)
			}
		}
		return paths
	}
	one := func(borne, day string, keys ...string) func(map[string]map[string]map[string]int) {
		return func(days map[string]map[string]map[string]int) {
			if days[borne][day] == nil {
				days[borne][day] = map[string]int{}
			}
			for _, key := range keys {
				key, less := strings.CutPrefix(key, "-")
				days[borne][day][key] += map[bool]int{true: -1, false: 1}[less]
			}
		}
	}
	visit := []string{"visit", "visit.h19", "language.ar", "demarche.impots.left", "left.demarche.q2", "aid.speech", "missing.scan", "leaving.no"}
	if paths := differ(one("AP-01", "2026-11-12", visit...)); len(paths) > 0 {
		t.Errorf("a visit where few come can be seen in %v", paths)
	}
	if paths := differ(one("MN-01", "2026-11-12", "visit.h06", "-visit.h11")); len(paths) > 2*4*2 {
		t.Errorf("an early visit can be seen in %v", paths)
	}
	if paths := differ(one("MN-01", "2026-11-12", "language.tr", "demarche.retrouver-un-proche.done", "missing.zzz")); len(paths) > 0 {
		t.Errorf("what nobody else has chosen can be seen in %v", paths)
	}
	five := func(days map[string]map[string]map[string]int) {
		for range 5 {
			one("AP-01", "2026-11-12", visit...)(days)
		}
	}
	if paths := differ(five); len(paths) == 0 {
		t.Error("five visits can't be seen: this test could see nothing")
	}
}

// A year of fifty bornes is drawn in well under 300 ms, once its months are closed.
func TestYearPageIsFast(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("the race detector makes everything slow")
	}
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		h := statHub(t, open())
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 50 {
			id := fmt.Sprintf("B%02d-01", i)
			h.enrol(fmt.Sprintf("Mairie de quartier %d", i), id)
			days := map[string]map[string]int{}
			for d := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == 2026; d = d.AddDate(0, 0, 1) {
				days[d.Format(time.DateOnly)] = dayOf(r, 12)
			}
			h.report(id, func(r *link.Report) { r.Counts = days })
		}
		reader := h.as(people.Reader)
		begin := time.Now()
		reader.get("/statistiques?periode=2026")
		first := time.Since(begin)
		const most = 300 * time.Millisecond
		best := time.Hour // others use this machine too
		for n := 0; n < 3 || best > most && n < 30; n++ {
			begin = time.Now()
			if _, body := reader.get("/statistiques?periode=2026"); !strings.Contains(body, "Mairie de quartier 49") {
				t.Fatal("a site is missing")
			}
			best = min(best, time.Since(begin))
		}
		t.Logf("closing a year took %v, its page %v", first, best)
		if best > most {
			t.Errorf("the page takes %v, over %v", best, most)
		}
	})
}
