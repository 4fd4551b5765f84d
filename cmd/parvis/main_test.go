package main

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now, err := clock("2026-11-24T09:42:00Z")
	if err != nil {
		t.Fatal(err)
	}
	if got := now(); got.Format("15:04 MST") != "10:42 CET" {
		t.Errorf("it is %v", got)
	}
	fast, err := clock("2026-11-24T09:42:00Z x1000000")
	if err != nil {
		t.Fatal(err)
	}
	if first := fast(); !fast().After(first.Add(time.Millisecond)) && !fast().After(first) {
		t.Error("the fast clock stands still")
	}
	for _, bad := range []string{"noon", "2026-11-24T09:42:00Z xfast", "2026-11-24"} {
		if _, err := clock(bad); err == nil {
			t.Errorf("%q is taken for a time", bad)
		}
	}
}
