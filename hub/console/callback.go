package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/packs"
	"parvis/hub/people"
)

// errNoCallback is what a request that was deleted shows.
var errNoCallback = refuse(http.StatusNotFound, "Cette demande n’existe plus",
	"Une demande est effacée 30 jours après sa clôture. Rien ne reste d’elle. Les autres sont dans « Rappels ».")

// callbackItem reads the request that an address names.
func (c *Console) callbackItem(r *http.Request) (callbacks.Item, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return callbacks.Item{}, errNoCallback
	}
	i, err := c.Callbacks.Item(r.Context(), id)
	if errors.Is(err, callbacks.ErrGone) {
		return i, errNoCallback
	}
	return i, err
}

func (c *Console) actor(v *visitor) callbacks.Actor {
	return callbacks.Actor{ID: v.ID, Name: v.Name, Address: v.Address}
}

// oneCallback draws up a request for somebody, without who asks.
func (c *Console) oneCallback(i callbacks.Item, v *visitor, q callbackQuery) *oneCallback {
	o := &oneCallback{callbackRow: c.rowOf(i, v.ID), Query: q, Today: c.Now().In(c.Zone).Format(time.DateOnly)}
	o.Works, o.NextTry, o.Viewer = o.Mine, c.nextTryText(i), v.ID
	if !i.Appointment.IsZero() {
		o.AppointmentText = c.dayAndHour(i.Appointment)
	}
	return o
}

// callbackPage shows a request beside its list; who asks only when that is
// asked for, which the audit log tells.
func (c *Console) callbackPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	form := callbackForm{Seen: r.URL.Query().Get("voir") != ""}
	if i.Labelled {
		form.Topics = []string{i.Topic}
	}
	return c.showCallback(w, r, v, i, form, nil, 0)
}

// showCallback renders the page of a request with what was filled in.
func (c *Console) showCallback(w http.ResponseWriter, r *http.Request, v *visitor, i callbacks.Item, form callbackForm, wrong formErrors, status int) error {
	ctx := r.Context()
	q := readCallbackQuery(r.URL.Query())
	l, err := c.callbackList(ctx, v, q, i.ID.String())
	if err != nil {
		return err
	}
	if err := c.addChoices(ctx, v, l); err != nil {
		return err
	}
	o := c.oneCallback(i, v, l.Query)
	names := c.names(ctx)
	o.name(names)
	o.Form = form
	if form.Seen {
		p, err := c.Callbacks.Look(ctx, c.actor(v), i.ID)
		switch taken := new(callbacks.TakenError); {
		case errors.As(err, &taken):
			wrong.add("", cmp.Or(taken.Name, "Quelqu’un d’autre")+" a pris cette demande : le numéro n’est montré qu’à la personne qui appelle.")
		case errors.Is(err, callbacks.ErrState):
			wrong.add("", "Prenez d’abord la demande : le numéro n’est montré qu’à la personne qui appelle.")
		case errors.Is(err, callbacks.ErrSealed):
			wrong.add("", "Cette demande est scellée pour une autre clé que celle de ce hub : il ne peut pas l’ouvrir. Prévenez votre service informatique.")
		case err != nil:
			return err
		default:
			if o.CardKnown, err = c.resolveCard(ctx, &p); err != nil {
				return err
			}
			o.Person = &p
			if !i.Labelled {
				o.Asked = c.askedFor(p, names)
			}
			for _, s := range p.History {
				o.Steps = append(o.Steps, callbackStep{s.At, s.Label(), s.Name, s.Note})
			}
		}
	}
	if o.Works {
		if err := c.addWork(ctx, v, o); err != nil {
			return err
		}
		site, err := c.Callbacks.Site(ctx, i.Borne)
		if err != nil {
			return err
		}
		o.Offered = offered(names.Places, site)
	}
	l.One = o
	return c.render(w, r, v, "callback", view{Title: "Rappel " + o.Code, Status: status, Data: l, Errors: wrong})
}

// askedFor words what somebody asks for, from their own sealed words.
func (c *Console) askedFor(p callbacks.Person, names packs.Names) string {
	parts := []string{callbacks.TopicLabel(p.Topic), langName(p.Lang), names.Place(p.Place)}
	for _, s := range p.Slots {
		parts = append(parts, slotText(s, c.Now().In(c.Zone), c.Zone))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// addWork fills in what the forms of a request offer.
func (c *Console) addWork(ctx context.Context, v *visitor, o *oneCallback) error {
	settings, err := c.Callbacks.Settings(ctx)
	if err != nil {
		return err
	}
	o.Unreachable = settings.ProposeUnreachable(o.Item)
	if o.Person != nil && o.Person.Mobile && c.Callbacks.Texts(settings) {
		for _, w := range callbacks.TextKinds() {
			if text := settings.TextOf(callbacks.TextKind(w.Key), o.Item); text != "" {
				o.Texts = append(o.Texts, textChoice{w, text})
			}
		}
	}
	o.People, err = c.callers(ctx)
	o.People = slices.DeleteFunc(o.People, func(p choice) bool { return p.Value == v.ID })
	return err
}

// callers lists who may take requests.
func (c *Console) callers(ctx context.Context) ([]choice, error) {
	all, err := c.People.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []choice
	for _, p := range all {
		if p.May(people.CallbacksSee) {
			found = append(found, choice{p.ID, p.Name})
		}
	}
	return found, nil
}

func (c *Console) callbackStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	i, err := c.callbackItem(r)
	if err != nil {
		return err
	}
	q, works := readCallbackQuery(r.URL.Query()), r.URL.Query().Get("formulaire") != ""
	return c.stream(w, r, v, calledPages, func(ctx context.Context) ([]section, error) {
		l, err := c.callbackList(ctx, v, q, i.ID.String())
		if err != nil {
			return nil, err
		}
		now, err := c.Callbacks.Item(ctx, i.ID)
		gone := errors.Is(err, callbacks.ErrGone)
		if err != nil && !gone {
			return nil, err
		}
		l.One = c.oneCallback(now, v, l.Query)
		l.One.name(c.names(ctx))
		sections, err := c.callbackSections("callback", l)
		if err != nil {
			return nil, err
		}
		if sections, err = c.withMenu(ctx, "callback", sections); err != nil {
			return nil, err
		}
		if gone {
			return append(sections, section{ID: "callback-state", HTML: "<p>Cette demande est effacée.</p>"}), nil
		}
		return c.oneSections(sections, l.One, works)
	})
}

// oneSections adds what changes of a request. Forms are never drawn anew under
// whoever fills them in; when the request is theirs no more, what they see of
// the resident goes, and a sentence says why.
func (c *Console) oneSections(sections []section, o *oneCallback, works bool) ([]section, error) {
	ids := []string{"callback-state", "callback-act"}
	if works {
		ids = []string{"callback-state", "callback-lost"}
		switch {
		case o.Mine:
		case o.Waiting():
			o.Lost = "Cette demande est de nouveau à prendre : elle n’est plus à vous."
		case o.Closed():
			o.Lost = "Cette demande vient d’être close."
		default:
			o.Lost = cmp.Or(o.HolderName, "Quelqu’un d’autre") + " s’occupe maintenant de cette demande : elle n’est plus à vous."
		}
		if o.Lost != "" {
			ids = append(ids, "callback-person")
		}
	}
	more, err := c.drawSections("callback", o, ids...)
	return append(sections, more...), err
}
