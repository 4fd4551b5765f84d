package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"parvis/cmd/parvis/internal/command"
	"parvis/content"
)

// runPlaces runs "parvis ARGS" for the commands places and hours, on Monday 2
// November 2026 at 10.
func runPlaces(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var root struct {
		Places command.Places `cmd:""`
		Hours  command.Hours  `cmd:""`
	}
	parser, err := kong.New(&root)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return "", "", err
	}
	var out, errOut bytes.Buffer
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	err = parsed.Run(&command.Runtime{Ctx: context.Background(), Stdout: &out, Stderr: &errOut, Now: func() time.Time { return now }})
	return out.String(), errOut.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const threePlaces = `id,pivot,nom,commune,code_postal,adresse,latitude,longitude,horaires,date_maj,source,services,frais_a_charge
a,00000000000000,Médiathèque Olympe,Strasbourg,67000,1 rue du Test,48.5734,7.7521,Tu-Sa 10:00-18:00,2026-05-01,t,Accès internet et matériel informatique,Gratuit
b,00000000000000,Maison des services,Strasbourg,67000,2 rue du Test,48.5824,7.7521,"Mo-Fr 08:30-12:00,13:30-17:00",2024-05-01,t,Aide aux démarches administratives,Gratuit
c,00000000000000,Atelier,Strasbourg,67000,3 rue du Test,,,sur rendez-vous,2026-05-01,t,Aide aux démarches administratives,Payant
`

func TestPlacesImport(t *testing.T) {
	dir := t.TempDir()
	file := write(t, "lieux.csv", threePlaces+"d,x,,,,,,,,,,,\n")
	out, errOut, err := runPlaces(t, "places", "import", file, "--data", dir, "--json")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"read":4,"imported":3,"updated":0,"removed":0,"rejected":1}` + "\n"; out != want {
		t.Errorf("got %s want %s", out, want)
	}
	if !strings.Contains(errOut, file+":5: nom: champ obligatoire vide\n") || !strings.Contains(errOut, file+":5: pivot: ") {
		t.Errorf("told %q", errOut)
	}
	var status command.ExitError
	if _, _, err := runPlaces(t, "places", "import", file, "--data", dir, "--strict"); !errors.As(err, &status) || status != 1 {
		t.Errorf("--strict with a faulty row: %v", err)
	}
	out, _, err = runPlaces(t, "places", "import", write(t, "lieux.csv", threePlaces), "--data", dir, "--strict")
	if want := "3 fiches lues : 3 importées (dont 0 modifiées), 0 refusées ; 0 lieux disparus de leur source retirés.\n"; err != nil || out != want {
		t.Errorf("got %q %v", out, err)
	}
	if _, _, err := runPlaces(t, "places", "import", "rien.csv", "--data", dir); err == nil || err.Error() != "rien.csv : fichier introuvable" {
		t.Errorf("missing file: %v", err)
	}
}

func TestPlacesSearch(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := runPlaces(t, "places", "import", write(t, "lieux.csv", threePlaces), "--data", dir); err != nil {
		t.Fatal(err)
	}
	search := func(args ...string) (string, string, error) {
		return runPlaces(t, append([]string{"places", "search", "--data", dir}, args...)...)
	}
	t.Run("json", func(t *testing.T) {
		out, _, err := search("--near", "48.5734,7.7521", "--json", "--region", "alsace-moselle")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d lines:\n%s", len(lines), out)
		}
		want := map[string]any{"id": "b", "name": "Maison des services", "address": "2 rue du Test, 67000 Strasbourg", "city": "Strasbourg",
			"lat": 48.5824, "lon": 7.7521, "distance_m": 1001.0, "walk_min": 18.0, "state": "open", "closes": "2026-11-02T12:00:00+01:00",
			"hours": "Mo-Fr 08:30-12:00,13:30-17:00", "services": []any{"Aide aux démarches administratives"}, "source": "t",
			"updated": "2024-05-01", "stale": true}
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("got  %s\nwant %s", a, b)
		}
		if !strings.Contains(lines[0], `"state":"opens_later","opens":"2026-11-03T10:00:00+01:00"`) {
			t.Errorf("first line %s", lines[0])
		}
		if !strings.Contains(lines[2], `"state":"unknown"`) || strings.Contains(lines[2], "distance_m") {
			t.Errorf("third line %s", lines[2])
		}
	})
	for _, c := range []struct {
		name string
		args []string
		want string // ids
	}{
		{"open now", []string{"--open"}, "b"},
		{"open at", []string{"--open", "--at", "2026-11-07T17:00:00+01:00"}, "a"},
		{"open on a holiday", []string{"--open", "--at", "2026-11-11T10:00:00+01:00"}, ""},
		{"words", []string{"--text", "mediatheque"}, "a"},
		{"service", []string{"--service", "aide_aux_demarches_administratives"}, "c b"},
		{"two services", []string{"--service", "aide_aux_demarches_administratives", "--service", "Accès internet et matériel informatique"}, "c b a"},
		{"service and free", []string{"--service", "aide_aux_demarches_administratives", "--free"}, "b"},
		{"limit", []string{"--limit", "1"}, "c"},
		{"offset", []string{"--limit", "1", "--offset", "1"}, "b"},
		{"by opening", []string{"--sort", "opening"}, "b a c"},
		{"far south", []string{"--near=-20.88,55.45", "--limit", "1"}, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := search(append(c.args, "--json")...)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for line := range strings.Lines(out) {
				var h struct{ ID string }
				if err := json.Unmarshal([]byte(line), &h); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, h.ID)
			}
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	t.Run("French", func(t *testing.T) {
		out, errOut, err := search("--near", "48.5734,7.7521", "--text", "servicse ")
		if err != nil {
			t.Fatal(err)
		}
		want := "1 lieux trouvés, 1 affichés.\n\n1. Maison des services\n   2 rue du Test, 67000 Strasbourg\n   à 1001 m, 18 min à pied\n   Ouvert jusqu’à 12 h\n" +
			"   Fiche du 01/05/2024 : à vérifier avant de se déplacer.\n"
		if out != want {
			t.Errorf("got\n%s\nwant\n%s", out, want)
		}
		if errOut != "Recherché : « services »\n" {
			t.Errorf("told %q", errOut)
		}
		out, _, err = search("--at", "2026-11-11T10:00:00+01:00")
		for _, want := range []string{"Fermé pour le jour férié (Armistice de 1918), ouvre demain à 8 h 30", "Horaires tels qu’écrits : sur rendez-vous"} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("%q is missing from\n%s", want, out)
			}
		}
	})
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"near", []string{"--near", "ici"}, "--near : « ici » n’est pas un point"},
		{"near off the earth", []string{"--near", "148,7"}, "--near : « 148,7 » n’est pas un point"},
		{"near NaN", []string{"--near", "NaN,7"}, "n’est pas un point"},
		{"service", []string{"--service", "danse"}, "services : valeur inconnue « danse »"},
		{"region", []string{"--region", "lune"}, "--region : région inconnue « lune »"},
		{"limit", []string{"--limit", "0"}, "--limit doit valoir au moins 1"},
	} {
		t.Run("bad "+c.name, func(t *testing.T) {
			if _, _, err := search(c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, _, err := runPlaces(t, "places", "search", "--data", t.TempDir()); err == nil || !strings.Contains(err.Error(), "n’est pas celui d’une borne") {
		t.Errorf("a folder without a database: %v", err)
	}
}

// TestDemoPlaces imports the directory that the demo ships with.
func TestDemoPlaces(t *testing.T) {
	text, err := content.FS.ReadFile("demo/places.csv")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, errOut, err := runPlaces(t, "places", "import", write(t, "places.csv", string(text)), "--data", dir, "--json", "--strict")
	if err != nil || errOut != "" || !strings.Contains(out, `"rejected":0`) {
		t.Fatalf("%s%s%v", out, errOut, err)
	}
	out, _, err = runPlaces(t, "places", "search", "--data", dir, "--near", "48.5734,7.7521", "--limit", "100", "--json")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out, "\n"); n < 20 {
		t.Errorf("%d places", n)
	}
	if n := strings.Count(out, `"stale":true`); n < 1 || n > 5 {
		t.Errorf("%d stale places", n)
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, `"hours":`) && strings.Contains(line, `"state":"unknown"`) && !strings.Contains(line, "rendez-vous") {
			t.Errorf("hours that can't be read: %s", line)
		}
	}
}
