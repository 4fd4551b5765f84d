package place_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/store"
)

// many makes n places from the real ones: moved a little, with new ids.
func many(b testing.TB, text string, n int) string {
	b.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Write(records[0])
	for i := range n {
		r := slices.Clone(records[1+i%(len(records)-1)])
		r[0] = fmt.Sprintf("%s-%d", r[0], i)
		if r[8] != "" {
			var lat, lon float64
			fmt.Sscan(r[8], &lat)
			fmt.Sscan(r[9], &lon)
			r[8], r[9] = fmt.Sprintf("%.6f", lat+rnd.NormFloat64()/10), fmt.Sprintf("%.6f", lon+rnd.NormFloat64()/10)
		}
		w.Write(r)
	}
	w.Flush()
	return out.String()
}

func percentile(times []time.Duration, p float64) float64 {
	slices.Sort(times)
	return float64(times[int(float64(len(times)-1)*p)]) / float64(time.Millisecond)
}

func BenchmarkSearch(b *testing.B) {
	text := MustRead(b, data(b, "places", "lieux.csv"))
	for _, size := range []struct {
		name string
		text func() string
	}{
		{"real8749", func() string { return text }},
		{"made100000", func() string { return many(b, text, 100_000) }},
	} {
		d := MustOpen(b)
		MustImport(b, d, "lieux.csv", size.text())
		MustSearch(b, d, place.Query{})
		wordList := []string{"mairie ", "france services", "mediathèque", "centre soc", "bibliotheque municipale ", "meidatheque", "maison", "la poste ", "ccas", "rue"}
		towns := []place.Point{{Lat: 48.57, Lon: 7.75}, {Lat: 44.84, Lon: -0.58}, {Lat: 45.75, Lon: 4.85}, {Lat: 48.11, Lon: -1.68}}
		for _, q := range []struct {
			name string
			q    place.Query
		}{
			{"words2filtersopen", place.Query{Text: "x", Services: []string{"aide_aux_demarches_administratives", "comprehension_du_monde_numerique"}, Free: true}},
			{"nothingbutnear", place.Query{}},
			{"byopening", place.Query{Sort: place.ByOpening}},
		} {
			b.Run(size.name+"/"+q.name, func(b *testing.B) {
				rnd := rand.New(rand.NewPCG(3, 4))
				// A fortnight in which each search is at another minute.
				start := time.Date(2026, 11, 2, 0, 0, 0, 0, hours.Paris)
				var times []time.Duration
				for b.Loop() {
					query := q.q
					query.Near = &towns[rnd.IntN(len(towns))]
					query.Now = start.Add(time.Duration(rnd.IntN(14*24*60)) * time.Minute)
					if query.Text != "" {
						query.Text = wordList[rnd.IntN(len(wordList))]
						query.OpenAt = query.Now
					}
					t := time.Now()
					MustSearch(b, d, query)
					times = append(times, time.Since(t))
				}
				b.ReportMetric(percentile(times, 0.5), "p50-ms")
				b.ReportMetric(percentile(times, 0.99), "p99-ms")
			})
		}
	}
}

func BenchmarkImport(b *testing.B) {
	text := MustRead(b, data(b, "places", "lieux.csv"))
	rows, spent := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		d := MustOpen(b)
		b.StartTimer()
		t := time.Now()
		report, _ := MustImport(b, d, "lieux.csv", text)
		spent += time.Since(t)
		rows += report.Imported
	}
	b.ReportMetric(float64(rows)/spent.Seconds(), "rows/s")
}

// BenchmarkOpen also tells how much memory a loaded directory keeps.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	MustImport(b, MustOpenAt(b, dir), "lieux.csv", MustRead(b, data(b, "places", "lieux.csv")))
	s, err := store.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var d *place.Directory
	for b.Loop() {
		if d, err = place.Open(context.Background(), s.DB(), hours.AlsaceMoselle); err != nil {
			b.Fatal(err)
		}
	}
	MustSearch(b, d, place.Query{Sort: place.ByOpening, Now: time.Date(2026, 11, 2, 10, 0, 0, 0, hours.Paris)})
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "heap-MB")
	if d.Len() == 0 {
		b.Fatal("nothing loaded")
	}
}
