package e2e

import (
	"context"
	"image"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

// TestWipe ends a visit full of choices, by the resident's hand and by the idle
// clock, and then looks at every page that could still show something of it.
func TestWipe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, now string
		end       func(*testing.T, *xdrive.Borne)
	}{
		{"J’ai terminé", xdrive.Morning, func(t *testing.T, b *xdrive.Borne) {
			for _, id := range []string{"face:some", "missing:internet", "leaving.finish"} {
				twice(b, id)
			}
			b.WaitPage("attract")
		}},
		{"idle clock", "PARVIS_NOW=2026-11-24T10:02:00+01:00 x8", func(t *testing.T, b *xdrive.Borne) {
			b.WaitPageWithin("timeout", 30*time.Second) // speech gives 120 s, an eighth here
			b.WaitPageWithin("attract", 15*time.Second)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			b := xdrive.StartBorne(t, xdrive.Options{Env: []string{c.now}})
			before := look(t, b)
			fill(b)
			c.end(t, b)
			after := look(t, b)
			for name, was := range before {
				if d := differences(was, after[name]); d > 0 {
					t.Errorf("page %s of a new visit differs from that of the very first one in %d pixels", name, d)
				}
			}
			if held, err := b.Screen.Offers(); err != nil || len(held) > 0 {
				t.Errorf("something is left to paste: %q %v", held, err)
			}
			said := len(b.Spoken())
			tap(b, "start")
			b.Key("Down")
			b.WaitDrawn()
			if now := b.Spoken(); len(now) > said {
				t.Errorf("a new visit is spoken: %q", now[said:])
			}
		})
	}
}

// fill leaves traces wherever a visit can: language, text size, contrast, low
// screen, what was typed, chosen and answered, and speech.
func fill(b *xdrive.Borne) {
	find(b, "lang:en", "nav.bigger", "nav.bigger", "nav.language")
	find(b, "low")
	find(b, "nav.back")
	b.Key("F3")
	b.WaitDrawn()
	find(b, "level")
	find(b, "answer:aucun")
	find(b, "nav.home")
	find(b, "demarches", "themes", "theme:impots", "search")
	write(b, "xylo")
	find(b, "key.layout", "key.accents")
	find(b, "nav.home")
	find(b, "help", "need:demarches", "filter:open", "nav.home")
	find(b, "callback", "topic:logement")
	write(b, "0612345678")
	find(b, "by_text", "continue", "slot:0", "continue", "key.layout", "key:M", "continue", "consent")
	find(b, "nav.back", "nav.back", "nav.back") // all of it still there
	b.Key("F1")
	b.WaitSpoken("Reading aloud")
	twice(b, "nav.home")
	twice(b, "nav.leave")
}

// twice touches a target as in speech mode: to hear it, and to choose it.
func twice(b *xdrive.Borne, id string) {
	find(b, id, id)
}

// look takes pictures of the pages that show what a visit holds, in a visit of
// its own, and leaves.
func look(t *testing.T, b *xdrive.Borne) map[string]image.Image {
	pictures := make(map[string]image.Image)
	take := func(name string) {
		// A page is announced when it is laid out. On a busy machine it comes
		// onto the glass some time later.
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := b.Screen.WaitStill(ctx, time.Second); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := b.Screen.Screenshot()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pictures[name] = img
	}
	take("attract")
	tap(b, "start")
	take("home")
	tap(b, "demarches")
	tap(b, "search")
	take("demarche.search")
	tap(b, "nav.home", "help")
	find(b, "search")
	take("places.search")
	tap(b, "nav.back")
	find(b, "need:demarches")
	tap(b, "nav.home", "callback")
	find(b, "topic:logement")
	take("callback.phone")
	write(b, "0188888888")
	find(b, "continue")
	find(b, "slot:any", "continue")
	take("callback.name")
	find(b, "continue")
	take("callback.review")
	tap(b, "nav.home", "nav.leave")
	take("leaving")
	tap(b, "leaving.finish")
	b.WaitPage("attract")
	return pictures
}

// header is where the clock of a page stands, in pixels from the top.
const header = 160

// differences counts the pixels below the header in which two pictures differ.
func differences(a, b image.Image) int {
	n := 0
	for y := header; y < a.Bounds().Max.Y; y++ {
		for x := range a.Bounds().Max.X {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

// TestWarning leaves a borne alone in the middle of a number. The warning comes
// no sooner than promised, one touch or key extends the visit with all that
// was typed, and the visit can be ended at once.
func TestWarning(t *testing.T) {
	t.Parallel() // most of it is waiting
	const idle, haste = 45 * time.Second, 8
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{"PARVIS_NOW=2026-11-24T10:02:00+01:00 x8"}})
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0612345678")
	b.Key("space") // repeats nothing where speech is off
	for _, stay := range []func(){
		func() { tap(b, "timeout.stay") },
		func() { b.Key("Return") },
	} {
		touched := time.Now()
		b.WaitPage("timeout")
		if still := time.Since(touched); still < idle/haste {
			t.Errorf("the warning came after %v, an eighth of %v", still, still*haste)
		}
		stay()
		b.WaitPage("callback.phone")
		if b.Target("continue").Disabled {
			t.Error("the number is not there any more")
		}
	}
	b.WaitPage("timeout")
	tap(b, "timeout.finish")
	b.WaitPage("attract")
}
