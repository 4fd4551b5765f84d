package statistics_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	return zone
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, begin, end, before string
		months                   int
	}{
		{"2026-11", "2026-11-01", "2026-12-01", "2026-10", 1},
		{"2026-01", "2026-01-01", "2026-02-01", "2025-12", 1},
		{"2026-T4", "2026-10-01", "2027-01-01", "2026-T3", 3},
		{"2026-T1", "2026-01-01", "2026-04-01", "2025-T4", 3},
		{"2026-S2", "2026-07-01", "2027-01-01", "2026-S1", 6},
		{"2026", "2026-01-01", "2027-01-01", "2025", 12},
	}
	for _, tt := range tests {
		p, err := statistics.ParsePeriod(tt.text)
		must(t, err)
		begin, end := p.Begin(paris(t)), p.End(paris(t))
		if p.String() != tt.text || begin.Format(time.DateOnly) != tt.begin || end.Format(time.DateOnly) != tt.end || p.Before().String() != tt.before ||
			p.Before().After() != p || len(p.Parts(statistics.Month)) != tt.months {
			t.Errorf("%s: %s from %v to %v, before %v, %v", tt.text, p, begin, end, p.Before(), p.Parts(statistics.Month))
		}
	}
	for _, text := range []string{"", "26", "2026-", "2026-13", "2026-00", "2026-1", "2026-T5", "2026-S3", "2026-S0", "2026-X1", "1999", "2026-T04", "2026-é1", "2026-+1"} {
		if p, err := statistics.ParsePeriod(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}

// city enrols bornes, each in a site of its name, and has each report counts.
type city struct {
	t    *testing.T
	s    *store.Store
	seqs map[string]uint64
	key  *age.X25519Identity // opens what it searches for
}

func (c *city) report(borne string, at time.Time, counts map[string]map[string]int) {
	c.t.Helper()
	if c.seqs[borne] == 0 {
		then := at.AddDate(-1, 0, 0)
		site, secret := store.Site{ID: borne, Name: "Mairie " + borne, Created: then}, sha256.Sum256([]byte(borne))
		must(c.t, c.s.PutSite(ctx, site))
		_, err := c.s.CreateToken(ctx, store.Token{Hash: secret[:], Site: site, Borne: borne, Created: then, Expires: then.Add(time.Hour)})
		must(c.t, err)
		_, err = c.s.Enrol(ctx, secret[:], secret[:], store.Certificate{Serial: "1-" + borne, Ends: at.AddDate(1, 0, 0)}, then)
		must(c.t, err)
	}
	c.seqs[borne]++
	r := link.Report{Run: binary.BigEndian.AppendUint64(nil, 1), Seq: c.seqs[borne], At: at.UnixMilli(), Version: "1.4.0", Counts: counts}
	_, err := c.s.PutReports(ctx, []store.Incoming{{Borne: borne, Serial: "1-" + borne, At: at, Report: r}})
	must(c.t, err)
}

// A month is told once it has settled, and stays as it was told, whatever comes
// later and whoever closes it; a quarter, when its months are closed.
func TestMonthsAreClosedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		zone := paris(t)
		s := open()
		c := &city{t: t, s: s, seqs: map[string]uint64{}}
		hubs := []*statistics.Statistics{statistics.New(s, zone), statistics.New(open(), zone)}
		at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 12, 0, 0, 0, zone) }
		november, err := statistics.ParsePeriod("2026-11")
		must(t, err)
		quarter := statistics.PeriodOf(statistics.Quarter, at(11, 1))
		visits := func(p statistics.Period, now time.Time, sites ...string) (int, bool) {
			t.Helper()
			var wait sync.WaitGroup
			for _, h := range hubs { // both at once
				wait.Go(func() {
					if err := h.Close(ctx, now); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			f, err := hubs[1].Figures(ctx, p, sites...)
			must(t, err)
			return f.Total.Visits, f.Complete()
		}
		if n, whole := visits(november, at(11, 30)); n != 0 || whole {
			t.Errorf("with nothing counted: %d %v", n, whole)
		}
		c.report("neudorf", at(11, 30), map[string]map[string]int{"2026-11-02": {"visit": 17, "visit.h10": 17, "missing.scan": 8}})
		c.report("meinau", at(11, 30), map[string]map[string]int{"2026-11-03": {"visit": 4, "visit.h11": 4, "missing.scan": 4}})
		for now, want := range map[time.Time]bool{at(11, 30): false, at(12, 3): false} {
			if n, whole := visits(november, now); n != 0 || whole != want {
				t.Errorf("on %v: %d visits, whole %v", now, n, whole)
			}
		}
		if n, whole := visits(november, at(12, 4)); n != 15 || !whole {
			t.Errorf("when closed: %d visits, whole %v", n, whole)
		}
		c.report("neudorf", at(12, 5), map[string]map[string]int{"2026-11-02": {"visit": 99, "visit.h10": 99}, "2026-12-01": {"visit": 6}})
		if n, _ := visits(november, at(12, 5)); n != 15 {
			t.Errorf("what comes late changes the month to %d", n)
		}
		if n, _ := visits(november, at(12, 5), "meinau"); n != 0 {
			t.Errorf("four visits are told as %d", n)
		}
		if n, whole := visits(quarter, at(12, 20)); n != 15 || whole {
			t.Errorf("the quarter under way: %d visits, whole %v", n, whole)
		}
		if _, err := hubs[0].Cells(ctx, quarter); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the quarter under way is published: %v", err)
		}
		later := at(12, 31).AddDate(0, 0, 5)
		if n, whole := visits(quarter, later); n != 20 || !whole {
			t.Errorf("the quarter: %d visits, whole %v", n, whole)
		}
		f, err := hubs[0].Figures(ctx, quarter)
		must(t, err)
		if f.Detail["missing.scan"] != 5 { // the four of a site that is not told do not count
			t.Errorf("detail %v", f.Detail)
		}
		if f, err := hubs[0].Figures(ctx, quarter, "neudorf"); err != nil || f.Detail != nil {
			t.Errorf("one site has a detail: %v %v", f.Detail, err)
		}
		cells, err := hubs[0].Cells(ctx, quarter)
		must(t, err)
		again, err := hubs[1].Cells(ctx, quarter)
		must(t, err)
		if len(cells) == 0 || !reflect.DeepEqual(cells, again) {
			t.Error("two hubs publish two things")
		}
		begun, err := hubs[0].Begun(ctx, statistics.HalfYear)
		must(t, err)
		whole, err := hubs[0].Closed(ctx, statistics.Quarter)
		must(t, err)
		if fmt.Sprint(begun, whole) != "[2026-S2] [2026-T4]" {
			t.Errorf("begun %v, whole %v", begun, whole)
		}
	})
}

// What is longer is the sum of what is shorter, for every choice of sites.
func TestEverythingIsASum(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	zone := paris(t)
	c := &city{t: t, s: s, seqs: map[string]uint64{}}
	now := time.Date(2027, 1, 4, 12, 0, 0, 0, zone)
	for i, site := range []string{"a", "b", "c"} {
		days := map[string]map[string]int{}
		for d := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == 2026; d = d.AddDate(0, 0, 1) {
			n := (d.YearDay()*(i+3))%(7*i+2) + i
			days[d.Format(time.DateOnly)] = map[string]int{"visit": n, "visit.h10": n - n/3, "visit.h15": n / 3}
		}
		c.report(site, now, days)
	}
	stats := statistics.New(s, zone)
	must(t, stats.Close(ctx, now))
	for _, text := range []string{"2026", "2026-S1", "2026-T3"} {
		p, err := statistics.ParsePeriod(text)
		must(t, err)
		whole, err := stats.Figures(ctx, p)
		must(t, err)
		sum, hours := 0, 0
		for _, m := range p.Parts(statistics.Month) {
			for _, site := range []string{"a", "b", "c"} {
				f, err := stats.Figures(ctx, m, site)
				must(t, err)
				sum += f.Total.Visits
				for _, n := range f.Hours {
					hours += n
				}
			}
		}
		told := 0
		for _, n := range whole.Hours {
			told += n
		}
		if whole.Total.Visits != sum || sum == 0 || told != hours {
			t.Errorf("%s: %d visits and %d by hour, the parts have %d and %d", text, whole.Total.Visits, told, sum, hours)
		}
	}
}
