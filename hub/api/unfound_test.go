package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

// A search is kept once, with its site and not its borne; one that comes when its
// month is told is let go of, and the borne may forget it all the same.
func TestUnfound(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		month := h.clock.now().UTC().Format("2006-01")
		before := h.clock.now().UTC().AddDate(0, -12, 0).Format("2006-01")
		put := func(id uuid.UUID, month, data string) {
			t.Helper()
			if err := b.PutUnfound(t.Context(), id, link.Unfound{Month: month, Data: []byte(data)}); err != nil {
				t.Fatal(err)
			}
		}
		kept := func(month string) (all []string) {
			t.Helper()
			err := h.store.EachUnfound(t.Context(), month, func(site string, data []byte) { all = append(all, site+" "+string(data)) })
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		id := uuid.New()
		for range 3 { // its answers were lost
			put(id, month, "sealed")
		}
		put(uuid.New(), before, "of last year")
		if got := kept(month); len(got) != 1 || got[0] != "neudorf sealed" {
			t.Errorf("kept: %q", got)
		}
		if got := kept(before); len(got) != 1 {
			t.Errorf("of last year: %q", got)
		}
		if err := h.store.PutStatistics(t.Context(), month, nil, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := h.store.DropUnfound(t.Context(), month); err != nil {
			t.Fatal(err)
		}
		put(id, month, "sealed")
		put(uuid.New(), month, "too late")
		if got := append(kept(month), kept(before)...); len(got) > 0 {
			t.Errorf("after its month was told: %q", got)
		}
	})
}
