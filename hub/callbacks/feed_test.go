package callbacks_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/store"
)

// appoint claims a request and agrees on a time.
func (h *hub) appoint(by callbacks.Actor, id uuid.UUID, when time.Time) callbacks.Item {
	h.t.Helper()
	item, err := h.Appoint(ctx, by, h.claim(by, id).Ref, when, "")
	must(h.t, err)
	return item
}

// Appointments stand in order of time, by who holds them or by site, until the
// request is closed or the appointment is missed.
func TestAppointments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		late := h.appoint(anne, h.take(h.request()), monday.Add(50*time.Hour))
		soon := h.appoint(anne, h.takeAt("ME-01", h.request()), monday.Add(2*time.Hour))
		others := h.appoint(bruno, h.take(h.request()), monday.Add(3*time.Hour))
		h.claim(anne, h.take(h.request())) // without appointment
		wantOf := func(person, site string, after time.Time, want ...uuid.UUID) {
			t.Helper()
			items, err := h.AppointmentsOf(ctx, person, site, after)
			must(t, err)
			if got := ids(items); !slices.Equal(got, want) {
				t.Errorf("of %q at %q: %v, want %v", person, site, got, want)
			}
		}
		wantOf(anne.ID, "", monday, soon.ID, late.ID)
		wantOf(bruno.ID, "", monday, others.ID)
		wantOf("", "neudorf", monday, others.ID, late.ID)
		wantOf("", "meinau", monday, soon.ID)
		wantOf(anne.ID, "", monday.Add(2*time.Hour), late.ID)
		if items, err := h.AppointmentsOf(ctx, "", "", monday); err == nil {
			t.Errorf("of nobody: %v", items)
		}
		page := h.list(callbacks.Filter{View: callbacks.Appointments, Person: anne.ID})
		if got := ids(page.Items); !slices.Equal(got, []uuid.UUID{soon.ID, late.ID}) || page.Counts != (callbacks.Counts{Mine: 3, Appointments: 2, Taken: 4}) {
			t.Errorf("the list: %v, %+v", got, page.Counts)
		}
		if _, err := h.List(ctx, callbacks.Filter{View: callbacks.Appointments}); err == nil {
			t.Error("a list of nobody's appointments")
		}

		moved, err := h.Appoint(ctx, anne, soon.Ref, monday.Add(60*time.Hour), "")
		must(t, err)
		if moved.Revision <= soon.Revision {
			t.Errorf("moved, the revision is %d after %d", moved.Revision, soon.Revision)
		}
		wantOf(anne.ID, "", monday, late.ID, soon.ID)
		_, err = h.Close(ctx, anne, late.Ref, callbacks.Closing{Outcome: callbacks.AppointmentKept})
		must(t, err)
		_, err = h.Attempt(ctx, bruno, others.Ref, callbacks.NoAnswer, "")
		must(t, err)
		wantOf(anne.ID, "", monday, soon.ID)
		wantOf("", "neudorf", monday)
	})
}

// What was closed in a period comes page by page, each once, to the millisecond.
func TestClosedBetween(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		must(t, h.SetSettings(ctx, callbacks.Settings{Hours: 8, Tries: 3, Months: 12, Flood: 500}))
		closeAt := func(when time.Time) uuid.UUID {
			t.Helper()
			id := h.take(h.request())
			h.clock.Set(when)
			_, err := h.Close(ctx, anne, h.claim(anne, id).Ref, callbacks.Closing{Outcome: callbacks.Reached})
			must(t, err)
			return id
		}
		from, to := monday.AddDate(0, 0, 1), monday.AddDate(0, 0, 2)
		closeAt(from.Add(-time.Millisecond))
		var want []uuid.UUID
		for n := range callbacks.ClosedPage + 1 { // some at the same time
			want = append(want, closeAt(from.Add(time.Duration(n/3)*time.Second)))
		}
		want = append(want, closeAt(to.Add(-time.Millisecond)))
		closeAt(to)
		h.take(h.request()) // open

		var got []uuid.UUID
		var pages []int
		for page := ""; ; {
			items, next, err := h.ClosedBetween(ctx, callbacks.Filter{Page: page}, from, to)
			must(t, err)
			for _, i := range items {
				got = append(got, i.ID)
			}
			pages = append(pages, len(items))
			if page = next; page == "" {
				break
			}
		}
		if got[0] != want[len(want)-1] || !slices.Equal(pages, []int{callbacks.ClosedPage, 2}) {
			t.Errorf("pages of %v, the first is %s", pages, got[0])
		}
		order := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(got, order)
		slices.SortFunc(want, order)
		if !slices.Equal(got, want) {
			t.Errorf("%d requests, want %d", len(got), len(want))
		}
		later := "1999999999999." + uuid.NewString()
		for _, page := range []string{"x", "12", "12.x", later} {
			var wrong *callbacks.FieldError
			if _, _, err := h.ClosedBetween(ctx, callbacks.Filter{Page: page}, from, to); !errors.As(err, &wrong) {
				t.Errorf("page %q: %v", page, err)
			}
		}
	})
}
