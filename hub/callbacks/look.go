package callbacks

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/callback"
)

// Person is who asks, opened for the holder of a request. It is never written
// down or logged.
type Person struct {
	Phone     string // E.164; empty where Card is given
	Display   string // as people write it: "06 12 34 56 52"
	Mobile    bool   // can receive text messages
	Card      string // number of a city card
	FirstName string // may be empty
	Consented time.Time

	// What the list says too, unless the label could not be read.
	Topic, Lang, Place string
	Slots              []store.Span
	ByText             bool

	History []Step // in order
}

// Step is one thing that was done with a request.
type Step struct {
	At     time.Time
	Person string // ID
	Name   string // as it was then
	Kind   string
	To     string // name of whom the request was handed to
	Note   string // empty for none
}

// Label says in words what was done.
func (s Step) Label() string {
	if s.To != "" {
		return StepLabel(s.Kind) + " à " + s.To
	}
	return StepLabel(s.Kind)
}

// StepLabel reads the kind of a step.
func StepLabel(kind string) string {
	switch kind {
	case stepClaimed:
		return "Prise"
	case stepReleased:
		return "Rendue à la file"
	case stepHanded:
		return "Passée"
	case stepAppointment:
		return "Rendez-vous pris"
	case stepNote:
		return "Note"
	case stepReopened:
		return "Rouverte"
	}
	switch {
	case known(Tries(), kind):
		return Try(kind).Label()
	case known(TextKinds(), kind):
		return "SMS envoyé : " + label(TextKinds(), kind)
	}
	return Outcome(kind).Label()
}

// Look opens who asks, for whoever holds the request or has closed it. The
// audit log tells so, in the same transaction: without its line nothing is
// opened. Errors: TakenError, ErrState where nobody holds it, ErrGone,
// ErrSealed.
func (q *Queue) Look(ctx context.Context, by Actor, id uuid.UUID) (Person, error) {
	var p Person
	err := q.Store.ChangeCallback(ctx, id, func(c store.Callback) (store.CallbackChange, error) {
		p = Person{}
		if err := mayLook(c, by); err != nil {
			return store.CallbackChange{}, err
		}
		r, err := q.open(c)
		if err != nil {
			return store.CallbackChange{}, err
		}
		p = personOf(r)
		r.Wipe()
		audit, err := newAudit(c, by, people.CallbackSeen, nil, q.Now())
		return store.CallbackChange{Audit: audit}, err
	})
	if err != nil {
		return Person{}, gone(err)
	}
	p.History, err = q.history(ctx, id)
	return p, err
}

func mayLook(c store.Callback, by Actor) error {
	switch {
	case c.State == Waiting || c.State == store.CallbackRaw:
		return ErrState
	case c.Holder != by.ID:
		return &TakenError{c.Holder, c.HolderName}
	}
	return nil
}

func personOf(r callback.Request) Person {
	p := Person{Phone: r.Phone, Card: r.Card, FirstName: r.FirstName, Consented: r.Created,
		Topic: r.Topic, Lang: r.Lang, Place: r.PlaceID, ByText: r.Text}
	if r.Phone != "" {
		typed := r.Phone
		if rest, ok := strings.CutPrefix(typed, "+33"); ok {
			typed = "0" + rest
		}
		number := callback.CheckPhone(typed)
		p.Display, p.Mobile = number.Display, number.Mobile
	}
	for _, s := range r.Slots {
		p.Slots = append(p.Slots, store.Span(s))
	}
	return p
}

func (q *Queue) history(ctx context.Context, id uuid.UUID) ([]Step, error) {
	c, err := q.Store.Callback(ctx, id)
	if err != nil {
		return nil, gone(err)
	}
	steps, err := q.Store.CallbackSteps(ctx, id)
	if err != nil {
		return nil, err
	}
	var all []Step
	for _, s := range steps {
		step := Step{At: s.At, Person: s.Person, Name: s.Name, Kind: s.Kind}
		if len(s.Note) > 0 {
			note, err := unlock(c.Key, s.Note, forNote(s.ID))
			if err != nil {
				return nil, err
			}
			step.Note = string(note)
		}
		if s.Kind == stepHanded {
			step.To, step.Note = step.Note, ""
		}
		all = append(all, step)
	}
	return all, nil
}
