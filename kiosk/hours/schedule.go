// Package hours reads the opening hours of a place in the OSM syntax and says
// when it is open, with the public holidays of its region. A string that has
// no single sure meaning is an error, so that it is shown as written.
package hours

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// horizon is how far ahead State looks, in days.
const horizon = 14

// maxDays bounds one call of Open or Written.
const maxDays = 3660

// Schedule is a parsed opening_hours string. It is safe for concurrent use.
type Schedule struct {
	region Region
	rules  []rule
	week   *[7][]span // by time.Weekday, where nothing but the weekday counts
	always bool       // open day and night
}

// Interval is a stretch of time from Start until just before End.
type Interval struct{ Start, End time.Time }

// Kind says how a place stands at one moment.
type Kind int

// The kinds of State. Unknown is for places whose hours nobody can read.
const (
	Unknown Kind = iota
	Open
	Closed     // and not open again within 14 days
	OpensLater // closed, opens at Change
)

// State is what to tell a resident at one moment.
type State struct {
	Kind Kind
	// Change is when an open place closes or a closed one next opens; zero when
	// that is over 14 days away.
	Change time.Time
	// Holiday names the public holiday for which the place is closed today.
	Holiday string
}

// Parse reads an opening_hours string. Its error says in French why the string
// cannot be relied on.
func Parse(s string, r Region) (sch *Schedule, err error) {
	// The library is young and the strings are strangers'.
	defer func() {
		if p := recover(); p != nil {
			sch, err = nil, fmt.Errorf("horaires illisibles « %s »", shorten(s))
		}
	}()
	rules, err := parseRules(s)
	if err != nil {
		return nil, fmt.Errorf("horaires illisibles « %s » : %w", shorten(s), err)
	}
	sch = &Schedule{region: r, rules: rules}
	for i := range rules {
		if err := rules[i].prepare(r); err != nil {
			return nil, fmt.Errorf("horaires illisibles « %s » : %w", shorten(s), err)
		}
	}
	if !slices.ContainsFunc(rules, rule.dated) {
		sch.compileWeek()
	}
	return sch, nil
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

// compileWeek works out the seven days once: of the real strings 99.9 % depend
// on the weekday alone, and a search asks thousands of them.
func (s *Schedule) compileWeek() {
	var week [7][]span
	s.always = true
	for i := range week {
		d := date{2026, time.March, 1 + i} // 1 March 2026 is a Sunday
		week[i] = slices.Clip(s.written(d))
		s.always = s.always && slices.Equal(week[i], []span{{0, dayMinutes}})
	}
	s.week, s.rules = &week, nil
}

// written gives the spans that begin on a day by the string alone. The rules
// are applied in order: a later one replaces the days it names, one joined by a
// comma adds to them, "off" empties them.
func (s *Schedule) written(d date) []span {
	if s.week != nil {
		return s.week[d.weekday()]
	}
	return s.apply(d, rule.matches)
}

func (s *Schedule) apply(d date, matches func(rule, date) bool) []span {
	var pieces []piece
	for i, r := range s.rules {
		if !matches(r, d) {
			continue
		}
		if r.off && len(r.times) > 0 {
			pieces = without(pieces, r.times)
			continue
		}
		if !r.adds {
			pieces = nil
		}
		if r.off {
			continue
		}
		for _, t := range r.times {
			pieces = append(pieces, piece{t, i})
		}
	}
	// A later rule for the next day also replaces the hours after midnight.
	replaced := -1
	if slices.ContainsFunc(pieces, func(p piece) bool { return p.end > dayMinutes }) {
		for i, r := range s.rules {
			if !r.adds && matches(r, d.add(1)) {
				replaced = i
			}
		}
	}
	spans := make([]span, 0, len(pieces))
	for _, p := range pieces {
		if p.end > dayMinutes && replaced > p.rule {
			p.end = dayMinutes
		}
		spans = append(spans, p.span)
	}
	return mergeSpans(spans)
}

// piece is a span and the number of the rule it comes from.
type piece struct {
	span
	rule int
}

func without(pieces []piece, times []span) []piece {
	for _, t := range times {
		var left []piece
		for _, p := range pieces {
			if p.start < t.start {
				left = append(left, piece{span{p.start, min(p.end, t.start)}, p.rule})
			}
			if p.end > t.end {
				left = append(left, piece{span{max(p.start, t.end), p.end}, p.rule})
			}
		}
		pieces = left
	}
	return pieces
}

func mergeSpans(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return a.start - b.start })
	out := all[:0]
	for _, t := range all {
		if n := len(out); n > 0 && t.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, t.end)
			continue
		}
		out = append(out, t)
	}
	return out
}

// opening gives the spans that begin on a day as residents should hear them,
// and the holiday that closes the place. Nearly no place writes PH, and nearly
// every one is closed then: a holiday the string is silent about counts as
// closed, unless the place never closes.
func (s *Schedule) opening(d date) (spans []span, holiday string) {
	spans = s.written(d)
	name, ok := holidayOn(d, s.region)
	if !ok || s.always {
		return spans, ""
	}
	spoken := slices.ContainsFunc(s.rules, func(r rule) bool {
		return (r.ph || r.oneDay) && r.matches(d)
	})
	switch {
	case !spoken && len(spans) > 0:
		return nil, name
	case spoken && len(spans) == 0 && len(s.apply(d, rule.matchesOrdinary)) > 0:
		return nil, name
	}
	return spans, ""
}
