package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/kiosk/callback"
)

// french names languages in French.
var french = display.Languages(language.French)

// langName names a language in French: "Arabe".
func langName(key string) string {
	tag, err := language.Parse(key)
	if err != nil {
		return key
	}
	name := french.Name(tag)
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return key
	}
	return string(unicode.ToUpper(first)) + name[size:]
}

// shortName is how a colleague stands in a list: "C. Weber".
func shortName(name string) string {
	first, rest, found := strings.Cut(strings.TrimSpace(name), " ")
	if !found {
		return first
	}
	initial, _ := utf8.DecodeRuneInString(first)
	return string(initial) + "." + fixed + rest
}

// oclock writes a time of day as people say it: "14 h", "14 h 30".
func oclock(t time.Time) string {
	if t.Minute() == 0 {
		return fmt.Sprintf("%d%sh", t.Hour(), fixed)
	}
	return clock(t)
}

// ahead names a day that may be yet to come: today, tomorrow, a weekday within
// the week, then a date.
func ahead(t, now time.Time) string {
	switch days := daysBetween(now, t); {
	case days == 1:
		return "demain"
	case days > 1 && days < 7:
		return weekdays[t.Weekday()]
	case days >= 7 && t.Year() == now.Year():
		return weekdays[t.Weekday()][:3] + "." + fixed + date(t)
	}
	return day(t, now)
}

// slotText says when somebody may be called: "lundi 14 h – 17 h".
func slotText(s store.Span, now time.Time, zone *time.Location) string {
	if s.Start.IsZero() {
		return "n’importe quand"
	}
	start, end := s.Start.In(zone), s.End.In(zone)
	return ahead(start, now) + " " + oclock(start) + fixed + "–" + fixed + oclock(end)
}

// codeText writes the code of a request, on one line.
func codeText(code string) string { return strings.ReplaceAll(callback.FormatCode(code), " ", fixed) }

// callbackRow is a request as lists show it.
type callbackRow struct {
	callbacks.Item
	Code, Topic, Language string
	When                  []string
	Place                 string // where the borne stands
	State                 condition
	By                    string // until when to call, where State doesn't say so
	Link                  string
	Here                  bool // it stands open beside the list
	Mine                  bool // held by the visitor
}

// Element is the ID of the row in the page.
func (r callbackRow) Element() string { return "rappel-" + r.ID.String() }

// Twins names the other requests of the same resident.
func (r callbackRow) Twins() string {
	var codes []string
	for _, t := range r.Duplicates {
		codes = append(codes, codeText(t.Code))
	}
	return few(codes)
}

// rowOf words a request for somebody.
func (c *Console) rowOf(i callbacks.Item, viewer string) callbackRow {
	now := c.Now().In(c.Zone)
	r := callbackRow{Item: i, Code: codeText(i.Code), Place: i.SiteName, Mine: i.Holder == viewer && i.State != callbacks.Closed}
	if r.Place == "" {
		r.Place = i.Borne
	}
	switch {
	case !i.Labelled:
		r.Topic, r.Language, r.When = "Étiquette illisible", "?", []string{"?"}
	default:
		r.Topic, r.Language = callbacks.TopicLabel(i.Topic), langName(i.Lang)
		for _, s := range i.Slots {
			r.When = append(r.When, slotText(s, now, c.Zone))
		}
		if r.Topic == "" {
			r.Topic = "Sans sujet"
		}
		if len(r.When) == 0 {
			r.When = []string{"n’importe quand"}
		}
	}
	r.State, r.By = callbackState(i, r.Mine, now, c.Zone)
	return r
}

// callbackState says how a request stands, and until when to call where that
// isn't said yet.
func callbackState(i callbacks.Item, mine bool, now time.Time, zone *time.Location) (is condition, by string) {
	deadline := i.Deadline.In(zone)
	before := "avant " + oclock(deadline)
	if daysBetween(now, deadline) > 0 {
		before = "avant " + ahead(deadline, now) + ", " + oclock(deadline)
	}
	late := "En retard de " + span(now.Sub(i.Deadline))
	switch {
	case i.State == callbacks.Closed:
		tone := toneGood
		if i.Outcome == callbacks.Unreachable || i.Outcome == callbacks.Withdrawn {
			tone = ""
		}
		return condition{Text: i.Outcome.Label(), Tone: tone}, moment(i.Closed.In(zone), now)
	case i.State != callbacks.Waiting && !mine:
		if i.Late(now) {
			before = strings.ToLower(late[:1]) + late[1:]
		}
		if i.HolderName == "" {
			return condition{Text: "Pris, compte supprimé", Tone: toneWarn}, before
		}
		return condition{Text: "Pris par " + shortName(i.HolderName), Tone: toneInfo}, before
	case i.State == callbacks.Appointment:
		appointment := "Rendez-vous " + ahead(i.Appointment.In(zone), now) + ", " + clock(i.Appointment.In(zone))
		if i.Late(now) {
			return condition{Text: late, Tone: toneWarn}, strings.ToLower(appointment[:1]) + appointment[1:]
		}
		return condition{Text: appointment, Tone: toneInfo}, ""
	case i.Late(now):
		return condition{Text: late, Tone: toneWarn}, ""
	case daysBetween(now, deadline) == 0:
		return condition{Text: "À appeler " + before, Tone: toneWarn}, ""
	case i.State == callbacks.Waiting && i.Tries == 0:
		return condition{Text: "Nouveau", Tone: toneGood}, before
	}
	return condition{Text: "À appeler " + before, Tone: toneInfo}, ""
}
