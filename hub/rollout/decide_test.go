package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// trial is a rollout over a fleet, and its clock; decide is all that moves it.
type trial struct {
	t     *testing.T
	world world
}

func newTrial(t *testing.T, r store.Rollout, fleet ...store.RolloutTarget) *trial {
	if r.ID == "" {
		r.ID = "019aa600-0000-7000-8000-000000000001"
	}
	if r.Kind == "" {
		r.Kind = link.KindPack
	}
	if r.State == "" {
		r.State = store.RolloutRunning
	}
	r.Version = "2"
	tr := &trial{t: t, world: world{rollout: r, fleet: fleet, now: start, silence: true}}
	return tr
}

// fleet is n bornes that use version 1 and are wanted to; the first of them are
// of the group "pilote".
func fleet(n, pilots int) []store.RolloutTarget {
	var all []store.RolloutTarget
	for i := range n {
		t := store.RolloutTarget{ID: fmt.Sprintf("B-%03d", i+1), Seen: start, Content: "1", Version: "1", Tag: "t1", Wanted: link.Wanted{Tag: "t1", Pack: "1", Software: "1"}}
		if i < pilots {
			t.Group = "pilote"
		}
		all = append(all, t)
	}
	return all
}

// step decides until nothing more is due, and lets the bornes hear of it.
func (tr *trial) step() {
	tr.t.Helper()
	for range 1000 {
		step, more := decide(tr.world)
		w := &tr.world
		w.rollout = step.Rollout
		for _, b := range step.Bornes {
			i := slices.IndexFunc(w.bornes, func(o store.RolloutBorne) bool { return o.Borne == b.Borne })
			if i < 0 {
				w.bornes = append(w.bornes, b)
			} else {
				w.bornes[i] = b
			}
		}
		for _, id := range step.Give {
			tr.want(id, w.rollout.Version)
		}
		for id, version := range step.Back {
			if b := tr.borne(id); b != nil && tr.wanted(b) == w.rollout.Version {
				tr.want(id, version)
			}
		}
		if !more {
			return
		}
	}
	tr.t.Fatal("it never comes to rest")
}

func (tr *trial) borne(id string) *store.RolloutTarget {
	i := slices.IndexFunc(tr.world.fleet, func(o store.RolloutTarget) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &tr.world.fleet[i]
}

func (tr *trial) wanted(b *store.RolloutTarget) string {
	if tr.world.rollout.Kind == link.KindSoftware {
		return b.Wanted.Software
	}
	return b.Wanted.Pack
}

func (tr *trial) want(id, version string) {
	b := tr.borne(id)
	if tr.world.rollout.Kind == link.KindSoftware {
		b.Wanted.Software = version
	} else {
		b.Wanted.Pack = version
	}
	b.Wanted.Tag = "t" + version
}

// run lets time pass in steps of a minute; each borne but for those named does
// what it is wanted to and reports.
func (tr *trial) run(d time.Duration, but ...string) {
	tr.t.Helper()
	for end := tr.world.now.Add(d); tr.world.now.Before(end); {
		tr.world.now = tr.world.now.Add(time.Minute)
		for i := range tr.world.fleet {
			b := &tr.world.fleet[i]
			if !slices.Contains(but, b.ID) {
				b.Content, b.Version, b.Tag, b.Seen = b.Wanted.Pack, b.Wanted.Software, b.Wanted.Tag, tr.world.now
			}
		}
		tr.step()
	}
}

// is fails the test unless the rollout is in a state and a stage (from 1 on).
func (tr *trial) is(state store.RolloutState, stage int) {
	tr.t.Helper()
	if r := tr.world.rollout; r.State != state || r.Stage != stage-1 {
		tr.t.Fatalf("after %v it is %s in stage %d (%s), not %s in %d: %+v", tr.world.now.Sub(start), r.State, r.Stage+1, r.Why, state, stage, Count(r, tr.world.bornes))
	}
}

// having is how many bornes are wanted to have the version.
func (tr *trial) having() int {
	n := 0
	for i := range tr.world.fleet {
		if tr.wanted(&tr.world.fleet[i]) == tr.world.rollout.Version {
			n++
		}
	}
	return n
}

func (tr *trial) state(id string) store.RolloutBorneState {
	for _, b := range tr.world.bornes {
		if b.Borne == id {
			return b.State
		}
	}
	return ""
}

// fail has a borne say that it goes not on with the version.
func (tr *trial) fail(ids ...string) {
	for _, id := range ids {
		b := tr.borne(id)
		b.Seen, b.Tag = tr.world.now, b.Wanted.Tag
		b.Failures = []link.Failure{{Kind: tr.world.rollout.Kind, Version: "2", Why: "L’application n’est pas repartie."}}
	}
}

func stages(percents ...int) (all []store.RolloutStage) {
	for _, p := range percents {
		all = append(all, store.RolloutStage{Percent: p})
	}
	return all
}

func plan(percents ...int) store.Rollout {
	return store.Rollout{Stages: stages(percents...), Quiet: time.Hour, Threshold: 10}
}

func TestStages(t *testing.T) {
	r := plan(10, 50, 100)
	r.Stages = append([]store.RolloutStage{{Groups: []string{"pilote"}}}, r.Stages...)
	tr := newTrial(t, r, fleet(200, 6)...)
	tr.step()
	tr.is(store.RolloutRunning, 1)
	if tr.having() != 6 || tr.state("B-006") != store.BorneWaiting {
		t.Errorf("%d have it", tr.having())
	}
	tr.run(time.Hour)
	tr.is(store.RolloutRunning, 1) // settled after a minute
	tr.run(time.Minute)
	tr.is(store.RolloutRunning, 2)
	if n := tr.having(); n < 20 || n > 26 {
		t.Errorf("%d have it in the second stage", n)
	}
	tr.run(62 * time.Minute)
	tr.is(store.RolloutRunning, 3)
	if n := tr.having(); n < 100 || n > 106 {
		t.Errorf("%d have it in the third stage", n)
	}
	tr.run(62 * time.Minute)
	tr.is(store.RolloutRunning, 4)
	tr.run(62 * time.Minute)
	tr.is(store.RolloutDone, 4)
	if tr.having() != 200 || tr.world.rollout.Ended.IsZero() {
		t.Errorf("%d have it at the end", tr.having())
	}
}

// A percentage only ever grows, and takes at least one.
func TestPick(t *testing.T) {
	all := fleet(200, 0)
	var before []string
	for percent := 1; percent <= 100; percent++ {
		picked := pick("a", store.RolloutStage{Percent: percent}, all)
		if len(picked) != 2*percent {
			t.Errorf("%d %% are %d bornes", percent, len(picked))
		}
		for _, id := range before {
			if !slices.Contains(picked, id) {
				t.Fatalf("%d %% leave out %s", percent, id)
			}
		}
		before = picked
	}
	for n, want := range map[int]int{1: 1, 3: 1, 19: 1, 20: 1, 21: 2} {
		if picked := pick("a", store.RolloutStage{Percent: 5}, fleet(n, 0)); len(picked) != want {
			t.Errorf("5 %% of %d are %d", n, len(picked))
		}
	}
	if slices.Equal(pick("a", store.RolloutStage{Percent: 5}, all), pick("b", store.RolloutStage{Percent: 5}, all)) {
		t.Error("the same bornes are always first")
	}
	if picked := pick("a", store.RolloutStage{Groups: []string{""}}, all); len(picked) != 0 {
		t.Error("bornes of no group are taken for one")
	}
}

func TestThreshold(t *testing.T) {
	tests := []struct {
		told, faults, threshold int
		stops                   bool
	}{
		{3, 0, 1, false},
		{3, 1, 10, true}, // one of three is a third
		{3, 1, 33, true},
		{3, 1, 34, false},
		{3, 2, 34, true},
		{3, 2, 67, false},
		{3, 3, 100, true},
		{1, 1, 100, true},
		{20, 1, 10, false},
		{20, 2, 10, true},
		{200, 19, 10, false},
		{200, 20, 10, true},
		{200, 199, 100, false},
		{30_000, 299, 1, false},
		{30_000, 300, 1, true},
	}
	for _, tt := range tests {
		tally := Tally{Has: tt.told - tt.faults, Failed: tt.faults, Absent: 1000, Gone: 5}
		if got := tally.over(tt.threshold); got != tt.stops {
			t.Errorf("%d of %d at %d %%: stops %v", tt.faults, tt.told, tt.threshold, got)
		}
	}
}

// A stage of three of which one fails stops; nobody else gets it, and who has
// it keeps it.
func TestStops(t *testing.T) {
	r := plan(100)
	r.Stages = append([]store.RolloutStage{{Groups: []string{"pilote"}}}, r.Stages...)
	tr := newTrial(t, r, fleet(50, 3)...)
	tr.step()
	tr.run(2*time.Minute, "B-002", "B-003")
	tr.fail("B-002")
	tr.step()
	tr.is(store.RolloutStopped, 1)
	if tr.having() != 1 || tr.borne("B-001").Wanted.Pack != "2" || tr.borne("B-003").Wanted.Pack != "1" || tr.borne("B-040").Wanted.Pack != "1" {
		t.Errorf("%d have it", tr.having())
	}
	if tr.world.rollout.Why != "Étape 1 : 1 borne en échec sur 3 (33\u00a0%), seuil 10\u00a0%." {
		t.Error(tr.world.rollout.Why)
	}
	if tr.state("B-001") != store.BorneHas || tr.state("B-002") != store.BorneFailed || tr.state("B-003") != store.BorneWaiting {
		t.Errorf("%+v", tr.world.bornes)
	}
	if tally := Count(tr.world.rollout, tr.world.bornes)[0]; tally.Back != 2 || tally.Has != 1 || tally.Failed != 1 {
		t.Errorf("%+v", tally)
	}
	tr.run(48 * time.Hour)
	tr.is(store.RolloutStopped, 1)
	if tr.having() != 1 {
		t.Error("others got it after all")
	}
}

// What a borne may do, and what it is then.
func TestJudge(t *testing.T) {
	const id = "B-001"
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	fault := func(tr *trial, name string, began time.Time) {
		b := tr.borne(id)
		b.Faults = append(b.Faults, store.FaultSpan{Borne: id, Fault: name, Began: began})
	}
	tests := []struct {
		name string
		do   func(tr *trial)
		want store.RolloutBorneState
	}{
		{"takes it", func(tr *trial) { tr.step(); tr.run(minutes(1)) }, store.BorneHas},
		{"is told", func(tr *trial) { tr.step(); tr.run(minutes(1), id) }, store.BorneWaiting},
		{"restarts", func(tr *trial) { tr.step(); tr.run(minutes(11), id) }, store.BorneWaiting},
		{"falls silent", func(tr *trial) { tr.step(); tr.run(minutes(12), id) }, store.BorneSilent},
		{"falls silent with it", func(tr *trial) { tr.step(); tr.run(minutes(5)); tr.run(minutes(12), id) }, store.BorneSilent},
		{"is silent and comes back", func(tr *trial) { tr.step(); tr.run(minutes(12), id); tr.run(minutes(1)) }, store.BorneHas},
		{"the hub hears nothing", func(tr *trial) { tr.step(); tr.world.silence = false; tr.run(minutes(60), id) }, store.BorneWaiting},
		{"fails", func(tr *trial) { tr.step(); tr.run(minutes(1), id); tr.fail(id); tr.step() }, store.BorneFailed},
		{"has failed with it before, and has not looked yet", func(tr *trial) {
			tr.fail(id)
			tr.step()
			tr.world.now = tr.world.now.Add(time.Minute)
			tr.borne(id).Seen = tr.world.now
			tr.step()
		}, store.BorneWaiting},
		{"fails again", func(tr *trial) { tr.fail(id); tr.step(); tr.run(minutes(1), id); tr.fail(id); tr.step() }, store.BorneFailed},
		{"fails with something else", func(tr *trial) {
			tr.step()
			tr.run(minutes(1), id)
			tr.fail(id)
			tr.borne(id).Failures[0].Version = "1"
			tr.step()
		}, store.BorneWaiting},
		{"freezes", func(tr *trial) {
			tr.step()
			tr.run(minutes(1))
			fault(tr, link.FaultAppFrozen, tr.world.now)
			tr.run(minutes(2))
		}, store.BorneWorse},
		{"stops for a moment", func(tr *trial) {
			tr.step()
			tr.run(minutes(1))
			fault(tr, link.FaultAppStopped, tr.world.now)
			tr.run(minutes(1))
		}, store.BorneHas},
		{"was frozen before", func(tr *trial) {
			fault(tr, link.FaultAppFrozen, start.Add(-time.Hour))
			tr.step()
			tr.borne(id).Faults = nil
			tr.run(minutes(1))
			fault(tr, link.FaultAppFrozen, tr.world.now)
			tr.run(minutes(5))
		}, store.BorneHas},
		{"is too hot for a while", func(tr *trial) {
			tr.step()
			tr.run(minutes(1))
			fault(tr, link.FaultHot, tr.world.now)
			tr.run(minutes(9))
		}, store.BorneHas},
		{"talks and does nothing", func(tr *trial) {
			tr.step()
			for range 4 * 60 {
				tr.run(time.Minute, id)
				tr.borne(id).Seen = tr.world.now
			}
			tr.step()
		}, store.BorneLate},
		{"is offline for weeks", func(tr *trial) {
			tr.borne(id).Seen = start.AddDate(0, 0, -30)
			tr.step()
			tr.run(minutes(30), id)
		}, store.BorneAbsent},
		{"comes back after weeks", func(tr *trial) {
			tr.borne(id).Seen = start.AddDate(0, 0, -30)
			tr.step()
			tr.run(minutes(30), id)
			tr.run(minutes(1))
		}, store.BorneHas},
		{"comes back after weeks and falls silent", func(tr *trial) {
			tr.borne(id).Seen = start.AddDate(0, 0, -30)
			tr.step()
			tr.run(minutes(30), id)
			tr.borne(id).Seen = tr.world.now
			tr.run(minutes(12), id)
		}, store.BorneSilent},
		{"was never seen", func(tr *trial) { tr.borne(id).Seen = time.Time{}; tr.step(); tr.run(minutes(30), id) }, store.BorneAbsent},
		{"is revoked", func(tr *trial) { tr.step(); tr.world.fleet = tr.world.fleet[1:]; tr.step() }, store.BorneGone},
		{"is enrolled anew", func(tr *trial) {
			tr.step()
			all := tr.world.fleet
			tr.world.fleet = all[1:]
			tr.step()
			tr.world.fleet = all
			tr.run(minutes(1))
		}, store.BorneHas},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := plan(100)
			r.Quiet, r.Threshold = 24*time.Hour, 100
			tr := newTrial(t, r, fleet(3, 0)...)
			tt.do(tr)
			tr.is(store.RolloutRunning, 1)
			if got := tr.state(id); got != tt.want {
				t.Errorf("it is %q, not %q", got, tt.want)
			}
		})
	}
}

// Software is installed at night: a day without is no fault.
func TestSoftwareTakesHours(t *testing.T) {
	r := plan(100)
	r.Kind, r.Threshold = link.KindSoftware, 1
	tr := newTrial(t, r, fleet(4, 0)...)
	tr.step()
	tr.run(35*time.Hour, "B-001", "B-002", "B-003", "B-004")
	tr.is(store.RolloutStopped, 1) // nobody was heard of for as long
	tr = newTrial(t, r, fleet(4, 0)...)
	tr.step()
	for range 35 * 60 {
		tr.world.now = tr.world.now.Add(time.Minute)
		for i := range tr.world.fleet {
			tr.world.fleet[i].Seen = tr.world.now
		}
		tr.step()
	}
	tr.is(store.RolloutRunning, 1)
	tr.run(40*time.Minute, "B-001") // it restarts for as long
	tr.run(time.Minute)
	tr.is(store.RolloutRunning, 1)
	tr.run(time.Hour)
	tr.is(store.RolloutDone, 1)
}

// Those who are not there keep nobody waiting, and get it when they are.
func TestOfflineForWeeks(t *testing.T) {
	all := fleet(20, 4)
	for _, i := range []int{0, 1, 10, 11, 12} {
		all[i].Seen = start.AddDate(0, 0, -21)
	}
	away := []string{"B-001", "B-002", "B-011", "B-012", "B-013"}
	r := plan(100)
	r.Stages = append([]store.RolloutStage{{Groups: []string{"pilote"}}}, r.Stages...)
	tr := newTrial(t, r, all...)
	tr.step()
	tr.run(62*time.Minute, away...)
	tr.is(store.RolloutRunning, 2)
	tr.run(62*time.Minute, away...)
	tr.is(store.RolloutDone, 2)
	if tr.having() != 20 {
		t.Errorf("%d are wanted to have it", tr.having())
	}
	tr.run(21*24*time.Hour, away...)
	tr.run(time.Minute)
	if tally := Count(tr.world.rollout, tr.world.bornes); tally[0].Has != 4 || tally[1].Has != 16 {
		t.Errorf("%+v", tally)
	}
}

// A first stage in which nobody is there shows nothing, and nothing follows it.
func TestNobodyThere(t *testing.T) {
	all := fleet(20, 3)
	for i := range 3 {
		all[i].Seen = start.AddDate(0, 0, -21)
	}
	r := plan(100)
	r.Stages = append([]store.RolloutStage{{Groups: []string{"pilote"}}}, r.Stages...)
	tr := newTrial(t, r, all...)
	tr.step()
	tr.run(30*time.Hour, "B-001", "B-002", "B-003")
	tr.is(store.RolloutRunning, 1)
	tr.run(62*time.Minute, "B-001", "B-002")
	tr.is(store.RolloutRunning, 2)
}

// A stage that adds nobody is passed over, and so is a group without bornes.
func TestEmptyStage(t *testing.T) {
	r := plan(10, 100)
	r.Stages = append([]store.RolloutStage{{Groups: []string{"nulle-part"}}}, r.Stages...)
	tr := newTrial(t, r, fleet(10, 0)...)
	tr.step()
	tr.is(store.RolloutRunning, 2)
	if tr.having() != 1 {
		t.Errorf("%d have it", tr.having())
	}
}

// A fleet without bornes has all that it can have.
func TestEmptyFleet(t *testing.T) {
	tr := newTrial(t, plan(10, 100))
	tr.step()
	tr.is(store.RolloutDone, 2)
}

func TestRevokedMidway(t *testing.T) {
	tr := newTrial(t, plan(100), fleet(10, 0)...)
	tr.step()
	tr.run(time.Minute, "B-001", "B-002")
	tr.world.fleet = tr.world.fleet[2:] // the two that are waited for
	tr.run(62 * time.Minute)
	tr.is(store.RolloutDone, 1)
	if tally := Count(tr.world.rollout, tr.world.bornes)[0]; tally.Gone != 2 || tally.Has != 8 {
		t.Errorf("%+v", tally)
	}
}

// A machine that takes the place of one that was revoked must not find the
// version that was taken back.
func TestBackIncludesRevoked(t *testing.T) {
	r := plan(100)
	tr := newTrial(t, r, fleet(3, 0)...)
	tr.step()
	tr.world.fleet = tr.world.fleet[1:]
	tr.step()
	tr.world.rollout.State = store.RolloutBack
	step, _ := decide(tr.world)
	if step.Back["B-001"] != "1" || len(step.Back) != 3 {
		t.Errorf("%v", step.Back)
	}
}

func TestPauseAndBack(t *testing.T) {
	tr := newTrial(t, plan(10, 100), fleet(100, 0)...)
	tr.step()
	tr.run(30 * time.Minute)
	tr.world.rollout.State = store.RolloutPaused
	tr.run(5 * time.Hour)
	tr.is(store.RolloutPaused, 1)
	if tr.having() != 10 {
		t.Errorf("%d have it", tr.having())
	}
	tr.world.rollout.State = store.RolloutRunning
	tr.run(time.Minute)
	tr.is(store.RolloutRunning, 2) // it was quiet all along
	tr.run(time.Minute)
	if tr.having() != 100 {
		t.Errorf("%d have it", tr.having())
	}
	tr.want("B-050", "3") // somebody has decided otherwise
	tr.world.rollout.State = store.RolloutBack
	tr.run(time.Minute)
	for _, b := range tr.world.fleet {
		if want := map[bool]string{true: "3", false: "1"}[b.ID == "B-050"]; b.Wanted.Pack != want {
			t.Errorf("%s is wanted to have %s", b.ID, b.Wanted.Pack)
		}
	}
}

// While it is paused it stops as well: who has been told goes on.
func TestStopsWhilePaused(t *testing.T) {
	tr := newTrial(t, plan(10, 100), fleet(100, 0)...)
	tr.step()
	tr.world.rollout.State = store.RolloutPaused
	var told []string
	for _, b := range tr.world.bornes {
		told = append(told, b.Borne)
	}
	tr.run(time.Minute, told...)
	tr.fail(told[0])
	tr.step()
	tr.is(store.RolloutStopped, 1)
	if tr.having() != 0 {
		t.Errorf("%d are wanted to have it", tr.having())
	}
}

// A new fault begins the quiet time again, one below the threshold as well.
func TestQuiet(t *testing.T) {
	r := plan(50, 100)
	r.Threshold = 50
	tr := newTrial(t, r, fleet(20, 0)...)
	tr.step()
	bad := tr.world.bornes[0].Borne
	tr.run(55 * time.Minute)
	tr.borne(bad).Faults = []store.FaultSpan{{Borne: bad, Fault: link.FaultAppFrozen, Began: tr.world.now}}
	tr.run(61 * time.Minute)
	tr.is(store.RolloutRunning, 1)
	tr.run(2 * time.Minute)
	tr.is(store.RolloutRunning, 2)
}

// Those who come while a stage is on get the version, and begin no quiet time.
func TestEnrolledMeanwhile(t *testing.T) {
	r := plan(100)
	r.Stages[0].Groups = []string{"pilote"}
	tr := newTrial(t, r, fleet(20, 0)...)
	tr.step()
	tr.run(50 * time.Minute)
	late := fleet(25, 0)[20:]
	for i := range late {
		late[i].Seen = tr.world.now
	}
	tr.world.fleet = append(tr.world.fleet, late...)
	tr.run(time.Minute)
	if tr.having() != 25 {
		t.Errorf("%d have it", tr.having())
	}
	tr.run(11 * time.Minute)
	tr.is(store.RolloutDone, 1)
}

// Hours are hours, also in the nights in which the clocks are changed, and a
// hub whose clock is set back hurries nothing.
func TestClocks(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for name, evening := range map[string]time.Time{
		"to winter": time.Date(2026, 10, 24, 22, 0, 0, 0, paris),
		"to summer": time.Date(2027, 3, 27, 22, 0, 0, 0, paris),
		"no change": time.Date(2026, 11, 24, 22, 0, 0, 0, paris),
	} {
		t.Run(name, func(t *testing.T) {
			r := plan(10, 100)
			r.Quiet = 8 * time.Hour
			tr := newTrial(t, r, fleet(20, 0)...)
			tr.world.now = evening
			for i := range tr.world.fleet {
				tr.world.fleet[i].Seen = evening
			}
			tr.step()
			tr.run(8 * time.Hour)
			tr.is(store.RolloutRunning, 1)
			tr.run(time.Minute)
			tr.is(store.RolloutRunning, 2)
		})
	}
	tr := newTrial(t, plan(10, 100), fleet(20, 0)...)
	tr.step()
	tr.run(30 * time.Minute)
	tr.world.now = tr.world.now.Add(-2 * time.Hour)
	tr.run(2 * time.Hour)
	tr.is(store.RolloutRunning, 1)
	tr.run(32 * time.Minute)
	tr.is(store.RolloutRunning, 2)
}

// A country is told bit by bit, and taken back bit by bit.
func TestManyBornes(t *testing.T) {
	tr := newTrial(t, plan(100), fleet(1234, 0)...)
	step, more := decide(tr.world)
	if len(step.Give) != atOnce || !more {
		t.Errorf("%d at once, more: %v", len(step.Give), more)
	}
	tr.step()
	if tr.having() != 1234 {
		t.Errorf("%d have it", tr.having())
	}
	tr.world.rollout.State = store.RolloutBack
	if step, more = decide(tr.world); len(step.Back) != atOnce || !more {
		t.Errorf("%d back at once, more: %v", len(step.Back), more)
	}
	tr.step()
	if tr.having() != 0 {
		t.Errorf("%d have it", tr.having())
	}
}

// Where nothing was wanted before, a borne would stay with the new version.
func TestBefore(t *testing.T) {
	tests := []struct {
		kind, wanted, has string
		offered           []string
		want              string
	}{
		{link.KindPack, "", "1", []string{"2", "1"}, "1"},
		{link.KindPack, "", "", []string{"2", "1"}, ""},
		{link.KindPack, "1", "0", nil, "1"},
		{link.KindSoftware, "", "1.4.0", []string{"1.5.0", "1.4.0"}, "1.4.0"},
		{link.KindSoftware, "", "1.4.0", []string{"1.5.0"}, ""},
		{link.KindSoftware, "1.3.0", "1.4.0", []string{"1.4.0"}, "1.3.0"},
	}
	for _, tt := range tests {
		target := store.RolloutTarget{Version: tt.has, Content: tt.has, Wanted: link.Wanted{Pack: tt.wanted, Software: tt.wanted}}
		if got := before(tt.kind, &target, tt.offered); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// Who comes late gets what the rollouts say that are done.
func TestLatecomers(t *testing.T) {
	done := func(id, version string, stages ...store.RolloutStage) store.Rollout {
		return store.Rollout{ID: id, Kind: link.KindPack, Version: version, Stages: stages, State: store.RolloutDone}
	}
	whole, pilot := store.RolloutStage{Percent: 100}, store.RolloutStage{Groups: []string{"pilote"}}
	tests := []struct {
		name    string
		done    []store.Rollout // newest first
		newest  string          // that has come to the borne
		group   string
		version string // that it gets
		before  string
	}{
		{"nothing is done", nil, "", "", "", ""},
		{"of the fleet", []store.Rollout{done("a", "1", pilot, whole)}, "", "", "1", "0"},
		{"has it", []store.Rollout{done("a", "1", whole)}, "a", "", "", ""},
		{"has a newer one", []store.Rollout{done("a", "1", whole)}, "b", "", "", ""},
		{"the newest", []store.Rollout{done("b", "2", whole), done("a", "1", whole)}, "", "", "2", "1"},
		{"for others", []store.Rollout{done("a", "1", pilot)}, "", "", "", ""},
		{"for its group", []store.Rollout{done("b", "2", pilot), done("a", "1", whole)}, "", "pilote", "2", "1"},
		{"not for its group", []store.Rollout{done("b", "2", pilot), done("a", "1", whole)}, "", "", "1", "0"},
		{"a part of the fleet", []store.Rollout{done("a", "1", store.RolloutStage{Percent: 50})}, "", "", "", ""},
		{"has joined the group", []store.Rollout{done("b", "2", pilot), done("a", "1", whole)}, "a", "pilote", "2", "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := store.RolloutTarget{ID: "B-001", Group: tt.group, Seen: start, Wanted: link.Wanted{Pack: "0"}}
			steps := latecomers(tt.done, map[string]string{"B-001": tt.newest}, []store.RolloutTarget{target}, start, nil)
			if tt.version == "" {
				if len(steps) != 0 {
					t.Fatalf("%+v", steps)
				}
				return
			}
			if len(steps) != 1 || steps[0].Rollout.Version != tt.version || !slices.Equal(steps[0].Give, []string{"B-001"}) || steps[0].Bornes[0].Before != tt.before {
				t.Errorf("%+v", steps)
			}
		})
	}
}

// One that was stopped is settled when all are set back that should be, and
// only then.
func TestSettledAfterStop(t *testing.T) {
	tr := newTrial(t, plan(100), fleet(1234, 0)...)
	tr.step()
	tr.world.rollout.State, tr.world.rollout.Ended, tr.world.rollout.Settled = store.RolloutStopped, tr.world.now, time.Time{}
	for n := range 3 {
		step, more := decide(tr.world)
		if last := n == 2; more == last || step.Rollout.Settled.IsZero() == last {
			t.Errorf("after %d steps: more %v, settled %v", n+1, more, step.Rollout.Settled)
		}
		tr.world.rollout = step.Rollout
		for _, b := range step.Bornes {
			i := slices.IndexFunc(tr.world.bornes, func(o store.RolloutBorne) bool { return o.Borne == b.Borne })
			tr.world.bornes[i] = b
		}
	}
}
