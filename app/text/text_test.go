package text_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"parvis/app/text"
	"parvis/device"
)

func load(t *testing.T) *text.Catalogue {
	t.Helper()
	c, err := text.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ids reads the ids of one language's file.
func ids(t *testing.T, file string) map[string]string {
	t.Helper()
	var tables map[string]map[string]any
	if _, err := toml.DecodeFile(file, &tables); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for table, entries := range tables {
		for key, v := range entries {
			switch v := v.(type) {
			case string:
				all[table+"."+key] = v
			case map[string]any:
				all[table+"."+key] = v["other"].(string)
			}
		}
	}
	return all
}

var variable = regexp.MustCompile(`{{\.\w+}}`)

func TestLanguagesSayTheSameThings(t *testing.T) {
	fr := ids(t, "fr.toml")
	for _, file := range []string{"en.toml", "falc.toml", "ar.toml"} {
		other := ids(t, file)
		for id, sentence := range other {
			french, ok := fr[id]
			if !ok {
				t.Errorf("%s: %s is not in fr.toml", file, id)
				continue
			}
			want, got := variable.FindAllString(french, -1), variable.FindAllString(sentence, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: %s uses %v, French uses %v", file, id, got, want)
			}
		}
		if file != "en.toml" {
			continue
		}
		for id := range fr {
			forStaff := strings.HasPrefix(id, "maintenance.") // in French only
			if _, ok := other[id]; !ok && id != "language.falc_detail" && !forStaff {
				t.Errorf("%s: %s is missing", file, id)
			}
		}
	}
}

// Every sentence of the facile-à-lire variant, taken over from French or its
// own, is short.
func TestFacileALireSentencesAreShort(t *testing.T) {
	all := ids(t, "fr.toml")
	for id, s := range ids(t, "falc.toml") {
		all[id] = s
	}
	end := regexp.MustCompile(`[.!?:]`)
	for id, s := range all {
		for _, sentence := range end.Split(s, -1) {
			if n := len(strings.Fields(sentence)); n > 12 {
				t.Errorf("%s: %d words in %q", id, n, strings.TrimSpace(sentence))
			}
		}
	}
}

// Every id that the code asks for exists.
func TestEveryIDInTheCodeExists(t *testing.T) {
	fr := ids(t, "fr.toml")
	use := regexp.MustCompile(`\bT\("([a-z_]+\.[a-z_]+)"`)
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range use.FindAllStringSubmatch(string(src), -1) {
			seen++
			if _, ok := fr[m[1]]; !ok && !strings.HasSuffix(m[1], "_") {
				t.Errorf("%s asks for %s, which fr.toml does not have", f, m[1])
			}
		}
	}
	for _, f := range device.Faults() {
		if _, ok := fr[f.Resident]; !ok && f.Resident != "" {
			t.Errorf("the fault %s asks for %s, which fr.toml does not have", f.Fault, f.Resident)
		}
	}
	if seen < 100 {
		t.Fatalf("only %d uses found: the pattern no longer fits the code", seen)
	}
}

func TestTimes(t *testing.T) {
	c := load(t)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 1, hour, minute, 0, 0, time.UTC) }
	for _, tc := range []struct{ lang, got, want string }{
		{"fr", c.In("fr").Clock(at(14, 30)), "14\u00a0h\u00a030"},
		{"fr", c.In("fr").Clock(at(9, 0)), "9\u00a0h"},
		{"falc", c.In("falc").Clock(at(9, 5)), "9\u00a0h\u00a005"},
		{"en", c.In("en").Clock(at(14, 30)), "14:30"},
		{"fr", c.In("fr").Date(at(9, 0)), "dimanche 1er novembre"},
		{"en", c.In("en").Date(at(9, 0)), "Sunday 1 November"},
		{"fr", c.In("fr").FullDate(at(9, 0)), "1er novembre 2026"},
		{"fr", c.In("fr").T("places.count", "Count", 1), "1 lieu près d’ici"},
		{"fr", c.In("fr").T("places.count", "Count", 12), "12 lieux près d’ici"},
		{"en", c.In("en").T("places.count", "Count", 1), "1 place near here"},
		{"falc", c.In("falc").T("home.callback"), "Une personne m’appelle"},
		{"falc", c.In("falc").T("nav.back"), "Retour"},
		{"ar", c.In("ar").T("nav.home"), "الرئيسية"},
		{"xx", c.In("xx").T("nav.home"), "Accueil"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.lang, tc.got, tc.want)
		}
	}
}
