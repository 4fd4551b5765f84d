package demarche_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"parvis/kiosk/demarche"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

const themesYAML = `themes:
  - {id: papiers, icon: id, label: {fr: Papiers, falc: Papiers, en: Papers}}
`

// baseYAML is a sound démarche: passport or card, and for a card lost or not.
const baseYAML = `id: base
theme: papiers
icon: id
rank: 1
topic: papiers_elections_citoyennete
checked: 2026-11-15
sources:
  - title: {fr: Source, falc: Source, en: Source}
    url: https://www.service-public.gouv.fr/F1
title: {fr: Pièce d’identité, falc: Papier, en: Identity}
summary: {fr: Demander, falc: Demander, en: Apply}
questions:
  - id: titre
    text: {fr: Quel titre, falc: Quoi, en: What?}
    choices:
      - {id: carte, icon: id, label: {fr: Carte, falc: Carte, en: Card}}
      - {id: passeport, icon: plane, label: {fr: Passeport, falc: Passeport, en: Passport}}
  - id: perdue
    if: titre == 'carte'
    text: {fr: Perdue, falc: Perdue, en: Lost?}
    choices:
      - {id: oui, icon: check, label: {fr: Oui, falc: Oui, en: "Yes"}}
      - {id: non, icon: x, label: {fr: Non, falc: Non, en: "No"}}
bring:
  - text: {fr: 1 photo, falc: 1 photo, en: 1 photo}
  - text: {fr: Déclaration de perte, falc: Papier de perte, en: Loss report}
    if: perdue == 'oui'
cost:
  - title: {fr: Gratuit, falc: Gratuit, en: Free}
    if: titre == 'carte' && perdue != 'oui'
  - title: {fr: 25 euros, falc: 25 euros, en: 25 euros}
    verify: true
    if: titre == 'passeport' || perdue == 'oui'
delay:
  - title: {fr: 3 semaines, falc: 3 semaines, en: 3 weeks}
where:
  - text: {fr: Mairie, falc: Mairie, en: Town hall}
    query: {text: mairie, services: [aide_aux_demarches_administratives], programmes: [france_services]}
online:
  - text: {fr: Pré-demande, falc: Sur internet, en: Online}
    url: https://france-titres.gouv.fr
`

func check(fsys fs.FS, now time.Time) demarche.Problems {
	_, problems := demarche.Check(fsys, now)
	return problems
}

// folder holds themes.yaml and the files given as name, content pairs.
func folder(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{"themes.yaml": {Data: []byte(themesYAML)}}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

// change replaces a part of the base that occurs in it once.
func change(t *testing.T, old, new string) string {
	t.Helper()
	if strings.Count(baseYAML, old) != 1 {
		t.Fatalf("%q occurs %d times in the base", old, strings.Count(baseYAML, old))
	}
	return strings.Replace(baseYAML, old, new, 1)
}

// lineOf returns the line on which part occurs.
func lineOf(t *testing.T, source, part string) int {
	t.Helper()
	before, _, ok := strings.Cut(source, part)
	if !ok {
		t.Fatalf("%q is not in the file", part)
	}
	return strings.Count(before, "\n") + 1
}

func TestLoadSoundFile(t *testing.T) {
	for name, source := range map[string]string{
		"as it is":                         baseYAML,
		"Windows line ends":                strings.ReplaceAll(baseYAML, "\n", "\r\n"),
		"byte order mark":                  "\ufeff" + baseYAML,
		"no question":                      withoutQuestions,
		"list comparison":                  change(t, "if: titre == 'carte'\n", "if: titre in ['carte', '']\n"),
		"ternary, negation":                change(t, "if: titre == 'carte'\n", `if: "!(titre != 'carte') ? true : false"`+"\n"),
		"question named as a type":         strings.ReplaceAll(baseYAML, "titre", "type"),
		"help and detail":                  change(t, "    choices:\n      - {id: carte,", "    help: {fr: Aide, falc: Aide, en: Help}\n    choices:\n      - {id: carte,"),
		"choice offered after one answer":  change(t, "- {id: non,", "- {id: non, if: titre == 'carte',"),
		"block text":                       change(t, "{fr: Demander, falc: Demander, en: Apply}", "\n  fr: >-\n    Demander\n    vite\n  falc: Demander\n  en: Apply"),
		"directory query for every place":  change(t, "{text: mairie, services: [aide_aux_demarches_administratives], programmes: [france_services]}", "{text: \"\"}"),
		"where without online":             change(t, "online:\n  - text: {fr: Pré-demande, falc: Sur internet, en: Online}\n    url: https://france-titres.gouv.fr\n", ""),
		"a condition true in all branches": change(t, "if: perdue == 'oui'", "if: perdue == '' || true"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := demarche.Load(folder("base.yaml", source))
			if err != nil {
				t.Fatal(err)
			}
			if c.Get("base") == nil || c.Get("absent") != nil || len(c.Themes) != 1 {
				t.Errorf("catalogue holds %d démarches and %d themes", len(c.Demarches), len(c.Themes))
			}
		})
	}
}

const withoutQuestions = `id: base
theme: papiers
icon: id
rank: 1
topic: logement
checked: "2026-11-15"
sources: [{title: {fr: S, falc: S, en: S}, url: "https://service-public.gouv.fr"}]
title: {fr: T, falc: T, en: T}
summary: {fr: S, falc: S, en: S}
cost: [{title: {fr: C, falc: C, en: C}}]
delay: [{title: {fr: D, falc: D, en: D}}]
online: [{text: {fr: L, falc: L, en: L}, url: "https://service-public.gouv.fr"}]
`

func TestLoadKeepsWhatTheFileSays(t *testing.T) {
	c, err := demarche.Load(folder("base.yaml", baseYAML))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Get("base")
	if d.Theme != "papiers" || d.Icon != "id" || d.Rank != 1 || d.Topic != "papiers_elections_citoyennete" {
		t.Errorf("got %+v", d)
	}
	if want := time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC); !d.Checked.Equal(want) {
		t.Errorf("checked %v, want %v", d.Checked, want)
	}
	if len(d.Sources) != 1 || d.Sources[0].URL != "https://www.service-public.gouv.fr/F1" {
		t.Errorf("sources %+v", d.Sources)
	}
	if got := d.Title.In("falc"); got != "Papier" {
		t.Errorf("title in falc: %q", got)
	}
	if got := d.Title.In("ar"); got != "Pièce d’identité" {
		t.Errorf("title in a language it doesn't have: %q, want the French one", got)
	}
	if d.Questions() != 2 || d.Paths() != 3 {
		t.Errorf("%d questions and %d paths, want 2 and 3", d.Questions(), d.Paths())
	}
}

func TestLoadRefuses(t *testing.T) {
	const secondQuestion = "  - id: perdue\n    if: titre == 'carte'\n"
	tests := map[string]struct {
		old, new string // what changes in the base
		at       string // the problem's line is the first that has this; "" is line 1
		reason   string
		schema   bool // schema.json shows it to editors too
	}{
		// Keys and values.
		"unknown key":             {"icon: id\nrank", "icon: id\ncolour: red\nrank", "colour", "clé inconnue « colour »", true},
		"unknown key in a choice": {"- {id: carte,", "- {id: carte, next: perdue,", "next", "clé inconnue « next »", true},
		"duplicate key":           {"rank: 1\n", "rank: 1\nrank: 2\n", "rank: 2", "la clé « rank » est en double", false},
		"missing key":             {"rank: 1\n", "", "", "« rank » manque", true},
		"missing cost":            {"delay:\n  - title: {fr: 3 semaines, falc: 3 semaines, en: 3 weeks}\n", "", "", "« delay » manque", true},
		"not a mapping":           {"title: {fr: Pièce d’identité, falc: Papier, en: Identity}", "title: Pièce", "title: Pièce", "dans chaque langue", true},
		"not a list":              {"  - text: {fr: Mairie,", "    text: {fr: Mairie,", "where:", "il faut une liste", true},
		"not a boolean":           {"verify: true", "verify: peut-être", "verify", "true ou false", true},
		"a number for a text":     {"fr: 25 euros", "fr: 25", "fr: 25", "title.fr : il faut un texte", true},
		"nothing for a text":      {"falc: 25 euros,", "falc: ,", "fr: 25 euros", "title.falc : il faut un texte", true},
		"bad icon":                {"icon: plane", "icon: Plane.svg", "Plane.svg", "icon : « Plane.svg » n’est pas valable", true},
		"unknown topic":           {"topic: papiers_elections_citoyennete", "topic: papiers", "topic", "« papiers » n’existe pas", true},
		"unknown theme":           {"theme: papiers", "theme: papier", "theme", "« papier » n’est pas dans themes.yaml", false},
		"rank zero":               {"rank: 1", "rank: 0", "rank", "nombre entier à partir de 1", true},
		"rank in words":           {"rank: 1", "rank: premier", "rank", "nombre entier à partir de 1", true},
		"unknown service":         {"services: [aide_aux_demarches_administratives]", "services: [aide]", "services", "« aide » n’existe pas", true},
		"unknown programme":       {"programmes: [france_services]", "programmes: [maison]", "programmes", "« maison » n’existe pas", true},
		"bad fiche":               {"rank: 1\n", "rank: 1\nfiches: [1342]\n", "fiches", "fiches :", true},
		"control character":       {"fr: Mairie", `fr: "Mairie\x1b@"`, "Mairie", "caractère de commande", false},

		// Languages.
		"missing language": {"falc: Mairie, ", "", "fr: Mairie", "text : la langue « falc » manque", true},
		"unknown language": {"{fr: Mairie,", "{de: Rathaus, fr: Mairie,", "Rathaus", "langue inconnue « de »", true},
		"language twice":   {"{fr: Mairie,", "{fr: Ville, fr: Mairie,", "Ville", "« fr » est en double", false},
		"empty text":       {"fr: Mairie", `fr: " "`, "falc: Mairie", "text.fr : le texte est vide", true},

		// Ids, dates, sources.
		"id is not the file's name":   {"id: base", "id: autre", "id: autre", "doit être le nom du fichier, « base »", false},
		"bad id":                      {"id: base", "id: Base", "id: Base", "« Base » n’est pas valable", true},
		"bad question id":             {"- id: titre", "- id: Titre", "Titre", "« Titre » n’est pas valable", true},
		"reserved question id":        {secondQuestion, "  - id: for\n", "id: for", "mot réservé", false},
		"bad choice id":               {"{id: oui,", "{id: 'oui!',", "oui!", "« oui! » n’est pas valable", true},
		"duplicate question id":       {secondQuestion, "  - id: titre\n", "id: titre\n    text: {fr: Perdue", "« titre » est en double", false},
		"duplicate choice id":         {"{id: non,", "{id: oui,", "{id: oui, icon: x", "« oui » est en double", false},
		"checked is malformed":        {"2026-11-15", "15/11/2026", "checked", "n’est pas une date", true},
		"checked on a day that isn’t": {"2026-11-15", "2026-02-30", "checked", "n’est pas une date", true},
		"checked in the future":       {"2026-11-15", "2026-11-22", "checked", "le 22/11/2026 est dans le futur", false},
		"no source":                   {"  - title: {fr: Source, falc: Source, en: Source}\n    url: https://www.service-public.gouv.fr/F1\n", "  []\n", "sources", "il en faut de 1", true},
		"sources missing":             {"sources:\n  - title: {fr: Source, falc: Source, en: Source}\n    url: https://www.service-public.gouv.fr/F1\n", "", "", "« sources » manque", true},
		"source not https":            {"https://www.service-public.gouv.fr/F1", "http://www.service-public.gouv.fr/F1", "http://", "n’est pas une adresse https", true},
		"online not https":            {"https://france-titres.gouv.fr", "javascript:alert(1)", "javascript", "n’est pas une adresse https", true},
		"one choice":                  {"      - {id: non, icon: x, label: {fr: Non, falc: Non, en: \"No\"}}\n", "", "choices:\n      - {id: oui", "il en faut de 2 à 5, il y en a 1", true},
		"six choices": {"      - {id: non,", choices("a", "b", "c", "d") + "      - {id: non,",
			"choices:\n      - {id: oui", "il en faut de 2 à 5, il y en a 6", true},

		// Conditions.
		"condition doesn't compile":        {"if: perdue == 'oui'", "if: perdue ==", "if: perdue ==", "ne se lit pas, près du caractère 10", false},
		"condition isn't bool":             {"if: perdue == 'oui'", "if: perdue", "if: perdue", "comparez « perdue » à une réponse", false},
		"condition is a string":            {"if: perdue == 'oui'", `if: "'oui'"`, `if: "'oui'"`, "ne dit pas vrai ou faux", false},
		"condition is empty":               {"if: perdue == 'oui'", `if: ""`, `if: ""`, "le texte est vide", true},
		"condition is no text":             {"if: perdue == 'oui'", "if: true", "if: true", "il faut un texte", true},
		"condition names no question":      {"if: perdue == 'oui'", "if: perdu == 'oui'", "if: perdu ", "aucune question ne s’appelle « perdu »", false},
		"condition names no answer":        {"if: perdue == 'oui'", "if: perdue == 'yes'", "'yes'", "« yes » n’est pas une réponse à « perdue » (oui, non)", false},
		"list names no answer":             {"if: perdue == 'oui'", "if: perdue in ['oui', 'yes']", "'yes'", "« yes » n’est pas une réponse", false},
		"answer on the left":               {"if: perdue == 'oui'", "if: \"'yes' != perdue\"", "'yes'", "« yes » n’est pas une réponse", false},
		"compared with a number":           {"if: perdue == 'oui'", "if: perdue == 1", "== 1", "comparez « perdue » à une réponse entre guillemets", false},
		"two questions compared":           {"if: perdue == 'oui'", "if: perdue == titre", "== titre", "réponse entre guillemets", false},
		"two answers compared":             {"if: perdue == 'oui'", "if: \"'oui' == 'oui'\"", "'oui' ==", "comparez une question", false},
		"in something else than a list":    {"if: perdue == 'oui'", "if: perdue in titre", "in titre", "donnez une liste", false},
		"function":                         {"if: perdue == 'oui'", "if: perdue.startsWith('o')", "startsWith", "« startsWith » n’est pas permis", false},
		"arithmetic":                       {"if: perdue == 'oui'", "if: perdue < 'oui'", "perdue <", "« < » n’est pas permis", false},
		"condition names a later question": {"  - id: titre\n", "  - id: titre\n    if: perdue == 'oui'\n", "if: perdue == 'oui'", "n’est pas encore posée", false},
		"choice names its own question":    {"- {id: non,", "- {id: non, if: perdue == 'oui',", "id: non", "n’est pas encore posée", false},
		"long condition":                   {"if: perdue == 'oui'", "if: perdue == 'oui'" + strings.Repeat(" || perdue == 'oui'", 40), "|| perdue", "dépasse 500 caractères", true},

		// Paths.
		"question nobody can reach": {"if: titre == 'carte'\n", "if: titre == 'carte' && titre == 'passeport'\n", "id: perdue", "aucune réponse ne mène à la question « perdue »", false},
		"choice never offered":      {"- {id: non,", "- {id: non, if: titre == 'passeport',", "id: non", "le choix « non » n’est jamais proposé", false},
		"item that never shows":     {"if: perdue == 'oui'", "if: titre == 'passeport' && perdue == 'oui'", "Déclaration de perte", "bring : aucune réponse ne mène", false},
		"no cost on a path":         {"if: titre == 'passeport' || perdue == 'oui'", "if: titre == 'passeport'", "cost:", "aucun coût, par exemple après titre=carte, perdue=oui", false},
		"no delay on a path":        {"en: 3 weeks}\n", "en: 3 weeks}\n    if: titre == 'carte'\n", "delay:", "aucun délai, par exemple après titre=passeport", false},
		"nothing to do at all":      {"where:\n  - text: {fr: Mairie, falc: Mairie, en: Town hall}\n    query: {text: mairie, services: [aide_aux_demarches_administratives], programmes: [france_services]}\nonline:\n  - text: {fr: Pré-demande, falc: Sur internet, en: Online}\n    url: https://france-titres.gouv.fr\n", "", "", "rien à faire, ni sur place ni en ligne, par exemple après titre=carte, perdue=oui", false},
		"choices all filtered out": {"- {id: oui, icon: check, label: {fr: Oui, falc: Oui, en: \"Yes\"}}\n      - {id: non,",
			"- {id: oui, icon: check, if: titre == 'passeport', label: {fr: Oui, falc: Oui, en: \"Yes\"}}\n      - {id: non, if: titre == '',",
			"id: perdue", "la question « perdue » n’a plus aucun choix, par exemple après titre=carte", false},

		// YAML.
		"syntax error":  {"rank: 1", "rank: [1", "topic", "YAML illisible", false},
		"alias":         {"title: {fr: Pièce d’identité, falc: Papier, en: Identity}", "title: &t {fr: T, falc: T, en: T}", "title: &t", "ancres", false},
		"tag":           {"rank: 1", "rank: !!int 1", "rank", "étiquettes", false},
		"two documents": {"online:\n", "---\nonline:\n", "online", "un seul document", false},
	}
	schema := compileSchema(t)
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			source := change(t, c.old, c.new)
			line := 1
			if c.at != "" {
				line = lineOf(t, source, c.at)
			}
			problems := check(folder("base.yaml", source), now).Errors()
			if !has(problems, "base.yaml", line, c.reason) {
				t.Errorf("want base.yaml:%d: …%s…, got\n%v", line, c.reason, problems)
			}
			if c.schema {
				if err := schema.Validate(asJSON(t, []byte(source))); err == nil {
					t.Error("schema.json accepts it")
				}
			}
		})
	}
}

func has(problems demarche.Problems, file string, line int, reason string) bool {
	for _, p := range problems {
		if p.File == file && p.Line == line && strings.Contains(p.Reason, reason) {
			return true
		}
	}
	return false
}

func choices(ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&b, "      - {id: %s, icon: x, label: {fr: %[1]s, falc: %[1]s, en: %[1]s}}\n", id)
	}
	return b.String()
}

func TestNothingToDoOnAPath(t *testing.T) {
	source := strings.Replace(baseYAML, "online:\n", "    if: titre == 'passeport'\nonline:\n", 1) + "    if: perdue == 'non'\n"
	problems := check(folder("base.yaml", source), now)
	if !has(problems, "base.yaml", lineOf(t, source, "online:"), "rien à faire, ni sur place ni en ligne, par exemple après titre=carte, perdue=oui") {
		t.Errorf("got\n%v", problems)
	}
}

func TestLoadRefusesFolders(t *testing.T) {
	other := strings.Replace(baseYAML, "id: base", "id: autre", 1)
	tests := map[string]struct {
		fsys   fstest.MapFS
		file   string
		line   int
		reason string
	}{
		"duplicate rank":     {folder("autre.yaml", other, "base.yaml", baseYAML), "base.yaml", 4, "le rang 1 est déjà pris par autre.yaml"},
		"duplicate id":       {folder("autre.yaml", baseYAML, "base.yaml", baseYAML), "base.yaml", 1, "« base » est déjà pris par autre.yaml"},
		"no démarche":        {folder(), ".", 1, "aucune démarche"},
		"wrong extension":    {folder("base.yaml", baseYAML, "retraite.yml", ""), "retraite.yml", 1, "doit finir par « .yaml »"},
		"no themes":          {fstest.MapFS{"base.yaml": {Data: []byte(baseYAML)}}, "themes.yaml", 1, "le fichier ne se lit pas : introuvable"},
		"themes is broken":   {folder("base.yaml", baseYAML, "themes.yaml", "themes:\n  - {id: papiers}\n"), "themes.yaml", 2, "« label » manque"},
		"theme twice":        {folder("base.yaml", baseYAML, "themes.yaml", themesYAML+strings.SplitAfter(themesYAML, "\n")[1]), "themes.yaml", 3, "« papiers » est en double"},
		"empty file":         {folder("base.yaml", ""), "base.yaml", 1, "le fichier est vide"},
		"a list":             {folder("base.yaml", "- a\n- b\n"), "base.yaml", 1, "il faut des clés"},
		"not UTF-8":          {folder("base.yaml", "id: \xff"), "base.yaml", 1, "pas en UTF-8"},
		"too large":          {folder("base.yaml", "# "+strings.Repeat("a", 1<<20)), "base.yaml", 1, "dépasse 1 Mio"},
		"too many signs":     {folder("base.yaml", strings.Repeat("- a\n", 30_000)), "base.yaml", 10_001, "signes YAML"},
		"too deep":           {folder("base.yaml", "id:\n"+strings.Repeat("[\n", 5_000)), "base.yaml", 34, "trop imbriqué"},
		"too deep in a line": {folder("base.yaml", strings.Repeat("- ", 10_000)), "base.yaml", 1, "trop imbriqué"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := demarche.Load(c.fsys)
			var problems demarche.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v is no Problems", err)
			}
			if !has(problems, c.file, c.line, c.reason) {
				t.Errorf("want %s:%d: …%s…, got\n%v", c.file, c.line, c.reason, problems)
			}
		})
	}
}

func TestLoadTellsAllProblemsInOrder(t *testing.T) {
	a := strings.NewReplacer("id: base", "id: a", "falc: Mairie, ", "", "topic: papiers_elections_citoyennete", "topic: x").Replace(baseYAML)
	b := strings.NewReplacer("id: base", "id: b", "rank: 1", "rank: 2", "https://france", "ftp://france").Replace(baseYAML)
	c := strings.NewReplacer("id: base", "id: c", "rank: 1", "rank: 3").Replace(baseYAML)
	catalogue, err := demarche.Load(folder("c.yaml", c, "b.yaml", b, "a.yaml", a))
	want := fmt.Sprintf("a.yaml:5: topic : « x » n’existe pas (valeurs possibles : papiers_elections_citoyennete, famille_scolarite, social_sante, travail_formation_entreprise, logement, transports_mobilite, argent_impots, justice, etrangers_europe, loisirs_sports_culture, associations)\n"+
		"a.yaml:%d: text : la langue « falc » manque\n"+
		"b.yaml:%d: url : « ftp://france-titres.gouv.fr » n’est pas une adresse https://…", lineOf(t, a, "fr: Mairie"), lineOf(t, b, "ftp:"))
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if len(catalogue.Demarches) != 1 || catalogue.Get("c") == nil {
		t.Errorf("the sound démarche is not kept: %d démarches", len(catalogue.Demarches))
	}
}

func TestLoadLooksAtNoClock(t *testing.T) {
	fsys := folder("base.yaml", change(t, "2026-11-15", "2126-11-15"))
	if _, err := demarche.Load(fsys); err != nil {
		t.Errorf("a borne that has lost the time refuses its content: %v", err)
	}
}

func TestLoadBoundsPaths(t *testing.T) {
	// Each of n questions with five choices; all answers matter at the end.
	wide := func(n int) string {
		var questions, all strings.Builder
		for i := range n {
			fmt.Fprintf(&questions, "  - id: q%d\n    text: {fr: Q, falc: Q, en: Q}\n    choices:\n%s", i, choices("a", "b", "c", "d", "e"))
			fmt.Fprintf(&all, "q%d != '' && ", i)
		}
		source := strings.Replace(withoutQuestions, "cost:", "questions:\n"+questions.String()+"cost:", 1)
		return source + "advice:\n  - text: {fr: A, falc: A, en: A}\n    if: " + all.String() + "true\n"
	}
	c, err := demarche.Load(folder("base.yaml", wide(7)))
	if err != nil || c.Get("base").Paths() != 78_125 {
		t.Errorf("78,125 paths refused: %v", err)
	}
	for _, n := range []int{8, 20} {
		start := time.Now()
		source := wide(n)
		problems := check(folder("base.yaml", source), now).Errors()
		if !has(problems, "base.yaml", lineOf(t, source, "questions:"), "plus de 200 000 chemins") || len(problems) != 1 {
			t.Errorf("%d questions of 5 choices: got %v", n, problems)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
	}
}

func TestCheckWarnsOfStyle(t *testing.T) {
	long := "Vous devez apporter la carte et la photo et le papier de la mairie avec vous."
	tests := map[string]struct {
		old, new, reason string // no reason: no warning
	}{
		"long sentence in falc":             {"falc: Mairie,", "falc: \"" + long + "\",", "phrase de 16 mots"},
		"two short sentences in falc":       {"falc: Mairie,", "falc: \"" + strings.Replace(long, " avec", ". Avec", 1) + "\",", ""},
		"an address doesn't end a sentence": {"falc: Mairie,", "falc: \"" + strings.Replace(long, "papier", "service-public.gouv.fr", 1) + "\",", "phrase de 16 mots"},
		"long sentence in French":           {"{fr: Mairie,", "{fr: \"" + long + "\",", ""},
		"straight apostrophe":               {"{fr: Mairie,", "{fr: \"L'accueil\",", "apostrophe"},
		"straight apostrophe in English":    {"en: Town hall}", "en: \"Don't\"}", ""},
		"breaking space":                    {"{fr: Mairie,", "{fr: \"Où ?\",", "insécable"},
		"no-break space":                    {"{fr: Mairie,", "{fr: \"Où\u00a0?\",", ""},
		"narrow no-break space":             {"{fr: Mairie,", "{fr: \"Où\u202f?\",", ""},
		"time":                              {"{fr: Mairie,", "{fr: \"À 14h30\",", "14 h 30"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			source := change(t, c.old, c.new)
			fsys := folder("base.yaml", source)
			problems := check(fsys, now)
			if c.reason == "" {
				if len(problems) > 0 {
					t.Errorf("got %v", problems)
				}
				return
			}
			if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Reason, c.reason) {
				t.Errorf("want one warning with %q, got %v", c.reason, problems)
			}
			if _, err := demarche.Load(fsys); err != nil {
				t.Errorf("refused for a warning: %v", err)
			}
		})
	}
}
