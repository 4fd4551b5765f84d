package hours_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openinghours "github.com/Daquisu/opening_hours.go"

	"parvis/kiosk/hours"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, hours.Paris)
	if err != nil {
		panic(err)
	}
	return t
}

func mustParse(t testing.TB, s string, r hours.Region) *hours.Schedule {
	t.Helper()
	sch, err := hours.Parse(s, r)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return sch
}

// words writes intervals as "02 09:00-12:00, 03 …", the day only where it
// changes.
func words(list []hours.Interval) string {
	var b strings.Builder
	day := ""
	for _, iv := range list {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if d := iv.Start.Format("02"); d != day {
			b.WriteString(d + " ")
			day = d
		}
		b.WriteString(iv.Start.Format("15:04-") + iv.End.Format("15:04"))
	}
	return b.String()
}

func TestWritten(t *testing.T) {
	// Each answer was worked out by hand from the OSM specification.
	for _, c := range []struct {
		name, hours, from string
		days              int
		want              string
	}{
		{"weekdays", "Mo-Fr 08:30-12:00,13:30-17:00", "2026-11-06 00:00", 4, "06 08:30-12:00, 13:30-17:00, 09 08:30-12:00, 13:30-17:00"},
		{"list of days", "Mo,We 09:00-12:00", "2026-11-02 00:00", 4, "02 09:00-12:00, 04 09:00-12:00"},
		{"days around the week's end", "Sa-Mo 10:00-11:00", "2026-11-05 00:00", 6, "07 10:00-11:00, 08 10:00-11:00, 09 10:00-11:00"},
		{"later rule replaces", "Mo-Fr 09:00-18:00; We 14:00-16:00", "2026-11-03 00:00", 3, "03 09:00-18:00, 04 14:00-16:00, 05 09:00-18:00"},
		{"same day twice: the last counts", "Mo 09:00-12:00; Mo 14:00-17:00", "2026-11-02 00:00", 1, "02 14:00-17:00"},
		{"comma adds", "Mo-Fr 09:00-12:00, We 14:00-16:00", "2026-11-03 00:00", 2, "03 09:00-12:00, 04 09:00-12:00, 14:00-16:00"},
		{"day off", "Mo-Fr 09:00-12:00; We off", "2026-11-03 00:00", 3, "03 09:00-12:00, 05 09:00-12:00"},
		{"closed is off", "Mo-Fr 09:00-12:00; We closed", "2026-11-04 00:00", 1, ""},
		{"hours off", "Mo-Fr 09:00-17:00; We 12:00-13:00 off", "2026-11-04 00:00", 1, "04 09:00-12:00, 13:00-17:00"},
		{"touching spans merge", "Mo 09:00-12:00,12:00-14:00", "2026-11-02 00:00", 1, "02 09:00-14:00"},
		{"overlapping spans merge", "Mo 09:00-13:00,12:00-14:00", "2026-11-02 00:00", 1, "02 09:00-14:00"},
		{"every day", "10:00-12:00", "2026-11-07 00:00", 2, "07 10:00-12:00, 08 10:00-12:00"},
		{"over midnight", "Fr 20:00-02:00", "2026-11-06 00:00", 3, "06 20:00-02:00"},
		{"over midnight, window from the night", "Fr 20:00-02:00", "2026-11-07 00:00", 1, "07 00:00-02:00"},
		{"26:00", "Fr 20:00-26:00", "2026-11-06 00:00", 3, "06 20:00-02:00"},
		{"next day's rule ends the night", "Fr 22:00-02:00; Sa 10:00-12:00", "2026-11-06 00:00", 3, "06 22:00-00:00, 07 10:00-12:00"},
		{"until midnight", "Mo 18:00-24:00", "2026-11-02 00:00", 2, "02 18:00-00:00"},
		{"midnight to midnight merges days", "Mo-Tu 00:00-24:00", "2026-11-01 00:00", 4, "02 00:00-00:00"},
		{"24/7", "24/7", "2026-11-11 00:00", 2, "11 00:00-00:00"},
		{"off alone", "off", "2026-11-02 00:00", 7, ""},
		{"PH not named: by the letter open", "Mo-Fr 09:00-12:00", "2026-11-11 00:00", 1, "11 09:00-12:00"},
		{"PH off", "Mo-Fr 09:00-12:00; PH off", "2026-11-10 00:00", 3, "10 09:00-12:00, 12 09:00-12:00"},
		{"PH with hours", "Mo-Fr 09:00-18:00; PH 10:00-12:00", "2026-11-11 00:00", 1, "11 10:00-12:00"},
		{"Su,PH off", "Mo-Su 09:00-12:00; Su,PH off", "2026-11-07 00:00", 5, "07 09:00-12:00, 09 09:00-12:00, 10 09:00-12:00"},
		{"Su,PH with hours opens on Sundays too", "Mo-Sa 09:00-12:00; Su,PH 10:00-11:00", "2026-11-08 00:00", 4, "08 10:00-11:00, 09 09:00-12:00, 10 09:00-12:00, 11 10:00-11:00"},
		{"PH off in summer only", "Mo-Fr 09:00-12:00; Jul-Aug PH off", "2026-07-13 00:00", 2, "13 09:00-12:00"},
		{"month range", "Sep-Jun Mo 09:00-12:00; Jul-Aug Mo 10:00-11:00", "2026-08-31 00:00", 8, "31 10:00-11:00, 07 09:00-12:00"},
		{"month range around the year's end", "Nov-Feb Mo-Su 09:00-10:00", "2027-02-28 00:00", 2, "28 09:00-10:00"},
		{"month list", "Jan,Nov Tu 09:00-10:00", "2026-11-03 00:00", 1, "03 09:00-10:00"},
		{"day range", "Mo-Fr 09:00-12:00; Dec 24-Jan 02 off", "2026-12-23 00:00", 13, "23 09:00-12:00, 04 09:00-12:00"},
		{"single day", "Mo-Fr 09:00-12:00; Nov 05 off", "2026-11-04 00:00", 3, "04 09:00-12:00, 06 09:00-12:00"},
		{"year", "Mo-Fr 09:00-12:00; 2026 Nov 05 off", "2027-11-05 00:00", 1, "05 09:00-12:00"},
		{"odd weeks", "week 1-53/2 Mo 09:00-12:00", "2026-11-02 00:00", 14, "02 09:00-12:00"},
		{"one week, several days", "week 46 Tu,Th-Sa 09:00-12:00", "2026-11-02 00:00", 14, "10 09:00-12:00, 12 09:00-12:00, 13 09:00-12:00, 14 09:00-12:00"},
		{"first Monday", "Mo[1] 09:00-12:00", "2026-11-02 00:00", 28, "02 09:00-12:00"},
		{"first and third", "We[1,3] 09:00-12:00", "2026-11-01 00:00", 29, "04 09:00-12:00, 18 09:00-12:00"},
		{"last Saturday", "Sa[-1] 09:00-12:00", "2026-11-01 00:00", 30, "28 09:00-12:00"},
		{"lower case and spaces", " mo - fr 9:00 - 12:00 , 14:00 - 15:00 ", "2026-11-02 00:00", 1, "02 09:00-12:00, 14:00-15:00"},
		{"long dashes", "Mo–Fr 09:00–12:00", "2026-11-02 00:00", 1, "02 09:00-12:00"},
		{"trailing semicolon", "Mo 09:00-12:00; ", "2026-11-02 00:00", 1, "02 09:00-12:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := at(c.from)
			got := words(mustParse(t, c.hours, hours.Metropole).Written(from, from.AddDate(0, 0, c.days)))
			if got != c.want {
				t.Errorf("%s from %s:\n got %s\nwant %s", c.hours, c.from, got, c.want)
			}
		})
	}
}

func TestParseRefusesWhatItWouldHaveToGuess(t *testing.T) {
	for _, c := range []struct{ hours, reason string }{
		{"", "aucun horaire"},
		{" ; ", "aucun horaire"},
		{"Mo 08:30-12:00-14:00", "plage mal formée « 08:30-12:00-14:00 »"},
		{"Mo-Fr 09:00-12:00; Sa 17:00", "heure seule « 17:00 »"},
		{"Th 15:00-15:00", "début et fin identiques « 15:00-15:00 »"},
		{"Fr 00:00-00:00", "début et fin identiques"},
		{"Mo 17:00+", "heure de fermeture non précisée"},
		{"Mo 09:00-12:00+", "heure de fermeture non précisée"},
		{`Mo 09:00-12:00 "sur rendez-vous"`, "commentaire"},
		{"Mo 09:00-12:00 || Tu 09:00-12:00", "« || »"},
		{"SH off", "vacances scolaires"},
		{"Mo-Fr 09:00-12:00; SH Mo 10:00-12:00", "vacances scolaires"},
		{"Mo sunrise-sunset", "heure du soleil"},
		{"easter off", "easter"},
		{"Mo-Fr unknown", "incertaine"},
		{"Mo-Fr", "jour sans heures"},
		{"PH off; Mo-Fr 09:00-12:00", "ordre ambigu"},
		{"Mo 14-17", "texte inattendu « 14-17 »"},
		{"Mo 9h-12h", "texte inattendu"},
		{"Lundi 09:00-12:00", "texte inattendu"},
		{"sur rendez-vous", "texte inattendu"},
		{"Mo 09:00-12:60", "heure impossible « 12:60 »"},
		{"Mo 25:00-26:00", "heure de début impossible"},
		{"Mo 09:00-27:00", "heure impossible « 27:00 »"},
		{"Tu 13:30-18:30; 10:00-12:00", "règle sans jour"},
		{"24/7; We off", "contradictoire"},
		{"Feb 30 off", "date impossible"},
		{"Nov 20-10 off", "dates à l’envers"},
		{"Mo[6] 09:00-12:00", "texte inattendu"},
		{"week 54 Mo 09:00-12:00", "semaines impossibles"},
		{"Mo 09:00-12:00 \xff", "caractères illisibles"},
		{strings.Repeat("Mo 09:00-12:00; ", 1000), "trop long"},
	} {
		t.Run(c.hours, func(t *testing.T) {
			sch, err := hours.Parse(c.hours, hours.Metropole)
			if err == nil {
				t.Fatalf("accepted; opens %s", words(sch.Written(at("2026-11-02 00:00"), at("2026-11-09 00:00"))))
			}
			if !strings.Contains(err.Error(), c.reason) || !strings.HasPrefix(err.Error(), "horaires illisibles « ") {
				t.Errorf("got error %q, want it to say %q", err, c.reason)
			}
		})
	}
}

func TestOpenClosesOnSilentHolidays(t *testing.T) {
	for _, c := range []struct {
		name, hours string
		region      hours.Region
		day, want   string
	}{
		{"silent", "Mo-Fr 09:00-12:00", hours.Metropole, "2026-11-11", ""},
		{"PH named", "Mo-Fr 09:00-12:00; PH 10:00-11:00", hours.Metropole, "2026-11-11", "11 10:00-11:00"},
		{"PH named for summer only", "Mo-Fr 09:00-12:00; Jul-Aug PH off", hours.Metropole, "2026-11-11", ""},
		{"that very day named", "Mo-Fr 09:00-12:00; Nov 11 10:00-11:00", hours.Metropole, "2026-11-11", "11 10:00-11:00"},
		{"never closes", "24/7", hours.Metropole, "2026-11-11", "11 00:00-00:00"},
		{"Good Friday in Strasbourg", "Mo-Fr 09:00-12:00", hours.AlsaceMoselle, "2027-03-26", ""},
		{"Good Friday in Paris", "Mo-Fr 09:00-12:00", hours.Metropole, "2027-03-26", "26 09:00-12:00"},
		{"26 December in Strasbourg", "Sa 09:00-12:00; PH off", hours.AlsaceMoselle, "2026-12-26", ""},
		{"26 December in Paris", "Sa 09:00-12:00; PH off", hours.Metropole, "2026-12-26", "26 09:00-12:00"},
		{"20 December on La Réunion", "Su 09:00-12:00", hours.LaReunion, "2026-12-20", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := at(c.day + " 00:00")
			if got := words(mustParse(t, c.hours, c.region).Open(from, from.AddDate(0, 0, 1))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOpenKeepsClockTimesWhenClocksChange(t *testing.T) {
	sch := mustParse(t, "Sa,Su 09:00-12:00", hours.Metropole)
	for _, c := range []struct{ from, want string }{
		{"2026-10-24 00:00", "2026-10-24T09:00:00+02:00 2026-10-24T12:00:00+02:00 2026-10-25T09:00:00+01:00 2026-10-25T12:00:00+01:00"},
		{"2027-03-27 00:00", "2027-03-27T09:00:00+01:00 2027-03-27T12:00:00+01:00 2027-03-28T09:00:00+02:00 2027-03-28T12:00:00+02:00"},
	} {
		var got []string
		for _, iv := range sch.Open(at(c.from), at(c.from).AddDate(0, 0, 2)) {
			got = append(got, iv.Start.Format(time.RFC3339), iv.End.Format(time.RFC3339))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("from %s:\n got %s\nwant %s", c.from, strings.Join(got, " "), c.want)
		}
	}
	// A night across the change lasts an hour more in autumn, an hour less in
	// spring.
	night := mustParse(t, "Sa 22:00-04:00", hours.Metropole)
	for from, want := range map[string]time.Duration{"2026-10-24 12:00": 7 * time.Hour, "2027-03-27 12:00": 5 * time.Hour, "2026-11-14 12:00": 6 * time.Hour} {
		list := night.Open(at(from), at(from).AddDate(0, 0, 1))
		if len(list) != 1 || list[0].End.Sub(list[0].Start) != want {
			t.Errorf("night from %s: %v, want one of %v", from, list, want)
		}
	}
}

func TestOpenCutsAtBothEnds(t *testing.T) {
	sch := mustParse(t, "Mo 09:00-12:00,14:00-18:00", hours.Metropole)
	if got := words(sch.Open(at("2026-11-02 10:00"), at("2026-11-02 15:00"))); got != "02 10:00-12:00, 14:00-15:00" {
		t.Errorf("got %s", got)
	}
	if got := sch.Open(at("2026-11-02 10:00"), at("2026-11-02 10:00")); got != nil {
		t.Errorf("an empty window gave %v", got)
	}
	if got := sch.Open(at("2026-11-03 10:00"), at("2026-11-02 10:00")); got != nil {
		t.Errorf("a window the wrong way round gave %v", got)
	}
}

func TestState(t *testing.T) {
	const usual = "Mo-Fr 08:30-12:00,13:30-17:00"
	for _, c := range []struct {
		name, hours, at string
		kind            hours.Kind
		change, holiday string
	}{
		{"open", usual, "2026-11-02 09:00", hours.Open, "2026-11-02 12:00", ""},
		{"first minute", usual, "2026-11-02 08:30", hours.Open, "2026-11-02 12:00", ""},
		{"closing minute", usual, "2026-11-02 12:00", hours.OpensLater, "2026-11-02 13:30", ""},
		{"before opening", usual, "2026-11-02 07:00", hours.OpensLater, "2026-11-02 08:30", ""},
		{"Friday evening", usual, "2026-11-06 17:00", hours.OpensLater, "2026-11-09 08:30", ""},
		{"holiday", usual, "2026-11-11 10:00", hours.OpensLater, "2026-11-12 08:30", "Armistice de 1918"},
		{"holiday it would be closed on anyway", usual, "2026-11-01 10:00", hours.OpensLater, "2026-11-02 08:30", ""},
		{"next opening skips the holiday", usual, "2026-11-10 18:00", hours.OpensLater, "2026-11-12 08:30", ""},
		{"PH off names the holiday", usual + "; PH off", "2026-11-11 10:00", hours.OpensLater, "2026-11-12 08:30", "Armistice de 1918"},
		{"after midnight", "Fr 20:00-02:00", "2026-11-07 01:00", hours.Open, "2026-11-07 02:00", ""},
		{"midnight joins days", "Mo-Tu 00:00-24:00", "2026-11-02 10:00", hours.Open, "2026-11-04 00:00", ""},
		{"24/7", "24/7", "2026-12-25 10:00", hours.Open, "", ""},
		{"off", "off", "2026-11-02 10:00", hours.Closed, "", ""},
		{"far away", "Jul-Aug Mo 09:00-12:00", "2026-11-02 10:00", hours.Closed, "", ""},
		{"dated and open", "Nov Mo 09:00-12:00", "2026-11-02 10:00", hours.Open, "2026-11-02 12:00", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParse(t, c.hours, hours.Metropole).State(at(c.at))
			change := ""
			if !got.Change.IsZero() {
				change = got.Change.Format("2006-01-02 15:04")
			}
			if got.Kind != c.kind || change != c.change || got.Holiday != c.holiday {
				t.Errorf("got %v %q %q, want %v %q %q", got.Kind, change, got.Holiday, c.kind, c.change, c.holiday)
			}
		})
	}
}

func TestEverOn(t *testing.T) {
	for s, want := range map[string]bool{
		"Mo-Fr 09:00-12:00": false, "Sa 09:00-12:00": true, "Mo-Su 09:00-12:00; Sa,Su off": false,
		"Sa[1] 09:00-12:00": true, "Mo-Fr 09:00-12:00; Jul-Aug Su 10:00-12:00": true,
	} {
		if got := mustParse(t, s, hours.Metropole).EverOn(at("2026-11-02 00:00"), time.Saturday, time.Sunday); got != want {
			t.Errorf("%s: at the weekend %v, want %v", s, got, want)
		}
	}
}

func TestHoliday(t *testing.T) {
	for _, c := range []struct {
		day    string
		region hours.Region
		want   string
	}{
		{"2026-01-01", hours.Metropole, "Jour de l’An"},
		{"2026-04-06", hours.Metropole, "Lundi de Pâques"},
		{"2026-05-01", hours.Metropole, "Fête du Travail"},
		{"2026-05-08", hours.Metropole, "Victoire de 1945"},
		{"2026-05-14", hours.Metropole, "Ascension"},
		{"2026-05-25", hours.Metropole, "Lundi de Pentecôte"},
		{"2026-07-14", hours.Metropole, "Fête nationale"},
		{"2026-08-15", hours.Metropole, "Assomption"},
		{"2026-11-01", hours.Metropole, "Toussaint"},
		{"2026-11-11", hours.Metropole, "Armistice de 1918"},
		{"2026-12-25", hours.Metropole, "Noël"},
		{"2026-11-02", hours.Metropole, ""},
		{"2026-04-03", hours.Metropole, ""},
		{"2026-04-03", hours.AlsaceMoselle, "Vendredi saint"},
		{"2026-12-26", hours.AlsaceMoselle, "Saint-Étienne"},
		{"2026-12-26", hours.Guadeloupe, ""},
		{"2026-05-27", hours.Guadeloupe, "Abolition de l’esclavage"},
		{"2026-05-22", hours.Martinique, "Abolition de l’esclavage"},
		{"2026-06-10", hours.Guyane, "Abolition de l’esclavage"},
		{"2026-12-20", hours.LaReunion, "Abolition de l’esclavage"},
		{"2026-04-27", hours.Mayotte, "Abolition de l’esclavage"},
		{"2026-10-09", hours.SaintBarthelemy, "Abolition de l’esclavage"},
		{"2026-05-28", hours.SaintMartin, "Abolition de l’esclavage"},
		{"1999-04-05", hours.Metropole, "Lundi de Pâques"}, // outside the years kept ready
		{"2101-11-01", hours.Metropole, "Toussaint"},
	} {
		name, ok := hours.Holiday(at(c.day+" 12:00"), c.region)
		if name != c.want || ok != (c.want != "") {
			t.Errorf("%s in %s: got %q %v, want %q", c.day, c.region, name, ok, c.want)
		}
	}
	// 23:30 UTC on the eve is the day itself in Paris.
	if _, ok := hours.Holiday(time.Date(2026, 11, 10, 23, 30, 0, 0, time.UTC), hours.Metropole); !ok {
		t.Error("the day is not read in Europe/Paris")
	}
}

func TestParseRegion(t *testing.T) {
	if r, err := hours.ParseRegion(""); r != hours.Metropole || err != nil {
		t.Errorf("empty: %v %v", r, err)
	}
	if r, err := hours.ParseRegion("alsace-moselle"); r != hours.AlsaceMoselle || err != nil {
		t.Errorf("alsace-moselle: %v %v", r, err)
	}
	if _, err := hours.ParseRegion("alsace"); err == nil || !strings.Contains(err.Error(), "alsace-moselle") {
		t.Errorf("an unknown region must list the known ones: %v", err)
	}
}

// realStrings gives the opening hours seen in real rows.
func realStrings(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("PARVIS_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "hours", "horaires.tsv"))
	if err != nil {
		t.Skipf("real opening hours not here (set PARVIS_DATA): %v", err)
	}
	defer f.Close()
	var list []string
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		_, s, ok := strings.Cut(sc.Text(), "\t")
		if !ok {
			t.Fatalf("no tab in %q", sc.Text())
		}
		list = append(list, s)
	}
	return list
}

// TestRealStrings checks every readable real string against the library at
// each quarter of an hour of two weeks, and that few strings are unreadable.
func TestRealStrings(t *testing.T) {
	list := realStrings(t)
	unreadable := 0
	from, to := at("2026-11-02 00:00"), at("2026-11-09 00:00")
	for _, s := range list {
		sch, err := hours.Parse(s, hours.Metropole)
		if err != nil {
			unreadable++
			continue
		}
		oh, err := openinghours.New(s)
		if err != nil {
			t.Errorf("%s: read by us, not by the library: %v", s, err)
			continue
		}
		open := sch.Written(from, to)
		for m := from; m.Before(to); m = m.Add(15 * time.Minute) {
			want := oh.GetState(m)
			got := false
			for _, iv := range open {
				got = got || !m.Before(iv.Start) && m.Before(iv.End)
			}
			if got != want && !sameDayTwice(s) {
				t.Errorf("%s at %s: open %v, the library says %v", s, m.Format("Mon 15:04"), got, want)
				break
			}
		}
	}
	t.Logf("%d strings, %d unreadable", len(list), unreadable)
	if len(list) < 2000 || unreadable > 50 {
		t.Errorf("%d of %d strings unreadable", unreadable, len(list))
	}
}

// sameDayTwice finds "Mo 09:00-12:00; Mo 14:00-17:00", which the library joins
// where the standard replaces.
func sameDayTwice(s string) bool {
	seen := map[string]bool{}
	for rule := range strings.SplitSeq(s, ";") {
		day, _, _ := strings.Cut(strings.TrimSpace(rule), " ")
		if seen[day] {
			return true
		}
		seen[day] = true
	}
	return false
}

func FuzzHours(f *testing.F) {
	for _, s := range []string{"Mo-Fr 08:30-12:00,13:30-17:00", "24/7", "Mo-Fr 09:00-12:00; PH off", "week 1-53/2 Mo[1,-1] 20:00-26:00",
		"2026 Dec 24-31 off", "Jan,Nov-Feb Su,PH 10:00-12:00, Mo 09:00-10:00", "Sa 17:00", "08:30-12:00-14:00", `Mo "x" || off`} {
		f.Add(s, int64(1_793_600_000))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		now := time.Unix(unix%4_000_000_000, 0)
		// Far above what the slowest string takes, far below what a resident
		// would wait.
		defer func(start time.Time) {
			if d := time.Since(start); d > 2*time.Second {
				t.Fatalf("%q took %v", s, d)
			}
		}(time.Now())
		sch, err := hours.Parse(s, hours.AlsaceMoselle)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "horaires illisibles « ") {
				t.Fatalf("error without the string: %v", err)
			}
			return
		}
		end := now.AddDate(0, 0, 20)
		open := sch.Open(now, end)
		for i, iv := range open {
			if !iv.Start.Before(iv.End) || iv.Start.Before(now) || iv.End.After(end) ||
				i > 0 && !open[i-1].End.Before(iv.Start) {
				t.Fatalf("%q: intervals empty, outside, unsorted or unmerged: %v", s, open)
			}
		}
		isOpen := len(open) > 0 && open[0].Start.Equal(now)
		state := sch.State(now)
		if (state.Kind == hours.Open) != isOpen {
			t.Fatalf("%q at %v: state %v, intervals %v", s, now, state, open)
		}
		if state.Kind == hours.OpensLater && (len(open) == 0 || !state.Change.Equal(open[0].Start)) {
			t.Fatalf("%q at %v: opens %v, intervals %v", s, now, state.Change, open)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		mustParse(b, "Mo-Th 08:30-12:00,13:30-17:00; Fr 08:30-12:00,13:30-16:00", hours.Metropole)
	}
}

func BenchmarkState(b *testing.B) {
	sch := mustParse(b, "Mo-Th 08:30-12:00,13:30-17:00; Fr 08:30-12:00,13:30-16:00", hours.Metropole)
	now := at("2026-11-07 10:00")
	for b.Loop() {
		if sch.State(now).Kind != hours.OpensLater {
			b.Fatal("open on a Saturday")
		}
	}
}
