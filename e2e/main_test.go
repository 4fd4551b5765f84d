// Package e2e drives the real program in front of a virtual screen, with a
// simulated printer at the other end of a serial line.
package e2e

import (
	"os"
	"slices"
	"testing"
	"time"

	"parvis/e2e/xdrive"
	"parvis/hub/console/browsertest"
)

func TestMain(m *testing.M) {
	os.Exit(xdrive.Main(func() int { return browsertest.Main(m) }))
}

// tap touches one target after the other, each on the page that the one before led to.
func tap(b *xdrive.Borne, ids ...string) {
	for _, id := range ids {
		b.Tap(id)
		b.WaitDrawn()
	}
}

// write types on the borne's own keyboard.
func write(b *xdrive.Borne, text string) {
	for _, r := range text {
		tap(b, "key:"+string(r))
	}
}

// find turns the screens of a page until a target is in sight, and touches it;
// then the next one.
func find(b *xdrive.Borne, ids ...string) {
	for _, id := range ids {
		for !shows(b, id) && b.Page().Screen > 1 {
			tap(b, "pager.previous")
		}
		for !shows(b, id) && b.Page().Screen < b.Page().Screens {
			tap(b, "pager.next")
		}
		tap(b, id)
	}
}

// shows reports whether a target is in sight. It looks for a moment: the clock
// may just have drawn the page before once more.
func shows(b *xdrive.Borne, id string) bool {
	for range 30 {
		if has(b.Page(), id) {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

func has(p xdrive.Page, id string) bool {
	return slices.ContainsFunc(p.Targets, func(t xdrive.Target) bool { return t.ID == id })
}
