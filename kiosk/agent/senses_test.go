package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// TestApplicationWithoutSystemd has a machine start, on which the agent is
// faster than the application.
func TestApplicationWithoutSystemd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		says := func(state link.AppState, seen time.Time) {
			t.Helper()
			if err := st.SetAlive(t.Context(), store.Alive{State: string(state), Seen: seen}); err != nil {
				t.Fatal(err)
			}
		}
		o := Options{Store: st, Now: time.Now}
		s := newSenses(o, newClock(o.Now))
		is := func(want link.AppState) {
			t.Helper()
			seen, err := s.look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if seen.app != want {
				t.Errorf("the application is %q, not %q", seen.app, want)
			}
		}
		says(link.AppIdle, time.Now().Add(-time.Hour)) // in its life before
		is(link.AppStarting)
		time.Sleep(appGrace - time.Second)
		is(link.AppStarting)
		time.Sleep(time.Second)
		is(link.AppStopped)
		says(link.AppServing, time.Now())
		is(link.AppServing)
		time.Sleep(appStale + time.Second)
		is(link.AppStopped)
	})
}
