package callbacks_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/kiosk/callback"
)

func ids(items []callbacks.Item) []uuid.UUID {
	var all []uuid.UUID
	for _, i := range items {
		all = append(all, i.ID)
	}
	return all
}

// Turning pages shows each request once, in order, also while some are taken.
func TestPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		must(t, h.store.SetSetting(ctx, "callbacks", `{"flood": 1000}`))
		var want []uuid.UUID
		for n := range 23 {
			r := h.request()
			if n%5 > 0 { // several have one deadline
				day := monday.AddDate(0, 0, 1+(n*7)%11)
				r.Slots = []callback.Slot{{Start: day, End: day.Add(2 * time.Hour)}}
			}
			want = append(want, h.take(r))
		}
		whole := h.list(callbacks.Filter{View: callbacks.ToTake})
		if len(whole.Items) != len(want) || whole.Next != "" || !slices.IsSortedFunc(whole.Items, func(a, b callbacks.Item) int { return a.Deadline.Compare(b.Deadline) }) {
			t.Fatalf("%d of %d, next %q, or out of order", len(whole.Items), len(want), whole.Next)
		}
		var seen []uuid.UUID
		f := callbacks.Filter{View: callbacks.ToTake, Size: 4}
		for turn := 0; ; turn++ {
			page := h.list(f)
			seen = append(seen, ids(page.Items)...)
			if f.Page = page.Next; f.Page == "" {
				break
			}
			// Somebody takes the last one seen: the next page still begins after it.
			h.claim(anne, page.Items[len(page.Items)-1].ID)
		}
		if !slices.Equal(seen, ids(whole.Items)) {
			t.Errorf("page by page %v\nat once %v", seen, ids(whole.Items))
		}
		mine := h.list(callbacks.Filter{View: callbacks.Mine, Person: anne.ID})
		if len(mine.Items) != 5 || mine.Counts != (callbacks.Counts{Mine: 5, Waiting: 18, Taken: 5}) {
			t.Errorf("%d are mine, %+v", len(mine.Items), mine.Counts)
		}
		for n, i := range mine.Items {
			h.clock.Set(monday.Add(time.Duration(n) * time.Minute))
			_, err := h.Close(ctx, anne, i.Ref, callbacks.Closing{Outcome: callbacks.Reached})
			must(t, err)
		}
		var closed []uuid.UUID
		for f := (callbacks.Filter{View: callbacks.Finished, Size: 2}); ; {
			page := h.list(f)
			closed = append(closed, ids(page.Items)...)
			if f.Page = page.Next; f.Page == "" {
				break
			}
		}
		last := ids(mine.Items)
		if slices.Reverse(last); !slices.Equal(closed, last) {
			t.Errorf("the last closed first: %v, want %v", closed, last)
		}
		for _, page := range []string{"x", "12", "12.x", "x." + uuid.NewString(), "12.x; DROP TABLE callback"} {
			var wrong *callbacks.FieldError
			if _, err := h.List(ctx, callbacks.Filter{View: callbacks.ToTake, Page: page}); !errors.As(err, &wrong) {
				t.Errorf("page %q: %v", page, err)
			}
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		here := h.take(h.request())
		r := h.request()
		r.Lang, r.Topic = "tr", "logement"
		turkish := h.take(r)
		there := h.takeAt("ME-01", h.request())
		for name, tt := range map[string]struct {
			f    callbacks.Filter
			want []uuid.UUID
		}{
			"none":     {callbacks.Filter{}, []uuid.UUID{here, turkish, there}},
			"site":     {callbacks.Filter{Site: "neudorf"}, []uuid.UUID{here, turkish}},
			"language": {callbacks.Filter{Lang: "tr"}, []uuid.UUID{turkish}},
			"topic":    {callbacks.Filter{Topic: "papiers_elections_citoyennete"}, []uuid.UUID{here, there}},
			"two":      {callbacks.Filter{Topic: "papiers_elections_citoyennete", Site: "meinau"}, []uuid.UUID{there}},
			"nothing":  {callbacks.Filter{Lang: "tr", Site: "meinau"}, nil},
		} {
			tt.f.View = callbacks.ToTake
			page := h.list(tt.f)
			got := ids(page.Items)
			slices.SortFunc(got, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
			slices.SortFunc(tt.want, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
			if !slices.Equal(got, tt.want) || page.Counts.Waiting != len(tt.want) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		}
		c, err := h.Choices(ctx)
		must(t, err)
		if !slices.Equal(c.Langs, []string{"fr", "tr"}) || !slices.Equal(c.Topics, []string{"logement", "papiers_elections_citoyennete"}) {
			t.Errorf("choices: %+v", c)
		}
	})
}

// Two requests of one number within 48 hours are shown together, from whatever
// site, and what is kept of the number says nothing without the hub's secret.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		early := h.take(h.request())
		h.clock.Set(monday.Add(47 * time.Hour))
		other := h.request()
		other.Phone = "+33612345653"
		alone := h.take(other)
		again := h.takeAt("ME-01", h.request())
		h.clock.Set(monday.Add(49 * time.Hour))
		late := h.take(h.request())
		for id, want := range map[uuid.UUID][]uuid.UUID{early: {again}, again: {early, late}, late: {again}, alone: nil} {
			item := h.item(id)
			var got []uuid.UUID
			for _, twin := range item.Duplicates {
				got = append(got, twin.ID)
				if twin.Code != h.item(twin.ID).Code {
					t.Errorf("twin %+v has another code", twin)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", item.Code, got, want)
			}
		}
		data, err := callback.Seal(h.request(), h.to)
		must(t, err)
		identity, err := h.key.CallbackIdentity(ctx, h.store)
		must(t, err)
		label, err := callback.UnsealLabel(data, identity)
		must(t, err)
		c, err := h.store.Callback(ctx, early)
		must(t, err)
		if len(c.Same) != 8 || slices.Equal(c.Same, label.Same[:8]) || slices.Equal(c.Same, label.Same[8:]) {
			t.Errorf("kept of the number: %x of %x", c.Same, label.Same)
		}
	})
}

// Every hub's open pages hear of what changes at any of them.
func TestEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, again func() *store.Store) {
		there := h.another(again())
		events := there.store.Watch(t.Context())
		heard := func(what string, id string) {
			t.Helper()
			deadline := time.After(10 * time.Second)
			for {
				select {
				case e := <-events:
					if e == (store.Event{Topic: store.Called, ID: id}) || e == (store.Event{}) { // SQLite: something has changed
						return
					}
				case <-deadline:
					t.Fatalf("%s is not heard of", what)
				}
			}
		}
		id := h.take(h.request())
		heard("an arrival", id.String())
		item := h.claim(anne, id)
		heard("a claim", id.String())
		_, err := h.Close(ctx, anne, item.Ref, callbacks.Closing{Outcome: callbacks.Withdrawn})
		must(t, err)
		heard("the end", id.String())
		h.clock.Set(monday.AddDate(0, 2, 0))
		_, err = h.Purge(ctx)
		must(t, err)
		heard("a deletion", "")
	})
}
