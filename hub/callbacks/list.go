package callbacks

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
)

// State is where a request stands.
type State = store.CallbackState

// The states of the queue.
const (
	Waiting     = store.CallbackWaiting     // nobody has taken it
	Claimed     = store.CallbackClaimed     // its holder calls
	Appointment = store.CallbackAppointment // its holder calls at an agreed time
	Closed      = store.CallbackClosed
)

// Item is what a list shows of a request: nothing personal.
type Item struct {
	Ref
	Code     string // "K7M4HE": see callback.FormatCode
	Borne    string
	Site     string // ID
	SiteName string
	Place    string // ID of the place that was asked to call; empty for any

	Labelled bool // false: its label could not be read, and what follows up to ByCard is unknown
	Topic    string
	Lang     string
	Slots    []store.Span // the zero Span is any time
	ByText   bool         // answer by text message
	ByCard   bool         // who asks gave a city card's number instead of a telephone's

	Created, Received time.Time
	Deadline          time.Time // of the next call; no matter for closed ones
	Due               time.Time // the first deadline it had
	State             State
	Holder            string // ID of the person; of closed ones, who closed it
	HolderName        string
	Claimed           time.Time
	Tries             int
	FirstTry          time.Time // zero: nobody has tried yet
	NextTry           time.Time // proposed after one in vain; zero: none
	Appointment       time.Time // zero: none

	Closed     time.Time
	Outcome    Outcome
	HelpedWith []string // keys of Topics
	Autonomy   string   // key of Autonomies
	SentTo     string   // key of Redirections
	SentPlace  string

	Duplicates []Twin // requests of the same resident within 48 hours, oldest first, 20 at most
}

// Twin is another request of the same resident.
type Twin struct {
	ID   uuid.UUID
	Code string
}

// Late reports whether somebody should have called by now.
func (i Item) Late(now time.Time) bool { return i.State != Closed && i.Deadline.Before(now) }

// View is one of the lists.
type View string

// The views.
const (
	Mine         View = "mine"        // held by Filter.Person
	Appointments View = "appointment" // of them, those with an appointment, in order of time
	ToTake       View = "waiting"     // nobody has taken them
	Taken        View = "taken"       // held by anybody
	Finished     View = "closed"      // the last closed first
)

// Filter says what a list shows; what is empty is not asked for.
type Filter struct {
	View              View
	Person            string // ID, of Mine and Appointments
	Site, Lang, Topic string
	Page              string // Next of the page before; empty for the first
	Size              int    // of a page; 0: PageSize
}

// PageSize is how many requests a page has unless a filter says so.
const PageSize = 50

// Page is a piece of a list.
type Page struct {
	Items  []Item
	Next   string // Filter.Page of what follows; empty: there is no more
	Counts Counts
}

// Counts is how many requests each view has with the same filters; MostCounted
// stands for that many or more.
type Counts struct{ Mine, Appointments, Waiting, Taken, Closed int }

// MostCounted is how far requests are counted.
const MostCounted = 10000

func (f Filter) of(v View) store.CallbackFilter {
	to := store.CallbackFilter{Site: f.Site, Lang: f.Lang, Topic: f.Topic}
	switch v {
	case Mine:
		to.State, to.Holder = Claimed, f.Person
	case Appointments:
		to.State, to.Holder = Appointment, f.Person
	case Taken:
		to.State = Claimed
	case Finished:
		to.State = Closed
	default:
		to.State = Waiting
	}
	return to
}

// own reports whether a view is of what one person holds.
func (v View) own() bool { return v == Mine || v == Appointments }

// List shows a page of the queue. A page that isn't one of List's is
// FieldError.
func (q *Queue) List(ctx context.Context, f Filter) (Page, error) {
	if f.View.own() && f.Person == "" {
		return Page{}, fmt.Errorf("callbacks: a list of nobody's requests")
	}
	if f.Size <= 0 {
		f.Size = PageSize
	}
	wanted := f.of(f.View)
	wanted.Limit = f.Size + 1
	if f.Page != "" {
		var err error
		if wanted.After, wanted.AfterID, err = parsePage(f.Page); err != nil {
			return Page{}, err
		}
	}
	found, err := q.Store.Callbacks(ctx, wanted)
	if err != nil {
		return Page{}, err
	}
	var page Page
	if len(found) > f.Size {
		found = found[:f.Size]
		last := found[f.Size-1]
		page.Next = pageAfter(last.Deadline, last.ID)
		if f.View == Finished {
			page.Next = pageAfter(last.Closed, last.ID)
		}
	}
	if page.Items, err = q.items(ctx, found...); err != nil {
		return Page{}, err
	}
	page.Counts, err = q.Counts(ctx, f)
	return page, err
}

func pageAfter(t time.Time, id uuid.UUID) string {
	return strconv.FormatInt(t.UnixMilli(), 10) + "." + id.String()
}

func parsePage(s string) (time.Time, uuid.UUID, error) {
	when, id, _ := strings.Cut(s, ".")
	ms, err := strconv.ParseInt(when, 10, 64)
	if err != nil {
		return time.Time{}, uuid.Nil, wrong("page", "Cette page n’existe pas.")
	}
	known, err := uuid.Parse(id)
	if err != nil {
		return time.Time{}, uuid.Nil, wrong("page", "Cette page n’existe pas.")
	}
	return time.UnixMilli(ms), known, nil
}

// Counts counts what each view has, with the filters of f.
func (q *Queue) Counts(ctx context.Context, f Filter) (n Counts, err error) {
	for view, into := range map[View]*int{Mine: &n.Mine, Appointments: &n.Appointments, ToTake: &n.Waiting, Taken: &n.Taken, Finished: &n.Closed} {
		if view.own() && f.Person == "" {
			continue
		}
		if *into, err = q.Store.CountQueue(ctx, f.of(view), MostCounted); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Item shows one request. Errors: ErrGone.
func (q *Queue) Item(ctx context.Context, id uuid.UUID) (Item, error) {
	c, err := q.Store.Callback(ctx, id)
	if err != nil {
		return Item{}, gone(err)
	}
	items, err := q.items(ctx, c)
	if err != nil {
		return Item{}, err
	}
	return items[0], nil
}

// sameWithin is within what time two requests of one resident are duplicates.
const sameWithin = 48 * time.Hour

// maxTwins is how many of them are shown: somebody may have played with a borne.
const maxTwins = 20

func (q *Queue) items(ctx context.Context, all ...store.Callback) ([]Item, error) {
	items := make([]Item, len(all))
	ids := make([]uuid.UUID, len(all))
	of := make(map[uuid.UUID]*Item, len(all))
	for i, c := range all {
		items[i], ids[i] = itemOf(c), c.ID
		of[c.ID] = &items[i]
	}
	twins, err := q.Store.CallbackTwins(ctx, sameWithin, ids...)
	if err != nil {
		return nil, err
	}
	for _, t := range twins {
		if item := of[t.Of]; len(item.Duplicates) < maxTwins {
			item.Duplicates = append(item.Duplicates, Twin{t.ID, t.Code})
		}
	}
	return items, nil
}

func itemOf(c store.Callback) Item {
	return Item{
		Ref: Ref{c.ID, c.Revision}, Code: c.Code, Borne: c.Borne, Site: c.Site, SiteName: c.SiteName, Place: c.Place,
		Labelled: c.Labelled, Topic: c.Topic, Lang: c.Lang, Slots: c.Slots, ByText: c.ByText, ByCard: c.ByCard,
		Created: c.Created, Received: c.Received, Deadline: c.Deadline, Due: c.Due, State: c.State,
		Holder: c.Holder, HolderName: c.HolderName, Claimed: c.Claimed, Tries: c.Tries, FirstTry: c.FirstTry,
		NextTry: c.NextTry, Appointment: c.Appointment, Closed: c.Closed, Outcome: Outcome(c.Outcome),
		HelpedWith: c.HelpedWith, Autonomy: c.Autonomy, SentTo: c.SentTo, SentPlace: c.SentPlace,
	}
}

// Choices are what the filters of a list can ask for: what open requests have.
type Choices struct{ Langs, Topics []string }

// Choices lists them.
func (q *Queue) Choices(ctx context.Context) (c Choices, err error) {
	c.Langs, c.Topics, err = q.Store.CallbackChoices(ctx)
	return c, err
}
