package store_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func mustRollout(t *testing.T, s *store.Store, id, kind string) store.Rollout {
	t.Helper()
	r := store.Rollout{ID: id, Kind: kind, Version: "2", Stages: []store.RolloutStage{{Groups: []string{"pilote"}}, {Percent: 100}},
		Quiet: 90 * time.Minute, Threshold: 10, State: store.RolloutRunning, Created: noon, By: "Anne", Note: "pour voir"}
	must(t, s.CreateRollout(ctx, r, store.RolloutEvent{At: noon, By: "Anne", What: "Commencé", Why: "pour voir"}))
	return r
}

func mustLease(t *testing.T, s *store.Store, holder string) {
	t.Helper()
	held, err := s.Lease(ctx, "rollout", holder, noon, noon.Add(time.Minute))
	must(t, err)
	if !held {
		t.Fatal("the lease is held")
	}
}

func TestRollout(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		want := mustRollout(t, s, "a", link.KindPack)
		got, err := s.Rollout(ctx, "a")
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, not %+v", got, want)
		}
		other := want
		other.ID = "b"
		if err := s.CreateRollout(ctx, other, store.RolloutEvent{}); !errors.Is(err, store.ErrExists) {
			t.Errorf("two at once: %v", err)
		}
		mustRollout(t, s, "c", link.KindSoftware)
		if _, err := s.Rollout(ctx, "x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("one that isn't there: %v", err)
		}

		set := func(from, to store.RolloutState) error {
			return s.SetRolloutState(ctx, "a", []store.RolloutState{from}, to, store.RolloutEvent{At: noon.Add(time.Hour), By: "Bob", What: "Changé", Why: "parce que"})
		}
		must(t, set(store.RolloutRunning, store.RolloutPaused))
		if err := set(store.RolloutRunning, store.RolloutStopped); !errors.Is(err, store.ErrRolloutState) {
			t.Errorf("of another state: %v", err)
		}
		must(t, set(store.RolloutPaused, store.RolloutStopped))
		if got, err = s.Rollout(ctx, "a"); err != nil || got.State != store.RolloutStopped || got.Why != "parce que" || !got.Ended.Equal(noon.Add(time.Hour)) {
			t.Errorf("%+v, %v", got, err)
		}
		must(t, s.CreateRollout(ctx, other, store.RolloutEvent{At: noon}))
		all, err := s.Rollouts(ctx)
		must(t, err)
		if len(all) != 3 || all[0].ID != "c" || all[2].ID != "a" {
			t.Errorf("%+v", all)
		}
		events, err := s.RolloutEvents(ctx, "a")
		must(t, err)
		if len(events) != 3 || events[0].Why != "pour voir" || events[2] != (store.RolloutEvent{At: noon.Add(time.Hour), By: "Bob", What: "Changé", Why: "parce que"}) {
			t.Errorf("%+v", events)
		}
	})
}

func TestRolloutStep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02", "MN-03")
		must(t, s.WantPack(ctx, []string{"MN-01", "MN-02"}, "1"))
		must(t, s.WantSoftware(ctx, []string{"MN-01"}, "1.4.0"))
		r := mustRollout(t, s, "a", link.KindPack)
		events := s.Watch(t.Context())
		step := store.RolloutStep{Lease: "rollout", Holder: "me", Now: noon, Found: r, Rollout: r, Give: []string{"MN-01", "MN-02"},
			Bornes: []store.RolloutBorne{
				{Borne: "MN-02", Stage: 1, Before: "1", Given: noon, State: store.BorneWaiting, Since: noon},
				{Borne: "MN-01", Before: "1", Given: noon, State: store.BorneAbsent, Since: noon, Known: []string{"disk", "hot"}},
			}}
		if err := s.StepRollout(ctx, step); !errors.Is(err, store.ErrLease) {
			t.Errorf("without the lease: %v", err)
		}
		mustLease(t, s, "me")
		must(t, s.StepRollout(ctx, step))
		bornes, err := s.RolloutBornes(ctx, "a")
		must(t, err)
		if len(bornes) != 2 || !reflect.DeepEqual(bornes[0], step.Bornes[1]) || bornes[1].Borne != "MN-02" {
			t.Errorf("%+v", bornes)
		}
		wanted, err := s.AllWanted(ctx)
		must(t, err)
		if wanted["MN-01"].Pack != "2" || wanted["MN-01"].Software != "1.4.0" || wanted["MN-02"].Pack != "2" || wanted["MN-03"].Pack != "" {
			t.Errorf("%+v", wanted)
		}
		told := map[store.Event]bool{{Topic: store.RolledOut, ID: "a"}: true, {Topic: store.Wants, ID: "MN-01"}: true, {Topic: store.Wants, ID: "MN-02"}: true}
		for deadline := time.After(10 * time.Second); len(told) > 0; {
			select {
			case e := <-events:
				delete(told, e)
			case <-deadline:
				t.Fatalf("never told: %v", told)
			}
		}
		newest, err := s.NewestRollouts(ctx, link.KindPack)
		must(t, err)
		if len(newest) != 2 || newest["MN-01"] != "a" {
			t.Errorf("%v", newest)
		}

		// Back, but for what somebody has wanted otherwise since.
		must(t, s.WantPack(ctx, []string{"MN-02"}, "3"))
		must(t, s.SetRolloutState(ctx, "a", []store.RolloutState{store.RolloutRunning}, store.RolloutBack, store.RolloutEvent{At: noon}))
		step.Give, step.Back = nil, map[string]string{"MN-01": "1", "MN-02": "1"}
		if err := s.StepRollout(ctx, step); !errors.Is(err, store.ErrRolloutState) {
			t.Errorf("a decision on what was before: %v", err)
		}
		step.Found.State, step.Rollout.State = store.RolloutBack, store.RolloutBack
		step.Bornes[0].State, step.Bornes[0].Back = store.BorneHas, noon
		must(t, s.StepRollout(ctx, step))
		if wanted, err = s.AllWanted(ctx); err != nil || wanted["MN-01"].Pack != "1" || wanted["MN-02"].Pack != "3" {
			t.Errorf("%+v, %v", wanted, err)
		}
		if bornes, err = s.RolloutBornes(ctx, "a"); err != nil || bornes[1].State != store.BorneHas || !bornes[1].Back.Equal(noon) {
			t.Errorf("%+v, %v", bornes, err)
		}
		if newest, err = s.NewestRollouts(ctx, link.KindPack); err != nil || len(newest) != 0 {
			t.Errorf("%v, %v", newest, err)
		}
		counts, err := s.RolloutCounts(ctx)
		must(t, err)
		if len(counts) != 2 {
			t.Errorf("%+v", counts)
		}
	})
}

func TestRolloutTargets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01", "MN-02", "MN-03")
		must(t, s.PutGroup(ctx, store.Group{ID: "pilote", Name: "Pilote", Created: noon}))
		must(t, s.SetSiteGroup(ctx, "neudorf", "pilote"))
		must(t, s.WantPack(ctx, []string{"MN-01"}, "2"))
		must(t, s.Revoke(ctx, "MN-03", noon))
		in := report("MN-01", 7, 1, noon)
		in.Report.Content, in.Report.Tag = "1", "old"
		in.Report.Failures = []link.Failure{{Kind: link.KindPack, Version: "2", Why: "trop grand"}}
		in.Report.Faults = []link.Fault{{Fault: link.FaultDisk, Since: noon.Unix()}}
		in.Report.Devices = []link.Device{{Name: "imprimante", Kind: "ticket_printer", State: "user_error", Fault: "no_paper", Since: noon.Unix()}}
		mustPut(t, s, in)
		targets, err := s.RolloutTargets(ctx)
		must(t, err)
		if len(targets) != 2 || targets[1].ID != "MN-02" || !targets[1].Seen.IsZero() {
			t.Fatalf("%+v", targets)
		}
		w, err := s.Wanted(ctx, "MN-01")
		must(t, err)
		want := store.RolloutTarget{ID: "MN-01", Group: "pilote", Seen: noon, Wanted: w, Version: "1.4.0", Content: "1", Tag: "old",
			Failures: in.Report.Failures, Faults: []store.FaultSpan{{Borne: "MN-01", Fault: link.FaultDisk, Began: noon}}}
		if !reflect.DeepEqual(targets[0], want) {
			t.Errorf("%+v, not %+v", targets[0], want)
		}
	})
}
