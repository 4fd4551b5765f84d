package voice

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var englishInFull = map[string]string{
	"Mme": "madame", "e.g.": "for example", "etc.": "et cetera",
	"tel.": "telephone", "Tel.": "telephone", "24/7": "at any hour",
}

var englishUnits = map[string]unit{
	"h": {"hour", "hours", false}, "min": {"minute", "minutes", false},
	"km": {"kilometre", "kilometres", false}, "m": {"metre", "metres", false},
	"cm": {"centimetre", "centimetres", false}, "kg": {"kilogram", "kilograms", false},
}

var englishRules = []rule{
	{regexp.MustCompile(`(\d{1,2})/(\d{1,2})/(\d{4})`), englishDate},
	{regexp.MustCompile(`(\d[\d:.]*(?: ?[ap]m)?) ?[–—] ?(\d+)`), func(m []string) string { return m[1] + " to " + m[2] }},
	{either(slices.Collect(maps.Keys(englishInFull))), func(m []string) string { return englishInFull[m[0]] }},
	{regexp.MustCompile(`(?:[nN][°º]|No\.) ?`), func([]string) string { return "number " }},
	{regexp.MustCompile(`(\d{1,2}) ?h ?([0-5]\d)`), func(m []string) string { return m[1] + ":" + m[2] }},
	{regexp.MustCompile(`(\d+) ?(` + alternatives(slices.Collect(maps.Keys(englishUnits))) + `)`), englishQuantity},
	{regexp.MustCompile(`(\d+) ?/ ?(\d+)`), func(m []string) string { return m[1] + " of " + m[2] }},
	{regexp.MustCompile(`[B-DF-HJ-NP-TV-XZ]{2,6}`), letters},
	{either(spelt), letters},
}

// englishDate says a date written day first, as on every French page.
func englishDate(m []string) string {
	day, err := time.Parse("2/1/2006", m[0])
	if err != nil {
		return m[0]
	}
	return day.Format("2 January 2006")
}

func englishQuantity(m []string) string {
	u := englishUnits[m[2]]
	if n, _ := strconv.Atoi(m[1]); n == 1 {
		return m[1] + " " + u.one
	}
	return m[1] + " " + u.many
}
