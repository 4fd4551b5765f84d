package console

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a small server may have no zones

	"parvis/hub/people"
)

// Spaces that keep what belongs together on one line: the narrow one stands
// inside numbers and before ; ? !, the other before : and units.
const (
	narrow = "\u202f"
	fixed  = "\u00a0"
)

var (
	weekdays = [...]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}
	months   = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
)

// funcs are what templates can call.
func (c *Console) funcs() template.FuncMap {
	return template.FuncMap{
		"age":    func(t time.Time) template.HTML { return age(t, c.Now()) },
		"depuis": func(t time.Time) string { return depuis(t.In(c.Zone), c.Now().In(c.Zone)) },
		"until":  func(t time.Time) string { return until(t.In(c.Zone), c.Now().In(c.Zone)) },
		"ago":    func(t time.Time) string { return ago(t, c.Now()) },
		"clock":  func(t time.Time) string { return clock(t.In(c.Zone)) },
		"date":   func(t time.Time) string { return date(t.In(c.Zone)) },
		"day":    func(t time.Time) string { return day(t.In(c.Zone), c.Now().In(c.Zone)) },
		"since":  func(t time.Time) string { return since(t.In(c.Zone), c.Now().In(c.Zone)) },
		"moment": func(t time.Time) string { return moment(t.In(c.Zone), c.Now().In(c.Zone)) },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"number": number[int],
		"asset":  func(name string) string { return c.assets.path(name) },
		"icon":   func(name string) (template.HTML, error) { return c.assets.icon(name) },
		"role":   func(r people.Role) string { return r.Label() },
		"dict":   dict,
		"fr":     spaces.Replace,
		"keys":   func(m map[string]string) []string { return sortedKeys(m) },
		"plural": plural,
		"next":   nextQuery,
		"left":   func(t time.Time) string { return left(t, c.Now()) },
	}
}

// dict makes a map for a template that needs more than one value.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no key", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// plural gives "1 borne", "12 bornes".
func plural(n int, one, many string) string {
	if n < 2 {
		return number(n) + fixed + one
	}
	return number(n) + fixed + many
}

// number writes a number as French does: 1 204.
func number[N ~int | ~int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(narrow)
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// ago says how long ago something was: "il y a 8 s". The zero time is "jamais".
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "jamais"
	}
	d := now.Sub(t)
	switch {
	case d < time.Second:
		return "à l’instant"
	case d < time.Minute:
		return "il y a " + number(int(d.Seconds())) + fixed + "s"
	case d < time.Hour:
		return "il y a " + number(int(d.Minutes())) + fixed + "min"
	case d < 24*time.Hour:
		return "il y a " + number(int(d.Hours())) + fixed + "h"
	}
	return "il y a " + number(int(d.Hours())/24) + fixed + "j"
}

// left says how long it is until something: "23 h".
func left(t, now time.Time) string {
	if d := t.Sub(now); d >= time.Hour {
		return number(int(d.Hours())) + fixed + "h"
	}
	return number(max(1, int(t.Sub(now).Minutes()))) + fixed + "min"
}

// spaces puts those that hold where French has a space before a sign or inside
// quotation marks, so that no line begins with one.
var spaces = strings.NewReplacer("« ", "«"+fixed, " »", fixed+"»", " :", fixed+":", " ;", narrow+";", " ?", narrow+"?", " !", narrow+"!")

// clock writes a time of day: "9 h 12".
func clock(t time.Time) string {
	return fmt.Sprintf("%d%sh%s%02d", t.Hour(), fixed, fixed, t.Minute())
}

// day names a day as people do: today, yesterday, a weekday within the week,
// then a date.
func day(t, now time.Time) string {
	switch days := daysBetween(t, now); {
	case days == 0:
		return "aujourd’hui"
	case days == 1:
		return "hier"
	case days > 1 && days < 7:
		return weekdays[t.Weekday()]
	case t.Year() == now.Year():
		return date(t)
	}
	return date(t) + " " + strconv.Itoa(t.Year())
}

// date writes "21 novembre", "1er décembre".
func date(t time.Time) string {
	n := strconv.Itoa(t.Day())
	if n == "1" {
		n = "1er"
	}
	return n + fixed + months[t.Month()-1]
}

// daysBetween counts the midnights between two times of one zone.
func daysBetween(t, now time.Time) int {
	midnight := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(now).Sub(midnight(t)).Hours()) / 24
}

// since names when something began, in a word: the hour today, the day before.
func since(t, now time.Time) string {
	if t.IsZero() {
		return "—"
	}
	if daysBetween(t, now) == 0 {
		return clock(t)
	}
	return day(t, now)
}

// moment names a day and an hour: "hier, 9 h 12".
func moment(t, now time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return day(t, now) + ", " + clock(t)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// depuis says since when: "depuis 9 h 12", "depuis lundi", "depuis le 3 mars".
func depuis(t, now time.Time) string {
	if daysBetween(t, now) >= 7 {
		return "depuis le " + since(t, now)
	}
	return "depuis " + since(t, now)
}

// until says until when: "jusqu’à 18 h 00", "jusqu’à demain, 9 h 12",
// "jusqu’au 3 mars, 9 h 12".
func until(t, now time.Time) string {
	switch days := daysBetween(now, t); {
	case days == 0:
		return "jusqu’à " + clock(t)
	case days == 1:
		return "jusqu’à demain, " + clock(t)
	case days == -1:
		return "jusqu’à hier, " + clock(t)
	case t.Year() != now.Year():
		return "jusqu’au " + date(t) + " " + strconv.Itoa(t.Year()) + ", " + clock(t)
	}
	return "jusqu’au " + date(t) + ", " + clock(t)
}
