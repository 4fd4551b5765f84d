package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestAskedTooLate has a drawing loop that comes to a question when nobody
// waits for the answer any more: a borne that then took leave of its resident,
// for a restart that was given up, would answer to nobody for ever.
func TestAskedTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			comes, takes time.Duration
			want         error
		}{
			"in time":              {time.Second, time.Second, nil},
			"late":                 {answerWait + time.Second, 0, errNoScreen},
			"begun when time ends": {answerWait - time.Second, 2 * time.Second, nil},
		} {
			ran := make(chan bool, 1)
			loop := func(f func()) { time.AfterFunc(c.comes, f) }
			_, err := ask(t.Context(), loop, func() bool {
				time.Sleep(c.takes)
				ran <- true
				return true
			})
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(time.Minute)
			if did := len(ran) == 1; did != (c.want == nil) {
				t.Errorf("%s: it was done: %v", name, did)
			}
		}
	})
}
