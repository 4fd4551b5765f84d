package callbacks

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
)

// mostAppointments is how many appointments a calendar shows.
const mostAppointments = 1000

// AppointmentsOf lists the appointments of open requests after a time, in order:
// those that a person holds, or those of a site's requests where person is
// empty.
func (q *Queue) AppointmentsOf(ctx context.Context, person, site string, after time.Time) ([]Item, error) {
	if person == "" && site == "" {
		return nil, errors.New("callbacks: appointments of nobody")
	}
	// An appointment is the deadline of its request.
	found, err := q.Store.Callbacks(ctx, store.CallbackFilter{State: Appointment, Holder: person, Site: site,
		After: after, AfterID: uuid.Max, Limit: mostAppointments})
	items := make([]Item, len(found))
	for i, c := range found {
		items[i] = itemOf(c)
	}
	return items, err
}

// ClosedPage is how many requests ClosedBetween lists at a time.
const ClosedPage = 100

// ClosedBetween lists a page of the requests of f that were closed from a time
// on and before another, the last closed first; a zero to is no bound. f.View and
// f.Size don't count. f.Page is what the page before has named as next; an empty
// next says that there is no more. Errors: FieldError for a page that isn't one
// of the list's.
func (q *Queue) ClosedBetween(ctx context.Context, f Filter, from, to time.Time) (items []Item, next string, err error) {
	wanted := f.of(Finished)
	wanted.Limit = ClosedPage + 1
	if !to.IsZero() {
		wanted.After, wanted.AfterID = to.Add(-time.Millisecond), uuid.Max
	}
	if f.Page != "" {
		if wanted.After, wanted.AfterID, err = parsePage(f.Page); err != nil {
			return nil, "", err
		}
		if !to.IsZero() && !wanted.After.Before(to) {
			return nil, "", wrong("page", "Cette page n’est pas de cette période.")
		}
	}
	found, err := q.Store.Callbacks(ctx, wanted)
	if err != nil {
		return nil, "", err
	}
	for _, c := range found {
		switch {
		case c.Closed.Before(from):
			return items, "", nil
		case len(items) == ClosedPage:
			last := items[ClosedPage-1]
			return items, pageAfter(last.Closed, last.ID), nil
		}
		items = append(items, itemOf(c))
	}
	return items, "", nil
}
