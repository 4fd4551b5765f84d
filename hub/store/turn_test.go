package store_test

import (
	"context"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

func TestTurn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		one, two := open().Turn("work"), open().Turn("work")
		now := noon
		take := func(what string, after time.Duration, mine bool, awake time.Duration) {
			t.Helper()
			now = now.Add(after)
			got, err := one.Take(t.Context(), now)
			if err != nil || got != mine || one.Awake(now) != awake {
				t.Errorf("%s: its turn %t, awake for %v, %v; want %t, %v", what, got, one.Awake(now), err, mine, awake)
			}
		}
		take("first", 0, true, 0)
		take("again", 30*time.Second, true, 30*time.Second)
		take("just in time", link.Silence, true, 30*time.Second+link.Silence)
		take("after a gap", link.Silence+time.Second, true, 0)
		take("again", 10*time.Second, true, 10*time.Second)
		take("the clock was put back", -time.Second, true, 0)
		take("again", 20*time.Second, true, 20*time.Second)
		one.Interrupt()
		take("after an interruption", time.Second, true, 0)
		take("again", 20*time.Second, true, 20*time.Second)
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := one.Take(ended, now); err == nil {
			t.Error("a store that doesn't answer is no error")
		}
		take("after the store was away", time.Second, true, 0)

		if mine, err := two.Take(t.Context(), now); mine || err != nil {
			t.Errorf("the other hub goes on at once: %t, %v", mine, err)
		}
		if err := one.Leave(t.Context(), now); err != nil {
			t.Error(err)
		}
		if mine, err := two.Take(t.Context(), now); !mine || err != nil {
			t.Errorf("given back, the other doesn't go on: %t, %v", mine, err)
		}
		take("the other's turn", 10*time.Second, false, 10*time.Second)
		take("the other has died", 40*time.Second, true, 50*time.Second)
	})
}
