package fiche_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"parvis/kiosk/fiche"
)

// page is a fiche with this id, day, title and text.
func page(id, day, title, text string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(fmt.Sprintf(`<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="%s"><dc:title>%s</dc:title>
<dc:date>modified %s</dc:date><Texte><Paragraphe>%s</Paragraphe></Texte>
<Reference URL="https://exemple.fr"><Titre>Code de la route</Titre></Reference></Publication>`, id, title, day, text))}
}

func open(t testing.TB, fsys fs.FS) *fiche.Library {
	t.Helper()
	l, err := fiche.Open(fsys)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return l
}

var shelf = fstest.MapFS{
	"F1.xml":     page("F1", "2024-01-01", "Carte d’identité", "Il faut une photo d’identité et, pour un mineur, ses parents."),
	"F2.xml":     page("F2", "2024-01-01", "Perte de la carte d’identité", "Déclarez la perte en mairie."),
	"F3.xml":     page("F3", "2024-01-01", "Passeport", "Les pièces sont celles de la carte d’identité. L’œuvre coûte 86\u00a0€."),
	"F4.xml":     page("F4", "2024-01-01", "Élections : s’inscrire", "Sur internet ou en mairie."),
	"F5.xml":     {Data: []byte("<Publication>\n<Texte></Publication>")},
	"N1.xml":     page("N1", "2024-01-01", "Dossier", "Papiers"),
	"notes.xml":  page("F6", "2024-01-01", "Autre", "autre"),
	"F7/F7.xml":  page("F7", "2024-01-01", "Autre", "autre"),
	"F2 old.xml": page("F2", "2023-01-01", "Ancien titre", "ancien texte"),
	"F2_old.xml": page("F2", "2022-01-01", "Ancien titre", "ancien texte"),
}

func TestLibrary(t *testing.T) {
	l := open(t, shelf)
	for _, id := range []string{"F1", "F2", "F3", "F4"} {
		if f, ok := l.Get(id); !ok || f.ID != id {
			t.Errorf("Get(%s) = %v, %v", id, f, ok)
		}
		if hit, ok := l.Find(id); !ok || hit.ID != id || hit.Title == "" {
			t.Errorf("Find(%s) = %v, %v", id, hit, ok)
		}
	}
	if f, _ := l.Get("F2"); f == nil || f.Title != "Perte de la carte d’identité" {
		t.Errorf("the older of two is kept: %v", f)
	}
	for _, id := range []string{"F5", "N1", "F6", "F7", "", "F1.xml", "../F1"} {
		if f, ok := l.Get(id); ok || f != nil {
			t.Errorf("Get(%q) = %v, %v", id, f, ok)
		}
		if hit, ok := l.Find(id); ok {
			t.Errorf("Find(%q) = %v", id, hit)
		}
	}
	var problems []string
	for _, p := range l.Problems() {
		problems = append(problems, p.Error())
	}
	want := []string{"F2 old.xml:1: la fiche F2 se trouve aussi dans F2.xml, qui est gardé",
		"F2_old.xml:1: la fiche F2 se trouve aussi dans F2.xml, qui est gardé", "F5.xml:2: l’élément Texte est fermé par Publication"}
	if !slices.Equal(problems, want) {
		t.Errorf("problems %q", problems)
	}
}

func TestSearch(t *testing.T) {
	l := open(t, shelf)
	tests := []struct {
		name, words string
		want        []string // those found in their title have a star
	}{
		{"title before text, short titles first", "carte identité", []string{"F1*", "F2*", "F3"}},
		{"accents and case", "IDENTITE", []string{"F1*", "F2*", "F3"}},
		{"start of a word", "pass", []string{"F3*"}},
		{"all the words, part in the title", "perte mairie", []string{"F2"}},
		{"part in the title before none", "carte photo", []string{"F1"}},
		{"small words don't matter", "la carte pour le passeport", []string{"F3"}},
		{"small words alone do", "une", []string{"F1"}},
		{"letters in one", "oeuvre", []string{"F3"}},
		{"apostrophes", "s'inscrire", []string{"F4*"}},
		{"figures", "86 €", []string{"F3"}},
		{"nothing", "xylophone", nil},
		{"one of two", "carte xylophone", nil},
		{"words of the laws at the end don't count", "route", nil},
		{"older and broken files aren't found", "ancien", nil},
		{"no words: all, by title", " ?", []string{"F1", "F4", "F3", "F2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, h := range l.Search(tt.words) {
				if h.InTitle {
					h.ID += "*"
				}
				got = append(got, h.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if h := l.Search("passeport"); len(h) != 1 || h[0] != (fiche.Hit{ID: "F3", Title: "Passeport", InTitle: true}) {
		t.Errorf("got %+v", h)
	}
}

func TestNoFolder(t *testing.T) {
	l := open(t, os.DirFS(t.TempDir()+"/nowhere"))
	if hits, problems := l.Search(""), l.Problems(); len(hits) != 0 || len(problems) != 0 {
		t.Errorf("got %v, %v", hits, problems)
	}
	if f, ok := l.Get("F1"); ok {
		t.Errorf("got %v", f)
	}
}

// locked is a folder that can't be listed, or whose files can't be read.
type locked struct {
	fs.FS
	name string
}

func (l locked) Open(name string) (fs.File, error) {
	if name == l.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

func TestLocked(t *testing.T) {
	if _, err := fiche.Open(locked{shelf, "."}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	l := open(t, locked{fstest.MapFS{"F1.xml": shelf["F1.xml"], "F3.xml": shelf["F3.xml"]}, "F1.xml"})
	if p := l.Problems(); len(p) != 1 || p[0].Error() != "F1.xml:1: le fichier ne se lit pas : accès refusé" {
		t.Errorf("problems %v", p)
	}
	if hits := l.Search(""); len(hits) != 1 || hits[0].ID != "F3" {
		t.Errorf("hits %v", hits)
	}
}

// A fiche whose file has gone or changed since is not there.
func TestChangedSince(t *testing.T) {
	fsys := fstest.MapFS{"F1.xml": shelf["F1.xml"], "F2.xml": shelf["F2.xml"], "F3.xml": shelf["F3.xml"]}
	l := open(t, fsys)
	delete(fsys, "F1.xml")
	fsys["F2.xml"] = shelf["F3.xml"]
	fsys["F3.xml"] = shelf["F5.xml"]
	for _, id := range []string{"F1", "F2", "F3"} {
		if f, ok := l.Get(id); ok || f != nil {
			t.Errorf("Get(%s) = %v, %v", id, f, ok)
		}
	}
}

func TestRealLibrary(t *testing.T) {
	l := open(t, os.DirFS(data(t)))
	for id, day := range map[string]string{"F2614": "2021-04-06", "F2883": "2022-11-29", "F2918": "2024-11-01", "F766": "2022-12-26"} {
		if f, ok := l.Get(id); !ok || f.Updated.Format("2006-01-02") != day {
			t.Errorf("Get(%s) = %v, %v", id, f, ok)
		}
	}
	for _, p := range l.Problems() {
		if !strings.Contains(p.Reason, "se trouve aussi dans") {
			t.Error(p)
		}
	}
	for words, want := range map[string]string{"demission": "F2883", "contrat apprenti": "F2918", "arret maladie": "F2614", "urssaf": "F766"} {
		if hits := l.Search(words); len(hits) == 0 || hits[0].ID != want {
			t.Errorf("Search(%s) = %+v", words, hits)
		}
	}
}

// BenchmarkOpen opens as many fiches as Service-Public has.
func BenchmarkOpen(b *testing.B) {
	fsys := national(b)
	for b.Loop() {
		open(b, fsys)
	}
}

func BenchmarkSearch(b *testing.B) {
	l := open(b, national(b))
	for b.Loop() {
		if len(l.Search("contrat de travail")) == 0 {
			b.Fatal("nothing found")
		}
	}
}

// national is about 5,500 fiches and 200 MB, made of the real ones.
func national(b *testing.B) fs.FS {
	real := os.DirFS(data(b))
	fsys := fstest.MapFS{}
	for file, f := range realFiches {
		doc, err := fs.ReadFile(real, file)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 800 {
			id := fmt.Sprintf("F%d", 100000+len(fsys))
			text := strings.Replace(string(doc), `ID="`+f.id+`"`, `ID="`+id+`"`, 1)
			fsys[fmt.Sprintf("%s-%d.xml", id, i)] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}
