package callbacks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/callbacks"
	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/kiosk/callback"
)

// mailer gives a hub alerts that send by a mail server, and a queue that uses them.
func mailer(t *testing.T, h *hub) (*hub, *mailtest.Mailbox, *alerts.Alerts) {
	t.Helper()
	box := mailtest.Start(t)
	a := alerts.New(alerts.Options{Store: h.store, Key: h.key, URL: "https://parvis.ville.fr", Now: h.clock.Now, Roots: mailtest.Roots})
	if len(got(a.Channels(ctx))(t)) == 0 {
		_, err := a.PutChannel(ctx, box.Channel(), mailtest.Password)
		must(t, err)
	}
	o := h.Options
	o.Alerts = a
	q, err := callbacks.New(ctx, o)
	must(t, err)
	with := *h
	with.Queue = q
	return &with, box, a
}

// got is a value that must be had: got(f())(t).
func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// deliver has alerts send what waits until the mailbox holds as many letters.
func deliver(t *testing.T, a *alerts.Alerts, box *mailtest.Mailbox, letters int) {
	t.Helper()
	serving, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); a.Serve(serving) }()
	for end := time.Now().Add(10 * time.Second); box.Count() < letters && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	<-done
}

func isField(err error, field string) bool {
	wrong := new(callbacks.FieldError)
	return errors.As(err, &wrong) && wrong.Field == field
}

func (h *hub) set(change func(s *callbacks.Settings)) {
	h.t.Helper()
	s := got(h.Settings(ctx))(h.t)
	change(&s)
	must(h.t, h.SetSettings(ctx, s))
}

// Of each deadline somebody is told once that it comes near and once that it has
// passed, by whichever hub is first, and only while mediators are there.
func TestEscalation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, again func() *store.Store) {
		h, box, a := mailer(t, h)
		other, _, _ := mailer(t, h.another(again()))
		channel := got(a.Channels(ctx))(t)[0].ID
		h.set(func(s *callbacks.Settings) {
			s.Channel, s.Near, s.Hours = channel, 60, 4 // from ten: due at fifteen, as noon to two is closed
			s.Duty[time.Monday] = bruno.ID
		})
		told := func(at time.Time, want ...string) []mailtest.Letter {
			t.Helper()
			h.clock.Set(at)
			must(t, h.Escalate(ctx))
			must(t, other.Escalate(ctx))
			if waiting := got(h.store.DueMessages(ctx, at, 10))(t); len(waiting) != len(want) {
				t.Fatalf("at %v %d messages wait, want %q", at, len(waiting), want)
			}
			deliver(t, a, box, len(want))
			return box.Expect(at.Format("Mon 15:04"), want...)
		}
		clock := func(hour, minute int) time.Time {
			return time.Date(2026, 11, 23, hour, minute, 0, 0, monday.Location())
		}
		id := h.take(h.request())
		second := h.request()
		second.Phone = "+33687654321"
		h.takeAt("ME-01", second)
		if due := h.item(id).Deadline; !due.Equal(clock(16, 0)) {
			t.Fatalf("due at %v", due)
		}
		told(clock(14, 59))
		h.claim(anne, id)
		near := told(clock(15, 0), "[Parvis] 2 demandes de rappel à faire bientôt")[0]
		if strings.Join(near.To, " ") != "Bruno@exemple.fr" {
			t.Errorf("told to %v, not to whoever is on duty", near.To)
		}
		for _, part := range []string{"Mairie de Neudorf : 1, à rappeler avant le 23/11 à 16 h 00.", "Meinau : 1, à rappeler avant le 23/11 à 16 h 00 ; personne n’en a pris 1.",
			"https://parvis.ville.fr/rappels?vue=a-prendre"} {
			if !strings.Contains(mailtest.Plain(near.Text), part) {
				t.Errorf("%q is not in\n%s", part, near.Text)
			}
		}
		if strings.Contains(near.Raw, h.item(id).Code) {
			t.Error("the message names a request: it would stay longer than it")
		}
		told(clock(15, 30))
		told(clock(16, 1), "[Parvis] 2 demandes de rappel en retard")
		told(clock(16, 30))

		// A deadline that follows is another one; at night nobody is told.
		item, err := h.Attempt(ctx, anne, h.item(id).Ref, callbacks.NoAnswer, "")
		must(t, err)
		told(time.Date(2026, 11, 23, 23, 0, 0, 0, monday.Location()))
		tuesday := told(item.Deadline.Add(-30*time.Minute), "[Parvis] 1 demande de rappel à faire bientôt")[0]
		if len(tuesday.To) != 2 {
			t.Errorf("nobody is on duty on tuesday, yet it went to %v", tuesday.To)
		}
		later := item.Deadline.Add(7 * time.Hour) // closed by then
		told(later)
		told(later.Add(15*time.Hour), "[Parvis] 1 demande de rappel en retard")
	})
}

// Who has left is told nothing, and with a channel that is gone nobody is.
func TestNobodyOnDuty(t *testing.T) {
	t.Parallel()
	h, box, a := mailer(t, newHub(t, sqlite(t)))
	channel := got(a.Channels(ctx))(t)[0].ID
	h.set(func(s *callbacks.Settings) {
		s.Channel, s.Hours = channel, 1
		s.Duty[time.Monday] = bruno.ID
	})
	if who := got(h.OnDuty(ctx))(t); who.Name != "Bruno" {
		t.Errorf("on duty: %+v", who)
	}
	_, err := h.store.ChangePerson(ctx, bruno.ID, "admin", func(p *store.Person, _ int) error { p.Role = "reader"; return nil })
	must(t, err)
	if who := got(h.OnDuty(ctx))(t); who.ID != "" {
		t.Errorf("%s may not take requests, yet is on duty", who.Name)
	}
	_, err = h.store.ChangePerson(ctx, bruno.ID, "admin", func(p *store.Person, _ int) error {
		p.Role, p.Disabled = "mediator", monday
		return nil
	})
	must(t, err)
	if who := got(h.OnDuty(ctx))(t); who.ID != "" {
		t.Errorf("%s can't sign in, yet is on duty", who.Name)
	}
	h.take(h.request())
	h.clock.Set(monday.Add(30 * time.Minute))
	must(t, h.Escalate(ctx))
	deliver(t, a, box, 1)
	if l := box.Expect("without bruno", "[Parvis] 1 demande de rappel à faire bientôt"); len(l[0].To) != 2 {
		t.Errorf("to %v, not to the channel’s own addresses", l[0].To)
	}
	must(t, a.RemoveChannel(ctx, channel))
	h.clock.Set(monday.Add(time.Hour + time.Minute))
	if err := h.Escalate(ctx); err != nil {
		t.Errorf("a channel that is gone: %v", err)
	}
}

// A text message goes to the number that was looked at, says nothing of the
// resident, and leaves only that it went.
func TestTexts(t *testing.T) {
	t.Parallel()
	h, box, a := mailer(t, newHub(t, sqlite(t)))
	channel := got(a.Channels(ctx))(t)[0].ID
	r := h.request()
	r.Text = true
	id := h.take(r)
	item := h.claim(anne, id)
	p := got(h.Look(ctx, anne, id))(t)
	if _, err := h.SendText(ctx, anne, item.Ref, callbacks.TextMissed, p.Phone); !isField(err, "text") {
		t.Errorf("without settings: %v", err)
	}
	h.set(func(s *callbacks.Settings) {
		s.Channel, s.Gateway, s.Phone = channel, "{numero}@sms.exemple.fr", "03 88 00 00 00"
	})
	if _, err := h.SendText(ctx, bruno, item.Ref, callbacks.TextMissed, p.Phone); !errors.As(err, new(*callbacks.TakenError)) {
		t.Errorf("by somebody else: %v", err)
	}
	if _, err := h.SendText(ctx, anne, item.Ref, callbacks.TextAppointment, p.Phone); !isField(err, "text") {
		t.Errorf("of an appointment that there isn’t: %v", err)
	}
	older := item.Ref
	item, err := h.SendText(ctx, anne, item.Ref, callbacks.TextMissed, p.Phone)
	must(t, err)
	if _, err := h.SendText(ctx, anne, older, callbacks.TextMissed, p.Phone); !errors.Is(err, callbacks.ErrState) {
		t.Errorf("a second touch on the same button: %v", err)
	}
	l := box.Got()
	if len(l) != 1 || strings.Join(l[0].To, " ") != "0612345652@sms.exemple.fr" {
		t.Fatalf("sent: %+v", l)
	}
	want := "Mairie de Neudorf : nous vous avons appelé au sujet de votre demande " + callback.FormatCode(item.Code) + ". Nous rappellerons. Tél. 03 88 00 00 00"
	if strings.TrimSpace(l[0].Text) != want {
		t.Errorf("text: %q, want %q", l[0].Text, want)
	}
	for _, word := range []string{"Apolline", "Papiers"} {
		if strings.Contains(l[0].Raw, word) {
			t.Errorf("%q goes through the operator", word)
		}
	}
	if item.FirstTry.IsZero() {
		t.Error("a resident who was written to was not reached out to")
	}
	p = got(h.Look(ctx, anne, id))(t)
	if last := p.History[len(p.History)-1]; callbacks.StepLabel(last.Kind) != "SMS envoyé : Nous avons appelé sans vous joindre" || last.Note != "" {
		t.Errorf("history: %+v", last)
	}

	// What does not go is told, leaves no step, and does not repeat the number.
	h.set(func(s *callbacks.Settings) { s.Gateway = "gone@{international}.sms.exemple.fr" })
	if _, err := h.SendText(ctx, anne, item.Ref, callbacks.TextCallUs, p.Phone); err == nil || strings.Contains(err.Error(), "33612345652") {
		t.Errorf("refused: %v", err)
	}
	if again := got(h.Look(ctx, anne, id))(t); len(again.History) != len(p.History) {
		t.Errorf("history of what did not go: %+v", again.History)
	}

	// In the resident's language, with the appointment; and no more than a few.
	h.set(func(s *callbacks.Settings) { s.Gateway = "{international}@sms.exemple.fr" })
	item, err = h.Appoint(ctx, anne, item.Ref, monday.Add(24*time.Hour+30*time.Minute), "")
	must(t, err)
	for range 4 {
		item, err = h.SendText(ctx, anne, item.Ref, callbacks.TextAppointment, p.Phone)
		must(t, err)
	}
	if l := box.Got(); len(l) != 4 || l[0].To[0] != "33612345652@sms.exemple.fr" || !strings.Contains(l[0].Text, "le 24/11/2026 à 10 h 30.") {
		t.Errorf("sent: %+v", l)
	}
	if _, err := h.SendText(ctx, anne, item.Ref, callbacks.TextAppointment, p.Phone); !isField(err, "text") {
		t.Errorf("a sixth: %v", err)
	}
	if lines := got(h.store.Audit(ctx, store.AuditFilter{Action: "callback.text"}))(t); len(lines) != 5 {
		t.Errorf("%d lines in the audit log", len(lines))
	}
}

// Each text exists in each language that a borne may speak.
func TestTextLanguages(t *testing.T) {
	t.Parallel()
	s := callbacks.Settings{Phone: "03 88 00 00 00"}
	seen := make(map[string]string)
	for _, lang := range []string{"fr", "en", "ar"} {
		for _, w := range callbacks.TextKinds() {
			i := callbacks.Item{Ref: callbacks.Ref{ID: uuid.New()}, SiteName: "Mairie", Code: "K7M2QX", Lang: lang, State: callbacks.Appointment, Appointment: monday}
			text := s.TextOf(callbacks.TextKind(w.Key), i)
			if text == "" || strings.ContainsAny(text, "{}") || seen[text] != "" {
				t.Errorf("%s in %s: %q, as in %q", w.Key, lang, text, seen[text])
			}
			seen[text] = lang
		}
	}
}

func TestGatewaySettings(t *testing.T) {
	t.Parallel()
	h := newHub(t, sqlite(t))
	good := got(h.Settings(ctx))(t)
	good.Channel, good.Gateway, good.Phone = "x", "{numero}@sms.exemple.fr", "03 88 00 00 00"
	must(t, h.SetSettings(ctx, good))
	for _, c := range []struct {
		field  string
		change func(s *callbacks.Settings)
	}{
		{"gateway", func(s *callbacks.Settings) { s.Gateway = "sms@exemple.fr" }},
		{"gateway", func(s *callbacks.Settings) { s.Gateway = "{numero}" }},
		{"gateway", func(s *callbacks.Settings) { s.Gateway = "x <{numero}@exemple.fr>" }},
		{"gateway", func(s *callbacks.Settings) { s.Channel = "" }},
		{"phone", func(s *callbacks.Settings) { s.Phone = "appelez Paul" }},
		{"near", func(s *callbacks.Settings) { s.Near = -1 }},
	} {
		s := good
		c.change(&s)
		if err := h.SetSettings(ctx, s); !isField(err, c.field) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// Where nobody is ever there by the profile, somebody is told in the hours of the
// others.
func TestEscalationWhereNobodyIs(t *testing.T) {
	t.Parallel()
	h, box, a := mailer(t, newHub(t, sqlite(t)))
	layers := profiles.New(profiles.Options{Store: h.store, Now: h.clock.Now})
	_, err := layers.Save(ctx, profiles.Change{Layer: profiles.Layer{Scope: store.SiteProfile, Object: "meinau"},
		Text: "[site]\nmediateurs = \"Mo-Su off\"\n", By: "Anne", Why: "essai"})
	must(t, err)
	h.set(func(s *callbacks.Settings) { s.Channel, s.Hours = got(a.Channels(ctx))(t)[0].ID, 1 })
	h.takeAt("ME-01", h.request())
	h.clock.Set(monday.Add(time.Hour + time.Minute))
	must(t, h.Escalate(ctx))
	deliver(t, a, box, 1)
	box.Expect("an hour later", "[Parvis] 1 demande de rappel en retard")
}

// A webhook is told how many wait, and nobody's address.
func TestNoticeByWebhook(t *testing.T) {
	t.Parallel()
	h, _, a := mailer(t, newHub(t, sqlite(t)))
	hook, err := a.PutChannel(ctx, alerts.Channel{Kind: alerts.Webhook, Name: "Tableau", On: true, URL: "https://ailleurs.ville.fr/"}, "une clé assez longue")
	must(t, err)
	h.set(func(s *callbacks.Settings) {
		s.Channel, s.Hours = hook.ID, 1
		s.Duty[time.Monday] = bruno.ID
	})
	h.take(h.request())
	must(t, h.Escalate(ctx))
	waiting := got(h.store.DueMessages(ctx, monday, 10))(t)
	if len(waiting) != 1 || !strings.Contains(waiting[0].Data, "Mairie de Neudorf") || strings.Contains(waiting[0].Data, "exemple.fr") {
		t.Errorf("waiting: %+v", waiting)
	}
}

// Two hubs that have both seen a deadline tell of it once.
func TestToldByOneHub(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, again func() *store.Store) {
		h.take(h.request())
		other := again()
		due := got(h.store.UntoldCallbacks(ctx, monday.AddDate(0, 0, 7), 10))(t)
		if len(due) != 1 {
			t.Fatalf("due: %+v", due)
		}
		for _, late := range []bool{false, true} {
			times := 0
			for _, s := range []*store.Store{h.store, other} {
				must(t, s.TellCallbacks(ctx, due, late, func(told []store.CallbackDue) (store.AlertMessage, error) {
					times++
					return store.AlertMessage{ID: uuid.NewString(), Channel: "x", Data: "{}", Created: monday, Due: monday}, nil
				}))
			}
			if times != 1 {
				t.Errorf("late %v: told %d times", late, times)
			}
		}
	})
}
