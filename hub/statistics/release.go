package statistics

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"parvis/hub/store"
)

// Step is what every figure of residents is a multiple of. Less than it is
// shown as nothing.
const Step = 5

// cell names one figure of a release: of a site, or of all with an empty one.
type cell struct{ site, key string }

// release holds the figures of one month or quarter that may be told. What is
// not in it is less than Step, or is withheld.
type release map[cell]int

// rule is how counts become figures. There is one; a test has another, to show
// what it would give away.
type rule struct {
	show func(n int) int
	// together reports whether breakdowns of one total may all be told.
	together func(...breakdown) bool
	// within reports whether a breakdown of a part of a total may be told.
	within func(part, total breakdown) bool
}

var safe = rule{
	show:     func(n int) int { return max(0, n-n%Step) },
	together: together,
	within:   func(part, total breakdown) bool { return part.low+Step-1 <= total.high() },
}

// breakdown is what is told of a total: one number, or one for each part of it.
type breakdown struct {
	low  int // the sum of the numbers: the total is at least that
	seen int // how many are told; each may stand for up to 4 more
}

func (b *breakdown) add(n int) {
	if n > 0 {
		b.low += n
		b.seen++
	}
}

// high is how much the total can be if nothing is in the parts that are hidden.
func (b breakdown) high() int { return b.low + b.seen*(Step-1) }

// together reports whether breakdowns of one total leave each hidden part every
// value from 0 to 4, even to somebody who knows that nobody is in the others:
// with 4 in it a breakdown must not come out above what another one allows, and
// with 0 in it not below what another one proves.
func together(all ...breakdown) bool {
	for i, a := range all {
		for j, b := range all {
			if i != j && a.low+Step-1 > b.high() {
				return false
			}
		}
	}
	return true
}

// monthCounts is what all bornes of a site have counted in a month.
type monthCounts struct {
	keys map[string]int
	days map[string]int // visits by day of the month, "05"
}

// Keys of what is told of each site and month.
const (
	keyVisits   = "visit"
	keyHour     = "visit.h" // and the hour
	keyDay      = "day."    // and the day of the month
	keyDone     = "demarche.done"
	keyLeft     = "demarche.left"
	keyWithheld = "withheld." // and what: its n is 1
)

// releaseMonth makes the figures of a month. What a site with less than Step
// visits has counted appears in no figure at all.
func (r rule) releaseMonth(sites map[string]monthCounts) release {
	out := release{}
	for site, counts := range sites {
		visits := r.show(counts.keys[keyVisits])
		if visits == 0 {
			continue
		}
		out[cell{site, keyVisits}] = visits
		done, left := 0, 0
		for key, n := range counts.keys {
			if strings.HasPrefix(key, "demarche.") {
				switch {
				case strings.HasSuffix(key, ".done"):
					done += n
				case strings.HasSuffix(key, ".left"):
					left += n
				}
			}
		}
		out.put(cell{site, keyDone}, r.show(done))
		out.put(cell{site, keyLeft}, r.show(left))
		for _, key := range []string{store.CallInTime, store.CallLate} {
			out.put(cell{site, key}, r.show(counts.keys[key]))
		}
		told := []breakdown{{visits, 1}}
		told = r.tell(out, site, "hours", hoursOf(counts.keys), told)
		r.tell(out, site, "days", prefixed(keyDay, counts.days), told)
	}
	return out
}

// tell adds a breakdown of a total to a release, unless those that are told
// already would then tell too much. It returns all that are told.
func (r rule) tell(out release, site, name string, parts map[string]int, told []breakdown) []breakdown {
	var b breakdown
	for _, n := range parts {
		b.add(r.show(n))
	}
	if !r.together(append(slices.Clip(told), b)...) {
		out[cell{site, keyWithheld + name}] = 1
		return told
	}
	for key, n := range parts {
		out.put(cell{site, key}, r.show(n))
	}
	return append(slices.Clip(told), b)
}

func (out release) put(c cell, n int) {
	if n > 0 {
		out[c] = n
	}
}

func hoursOf(keys map[string]int) map[string]int {
	hours := map[string]int{}
	for h := range 24 {
		key := fmt.Sprintf("%s%02d", keyHour, h)
		if n := keys[key]; n > 0 {
			hours[key] = n
		}
	}
	return hours
}

func prefixed(prefix string, parts map[string]int) map[string]int {
	named := make(map[string]int, len(parts))
	for part, n := range parts {
		named[prefix+part] = n
	}
	return named
}

// Families of what is told of all sites and a quarter, by what their keys begin
// with. Visits in the first language of the bornes are not among them: they would
// be the rest of all visits.
const (
	familyPage     = "left.demarche." // and the question on which démarches were left
	familyLanguage = "language."
	familyFace     = "leaving."
	familyMissing  = "missing."
	familyAid      = "aid."
	familyLevel    = "level."
	familyNeed     = "need."
	familyOther    = "left." // other journeys, and where they were left
	familySearch   = "search"
)

// mostKeys is how many keys of one family are looked at: the bornes send
// whatever they count, and nobody reads a thousand lines.
const mostKeys = 200

// releaseQuarter makes the figures of a quarter, of all sites together, from
// what was counted in its months and from what of those months is told already.
func (r rule) releaseQuarter(months []map[string]monthCounts, told []release) release {
	sum := map[string]int{}
	var visits, done, left breakdown
	for i, month := range months {
		for site, counts := range month {
			n := told[i][cell{site, keyVisits}]
			if n == 0 {
				continue
			}
			visits.add(n)
			done.add(told[i][cell{site, keyDone}])
			left.add(told[i][cell{site, keyLeft}])
			for key, n := range counts.keys {
				sum[key] += n
			}
		}
	}
	out := release{}
	r.tell(out, "", "demarches.done", pick(sum, func(k string) bool { return isDemarche(k, ".done") }), []breakdown{done})
	lefts := r.tell(out, "", "demarches.left", pick(sum, func(k string) bool { return isDemarche(k, ".left") }), []breakdown{left})
	r.tell(out, "", "pages", pick(sum, starts(familyPage)), lefts)
	// Each of these is a part of all visits, never the whole: the bound above is
	// the only one.
	for _, family := range []string{familyLanguage, familyFace} {
		parts := pick(sum, func(k string) bool { return strings.HasPrefix(k, family) && k != familyLanguage+"fr" })
		var b breakdown
		for _, n := range parts {
			b.add(r.show(n))
		}
		if !r.within(b, visits) {
			continue
		}
		for key, n := range parts {
			out.put(cell{"", key}, r.show(n))
		}
	}
	for _, family := range []string{familyMissing, familyAid, familyLevel, familyNeed, familySearch, familyOther, store.CallOutcome} {
		for key, n := range pick(sum, func(k string) bool { return strings.HasPrefix(k, family) && !strings.HasPrefix(k, familyPage) }) {
			out.put(cell{"", key}, r.show(n))
		}
	}
	return out
}

func isDemarche(key, end string) bool {
	return strings.HasPrefix(key, "demarche.") && strings.HasSuffix(key, end)
}

func starts(prefix string) func(string) bool {
	return func(key string) bool { return strings.HasPrefix(key, prefix) }
}

// pick gives the counts whose keys are wanted, mostKeys at most.
func pick(counts map[string]int, want func(string) bool) map[string]int {
	picked := map[string]int{}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		if want(key) && len(picked) < mostKeys {
			picked[key] = counts[key]
		}
	}
	return picked
}
