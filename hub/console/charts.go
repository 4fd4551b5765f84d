package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/statistics"
	"parvis/hub/store"
)

// Charts are drawn here as numbers for SVG, and each comes with its words: a
// sentence that says what the eye would see.

// coordinate writes a number for SVG as short as it can be.
func coordinate(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}

// bars is a chart of the visits of a day so far, as they may be told.
type bars struct {
	Visits  string // in words: "30 visites"
	Until   string // "10 h"; empty at midnight
	Average string // how long a visit took; empty where nobody knows
	Bars    []bar  // nil where no breakdown may be told
	ByHour  bool   // they are hours; otherwise parts of the day
	Summary string
}

// bar is a part of the day: where its rectangle stands, and what it says.
type bar struct {
	Label, Text         string // "9 h", "moins de 5"
	N                   int
	X, Y, Width, Height string
}

// The size of the chart of bars, in its own units, and the hours that it
// always shows: those of a town hall. Others come when somebody was there.
const (
	barsWidth   = 720
	barsHeight  = 110
	firstHour   = 8
	lastHour    = 18
	barsBetween = 3
)

// newBars draws the visits of a day at an hour of it.
func newBars(live statistics.Live, now int) bars {
	b := bars{Visits: visitsText(live.Visits), Summary: "Aucun chiffre à montrer."}
	if now > 0 {
		b.Until = strconv.Itoa(now) + fixed + "h"
	}
	parts := shownParts(live.Parts)
	if len(parts) == 0 {
		return b
	}
	b.ByHour = parts[0].To-parts[0].From == 1
	busiest := slices.MaxFunc(parts, func(x, y statistics.Part) int { return x.Visits - y.Visits })
	width := float64(barsWidth) / float64(len(parts))
	for i, p := range parts {
		height := float64(p.Visits) * barsHeight / float64(busiest.Visits)
		b.Bars = append(b.Bars, bar{
			Label: partLabel(p), Text: partText(p, now), N: p.Visits,
			X: coordinate(float64(i) * width), Y: coordinate(barsHeight - height),
			Width: coordinate(width - barsBetween), Height: coordinate(height),
		})
	}
	at, what := partLabel(busiest), "le moment le plus chargé"
	if b.ByHour {
		at, what = "à "+at, "l’heure la plus chargée"
	}
	b.Summary = fmt.Sprintf("%s, dont %s %s, %s.", b.Visits, number(busiest.Visits), at, what)
	return b
}

// visitsText words a number of visits that may be told.
func visitsText(n int) string { return residentsText(n) + fixed + "visites" }

// shownParts leaves out the hours of the night in which nobody came.
func shownParts(parts []statistics.Part) []statistics.Part {
	if len(parts) == 0 || parts[0].To-parts[0].From > 1 {
		return parts
	}
	from, to := firstHour, lastHour
	for _, p := range parts {
		if p.Visits > 0 {
			from, to = min(from, p.From), max(to, p.From)
		}
	}
	return parts[from : to+1]
}

// partLabel names a part of the day: "9 h", "avant 12 h", "12 h – 14 h".
func partLabel(p statistics.Part) string {
	from, to := strconv.Itoa(p.From)+fixed+"h", strconv.Itoa(p.To)+fixed+"h"
	switch {
	case p.To-p.From == 1:
		return from
	case p.From == 0:
		return "avant " + to
	case p.To == 24:
		return "après " + from
	}
	return from + fixed + "–" + fixed + to
}

// partText writes how many came in a part of the day, at an hour of it.
func partText(p statistics.Part, now int) string {
	switch {
	case p.From == now:
		return "en cours"
	case p.From > now:
		return "à venir"
	}
	return residentsText(p.Visits)
}

// trend is a line over the last days, by hour, with gaps where nothing came.
type trend struct {
	Title   string
	Now     string // the last value with its unit; "—" where there is none
	Summary string
	Lines   []string // points of polylines, one for each stretch without a gap
}

// trendDay is a line of the table that says what the drawings show.
type trendDay struct {
	Day    string
	Values []string // one for each trend
}

const (
	trendHeight = 48
	trendHours  = 7 * 24 // one unit of width an hour
	fullHour    = 120    // reports in an hour when all come
)

// measure is one thing that is drawn over the last days.
type measure struct {
	title, unit string
	most        int // the top of the chart
	// value reads it from an hour; ok is false where there is nothing to read.
	value func(hour) (v int, ok bool)
	// sum makes one number of a day's or a week's; about puts it in a sentence.
	sum   func([]int) int
	about func(string) string
}

// hour is one of the last hours of a borne.
type hour struct {
	store.Sample
	begin time.Time
	// due says that the borne should have reported all through it.
	due bool
}

var measures = []measure{
	{"Charge du processeur", "%", 100, func(h hour) (int, bool) { return h.Load, h.Reports > 0 }, slices.Max[[]int], atMost},
	{"Température", "°C", 100, func(h hour) (int, bool) { return h.Temp, h.Reports > 0 && h.Temp > 0 }, slices.Max[[]int], atMost},
	{"Place libre sur le disque", "%", 100, func(h hour) (int, bool) { return h.Disk, h.Reports > 0 }, slices.Min[[]int], func(v string) string { return v + " au moins" }},
	{"Présence", "%", 100, func(h hour) (int, bool) { return 100 * min(h.Reports, fullHour) / fullHour, h.due }, average, func(v string) string { return "Jointe " + v + " du temps" }},
}

func atMost(v string) string { return v + " au plus" }

func average(all []int) int {
	sum := 0
	for _, v := range all {
		sum += v
	}
	return sum / len(all)
}

// newTrends draws the last seven days of a borne. What was before it was
// enrolled, and the hour that runs, don't count as absence.
func newTrends(samples []store.Sample, enrolled, now time.Time, zone *time.Location) ([]trend, []trendDay) {
	first := now.Truncate(time.Hour).Add(-(trendHours - 1) * time.Hour)
	hours := make([]hour, trendHours)
	for i := range hours {
		begin := first.Add(time.Duration(i) * time.Hour)
		hours[i] = hour{begin: begin, due: begin.After(enrolled) && i < trendHours-1}
	}
	for _, s := range samples {
		if i := int(s.Hour.Sub(first) / time.Hour); !s.Hour.Before(first) && i < trendHours {
			hours[i].Sample = s
		}
	}
	var trends []trend
	for _, m := range measures {
		trends = append(trends, m.draw(hours))
	}
	return trends, tell(hours, now.In(zone), zone)
}

func (m measure) draw(hours []hour) trend {
	t := trend{Title: m.title, Now: "—", Summary: "Aucune mesure en 7" + fixed + "jours."}
	var line []string
	cut := func() {
		if len(line) == 1 { // a lone hour is a short line, not nothing
			x, y, _ := strings.Cut(line[0], ",")
			n, _ := strconv.Atoi(x)
			line = append(line, strconv.Itoa(n+1)+","+y)
		}
		if len(line) > 0 {
			t.Lines = append(t.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	var all []int
	for i, h := range hours {
		v, ok := m.value(h)
		if !ok {
			cut()
			continue
		}
		all = append(all, v)
		y := trendHeight - 1 - float64(min(v, m.most))*(trendHeight-2)/float64(m.most)
		line = append(line, strconv.Itoa(i)+","+coordinate(y))
	}
	cut()
	if len(all) > 0 {
		t.Now = m.write(all[len(all)-1])
		t.Summary = m.about(m.write(m.sum(all))) + " en 7" + fixed + "jours."
	}
	return t
}

func (m measure) write(v int) string { return number(v) + fixed + m.unit }

// tell sums the hours up by the calendar day, the newest first.
func tell(hours []hour, now time.Time, zone *time.Location) []trendDay {
	var days []trendDay
	for len(hours) > 0 {
		name := day(hours[0].begin.In(zone), now)
		end := 1
		for end < len(hours) && day(hours[end].begin.In(zone), now) == name {
			end++
		}
		d, any := trendDay{Day: name}, false
		for _, m := range measures {
			var all []int
			for _, h := range hours[:end] {
				if v, ok := m.value(h); ok {
					all = append(all, v)
				}
			}
			value := "—"
			if len(all) > 0 {
				value, any = m.write(m.sum(all)), true
			}
			d.Values = append(d.Values, value)
		}
		if any {
			days = append(days, d)
		}
		hours = hours[end:]
	}
	slices.Reverse(days)
	return days
}
