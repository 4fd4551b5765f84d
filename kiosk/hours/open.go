package hours

import "time"

// Open lists when the place is open between two moments, as a resident should
// be told: merged, sorted, cut at both ends, in Europe/Paris. On a public
// holiday that the string does not speak of the place counts as closed. It
// looks at most ten years ahead.
func (s *Schedule) Open(from, to time.Time) []Interval {
	return s.list(from, to, func(d date) []span {
		spans, _ := s.opening(d)
		return spans
	})
}

// Written is Open by the letter of the OSM standard: public holidays count
// only where the string names them.
func (s *Schedule) Written(from, to time.Time) []Interval {
	return s.list(from, to, s.written)
}

func (s *Schedule) list(from, to time.Time, spans func(date) []span) []Interval {
	if limit := from.AddDate(0, 0, maxDays); to.After(limit) {
		to = limit
	}
	var out []Interval
	// The night before may still be running.
	for d := dateOf(from).add(-1); ; d = d.add(1) {
		if !d.at(0).Before(to) {
			return out
		}
		for _, t := range spans(d) {
			iv := Interval{d.at(t.start), d.at(t.end)}
			if iv.Start.Before(from) {
				iv.Start = from.In(Paris)
			}
			if iv.End.After(to) {
				iv.End = to.In(Paris)
			}
			if !iv.Start.Before(iv.End) {
				continue
			}
			if n := len(out); n > 0 && !iv.Start.After(out[n-1].End) {
				if iv.End.After(out[n-1].End) {
					out[n-1].End = iv.End
				}
				continue
			}
			out = append(out, iv)
		}
	}
}

// State says how the place stands at a moment, looking 14 days ahead.
func (s *Schedule) State(at time.Time) State {
	if s.always {
		return State{Kind: Open}
	}
	today := dateOf(at)
	_, holiday := s.opening(today)
	var closes time.Time
	for i := -1; i <= horizon; i++ {
		d := today.add(i)
		spans, _ := s.opening(d)
		for _, t := range spans {
			start := d.at(t.start)
			if !closes.IsZero() {
				if start.After(closes) {
					return State{Kind: Open, Change: closes}
				}
				if end := d.at(t.end); end.After(closes) {
					closes = end
				}
				continue
			}
			if start.After(at) {
				return State{Kind: OpensLater, Change: start, Holiday: holiday}
			}
			if end := d.at(t.end); end.After(at) {
				closes = end
			}
		}
		// Only hours that touch midnight can go on the next day.
		if !closes.IsZero() && closes.Before(d.add(1).at(0)) {
			break
		}
	}
	if closes.IsZero() {
		return State{Kind: Closed, Holiday: holiday}
	}
	if closes.After(today.add(horizon).at(0)) {
		closes = time.Time{}
	}
	return State{Kind: Open, Change: closes}
}

func dateOf(t time.Time) date {
	y, m, d := t.In(Paris).Date()
	return date{y, m, d}
}

// at is the moment a number of minutes after midnight on the clock of
// Europe/Paris, so that 09:00 stays 09:00 on the days the clocks change.
func (d date) at(minute int) time.Time {
	t := time.Date(d.year, d.month, d.day, 0, minute, 0, 0, Paris)
	// Of an hour that the night of autumn has twice, the first is meant.
	if early := t.Add(-time.Hour); early.Hour() == t.Hour() {
		return early
	}
	return t
}

// EverOn says whether the place opens on one of the given days of an ordinary
// week. For strings with dates it looks at the 53 weeks after the moment given.
func (s *Schedule) EverOn(at time.Time, days ...time.Weekday) bool {
	weeks := 1
	if s.week == nil {
		weeks = 53
	}
	d := dateOf(at)
	for range weeks * 7 {
		for _, w := range days {
			if d.weekday() == w && len(s.written(d)) > 0 {
				return true
			}
		}
		d = d.add(1)
	}
	return false
}
