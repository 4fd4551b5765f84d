package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// next waits for an event.
func next(t *testing.T, events <-chan store.Event) store.Event {
	t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			t.Fatal("the channel was closed")
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event")
	}
	panic("unreachable")
}

// await reads events until one comes, and returns those before.
func await(t *testing.T, events <-chan store.Event, want store.Event) (before []store.Event) {
	t.Helper()
	for {
		e := next(t, events)
		if e == want {
			return before
		}
		before = append(before, e)
	}
}

// What one hub does, all hubs on PostgreSQL hear, and the hub itself on SQLite.
func TestWatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, dsn string) {
		one := open()
		two := one
		if strings.HasPrefix(dsn, "postgres") {
			two = open()
		}
		mustEnrol(t, one, "MN-01", "MN-02")
		watchers := []<-chan store.Event{one.Watch(t.Context()), two.Watch(t.Context())}
		// What was told before Watch may still be under way to the other hub.
		must(t, one.SetSetting(ctx, "x", "y"))
		fence := command(t, "MN-02", link.RestartApp, noon)
		must(t, one.PutCommand(ctx, fence))
		for _, w := range watchers {
			await(t, w, store.Event{Topic: store.Commanded, ID: "MN-02"})
		}

		c := command(t, "MN-01", link.RestartApp, noon)
		for _, tt := range []struct {
			what string
			do   func() error
			want []store.Event
		}{
			{"PutReports", func() error {
				_, err := one.PutReports(ctx, []store.Incoming{report("MN-02", 1, 1, noon), report("MN-01", 1, 1, noon), report("MN-99", 1, 1, noon), report("MN-01", 1, 2, noon)})
				return err
			}, []store.Event{{Topic: store.Reported, ID: "MN-01"}, {Topic: store.Reported, ID: "MN-02"}}},
			{"PutCommand", func() error { return one.PutCommand(ctx, c) }, []store.Event{{Topic: store.Commanded, ID: "MN-01"}}},
			{"EndCommand", func() error {
				return two.EndCommand(ctx, "MN-01", c.ID, link.Outcome{State: link.Done}, noon)
			}, []store.Event{{Topic: store.Ended, ID: "MN-01"}}},
			{"ExpireCommands", func() error { return two.ExpireCommands(ctx, noon.Add(time.Hour)) }, []store.Event{{Topic: store.Ended, ID: "MN-02"}}},
			{"PutCallback", func() error {
				_, err := two.PutCallback(ctx, store.Callback{ID: newID(t), Borne: "MN-01", Data: []byte{1}})
				return err
			}, []store.Event{{Topic: store.Received, ID: "MN-01"}}},
			{"PutSite", func() error { return two.PutSite(ctx, store.Site{ID: "a", Name: "A"}) }, []store.Event{{Topic: store.Fleet}}},
			{"CreateToken", func() error { mustToken(t, one, "new", "MN-03"); return nil }, []store.Event{{Topic: store.Fleet}}},
			{"Enrol", func() error {
				_, err := one.Enrol(ctx, key("new"), key("k"), certificate("s"), noon)
				return err
			}, []store.Event{{Topic: store.Fleet}, {Topic: store.Reported, ID: "MN-03"}}},
			{"Enrol anew", func() error {
				mustToken(t, one, "newer", "MN-03")
				_, err := two.Enrol(ctx, key("newer"), key("k2"), certificate("s2"), noon)
				return err
			}, []store.Event{{Topic: store.Fleet}, {Topic: store.Fleet}, {Topic: store.Reported, ID: "MN-03"}, {Topic: store.Revoked, ID: "MN-03"}}},
			{"Revoke", func() error { return one.Revoke(ctx, "MN-01", noon) },
				[]store.Event{{Topic: store.Revoked, ID: "MN-01"}, {Topic: store.Ended, ID: "MN-01"}, {Topic: store.Fleet}}},
		} {
			must(t, tt.do())
			for hub, w := range watchers {
				var got []store.Event
				for range tt.want {
					got = append(got, next(t, w))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s, heard at hub %d: %v, want %v", tt.what, hub, got, tt.want)
				}
			}
		}
	})
}

// A transaction that fails tells nobody.
func TestWatchNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		in := report("MN-01", 1, 1, noon)
		mustPut(t, s, in)
		events := s.Watch(t.Context())
		must(t, s.PutCommand(ctx, command(t, "MN-01", link.RestartApp, noon)))
		await(t, events, store.Event{Topic: store.Commanded, ID: "MN-01"})

		mustPut(t, s, in) // a replay
		if s.PutCommand(ctx, command(t, "MN-99", link.RestartApp, noon)) == nil || s.WithdrawToken(ctx, "none") == nil {
			t.Fatal("something that isn't there was found")
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.PutReports(cancelled, []store.Incoming{report("MN-01", 1, 2, noon)}); err == nil {
			t.Fatal("stored though the caller has gone")
		}
		must(t, s.PutCommand(ctx, command(t, "MN-01", link.RestartApp, noon)))
		if before := await(t, events, store.Event{Topic: store.Commanded, ID: "MN-01"}); len(before) > 0 {
			t.Errorf("told: %v", before)
		}
	})
}

// More names than one notification of PostgreSQL can hold.
func TestWatchMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		var bornes []string
		for i := range 600 {
			bornes = append(bornes, fmt.Sprintf("MN-%020d", i))
		}
		mustEnrolMany(t, s, bornes)
		events := s.Watch(t.Context())
		must(t, s.PutCommand(ctx, command(t, bornes[0], link.RestartApp, noon)))
		await(t, events, store.Event{Topic: store.Commanded, ID: bornes[0]})
		var batch []store.Incoming
		for _, borne := range bornes {
			batch = append(batch, report(borne, 1, 1, noon))
		}
		mustPut(t, s, batch...)
		for _, borne := range bornes {
			if e := next(t, events); e != (store.Event{Topic: store.Reported, ID: borne}) {
				t.Fatalf("got %v, want %s", e, borne)
			}
		}
	})
}

func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		var bornes []string
		for i := range 1000 {
			bornes = append(bornes, fmt.Sprintf("MN-%03d", i))
		}
		mustEnrolMany(t, s, bornes)
		slow, quick := s.Watch(t.Context()), s.Watch(t.Context())
		for seq := range uint64(12) {
			var batch []store.Incoming
			for _, borne := range bornes {
				batch = append(batch, report(borne, 1, seq+1, noon))
			}
			mustPut(t, s, batch...)
			for _, borne := range bornes {
				await(t, quick, store.Event{Topic: store.Reported, ID: borne})
			}
		}
		must(t, s.PutCommand(ctx, command(t, "MN-001", link.RestartApp, noon)))
		got, all := 0, 0
		for {
			e := next(t, slow)
			got++
			if e == (store.Event{}) {
				all++
			}
			if e.Topic == store.Commanded {
				break
			}
		}
		if all != 1 || got > 9000 {
			t.Errorf("the slow one got %d events, %d of them to look at everything again", got, all)
		}
	})
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, dsn string) {
		s, err := store.Open(ctx, dsn)
		must(t, err)
		wantClosed := func(events <-chan store.Event) {
			t.Helper()
			deadline := time.After(20 * time.Second)
			for {
				select {
				case _, ok := <-events:
					if !ok {
						return
					}
				case <-deadline:
					t.Fatal("the channel stays open")
				}
			}
		}
		one, cancel := context.WithCancel(ctx)
		ended, other := s.Watch(one), s.Watch(ctx)
		cancel()
		wantClosed(ended)
		must(t, s.PutSite(ctx, store.Site{ID: "a", Name: "A"}))
		await(t, other, store.Event{Topic: store.Fleet})
		must(t, s.Close())
		wantClosed(other)
		wantClosed(s.Watch(ctx)) // of a store that is closed
		if err := s.Ping(ctx); err == nil {
			t.Error("a closed store answers")
		}
	})
}

// While a hub is cut off from PostgreSQL it misses events. It says so once it
// is back, and hears the next.
func TestWatchAfterRestart(t *testing.T) {
	t.Parallel()
	server := storetest.NewServer(t)
	s := storetest.Open(t, server.Database(t))
	mustEnrol(t, s, "MN-01")
	events := s.Watch(t.Context())
	for range 2 {
		server.Stop(t)
		server.Start(t)
		await(t, events, store.Event{})
		mustPut(t, s, report("MN-01", uint64(time.Now().UnixNano()), 1, noon))
		await(t, events, store.Event{Topic: store.Reported, ID: "MN-01"})
	}
}

// A command of IT's changes the file of a hub that runs.
func TestWatchOtherProcess(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	hub, command := storetest.Open(t, dsn), storetest.Open(t, dsn)
	events := hub.Watch(t.Context())
	must(t, hub.PutSite(ctx, store.Site{ID: "a", Name: "A"}))
	await(t, events, store.Event{Topic: store.Fleet})
	must(t, command.PutSite(ctx, store.Site{ID: "b", Name: "B"}))
	if before := await(t, events, store.Event{}); len(before) > 0 {
		t.Errorf("told before: %v", before)
	}
}
