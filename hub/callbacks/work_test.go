package callbacks_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// What can be done with a request, from each state: what becomes of it, or why
// not.
func TestTransitions(t *testing.T) {
	t.Parallel()
	type C = callbacks.Closing
	act := map[string]func(h *hub, i callbacks.Item) (callbacks.Item, error){
		"claim":          func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.Claim(ctx, anne, i.ID) },
		"claim by other": func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.Claim(ctx, bruno, i.ID) },
		"release":        func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.Release(ctx, anne, i.Ref) },
		"release by other": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Release(ctx, bruno, i.Ref)
		},
		"hand over": func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.HandOver(ctx, anne, i.Ref, bruno) },
		"take over": func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.HandOver(ctx, bruno, i.Ref, bruno) },
		"look": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			_, err := h.Look(ctx, anne, i.ID)
			return i, err
		},
		"look by other": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			_, err := h.Look(ctx, bruno, i.ID)
			return i, err
		},
		"no answer": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Attempt(ctx, anne, i.Ref, callbacks.NoAnswer, "")
		},
		"voicemail by other": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Attempt(ctx, bruno, i.Ref, callbacks.Voicemail, "")
		},
		"appoint": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Appoint(ctx, anne, i.Ref, h.clock.Now().Add(24*time.Hour), "")
		},
		"note": func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.AddNote(ctx, anne, i.Ref, "vu") },
		"reached": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Close(ctx, anne, i.Ref, C{Outcome: callbacks.Reached})
		},
		"kept": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Close(ctx, anne, i.Ref, C{Outcome: callbacks.AppointmentKept})
		},
		"unreachable": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Close(ctx, anne, i.Ref, C{Outcome: callbacks.Unreachable})
		},
		"withdrawn by other": func(h *hub, i callbacks.Item) (callbacks.Item, error) {
			return h.Close(ctx, bruno, i.Ref, C{Outcome: callbacks.Withdrawn})
		},
		"reopen": func(h *hub, i callbacks.Item) (callbacks.Item, error) { return h.Reopen(ctx, bruno, i.Ref) },
	}
	const waiting, claimed, appointment, closed = callbacks.Waiting, callbacks.Claimed, callbacks.Appointment, callbacks.Closed
	ways := map[callbacks.State][]string{waiting: nil, claimed: {"claim"}, appointment: {"claim", "appoint"}, closed: {"claim", "reached"}}
	taken, state, field := "taken", "state", "field"
	tests := []struct {
		do   string
		from map[callbacks.State]any // the state that follows, or the refusal
	}{
		{"claim", map[callbacks.State]any{waiting: claimed, claimed: claimed, appointment: appointment, closed: state}},
		{"claim by other", map[callbacks.State]any{waiting: claimed, claimed: taken, appointment: taken, closed: state}},
		{"release", map[callbacks.State]any{waiting: state, claimed: waiting, appointment: waiting, closed: state}},
		{"release by other", map[callbacks.State]any{waiting: state, claimed: taken, appointment: taken, closed: state}},
		{"hand over", map[callbacks.State]any{waiting: state, claimed: claimed, appointment: appointment, closed: state}},
		{"take over", map[callbacks.State]any{waiting: state, claimed: claimed, appointment: appointment, closed: state}},
		{"look", map[callbacks.State]any{waiting: state, claimed: claimed, appointment: appointment, closed: closed}},
		{"look by other", map[callbacks.State]any{waiting: state, claimed: taken, appointment: taken, closed: taken}},
		{"no answer", map[callbacks.State]any{waiting: state, claimed: claimed, appointment: claimed, closed: state}},
		{"voicemail by other", map[callbacks.State]any{waiting: state, claimed: taken, appointment: taken, closed: state}},
		{"appoint", map[callbacks.State]any{waiting: state, claimed: appointment, appointment: appointment, closed: state}},
		{"note", map[callbacks.State]any{waiting: state, claimed: claimed, appointment: appointment, closed: state}},
		{"reached", map[callbacks.State]any{waiting: state, claimed: closed, appointment: closed, closed: state}},
		{"kept", map[callbacks.State]any{waiting: state, claimed: field, appointment: closed, closed: state}},
		{"unreachable", map[callbacks.State]any{waiting: state, claimed: field, appointment: field, closed: state}},
		{"withdrawn by other", map[callbacks.State]any{waiting: state, claimed: taken, appointment: taken, closed: state}},
		{"reopen", map[callbacks.State]any{waiting: state, claimed: state, appointment: state, closed: claimed}},
	}
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		must(t, h.store.SetSetting(ctx, "callbacks", `{"flood": 1000}`))
		for _, tt := range tests {
			for from, want := range tt.from {
				item := h.item(h.take(h.request()))
				for _, step := range ways[from] {
					var err error
					item, err = act[step](h, item)
					must(t, err)
				}
				if item.State != from {
					t.Fatalf("%s instead of %s", item.State, from)
				}
				got, err := act[tt.do](h, item)
				var by *callbacks.TakenError
				var wrong *callbacks.FieldError
				fine := false
				switch want {
				case taken:
					fine = errors.As(err, &by) && *by == callbacks.TakenError{ID: anne.ID, Name: "Anne"}
				case state:
					fine = errors.Is(err, callbacks.ErrState)
				case field:
					fine = errors.As(err, &wrong)
				default:
					fine = err == nil && got.State == want
				}
				if !fine {
					t.Errorf("%s from %s: %v, %v; want %v", tt.do, from, got.State, err, want)
				}
				if after := h.item(item.ID); err != nil && (after.Revision != item.Revision || after.State != from) {
					t.Errorf("%s from %s was refused, and changed it to %+v", tt.do, from, after)
				}
				// The same click on the same page again counts only where it changes nothing.
				if err == nil && got.Revision != item.Revision && tt.do != "claim" && tt.do != "claim by other" {
					if _, err := act[tt.do](h, item); err == nil {
						t.Errorf("%s from %s: twice", tt.do, from)
					}
				}
			}
		}
		gone := callbacks.Item{Ref: callbacks.Ref{ID: uuid.Must(uuid.NewV7())}}
		for name, do := range act {
			if _, err := do(h, gone); !errors.Is(err, callbacks.ErrGone) {
				t.Errorf("%s of a request that is gone: %v", name, err)
			}
		}
	})
}

// What a request remembers on its way.
func TestWayThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		item := h.claim(anne, h.take(h.request()))
		item, err := h.HandOver(ctx, bruno, item.Ref, bruno)
		must(t, err)
		lines, err := h.store.Audit(ctx, store.AuditFilter{Action: string(people.CallbackHandedOver)})
		must(t, err)
		if item.HolderName != "Bruno" || len(lines) != 1 || lines[0].Detail != `{"de":"Anne","à":"Bruno"}` {
			t.Errorf("taken over: %+v, %+v", item, lines)
		}
		if _, err := h.Look(ctx, anne, item.ID); err == nil {
			t.Error("who had it before may still look")
		}
		tuesday := monday.Add(24 * time.Hour)
		item, err = h.Appoint(ctx, bruno, item.Ref, tuesday, "")
		must(t, err)
		if !item.Appointment.Equal(tuesday) || !item.Deadline.Equal(tuesday) || !item.FirstTry.Equal(monday) {
			t.Errorf("appointed: %+v", item)
		}
		h.clock.Set(tuesday)
		item, err = h.Attempt(ctx, bruno, item.Ref, callbacks.WrongNumber, "le 06 ne répond pas")
		must(t, err)
		if !item.Appointment.IsZero() || item.Tries != 1 || !item.NextTry.After(tuesday) || !item.Deadline.After(item.NextTry) {
			t.Errorf("missed: %+v", item)
		}
		item, err = h.Close(ctx, bruno, item.Ref, callbacks.Closing{Outcome: callbacks.Redirected, SentTo: "aide_sociale", SentPlace: " CCAS ",
			HelpedWith: []string{"logement", "e_mail", "logement"}, Autonomy: "avec_guidage"})
		must(t, err)
		if item.SentPlace != "CCAS" || strings.Join(item.HelpedWith, " ") != "e_mail logement" || !item.Closed.Equal(tuesday) || item.Holder != bruno.ID {
			t.Errorf("closed: %+v", item)
		}
		item, err = h.Reopen(ctx, anne, item.Ref)
		must(t, err)
		if item.HolderName != "Anne" || item.Outcome != "" || len(item.HelpedWith) > 0 || !item.Closed.IsZero() || item.Tries != 1 {
			t.Errorf("reopened: %+v", item)
		}
		who, err := h.Look(ctx, anne, item.ID)
		must(t, err)
		var kinds []string
		for _, s := range who.History {
			kinds = append(kinds, s.Label())
		}
		if got := strings.Join(kinds, ", "); got != "Prise, Passée à Bruno, Rendez-vous pris, Mauvais numéro, Réorienté, Rouverte" {
			t.Errorf("history: %s", got)
		}
		if page := h.list(callbacks.Filter{View: callbacks.Mine, Person: anne.ID}); len(page.Items) != 1 || page.Counts.Closed != 0 {
			t.Errorf("%+v", page)
		}
	})
}

// A request that came back from a backup has no key: nobody can open it, but a
// colleague can be asked to see to it.
func TestHandOverWithoutKey(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	h := newHub(t, storetest.Open(t, dsn))
	item := h.claim(anne, h.take(h.request()))
	db, _ := storetest.Past(t, dsn)
	_, err := db.Exec(`DELETE FROM callback_key`)
	must(t, err)
	item, err = h.HandOver(ctx, anne, item.Ref, bruno)
	must(t, err)
	if item.Holder != bruno.ID {
		t.Errorf("handed over: %+v", item)
	}
}

func TestCloseRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t, sqlite(t))
	item := h.claim(anne, h.take(h.request()))
	for field, how := range map[string]callbacks.Closing{
		"outcome":    {Outcome: "gone"},
		"sent_to":    {Outcome: callbacks.Redirected, SentTo: "mars"},
		"autonomy":   {Outcome: callbacks.Reached, Autonomy: "champion"},
		"topics":     {Outcome: callbacks.Reached, HelpedWith: []string{"logement", "golf"}},
		"sent_place": {Outcome: callbacks.Redirected, SentTo: "autre", SentPlace: strings.Repeat("a", 201)},
		"note":       {Outcome: callbacks.Reached, Note: strings.Repeat("a", callbacks.MaxNote+1)},
	} {
		var wrong *callbacks.FieldError
		if _, err := h.Close(ctx, anne, item.Ref, how); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for name, when := range map[string]time.Time{"past": monday.Add(-time.Hour), "far": monday.AddDate(1, 0, 0)} {
		var wrong *callbacks.FieldError
		if _, err := h.Appoint(ctx, anne, item.Ref, when, ""); !errors.As(err, &wrong) {
			t.Errorf("appointment in the %s: %v", name, err)
		}
	}
	if got := h.item(item.ID); got.Revision != item.Revision {
		t.Errorf("changed: %+v", got)
	}
}
