package alerts_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, open func() *store.Store)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		t.Parallel()
		test(t, open)
	})
}

// Told once when it has lasted, once when it is mended, with nothing set but
// where to.
func TestOneFault(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		box := w.mail()
		w.run(3 * time.Minute)
		b.devices = []link.Device{{Name: "imprimante", Kind: "ticket_printer", State: "user_error", Fault: "no_paper", Since: w.clock().Unix()}}
		w.run(90 * time.Second)
		box.Expect("before it has lasted two minutes")
		w.run(time.Minute)
		l := box.Expect("after two minutes", "[Parvis] Mairie de Neudorf : Plus de papier (MN-01)")[0]
		for _, want := range []string{"Appareil : imprimante", "À faire : Mettez un rouleau", "https://parvis.ville.fr/bornes/MN-01", "Depuis : 24/11/2026, 10 h 03"} {
			if !strings.Contains(mailtest.Plain(l.Text), want) {
				t.Errorf("the text lacks %q:\n%s", want, l.Text)
			}
		}
		if !strings.Contains(l.HTML, `href="https://parvis.ville.fr/bornes/MN-01"`) {
			t.Errorf("the HTML has no link: %s", l.HTML)
		}
		if !l.Encrypted || l.User != "parvis" || len(l.To) != 2 {
			t.Errorf("encrypted %v, user %q, to %q", l.Encrypted, l.User, l.To)
		}
		w.run(time.Hour)
		box.Expect("while it lasts")
		b.devices[0] = link.Device{Name: "imprimante", Kind: "ticket_printer", State: "online", Since: w.clock().Unix()}
		w.run(5 * time.Minute)
		box.Expect("while it may come back")
		w.run(6 * time.Minute)
		l = box.Expect("mended", "[Parvis] Rétabli : Mairie de Neudorf : Plus de papier (MN-01)")[0]
		if !strings.Contains(mailtest.Plain(l.Text), "Durée : 1 h 3 min") {
			t.Errorf("the text: %s", l.Text)
		}
		w.run(time.Hour)
		box.Expect("afterwards")
	})
}

// A fault that goes and is back within ten minutes is the same one.
func TestFlapping(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		box := w.mail()
		w.run(2 * time.Minute)
		b.faults = w.fault(link.FaultAppStopped)
		w.run(3 * time.Minute)
		box.Expect("it begins", "[Parvis] Mairie de Neudorf : Application arrêtée (MN-01)")
		for range 6 {
			b.faults = nil
			w.run(8 * time.Minute)
			b.faults = w.fault(link.FaultAppStopped)
			w.run(5 * time.Minute)
		}
		b.off = true // and so does a borne
		w.run(8 * time.Minute)
		box.Expect("it falls silent", "[Parvis] Mairie de Neudorf : Hors ligne (MN-01)")
		for range 3 {
			b.off = false
			w.run(6 * time.Minute)
			b.off = true
			w.run(6 * time.Minute)
		}
		box.Expect("it flaps")
		b.off, b.faults = false, nil
		w.run(15 * time.Minute)
		box.Expect("it is mended", "[Parvis] Rétabli : Mairie de Neudorf : Application arrêtée (MN-01)", "[Parvis] Rétabli : Mairie de Neudorf : Hors ligne (MN-01)")
	})
}

// Forty bornes behind one address are one message, and one when they are back.
func TestNetwork(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		for i := range 40 {
			w.add(fmt.Sprintf("S%d-%02d", i%8, i), fmt.Sprintf("Mairie %d", i%8), "203.0.113.7")
		}
		other := w.add("AU-01", "Mairie d’Auenheim", "198.51.100.1")
		box := w.mail()
		w.run(3 * time.Minute)
		fall := func(off bool, n int) {
			for _, b := range w.bornes[:n] {
				b.off = off
			}
		}
		fall(true, 40)
		w.run(2 * time.Minute)
		box.Expect("while others may follow")
		w.run(2 * time.Minute)
		box.Expect("the network falls", "[Parvis] 40 bornes hors ligne : réseau 203.0.113.7 (Mairie 0, Mairie 1, Mairie 2, Mairie 3, Mairie 4 et 3 autres)")
		w.run(20 * time.Minute)
		other.off = true
		w.run(4 * time.Minute)
		fall(false, 37)
		w.run(12 * time.Minute)
		got := box.Expect("most are back", "[Parvis] Mairie d’Auenheim : Hors ligne (AU-01)",
			"[Parvis] Presque rétabli, 37 sur 40 : 40 bornes hors ligne : réseau 203.0.113.7 (Mairie 0, Mairie 1, Mairie 2, Mairie 3, Mairie 4 et 3 autres)")
		if !strings.Contains(mailtest.Plain(got[1].Text), "Encore hors ligne : S5-37 (Mairie 5), S6-38 (Mairie 6), S7-39 (Mairie 7)") {
			t.Errorf("those missing are not named: %s", got[1].Text)
		}
		w.run(time.Hour)
		box.Expect("three are still missing")
		fall(false, 40)
		w.run(12 * time.Minute)
		box.Expect("the last are back", "[Parvis] Rétabli : 3 bornes hors ligne : réseau 203.0.113.7 (Mairie 5, Mairie 6, Mairie 7)")
		other.off = false
		w.run(12 * time.Minute)
		box.Expect("the other is back", "[Parvis] Rétabli : Mairie d’Auenheim : Hors ligne (AU-01)")
	})
}

// A site whose bornes have addresses of their own, and a hub that is cut off.
func TestSiteAndHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	for i := range 4 {
		w.add(fmt.Sprintf("MN-%02d", i), "Mairie de Neudorf", fmt.Sprintf("10.0.0.%d", i))
	}
	last := w.add("MM-01", "Mairie de la Meinau", "10.1.0.1")
	box := w.mail()
	w.run(3 * time.Minute)
	for _, b := range w.bornes[:4] {
		b.off = true
	}
	w.run(4 * time.Minute)
	box.Expect("a site", "[Parvis] 4 bornes hors ligne : Mairie de Neudorf")
	for _, b := range w.bornes {
		b.off = false
	}
	w.run(12 * time.Minute)
	box.Expect("it is back", "[Parvis] Rétabli : 4 bornes hors ligne : Mairie de Neudorf")
	for _, b := range w.bornes {
		b.off = true
	}
	w.run(4 * time.Minute)
	box.Expect("the hub", "[Parvis] Toutes les bornes sont hors ligne (5)")
	for _, b := range w.bornes {
		b.off = false
	}
	last.off = true
	w.run(12 * time.Minute)
	box.Expect("most are back", "[Parvis] Presque rétabli, 4 sur 5 : Toutes les bornes sont hors ligne (5)")
	must(t, w.store.Revoke(ctx, last.id, w.clock()))
	w.run(time.Minute)
	box.Expect("the last is taken away", "[Parvis] Fin d’alerte : Mairie de la Meinau : Hors ligne (MM-01)")
}

// A hub that was away, or was cut off from its database, must not take its own
// silence for that of the bornes.
func TestStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	gone := w.add("MM-01", "Mairie de la Meinau", "203.0.113.8")
	box := w.mail()
	w.run(3 * time.Minute)
	w.hubs = nil
	w.hub(w.store)
	w.set(w.clock().Add(3 * time.Hour))
	w.turn() // before any borne could report
	gone.off = true
	w.run(90 * time.Second)
	box.Expect("just started")
	w.run(2 * time.Minute)
	box.Expect("it has listened long enough", "[Parvis] Mairie de la Meinau : Hors ligne (MM-01)")
}

// Two hubs over one database tell once, and one goes on where the other died.
func TestTwoHubs(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	w := newWorld(t, storetest.Open(t, dsn))
	w.hub(storetest.Open(t, dsn))
	b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	box := w.mail()
	w.run(3 * time.Minute)
	b.faults = w.fault(link.FaultAppFrozen)
	for range 10 { // both at the same moment
		w.set(w.clock().Add(30 * time.Second))
		w.report()
		done := make(chan error)
		for _, a := range w.hubs {
			go func() {
				err := a.Step(ctx)
				if err == nil {
					err = a.Send(ctx)
				}
				done <- err
			}()
		}
		for range w.hubs {
			must(t, <-done)
		}
	}
	w.turn()
	box.Expect("it begins", "[Parvis] Mairie de Neudorf : Écran figé (MN-01)")
	w.hubs = w.hubs[1:] // the first dies
	b.faults = nil
	w.run(15 * time.Minute)
	box.Expect("it is mended", "[Parvis] Rétabli : Mairie de Neudorf : Écran figé (MN-01)")
}

// Serve does all of it by itself, and lets the next hub go on at once.
func TestServe(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		box := w.mail()
		b.faults = w.fault(link.FaultAppStopped)
		w.report()
		w.set(w.clock().Add(3 * time.Minute))
		w.report()
		serving, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- w.hubs[0].Serve(serving) }()
		deadline := time.Now().Add(8 * time.Second) // less than two of its rounds
		for box.Count() == 0 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		must(t, <-done)
		box.Expect("it serves", "[Parvis] Mairie de Neudorf : Application arrêtée (MN-01)")
		if held, err := w.store.Lease(ctx, "alerts", "another hub", w.clock(), w.clock().Add(time.Minute)); err != nil || !held {
			t.Errorf("another hub cannot go on: %v %v", held, err)
		}
	})
}

// What was decided is sent although the hub died before it could.
func TestDiesBeforeSending(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		box := w.mail()
		w.run(3 * time.Minute)
		b.faults = w.fault(link.FaultAppStopped)
		for range 6 {
			w.set(w.clock().Add(30 * time.Second))
			w.report()
			must(t, w.hubs[0].Step(ctx))
		}
		due, err := w.store.DueMessages(ctx, w.clock(), 10)
		must(t, err)
		if len(due) != 1 {
			t.Fatalf("%d messages wait", len(due))
		}
		// Worse: it dies while it sends.
		claimed, err := w.store.ClaimMessage(ctx, due[0], w.clock().Add(2*time.Minute))
		must(t, err)
		if again, err := w.store.ClaimMessage(ctx, due[0], w.clock().Add(2*time.Minute)); err != nil || !claimed || again {
			t.Fatalf("claimed %v, and again %v %v", claimed, again, err)
		}
		w.hubs = nil
		w.hub(open())
		w.run(time.Minute)
		box.Expect("somebody else seems to be at it")
		w.run(2 * time.Minute)
		l := box.Expect("after the restart", "[Parvis] Mairie de Neudorf : Application arrêtée (MN-01)")[0]
		if id := l.Header.Get("Message-Id"); id != "<"+due[0].ID+"@parvis.ville.fr>" {
			t.Errorf("Message-ID %q", id)
		}
		w.run(10 * time.Minute)
		box.Expect("it is not told again")
	})
}

// The mail server is away for an hour.
func TestServerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	box := w.mail()
	w.run(3 * time.Minute)
	box.Stop()
	b.faults = w.fault(link.FaultAppStopped)
	w.run(time.Hour)
	open, err := w.store.Alerts(ctx, true, "", 10)
	must(t, err)
	messages, err := w.store.AlertMessages(ctx, []string{open[0].Told[0].Began})
	must(t, err)
	m := messages[open[0].Told[0].Began]
	if m.Tries < 3 || m.Tries > 12 || m.Error == "" || !m.Sent.IsZero() || !m.Failed.IsZero() {
		t.Errorf("after an hour: %+v", m)
	}
	box.Start()
	w.run(35 * time.Minute)
	box.Expect("it is back", "[Parvis] Mairie de Neudorf : Application arrêtée (MN-01)")
	w.run(time.Hour)
	box.Expect("an hour later")

	// After a day it is no longer news; nor is the end then.
	b.faults = nil
	w.run(15 * time.Minute)
	box.Got()
	box.Stop()
	b.faults = w.fault(link.FaultAppStopped)
	w.run(10 * time.Minute)
	for range 60 {
		w.jump(w.clock().Add(31 * time.Minute))
	}
	box.Start()
	b.faults = nil
	w.run(2 * time.Hour)
	box.Expect("two days later")
	over, err := w.store.Alerts(ctx, false, "", 1)
	must(t, err)
	if len(over) != 1 || !over[0].Told[0].Failed || over[0].Told[0].Ended != store.NothingToTell {
		t.Errorf("the alert: %+v", over)
	}
}

// What is no emergency waits for somebody to be there, and is told in one
// message, if it still lasts.
func TestQuietHours(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		one := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		two := w.add("MM-01", "Mairie de la Meinau", "203.0.113.8")
		three := w.add("MC-01", "Mairie de Cronenbourg", "203.0.113.9")
		box := w.mail()
		friday := time.Date(2026, 11, 27, 18, 30, 0, 0, paris(t))
		w.jump(friday)
		w.run(3 * time.Minute)
		one.faults, two.faults = w.fault(link.FaultDisk), w.fault(link.FaultHot)
		three.faults = append(w.fault(link.FaultHot), w.fault(link.FaultAppStopped)...)
		w.run(15 * time.Minute)
		box.Expect("in the evening", "[Parvis] Mairie de Cronenbourg : Application arrêtée (MC-01)")
		held, err := w.store.Alerts(ctx, true, "", 10)
		must(t, err)
		if len(held) != 4 {
			t.Fatalf("%d alerts", len(held))
		}
		three.faults = w.fault(link.FaultAppStopped)
		w.run(12 * time.Minute) // the heat has passed in the night
		w.jump(friday.AddDate(0, 0, 2).Add(-8 * time.Hour))
		box.Expect("on Sunday")
		w.jump(time.Date(2026, 11, 30, 7, 59, 0, 0, paris(t)))
		box.Expect("on Monday, before eight")
		w.jump(time.Date(2026, 11, 30, 8, 0, 0, 0, paris(t)))
		l := box.Expect("on Monday at eight", "[Parvis] 2 alertes")[0]
		for _, want := range []string{"Mairie de Neudorf : Disque presque plein (MN-01)", "Mairie de la Meinau : Borne trop chaude (MM-01)"} {
			if !strings.Contains(mailtest.Plain(l.Text), want) || !strings.Contains(mailtest.Plain(l.HTML), want) {
				t.Errorf("it lacks %q: %s", want, l.Text)
			}
		}
		// Mended after hours: told in the morning.
		w.jump(time.Date(2026, 11, 30, 19, 0, 0, 0, paris(t)))
		one.faults, two.faults = nil, nil
		w.run(15 * time.Minute)
		box.Expect("mended in the evening")
		w.jump(time.Date(2026, 12, 1, 8, 0, 0, 0, paris(t)))
		box.Expect("in the morning", "[Parvis] 2 pannes finies")
	})
}

// Rules choose faults, sites, channels and hours.
func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	one := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	two := w.add("MM-01", "Mairie de la Meinau", "203.0.113.8")
	box := w.mail()
	a := w.hubs[0]
	second := mailtest.Start(t)
	other, err := a.PutChannel(ctx, second.Channel(), mailtest.Password)
	must(t, err)
	rule, err := a.Rule(ctx, alerts.BaseRule)
	must(t, err)
	rule.On = false
	_, err = a.PutRule(ctx, rule)
	must(t, err)
	own, err := a.PutRule(ctx, alerts.Rule{Name: "Disques de Neudorf", On: true, Faults: []string{link.FaultDisk}, Severity: "warning", After: 30, Sites: []string{"mn"}, Channels: []string{other.ID}, Outside: alerts.OutsideAll})
	must(t, err)
	w.run(3 * time.Minute)
	one.faults, two.faults = append(w.fault(link.FaultDisk), w.fault(link.FaultAppStopped)...), w.fault(link.FaultDisk)
	w.run(29 * time.Minute)
	second.Expect("before half an hour")
	w.run(2 * time.Minute)
	second.Expect("after half an hour", "[Parvis] Mairie de Neudorf : Disque presque plein (MN-01)")
	box.Expect("the other channel")
	must(t, a.RemoveRule(ctx, own.ID))
	must(t, a.RemoveChannel(ctx, other.ID))
	one.faults = nil
	w.run(15 * time.Minute)
	second.Expect("the channel is gone")
	if open, err := w.store.OpenAlerts(ctx); err != nil || len(open) != 1 {
		t.Errorf("alerts that are not done with: %+v %v", open, err)
	}
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	return zone
}
