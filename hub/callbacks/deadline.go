package callbacks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
	"parvis/provisioning/profile"
)

// office are the mediators' hours of a borne that has no profile from the hub.
// On public holidays nobody is there.
var office = func() *hours.Schedule {
	s, err := hours.Parse("Mo-Fr 09:00-12:00,14:00-17:00", hours.Metropole)
	if err != nil {
		panic(err)
	}
	return s
}()

// Site is where a borne stands, by the profile that it should have; the zero
// Site where the hub has none for it.
func (q *Queue) Site(ctx context.Context, borne string) (profile.Site, error) {
	wanted, err := q.Store.Wanted(ctx, borne)
	if err != nil || wanted.Profile == nil {
		return profile.Site{}, err
	}
	f, err := q.Store.File(ctx, wanted.Profile.SHA256)
	if errors.Is(err, store.ErrNotFound) { // another is wanted by now
		return profile.Site{}, nil
	}
	if err != nil {
		return profile.Site{}, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return profile.Site{}, fmt.Errorf("profil de %s : %w", borne, err)
	}
	p, err := profile.Parse(borne, data)
	if err != nil {
		return profile.Site{}, nil // such a one is not handed out; a request must not depend on it
	}
	return p.Site, nil
}

// schedule is when mediators call for a borne: the hours in the profile that it
// should have.
func (q *Queue) schedule(ctx context.Context, borne string) (*hours.Schedule, error) {
	site, err := q.Site(ctx, borne)
	if err != nil || site.Mediators == "" {
		return office, err
	}
	region, err := hours.ParseRegion(site.Region)
	if err != nil {
		return office, nil
	}
	s, err := hours.Parse(site.Mediators, region)
	if err != nil {
		return office, nil
	}
	return s, nil
}

// horizon is how far ahead working hours are counted: longer than any holidays.
const horizon = 90 * 24 * time.Hour

// after is the end of a number of working hours from a moment on.
func after(s *hours.Schedule, from time.Time, working time.Duration) time.Time {
	for _, open := range s.Open(from, from.Add(horizon)) {
		if length := open.End.Sub(open.Start); length < working {
			working -= length
			continue
		}
		return open.Start.Add(working)
	}
	if s != office { // nobody is ever there
		return after(office, from, working)
	}
	return from.Add(horizon)
}

// firstDeadline is when a request should have been called: by the end of the
// first slot that isn't over when it comes, or else within a number of working
// hours.
func firstDeadline(s *hours.Schedule, c store.Callback, working time.Duration) time.Time {
	var first, coming time.Time
	for _, slot := range c.Slots {
		if slot.Start.IsZero() {
			continue
		}
		if first.IsZero() || slot.End.Before(first) {
			first = slot.End
		}
		if slot.End.After(c.Received) && (coming.IsZero() || slot.End.Before(coming)) {
			coming = slot.End
		}
	}
	switch {
	case !coming.IsZero():
		return coming
	case !first.IsZero():
		return first
	}
	from := c.Received
	if c.Created.Before(from) && from.Sub(c.Created) < horizon { // a clock may have been years off
		from = c.Created
	}
	return after(s, from, working)
}

// halfDays is how many half-days ahead a next try is looked for.
const halfDays = 30

// nextTry proposes when to try again after one that did not succeed: in the
// mediators' hours, not in the same half-day, within the resident's slots while
// there are any to come, and if possible in the other half of the day.
func nextTry(s *hours.Schedule, slots []store.Span, tried time.Time) store.Span {
	ahead := callback.Slots(s, tried, halfDays)
	if len(ahead) == 0 {
		ahead = callback.Slots(office, tried, halfDays)
	}
	var wished []store.Span // first the resident's own
	for _, h := range ahead {
		if sameHalf(h.Start, tried) {
			continue
		}
		for _, slot := range slots {
			start, end := later(slot.Start, h.Start), sooner(slot.End, h.End)
			if !slot.Start.IsZero() && start.Before(end) {
				wished = append(wished, store.Span{Start: start, End: end})
			}
		}
	}
	if len(wished) > 0 {
		return wished[0]
	}
	for _, h := range ahead {
		if !sameHalf(h.Start, tried) && isMorning(h.Start) != isMorning(tried) {
			return store.Span(h)
		}
	}
	for _, h := range ahead {
		if !sameHalf(h.Start, tried) {
			return store.Span(h)
		}
	}
	return store.Span{Start: tried, End: after(s, tried, time.Hour)}
}

func isMorning(t time.Time) bool { return t.In(hours.Paris).Hour() < 13 }

func sameHalf(a, b time.Time) bool {
	a, b = a.In(hours.Paris), b.In(hours.Paris)
	return a.YearDay() == b.YearDay() && a.Year() == b.Year() && isMorning(a) == isMorning(b)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
