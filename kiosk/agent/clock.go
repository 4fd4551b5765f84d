package agent

import (
	"sync"
	"time"
)

// A skew this small is not mended: the network alone may be the reason, and a
// time that wavers would look like a change.
const smallSkew = 3 * time.Second

// clock knows the hub's time. Between two answers it goes by the monotonic
// clock, so that the machine's own may be years off, and jump.
type clock struct {
	own func() time.Time

	mu    sync.Mutex
	known bool
	hub   time.Time // the hub's time …
	heard time.Time // … when the monotonic clock said this
	kept  time.Duration
}

func newClock(own func() time.Time) *clock { return &clock{own: own} }

// learn takes the hub's time from an answer that has just come, in
// milliseconds since 1970. An answer without is none.
func (c *clock) learn(ms int64) {
	if ms <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.hub, c.heard = true, time.UnixMilli(ms).UTC(), time.Now()
}

// now is the hub's time; before its first answer the machine's.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hubNow()
}

func (c *clock) hubNow() time.Time {
	if !c.known {
		return c.own().Round(0).UTC()
	}
	return c.hub.Add(time.Since(c.heard))
}

// skew is how far the machine's own clock is ahead, in whole seconds. It stays
// as it was until it is clearly another.
func (c *clock) skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	skew := c.own().Round(0).Sub(c.hubNow()).Round(time.Second)
	switch {
	case skew.Abs() < smallSkew:
		c.kept = 0
	case (skew - c.kept).Abs() >= smallSkew:
		c.kept = skew
	}
	return c.kept
}

// mend turns a time by the machine's own clock, as it is now, into the hub's.
// One that would come before 1970 becomes 1970.
func (c *clock) mend(own time.Time) time.Time {
	mended := own.Add(-c.skew())
	if mended.Unix() < 0 {
		return time.Unix(0, 0).UTC()
	}
	return mended
}

// spoil turns a time of the hub's into one by the machine's own clock.
func (c *clock) spoil(hub time.Time) time.Time { return hub.Add(c.skew()) }
