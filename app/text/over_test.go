package text_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"parvis/app/text"
)

func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return fsys
}

func TestLoadOver(t *testing.T) {
	c, err := text.LoadOver(folder(map[string]string{
		"fr.toml": "[home]\ntitle = \"Bonjour et bienvenue à Neudorf.\"\n[places]\ncount = {one = \"Un lieu\", other = \"{{.Count}} lieux à Neudorf\"}\n",
		"ar.toml": "[attract]\nstart = \"ابدأ\"\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ lang, id, want string }{
		{"fr", "home.title", "Bonjour et bienvenue à Neudorf."},
		{"fr", "home.demarches", "Faire une démarche"}, // as before
		{"ar", "home.title", c.In("ar").T("home.title")},
		{"ar", "attract.start", "ابدأ"},
		{"falc", "home.callback", "Une personne m’appelle"},
	} {
		if got := c.In(tc.lang).T(tc.id); got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.lang, tc.id, got, tc.want)
		}
	}
	if got := c.In("fr").T("places.count", "Count", 1); got != "Un lieu" {
		t.Error(got)
	}
	if got := c.In("fr").T("places.count", "Count", 3); got != "3 lieux à Neudorf" {
		t.Error(got)
	}
	if _, err := text.LoadOver(folder(nil)); err != nil {
		t.Errorf("a folder without sentences: %v", err)
	}
}

func TestLoadOverRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ file, data, want string }{
		"unknown key":         {"fr.toml", "[home]\n\ntitel = \"Bonjour\"", "fr.toml:3: home.titel : la borne n’a pas de phrase"},
		"unknown table":       {"en.toml", "[maison]\ntitle = \"Hello\"", "en.toml:2: maison.title"},
		"missing placeholder": {"fr.toml", "[person]\ndesk_text = \"Demandez à l’accueil.\"", "fr.toml:2: person.desk_text : il manque {{.Site}}"},
		"unknown placeholder": {"fr.toml", "[home]\ntitle = \"Bonjour {{.Nom}}\"", "{{.Nom}}"},
		"broken placeholder":  {"fr.toml", "[home]\ntitle = \"Bonjour {{.Nom\"", "accolades"},
		"template code":       {"fr.toml", "[home]\ntitle = \"{{range .}}x{{end}}\"", "accolades"},
		"missing in a plural": {"fr.toml", "[places]\ncount = {one = \"un\", other = \"des lieux\"}", "il manque {{.Count}}"},
		"unknown form":        {"fr.toml", "[places]\ncount = {une = \"un\", other = \"{{.Count}} lieux\"}", "« une » n’est pas une forme"},
		"no text":             {"fr.toml", "[home]\ntitle = 12", "guillemets"},
		"empty":               {"fr.toml", "[home]\ntitle = \" \"", "vide"},
		"too long":            {"fr.toml", "[nav]\nhome = \"" + strings.Repeat("très ", 30) + "\"", "lettres"},
		"two lines":           {"fr.toml", "[nav]\nhome = \"a\\nb\"", "une ligne"},
		"broken":              {"fr.toml", "[home]\ntitle = \"Bonjour\n", "fr.toml:2: le fichier n’est pas du TOML"},
		"twice":               {"fr.toml", "[home]\ntitle = \"a\"\ntitle = \"b\"", "fr.toml:3: le fichier n’est pas du TOML"},
		"unknown language":    {"xx.toml", "", "attendu fr.toml"},
		"no language":         {"notes.txt", "", "serait ignoré"},
		"top level":           {"fr.toml", "title = \"Bonjour\"", "fr.toml:1: title"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := text.LoadOver(folder(map[string]string{tc.file: tc.data}))
			var problems text.Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v; wanted « %s »", err, tc.want)
			}
		})
	}
}
