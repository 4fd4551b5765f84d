package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alecthomas/kong"

	"parvis/cmd/parvis/internal/command"
)

const demarcheThemes = "themes:\n  - {id: papiers, icon: id, label: {fr: Papiers, falc: Papiers, en: Papers}}\n"

const demarcheFile = `id: carte
theme: papiers
icon: id
rank: 1
topic: papiers_elections_citoyennete
checked: 2026-11-15
sources: [{title: {fr: Service-Public, falc: Service-Public, en: Service-Public}, url: "https://www.service-public.gouv.fr"}]
title: {fr: Carte, falc: Carte, en: Card}
summary: {fr: La demander, falc: La demander, en: Apply for it}
questions:
  - id: motif
    text: {fr: Pourquoi, falc: Pourquoi, en: Why?}
    choices:
      - {id: perte, icon: x, label: {fr: Perdue, falc: Perdue, en: Lost}}
      - {id: neuve, icon: plus, label: {fr: Première, falc: Première, en: First}, detail: {fr: Jamais eue, falc: Jamais eue, en: Never had one}}
  - id: plainte
    if: motif == 'perte'
    text: {fr: Déclarée, falc: Déclarée, en: Reported?}
    choices:
      - {id: oui, icon: check, label: {fr: Oui, falc: Oui, en: "Yes"}}
      - {id: non, icon: x, label: {fr: Non, falc: Non, en: "No"}}
bring:
  - text: {fr: 1 photo, falc: 1 photo, en: 1 photo}
    detail: {fr: Récente, falc: Récente, en: Recent}
  - text: {fr: Déclaration, falc: Papier de perte, en: Loss report}
    if: plainte == 'oui'
cost:
  - title: {fr: 25 euros, falc: 25 euros, en: 25 euros}
    verify: true
    if: motif == 'perte'
  - title: {fr: Gratuit, falc: Gratuit, en: Free}
    if: motif == 'neuve'
delay:
  - title: {fr: 3 semaines, falc: 3 semaines, en: 3 weeks}
where:
  - text: {fr: En mairie, falc: La mairie, en: Town hall}
online:
  - text: {fr: Pré-demande, falc: Demande, en: Pre-application}
    url: https://france-titres.gouv.fr
`

// runDemarche runs `demarche ARGS` on content of one file, as the program does.
func runDemarche(t *testing.T, file string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	rt := &command.Runtime{
		Ctx: context.Background(), Stdout: &out, Stderr: &errs,
		Now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
		Content: fstest.MapFS{
			"demarches/themes.yaml": {Data: []byte(demarcheThemes)},
			"demarches/carte.yaml":  {Data: []byte(file)},
		},
	}
	parser, err := kong.New(&command.Demarche{}, kong.Bind(rt))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	var exit command.ExitError
	if err := parsed.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), int(exit)
}

func TestDemarcheWalk(t *testing.T) {
	const title = "Carte. La demander.\n\n"
	const motif = "Question 1 sur 2. Pourquoi.\nChoix 1\u00a0: Perdue.\nChoix 2\u00a0: Première. Jamais eue.\n"
	const plainte = "Question 2 sur 2. Déclarée.\nChoix 1\u00a0: Oui.\nChoix 2\u00a0: Non.\n"
	tests := map[string]struct {
		args           []string
		stdout, stderr string
		status         int
	}{
		"no answers": {[]string{"walk", "carte"}, title + motif, "", 0},
		"answers run out": {[]string{"walk", "carte", "--answers", "perte"},
			title + motif + "Votre réponse\u00a0: Perdue.\n\n" + plainte, "", 0},
		"to the end": {[]string{"walk", "carte", "--answers", "perte,oui"},
			title + motif + "Votre réponse\u00a0: Perdue.\n\n" + plainte + `Votre réponse : Oui.

À apporter.
1 photo. Récente.
Déclaration.
Coût.
À vérifier : 25 euros.
Délai.
3 semaines.
Où aller.
En mairie.
En ligne.
Pré-demande : https://france-titres.gouv.fr
Informations vérifiées le 15/11/2026. Sources.
Service-Public : https://www.service-public.gouv.fr
`, "", 0},
		"in English": {[]string{"walk", "carte", "--answers", "neuve", "--lang", "en"}, `Card. Apply for it.

Question 1 of 2. Why?
Choice 1: Lost.
Choice 2: First. Never had one.
Answer: First.

What to bring.
1 photo. Recent.
Cost.
Free.
How long it takes.
3 weeks.
Where to go.
Town hall.
Online.
Pre-application: https://france-titres.gouv.fr
Information checked on 15/11/2026. Sources.
Service-Public: https://www.service-public.gouv.fr
`, "", 0},
		"bad answer": {[]string{"walk", "carte", "--answers", "vol"}, title + motif,
			"« vol » n’est pas une réponse à « Pourquoi ». Réponses possibles : perte, neuve.\n", 1},
		"unknown démarche": {[]string{"walk", "passeport"}, "",
			"La démarche « passeport » n’existe pas. Démarches : carte.\n", 1},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := runDemarche(t, demarcheFile, c.args...)
			// No-break spaces are hard to see in a test: any space will do.
			want, got := strings.ReplaceAll(c.stdout, "\u00a0", " "), strings.ReplaceAll(stdout, "\u00a0", " ")
			if got != want {
				t.Errorf("printed\n%s\nwant\n%s", got, want)
			}
			if stderr != c.stderr || status != c.status {
				t.Errorf("stderr %q, status %d; want %q, %d", stderr, status, c.stderr, c.status)
			}
		})
	}
	t.Run("too many answers", func(t *testing.T) {
		_, stderr, status := runDemarche(t, demarcheFile, "walk", "carte", "--answers", "neuve,oui,non")
		if status != 1 || !strings.Contains(stderr, "réponses en trop : oui, non") {
			t.Errorf("status %d, stderr %q", status, stderr)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		stdout, _, status := runDemarche(t, demarcheFile, "walk", "carte", "--answers", "perte", "--json")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if status != 0 || len(lines) != 3 {
			t.Fatalf("status %d, %d pages", status, len(lines))
		}
		var page struct {
			Page           string
			Lines, Choices []string
		}
		if err := json.Unmarshal([]byte(lines[2]), &page); err != nil {
			t.Fatal(err)
		}
		if page.Page != "plainte" || len(page.Lines) != 3 || strings.Join(page.Choices, ",") != "oui,non" {
			t.Errorf("got %+v", page)
		}
	})
}

func TestDemarcheCheck(t *testing.T) {
	broken := strings.NewReplacer("motif == 'neuve'", "motif == 'nouvelle'", "rank: 1", "rank: un").Replace(demarcheFile)
	warned := strings.Replace(demarcheFile, "{fr: En mairie,", "{fr: \"À l'accueil\",", 1)
	future := strings.Replace(demarcheFile, "2026-11-15", "2026-11-22", 1)
	tests := map[string]struct {
		file, stdout string
		status       int
	}{
		"sound": {demarcheFile, "Démarches valables : 1. Erreurs : 0. Avertissements : 0.\n", 0},
		"two problems": {broken, "demarches/carte.yaml:4: rank : il faut un nombre entier à partir de 1\n" +
			"demarches/carte.yaml:32: if : la condition « motif == 'nouvelle' » : « nouvelle » n’est pas une réponse à « motif » (perte, neuve)\n" +
			"Démarches valables : 0. Erreurs : 2. Avertissements : 0.\n", 1},
		"a warning": {warned, "demarches/carte.yaml:36: attention : text.fr : mettez l’apostrophe ’ au lieu de '\n" +
			"Démarches valables : 1. Erreurs : 0. Avertissements : 1.\n", 0},
		"checked tomorrow": {future, "demarches/carte.yaml:6: checked : le 22/11/2026 est dans le futur\n" +
			"Démarches valables : 0. Erreurs : 1. Avertissements : 0.\n", 1},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, _, status := runDemarche(t, c.file, "check")
			if stdout != c.stdout || status != c.status {
				t.Errorf("status %d, printed\n%s\nwant %v,\n%s", status, stdout, c.status, c.stdout)
			}
		})
	}
	t.Run("JSON", func(t *testing.T) {
		stdout, _, status := runDemarche(t, broken, "check", "--json")
		var got struct {
			Demarches int
			Problems  []struct {
				File, Reason string
				Line         int
				Warning      bool
			}
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 1 {
			t.Fatalf("status %d, %v", status, err)
		}
		if got.Demarches != 0 || len(got.Problems) != 2 || got.Problems[0].File != "demarches/carte.yaml" || got.Problems[0].Line != 4 {
			t.Errorf("got %+v", got)
		}
		if stdout, _, status := runDemarche(t, demarcheFile, "check", "--json"); status != 0 || stdout != `{"demarches":1,"problems":[]}`+"\n" {
			t.Errorf("status %d, printed %s", status, stdout)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		dir := t.TempDir()
		writeDemarche(t, dir+"/themes.yaml", demarcheThemes)
		writeDemarche(t, dir+"/carte.yaml", broken)
		stdout, _, status := runDemarche(t, demarcheFile, "check", dir)
		if status != 1 || !strings.HasPrefix(stdout, dir+"/carte.yaml:4: ") {
			t.Errorf("status %d, printed %s", status, stdout)
		}
		if stdout, _, status := runDemarche(t, demarcheFile, "check", dir+"/absent"); status != 1 || !strings.Contains(stdout, "le dossier ne se lit pas") {
			t.Errorf("no folder: status %d, printed %s", status, stdout)
		}
	})
}

func TestDemarcheList(t *testing.T) {
	stdout, _, status := runDemarche(t, demarcheFile, "list")
	if want := "1  carte  papiers  Carte  vérifiée le 15/11/2026\n"; stdout != want || status != 0 {
		t.Errorf("status %d, printed %q, want %q", status, stdout, want)
	}
	stdout, _, status = runDemarche(t, demarcheFile, "list", "--json")
	want := `{"id":"carte","rank":1,"theme":"papiers","topic":"papiers_elections_citoyennete","title":"Carte","checked":"2026-11-15","questions":2,"paths":3}` + "\n"
	if stdout != want || status != 0 {
		t.Errorf("status %d, printed %s, want %s", status, stdout, want)
	}
	_, stderr, status := runDemarche(t, strings.Replace(demarcheFile, "rank: 1", "rank: un", 1), "list")
	if status != 1 || !strings.HasPrefix(stderr, "demarches/carte.yaml:4: rank") {
		t.Errorf("a broken file: status %d, stderr %q", status, stderr)
	}
}

func TestDemarcheSchema(t *testing.T) {
	stdout, _, status := runDemarche(t, demarcheFile, "schema")
	if status != 0 || !json.Valid([]byte(stdout)) || !strings.Contains(stdout, "draft/2020-12/schema") {
		t.Errorf("status %d, printed %.80s", status, stdout)
	}
}

func writeDemarche(t *testing.T, name, data string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}
