package statistics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/unfound"
)

func newKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	must(t, err)
	return key
}

// search has a borne bring searches that found nothing, n of each.
func (c *city) search(borne, month, kind string, n int, texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		for range n {
			sealed, err := unfound.Seal(unfound.Word{Kind: kind, Text: []byte(text)}, []age.Recipient{c.key.Recipient()})
			must(c.t, err)
			must(c.t, c.s.PutUnfound(ctx, borne, store.Unfound{ID: uuid.New(), Month: month, Data: sealed}))
		}
	}
}

// kept is all that is kept of a quarter, as text.
func kept(t *testing.T, s *store.Store) string {
	t.Helper()
	figures, err := s.Statistics(ctx, "2026-10", "2026-11", "2026-12", "2026-T4")
	must(t, err)
	return fmt.Sprint(figures)
}

// Words are told that were searched for five times in a month, of all sites that
// are told, and nothing else is left of any: neither in what is kept nor in the
// database's files.
func TestWordsAreToldFromFive(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := fresh(t)
			s := storetest.Open(t, dsn)
			zone := paris(t)
			c := &city{t: t, s: s, seqs: map[string]uint64{}, key: newKey(t)}
			at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 12, 0, 0, 0, zone) }
			keyed := statistics.New(s, zone, c.key)
			hubs := []*statistics.Statistics{keyed, statistics.New(storetest.Open(t, dsn), zone, c.key)}
			november, december := statistics.Period{Kind: statistics.Month, Year: 2026, N: 11}, statistics.Period{Kind: statistics.Month, Year: 2026, N: 12}
			quarter := statistics.PeriodOf(statistics.Quarter, at(11, 1))
			visits := map[string]int{"visit": 40, "visit.h10": 40, "search.places": 40, "search.places.none": 40}
			for _, borne := range []string{"neudorf", "meinau"} {
				c.report(borne, at(11, 30), map[string]map[string]int{"2026-11-02": visits, "2026-12-02": visits})
			}
			c.report("annexe", at(11, 30), map[string]map[string]int{"2026-11-03": {"visit": 4, "visit.h11": 4}})

			c.search("neudorf", "2026-11", unfound.Places, 4, "patinoire", "velo cargo")
			c.search("meinau", "2026-11", unfound.Places, 3, "velo cargo") // 7 in all
			c.search("meinau", "2026-11", unfound.Demarches, 4, "velo cargo")
			c.search("annexe", "2026-11", unfound.Places, 4, "patinoire") // where few came
			c.search("neudorf", "2026-11", unfound.Demarches, 12, "carte grise")
			c.search("neudorf", "2026-12", unfound.Places, 4, "patinoire", "velo cargo")
			c.search("neudorf", "2026-12", unfound.Places, 5, "fourriere")
			for _, junk := range []string{"sealed to nobody", ""} {
				must(t, s.PutUnfound(ctx, "neudorf", store.Unfound{ID: uuid.New(), Month: "2026-11", Data: []byte("x" + junk)}))
			}
			c.search("neudorf", "2026-11", unfound.Places, 9, "Jeanne 0612345678") // an altered borne
			c.search("neudorf", "2026-11", "elsewhere", 9, "carte")

			// Who has no key closes nothing of which there are searches.
			must(t, statistics.New(s, zone).Close(ctx, at(12, 5)))
			if closed, err := s.ClosedPeriods(ctx); err != nil || len(closed) != 1 { // October, without any
				t.Fatalf("closed: %v, %v", closed, err)
			}
			var wait sync.WaitGroup
			for _, h := range hubs {
				wait.Go(func() {
					if err := h.Tidy(ctx, at(12, 5)); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			told := func(p statistics.Period, sites ...string) []statistics.Unfound {
				t.Helper()
				f, err := keyed.Figures(ctx, p, sites...)
				must(t, err)
				return f.Unfound
			}
			first := []statistics.Unfound{{Kind: unfound.Demarches, Text: "carte grise", N: 10}, {Kind: unfound.Places, Text: "velo cargo", N: 5}}
			if got := told(november); !reflect.DeepEqual(got, first) {
				t.Errorf("November: %v", got)
			}
			for _, sites := range [][]string{{"neudorf"}, {"neudorf", "meinau", "annexe"}} {
				if got := told(november, sites...); got != nil {
					t.Errorf("of sites: %v", got)
				}
			}
			if there, err := s.HasUnfound(ctx, "2026-11"); there || err != nil {
				t.Errorf("searches of November are left: %v", err)
			}
			if there, err := s.HasUnfound(ctx, "2026-12"); !there || err != nil {
				t.Errorf("searches of December are gone: %v", err)
			}
			// What comes late is told no more, and goes.
			c.search("neudorf", "2026-11", unfound.Places, 9, "trop tard")
			c.search("neudorf", "2026-10", unfound.Places, 9, "trop tard")
			must(t, keyed.Tidy(ctx, at(12, 6)))
			if got := told(november); !reflect.DeepEqual(got, first) {
				t.Errorf("November, later: %v", got)
			}
			must(t, keyed.Tidy(ctx, at(12, 31).AddDate(0, 0, 5)))
			if got := told(december); !reflect.DeepEqual(got, []statistics.Unfound{{Kind: unfound.Places, Text: "fourriere", N: 5}}) {
				t.Errorf("December: %v", got)
			}
			// "velo cargo" was searched for 11 times in the quarter, and "patinoire" 8:
			// what is told of it is what its months told.
			if got := told(quarter); !reflect.DeepEqual(got, []statistics.Unfound{first[0], {Kind: unfound.Places, Text: "fourriere", N: 5}, first[1]}) {
				t.Errorf("the quarter: %v", got)
			}
			cells, err := keyed.Cells(ctx, quarter)
			must(t, err)
			if text := fmt.Sprint(cells); len(cells) == 0 || strings.Contains(text, "carte grise") || strings.Contains(text, "unfound") {
				t.Errorf("published: %v", cells)
			}
			all := kept(t, s)
			for _, hidden := range []string{"patinoire", "trop tard", "Jeanne", "0612", "elsewhere"} {
				if strings.Contains(all, hidden) {
					t.Errorf("%q is kept", hidden)
				}
			}
			if !strings.Contains(all, "unfound.demarche.carte grise") {
				t.Errorf("kept: %s", all)
			}
			if strings.HasPrefix(dsn, "postgres") {
				return
			}
			files, err := filepath.Glob(dsn + "*")
			must(t, err)
			for _, file := range files {
				data, err := os.ReadFile(file)
				must(t, err)
				for _, hidden := range []string{"patinoire", "age-encryption"} {
					if strings.Contains(string(data), hidden) {
						t.Errorf("%s holds %q", filepath.Base(file), hidden)
					}
				}
				if strings.Contains(string(data), "carte grise") != (file == dsn) {
					t.Errorf("%s: does the test see what is kept?", filepath.Base(file))
				}
			}
		})
	}
}
