package statistics

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// naive is what many would publish: small counts hidden, the rest as counted,
// and every breakdown of every total.
var naive = rule{
	show: func(n int) int {
		if n < Step {
			return 0
		}
		return n
	},
	together: func(...breakdown) bool { return true },
	within:   func(_, _ breakdown) bool { return true },
}

// roundedOnly rounds, and never looks at what breakdowns tell of each other.
var roundedOnly = rule{show: safe.show, together: naive.together, within: naive.within}

func write(r release) string {
	var lines []string
	for c, n := range r {
		lines = append(lines, fmt.Sprintf("%s/%s=%d", c.site, c.key, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

// sums calls f with every way to make a total of n parts.
func sums(total, n int, f func([]int)) {
	parts := make([]int, n)
	var next func(i, rest int)
	next = func(i, rest int) {
		if i == n-1 {
			parts[i] = rest
			f(parts)
			return
		}
		for v := 0; v <= rest; v++ {
			parts[i] = v
			next(i+1, rest-v)
		}
	}
	next(0, total)
}

// learned looks through all worlds: every way in which up to most residents can
// come in three days and at three hours. It returns what somebody who knows how
// releases are made, and nothing else, learns from one: the parts that are not
// told, yet can't have every value from 0 to 4.
func learned(r rule, most int) (found []string, worlds int) {
	type class struct {
		out  release
		seen [6]uint // bits of the values of each part, days first
	}
	classes := map[string]*class{}
	for total := 0; total <= most; total++ {
		sums(total, 3, func(days []int) {
			d := slices.Clone(days)
			sums(total, 3, func(hours []int) {
				worlds++
				site := monthCounts{keys: map[string]int{keyVisits: total}, days: map[string]int{}}
				for i := range 3 {
					site.days[fmt.Sprintf("%02d", i+1)] = d[i]
					site.keys[fmt.Sprintf("%s%02d", keyHour, i+9)] = hours[i]
				}
				out := r.releaseMonth(map[string]monthCounts{"a": site})
				key := write(out)
				if classes[key] == nil {
					classes[key] = &class{out: out}
				}
				for i := range 3 {
					classes[key].seen[i] |= 1 << d[i]
					classes[key].seen[3+i] |= 1 << hours[i]
				}
			})
		})
	}
	for key, c := range classes {
		if c.out[cell{"a", keyVisits}]+Step > most {
			continue // worlds with more residents would belong to it too
		}
		for i, seen := range c.seen {
			part := fmt.Sprintf("%s%02d", keyDay, i+1)
			if i >= 3 {
				part = fmt.Sprintf("%s%02d", keyHour, i-3+9)
			}
			if c.out[cell{"a", part}] == 0 && seen&31 != 31 {
				found = append(found, fmt.Sprintf("%s is one of %b where %s", part, seen, key))
			}
		}
	}
	return found, worlds
}

func TestNothingSmallIsLearnedInAnyWorld(t *testing.T) {
	t.Parallel()
	found, worlds := learned(safe, 17)
	t.Logf("%d worlds", worlds)
	for i, f := range found {
		if i < 10 {
			t.Error(f)
		}
	}
	for name, r := range map[string]rule{"naive": naive, "rounded only": roundedOnly} {
		found, _ := learned(r, map[string]int{"naive": 12, "rounded only": 19}[name]) // rounding alone hides most
		if len(found) == 0 {
			t.Errorf("%s: the attack finds nothing, so it can't find anything", name)
		}
		t.Logf("%s: %d parts are learned", name, len(found))
	}
}

// city is a month or more of many residents, as bornes would have counted them.
func city(seed uint64, sites, months int) []map[string]monthCounts {
	r := rand.New(rand.NewPCG(seed, 7))
	all := make([]map[string]monthCounts, months)
	for m := range all {
		all[m] = map[string]monthCounts{}
		for s := range sites {
			c := monthCounts{map[string]int{}, map[string]int{}}
			for range []int{3, 40, 150, 400, 900}[s%5] * (50 + r.IntN(100)) / 100 {
				visitor(r, c)
			}
			all[m][fmt.Sprintf("site%d", s)] = c
		}
	}
	return all
}

// visitor counts one visit.
func visitor(r *rand.Rand, c monthCounts) {
	some := func(n int) int { return int(float64(n) * r.Float64() * r.Float64()) } // the first more often
	c.keys[keyVisits]++
	c.days[fmt.Sprintf("%02d", 1+r.IntN(22))]++
	c.keys[fmt.Sprintf("%s%02d", keyHour, 9+some(11))]++
	c.keys["language."+[]string{"fr", "fr", "ar", "en", "falc", "tr"}[some(6)]]++
	demarche := fmt.Sprintf("demarche.d%02d", some(15))
	if r.IntN(4) > 0 {
		c.keys[demarche+".done"]++
	} else {
		c.keys[demarche+".left"]++
		c.keys[fmt.Sprintf("%sq%d", familyPage, 1+some(6))]++
	}
	if r.IntN(5) == 0 {
		c.keys["leaving."+[]string{"yes", "some", "no"}[some(3)]]++
		c.keys["missing."+[]string{"person", "scan", "internet", "long"}[some(4)]]++
	}
	if r.IntN(6) == 0 {
		c.keys["aid."+[]string{"bigger", "contrast", "speech", "low"}[some(4)]]++
	}
}

// told makes the releases of a quarter.
func told(r rule, months []map[string]monthCounts) []release {
	var all []release
	for _, m := range months {
		all = append(all, r.releaseMonth(m))
	}
	return append(all, r.releaseQuarter(months, all))
}

// unknown is what the adversary works out of one count: it lies between two
// numbers.
type unknown struct{ low, high int }

// adversary knows all that is told, how it is made, and when nobody came, since
// the house was closed. A total is a list of breakdowns, all of which come out
// the same; nothing else is linked, so what can be learned of a count is exactly
// what the bounds of its own total leave.
type adversary struct{ totals [][][]*unknown }

// note adds what a release tells of the parts of a breakdown. slack is how much
// more a figure may stand for.
func note(out release, site string, parts map[string]int, slack int) []*unknown {
	var found []*unknown
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		u := &unknown{0, Step - 1}
		if n := out[cell{site, key}]; n > 0 {
			u.low, u.high = n, n+slack
		}
		if parts[key] > 0 {
			found = append(found, u)
		}
	}
	return found
}

// attack tries each hidden count in turn. It returns how many there are, and of
// how many something is learned: that they can't have every value from 0 to 4.
func (a adversary) attack() (hidden, learned int) {
	for _, total := range a.totals {
		for _, breakdown := range total {
			for _, target := range breakdown {
				if target.low > 0 {
					continue
				}
				hidden++
				low, high := 0, 1<<30
				for _, other := range total { // what the total can be
					l, h := 0, 0
					for _, u := range other {
						l, h = l+u.low, h+u.high
					}
					low, high = max(low, l), min(high, h)
				}
				l, h := 0, 0 // what the rest of its own breakdown can be
				for _, u := range breakdown {
					if u != target {
						l, h = l+u.low, h+u.high
					}
				}
				if low-h > 0 || high-l < Step-1 {
					learned++
				}
			}
		}
	}
	return hidden, learned
}

// adversaryOf reads everything told of a quarter of a city.
func adversaryOf(r rule, months []map[string]monthCounts) adversary {
	slack := r.show(Step + 1) // what 6 is told as
	slack = Step - 1 - (slack-Step)*(Step-1)
	var a adversary
	all := told(r, months)
	quarter := all[len(all)-1]
	done, left := []*unknown{}, []*unknown{}
	sum := map[string]int{}
	for m, sites := range months {
		for site, c := range sites {
			if all[m][cell{site, keyVisits}] == 0 {
				continue
			}
			total := [][]*unknown{note(all[m], site, map[string]int{keyVisits: c.keys[keyVisits]}, slack)}
			if all[m][cell{site, keyWithheld + "hours"}] == 0 {
				total = append(total, note(all[m], site, hoursOf(c.keys), slack))
			}
			if all[m][cell{site, keyWithheld + "days"}] == 0 {
				total = append(total, note(all[m], site, prefixed(keyDay, c.days), slack))
			}
			a.totals = append(a.totals, total)
			d, l := 0, 0
			for key, n := range c.keys {
				sum[key] += n
				if isDemarche(key, ".done") {
					d += n
				}
				if isDemarche(key, ".left") {
					l += n
				}
			}
			done = append(done, note(all[m], site, map[string]int{keyDone: d}, slack)...)
			left = append(left, note(all[m], site, map[string]int{keyLeft: l}, slack)...)
		}
	}
	doneTotal, leftTotal := [][]*unknown{done}, [][]*unknown{left}
	if quarter[cell{"", keyWithheld + "demarches.done"}] == 0 {
		doneTotal = append(doneTotal, note(quarter, "", pick(sum, func(k string) bool { return isDemarche(k, ".done") }), slack))
	}
	if quarter[cell{"", keyWithheld + "demarches.left"}] == 0 {
		leftTotal = append(leftTotal, note(quarter, "", pick(sum, func(k string) bool { return isDemarche(k, ".left") }), slack))
	}
	if quarter[cell{"", keyWithheld + "pages"}] == 0 {
		leftTotal = append(leftTotal, note(quarter, "", pick(sum, starts(familyPage)), slack))
	}
	a.totals = append(a.totals, doneTotal, leftTotal)
	return a
}

// All that is told of many cities teaches nothing about any hidden count; what
// is usually published would.
func TestNothingSmallIsLearnedInCities(t *testing.T) {
	t.Parallel()
	hidden, caught := 0, 0
	for seed := range uint64(60) {
		months := city(seed, 1+int(seed%7), 3)
		n, found := adversaryOf(safe, months).attack()
		hidden += n
		if found > 0 {
			t.Errorf("city %d: of %d hidden counts something is learned of %d", seed, n, found)
		}
		_, found = adversaryOf(naive, months).attack()
		caught += found
	}
	t.Logf("%d hidden counts; as usually published, something is learned of %d", hidden, caught)
	if hidden < 1000 || caught < 100 {
		t.Errorf("the attack would not find anything: %d hidden counts, %d learned", hidden, caught)
	}
}

// searches is how often each of two words was searched for in two months of a
// quarter, and how many other searches found nothing: those that bornes don't bring.
type searches struct {
	words [2][2]int
	other int
}

func (s searches) total() (n int) {
	for _, month := range s.words {
		n += month[0] + month[1]
	}
	return n + s.other
}

// wordsTold is all that is told of words of a quarter: the figures of its months,
// and of how many searches found nothing. A quarter's words are their sum.
func wordsTold(s searches) []release {
	var months []map[string]monthCounts
	var told []release
	for m, words := range s.words {
		none := words[0] + words[1]
		if m == 0 {
			none += s.other
		}
		month := map[string]monthCounts{"a": {map[string]int{keyVisits: 100, "search.places.none": none}, map[string]int{}}}
		out := safe.releaseMonth(month)
		maps.Copy(out, safe.releaseWords(map[string]int{"places.a": words[0], "places.b": words[1]}))
		months, told = append(months, month), append(told, out)
	}
	return append(told, safe.releaseQuarter(months, told))
}

// wordsLearned looks through all worlds: every way in which two words can be
// searched for up to 6 times in two months. It returns what somebody who sees all
// that tell says, and nothing else, learns of one that is not told in a month.
func wordsLearned(tell func(searches) string) (found []string, worlds int) {
	const most, others = 6, 24
	type class struct {
		one  searches
		seen [2][2]uint // bits of the values of each
	}
	classes := map[string]*class{}
	for n := range (most + 1) * (most + 1) * (most + 1) * (most + 1) * (others + 1) {
		var s searches
		s.other, n = n%(others+1), n/(others+1)
		for m := range s.words {
			for w := range s.words[m] {
				s.words[m][w], n = n%(most+1), n/(most+1)
			}
		}
		worlds++
		key := tell(s)
		if classes[key] == nil {
			classes[key] = &class{one: s}
		}
		for m, words := range s.words {
			for w, n := range words {
				classes[key].seen[m][w] |= 1 << n
			}
		}
	}
	for key, c := range classes {
		if c.one.total()+2*Step > others {
			continue // worlds with more searches would belong to it too
		}
		for m, words := range c.one.words {
			for w, n := range words {
				if n < Step && c.seen[m][w]&31 != 31 {
					found = append(found, fmt.Sprintf("word %d of month %d is one of %b where %s", w, m, c.seen[m][w], key))
				}
			}
		}
	}
	return found, worlds
}

// From what months and their quarter tell of words nobody learns how often one was
// searched for that is not told. Counting a quarter's words over its months at once,
// as many would, gives some away, and so does telling how many searches there were.
func TestNothingSmallIsLearnedOfWords(t *testing.T) {
	t.Parallel()
	asTold := func(s searches) string {
		var lines []string
		for _, r := range wordsTold(s) {
			lines = append(lines, write(r))
		}
		return strings.Join(lines, "; ")
	}
	found, worlds := wordsLearned(asTold)
	t.Logf("%d worlds", worlds)
	for i, f := range found {
		if i < 10 {
			t.Error(f)
		}
	}
	for name, more := range map[string]func(searches) string{
		"counted over a quarter": func(s searches) string {
			return write(safe.releaseWords(map[string]int{"places.a": s.words[0][0] + s.words[1][0], "places.b": s.words[0][1] + s.words[1][1]}))
		},
		"how many searches there were": func(s searches) string { return fmt.Sprint(s.total()) },
	} {
		found, _ := wordsLearned(func(s searches) string { return asTold(s) + "; " + more(s) })
		if len(found) == 0 {
			t.Errorf("%s: the attack finds nothing, so it can't find anything", name)
		}
		t.Logf("%s: %d figures are learned", name, len(found))
	}
}
