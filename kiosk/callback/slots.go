package callback

import (
	"time"

	"parvis/kiosk/hours"
)

const (
	noon      = 13 // hour at which the afternoon starts
	slotDays  = 28 // how many days ahead a call may be planned
	shortSlot = time.Hour
)

// Slots lists the next n half-days in which the mediators call, from now: the
// morning ends at 13:00 in Europe/Paris. A slot runs from the first opening of
// its half-day to the last closing; one with less than an hour left is left
// out, and so are the days on which the schedule is closed for a holiday. It
// looks four weeks ahead, so there may be fewer than n.
func Slots(mediators *hours.Schedule, now time.Time, n int) []Slot {
	if mediators == nil {
		return nil
	}
	var slots []Slot
	y, m, d := now.In(hours.Paris).Date()
	for day := d; day < d+slotDays; day++ {
		midnight := time.Date(y, m, day, 0, 0, 0, 0, hours.Paris)
		midday := time.Date(y, m, day, noon, 0, 0, 0, hours.Paris)
		next := time.Date(y, m, day+1, 0, 0, 0, 0, hours.Paris)
		for _, half := range [][]hours.Interval{mediators.Open(midnight, midday), mediators.Open(midday, next)} {
			if len(slots) >= n {
				return slots
			}
			if len(half) == 0 {
				continue
			}
			s := Slot{Start: half[0].Start, End: half[len(half)-1].End}
			start := s.Start
			if now.After(start) {
				start = now
			}
			if s.End.Sub(start) >= shortSlot {
				slots = append(slots, s)
			}
		}
	}
	return slots
}
