package rollout_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"parvis/hub/rollout"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// groups are those of ten sites: twenty bornes are to try first, and forty are
// of a make that doesn't bear the new pack.
var groups = []string{"pilote", "nord", "nord", "nord", "anciennes", "anciennes", "sud", "sud", "sud", ""}

// A pack is rolled out to 200 bornes, of which a group fails: it stops by
// itself, and the others keep the old pack.
func TestFleetOfWhichAGroupFails(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := fresh(t)
			stores := []*store.Store{storetest.Open(t, dsn)}
			if name == "postgres" { // two hubs
				stores = append(stores, storetest.Open(t, dsn))
			}
			c := newCity(t, stores...)
			began := time.Now()
			c.enrol(groups...)
			t.Logf("%d bornes enrolled in %v", len(c.bornes), time.Since(began).Round(time.Millisecond))
			c.everybodyGets("2026-11")
			c.groupFails("refuses the pack", func(b *borne, version string) {
				b.failures = []link.Failure{{Kind: link.KindPack, Version: version, Why: "L’application n’est pas repartie avec ces contenus."}}
			})
			c.groupFails("falls silent", func(b *borne, _ string) { b.off = true })
			t.Logf("all in %v", time.Since(began).Round(time.Millisecond))
		})
	}
}

// everybodyGets rolls out a pack that all bear.
func (c *city) everybodyGets(version string) {
	c.t.Helper()
	r := c.start(version, store.RolloutStage{Percent: 100})
	_, took := c.until(r, store.RolloutDone, time.Hour)
	if n := c.using()[version]; n != len(c.bornes) {
		c.t.Fatalf("%d of %d have %s", n, len(c.bornes), version)
	}
	c.t.Logf("%s: %d bornes have it after %v", version, len(c.bornes), took.Round(time.Minute))
}

// groupFails rolls out a pack that the old bornes do something bad with, and
// leaves all as it was before.
func (c *city) groupFails(what string, bad func(b *borne, version string)) {
	c.t.Helper()
	ctx := c.t.Context()
	for _, b := range c.bornes {
		if b.group == "anciennes" {
			b.take = func(b *borne, version string) {
				if version != "2026-12" {
					b.content = version
					return
				}
				bad(b, version)
			}
		}
	}
	r := c.start("2026-12", store.RolloutStage{Groups: []string{"pilote"}}, store.RolloutStage{Percent: 40}, store.RolloutStage{Percent: 100})
	for is := r; is.Stage == 0; { // the pilots bear it
		c.round()
		var err error
		is, err = c.stores[0].Rollout(ctx, r.ID)
		must(c.t, err)
		if is.State != store.RolloutRunning {
			c.t.Fatalf("%s: %s with the pilots: %s", what, is.State, is.Why)
		}
	}
	if n := c.using()["2026-12"]; n != 20 {
		c.t.Errorf("%s: %d bornes have it while the pilots try", what, n)
	}
	c.engines[0] = c.engine(c.stores[0]) // a hub is restarted midway
	is, took := c.until(r, store.RolloutStopped, time.Hour)
	rows, err := c.stores[0].RolloutBornes(ctx, r.ID)
	must(c.t, err)
	tallies := rollout.Count(is, rows)
	for range 10 {
		c.round() // nothing else happens
	}

	told, got := make(map[string]bool), make(map[string]bool)
	for _, b := range rows {
		told[b.Borne] = true
		got[b.Borne] = b.State == store.BorneHas
	}
	wanted, err := c.stores[0].AllWanted(ctx)
	must(c.t, err)
	kept := 0
	for _, b := range c.bornes {
		want := "2026-11"
		if got[b.id] {
			want = "2026-12"
		}
		if b.content == "2026-11" {
			kept++
		}
		if wanted[b.id].Pack != want || !b.off && b.content != want {
			c.t.Errorf("%s: %s has %s and is wanted to have %s, not %s", what, b.id, b.content, wanted[b.id].Pack, want)
		}
		if b.group == "anciennes" && b.content != "2026-11" {
			c.t.Errorf("%s: %s has the pack that it doesn't bear", what, b.id)
		}
		if is.Stage == 1 && !told[b.id] && b.content != "2026-11" {
			c.t.Errorf("%s: %s was never meant to have it", what, b.id)
		}
	}
	if is.Stage != 1 || len(told) > 100 || tallies[1].Faults() == 0 || kept != len(c.bornes)-tallies[0].Has-tallies[1].Has {
		c.t.Errorf("%s: stopped in stage %d, %d told, %d kept the old one: %+v", what, is.Stage+1, len(told), kept, tallies)
	}
	c.t.Logf("%s: stopped in stage 2, %v after it began (%s). Told %d of %d bornes; %d have the new pack (%d of them pilots), %d failed, %d kept the old pack, of which %d were never told",
		what, took.Round(30*time.Second), is.Why, len(told), len(c.bornes), tallies[0].Has+tallies[1].Has, tallies[0].Has, tallies[1].Faults(), kept, len(c.bornes)-len(told))

	must(c.t, rollout.Do(ctx, c.stores[0], r.ID, rollout.Back, "Anne", "Ces contenus ne vont pas aux anciennes bornes.", c.now()))
	for range 3 {
		c.round()
	}
	for _, b := range c.bornes {
		if b.content != "2026-11" {
			c.t.Errorf("%s: %s has %s after it was taken back", what, b.id, b.content)
		}
		b.off = false
	}
	for range 3 {
		c.round() // those who were silent are back
	}
}

// Two hubs serve; the one that moves rollouts on ends, and the other goes on at
// once. What somebody does takes effect without anybody waiting.
func TestServe(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	c := newCity(t, storetest.Open(t, dsn), storetest.Open(t, dsn))
	c.enrol("pilote")
	for _, b := range c.bornes {
		must(t, b.report(t.Context(), c.now()))
	}
	var stop [2]func()
	for i, e := range c.engines {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Serve(ctx) }()
		stop[i] = func() {
			cancel()
			must(t, <-ended)
		}
	}
	wanted := func(pack string, n int) {
		t.Helper()
		for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			all, err := c.stores[0].AllWanted(t.Context())
			must(t, err)
			has := 0
			for _, w := range all {
				if w.Pack == pack {
					has++
				}
			}
			if has == n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d bornes are wanted to have %q, not %d", has, pack, n)
			}
		}
	}
	r := c.start("2026-11", store.RolloutStage{Percent: 50}, store.RolloutStage{Percent: 100})
	wanted("2026-11", 10)
	stop[0]()
	must(t, rollout.Do(t.Context(), c.stores[0], r.ID, rollout.Back, "Anne", "", c.now()))
	wanted("2026-11", 0)
	c.start("2026-12", store.RolloutStage{Groups: []string{"pilote"}})
	wanted("2026-12", 20)
	stop[1]()
}

// What somebody may begin, and when.
func TestStart(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	must(t, s.PutGroup(t.Context(), store.Group{ID: "pilote", Name: "Sites pilotes", Created: time.Now()}))
	offers := func(_ context.Context, kind string) ([]rollout.Version, error) {
		return []rollout.Version{{Version: kind + "-2"}}, nil
	}
	good := rollout.Plan{Kind: link.KindPack, Version: " pack-2 ", Stages: []store.RolloutStage{{Groups: []string{"pilote"}}, {Percent: 100}}, Quiet: time.Hour, Threshold: 10}
	tests := []struct {
		name   string
		change func(p *rollout.Plan)
		field  string
	}{
		{"no kind", func(p *rollout.Plan) { p.Kind = link.KindProfile }, "kind"},
		{"no version", func(p *rollout.Plan) { p.Version = " " }, "version"},
		{"unknown version", func(p *rollout.Plan) { p.Version = "software-2" }, "version"},
		{"no stage", func(p *rollout.Plan) { p.Stages = nil }, "stages"},
		{"many stages", func(p *rollout.Plan) { p.Stages = make([]store.RolloutStage, 11) }, "stages"},
		{"empty stage", func(p *rollout.Plan) { p.Stages = []store.RolloutStage{{}} }, "stages"},
		{"unknown group", func(p *rollout.Plan) { p.Stages = []store.RolloutStage{{Groups: []string{"sud"}}} }, "stages"},
		{"shrinks", func(p *rollout.Plan) { p.Stages = []store.RolloutStage{{Percent: 50}, {Percent: 50}} }, "stages"},
		{"over all", func(p *rollout.Plan) { p.Stages = []store.RolloutStage{{Percent: 101}} }, "stages"},
		{"never", func(p *rollout.Plan) { p.Threshold = 0 }, "threshold"},
		{"over all", func(p *rollout.Plan) { p.Threshold = 101 }, "threshold"},
		{"for ever", func(p *rollout.Plan) { p.Quiet = 1000 * time.Hour }, "quiet"},
		{"before", func(p *rollout.Plan) { p.Quiet = -1 }, "quiet"},
		{"a novel", func(p *rollout.Plan) { p.Note = string(make([]rune, 201)) }, "note"},
	}
	for _, tt := range tests {
		p := good
		tt.change(&p)
		_, err := rollout.Start(t.Context(), s, offers, p, "Anne", time.Now())
		if field := new(rollout.FieldError); !errors.As(err, &field) || field.Field != tt.field {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	r, err := rollout.Start(t.Context(), s, offers, good, "Anne", time.Now())
	must(t, err)
	if r.Version != "pack-2" {
		t.Errorf("version %q", r.Version)
	}
	if _, err := rollout.Start(t.Context(), s, offers, good, "Anne", time.Now()); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second one at once: %v", err)
	}
	must(t, rollout.Do(t.Context(), s, r.ID, rollout.Pause, "Anne", "", time.Now()))
	if _, err := rollout.Start(t.Context(), s, offers, good, "Anne", time.Now()); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second one while it is paused: %v", err)
	}
	software := good
	software.Kind, software.Version = link.KindSoftware, "software-2"
	_, err = rollout.Start(t.Context(), s, offers, software, "Anne", time.Now())
	must(t, err) // of the other kind
	must(t, rollout.Do(t.Context(), s, r.ID, rollout.Stop, "Anne", "", time.Now()))
	second, err := rollout.Start(t.Context(), s, offers, good, "Anne", time.Now())
	must(t, err)
	if err := rollout.Do(t.Context(), s, r.ID, rollout.Back, "Anne", "", time.Now()); !errors.Is(err, rollout.ErrNotNow) {
		t.Errorf("the one before is taken back: %v", err)
	}
	must(t, rollout.Do(t.Context(), s, second.ID, rollout.Back, "Anne", "mieux vaut attendre", time.Now()))
	events, err := s.RolloutEvents(t.Context(), second.ID)
	must(t, err)
	if len(events) != 2 || events[1].What != "Retour en arrière" || events[1].By != "Anne" || events[1].Why != "mieux vaut attendre" {
		t.Errorf("%+v", events)
	}
}

// What may be done in each state.
func TestAllowed(t *testing.T) {
	for state, want := range map[store.RolloutState][]rollout.Action{
		store.RolloutRunning: {rollout.Pause, rollout.Stop, rollout.Back},
		store.RolloutPaused:  {rollout.Resume, rollout.Stop, rollout.Back},
		store.RolloutStopped: {rollout.Back},
		store.RolloutDone:    {rollout.Back},
		store.RolloutBack:    nil,
	} {
		if got := rollout.Allowed(state, true); !slices.Equal(got, want) {
			t.Errorf("%s: %v", state, got)
		}
		if slices.Contains(rollout.Allowed(state, false), rollout.Back) {
			t.Errorf("%s: an older one can be taken back", state)
		}
	}
}

// A borne that is enrolled when all is done gets what the others have.
func TestEnrolledLater(t *testing.T) {
	t.Parallel()
	c := newCity(t, storetest.Open(t, storetest.SQLite(t)))
	c.enrol("pilote")
	c.everybodyGets("2026-11")
	c.enrol("", "")
	for range 4 {
		c.round()
	}
	if n := c.using()["2026-11"]; n != 60 {
		t.Errorf("%d of 60 have it", n)
	}
}
