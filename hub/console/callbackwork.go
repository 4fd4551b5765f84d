package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/callbacks"
	"parvis/hub/people"
)

// claimCallback takes a request, and shows who asks.
func (c *Console) claimCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	taken, err := c.Callbacks.Claim(r.Context(), c.actor(v), i.ID)
	if err != nil {
		return c.callbackFailed(w, r, v, i, callbackForm{}, err)
	}
	q := readCallbackQuery(r.URL.Query())
	q.View, q.Page = callbacks.Mine, ""
	return c.redirect(w, r, c.oneCallback(taken, v, q).SeeURL(), "La demande est à vous. Vos collègues le voient.")
}

// refOf is the request as the form's page showed it.
func refOf(i callbacks.Item, r *http.Request) callbacks.Ref {
	n, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
	if err != nil {
		n = -1 // no request is at that
	}
	return callbacks.Ref{ID: i.ID, Revision: n}
}

// workOnCallback notes what has come of a call.
func (c *Console) workOnCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	form, by, ref := readCallbackForm(r.PostForm), c.actor(v), refOf(i, r)
	if warning, found := callbacks.NoteWarning(form.Note); found && !form.Confirmed && i.Holder == v.ID {
		form.Warning = warning.Message
		var wrong formErrors
		wrong.add("note", warning.Message)
		return c.showCallback(w, r, v, i, form, wrong, 0)
	}
	q := readCallbackQuery(r.URL.Query())
	here := "/rappels/" + i.ID.String() + q.String()
	switch what := form.What; {
	case isWord(callbacks.Tries(), what):
		after, err := c.Callbacks.Attempt(ctx, by, ref, callbacks.Try(what), form.Note)
		if err != nil {
			return c.callbackFailed(w, r, v, i, form, err)
		}
		return c.redirect(w, r, here, "C’est noté. Prochain essai proposé : "+c.nextTryText(after)+".")
	case what == whatAppointment:
		when, wrong := c.appointmentOf(form)
		if len(wrong) > 0 {
			return c.showCallback(w, r, v, i, form, wrong, 0)
		}
		after, err := c.Callbacks.Appoint(ctx, by, ref, when, form.Note)
		if err != nil {
			return c.callbackFailed(w, r, v, i, form, err)
		}
		return c.redirect(w, r, here, "Rendez-vous noté : "+c.dayAndHour(after.Appointment)+".")
	case what == whatNote:
		if _, err := c.Callbacks.AddNote(ctx, by, ref, form.Note); err != nil {
			return c.callbackFailed(w, r, v, i, form, err)
		}
		return c.redirect(w, r, here, "La note est enregistrée.")
	case what == "":
		var wrong formErrors
		wrong.add("quoi", "Dites ce qu’a donné l’appel.")
		return c.showCallback(w, r, v, i, form, wrong, 0)
	}
	if _, err := c.Callbacks.Close(ctx, by, ref, closingOf(form)); err != nil {
		return c.callbackFailed(w, r, v, i, form, err)
	}
	q.Page = ""
	return c.redirect(w, r, "/rappels"+q.String(), "La demande "+c.rowOf(i, v.ID).Code+" est close.")
}

// closingOf keeps of a form what goes with its outcome: the page hides the rest.
func closingOf(f callbackForm) callbacks.Closing {
	how := callbacks.Closing{Outcome: callbacks.Outcome(f.What), Note: f.Note}
	switch how.Outcome {
	case callbacks.Redirected:
		how.SentTo, how.SentPlace = f.SentTo, f.Place
		fallthrough
	case callbacks.Reached, callbacks.AppointmentKept:
		how.HelpedWith, how.Autonomy = f.Topics, f.Autonomy
	}
	return how
}

func isWord(words []callbacks.Word, key string) bool {
	return slices.ContainsFunc(words, func(w callbacks.Word) bool { return w.Key == key })
}

// appointmentOf reads when the resident is to be called.
func (c *Console) appointmentOf(f callbackForm) (time.Time, formErrors) {
	var wrong formErrors
	when, err := time.ParseInLocation(time.DateOnly, f.Day, c.Zone)
	if err != nil {
		wrong.add("jour", "Donnez le jour du rendez-vous.")
	}
	at, err := time.Parse("15:04", f.Hour)
	if err != nil {
		wrong.add("heure", "Donnez l’heure du rendez-vous, par exemple 14:30.")
	}
	return time.Date(when.Year(), when.Month(), when.Day(), at.Hour(), at.Minute(), 0, 0, c.Zone), wrong
}

func (c *Console) handOverCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	form := readCallbackForm(r.PostForm)
	to := callbacks.Actor{}
	if p, err := c.People.Person(ctx, form.Colleague); err == nil && p.May(people.CallbacksSee) {
		to = callbacks.Actor{ID: p.ID, Name: p.Name}
	} else if err != nil && !errors.Is(err, people.ErrNotFound) {
		return err
	}
	if _, err := c.Callbacks.HandOver(ctx, c.actor(v), refOf(i, r), to); err != nil {
		return c.callbackFailed(w, r, v, i, form, err)
	}
	q := readCallbackQuery(r.URL.Query())
	if to.ID == v.ID {
		return c.redirect(w, r, "/rappels/"+i.ID.String()+q.String(), "La demande est à vous. Vos collègues le voient.")
	}
	q.Page = ""
	return c.redirect(w, r, "/rappels"+q.String(), "La demande est passée à "+to.Name+".")
}

// textCallback sends a text message to whoever asked.
func (c *Console) textCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	form := readCallbackForm(r.PostForm)
	p, err := c.Callbacks.Look(ctx, c.actor(v), i.ID)
	if err != nil {
		return c.callbackFailed(w, r, v, i, form, err)
	}
	if _, err := c.resolveCard(ctx, &p); err != nil {
		return err
	}
	if !p.Mobile {
		return c.callbackFailed(w, r, v, i, form, &callbacks.FieldError{Field: "text", Message: "Ce numéro ne reçoit pas de SMS : appelez."})
	}
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	if _, err := c.Callbacks.SendText(ctx, c.actor(v), refOf(i, r), callbacks.TextKind(form.Text), p.Phone); err != nil {
		return c.callbackFailed(w, r, v, i, form, err)
	}
	return c.redirect(w, r, "/rappels/"+i.ID.String()+readCallbackQuery(r.URL.Query()).String(), "Le SMS est parti.")
}

func (c *Console) releaseCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	if _, err := c.Callbacks.Release(r.Context(), c.actor(v), refOf(i, r)); err != nil {
		return c.callbackFailed(w, r, v, i, readCallbackForm(r.PostForm), err)
	}
	q := readCallbackQuery(r.URL.Query())
	q.Page = ""
	return c.redirect(w, r, "/rappels"+q.String(), "La demande est de nouveau à prendre.")
}

func (c *Console) reopenCallback(w http.ResponseWriter, r *http.Request, v *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	if _, err := c.Callbacks.Reopen(r.Context(), c.actor(v), refOf(i, r)); err != nil {
		return c.callbackFailed(w, r, v, i, callbackForm{}, err)
	}
	return c.redirect(w, r, "/rappels/"+i.ID.String()+readCallbackQuery(r.URL.Query()).String(), "La demande est rouverte : elle est à vous.")
}

// callbackFields are the fields of the page that package callbacks complains of.
var callbackFields = map[string]string{"note": "note", "when": "jour", "outcome": "quoi", "kind": "quoi", "sent_to": "vers",
	"sent_place": "lieu", "autonomy": "autonomie", "topics": "themes", "to": "collegue", "text": "sms"}

// callbackFailed shows a request as it is now, what was filled in, and why
// nothing of that was done.
func (c *Console) callbackFailed(w http.ResponseWriter, r *http.Request, v *visitor, i callbacks.Item, form callbackForm, err error) error {
	var wrong formErrors
	status := http.StatusConflict
	taken, field, unsent := new(callbacks.TakenError), new(callbacks.FieldError), new(alerts.SendError)
	switch {
	case errors.As(err, &unsent):
		status = http.StatusBadGateway
		wrong.add("", "Le SMS n’est pas parti. "+sentence(unsent.Text))
	case errors.Is(err, callbacks.ErrGone):
		return errNoCallback
	case errors.As(err, &taken):
		wrong.add("", cmp.Or(taken.Name, "Quelqu’un")+" a pris cette demande. Rien n’a été enregistré.")
		form.Seen = false
	case errors.Is(err, callbacks.ErrState):
		wrong.add("", "Cette demande a changé entre-temps. Rien n’a été enregistré : relisez, puis recommencez si cela convient encore.")
	case errors.As(err, &field):
		status = http.StatusUnprocessableEntity
		wrong.add(callbackFields[field.Field], field.Message)
	default:
		return err
	}
	i, err = c.callbackItem(r) // as it is now
	if err != nil {
		return err
	}
	form.Seen = form.Seen && i.Holder == v.ID
	return c.showCallback(w, r, v, i, form, wrong, status)
}
