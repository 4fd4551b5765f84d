package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

func TestFleetQuery(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	head := func(id, place string, seen time.Duration, faults ...string) store.Head {
		return store.Head{ID: id, Site: store.Site{ID: slug(place), Name: place}, Seen: now.Add(-seen), Faults: faults,
			App: link.AppIdle, CertEnds: now.Add(100 * time.Hour)}
	}
	heads := []store.Head{ // by place, as the store lists them
		head("CA-01", "Centre administratif", 4*time.Second),
		head("ML-02", "Médiathèque Malraux", 6*time.Second, "no_paper"),
		head("MM-01", "Mairie de la Meinau", 11*time.Second, "paper_ends"),
		head("MN-01", "Mairie de Neudorf", 8*time.Second),
		head("PE-01", "Hôtel de ville de l’Île", 2*time.Hour),
	}
	tests := []struct{ query, want string }{
		{"", "CA-01 ML-02 MM-01 MN-01 PE-01"},
		{"sens=inverse", "PE-01 MN-01 MM-01 ML-02 CA-01"},
		{"liste=a-voir", "ML-02 MM-01 PE-01"},
		{"liste=hors-ligne", "PE-01"},
		{"liste=tout", "CA-01 ML-02 MM-01 MN-01 PE-01"},
		{"q=mediatheque", "ML-02"},
		{"q=MAIRIE+mn", "MN-01"},
		{"q=l'ile", "PE-01"},
		{"q=mairie&liste=a-voir", "MM-01"},
		{"q=nulle+part", ""},
		{"tri=etat", "PE-01 ML-02 MM-01 CA-01 MN-01"},
		{"tri=etat&sens=inverse", "CA-01 MN-01 MM-01 ML-02 PE-01"},
		{"tri=vue", "CA-01 ML-02 MN-01 MM-01 PE-01"},
		{"tri=borne&sens=inverse", "PE-01 MN-01 MM-01 ML-02 CA-01"},
		{"tri=drop+table", "CA-01 ML-02 MM-01 MN-01 PE-01"},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			values, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			list, sums := entries(heads, now)
			var ids []string
			for _, e := range readQuery(values).pick(list) {
				ids = append(ids, e.ID)
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if sums.All != 5 || sums.Serving != 4 || sums.Attention != 3 || sums.Offline != 1 || sums.LowPaper != 2 || sums.OfflineFor != "2\u00a0h" {
				t.Errorf("sums %+v", sums)
			}
		})
	}
}

func TestFleetPages(t *testing.T) {
	for _, test := range []struct{ found, page, from, to, pages, shown int }{
		{0, 1, 0, 0, 1, 1}, {1, 1, 1, 1, 1, 1}, {50, 1, 1, 50, 1, 1}, {51, 2, 51, 51, 2, 2}, {120, 99, 101, 120, 3, 3},
	} {
		v := fleetView{Query: fleetQuery{Page: test.page}}
		list := v.page(make([]entry, test.found))
		if v.From != test.from || v.To != test.to || v.Pages != test.pages || v.Query.Page != test.shown || len(list) > pageSize {
			t.Errorf("%+v: %+v, %d listed", test, v, len(list))
		}
	}
}

func TestChangedSections(t *testing.T) {
	now := time.Now()
	row := func(ago time.Duration, state string) section {
		return section{ID: "borne-MN-01", Tag: "tr", HTML: "<td>" + state + "</td>\n<td>" + string(age(now.Add(-8*time.Second), now.Add(ago))) + "</td>"}
	}
	body := func(key string) section {
		return section{ID: "rows", Tag: "tbody", Key: key, HTML: "all", Holds: []string{"borne-MN-01"}}
	}
	sent := map[string]string{}
	first := changedSections([]section{body("MN-01"), row(0, "En service")}, sent)
	if want := "data: <template><tbody hx-swap-oob=\"innerHTML:#rows\">all</tbody></template>\n\n"; first != want {
		t.Errorf("first %q, want %q", first, want)
	}
	if again := changedSections([]section{body("MN-01"), row(5*time.Second, "En service")}, sent); again != "" {
		t.Errorf("time alone was news: %q", again)
	}
	changed := changedSections([]section{body("MN-01"), row(5*time.Second, "Hors ligne")}, sent)
	if !strings.HasPrefix(changed, "data: <template><tr hx-swap-oob=\"innerHTML:#borne-MN-01\"><td>Hors ligne</td>\ndata: <td>") || strings.Contains(changed, "tbody") {
		t.Errorf("changed %q", changed)
	}
	if moved := changedSections([]section{body("CA-01 MN-01"), row(5*time.Second, "En service")}, sent); !strings.Contains(moved, "tbody") || strings.Contains(moved, "<tr") {
		t.Errorf("moved %q", moved)
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"  Fermé  à\n16 h \t demain ": "Fermé à 16 h demain",
		"a\x00b\u202ec\x1b[31m":       "abc[31m",
		"mal\xffformé":                "malformé",
		"« 16\u00a0h »":               "« 16\u00a0h »",
		"\r\n\t ":                     "",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                            "0\u00a0s",
		59 * time.Second:             "59\u00a0s",
		250 * time.Second:            "4\u00a0min 10\u00a0s",
		time.Hour:                    "1\u00a0h",
		25*time.Hour + 5*time.Minute: "1\u00a0j 1\u00a0h",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	for name, id := range map[string]string{
		"Mairie de la Meinau":    "mairie-de-la-meinau",
		"Hôtel de ville, l’Île ": "hotel-de-ville-l-ile",
		"…":                      "",
	} {
		if got := slug(name); got != id {
			t.Errorf("%q: %q, want %q", name, got, id)
		}
	}
}

func TestUntilAndSince(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 42, 0, 0, time.UTC)
	for days, want := range map[int]string{
		0: "jusqu’à 10 h 42", 1: "jusqu’à demain, 10 h 42", -1: "jusqu’à hier, 10 h 42",
		14: "jusqu’au 5 décembre, 10 h 42", -10: "jusqu’au 11 novembre, 10 h 42", 41: "jusqu’au 1er janvier 2027, 10 h 42",
	} {
		if got := strings.ReplaceAll(until(now.AddDate(0, 0, days), now), fixed, " "); got != want {
			t.Errorf("in %d days: %q, want %q", days, got, want)
		}
	}
	for days, want := range map[int]string{0: "depuis 10 h 42", 1: "depuis hier", 5: "depuis lundi", 31: "depuis le 21 octobre"} {
		if got := strings.ReplaceAll(depuis(now.AddDate(0, 0, -days), now), fixed, " "); got != want {
			t.Errorf("%d days ago: %q, want %q", days, got, want)
		}
	}
}
