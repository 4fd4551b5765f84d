package demarche_test

import (
	"slices"
	"strings"
	"testing"

	"parvis/kiosk/demarche"
)

// titled is a sound démarche with this rank, French title and summary.
func titled(id, rank, title, summary string) string {
	return strings.NewReplacer("id: base", "id: "+id, "rank: 1", "rank: "+rank,
		"title: {fr: T,", "title: {fr: \""+title+"\",", "summary: {fr: S,", "summary: {fr: \""+summary+"\",").Replace(withoutQuestions)
}

func searchable(t *testing.T) *demarche.Catalogue {
	return mustLoad(t,
		"retraite.yaml", titled("retraite", "3", "Préparer sa retraite", "Vos droits, votre âge, une carte"),
		"carte.yaml", titled("carte", "2", "Carte d’identité", "Demander, renouveler"),
		"coeur.yaml", titled("coeur", "1", "Complémentaire santé", "Au cœur de vos droits"),
	)
}

func ids(found []*demarche.Demarche) []string {
	var out []string
	for _, d := range found {
		out = append(out, d.ID)
	}
	return out
}

func TestSearch(t *testing.T) {
	c := searchable(t)
	tests := map[string]struct {
		text, lang string
		want       []string
	}{
		"prefix of a title word":     {"retr", "fr", []string{"retraite"}},
		"accents and capitals":       {"IDENTITE", "fr", []string{"carte"}},
		"accents typed":              {"âge", "fr", []string{"retraite"}},
		"decomposed accents":         {"pre\u0301parer", "fr", []string{"retraite"}},
		"all words are needed":       {"carte identite", "fr", []string{"carte"}},
		"title before summary":       {"carte", "fr", []string{"carte", "retraite"}},
		"summary by rank":            {"droits", "fr", []string{"coeur", "retraite"}},
		"words in title and summary": {"retraite age", "fr", []string{"retraite"}},
		"ligature":                   {"coeur", "fr", []string{"coeur"}},
		"elided article":             {"l'identité", "fr", []string{"carte"}},
		"inside a word":              {"traite", "fr", nil},
		"nothing typed":              {" ", "fr", []string{"coeur", "carte", "retraite"}},
		"unknown word":               {"piscine", "fr", nil},
		"another language":           {"retraite", "en", nil},
		"a language not there yet":   {"retraite", "ar", []string{"retraite"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ids(c.Search(tt.text, tt.lang)); !slices.Equal(got, tt.want) {
				t.Errorf("Search(%q, %q) = %v, want %v", tt.text, tt.lang, got, tt.want)
			}
		})
	}
}

func TestPopularAndByTheme(t *testing.T) {
	c := searchable(t)
	for n, want := range map[int][]string{0: nil, 2: {"coeur", "carte"}, 9: {"coeur", "carte", "retraite"}} {
		if got := ids(c.Popular(n)); !slices.Equal(got, want) {
			t.Errorf("Popular(%d) = %v, want %v", n, got, want)
		}
	}
	if got := ids(c.ByTheme("papiers")); !slices.Equal(got, []string{"coeur", "carte", "retraite"}) {
		t.Errorf("ByTheme = %v", got)
	}
	if got := c.ByTheme("absent"); len(got) != 0 {
		t.Errorf("a theme that isn't there has %v", ids(got))
	}
}
