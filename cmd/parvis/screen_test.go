package main

import (
	"context"
	"testing"
	"time"

	"parvis/kiosk/hours"
	"parvis/provisioning/profile"
)

// sleepy is a sleeper on a clock of the test's own.
type sleepy struct {
	*sleeper
	t   *testing.T
	now time.Time
}

func newSleepy(t *testing.T, times, start string) *sleepy {
	t.Helper()
	y := &sleepy{t: t}
	var err error
	if y.now, err = time.ParseInLocation("2006-01-02 15:04:05", start, hours.Paris); err != nil {
		t.Fatal(err)
	}
	prof := &profile.Profile{Site: profile.Site{Region: "metropole"}, Screen: profile.Screen{On: times}}
	if y.sleeper, err = newSleeper(prof, func() time.Time { return y.now }); err != nil {
		t.Fatal(err)
	}
	return y
}

// pass lets time pass, a beat a second.
func (y *sleepy) pass(d time.Duration, idle bool) {
	for range int(d / time.Second) {
		y.now = y.now.Add(time.Second)
		y.beat(idle)
	}
}

func (y *sleepy) want(dark bool, when string) {
	y.t.Helper()
	if y.dark != dark {
		y.t.Errorf("%s, at %v: dark is %t", when, y.now, y.dark)
	}
}

const office = "Mo-Fr 08:00-18:00; PH off"

func TestScreenSleepsOutsideItsTimes(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 17:50:00")
	y.pass(9*time.Minute+59*time.Second, true)
	y.want(false, "before closing")
	y.pass(2*time.Second, true)
	y.want(true, "closed, and nobody there for ten minutes")
	y.pass(14*time.Hour, true)
	y.want(false, "the next morning")
}

func TestScreenWaitsForWhoeverIsThere(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 18:30:00")
	y.pass(20*time.Minute, false)
	y.want(false, "somebody is served")
	y.pass(4*time.Minute, true)
	if !y.touched() {
		t.Error("a touch of a lit screen means nothing")
	}
	y.pass(4*time.Minute+59*time.Second, true)
	y.want(false, "touched less than five minutes ago")
	y.pass(time.Second, true)
	y.want(true, "five minutes later")
}

// The touch that wakes the screen presses nothing, nor does one before it shows
// something.
func TestTouchWakesScreen(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 23:00:00")
	y.pass(5*time.Minute, true)
	y.want(true, "at night")
	if y.touched() {
		t.Error("the touch that wakes presses something")
	}
	y.want(false, "touched")
	y.now = y.now.Add(dazed / 2)
	if y.touched() {
		t.Error("a touch of a screen that is still dark presses something")
	}
	y.now = y.now.Add(dazed)
	if !y.touched() {
		t.Error("a touch after that presses nothing")
	}
	y.pass(5*time.Minute, true)
	y.want(true, "left again")
}

// A badge or a code begins a visit without a touch.
func TestVisitWakesScreen(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 23:00:00")
	y.pass(5*time.Minute, true)
	y.pass(time.Second, false)
	y.want(false, "a card was shown")
}

func TestScreenWithoutTimes(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, "", "2026-11-24 23:00:00")
	y.pass(time.Hour, true)
	y.want(false, "no times")
}

// The times are those on the clock of the wall, on the days on which it changes
// too.
func TestScreenOnDaysOfOtherLengths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ night, at string }{
		{"2026-03-29 00:30:00", "2026-03-29 08:00:01"}, // 23 hours
		{"2026-10-25 00:30:00", "2026-10-25 08:00:01"}, // 25 hours
	} {
		y := newSleepy(t, "08:00-18:00", c.night)
		y.pass(10*time.Minute, true)
		y.want(true, "at night")
		at, err := time.ParseInLocation("2006-01-02 15:04:05", c.at, hours.Paris)
		if err != nil {
			t.Fatal(err)
		}
		y.pass(at.Sub(y.now)-2*time.Second, true)
		y.want(true, "a second before opening")
		y.pass(2*time.Second, true)
		y.want(false, "opening")
	}
}

func TestScreenWhenTheClockJumps(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 17:00:00")
	y.now = y.now.Add(5 * time.Hour) // set right by the network
	y.beat(true)
	y.want(false, "the clock jumped: nobody has been away for five minutes")
	y.pass(5*time.Minute, true)
	y.want(true, "five minutes later")
	y.now = y.now.Add(-5 * time.Hour)
	y.beat(true)
	y.want(false, "the clock went back into the opening times")
	y.now = y.now.Add(6 * time.Hour)
	y.beat(true)
	y.touched()
	y.now = y.now.Add(-3 * time.Hour)
	if !y.touched() {
		t.Error("a clock that goes back makes the glass deaf")
	}
	y.now = time.Date(1970, 1, 1, 3, 0, 0, 0, hours.Paris) // an empty battery
	y.pass(time.Hour, true)
	y.want(false, "the clock knows nothing")
}

func TestTimesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, err := newSleeper(&profile.Profile{Screen: profile.Screen{On: "de 8 h à 18 h"}}, time.Now)
	if err == nil || err.Error()[:len("ecran.allumage")] != "ecran.allumage" {
		t.Errorf("%v", err)
	}
}

// bulb is a panel that does nothing until it is let.
type bulb struct {
	let  chan struct{}
	done chan bool // dark or not
}

func (b *bulb) Sleep() error { return b.set(true) }
func (b *bulb) Wake() error  { return b.set(false) }

func (b *bulb) set(dark bool) error {
	<-b.let
	b.done <- dark
	return nil
}

// The drawing loop never waits for the panel, and what it wants last comes about.
func TestSlowPanel(t *testing.T) {
	t.Parallel()
	y := newSleepy(t, office, "2026-11-24 23:00:00")
	b := &bulb{make(chan struct{}), make(chan bool, 10)}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan struct{})
	go func() {
		defer close(served)
		y.serve(ctx, b)
	}()
	y.pass(5*time.Minute, true) // dark
	for deadline := time.Now().Add(10 * time.Second); len(y.sleeper.want) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first wish is not taken")
		}
	}
	for range 3 {
		y.touched()
		y.pass(5*time.Minute, true)
	}
	y.touched() // lit, at last
	close(b.let)
	deadline := time.After(10 * time.Second)
	for dark := true; dark; {
		select {
		case dark = <-b.done:
		case <-deadline:
			t.Fatal("the panel is dark in the end")
		}
	}
	cancel()
	<-served
	if n := len(b.done); n > 0 {
		t.Errorf("after the last wish the panel was switched %d times", n)
	}
}
