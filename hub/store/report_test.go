package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestPutReports(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		mustEnrol(t, one, "MN-01", "MN-02")
		if b := mustBorne(t, one, "MN-01"); !b.Seen.IsZero() || !b.Offline(noon) || b.State.Version != "" {
			t.Errorf("before its first report: %+v", b)
		}
		in := report("MN-01", 1, 1, noon)
		in.Report.Devices = []link.Device{{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "low", Since: 5}}
		in.Report.Skew, in.Report.Content, in.Report.Waiting = -7, "2026-11-20", 3
		in.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": 4}}
		taken := mustPut(t, one, in, report("MN-99", 1, 1, noon), report("MN-02", 1, 1, noon.Add(time.Second)))
		if want := []store.Taken{{}, {Refused: true}, {}}; !reflect.DeepEqual(taken, want) {
			t.Errorf("taken: %+v", taken)
		}
		b := mustBorne(t, two, "MN-01")
		want := in.Report
		want.Counts = nil
		if !reflect.DeepEqual(b.State, want) {
			t.Errorf("state: %+v, want %+v", b.State, want)
		}
		if !b.Seen.Equal(noon) || b.Address != "192.0.2.7" || b.Used != "1-MN-01" || b.Offline(noon.Add(time.Minute)) || !b.Offline(noon.Add(2*time.Minute)) {
			t.Errorf("borne: %+v", b)
		}
		if bornes, err := two.Bornes(ctx); err != nil || len(bornes) != 2 || bornes[1].ID != "MN-02" || bornes[1].State.Version != "1.4.0" {
			t.Errorf("bornes: %+v, %v", bornes, err)
		}
		// Another hub's clock is a little behind.
		mustPut(t, two, report("MN-01", 1, 2, noon.Add(-time.Second)))
		if b := mustBorne(t, one, "MN-01"); !b.Seen.Equal(noon) || b.State.Seq != 2 {
			t.Errorf("seen %v, report %d", b.Seen, b.State.Seq)
		}
		if _, err := one.Borne(ctx, "MN-99"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown borne: %v", err)
		}
		if taken, err := one.PutReports(ctx, nil); err != nil || len(taken) != 0 {
			t.Errorf("no reports: %v, %v", taken, err)
		}
	})
}

// A report that is there already stores nothing, however it comes again.
func TestReplay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		mustEnrol(t, one, "MN-01")
		first := report("MN-01", 1, 1, noon)
		second := report("MN-01", 1, 2, noon.Add(30*time.Second))
		taken := mustPut(t, one, first, second, second, first)
		if want := []store.Taken{{}, {}, {Replayed: true}, {Replayed: true}}; !reflect.DeepEqual(taken, want) {
			t.Errorf("in one batch: %+v", taken)
		}
		again := first
		again.At, again.Report.Version = noon.Add(time.Hour), "6.6.6"
		again.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": 1000}}
		again.Report.Faults = []link.Fault{{Fault: link.FaultDisk}}
		if taken := mustPut(t, two, again); !taken[0].Replayed {
			t.Errorf("at another hub: %+v", taken)
		}
		b := mustBorne(t, one, "MN-01")
		if b.State.Seq != 2 || b.State.Version != "1.4.0" || !b.Seen.Equal(second.At) {
			t.Errorf("the replay has changed the state: %+v", b)
		}
		if counts, err := one.Counts(ctx, "MN-01", "visit", "2026-11-01", "2026-11-30"); err != nil || len(counts) != 0 {
			t.Errorf("the replay was counted: %v, %v", counts, err)
		}
		if faults, err := one.OpenFaults(ctx); err != nil || len(faults) != 0 {
			t.Errorf("the replay began faults: %v, %v", faults, err)
		}
		// The last report of a run that another has followed is no news either.
		mustPut(t, one, report("MN-01", 2, 1, noon.Add(time.Minute)))
		if taken := mustPut(t, one, second); taken[0] != (store.Taken{Replayed: true}) {
			t.Errorf("the last of the run before: %+v", taken)
		}
	})
}

// step is one report of a sequence, and what is expected of it.
type step struct {
	run, seq uint64
	serial   string // empty: the borne's first
	want     store.Taken
}

func TestClones(t *testing.T) {
	t.Parallel()
	var restarts, crashes []step
	for n := range uint64(50) {
		restarts = append(restarts, step{run: n + 1, seq: 1}, step{run: n + 1, seq: 2})
		// Each time the last report of the run before was long on the way.
		crashes = append(crashes, step{run: n + 1, seq: 1})
		if n > 0 {
			crashes = append(crashes, step{run: n, seq: 2})
		}
		crashes = append(crashes, step{run: n + 1, seq: 1, want: store.Taken{Replayed: true}})
	}
	copied := store.Taken{Cloned: true}
	tests := []struct {
		name  string
		renew []string // certificates made before the step of the same index, where not empty
		steps []step
		want  bool // Borne.Cloned in the end
	}{
		{name: "an agent that restarts fifty times", steps: restarts},
		{name: "fifty crashes, each with a late packet", steps: crashes},
		{name: "one late packet", steps: []step{
			{run: 1, seq: 1}, {run: 1, seq: 2}, {run: 2, seq: 1}, {run: 1, seq: 3}, {run: 2, seq: 2}, {run: 2, seq: 3}}},
		{name: "two machines alternating", want: true, steps: []step{
			{run: 1, seq: 1}, {run: 2, seq: 1}, // once
			{run: 1, seq: 2}, {run: 2, seq: 2}, // twice: could be late
			{run: 1, seq: 3, want: copied}, {run: 2, seq: 3}}},
		{name: "two machines, one of which restarts often", want: true, steps: []step{
			{run: 1, seq: 1}, {run: 2, seq: 1}, {run: 1, seq: 2}, {run: 3, seq: 1}, {run: 4, seq: 1}, {run: 1, seq: 3, want: copied}}},
		{name: "a report with the old certificate after the new one", want: true,
			renew: []string{"", "b"},
			steps: []step{{run: 1, seq: 1}, {run: 1, seq: 2, serial: "b"},
				{run: 2, seq: 1, want: copied}, {run: 1, seq: 3, serial: "b"}, {run: 2, seq: 2, want: copied}}},
		{name: "the new certificate is not used at once",
			renew: []string{"", "b", "c"},
			steps: []step{{run: 1, seq: 1}, {run: 1, seq: 2}, {run: 1, seq: 3}, {run: 1, seq: 4, serial: "c"}, {run: 1, seq: 5, serial: "c"}}},
		{name: "renewed twice by two holders", want: true,
			renew: []string{"b", "", "c"},
			steps: []step{{run: 1, seq: 1, serial: "b"}, {run: 1, seq: 2, serial: "b"},
				{run: 2, seq: 1, serial: "c"}, {run: 1, seq: 3, serial: "b", want: copied}}},
		{name: "a replay with the old certificate",
			renew: []string{"", "b"},
			steps: []step{{run: 1, seq: 1}, {run: 1, seq: 2, serial: "b"}, {run: 1, seq: 1, want: store.Taken{Replayed: true}}}},
	}
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		for i, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				borne := fmt.Sprintf("MN-%02d", i+1)
				mustEnrol(t, hubs[0], borne)
				now := noon
				for j, step := range tt.steps {
					if j < len(tt.renew) && tt.renew[j] != "" {
						must(t, hubs[0].Renew(ctx, borne, key("next"), certificate(tt.renew[j]), now))
					}
					now = now.Add(15 * time.Second)
					in := report(borne, step.run, step.seq, now)
					if step.serial != "" {
						in.Serial = step.serial
					}
					if taken := mustPut(t, hubs[j%2], in); taken[0] != step.want {
						t.Errorf("step %d, run %d, report %d: %+v, want %+v", j, step.run, step.seq, taken[0], step.want)
					}
				}
				if b := mustBorne(t, hubs[0], borne); b.Cloned.IsZero() == tt.want {
					t.Errorf("cloned at %v", b.Cloned)
				}
			})
		}
	})
}

func TestSetCloned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		alternate := func(from uint64) (cloned int) {
			for seq := from; seq < from+3; seq++ {
				for n := range uint64(2) {
					for _, taken := range mustPut(t, s, report("MN-01", n+1, seq, noon.Add(time.Duration(seq)*time.Minute))) {
						if taken.Cloned {
							cloned++
						}
					}
				}
			}
			return cloned
		}
		wantCloned := func(when string, want time.Time) {
			t.Helper()
			if b := mustBorne(t, s, "MN-01"); !b.Cloned.Equal(want) {
				t.Errorf("%s: %v, want %v", when, b.Cloned, want)
			}
		}
		if alternate(1) == 0 {
			t.Fatal("two machines were not seen")
		}
		wantCloned("seen", noon.Add(3*time.Minute))
		must(t, s.SetCloned(ctx, "MN-01", noon))
		wantCloned("an earlier time", noon.Add(3*time.Minute))
		must(t, s.SetCloned(ctx, "MN-01", noon.Add(time.Hour)))
		wantCloned("a later time", noon.Add(time.Hour))

		must(t, s.SetCloned(ctx, "MN-01", time.Time{}))
		wantCloned("dealt with", time.Time{})
		mustPut(t, s, report("MN-01", 2, 4, noon.Add(4*time.Minute)), report("MN-01", 1, 4, noon.Add(4*time.Minute)))
		wantCloned("one packet that was late", time.Time{})
		if alternate(5) == 0 {
			t.Error("the copy goes on, and is not seen again")
		}
	})
}

// A late report must not put the clock of the console back; its counts count.
func TestLateReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		late := report("MN-01", 1, 2, noon.Add(time.Minute))
		late.Report.Version, late.Report.Counts = "old", map[string]map[string]int{"2026-11-21": {"visit": 9}}
		late.Report.Faults = []link.Fault{{Fault: link.FaultHot}}
		mustPut(t, s, report("MN-01", 1, 1, noon), report("MN-01", 2, 1, noon.Add(30*time.Second)), late)
		if b := mustBorne(t, s, "MN-01"); b.State.Version != "1.4.0" || !b.Seen.Equal(noon.Add(30*time.Second)) {
			t.Errorf("state: %+v", b)
		}
		if faults, err := s.OpenFaults(ctx); err != nil || len(faults) != 0 {
			t.Errorf("faults: %v, %v", faults, err)
		}
		counts, err := s.Counts(ctx, "MN-01", "visit", "2026-11-21", "2026-11-21")
		must(t, err)
		if counts["2026-11-21"]["visit"] != 9 {
			t.Errorf("counts: %v", counts)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		seq := uint64(0)
		put := func(minutes int, faults []link.Fault, devices ...link.Device) {
			t.Helper()
			seq++
			in := report("MN-01", 1, seq, noon.Add(time.Duration(minutes)*time.Minute))
			in.Report.Faults, in.Report.Devices = faults, devices
			mustPut(t, s, in)
		}
		printer := func(d link.Device, minutes int) link.Device {
			d.Name, d.Kind, d.Since = "imprimante", "ticket_printer", noon.Add(time.Duration(minutes)*time.Minute).Unix()
			return d
		}
		wantFaults := func(want ...string) {
			t.Helper()
			faults, err := s.Faults(ctx, "MN-01", 100)
			must(t, err)
			var got []string
			for _, f := range faults {
				line := fmt.Sprintf("%s/%s %v", f.Device, f.Fault, f.Began.Sub(noon).Minutes())
				if !f.Ended.IsZero() {
					line += fmt.Sprintf("-%v", f.Ended.Sub(noon).Minutes())
				}
				got = append(got, line)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("after report %d: %q, want %q", seq, got, want)
			}
			open, err := s.OpenFaults(ctx)
			must(t, err)
			lasting := 0
			for _, f := range faults {
				if f.Ended.IsZero() {
					lasting++
				}
			}
			if len(open) != lasting {
				t.Errorf("after report %d: %d open faults, want %d", seq, len(open), lasting)
			}
		}
		disk := []link.Fault{{Fault: link.FaultDisk, Since: noon.Add(time.Minute).Unix()}}
		put(0, nil, printer(link.Device{State: "online"}, 0))
		wantFaults()
		put(2, disk, printer(link.Device{State: "user_error", Fault: "no_paper"}, 1))
		wantFaults("/disk 1", "imprimante/no_paper 1")
		put(3, disk, printer(link.Device{State: "offline", Fault: "no_paper"}, 3)) // the state is new, the fault is not
		wantFaults("/disk 1", "imprimante/no_paper 1")
		put(5, nil, printer(link.Device{State: "starting"}, 4)) // it may be out of paper still
		wantFaults("imprimante/no_paper 1", "/disk 1-5")
		put(10, nil, printer(link.Device{State: "online"}, 6)) // and was mended at 6, while the network was down
		wantFaults("/disk 1-5", "imprimante/no_paper 1-6")
		put(12, nil, printer(link.Device{State: "user_error", Fault: "cover_open"}, 11), link.Device{Name: "lecteur", State: "offline", Fault: "silent", Since: 0})
		// The reader's clock-less date, 1970, is taken for the moment it was told.
		wantFaults("lecteur/silent 12", "imprimante/cover_open 11", "/disk 1-5", "imprimante/no_paper 1-6")
		put(14, nil, link.Device{Name: "lecteur", State: "offline", Fault: "unplugged", Since: noon.Add(time.Hour).Unix()})
		wantFaults("lecteur/unplugged 14", "lecteur/silent 12-14", "imprimante/cover_open 11-14", "/disk 1-5", "imprimante/no_paper 1-6")
		if faults, err := s.Faults(ctx, "MN-01", 2); err != nil || len(faults) != 2 || faults[0].Fault != "unplugged" {
			t.Errorf("two: %v, %v", faults, err)
		}
	})
}

func TestCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open(), open()
		mustEnrol(t, one, "MN-01", "MN-02")
		put := func(s *store.Store, borne string, seq uint64, counts map[string]map[string]int) {
			t.Helper()
			in := report(borne, 1, seq, noon)
			in.Report.Counts = counts
			mustPut(t, s, in)
		}
		put(one, "MN-01", 1, map[string]map[string]int{
			"2026-11-20": {"visit": 7, "visit.h09": 7, "visitor": 1},
			"2026-11-21": {"visit": 3, "visit.h10": 2, "visit.h11": 1, "visit.h99": 4, "leaving.yes": 1}})
		put(two, "MN-01", 2, map[string]map[string]int{"2026-11-21": {"visit": 5, "visit.h11": 3}})
		put(one, "MN-01", 3, map[string]map[string]int{"2026-11-21": {"visit": 4}}) // told late: the total was 5
		put(one, "MN-02", 1, map[string]map[string]int{"2026-11-21": {"visit.h10": 8}})
		for _, tt := range []struct {
			prefix, from, to string
			want             map[string]map[string]int
		}{
			{"visit", "2026-11-21", "2026-11-21", map[string]map[string]int{"2026-11-21": {"visit": 5, "visit.h10": 2, "visit.h11": 3, "visit.h99": 4}}},
			{"visit.h09", "2026-11-01", "2026-11-30", map[string]map[string]int{"2026-11-20": {"visit.h09": 7}}},
			{"leaving", "2026-11-20", "2026-11-21", map[string]map[string]int{"2026-11-21": {"leaving.yes": 1}}},
			{"", "2026-11-20", "2026-11-20", map[string]map[string]int{"2026-11-20": {"visit": 7, "visit.h09": 7, "visitor": 1}}},
			{"visit", "2026-11-22", "2026-12-01", map[string]map[string]int{}},
		} {
			if got, err := two.Counts(ctx, "MN-01", tt.prefix, tt.from, tt.to); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%q from %s to %s: %v, %v; want %v", tt.prefix, tt.from, tt.to, got, err, tt.want)
			}
		}
		visits, err := one.VisitsOf(ctx, "2026-11-21", []string{"MN-01", "MN-02"})
		must(t, err)
		if want := map[string][24]int{"MN-01": {10: 2, 11: 3}, "MN-02": {10: 8}}; !reflect.DeepEqual(visits, want) {
			t.Errorf("visits: %v", visits)
		}
	})
}

func TestSamples(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		for i, r := range []struct {
			minutes, load, temp, disk int
		}{{1, 10, 40, 60}, {31, 90, 45, 59}, {59, 5, 41, 61}, {60, 1, 2, 3}, {59, 2, 3, 4}, {200, 7, 8, 9}} {
			in := report("MN-01", 1, uint64(i+1), noon.Add(time.Duration(r.minutes)*time.Minute))
			in.Report.Load, in.Report.Temp, in.Report.Disk = r.load, r.temp, r.disk
			mustPut(t, s, in)
		}
		want := []store.Sample{
			{Hour: noon, Reports: 3, Load: 90, Temp: 45, Disk: 59},
			{Hour: noon.Add(time.Hour), Reports: 2, Load: 2, Temp: 3, Disk: 3}, // one was stored by a hub whose clock is behind
			{Hour: noon.Add(3 * time.Hour), Reports: 1, Load: 7, Temp: 8, Disk: 9},
		}
		for from, want := range map[time.Time][]store.Sample{noon: want, noon.Add(time.Minute): want[1:], noon.Add(4 * time.Hour): nil} {
			if got, err := s.Samples(ctx, "MN-01", from); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("from %v: %+v, %v", from, got, err)
			}
		}
	})
}

// One borne whose words no database would take must not spoil the batch of others.
func TestPoison(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02")
		bad := report("MN-01", 1, 1, noon)
		bad.Address, bad.Report.Version = "\x00", "\x00\xff"
		bad.Report.Run, bad.Report.Seq = nil, 1<<64-1
		bad.Report.Counts = map[string]map[string]int{"\x00": {"\xff": 1}, "": {"": -1}}
		bad.Report.Faults = []link.Fault{{Fault: "\x00\xfe", Since: -1 << 62}, {Fault: "\x00\xfe", Since: 1 << 62}}
		bad.Report.Devices = []link.Device{{Name: "\xff", Fault: "\x00"}}
		unknown := report("\x00\xff", 1, 1, noon)
		unknown.Serial = "\x00"
		taken := mustPut(t, s, bad, unknown, report("MN-02", 1, 1, noon))
		if want := []store.Taken{{}, {Refused: true}, {}}; !reflect.DeepEqual(taken, want) {
			t.Errorf("taken: %+v", taken)
		}
		if b := mustBorne(t, s, "MN-02"); b.Seen.IsZero() {
			t.Error("the report beside it was not stored")
		}
		if faults, err := s.OpenFaults(ctx); err != nil || len(faults) != 2 {
			t.Errorf("faults: %v, %v", faults, err)
		}
	})
}

// Two hubs store the same reports at once, in different orders: each is stored
// once, and neither waits for the other for ever.
func TestReportsAtTwoHubs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open()}
		var bornes []string
		for i := range 20 {
			bornes = append(bornes, fmt.Sprintf("MN-%02d", i+1))
		}
		mustEnrol(t, hubs[0], bornes...)
		const rounds = 10
		fresh := make([]int, len(hubs))
		var group sync.WaitGroup
		for h, hub := range hubs {
			group.Go(func() {
				for round := range rounds {
					var batch []store.Incoming
					for i := range bornes {
						if h == 1 {
							i = len(bornes) - 1 - i
						}
						in := report(bornes[i], 1, uint64(round+1), noon)
						in.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": round + 1}}
						if round%2 == 1 {
							in.Report.Faults = []link.Fault{{Fault: link.FaultDisk, Since: noon.Unix()}}
						}
						batch = append(batch, in)
					}
					taken, err := hub.PutReports(ctx, batch)
					if err != nil {
						t.Error(err)
						return
					}
					for _, one := range taken {
						if !one.Replayed {
							fresh[h]++
						}
					}
				}
			})
		}
		group.Wait()
		stored := 0
		for _, borne := range bornes {
			samples, err := hubs[0].Samples(ctx, borne, noon)
			must(t, err)
			counts, err := hubs[1].Counts(ctx, borne, "visit", "2026-11-21", "2026-11-21")
			must(t, err)
			stored += samples[0].Reports
			if samples[0].Reports > rounds || counts["2026-11-21"]["visit"] != rounds || mustBorne(t, hubs[0], borne).State.Seq != rounds {
				t.Errorf("%s: %+v, %v", borne, samples, counts)
			}
		}
		// A hub that is a round behind finds the later report there, and calls its own a replay.
		if taken := fresh[0] + fresh[1]; stored != taken || taken < len(bornes) {
			t.Errorf("%d reports were taken, and %d are stored", taken, stored)
		}
	})
}
