package statistics

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/store"
)

// Figures are what may be told of a period, of some sites or of all. Each number
// of residents is a sum of kept figures: nothing is worked out from counts.
type Figures struct {
	Period Period
	Sites  []SiteFigures // those asked for that have figures, by name
	Months []MonthFigures
	Total  Counts
	Hours  [24]int // visits by the hour in which they began
	Days   []Day   // of a month: each day; of a longer period: each weekday, from Monday
	// HoursWithheld and DaysWithheld are the sites and months whose hours and days
	// would give small counts away: they are not in Hours and Days.
	HoursWithheld, DaysWithheld int
	// Detail holds what is told of all sites and whole quarters only, by key; nil
	// where some sites or a month were asked for.
	Detail map[string]int
	// Withheld are those breakdowns in Detail from which a quarter is missing.
	Withheld map[string]bool
	// Unfound is what residents of all sites searched for in vain, what was most
	// often first; nil where some sites were asked for.
	Unfound []Unfound
}

// Counts are the figures of a site, a month or all.
type Counts struct {
	Visits     int
	Done, Left int // démarches
	// Calls are requests to be called back whose first deadline has passed:
	// somebody had tried by then, or nobody had.
	CallsInTime, CallsLate int
	Faults                 int // that began
	Trouble                time.Duration
	Due                    time.Duration // that bornes should have been heard of
	Silent                 time.Duration // that they were not
}

func (c *Counts) add(key string, n int) {
	switch key {
	case keyVisits:
		c.Visits += n
	case keyDone:
		c.Done += n
	case keyLeft:
		c.Left += n
	case store.CallInTime:
		c.CallsInTime += n
	case store.CallLate:
		c.CallsLate += n
	case keyFaults:
		c.Faults += n
	case keyFaultTime:
		c.Trouble += time.Duration(n) * time.Minute
	case keyHoursDue:
		c.Due += time.Duration(n) * time.Hour
	case keyHoursSilent:
		c.Silent += time.Duration(n) * time.Hour
	}
}

// SiteFigures are one site's.
type SiteFigures struct {
	Site store.Site
	Counts
}

// MonthFigures are one month's. Open says that the month is not closed yet: it
// has no figures.
type MonthFigures struct {
	Month Period
	Open  bool
	Counts
}

// Day is one day of a month, or a weekday.
type Day struct {
	Date   int // day of the month; 0 for a weekday
	Week   time.Weekday
	Visits int
}

// Empty reports whether there are no figures at all.
func (f Figures) Empty() bool {
	return !slices.ContainsFunc(f.Months, func(m MonthFigures) bool { return !m.Open })
}

// Complete reports whether every month of the period is closed.
func (f Figures) Complete() bool {
	return !slices.ContainsFunc(f.Months, func(m MonthFigures) bool { return m.Open })
}

// Family lists the figures of Detail whose keys begin with a prefix, the largest
// first, by what follows it.
func (f Figures) Family(prefix, suffix string) []Named {
	var found []Named
	for key, n := range f.Detail {
		name, ok := strings.CutPrefix(key, prefix)
		if name, ends := strings.CutSuffix(name, suffix); ok && ends && name != "" {
			found = append(found, Named{name, n})
		}
	}
	slices.SortFunc(found, func(a, b Named) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.Key, b.Key)
	})
	return found
}

// Named is a figure and its key.
type Named struct {
	Key string
	N   int
}

// Figures reads the figures of a period: of some sites by ID, or of all.
func (s *Statistics) Figures(ctx context.Context, p Period, sites ...string) (Figures, error) {
	closed, err := s.store.ClosedPeriods(ctx)
	if err != nil {
		return Figures{}, err
	}
	f := Figures{Period: p}
	var periods []string
	for _, m := range p.Parts(Month) {
		open := !slices.Contains(closed, m.String())
		f.Months = append(f.Months, MonthFigures{Month: m, Open: open})
		periods = append(periods, m.String())
	}
	if len(sites) == 0 && p.Kind != Month {
		f.Detail, f.Withheld = map[string]int{}, map[string]bool{}
		for _, q := range p.Parts(Quarter) {
			periods = append(periods, q.String())
		}
	}
	kept, err := s.store.Statistics(ctx, periods...)
	if err != nil {
		return Figures{}, err
	}
	known, err := s.store.Sites(ctx)
	if err != nil {
		return Figures{}, err
	}
	f.sum(kept, known, sites)
	return f, nil
}

// sum adds up what is kept.
func (f *Figures) sum(kept []store.Statistic, known []store.Site, sites []string) {
	byID := map[string]*SiteFigures{}
	months := map[string]*MonthFigures{}
	for i := range f.Months {
		months[f.Months[i].Month.String()] = &f.Months[i]
	}
	f.Days = days(f.Period)
	for _, k := range kept {
		switch {
		case strings.HasPrefix(k.Key, keyUnfound):
			if len(sites) == 0 {
				f.addWord(k)
			}
			continue
		case k.Site == "" && strings.HasPrefix(k.Key, keyWithheld):
			f.Withheld[strings.TrimPrefix(k.Key, keyWithheld)] = true
			continue
		case k.Site == "":
			f.Detail[k.Key] += k.N
			continue
		case len(sites) > 0 && !slices.Contains(sites, k.Site):
			continue
		}
		if byID[k.Site] == nil {
			byID[k.Site] = &SiteFigures{Site: store.Site{ID: k.Site, Name: k.Site}}
		}
		byID[k.Site].add(k.Key, k.N)
		f.Total.add(k.Key, k.N)
		if m := months[k.Period]; m != nil {
			m.add(k.Key, k.N)
		}
		f.spread(k)
	}
	f.sortWords()
	for _, site := range known { // in their order
		if s := byID[site.ID]; s != nil {
			s.Site = site
			f.Sites = append(f.Sites, *s)
		}
	}
}

// spread adds visits to their hour or day.
func (f *Figures) spread(k store.Statistic) {
	switch {
	case k.Key == keyWithheld+"hours":
		f.HoursWithheld++
	case k.Key == keyWithheld+"days":
		f.DaysWithheld++
	case strings.HasPrefix(k.Key, keyHour):
		if h, err := strconv.Atoi(strings.TrimPrefix(k.Key, keyHour)); err == nil && h >= 0 && h < 24 {
			f.Hours[h] += k.N
		}
	case strings.HasPrefix(k.Key, keyDay):
		date, err := time.Parse(time.DateOnly, k.Period+"-"+strings.TrimPrefix(k.Key, keyDay))
		if err != nil {
			return
		}
		if f.Period.Kind == Month {
			f.Days[date.Day()-1].Visits += k.N
			return
		}
		f.Days[(int(date.Weekday())+6)%7].Visits += k.N
	}
}

// days are the days of a month, or the weekdays.
func days(p Period) []Day {
	var all []Day
	if p.Kind == Month {
		for d := p.Begin(time.UTC); d.Before(p.End(time.UTC)); d = d.AddDate(0, 0, 1) {
			all = append(all, Day{Date: d.Day(), Week: d.Weekday()})
		}
		return all
	}
	for i := range 7 {
		all = append(all, Day{Week: time.Weekday((i + 1) % 7)})
	}
	return all
}

// Cells are all figures that are kept of one quarter, as they are, but for what
// residents searched for: what is published as open data. The error is
// store.ErrNotFound where the quarter is not closed.
func (s *Statistics) Cells(ctx context.Context, q Period) ([]store.Statistic, error) {
	closed, err := s.store.ClosedPeriods(ctx)
	if err != nil {
		return nil, err
	}
	if q.Kind != Quarter || !slices.Contains(closed, q.String()) {
		return nil, fmt.Errorf("trimestre %s : %w", q, store.ErrNotFound)
	}
	periods := []string{q.String()}
	for _, m := range q.Parts(Month) {
		periods = append(periods, m.String())
	}
	kept, err := s.store.Statistics(ctx, periods...)
	return slices.DeleteFunc(kept, func(k store.Statistic) bool { return strings.HasPrefix(k.Key, keyUnfound) }), err
}

// Closed lists the periods of a kind that are closed as a whole, newest first.
func (s *Statistics) Closed(ctx context.Context, k Kind) ([]Period, error) {
	months, err := s.closedMonths(ctx)
	if err != nil {
		return nil, err
	}
	have := map[Period]int{}
	var all []Period
	for _, m := range months {
		p := PeriodOf(k, m.Begin(time.UTC))
		if have[p]++; have[p] == 1 {
			all = append(all, p)
		}
	}
	all = slices.DeleteFunc(all, func(p Period) bool { return have[p] < k.length() })
	slices.Reverse(all)
	return all, nil
}

// Begun lists the periods of a kind that have a closed month, newest first.
func (s *Statistics) Begun(ctx context.Context, k Kind) ([]Period, error) {
	months, err := s.closedMonths(ctx)
	if err != nil {
		return nil, err
	}
	var all []Period
	for _, m := range slices.Backward(months) {
		if p := PeriodOf(k, m.Begin(time.UTC)); !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all, nil
}

// closedMonths lists the months that are closed, oldest first.
func (s *Statistics) closedMonths(ctx context.Context) ([]Period, error) {
	closed, err := s.store.ClosedPeriods(ctx)
	if err != nil {
		return nil, err
	}
	var months []Period
	for _, text := range closed {
		if p, err := ParsePeriod(text); err == nil && p.Kind == Month {
			months = append(months, p)
		}
	}
	return months, nil
}

// Withheld reports whether a kept key says that something is not told.
func Withheld(key string) bool { return strings.HasPrefix(key, keyWithheld) }
