package console

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/hub/statistics"
	"parvis/hub/store"
)

func TestBars(t *testing.T) {
	t.Parallel()
	plain := strings.NewReplacer(fixed, " ", narrow, " ")
	for _, test := range []struct {
		name    string
		visits  map[int]int // by hour
		now     int
		says    string
		byHour  bool
		bars    string // what the table says
		heights string
	}{
		{"nobody came", nil, 10, "Aucun chiffre à montrer.", false, "", ""},
		{"few came", map[int]int{9: 4}, 10, "Aucun chiffre à montrer.", false, "", ""},
		{"hours", map[int]int{8: 6, 9: 18, 10: 9}, 11, "30 visites, dont 15 à 9 h, l’heure la plus chargée.", true,
			"8 h: 5, 9 h: 15, 10 h: 5, 11 h: en cours, 12 h: à venir, 13 h: à venir, 14 h: à venir, 15 h: à venir, 16 h: à venir, 17 h: à venir, 18 h: à venir",
			"36.7 110 36.7 0 0 0 0 0 0 0 0"},
		{"in the evening", map[int]int{9: 10, 20: 5}, 23, "15 visites, dont 10 à 9 h, l’heure la plus chargée.", true,
			"8 h: moins de 5, 9 h: 10, 10 h: moins de 5, 11 h: moins de 5, 12 h: moins de 5, 13 h: moins de 5, 14 h: moins de 5, 15 h: moins de 5, 16 h: moins de 5, 17 h: moins de 5, 18 h: moins de 5, 19 h: moins de 5, 20 h: 5",
			"0 110 0 0 0 0 0 0 0 0 0 0 55"},
		{"parts of the day", map[int]int{8: 3, 9: 4, 14: 4, 15: 3}, 17, "10 visites, dont 5 avant 12 h, le moment le plus chargé.", false,
			"avant 12 h: 5, 12 h – 14 h: moins de 5, 14 h – 18 h: 5, après 18 h: à venir", "110 0 110 0"},
		{"nothing goes together", map[int]int{11: 4, 12: 4, 14: 4}, 17, "Aucun chiffre à montrer.", false, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var visits [24]int
			for h, n := range test.visits {
				visits[h] = n
			}
			b := newBars(statistics.LiveOf(visits, test.now), test.now)
			var says, heights []string
			for _, bar := range b.Bars {
				says, heights = append(says, plain.Replace(bar.Label+": "+bar.Text)), append(heights, bar.Height)
			}
			if plain.Replace(b.Summary) != test.says || b.ByHour != test.byHour || strings.Join(says, ", ") != test.bars || strings.Join(heights, " ") != test.heights {
				t.Errorf("%q, by hour %v\n%s\n%s", b.Summary, b.ByHour, strings.Join(says, ", "), strings.Join(heights, " "))
			}
		})
	}
}

func TestTrends(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 10, 20, 0, 0, time.UTC)
	hour := func(ago int) time.Time { return now.Truncate(time.Hour).Add(-time.Duration(ago) * time.Hour) }
	samples := []store.Sample{
		{Hour: hour(400), Reports: 120, Load: 99}, // too long ago
		{Hour: hour(5), Reports: 120, Load: 20, Temp: 40, Disk: 60},
		{Hour: hour(4), Reports: 60, Load: 80, Temp: 0, Disk: 50},
		{Hour: hour(2), Reports: 120, Load: 10, Temp: 45, Disk: 55},
		{Hour: hour(0), Reports: 40, Load: 30, Temp: 50, Disk: 54},
	}
	trends, days := newTrends(samples, hour(6), now, zone)
	load, temp, disk, presence := trends[0], trends[1], trends[2], trends[3]
	if load.Now != "30\u00a0%" || load.Summary != "80\u00a0% au plus en 7\u00a0jours." || len(load.Lines) != 3 {
		t.Errorf("load: %+v", load)
	}
	if temp.Now != "50\u00a0°C" || len(temp.Lines) != 3 { // the hour without a sensor is a gap
		t.Errorf("temperature: %+v", temp)
	}
	if disk.Summary != "50\u00a0% au moins en 7\u00a0jours." {
		t.Errorf("disk: %+v", disk)
	}
	// Five hours were due: 100, 50, 0, 100, 0 percent; the one that runs doesn't count.
	if presence.Summary != "Jointe 50\u00a0% du temps en 7\u00a0jours." {
		t.Errorf("presence: %+v", presence)
	}
	if len(days) != 1 || days[0].Day != "aujourd’hui" || !slices.Equal(days[0].Values, []string{"80\u00a0%", "50\u00a0°C", "50\u00a0%", "50\u00a0%"}) {
		t.Errorf("days: %+v", days)
	}

	trends, days = newTrends(nil, now, now, zone)
	if trends[0].Now != "—" || trends[0].Lines != nil || trends[3].Now != "—" || len(days) != 0 {
		t.Errorf("a new borne: %+v, %+v", trends, days)
	}
}
