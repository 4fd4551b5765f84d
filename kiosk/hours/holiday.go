package hours

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a borne's image may lack the zone files

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/fr"
)

// Region names the calendar of public holidays that holds in a place.
type Region string

// The regions of France whose public holidays differ.
const (
	Metropole       Region = "metropole"
	AlsaceMoselle   Region = "alsace-moselle"
	Guadeloupe      Region = "guadeloupe"
	Martinique      Region = "martinique"
	Guyane          Region = "guyane"
	LaReunion       Region = "la-reunion"
	Mayotte         Region = "mayotte"
	SaintBarthelemy Region = "saint-barthelemy"
	SaintMartin     Region = "saint-martin"
)

// Regions lists every region, the mainland first.
func Regions() []Region {
	return []Region{Metropole, AlsaceMoselle, Guadeloupe, Martinique, Guyane, LaReunion, Mayotte, SaintBarthelemy, SaintMartin}
}

// ParseRegion reads a region's name; an empty string is the mainland. The
// error is in French.
func ParseRegion(s string) (Region, error) {
	if s == "" {
		return Metropole, nil
	}
	if r := Region(s); slices.Contains(Regions(), r) {
		return r, nil
	}
	names := make([]string, 0, len(Regions()))
	for _, r := range Regions() {
		names = append(names, string(r))
	}
	return "", fmt.Errorf("région inconnue « %s » (choix possibles : %s)", s, strings.Join(names, ", "))
}

// Paris is the zone of all times in this package.
var Paris = mustLoad("Europe/Paris")

func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // cannot happen: time/tzdata is linked in
	}
	return loc
}

// Holiday says whether the day, read in Europe/Paris, is a public holiday in
// the region, and its French name.
func Holiday(day time.Time, r Region) (name string, ok bool) {
	y, m, d := day.In(Paris).Date()
	return holidayOn(date{y, m, d}, r)
}

type date struct {
	year  int
	month time.Month
	day   int
}

func (d date) add(days int) date {
	y, m, day := time.Date(d.year, d.month, d.day+days, 0, 0, 0, 0, time.UTC).Date()
	return date{y, m, day}
}

func (d date) weekday() time.Weekday {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).Weekday()
}

func holidayOn(d date, r Region) (string, bool) {
	if d.year >= firstYear && d.year <= lastYear {
		name, ok := knownHolidays[r]()[d]
		return name, ok
	}
	name, ok := holidaysOf(d.year, r)[d]
	return name, ok
}

// The holidays of these years are worked out once for each region in use:
// a search asks for them thousands of times.
const firstYear, lastYear = 2000, 2100

var knownHolidays = func() map[Region]func() map[date]string {
	all := map[Region]func() map[date]string{}
	for _, r := range Regions() {
		all[r] = sync.OnceValue(func() map[date]string {
			days := map[date]string{}
			for y := firstYear; y <= lastYear; y++ {
				for d, name := range holidaysOf(y, r) {
					days[d] = name
				}
			}
			return days
		})
	}
	all[""] = all[Metropole]
	return all
}()

// national gives the holidays of all France in the words of the Code du
// travail (L3133-1).
var national = map[string]*cal.Holiday{
	"Jour de l’An":       fr.NouvelAn,
	"Lundi de Pâques":    fr.LundiDePâques,
	"Fête du Travail":    fr.FêteDuTravail,
	"Victoire de 1945":   fr.FêteDeLaVictoire,
	"Ascension":          fr.Ascension,
	"Lundi de Pentecôte": fr.LundiDePentecôte,
	"Fête nationale":     fr.FêteNationale,
	"Assomption":         fr.Assomption,
	"Toussaint":          fr.Toussaint,
	"Armistice de 1918":  fr.Armistice1918,
	"Noël":               fr.Noël,
}

// alsaceMoselle gives the two days of the local law (Code du travail L3134-13).
var alsaceMoselle = map[string]*cal.Holiday{
	"Vendredi saint": aa.GoodFriday,
	"Saint-Étienne":  aa.ChristmasDay2,
}

// abolition gives the day on which each overseas collectivity marks the end of
// slavery (Code du travail L3422-2; for Saint-Barthélemy and Saint-Martin the
// décret 83-1003 as amended).
var abolition = map[Region]date{
	Mayotte:         {month: time.April, day: 27},
	Martinique:      {month: time.May, day: 22},
	Guadeloupe:      {month: time.May, day: 27},
	SaintMartin:     {month: time.May, day: 28},
	Guyane:          {month: time.June, day: 10},
	SaintBarthelemy: {month: time.October, day: 9},
	LaReunion:       {month: time.December, day: 20},
}

func holidaysOf(year int, r Region) map[date]string {
	days := map[date]string{}
	if d, ok := abolition[r]; ok {
		days[date{year, d.month, d.day}] = "Abolition de l’esclavage"
	}
	lists := []map[string]*cal.Holiday{national}
	if r == AlsaceMoselle {
		lists = append(lists, alsaceMoselle)
	}
	for _, list := range lists {
		for name, h := range list {
			actual, _ := h.Calc(year)
			if actual.IsZero() {
				continue
			}
			y, m, d := actual.Date()
			k := date{y, m, d}
			// Ascension may fall on another holiday (8 May 1997): both are true,
			// the name must be the same each time.
			if old, taken := days[k]; taken && old < name {
				continue
			}
			days[k] = name
		}
	}
	return days
}
