package fiche_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/kiosk/fiche"
)

// Whatever the bytes, Parse answers with a fiche that has what every fiche
// must, and rectangular tables, or with a problem that names a line.
func FuzzParse(f *testing.F) {
	for _, body := range []string{"", "<Texte><Chapitre><Titre>C</Titre><SousChapitre><Titre>S</Titre><Paragraphe>a<Exposant>2</Exposant></Paragraphe></SousChapitre></Chapitre></Texte>",
		"<ListeSituations><Situation><Titre>S</Titre><Texte><BlocCas><Cas><Titre>C</Titre></Cas></BlocCas></Texte></Situation></ListeSituations>",
		`<Tableau><Rangée type="header"><Cellule fusionHorizontale="3" fusionVerticale="9"><Paragraphe>a</Paragraphe></Cellule></Rangée><Rangée><Cellule/>b</Rangée></Tableau>`,
		`<Liste type="numero"><Item><Paragraphe>a</Paragraphe><Liste><Item>b</Item></Liste></Item></Liste>`,
		`<ServiceEnLigne URL="https://a.fr"><Titre>T</Titre><NoticeLiee URL="b">N</NoticeLiee></ServiceEnLigne><Definition ID="R1"><Titre>D</Titre></Definition>`,
		`<ANoter><Image><Legende>L</Legende></Image></ANoter><Inconnu>a<b>c</b></Inconnu><!-- x --><?y?>`} {
		f.Add([]byte(document(body)))
	}
	for file := range realFiches {
		if doc, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "fiches", file)); err == nil && len(doc) < 20_000 {
			f.Add(doc)
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := fiche.Parse(strings.NewReader(string(doc)))
		if err != nil {
			var p fiche.Problem
			if !errors.As(err, &p) || p.Line < 1 || p.Line > strings.Count(string(doc), "\n")+strings.Count(string(doc), "\r")+1 || p.Reason == "" {
				t.Errorf("a problem without a place: %#v", err)
			}
			return
		}
		if got.ID == "" || got.Title == "" || got.Updated.IsZero() || got.Source == "" || got.URL == "" {
			t.Errorf("incomplete: %+v", got)
		}
		for _, s := range got.Sections {
			for _, b := range s.Blocks {
				if len(strings.Join(texts(b), "")) == 0 {
					t.Errorf("an empty block: %#v", b)
				}
				if table, ok := b.(fiche.Table); ok {
					for _, row := range table.Rows {
						if len(row) != len(table.Rows[0]) {
							t.Errorf("a ragged table: %q", table.Rows)
						}
					}
				}
			}
		}
	})
}
