package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/content"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
)

// packs is the folder of a borne with packs on its shelf.
type packs struct {
	t    *testing.T
	data string
	shelf.Shelf
}

func newPacks(t *testing.T) packs {
	t.Helper()
	data := t.TempDir()
	p := packs{t, data, shelf.Shelf{Dir: filepath.Join(data, contentFolder)}}
	if err := p.Make(); err != nil {
		t.Fatal(err)
	}
	return p
}

// put puts a pack in place, and the one before it into the second row.
func (p packs) put(version string, spoil func(dir string) error) {
	p.t.Helper()
	err := os.CopyFS(p.Path(version), content.FS)
	if err == nil && spoil != nil {
		err = spoil(p.Path(version))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	before, err := p.Version(shelf.Current)
	if err == nil {
		err = p.Point(shelf.Previous, before)
	}
	if err == nil {
		err = p.Point(shelf.Current, version)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func writes(name, text string) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(text), 0o644)
	}
}

// A pack of the hub is shown where it is there and sound, and otherwise the one
// before, and otherwise what the program carries.
func TestContents(t *testing.T) {
	t.Parallel()
	p := newPacks(t)
	check := func(name, version, refused, why string) {
		t.Helper()
		c, err := loadCurrent(p.data, content.FS)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Demarches == nil || c.Level == nil || c.Texts == nil || c.version != version {
			t.Errorf("%s: version %q", name, c.version)
		}
		if c.refused.Version != refused || !strings.Contains(c.refused.Why, why) || c.refused.Since.IsZero() != (refused == "") {
			t.Errorf("%s: refused %+v", name, c.refused)
		}
	}
	check("nothing sent", "", "", "")
	p.put("v1", writes("textes/fr.toml", "[attract]\ntitle = \"Bienvenue à Neudorf\"\n"))
	check("sent", "v1", "", "")
	if c, err := loadCurrent(p.data, content.FS); err != nil || c.Texts.In("fr").T("attract.title") != "Bienvenue à Neudorf" {
		t.Errorf("the pack's own sentence isn't said: %v", err)
	}
	p.put("v2", func(dir string) error { return os.Remove(filepath.Join(dir, "level.yaml")) })
	check("without the level test", "v1", "v2", "level.yaml")
	p.put("v3", nil)
	if err := os.RemoveAll(p.Path("v3")); err != nil {
		t.Fatal(err)
	}
	check("a link to nowhere, and a bad one before", "", "v3", "v3")
	p.put("v4", nil)
	check("sent again", "v4", "", "")
}

// What the hub has put in place since the borne started is looked at before the
// borne leaves for it; what it refused when it started is not.
func TestContentsNews(t *testing.T) {
	t.Parallel()
	p := newPacks(t)
	p.put("v1", nil)
	broken := writes("level.yaml", "questions: [")
	load := func() contents {
		t.Helper()
		c, err := loadCurrent(p.data, content.FS)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := load()
	for _, step := range []struct {
		name  string
		put   func()
		fresh bool // the borne has started since
		any   bool
		why   string
	}{
		{"nothing new", func() {}, false, false, ""},
		{"a good one", func() { p.put("v2", nil) }, false, true, ""},
		{"a broken one", func() { p.put("v3", broken) }, false, true, "level.yaml"},
		{"one that was refused already", func() {}, true, false, ""},
		{"none any more", func() { p.Point(shelf.Current, "") }, false, true, ""},
	} {
		if step.fresh {
			c = load()
		}
		step.put()
		any, err := c.news(p.data)
		if any != step.any || (err == nil) != (step.why == "") || err != nil && !strings.Contains(err.Error(), step.why) {
			t.Errorf("%s: %t, %v", step.name, any, err)
		}
	}
}

// The agent learns since when content is refused, and that it no longer is.
func TestTellRefused(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	tell := func(r store.Refusal) store.Refusal {
		t.Helper()
		desk := newClerk(st, time.Now)
		tellRefused(desk, store.ContentRefused, r)
		desk.close()
		kept, err := st.Refusal(t.Context(), store.ContentRefused)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	refused := store.Refusal{Version: "v2", Since: noon, Why: "illisible"}
	for _, step := range []struct{ tell, want store.Refusal }{
		{store.Refusal{}, store.Refusal{}},
		{refused, refused},
		{store.Refusal{Version: "v2", Since: noon.Add(time.Hour), Why: "illisible"}, refused},
		{store.Refusal{}, store.Refusal{}},
	} {
		if got := tell(step.tell); got != step.want {
			t.Errorf("told %+v, kept %+v", step.tell, got)
		}
	}
}

func placeNamed(id, name string) string {
	return `{"id": "` + id + `", "pivot": "000000000", "nom": "` + name + `", "commune": "Strasbourg", "code_postal": "67000",` +
		`"adresse": "1 place Kléber", "latitude": 48.5839, "longitude": 7.7455, "date_maj": "2026-10-01"}`
}

// The places of a pack come into the directory once, those that are faulty
// excepted; a file that is none changes nothing.
func TestImportPlaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p := newPacks(t)
	st, err := store.Open(p.data)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	file := func(places ...string) string { return "[" + strings.Join(places, ",") + "]" }
	a, b, c := placeNamed("a", "Cyber A"), placeNamed("b", "Cyber B"), placeNamed("c", "Cyber C")
	names := func() string {
		t.Helper()
		d, err := place.Open(ctx, st.DB(), hours.Metropole)
		if err != nil {
			t.Fatal(err)
		}
		found, err := d.Search(ctx, place.Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, h := range found.Hits {
			all = append(all, h.Name)
		}
		return strings.Join(all, ", ")
	}
	for _, step := range []struct{ version, file, names, err string }{
		{"v1", file(a, b), "Cyber A, Cyber B", ""},
		{"v2", file(a, `{"nom": "sans identifiant"}`), "Cyber A", ""},
		{"v3", "<html>", "Cyber A", "lieux.json"},
		{"v4", file(c), "Cyber C", ""},
	} {
		p.put(step.version, writes("lieux.json", step.file))
		known, err := loadCurrent(p.data, content.FS)
		if err != nil {
			t.Fatal(err)
		}
		err = importPlaces(ctx, st, known)
		if (err == nil) != (step.err == "") || err != nil && !strings.Contains(err.Error(), step.err) {
			t.Errorf("%s: %v", step.version, err)
		}
		if got := names(); got != step.names {
			t.Errorf("%s: places %q, want %q", step.version, got, step.names)
		}
	}
	// Once imported it is left alone, whatever IT has done to the places since.
	if _, err := st.DB().ExecContext(ctx, `UPDATE place SET nom = 'Corrigé'; UPDATE place_state SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	known, err := loadCurrent(p.data, content.FS)
	if err != nil {
		t.Fatal(err)
	}
	if err := importPlaces(ctx, st, known); err != nil {
		t.Error(err)
	}
	if got := names(); got != "Corrigé" {
		t.Errorf("imported again: %q", got)
	}
}
