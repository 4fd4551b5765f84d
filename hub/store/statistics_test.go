package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestSiteCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		if day, err := s.FirstCount(ctx); err != nil || day != "" {
			t.Errorf("nothing was counted, first on %q: %v", day, err)
		}
		mustEnrol(t, s, "MN-01", "MN-02", "MN-03")
		for i, id := range []string{"MN-01", "MN-02"} {
			r := report(id, 1, 1, noon)
			r.Report.Counts = map[string]map[string]int{
				"2026-11-20": {"visit": 10 + i, "device.imprimante.pages": 9}, "2026-11-21": {"visit": 3, "missing.scan": 1}, "2026-10-31": {"visit": 100}}
			mustPut(t, s, r)
		}
		if day, err := s.FirstCount(ctx); err != nil || day != "2026-10-31" {
			t.Errorf("first counted on %q: %v", day, err)
		}
		counts, err := s.SiteCounts(ctx, "2026-11-01", "2026-11-30")
		must(t, err)
		slices.SortFunc(counts, func(a, b store.SiteCount) int { return b.N - a.N })
		if want := []store.SiteCount{{"neudorf", "", "visit", 27}, {"neudorf", "", "missing.scan", 2}}; !slices.Equal(counts, want) {
			t.Errorf("counts %v", counts)
		}
		days, err := s.SiteDays(ctx, "visit", "2026-11-01", "2026-11-30")
		must(t, err)
		slices.SortFunc(days, func(a, b store.SiteCount) int { return b.N - a.N })
		if want := []store.SiteCount{{"neudorf", "2026-11-20", "visit", 21}, {"neudorf", "2026-11-21", "visit", 6}}; !slices.Equal(days, want) {
			t.Errorf("days %v", days)
		}
	})
}

// How long bornes were in trouble, and how long nothing was heard of them.
func TestSiteService(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02")
		for h := range 4 {
			r := report("MN-01", 1, uint64(h+1), noon.Add(time.Duration(h)*time.Hour))
			if h == 1 {
				r.Report.Faults = []link.Fault{{Fault: link.FaultDisk, Since: r.At.Unix()}}
			}
			mustPut(t, s, r)
		}
		faults, err := s.FaultsBetween(ctx, noon, noon.Add(24*time.Hour))
		must(t, err)
		if len(faults) != 1 || faults[0].Site != "neudorf" || faults[0].Ended.Sub(faults[0].Began) != time.Hour {
			t.Errorf("faults %+v", faults)
		}
		if later, err := s.FaultsBetween(ctx, noon.Add(3*time.Hour), noon.Add(24*time.Hour)); err != nil || len(later) != 0 {
			t.Errorf("later: %+v %v", later, err)
		}
		presence, err := s.Presence(ctx, noon.Add(-time.Hour), noon.Add(4*time.Hour))
		must(t, err)
		// Both were enrolled at noon; the fourth hour of the first is under way.
		if want := []store.SitePresence{{"neudorf", 3, 8}}; !slices.Equal(presence, want) {
			t.Errorf("presence %+v", presence)
		}
	})
}

// The figures of a period are kept once, whatever comes later.
func TestStatisticsAreKeptOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		want := []store.Statistic{{"2026-11", "neudorf", "visit", 595}, {"2026-11", "neudorf", "visit.h10", 90}}
		must(t, one.PutStatistics(ctx, "2026-11", want, noon))
		must(t, two.PutStatistics(ctx, "2026-11", []store.Statistic{{"2026-11", "neudorf", "visit", 600}}, noon))
		got, err := two.Statistics(ctx, "2026-10", "2026-11", "2026-12")
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("kept %v", got)
		}
		if closed, err := one.ClosedPeriods(ctx); err != nil || !slices.Equal(closed, []string{"2026-11"}) {
			t.Errorf("closed %v %v", closed, err)
		}
		if none, err := one.Statistics(ctx); err != nil || len(none) > 0 {
			t.Errorf("of no period: %v %v", none, err)
		}
	})
}

// Requests count in the month of their first deadline, and in that of their end;
// also when they are deleted.
func TestCallCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		october := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
		put := func(due, firstTry, closed time.Time, outcome string) {
			t.Helper()
			c := store.Callback{ID: newID(t), Borne: "MN-01", Code: "K74M2", Created: october, Received: october, Data: []byte("sealed"), Key: []byte("key"),
				State: store.CallbackWaiting, Due: due, FirstTry: firstTry, Closed: closed, Outcome: outcome}
			if !closed.IsZero() {
				c.State = store.CallbackClosed
			}
			_, err := s.PutCallback(ctx, c)
			must(t, err)
		}
		put(october.Add(time.Hour), october.Add(time.Hour), october.Add(2*time.Hour), "reached")
		put(october.Add(time.Hour), october.Add(2*time.Hour), october.AddDate(0, 1, 0), "unreachable")
		put(october.Add(time.Hour), time.Time{}, time.Time{}, "")
		put(time.Time{}, time.Time{}, time.Time{}, "") // nobody could read its label
		wants := map[time.Month][]store.SiteCount{
			10: {{"neudorf", "", store.CallInTime, 1}, {"neudorf", "", store.CallLate, 2}, {"neudorf", "", store.CallOutcome + "reached", 1}},
			11: {{"neudorf", "", store.CallOutcome + "unreachable", 1}},
		}
		want := func(when string) {
			t.Helper()
			for month, want := range wants {
				got, err := s.CallCounts(ctx, time.Date(2026, month, 9, 0, 0, 0, 0, time.UTC))
				must(t, err)
				slices.SortFunc(got, func(a, b store.SiteCount) int { return strings.Compare(a.Key, b.Key) })
				if !slices.Equal(got, want) {
					t.Errorf("%s, of month %d: %v", when, month, got)
				}
			}
		}
		want("while they are there")
		if n, err := s.DropCallbacks(ctx, october.AddDate(0, 0, 1), october.AddDate(0, 0, -1)); err != nil || n != 1 {
			t.Fatalf("%d deleted, %v", n, err)
		}
		want("when one is deleted")
		if n, err := s.DropCallbacks(ctx, noon, noon); err != nil || n != 3 {
			t.Fatalf("%d deleted, %v", n, err)
		}
		want("when all are deleted")
	})
}
