package store_test

import (
	"errors"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// Only the hub that holds the lease changes alerts, and a change is made whole
// or not at all.
func TestChangeAlerts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		held, err := s.Lease(ctx, "alerts", "one", noon, noon.Add(time.Minute))
		must(t, err)
		if !held {
			t.Fatal("the lease is held")
		}
		alert := store.Alert{ID: newID(t).String(), Key: "k", Fault: "no_paper", Scope: store.ScopeBorne, Began: noon, Opened: noon,
			Bornes: []store.AlertBorne{{Borne: "MN-01", Site: "neudorf", Fell: noon}}, Told: []store.AlertTold{{Channel: "c", Began: "m"}}}
		message := store.AlertMessage{ID: "m", Channel: "c", Data: "{}", Created: noon, Due: noon}
		change := store.AlertChange{Lease: "alerts", Holder: "two", Now: noon, Alerts: []store.Alert{alert}, Messages: []store.AlertMessage{message}}
		if err := s.ChangeAlerts(ctx, change); !errors.Is(err, store.ErrLease) {
			t.Errorf("of a hub without the lease: %v", err)
		}
		change.Holder, change.Now = "one", noon.Add(2*time.Minute)
		if err := s.ChangeAlerts(ctx, change); !errors.Is(err, store.ErrLease) {
			t.Errorf("after the lease has run out: %v", err)
		}
		events := s.Watch(t.Context())
		change.Now = noon
		for range 2 { // the same again does no harm
			must(t, s.ChangeAlerts(ctx, change))
		}
		await(t, events, store.Event{Topic: store.Alerted})
		twin := alert
		twin.ID = newID(t).String()
		other := message
		other.ID = "other"
		change.Alerts, change.Messages = []store.Alert{twin}, []store.AlertMessage{other}
		if err := s.ChangeAlerts(ctx, change); err == nil {
			t.Error("two alerts of one thing are open")
		}
		due, err := s.DueMessages(ctx, noon, 10)
		must(t, err)
		if len(due) != 1 || due[0].ID != "m" {
			t.Errorf("messages that wait: %+v", due)
		}
		ended := alert
		ended.Mended, ended.Ended = noon.Add(time.Minute), noon.Add(time.Minute)
		change.Alerts = []store.Alert{twin, ended} // in one change it may begin anew
		must(t, s.ChangeAlerts(ctx, change))
		must(t, s.TidyAlerts(ctx, noon.Add(time.Hour)))
		left, err := s.Alerts(ctx, true, "", 10)
		must(t, err)
		over, err := s.Alerts(ctx, false, "", 10)
		must(t, err)
		if len(left) != 1 || left[0].ID != twin.ID || len(left[0].Bornes) != 1 || len(over) != 0 {
			t.Errorf("left: %+v, over: %+v", left, over)
		}
		if err := s.TakeAlert(ctx, alert.ID, "Anne", noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("seeing to one that is gone: %v", err)
		}
	})
}

// A channel that takes nothing keeps no other from being told.
func TestDueMessages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		_, err := s.Lease(ctx, "alerts", "one", noon, noon.Add(time.Hour))
		must(t, err)
		change := store.AlertChange{Lease: "alerts", Holder: "one", Now: noon}
		for i, id := range []string{"a", "b", "c", "d"} {
			change.Messages = append(change.Messages, store.AlertMessage{ID: id, Channel: "dead", Data: "{}", Created: noon.Add(time.Duration(i) * time.Second), Due: noon})
		}
		change.Messages = append(change.Messages, store.AlertMessage{ID: "e", Channel: "well", Data: "{}", Created: noon.Add(time.Minute), Due: noon})
		must(t, s.ChangeAlerts(ctx, change))
		due, err := s.DueMessages(ctx, noon, 2)
		must(t, err)
		var ids string
		for _, m := range due {
			ids += m.ID
		}
		if ids != "abe" {
			t.Errorf("due: %s", ids)
		}
	})
}
