package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parvis/e2e/xdrive"
)

// window is a borne whose application is the real one, in front of a virtual
// screen, driven by touch.
type window struct {
	*xdrive.Borne
	of     *borne
	way    xdrive.RequestPath
	line   string
	random *rand.Rand
	tally  *tally
	made   map[string]*request // by telephone number
}

// clock is what the application's clock says when it starts: an hour at which
// the pages don't change meanwhile, on the day of the hub's clock.
func clock() string {
	return "PARVIS_NOW=" + time.Now().UTC().Format(time.DateOnly) + "T10:42:00+01:00"
}

// openWindow starts the application of a borne that is enrolled, and lets it
// make its first request.
func openWindow(t *testing.T, of *borne, line string, random *rand.Rand, tally *tally) *window {
	t.Helper()
	w := &window{of: of, line: line, random: random, tally: tally, made: make(map[string]*request)}
	w.Borne = xdrive.StartBorne(t, xdrive.Options{Dir: of.dir, Env: []string{clock()}, Bare: true})
	national, phone := w.next()
	w.way = w.LearnRequest(national)
	w.made[phone].sure = true
	if !w.goHome() {
		t.Fatal("the first resident doesn't come home")
	}
	return w
}

// windowData is where a borne in front of a screen keeps its data.
func windowData(dir string) string { return filepath.Join(dir, "run/data") }

// next makes up the next resident's number.
func (w *window) next() (national, phone string) {
	n := len(w.made)
	phone = plan{Line: w.line}.phone(n)
	w.made[phone] = &request{}
	return fmt.Sprintf("0%s%07d", w.line, n), phone
}

// residents come one after the other until the storm ends. Most find the
// application killed around their touch on "Envoyer", or some time before.
func (w *window) residents(storm context.Context) {
	for storm.Err() == nil {
		national, phone := w.next()
		w.Walk(w.way, national)
		if !within(w.CanSend) {
			w.astray(phone)
			continue
		}
		w.Touch(w.way.Send)
		if w.random.IntN(3) > 0 {
			rest(storm, between(w.random, 0, 3*w.way.Takes))
			w.kill(phone)
			continue
		}
		w.Wait("an answer to the request", func() bool {
			page := w.Page().Page
			return page == "callback.done" || page == "callback.failed"
		})
		if w.Page().Page == "callback.failed" { // the database was locked
			w.tally.add("requests that the window could not keep")
			w.kill(phone)
			continue
		}
		w.made[phone].sure = true
		if !w.goHome() {
			w.astray(phone)
		}
	}
}

// astray is for a resident whose touch came before the page that it was for, as
// happens on a busy machine: nobody looked.
func (w *window) astray(phone string) {
	w.tally.add("residents who went astray")
	w.kill(phone)
}

func (w *window) kill(phone string) {
	w.tally.add("kills of windows")
	w.Kill()
	if w.Page().Page == "callback.done" {
		w.made[phone].sure = true
	}
	w.of.starting.Lock()
	defer w.of.starting.Unlock()
	w.Launch()
}

// goHome ends the visit, as a resident does.
func (w *window) goHome() bool {
	for _, id := range []string{"leave", "leaving.finish"} {
		there := func() bool {
			return slices.ContainsFunc(w.Page().Targets, func(t xdrive.Target) bool { return t.ID == id })
		}
		if !within(there) {
			return false
		}
		w.Tap(id)
	}
	return within(func() bool { return w.Page().Page == "attract" })
}

// within waits some seconds for ok to come true, and tells whether it has.
func within(ok func() bool) bool {
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
