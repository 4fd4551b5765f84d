package callbacks

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/store"
)

// The kinds of steps, beside the tries and outcomes.
const (
	stepClaimed     = "claimed"
	stepReleased    = "released"
	stepHanded      = "handed_over"
	stepAppointment = "appointment"
	stepNote        = "note"
	stepReopened    = "reopened"
)

// work changes a request that by holds, as seen in ref, and shows it as it is
// then. do changes c, and names the step; nobody else is in between.
func (q *Queue) work(ctx context.Context, by Actor, ref Ref, note string, do func(c *store.Callback, now time.Time) (step string, err error)) (Item, error) {
	return q.change(ctx, by, ref, note, func(c *store.Callback, now time.Time) (string, *store.AuditLine, error) {
		if err := heldBy(c, by); err != nil {
			return "", nil, err
		}
		if c.Revision != ref.Revision {
			return "", nil, ErrState
		}
		step, err := do(c, now)
		return step, nil, err
	})
}

// heldBy makes sure that somebody holds an open request.
func heldBy(c *store.Callback, by Actor) error {
	switch {
	case c.State != Claimed && c.State != Appointment:
		return ErrState
	case c.Holder != by.ID:
		return &TakenError{c.Holder, c.HolderName}
	}
	return nil
}

func (q *Queue) change(ctx context.Context, by Actor, ref Ref, note string, do func(c *store.Callback, now time.Time) (string, *store.AuditLine, error)) (Item, error) {
	note = strings.TrimSpace(note)
	if utf8.RuneCountInString(note) > MaxNote {
		return Item{}, wrong("note", "La note a plus de %d lettres.", MaxNote)
	}
	err := q.Store.ChangeCallback(ctx, ref.ID, func(c store.Callback) (store.CallbackChange, error) {
		now := q.Now()
		kind, audit, err := do(&c, now)
		if err != nil {
			return store.CallbackChange{}, err
		}
		step, err := newStep(c, by, kind, note, now)
		return store.CallbackChange{To: &c, Step: step, Audit: audit}, err
	})
	if err != nil {
		return Item{}, gone(err)
	}
	return q.Item(ctx, ref.ID)
}

// MaxNote is how many letters a note may have.
const MaxNote = 1000

func newStep(c store.Callback, by Actor, kind, note string, now time.Time) (*store.CallbackStep, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	step := &store.CallbackStep{ID: id, Callback: c.ID, At: now, Person: by.ID, Name: by.Name, Kind: kind}
	// Of a request that came back from a backup without its key, too, a colleague
	// can be asked to see to it.
	if note == "" || kind == stepHanded && len(c.Key) == 0 {
		return step, nil
	}
	if len(c.Key) == 0 {
		return nil, errNoKey
	}
	step.Note, err = lock(c.Key, []byte(note), forNote(id))
	return step, err
}

func newAudit(c store.Callback, by Actor, action people.Action, detail map[string]string, now time.Time) (*store.AuditLine, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return nil, err
	}
	return &store.AuditLine{ID: id.String(), At: now, Person: by.ID, Name: by.Name, Action: string(action),
		Borne: c.Borne, Object: c.Code, Detail: string(text), Address: by.Address}, nil
}

// Claim takes a request that nobody has: of several people who do so at once,
// one gets it. To claim what one holds already changes nothing. Errors:
// TakenError, ErrState for a closed one, ErrGone.
func (q *Queue) Claim(ctx context.Context, by Actor, id uuid.UUID) (Item, error) {
	item, err := q.change(ctx, by, Ref{ID: id}, "", func(c *store.Callback, now time.Time) (string, *store.AuditLine, error) {
		switch {
		case c.State == Waiting:
			c.State, c.Holder, c.Claimed = Claimed, by.ID, now
			return stepClaimed, nil, nil
		case c.State != Claimed && c.State != Appointment:
			return "", nil, ErrState
		case c.Holder != by.ID:
			return "", nil, &TakenError{c.Holder, c.HolderName}
		}
		return "", nil, errOwn
	})
	if errors.Is(err, errOwn) {
		return q.Item(ctx, id)
	}
	return item, err
}

// errOwn says that somebody claims what is theirs.
var errOwn = errors.New("callbacks: held already")

// Release gives a request back to the queue. Errors: TakenError, ErrState,
// ErrGone.
func (q *Queue) Release(ctx context.Context, by Actor, ref Ref) (Item, error) {
	return q.work(ctx, by, ref, "", func(c *store.Callback, _ time.Time) (string, error) {
		c.State, c.Holder, c.Claimed, c.Appointment = Waiting, "", time.Time{}, time.Time{}
		return stepReleased, nil
	})
}

// HandOver gives an open request to somebody. Its holder may, and so may any
// colleague, who then takes it over from somebody who is away; the audit log
// tells. Errors: ErrState, ErrGone.
func (q *Queue) HandOver(ctx context.Context, by Actor, ref Ref, to Actor) (Item, error) {
	if to.ID == "" {
		return Item{}, wrong("to", "Choisissez à qui passer la demande.")
	}
	// The step says to whom in place of a note.
	return q.change(ctx, by, ref, to.Name, func(c *store.Callback, now time.Time) (string, *store.AuditLine, error) {
		if c.State != Claimed && c.State != Appointment || c.Revision != ref.Revision {
			return "", nil, ErrState
		}
		audit, err := newAudit(*c, by, people.CallbackHandedOver, map[string]string{"de": c.HolderName, "à": to.Name}, now)
		c.Holder, c.Claimed = to.ID, now
		return stepHanded, audit, err
	})
}

// Attempt notes a call in vain, and proposes when to try again. After an
// appointment that was missed the request is as if just claimed. Errors:
// TakenError, ErrState, ErrGone, FieldError.
func (q *Queue) Attempt(ctx context.Context, by Actor, ref Ref, try Try, note string) (Item, error) {
	if !known(Tries(), string(try)) {
		return Item{}, wrong("kind", "Dites ce qu’a donné l’appel.")
	}
	return q.work(ctx, by, ref, note, func(c *store.Callback, now time.Time) (string, error) {
		schedule, err := q.schedule(ctx, c.Borne)
		if err != nil {
			return "", err
		}
		next := nextTry(schedule, c.Slots, now)
		c.State, c.Appointment = Claimed, time.Time{}
		c.Tries++
		if c.FirstTry.IsZero() {
			c.FirstTry = now
		}
		c.NextTry, c.Deadline = next.Start, next.End
		return string(try), nil
	})
}

// Appoint notes when the resident is to be called. Errors: TakenError,
// ErrState, ErrGone, FieldError.
func (q *Queue) Appoint(ctx context.Context, by Actor, ref Ref, when time.Time, note string) (Item, error) {
	return q.work(ctx, by, ref, note, func(c *store.Callback, now time.Time) (string, error) {
		if !when.After(now) || when.Sub(now) > horizon {
			return "", wrong("when", "Donnez une date à venir, dans les %d jours.", int(horizon.Hours()/24))
		}
		if c.FirstTry.IsZero() {
			c.FirstTry = now
		}
		c.State, c.Appointment, c.Deadline, c.NextTry = Appointment, when, when, time.Time{}
		return stepAppointment, nil
	})
}

// AddNote notes something beside all else. Errors: TakenError, ErrState,
// ErrGone, FieldError.
func (q *Queue) AddNote(ctx context.Context, by Actor, ref Ref, note string) (Item, error) {
	if strings.TrimSpace(note) == "" {
		return Item{}, wrong("note", "La note est vide.")
	}
	return q.work(ctx, by, ref, note, func(*store.Callback, time.Time) (string, error) { return stepNote, nil })
}

// Closing is how a request ends.
type Closing struct {
	Outcome    Outcome
	HelpedWith []string // keys of Topics; may be empty
	Autonomy   string   // key of Autonomies; may be empty
	SentTo     string   // key of Redirections, of Redirected
	SentPlace  string   // ID or name of the place; may be empty
	Note       string
}

// maxPlace is how many letters a place may have.
const maxPlace = 200

func (c Closing) check() error {
	switch {
	case !known(Outcomes(), string(c.Outcome)):
		return wrong("outcome", "Choisissez comment la demande se termine.")
	case c.Outcome == Redirected && !known(redirections, c.SentTo):
		return wrong("sent_to", "Choisissez vers qui la personne est réorientée.")
	case c.Outcome != Redirected && c.SentTo+c.SentPlace != "":
		return wrong("sent_to", "Un lieu ne va qu’avec une réorientation.")
	case c.Autonomy != "" && !known(autonomies, c.Autonomy):
		return wrong("autonomy", "Choisissez un des niveaux d’autonomie.")
	case utf8.RuneCountInString(c.SentPlace) > maxPlace:
		return wrong("sent_place", "Le nom du lieu a plus de %d lettres.", maxPlace)
	case slices.ContainsFunc(c.HelpedWith, func(key string) bool { return !known(Topics(), key) }):
		return wrong("topics", "Choisissez des thèmes de la liste.")
	}
	return nil
}

// Close ends a request. An appointment is kept only if there was one, and
// nobody is unreachable who was not called. Errors: TakenError, ErrState,
// ErrGone, FieldError.
func (q *Queue) Close(ctx context.Context, by Actor, ref Ref, how Closing) (Item, error) {
	if err := how.check(); err != nil {
		return Item{}, err
	}
	return q.work(ctx, by, ref, how.Note, func(c *store.Callback, now time.Time) (string, error) {
		if how.Outcome == AppointmentKept && c.State != Appointment {
			return "", wrong("outcome", "Il n’y avait pas de rendez-vous.")
		}
		if how.Outcome == Unreachable && c.Tries == 0 {
			return "", wrong("outcome", "Notez d’abord un essai : personne n’a encore appelé.")
		}
		if c.FirstTry.IsZero() && how.Outcome != Withdrawn {
			c.FirstTry = now
		}
		c.State, c.Closed, c.NextTry = Closed, now, time.Time{}
		c.Outcome, c.HelpedWith, c.Autonomy = string(how.Outcome), slices.Compact(slices.Sorted(slices.Values(how.HelpedWith))), how.Autonomy
		c.SentTo, c.SentPlace = how.SentTo, strings.TrimSpace(how.SentPlace)
		return string(how.Outcome), nil
	})
}

// Reopen takes up a request that was closed by mistake, until it is deleted:
// whoever does so holds it. Errors: ErrState, ErrGone.
func (q *Queue) Reopen(ctx context.Context, by Actor, ref Ref) (Item, error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return Item{}, err
	}
	return q.change(ctx, by, ref, "", func(c *store.Callback, now time.Time) (string, *store.AuditLine, error) {
		if c.State != Closed || c.Revision != ref.Revision {
			return "", nil, ErrState
		}
		schedule, err := q.schedule(ctx, c.Borne)
		if err != nil {
			return "", nil, err
		}
		c.State, c.Holder, c.Claimed, c.Closed, c.Appointment = Claimed, by.ID, now, time.Time{}, time.Time{}
		c.Outcome, c.HelpedWith, c.Autonomy, c.SentTo, c.SentPlace = "", nil, "", "", ""
		c.Deadline = after(schedule, now, settings.hours())
		return stepReopened, nil, nil
	})
}
