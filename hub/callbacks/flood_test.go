package callbacks_test

import (
	"errors"
	"testing"
	"time"

	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
)

// A borne that hands over too much has to wait, keeps the rest, and is shown to
// agents until it has calmed down. Others don't feel it.
func TestFlood(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		hand := func(borne string, r callback.Request) error {
			t.Helper()
			data, err := callback.Seal(r, h.to)
			must(t, err)
			_, err = h.Take(ctx, callbacks.Arrival{ID: r.ID, Borne: borne, Code: r.Code, Created: r.Created, Data: data})
			return err
		}
		var last callback.Request
		for n := range 10 {
			h.clock.Set(monday.Add(time.Duration(n) * 20 * time.Second))
			last = h.request()
			must(t, hand("MN-01", last))
		}
		waits := h.request()
		var flood *callbacks.FloodError
		if err := hand("MN-01", waits); !errors.As(err, &flood) || flood.RetryAfter != 7*time.Minute {
			t.Fatalf("the eleventh: %v", err)
		}
		if err := hand("MN-01", last); err != nil {
			t.Errorf("one that is there, again: %v", err)
		}
		must(t, hand("ME-01", h.request()))
		faults, err := h.store.OpenFaults(ctx)
		must(t, err)
		if len(faults) != 1 || faults[0].Borne != "MN-01" || faults[0].Fault != link.FaultFlood {
			t.Errorf("faults: %+v", faults)
		}
		h.clock.Set(h.clock.Now().Add(flood.RetryAfter + time.Second))
		must(t, hand("MN-01", waits))
		must(t, h.Tidy(ctx))
		h.clock.Set(h.clock.Now().Add(time.Hour))
		must(t, h.Tidy(ctx))
		if faults, err := h.store.OpenFaults(ctx); err != nil || len(faults) > 0 {
			t.Errorf("an hour later: %+v, %v", faults, err)
		}
	})
}

// A borne that was cut off for days may bring all at once.
func TestBacklog(t *testing.T) {
	t.Parallel()
	h := newHub(t, sqlite(t))
	for n := range 40 {
		r := h.request()
		r.Created = monday.Add(time.Duration(n-60) * time.Hour)
		h.take(r)
	}
}
