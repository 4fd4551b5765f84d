package console

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/packs"
)

// oneCallback is a request beside its list.
type oneCallback struct {
	callbackRow
	Query  callbackQuery
	Works  bool              // the page has the forms of whoever holds the request
	Lost   string            // what has happened to a request whose holder has its page open
	Person *callbacks.Person // nil: not looked at
	// CardKnown says that the city's list knows the card that the person gave.
	CardKnown bool
	// Asked is what the label would have told, where it could not be read.
	Asked  string
	Form   callbackForm
	People []choice // who it may be passed to
	Texts  []textChoice
	// Unreachable proposes to give up, after so many tries in vain.
	Unreachable bool
	Today       string // for the field of a date
	NextTry     string // in words; empty: none is proposed
	// AppointmentText is when the resident is to be called by appointment.
	AppointmentText string
	Viewer          string // ID
	Steps           []callbackStep
	// PlaceName is the place that was asked to call, and SentName the one that the
	// resident was sent on to; Offered are places to choose from.
	PlaceName, SentName string
	Offered             []string
}

// name takes the names of places from a pack.
func (o *oneCallback) name(n packs.Names) {
	o.PlaceName, o.SentName = n.Place(o.Item.Place), n.Place(o.SentPlace)
}

// textChoice is a text message that may be sent.
type textChoice struct {
	callbacks.Word
	Text string // as it is sent
}

// callbackStep is a line of what was done with a request.
type callbackStep struct {
	At               time.Time
	What, Name, Note string
}

// callbackForm is what somebody has filled in about a request.
type callbackForm struct {
	What            string // a Try, an Outcome, or whatAppointment or whatNote
	Day, Hour       string // of the appointment
	Topics          []string
	Autonomy        string
	SentTo, Place   string
	Note            string
	Seen, Confirmed bool   // who asks was shown; the note is meant as it stands
	Warning         string // about the note
	Colleague       string
	Text            string // a TextKind
}

// What may come of a call beside tries and outcomes.
const (
	whatAppointment = "appointment"
	whatNote        = "note"
)

func readCallbackForm(f url.Values) callbackForm {
	return callbackForm{What: f.Get("quoi"), Day: f.Get("jour"), Hour: f.Get("heure"), Topics: f["theme"], Autonomy: f.Get("autonomie"),
		SentTo: f.Get("vers"), Place: f.Get("lieu"), Note: f.Get("note"), Seen: f.Get("vu") != "", Confirmed: f.Get("confirme") != "", Colleague: f.Get("collegue"), Text: f.Get("sms")}
}

// Has reports whether a topic is ticked.
func (f callbackForm) Has(topic string) bool { return slices.Contains(f.Topics, topic) }

// The words that the form offers.
func (o *oneCallback) Digital() []callbacks.Word        { return callbacks.DigitalTopics() }
func (o *oneCallback) Administration() []callbacks.Word { return callbacks.AdministrativeTopics() }
func (o *oneCallback) Autonomies() []callbacks.Word     { return callbacks.Autonomies() }
func (o *oneCallback) Redirections() []callbacks.Word   { return callbacks.Redirections() }

// callbackChoice is something that may come of a call.
type callbackChoice struct {
	callbacks.Word
	Closes bool
}

// Choices are what may come of this call: what is said most often comes first.
func (o *oneCallback) Choices() []callbackChoice {
	var first, last []callbackChoice
	for _, w := range callbacks.Outcomes() {
		switch callbacks.Outcome(w.Key) {
		case callbacks.AppointmentKept:
			if o.Appointed() {
				first = append(first, callbackChoice{w, true})
			}
		case callbacks.Unreachable:
			if o.Item.Tries > 0 {
				last = append(last, callbackChoice{w, true})
			}
		case callbacks.Reached:
			first = append(first, callbackChoice{w, true})
		default:
			last = append(last, callbackChoice{w, true})
		}
	}
	for _, w := range callbacks.Tries() {
		if w.Key == string(callbacks.NoAnswer) && o.Item.Tries > 0 {
			w.Label += " (" + number(o.Item.Tries) + ")"
		}
		first = append(first, callbackChoice{w, false})
	}
	first = append(first, callbackChoice{callbacks.Word{Key: whatAppointment, Label: "Rendez-vous"}, false})
	return append(append(first, last...), callbackChoice{callbacks.Word{Key: whatNote, Label: "Note seule"}, false})
}

// TwinURL and TwinCode lead to another request of the same resident.
func (o *oneCallback) TwinURL(id uuid.UUID) string {
	return "/rappels/" + id.String() + o.Query.String()
}

// TwinCode is described with TwinURL.
func (o *oneCallback) TwinCode(code string) string { return codeText(code) }

// Action is the address of one of the request's forms.
func (o *oneCallback) Action(what string) string {
	return "/rappels/" + o.ID.String() + "/" + what + o.Query.String()
}

// SeeURL shows who asks.
func (o *oneCallback) SeeURL() string {
	return "/rappels/" + o.ID.String() + o.Query.with("voir", "oui")
}

// Waiting, Closed and Appointed say where the request stands.
func (o *oneCallback) Waiting() bool   { return o.Item.State == callbacks.Waiting }
func (o *oneCallback) Closed() bool    { return o.Item.State == callbacks.Closed }
func (o *oneCallback) Appointed() bool { return o.Item.State == callbacks.Appointment }

// Saw reports whether the visitor has closed the request: they may look at it again.
func (o *oneCallback) Saw() bool { return o.Closed() && o.Item.Holder == o.Viewer }

// HelpedText, SentText and AutonomyText word how a request has ended.
func (o *oneCallback) HelpedText() string {
	var names []string
	for _, key := range o.HelpedWith {
		names = append(names, callbacks.TopicLabel(key))
	}
	return strings.Join(names, " ; ")
}

// SentText is described with HelpedText.
func (o *oneCallback) SentText() string {
	return strings.TrimSuffix(wordOf(callbacks.Redirections(), o.SentTo)+" : "+o.SentName, " : ")
}

// AutonomyText is described with HelpedText.
func (o *oneCallback) AutonomyText() string { return wordOf(callbacks.Autonomies(), o.Autonomy) }

func wordOf(words []callbacks.Word, key string) string {
	for _, w := range words {
		if w.Key == key {
			return w.Label
		}
	}
	return key
}

// dayAndHour writes "mardi 24 novembre, 14 h 30".
func (c *Console) dayAndHour(t time.Time) string {
	t = t.In(c.Zone)
	return weekdays[t.Weekday()] + " " + date(t) + ", " + clock(t)
}

// nextTryText says when to try again.
func (c *Console) nextTryText(i callbacks.Item) string {
	if i.NextTry.IsZero() {
		return ""
	}
	now, start, end := c.Now().In(c.Zone), i.NextTry.In(c.Zone), i.Deadline.In(c.Zone)
	return ahead(start, now) + ", " + oclock(start) + fixed + "–" + fixed + oclock(end)
}
