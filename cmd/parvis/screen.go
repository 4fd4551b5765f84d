package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"parvis/device/display"
	"parvis/kiosk/hours"
	"parvis/provisioning/profile"
)

const (
	// quietTime is how long nobody has touched a borne that may sleep.
	quietTime = 5 * time.Minute
	// longestBeat is more than passes between two beats, a second apart, of the
	// drawing loop. What is longer, or less than nothing, is a clock that jumps,
	// and counts for a second.
	longestBeat = 2 * time.Minute
	// dazed is how long a panel takes to light up: who touches it again until
	// then sees nothing yet.
	dazed = 2 * time.Second
	// clockless is the first year in which a clock may be right: one whose
	// battery is empty begins long before, and knows nothing of opening times.
	clockless = 2026
)

// lamp is a panel that lights up and goes dark.
type lamp interface {
	Sleep() error
	Wake() error
}

// sleeper decides when the screen is lit: within the times of the profile, and
// outside of them for whoever touches it. It belongs to the drawing loop, save
// for serve.
type sleeper struct {
	lit    *hours.Schedule // nil: always
	now    func() time.Time
	beaten time.Time     // at the last beat
	quiet  time.Duration // since somebody was there
	dark   bool
	woken  time.Time
	want   chan bool // the last wish that is not yet fulfilled: dark or not
}

// newSleeper reads the times at which a profile wants the screen lit.
func newSleeper(prof *profile.Profile, now func() time.Time) (*sleeper, error) {
	s := &sleeper{now: now, want: make(chan bool, 1)}
	if prof.Screen.On == "" {
		return s, nil
	}
	region, err := hours.ParseRegion(prof.Site.Region)
	if err != nil {
		return nil, fmt.Errorf("site.region : %w", err)
	}
	if s.lit, err = hours.Parse(prof.Screen.On, region); err != nil {
		return nil, fmt.Errorf("ecran.allumage : %w", err)
	}
	return s, nil
}

// beat is called each second. idle says that nobody is served.
func (s *sleeper) beat(idle bool) {
	now := s.now()
	passed := now.Sub(s.beaten)
	if passed < 0 || passed > longestBeat {
		passed = time.Second
	}
	s.beaten = now
	s.quiet += passed
	if !idle {
		s.quiet = 0
	}
	s.set(s.quiet >= quietTime && s.night())
}

// night reports whether the screen may be off now.
func (s *sleeper) night() bool {
	now := s.now()
	return s.lit != nil && now.Year() >= clockless && s.lit.State(now).Kind != hours.Open
}

// touched notes a touch or a key, and reports whether it means something: what
// wakes a screen that was dark presses nothing.
func (s *sleeper) touched() bool {
	s.quiet = 0
	if s.dark {
		s.woken = s.now()
		s.set(false)
		return false
	}
	since := s.now().Sub(s.woken)
	return since < 0 || since >= dazed
}

func (s *sleeper) set(dark bool) {
	if dark == s.dark {
		return
	}
	s.dark = dark
	select {
	case <-s.want: // never done, and no longer wanted
	default:
	}
	s.want <- dark
}

// serve does what is decided, away from the drawing loop, until ctx ends. A
// screen that can't be switched stays lit, and the borne works.
func (s *sleeper) serve(ctx context.Context, l lamp) {
	for {
		select {
		case <-ctx.Done():
			return
		case dark := <-s.want:
			do := l.Wake
			if dark {
				do = l.Sleep
			}
			if err := do(); err != nil {
				slog.Warn("veille de l’écran", "erreur", err)
			}
		}
	}
}

// openDisplay connects to the X server that the window will be on.
func openDisplay() (*display.Display, error) { return display.Open(os.Getenv("DISPLAY")) }

// fill takes the size of the whole picture for that of the profile, so that a
// window fills the screen without a window manager. The panel stays as large on
// the wall as the profile says.
func fill(s *profile.Screen, d *display.Display) {
	width, height := d.Size()
	if width <= 0 || height <= 0 || width == s.Width && height == s.Height {
		return
	}
	if (width > height) != (s.Width > s.Height) { // mounted otherwise than the profile says
		s.WidthMM = s.WidthMM * float32(s.Height) / float32(s.Width)
	}
	s.Width, s.Height = width, height
}
