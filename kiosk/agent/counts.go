package agent

import (
	"time"

	"parvis/kiosk/store"
)

const (
	// mostCounts keeps a report small; more follow in the next ones.
	mostCounts = 20
	// oldestCount is how old a count may be that the hub still takes.
	oldestCount = 400 * 24 * time.Hour
	// wrongDay is from when on a clock's days are clearly not the hub's.
	wrongDay = 12 * time.Hour
)

// toldCounts puts counts into the form of a report. Days of a clock that is
// off become the hub's days. Days that make no sense even so, because the
// clock was off then and is not now, can't be told and are left out: that they
// are marked as sent keeps them from standing in the way for ever.
func (a *Agent) toldCounts(counts []store.DayCount) map[string]map[string]int {
	skew, now := a.clock.skew(), a.clock.now()
	told := make(map[string]map[string]int)
	for _, c := range counts {
		day, err := time.Parse(time.DateOnly, c.Day)
		if err != nil {
			continue
		}
		noon := day.Add(12 * time.Hour)
		if skew.Abs() > wrongDay {
			noon = noon.Add(-skew)
		}
		if noon.After(now.Add(24*time.Hour)) || noon.Before(now.Add(-oldestCount)) {
			continue
		}
		date := noon.Format(time.DateOnly)
		if told[date] == nil {
			told[date] = make(map[string]int)
		}
		told[date][c.Key] += c.N
	}
	return told
}
