package callbacks_test

import (
	"testing"
	"time"

	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/hub/store"
)

// A request from its arrival to its end.
func TestWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		id := h.take(h.request())
		page := h.list(callbacks.Filter{View: callbacks.ToTake})
		if len(page.Items) != 1 || page.Items[0].ID != id || page.Items[0].SiteName != "Mairie de Neudorf" || !page.Items[0].Labelled ||
			page.Items[0].Topic != "papiers_elections_citoyennete" || page.Counts != (callbacks.Counts{Waiting: 1}) {
			t.Fatalf("to take: %+v", page)
		}
		item := h.claim(anne, id)
		if item.HolderName != "Anne" || item.State != callbacks.Claimed {
			t.Errorf("claimed: %+v", item)
		}
		who, err := h.Look(ctx, anne, id)
		must(t, err)
		if who.Phone != phone || who.Display != "06 12 34 56 52" || who.FirstName != "Apolline" || !who.Mobile {
			t.Errorf("seen: %+v", who)
		}
		log, err := h.store.Audit(ctx, store.AuditFilter{Action: string(people.CallbackSeen)})
		must(t, err)
		if len(log) != 1 || log[0].Object != item.Code || log[0].Person != anne.ID {
			t.Errorf("audit log: %+v", log)
		}
		item, err = h.Attempt(ctx, anne, item.Ref, callbacks.NoAnswer, "rappeler le matin")
		must(t, err)
		item, err = h.Close(ctx, anne, item.Ref, callbacks.Closing{Outcome: callbacks.Reached, HelpedWith: []string{"logement"}, Autonomy: "autonome", Note: "fait"})
		must(t, err)
		if item.State != callbacks.Closed || item.Outcome != callbacks.Reached || item.Tries != 1 {
			t.Errorf("closed: %+v", item)
		}
		who, err = h.Look(ctx, anne, id)
		must(t, err)
		if len(who.History) != 3 || who.History[1].Note != "rappeler le matin" || who.History[2].Note != "fait" {
			t.Errorf("history: %+v", who.History)
		}
		if page := h.list(callbacks.Filter{View: callbacks.Finished, Person: anne.ID}); len(page.Items) != 1 || page.Counts != (callbacks.Counts{Closed: 1}) {
			t.Errorf("finished: %+v", page)
		}
		h.clock.Set(monday.Add(callbacks.KeepClosed + time.Minute))
		n, err := h.Purge(ctx)
		must(t, err)
		if _, err := h.Item(ctx, id); n != 1 || err != callbacks.ErrGone {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}
