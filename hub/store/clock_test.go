package store_test

import (
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// A hub whose clock was a year ahead for a moment, as when it starts before it
// has asked for the time, leaves nothing behind that lasts for a year.
func TestClockWasAhead(t *testing.T) {
	t.Parallel()
	ahead := noon.AddDate(1, 0, 0)
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		mustPut(t, s, report("MN-01", 1, 1, ahead), report("MN-01", 1, 2, noon))
		b := mustBorne(t, s, "MN-01")
		if !b.Seen.Equal(noon) || !b.Offline(noon.Add(time.Hour)) {
			t.Errorf("seen at %v", b.Seen)
		}
		samples, err := s.Samples(ctx, "MN-01", noon)
		must(t, err)
		if len(samples) != 2 || !samples[0].Hour.Equal(noon) || samples[0].Reports != 1 {
			t.Errorf("samples: %+v", samples)
		}

		held, err := s.Lease(ctx, "alerts", "dead", ahead, ahead.Add(time.Minute))
		must(t, err)
		again, err := s.Lease(ctx, "alerts", "next", noon, noon.Add(time.Minute))
		must(t, err)
		if !held || !again {
			t.Errorf("leases: %v, %v", held, again)
		}

		brake := store.Brake{Free: 1, Most: 15 * time.Minute, Forget: time.Hour}
		_, err = s.Attempt(ctx, "anne", brake, ahead)
		must(t, err)
		for try, want := range []time.Duration{0, time.Second} {
			wait, err := s.Attempt(ctx, "anne", brake, noon)
			must(t, err)
			if wait != want {
				t.Errorf("try %d: wait %v, not %v", try, wait, want)
			}
		}
	})
}
