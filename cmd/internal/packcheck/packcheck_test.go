package packcheck_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"parvis/cmd/internal/packcheck"
	"parvis/content"
)

const fiche = `<?xml version="1.0" encoding="UTF-8"?>
<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F1" type="Fiche d'information" spUrl="https://www.service-public.gouv.fr/particuliers/vosdroits/F1">
<dc:title>Un titre</dc:title><dc:subject>Un sujet</dc:subject><dc:date>modified 2024-11-01</dc:date>
<Audience>Particuliers</Audience><Theme ID="N1"><Titre>Un thème</Titre></Theme>
</Publication>`

// sound is a pack with something of every kind.
func sound(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(content.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(content.FS, name)
		if name == "demo/places.csv" {
			name = packcheck.PlacesCSV
		}
		if !strings.HasPrefix(name, "demo/") {
			files[name] = &fstest.MapFile{Data: data}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	put(files, "fiches/F1.xml", fiche)
	put(files, "textes/fr.toml", "[home]\ntitle = \"Bonjour, Neudorf\"")
	put(files, "voix/fr.yaml", "Neudorf: neuille dorf")
	return files
}

func put(files fstest.MapFS, name, data string) { files[name] = &fstest.MapFile{Data: []byte(data)} }

func TestCheck(t *testing.T) {
	files := sound(t)
	r, err := packcheck.Check(files)
	if err != nil || r.Demarches < 10 || r.Fiches != 1 || r.Places < 5 || len(r.Warnings) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := packcheck.Names(files); err != nil {
		t.Error(err)
	}
	c, err := packcheck.Load(files)
	if err != nil || c.Texts.In("fr").T("home.title") != "Bonjour, Neudorf" || c.Lexicon.Say("fr", "Neudorf") != "neuille dorf" || c.Level == nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := packcheck.Load(content.FS); err != nil {
		t.Errorf("what the program carries: %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		file, data string // no data: removed
		want       string
	}{
		"a broken démarche":        {"demarches/retraite.yaml", "id: retraite\n", "demarches/retraite.yaml:"},
		"no démarches":             {"demarches", "", "demarches"},
		"no level test":            {"level.yaml", "", "level"},
		"a broken level test":      {"level.yaml", "questions: 3\n", "level.yaml:1"},
		"an unknown sentence":      {"textes/fr.toml", "[home]\ntitel = \"x\"", "textes/fr.toml:2: home.titel"},
		"a broken lexicon":         {"voix/fr.yaml", "- a\n", "voix/fr.yaml:1"},
		"no usable fiche":          {"fiches/F1.xml", "<a", "aucune fiche"},
		"no usable place":          {"lieux.csv", "id,nom\n1,Mairie\n", "lieux.csv"},
		"places that are no table": {"lieux.csv", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := sound(t)
			if tt.data == "" {
				for n := range files {
					if n == tt.file || strings.HasPrefix(n, tt.file+"/") {
						delete(files, n)
					}
				}
			} else {
				put(files, tt.file, tt.data)
			}
			_, err := packcheck.Check(files)
			if tt.want == "" {
				if err != nil {
					t.Errorf("a pack need not have it: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; wanted « %s »", err, tt.want)
			}
		})
	}
}

// One faulty fiche or place empties no borne; the publisher is told of it.
func TestWarnings(t *testing.T) {
	files := sound(t)
	put(files, "fiches/F2.xml", "<a")
	put(files, "lieux.csv", string(files["lieux.csv"].Data)+"\n;;\n")
	r, err := packcheck.Check(files)
	all := strings.Join(r.Warnings, "\n")
	if err != nil || r.Fiches != 1 || !strings.Contains(all, "fiches/F2.xml:1") || !strings.Contains(all, "lieux.csv:") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"demarche/a.yaml":       "Vouliez-vous « demarches » ?",
		"Level.yaml":            "Vouliez-vous « level.yaml » ?",
		"notes de service.docx": "Attendu : demarches",
		"lieux.json":            "gardez l’un des deux",
	} {
		files := sound(t)
		put(files, name, "x")
		if err := packcheck.Names(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted « %s »", name, err, want)
		}
	}
	files := sound(t)
	put(files, ".git/config", "x")
	if err := packcheck.Names(files); err != nil {
		t.Errorf("a hidden folder: %v", err)
	}
}
