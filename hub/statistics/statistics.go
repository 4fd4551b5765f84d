package statistics

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"filippo.io/age"

	"parvis/hub/store"
)

// Settle is how long after its end a month is closed. Bornes that were without
// network have told by then what they counted; what comes later is not told.
const Settle = 3 * 24 * time.Hour

// Statistics makes and gives the figures.
type Statistics struct {
	store *store.Store
	zone  *time.Location
	keys  []age.Identity

	mu     sync.Mutex
	closed Period // the last month known to be closed; Year 0: none
}

// New makes the statistics of a store. zone is that of the calendar. keys open the
// searches that found nothing; without them, a month of which there are any is
// closed by whoever has them.
func New(s *store.Store, zone *time.Location, keys ...age.Identity) *Statistics {
	return &Statistics{store: s, zone: zone, keys: keys}
}

// Tidy does what has to be done every hour: it closes months, and then deletes for
// good the searches of those that are over, told or not.
func (s *Statistics) Tidy(ctx context.Context, now time.Time) error {
	if err := s.Close(ctx, now); err != nil {
		return err
	}
	if err := s.store.DropUnfound(ctx, s.last(now).String()); err != nil {
		return err
	}
	_, err := s.store.Scrub(ctx) // if somebody is in the way, it is done in an hour
	return err
}

// last is the last month to be closed.
func (s *Statistics) last(now time.Time) Period {
	return PeriodOf(Month, now.In(s.zone).Add(-Settle)).Before()
}

// Close makes the figures of all months, and of the quarters they complete,
// that ended at least Settle ago and have none yet. It is cheap where there is
// nothing to do, and any number of hubs may call it at once.
func (s *Statistics) Close(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last(now)
	if s.closed == last {
		return nil
	}
	have, err := s.store.ClosedPeriods(ctx)
	if err != nil {
		return err
	}
	closed := map[string]bool{}
	next := Period{}
	for _, text := range have {
		closed[text] = true
		if p, err := ParsePeriod(text); err == nil && p.Kind == Month {
			next = p.After()
		}
	}
	if next.Year == 0 {
		first, err := s.store.FirstCount(ctx)
		if err != nil || first == "" {
			return err
		}
		day, err := time.Parse(time.DateOnly, first)
		if err != nil {
			return fmt.Errorf("statistics: first day %q: %w", first, err)
		}
		next = PeriodOf(Quarter, day).Parts(Month)[0]
	}
	for m := next; !m.Begin(s.zone).After(last.Begin(s.zone)); m = m.After() {
		if len(s.keys) == 0 {
			if there, err := s.store.HasUnfound(ctx, m.String()); err != nil || there {
				return err
			}
		}
		if err := s.closeMonth(ctx, m, now); err != nil {
			return err
		}
		closed[m.String()] = true
	}
	for text := range closed {
		if m, err := ParsePeriod(text); err == nil && m.Kind == Month && m.N%3 == 0 {
			q := PeriodOf(Quarter, m.Begin(time.UTC))
			if closed[q.String()] {
				continue
			}
			if err := s.closeQuarter(ctx, q, now); err != nil {
				return err
			}
		}
	}
	s.closed = last
	return nil
}

func (s *Statistics) closeMonth(ctx context.Context, m Period, now time.Time) error {
	counts, err := s.counts(ctx, m)
	if err != nil {
		return err
	}
	told := safe.releaseMonth(counts)
	words, err := s.words(ctx, m, told)
	if err != nil {
		return err
	}
	maps.Copy(told, words)
	figures := list(m, told)
	service, err := s.service(ctx, m, now)
	if err != nil {
		return err
	}
	return s.store.PutStatistics(ctx, m.String(), append(figures, service...), now)
}

// closeQuarter closes a quarter whose months are closed.
func (s *Statistics) closeQuarter(ctx context.Context, q Period, now time.Time) error {
	var months []map[string]monthCounts
	var told []release
	for _, m := range q.Parts(Month) {
		counts, err := s.counts(ctx, m)
		if err != nil {
			return err
		}
		figures, err := s.store.Statistics(ctx, m.String())
		if err != nil {
			return err
		}
		r := release{}
		for _, f := range figures {
			r[cell{f.Site, f.Key}] = f.N
		}
		months, told = append(months, counts), append(told, r)
	}
	return s.store.PutStatistics(ctx, q.String(), list(q, safe.releaseQuarter(months, told)), now)
}

// counts are what the bornes have counted in a month, by site.
func (s *Statistics) counts(ctx context.Context, m Period) (map[string]monthCounts, error) {
	from, to := m.Begin(time.UTC).Format(time.DateOnly), m.End(time.UTC).AddDate(0, 0, -1).Format(time.DateOnly)
	keys, err := s.store.SiteCounts(ctx, from, to)
	if err != nil {
		return nil, err
	}
	days, err := s.store.SiteDays(ctx, keyVisits, from, to)
	if err != nil {
		return nil, err
	}
	sites := map[string]monthCounts{}
	of := func(site string) monthCounts {
		if _, ok := sites[site]; !ok {
			sites[site] = monthCounts{map[string]int{}, map[string]int{}}
		}
		return sites[site]
	}
	calls, err := s.store.CallCounts(ctx, m.Begin(time.UTC))
	if err != nil {
		return nil, err
	}
	for _, c := range append(keys, calls...) {
		of(c.Site).keys[c.Key] = c.N
	}
	for _, c := range days {
		of(c.Site).days[c.Day[strings.LastIndexByte(c.Day, '-')+1:]] = c.N
	}
	return sites, nil
}

func list(p Period, r release) []store.Statistic {
	figures := make([]store.Statistic, 0, len(r))
	for c, n := range r {
		figures = append(figures, store.Statistic{Period: p.String(), Site: c.site, Key: c.key, N: n})
	}
	return figures
}

// Keys of how the bornes of a site were in a month. They count machines and
// time, not people, and are told as they are.
const (
	keyFaults      = "fault.count"
	keyFaultTime   = "fault.minutes"
	keyHoursDue    = "presence.due"
	keyHoursSilent = "presence.silent"
)

// service tells how often and how long something was wrong with the bornes of
// each site in a month, and how many hours they weren't heard of, where that is
// still known.
func (s *Statistics) service(ctx context.Context, m Period, now time.Time) ([]store.Statistic, error) {
	from, to := m.Begin(s.zone), m.End(s.zone)
	faults, err := s.store.FaultsBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	sum := release{}
	until := map[string]time.Time{} // borne → to when its faults are counted
	for _, f := range faults {
		begin, end := f.Began, f.Ended
		if !begin.Before(from) {
			sum[cell{f.Site, keyFaults}]++
		} else {
			begin = from
		}
		if end.IsZero() || end.After(to) {
			end = to
		}
		if begin.Before(until[f.Borne]) { // two faults at once are one time
			begin = until[f.Borne]
		}
		if end.After(begin) {
			sum[cell{f.Site, keyFaultTime}] += int(end.Sub(begin) / time.Minute)
			until[f.Borne] = end
		}
	}
	if from.Before(store.PresenceSince(now)) {
		return list(m, sum), nil
	}
	presence, err := s.store.Presence(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for _, p := range presence {
		sum[cell{p.Site, keyHoursDue}] = p.Due
		sum[cell{p.Site, keyHoursSilent}] = max(0, p.Due-p.Heard)
	}
	return list(m, sum), nil
}
