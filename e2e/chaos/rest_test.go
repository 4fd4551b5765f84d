package chaos

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	borneStore "parvis/kiosk/store"
)

// restartDatabase takes the hubs' database away for a moment.
func (c *town) restartDatabase(storm context.Context) {
	c.t.Helper()
	c.base.set(time.Time{})
	c.postgres.Stop(c.t)
	rest(storm, 2*time.Second)
	c.postgres.Start(c.t)
	c.base.set(time.Now())
	c.tally.add("restarts of the database")
}

// settle waits until nothing is under way any more.
func (c *town) settle(ctx context.Context) {
	c.t.Helper()
	for _, b := range c.bornes {
		dir := b.dir
		if b.win != nil {
			dir = windowData(dir)
		}
		st, err := borneStore.Open(dir)
		if err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() { st.Close() })
		b.store = st
	}
	for {
		open, err := c.unrest(ctx)
		switch {
		case context.Cause(ctx) != nil:
			c.t.Fatal(context.Cause(ctx))
		case err == nil && len(open) == 0:
			c.t.Logf("at rest %v after all was mended", time.Since(c.mended).Round(100*time.Millisecond))
			return
		case time.Since(c.mended) > calm:
			if err != nil {
				open = append(open, err.Error())
			}
			c.t.Errorf("%v after all was mended:\n%s", calm, strings.Join(open, "\n"))
			return
		}
		rest(ctx, 500*time.Millisecond)
	}
}

// count says what is wrong, and how much the town went through.
func (c *town) count(ctx context.Context) {
	c.t.Helper()
	wrong, err := c.judge(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, what := range wrong {
		if i == 20 {
			c.t.Errorf("… and %d more", len(wrong)-i)
			break
		}
		c.t.Error(what)
	}
	again, snapped := 0, 0
	for _, l := range c.hubs {
		l.look()
		again += int(l.again)
	}
	for _, b := range c.bornes {
		snapped += b.wire.Lost()
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(c.tally.n)) {
		lines = append(lines, fmt.Sprintf("%d %s", c.tally.n[what], what))
	}
	c.t.Logf("%d requests made, %d confirmed, %d at the hub; %d came again and were turned away (at least); "+
		"%d answers lost; the longest was %v on the way; %s",
		c.made, c.confirmed, c.kept, again, snapped, c.late.Round(100*time.Millisecond), strings.Join(lines, ", "))

	// What didn't happen shows nothing.
	if c.lasts < time.Minute {
		return
	}
	least := map[string]int{
		"cuts": 3, "freezes": 2, "connections forgotten": 2, "delays": 2, "agents overtaken": 2, "deaf connections": 2, "snaps": 4,
		"kills of agents": 15, "stops of agents": 3, "pauses of agents": 3, "kills of hubs": 2,
		"kills of applications": 10, "kills of windows": 5, "commands": 30,
	}
	for what, n := range least {
		if c.tally.of(what) < n {
			c.t.Errorf("%d %s in %v: too few to show anything", c.tally.of(what), what, c.lasts)
		}
	}
	if astray := c.tally.of("residents who went astray"); astray > len(c.window.made)/4 {
		c.t.Errorf("%d of %d residents at the window went astray", astray, len(c.window.made))
	}
	if c.confirmed < c.number || again == 0 || snapped == 0 {
		c.t.Errorf("%d requests of %d confirmed, %d came again, %d answers were lost: too few to show anything", c.confirmed, c.number, again, snapped)
	}
}
