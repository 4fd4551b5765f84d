package clock_test

import (
	"testing"
	"time"

	"parvis/cmd/internal/clock"
)

func TestClock(t *testing.T) {
	now, err := clock.Open("2026-11-24T09:42:00Z")
	if err != nil {
		t.Fatal(err)
	}
	if got := now(); got.Format("15:04 MST") != "10:42 CET" {
		t.Errorf("it is %v", got)
	}
	fast, err := clock.Open("2026-11-24T09:42:00Z x1000000")
	if err != nil {
		t.Fatal(err)
	}
	began, first := time.Now(), fast()
	for time.Since(began) < time.Millisecond {
	}
	if gone, real := fast().Sub(first), time.Since(began); gone < 900*time.Second || gone > 1_000_001*real {
		t.Errorf("a clock a million times as fast went %v in %v", gone, real)
	}
	for _, bad := range []string{"noon", "2026-11-24T09:42:00Z xfast", "2026-11-24"} {
		if _, err := clock.Open(bad); err == nil {
			t.Errorf("%q is taken for a time", bad)
		}
	}
}
