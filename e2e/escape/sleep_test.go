package escape_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb/screensaver"
	"github.com/jezek/xgb/xproto"
)

// Out of its hours the screen goes dark; the touch that wakes it presses nothing,
// and the next one does. The panel of the test has no power to switch: it is black.
func TestScreenSleeps(t *testing.T) {
	hours := strings.Replace(profile, "[ecran]\n", "ouverture = \"Mo-Fr 08:30-18:00\"\n[ecran]\nallumage = \"Mo-Fr 08:00-18:30\"\n", 1)
	// A minute a second.
	s := startAt(t, 1080, 1920, hours, "2026-11-24T18:26:00+01:00 x60")
	s.must(screensaver.Init(s.conn))
	dark := func() bool {
		info, err := screensaver.QueryInfo(s.conn, xproto.Drawable(s.root)).Reply()
		s.must(err)
		return info.State == screensaver.StateOn
	}
	if dark() {
		t.Error("dark within its hours")
	}
	s.wait("the dark", 20*time.Second, dark)
	drawn := len(s.pages())
	s.touch(540, 1300) // « Touchez l’écran »
	if dark() {
		t.Error("dark after a touch")
	}
	time.Sleep(200 * time.Millisecond) // for a visit to begin that must not
	for _, p := range s.pages()[drawn:] {
		if p.Page != "attract" {
			t.Errorf("the touch that woke the screen led to %s", p.Page)
		}
	}
	s.touch(540, 1300)
	s.wait("a visit", time.Minute, func() bool {
		for _, p := range s.pages()[drawn:] {
			if p.Page == "home" {
				return true
			}
		}
		if dark() { // once more, on a busy machine
			s.touch(540, 1300)
			s.touch(540, 1300)
		}
		return false
	})
	s.wait("the dark again", 30*time.Second, dark)
}
