package hours

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits that keep reading a string from a stranger's file cheap.
const (
	maxBytes = 2048
	maxRules = 64
)

// span is a stretch of one day in minutes from its midnight; end is over 24 h
// when it runs into the night.
type span struct{ start, end int }

const dayMinutes = 24 * 60

// rule is one part of a string, between ";" (or "," where it adds to the one
// before).
type rule struct {
	months []string // canonical year, month and day selectors; none = always
	weeks  []string // canonical week selectors; none = always
	nth    []string // canonical weekday selectors with "[1]"; none = days
	days   [7]bool  // by time.Weekday
	anyDay bool     // no weekday given
	ph     bool     // holds on public holidays
	oneDay bool     // names a single day, such as "Nov 11"
	times  []span
	off    bool
	adds   bool // joined with ",": adds to the days of the rule before

	// Made by prepare from the texts above.
	inMonths, inWeeks, onNth, onHoliday []selector
}

// dated says that the rule depends on more than the day of the week.
func (r rule) dated() bool { return r.months != nil || r.weeks != nil || r.nth != nil || r.ph }

// spellings brings dashes and spaces to one form.
var spellings = strings.NewReplacer("–", "-", "—", "-", "−", "-", "\u00a0", " ", "\u202f", " ", "\t", " ")

// parseRules reads the strict subset of the OSM syntax in which every string
// has one meaning. Anything else is an error that says why, in French.
func parseRules(s string) ([]rule, error) {
	if len(s) > maxBytes {
		return nil, fmt.Errorf("texte trop long (plus de %d caractères)", maxBytes)
	}
	if !utf8.ValidString(s) {
		return nil, errors.New("caractères illisibles")
	}
	s = spellings.Replace(s)
	if strings.TrimSpace(s) == "" {
		return nil, errors.New("aucun horaire")
	}
	for _, c := range []struct{ sign, reason string }{
		{"||", "règle de secours « || » non prise en charge"},
		{`"`, "commentaire entre guillemets : les conditions ne peuvent pas être vérifiées"},
		{"+", "heure de fermeture non précisée (« + »)"},
	} {
		if strings.Contains(s, c.sign) {
			return nil, errors.New(c.reason)
		}
	}
	p := &parser{s: s}
	var rules []rule
	adds := false
	for {
		p.spaces()
		if p.eat(';') {
			adds = false
			continue
		}
		if p.done() {
			break
		}
		r, err := p.rule()
		if err != nil {
			return nil, err
		}
		r.adds = adds
		if len(rules) > 0 && r.anyDay && !r.dated() {
			return nil, errors.New("une règle sans jour suit une autre règle")
		}
		rules = append(rules, r)
		if len(rules) > maxRules {
			return nil, fmt.Errorf("plus de %d règles", maxRules)
		}
		p.spaces()
		switch {
		case p.done():
		case p.eat(';'):
			adds = false
		case p.eat(','):
			adds = true
		default:
			return nil, p.unexpected()
		}
	}
	if len(rules) == 0 {
		return nil, errors.New("aucun horaire")
	}
	return rules, check(rules)
}

// check refuses what would need a guess when rules meet.
func check(rules []rule) error {
	night, timedOff, holidays := false, false, false
	for _, r := range rules {
		if r.adds && r.off {
			return errors.New("« off » après une virgule : non pris en charge")
		}
		if holidays && !r.dated() {
			return errors.New("jours fériés (PH) avant les jours de la semaine : ordre ambigu")
		}
		holidays = holidays || r.ph
		timedOff = timedOff || r.off && len(r.times) > 0
		for _, t := range r.times {
			night = night || t.end > dayMinutes
		}
	}
	if night && timedOff {
		return errors.New("horaires de nuit avec une pause « off » : non pris en charge")
	}
	return nil
}

type parser struct {
	s string
	i int
}

func (p *parser) done() bool { return p.i >= len(p.s) }

func (p *parser) spaces() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *parser) eat(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) unexpected() error {
	if p.done() {
		return errors.New("texte incomplet")
	}
	rest := []rune(p.s[p.i:])
	if len(rest) > 12 {
		rest = rest[:12]
	}
	return fmt.Errorf("texte inattendu « %s »", strings.TrimSpace(string(rest)))
}

func (p *parser) digit() bool { return p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' }

// word looks at the letters ahead without taking them, in lower case.
func (p *parser) word() string {
	j := p.i
	for j < len(p.s) && (p.s[j]|0x20) >= 'a' && (p.s[j]|0x20) <= 'z' {
		j++
	}
	return strings.ToLower(p.s[p.i:j])
}

func (p *parser) rule() (rule, error) {
	var r rule
	if strings.HasPrefix(p.s[p.i:], "24/7") {
		p.i += len("24/7")
		r.days = [7]bool{true, true, true, true, true, true, true}
		r.times = []span{{0, dayMinutes}}
		if p.spaces(); strings.Trim(p.s, " ;") != "24/7" {
			return r, errors.New("« 24/7 » avec d’autres règles : contradictoire")
		}
		return r, nil
	}
	if err := p.dates(&r); err != nil {
		return r, err
	}
	if err := p.weekdays(&r); err != nil {
		return r, err
	}
	if err := p.times(&r); err != nil {
		return r, err
	}
	p.spaces()
	switch w := p.word(); w {
	case "off", "closed":
		p.i += len(w)
		r.off = true
	case "open":
		p.i += len(w)
	case "sunrise", "sunset", "dawn", "dusk":
		return r, errors.New("heure du soleil : non prise en charge")
	case "unknown":
		return r, errors.New("« unknown » : ouverture incertaine")
	}
	if len(r.times) == 0 && !r.off {
		if !p.done() && p.s[p.i] != ';' && p.s[p.i] != ',' {
			return r, p.unexpected()
		}
		return r, errors.New("jour sans heures")
	}
	return r, nil
}

var weekdayNumbers = map[string]time.Weekday{"su": 0, "mo": 1, "tu": 2, "we": 3, "th": 4, "fr": 5, "sa": 6}

var weekdayNames = [7]string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}

// weekdays reads "Mo-Fr,Su,PH" and "Mo[1,3]".
func (p *parser) weekdays(r *rule) error {
	p.spaces()
	any, plain := false, false
	for {
		p.spaces()
		w := p.word()
		day, ok := weekdayNumbers[w]
		switch {
		case w == "ph":
			p.i += 2
			r.ph = true
		case w == "sh":
			return errors.New("« SH » : le calendrier des vacances scolaires n’est pas connu")
		case w == "easter":
			return errors.New("« easter » : non pris en charge")
		case ok:
			p.i += 2
			p.spaces()
			if p.eat('[') {
				sel, err := p.nth(day)
				if err != nil {
					return err
				}
				r.nth = append(r.nth, sel...)
				break
			}
			last := day
			if p.eat('-') {
				p.spaces()
				if last, ok = weekdayNumbers[p.word()]; !ok {
					return p.unexpected()
				}
				p.i += 2
			}
			for d := day; ; d = (d + 1) % 7 {
				r.days[d] = true
				if d == last {
					break
				}
			}
			plain = true
		case any:
			return p.unexpected()
		default:
			r.anyDay = true
			r.days = [7]bool{true, true, true, true, true, true, true}
			return nil
		}
		any = true
		p.spaces()
		if !p.eat(',') {
			break
		}
	}
	if r.nth != nil && (plain || r.ph) {
		return errors.New("jours du mois et autres jours dans une même règle : non pris en charge")
	}
	r.anyDay = !plain && r.nth == nil
	return nil
}

var nthPattern = regexp.MustCompile(`^ *((?:[1-5]|-[1-5])(?: *, *(?:[1-5]|-[1-5]))*|[1-5]-[1-5]) *\]`)

func (p *parser) nth(day time.Weekday) ([]string, error) {
	m := nthPattern.FindStringSubmatch(p.s[p.i:])
	if m == nil || len(m[1]) == 3 && m[1][1] == '-' && m[1][0] >= m[1][2] {
		return nil, p.unexpected()
	}
	p.i += len(m[0])
	var list []string
	for part := range strings.SplitSeq(m[1], ",") {
		list = append(list, weekdayNames[day]+"["+strings.TrimSpace(part)+"]")
	}
	return list, nil
}

// times reads "09:00-12:00,14:00-18:00". A comma before something else than a
// digit is left for the next rule.
func (p *parser) times(r *rule) error {
	p.spaces()
	for p.digit() {
		t, err := p.span()
		if err != nil {
			return err
		}
		r.times = append(r.times, t)
		p.spaces()
		mark := p.i
		if !p.eat(',') {
			break
		}
		if p.spaces(); !p.digit() {
			p.i = mark
			break
		}
	}
	slices.SortFunc(r.times, func(a, b span) int { return a.start - b.start })
	return nil
}

func (p *parser) span() (span, error) {
	from := p.i
	start, err := p.clock()
	if err != nil {
		return span{}, err
	}
	p.spaces()
	if !p.eat('-') {
		return span{}, fmt.Errorf("heure seule « %s » : il manque l’heure de fin", p.s[from:p.i])
	}
	p.spaces()
	end, err := p.clock()
	if err != nil {
		return span{}, err
	}
	p.spaces()
	if !p.done() && (p.s[p.i] == '-' || p.s[p.i] == ':' || p.s[p.i] == '/') {
		p.i++
		return span{}, fmt.Errorf("plage mal formée « %s »", p.s[from:p.i]+p.rest())
	}
	text := strings.TrimSpace(p.s[from:p.i])
	switch {
	case start >= dayMinutes:
		return span{}, fmt.Errorf("heure de début impossible dans « %s »", text)
	case start == end:
		return span{}, fmt.Errorf("début et fin identiques « %s »", text)
	case end < start:
		end += dayMinutes
	}
	if end > start+dayMinutes {
		return span{}, fmt.Errorf("plage de plus de 24 heures « %s »", text)
	}
	return span{start, end}, nil
}

// rest gives what follows up to the next separator, for a message.
func (p *parser) rest() string {
	s := p.s[p.i:]
	if j := strings.IndexAny(s, ",; "); j >= 0 {
		s = s[:j]
	}
	return s
}

func (p *parser) clock() (int, error) {
	from := p.i
	for p.digit() {
		p.i++
	}
	h := p.s[from:p.i]
	if !p.eat(':') || len(h) == 0 || len(h) > 2 {
		p.i = from
		return 0, p.unexpected()
	}
	mark := p.i
	for p.digit() {
		p.i++
	}
	m := p.s[mark:p.i]
	hour, _ := strconv.Atoi(h)
	minute, _ := strconv.Atoi(m)
	// 26:00 is the standard's way to write 2 o'clock in the night after.
	if len(m) != 2 || minute > 59 || hour > 26 || hour == 26 && minute > 0 {
		return 0, fmt.Errorf("heure impossible « %s »", p.s[from:p.i])
	}
	return hour*60 + minute, nil
}
