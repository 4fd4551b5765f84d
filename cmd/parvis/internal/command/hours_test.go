package command_test

import (
	"strings"
	"testing"
)

func TestHours(t *testing.T) {
	file := write(t, "h.txt", "Mo-Fr 09:00-12:00\n\nSa 17:00\r\nMo-Fr 09:00-12:00; PH off")
	out, _, err := runPlaces(t, "hours", "--from", "2026-11-10", "--days", "2", "--region", "alsace-moselle", "--batch", file)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"hours":"Mo-Fr 09:00-12:00","open":[["2026-11-10T09:00:00+01:00","2026-11-10T12:00:00+01:00"],["2026-11-11T09:00:00+01:00","2026-11-11T12:00:00+01:00"]]}
{"hours":"","error":"horaires illisibles «  » : aucun horaire"}
{"hours":"Sa 17:00","error":"horaires illisibles « Sa 17:00 » : heure seule « 17:00 » : il manque l’heure de fin"}
{"hours":"Mo-Fr 09:00-12:00; PH off","open":[["2026-11-10T09:00:00+01:00","2026-11-10T12:00:00+01:00"]]}
`
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestHoursToResidents(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"Mo-Fr 09:00-12:00", "--from", "2026-11-11", "--days", "1", "--public-holidays"}, `"open":[]`},
		{[]string{"Fr 09:00-12:00", "--from", "2027-03-26", "--days", "1", "--public-holidays"}, `"open":[["2027-03-26T09:00:00+01:00","2027-03-26T12:00:00+01:00"]]`},
		{[]string{"Fr 09:00-12:00", "--from", "2027-03-26", "--days", "1", "--public-holidays", "--region", "alsace-moselle"}, `"open":[]`},
		{[]string{"Mo 09:00-12:00"}, `"open":[["2026-11-02T09:00:00+01:00","2026-11-02T12:00:00+01:00"]]`}, // from today
	} {
		out, _, err := runPlaces(t, append([]string{"hours"}, c.args...)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%q: got %s %v, want %s", c.args, out, err, c.want)
		}
	}
}

func TestHoursBadArguments(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "donnez un horaire"},
		{[]string{"off", "--from", "demain"}, "--from : « demain » n’est pas une date"},
		{[]string{"off", "--days", "0"}, "--days : entre 1 et"},
		{[]string{"off", "--region", "lune"}, "région inconnue « lune »"},
		{[]string{"--batch", "rien.txt"}, "rien.txt : fichier introuvable"},
	} {
		if _, _, err := runPlaces(t, append([]string{"hours"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}
