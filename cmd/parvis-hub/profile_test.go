package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/app/text"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/hours"
	"parvis/provisioning/profile"
)

func writeProfile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check says file, line, key and what is meant, all of it at once; what only
// the program knows how to read included.
func TestProfileCheck(t *testing.T) {
	t.Parallel()
	if out := mustDo(t, "profile", "check", "../../packaging/demo.toml"); !strings.Contains(out, "profil correct") {
		t.Errorf("the demonstration's profile: %s", out)
	}
	path := writeProfile(t, "profil.toml", `[site]
id = "a"
nom = "Mairie"
ouverture = "tous les jours"
langues = ["fr", "xx"]
[ecran]
diagonal = 32
allumage = "Mo-Fr 25:00"
[imprimante]
modele = "epson-tm-t21"
[rappel]
destinataires = ["age1x"]
`)
	_, err := do(t.Context(), "profile", "check", path)
	if err == nil {
		t.Fatal("a profile full of mistakes is taken")
	}
	for _, want := range []string{
		"6 erreurs", path + ":4: site.ouverture: ", path + ":5: site.langues n° 2: la langue «\u00a0xx\u00a0»",
		path + ":7: «\u00a0ecran.diagonal\u00a0» n’existe pas, vouliez-vous «\u00a0ecran.diagonale\u00a0»\u00a0?",
		path + ":8: ecran.allumage: ", path + ":10: imprimante.modele: ", "vouliez-vous «\u00a0epson-tm-t20\u00a0»", path + ":12: rappel.destinataires",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if _, err := do(t.Context(), "profile", "check", filepath.Join(t.TempDir(), "none.toml")); err == nil || !strings.Contains(err.Error(), "none.toml") {
		t.Errorf("a missing file: %v", err)
	}
	city := writeProfile(t, "ville.toml", "[son]\nvolume = 5\n")
	if _, err := do(t.Context(), "profile", "check", city); err == nil || !strings.Contains(err.Error(), "site.nom") {
		t.Errorf("a layer as a whole profile: %v", err)
	}
	mustDo(t, "profile", "check", "--layer", city)
	site := writeProfile(t, "site.toml", "[site]\nid = \"a\"\nnom = \"Mairie\"\n")
	mustDo(t, "profile", "check", "--layers", city, site)
}

func TestProfileSchema(t *testing.T) {
	t.Parallel()
	whole, layer := mustDo(t, "profile", "schema"), mustDo(t, "profile", "schema", "--layer")
	if !strings.Contains(whole, `"diagonale"`) || strings.Contains(whole, `"retirer"`) || !strings.Contains(layer, `"retirer"`) {
		t.Error("not the schemas of a profile and of a layer")
	}
}

// put sets a layer, show gives what a borne gets of it.
func TestProfilePut(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		at := []string{"--data", dir, "--database", dsn}
		s := storetest.Open(t, dsn)
		now := time.Now()
		hash := []byte(strings.Repeat("h", 32))
		if _, err := s.CreateToken(t.Context(), store.Token{Hash: hash, Site: store.Site{ID: "neudorf"}, Borne: "MN-07", Created: now, Expires: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Enrol(t.Context(), hash, []byte("key"), store.Certificate{Serial: "1", Ends: now.AddDate(0, 0, 14)}, now); err != nil {
			t.Fatal(err)
		}
		city := writeProfile(t, "ville.toml", "[son]\nvolume = 5\n")
		put := func(args ...string) (string, error) {
			return do(t.Context(), slices.Concat([]string{"profile", "put"}, at, args)...)
		}
		if _, err := put("--city", city); err == nil || !strings.Contains(err.Error(), "MN-07") || !strings.Contains(err.Error(), "--first") {
			t.Errorf("a borne leaves its own file unasked: %v", err)
		}
		if out, err := put("--city", "--try", city); err != nil || !strings.Contains(out, "Essai, rien n’est changé. La borne MN-07") {
			t.Errorf("a trial: %s, %v", out, err)
		}
		if out, err := put("--city", "--first", city); err != nil || !strings.Contains(out, "La borne MN-07 change de profil.") {
			t.Errorf("%s, %v", out, err)
		}
		if out, err := put("--site", "neudorf", writeProfile(t, "site.toml", "[son]\nvolume = 2\n")); err != nil {
			t.Errorf("%s, %v", out, err)
		}
		bad := writeProfile(t, "faux.toml", "[son]\n\nvolum = 2\n")
		if _, err := put("--site", "neudorf", bad); err == nil || !strings.Contains(err.Error(), bad+":3: ") {
			t.Errorf("a layer with a mistake: %v", err)
		}
		if _, err := put("--site", "nulle-part", city); err == nil || !strings.Contains(err.Error(), "nulle-part") {
			t.Errorf("a site that isn't there: %v", err)
		}
		show := func(args ...string) string {
			return mustDo(t, slices.Concat([]string{"profile", "show", "--borne", "MN-07"}, at, args)...)
		}
		p, err := profile.Parse("profil.toml", []byte(show()))
		if err != nil || p.Sound.Volume != 2 || p.Site.Name != "Mairie de Neudorf" {
			t.Errorf("%+v, %v", p, err)
		}
		if out := strings.Join(strings.Fields(show("--origins")), " "); !strings.Contains(out, "son.volume 2 Site Mairie de Neudorf 2") {
			t.Errorf("origins: %s", out)
		}
	})
}

// Words that stand in the profile's tags as in the packages that know them.
func TestProfileWords(t *testing.T) {
	t.Parallel()
	var regions []string
	for _, r := range hours.Regions() {
		regions = append(regions, string(r))
	}
	tag := tagOf(t, reflect.TypeFor[profile.Site](), "Region")
	for word := range strings.SplitSeq(tag, ",") {
		if region, is := strings.CutPrefix(word, "enum="); is && region != "" {
			i := slices.Index(regions, region)
			if i < 0 {
				t.Errorf("the calendar does not know %s", region)
				continue
			}
			regions = slices.Delete(regions, i, i+1)
		}
	}
	if len(regions) > 0 {
		t.Errorf("a profile does not take %v", regions)
	}
	texts, err := text.Load()
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.SplitSeq(tagOf(t, reflect.TypeFor[profile.Site](), "Languages"), ",") {
		if code, is := strings.CutPrefix(word, "example="); is && !texts.Known(code) {
			t.Errorf("there is no language %s", code)
		}
	}
	p := profile.Default()
	p.Printer.Model, p.Site.Opening, p.Screen.On = "epson-tm-t20", "Mo-Fr 08:30-18:00; Sa 09:00-12:00; PH off", "Mo-Sa 07:30-19:30; PH off"
	checks, err := borneChecks()
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if wrong := check(p); len(wrong) > 0 {
			t.Errorf("the examples of the guide: %v", wrong)
		}
	}
}

func tagOf(t *testing.T, of reflect.Type, name string) string {
	t.Helper()
	f, there := of.FieldByName(name)
	if !there {
		t.Fatalf("%v has no %s", of, name)
	}
	return f.Tag.Get("jsonschema")
}
