package journey

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/callback"
	"parvis/kiosk/visit"
)

// topics a resident may choose from: administrative and digital ones, in the
// words of the national Coop.
var topics = []struct{ key, icon string }{
	{"papiers_elections_citoyennete", "id"},
	{"social_sante", "first-aid-kit"},
	{"argent_impots", "coin"},
	{"logement", "home"},
	{"travail_formation_entreprise", "briefcase"},
	{"navigation_sur_internet", "world"},
	{"prendre_en_main_du_materiel", "device-mobile"},
	{"e_mail", "mail"},
	{"famille_scolarite", "users"},
	{"transports_mobilite", "car"},
	{"etrangers_europe", "plane"},
	{"justice", "gavel"},
}

const callbackSteps = 4

// startCallback begins a request. With a topic already known the resident is
// not asked for it again.
func (j *Journey) startCallback(v *visit.Visit, topic, place string) {
	v.Draft.Wipe()
	v.Draft.Topic, v.Draft.Place = topic, place
	j.Tally("callback.begun")
	if topic == "" {
		v.Go(visit.Step{Page: "callback.topic"})
		return
	}
	v.Go(visit.Step{Page: "callback.phone"})
}

// mending is the Arg of a step that was opened from the review, to which it returns.
const mending = "mend"

// advance goes to the next step of the request, or back to the review it came from.
func advance(v *visit.Visit, next string) {
	if v.Here().Arg == mending {
		v.Back()
		return
	}
	v.Go(visit.Step{Page: next})
}

func (j *Journey) topic(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var rows []page.Choice
	for _, t := range topics {
		rows = append(rows, page.Choice{ID: "topic:" + t.key, Label: w.T("topic." + t.key), Icon: t.icon, Accent: page.Callback,
			Switch: v.Draft.Topic == t.key, On: v.Draft.Topic == t.key})
	}
	return page.Page{Accent: page.Callback, Title: w.T("callback.topic_title"), Progress: page.Progress{Done: 1, Total: callbackSteps},
		Blocks: []page.Block{page.Choices{Items: rows}}}
}

func (j *Journey) chooseTopic(_ context.Context, v *visit.Visit, id string) *Task {
	v.Draft.Topic = strings.TrimPrefix(id, "topic:")
	if len(v.Draft.Card) > 0 {
		advance(v, "callback.when")
		return nil
	}
	advance(v, "callback.phone")
	return nil
}

func (j *Journey) phone(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	checked := callback.CheckPhone(string(v.Draft.Phone))
	field := page.Field{Label: w.T("callback.phone_label"), Value: checked.Display, Hint: w.T("callback.phone_hint"), Private: true}
	next := page.Choice{ID: "continue", Label: w.T("common.continue"), Icon: "arrow-right", Accent: page.Callback, Primary: true}
	if !checked.Valid {
		next.Why = w.T("phone." + string(checked.Problem))
		// While the number is still being typed nothing is wrong with it yet.
		if checked.Problem != callback.TooShort && len(v.Draft.Phone) > 0 {
			field.Problem = next.Why
		}
	}
	if v.Draft.Text && checked.Valid && !checked.Mobile {
		next.Why = w.T("phone.text_needs_mobile")
		field.Problem = next.Why
	}
	p := page.Page{Accent: page.Callback, Title: w.T("callback.phone_title"), Private: true, Progress: page.Progress{Done: 2, Total: callbackSteps},
		Blocks: []page.Block{
			field,
			page.Choices{Shape: page.Chips, Items: []page.Choice{
				{ID: "by_call", Label: w.T("callback.by_call"), Icon: "phone-call", Switch: true, On: !v.Draft.Text, Accent: page.Callback},
				{ID: "by_text", Label: w.T("callback.by_text"), Icon: "message", Switch: true, On: v.Draft.Text, Accent: page.Callback},
			}},
			phonePad(w),
		}}
	p.Actions = []page.Choice{{ID: keyClear, Label: w.T("keys.clear"), Icon: "x"}, next}
	if v.Speech {
		p.Blocks = append(p.Blocks, j.hear(v, w))
	}
	return p
}

// hear is the choice by which a resident asks to hear what they typed, which
// is otherwise spoken only into a headset.
func (j *Journey) hear(v *visit.Visit, w *text.Words) page.Choices {
	return page.Choices{Shape: page.Chips, Items: []page.Choice{{ID: "hear", Label: w.T("callback.hear"), Icon: "ear", Switch: true, On: v.Aloud}}}
}

// MaySay reports whether private parts of a page may be spoken.
func (j *Journey) MaySay(v *visit.Visit) bool { return j.Headset() || Aloud(v) }

// Aloud reports whether private parts of a page may be spoken to all who stand
// around: the resident has asked to hear what they typed. The pages for staff
// are not what they asked for.
func Aloud(v *visit.Visit) bool { return v.Aloud && !forStaff(v.Here().Page) }

// Mute reports whether the borne is known to have no sound to speak with.
func (j *Journey) Mute() bool { return j.Sound != nil && broken(j.Sound()) }

// Headset reports whether speech now reaches only the resident's ears.
func (j *Journey) Headset() bool { return j.HeadsetIn != nil && j.HeadsetIn() }

func (j *Journey) choosePhone(_ context.Context, v *visit.Visit, id string) *Task {
	if typed, ok := press(v, v.Draft.Phone, id, 20); ok {
		v.Draft.Phone = typed
		return nil
	}
	switch id {
	case "by_call":
		v.Draft.Text = false
	case "by_text":
		v.Draft.Text = true
	case "hear":
		v.Aloud = !v.Aloud
	case "continue":
		v.ForgetCard()
		advance(v, "callback.when")
	}
	return nil
}

const anyTime = -2

// slots offered: five half-days, and any time.
func (j *Journey) slots() []callback.Slot { return callback.Slots(j.Site.Mediators, j.Now(), 5) }

// slotWords says a slot: "lundi après-midi", "14 h – 17 h".
func (j *Journey) slotWords(s callback.Slot, w *text.Words) (day, span string) {
	half := "morning"
	if s.Start.Hour() >= 12 {
		half = "afternoon"
	}
	switch daysBetween(j.Now(), s.Start) {
	case 0:
		day = w.T("slot.today_" + half)
	case 1:
		day = w.T("slot.tomorrow_" + half)
	default:
		day = w.T("slot."+half, "Day", w.Weekday(s.Start.Weekday()))
		if daysBetween(j.Now(), s.Start) > 6 {
			day = w.T("slot."+half, "Day", w.Date(s.Start))
		}
	}
	return day, w.Clock(s.Start) + " – " + w.Clock(s.End)
}

func (j *Journey) when(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	title := w.T("callback.when_title")
	if v.Draft.Text {
		title = w.T("callback.when_text_title")
	}
	var items []page.Choice
	for i, s := range j.slots() {
		day, span := j.slotWords(s, w)
		items = append(items, page.Choice{ID: "slot:" + strconv.Itoa(i), Label: upperFirst(day), Detail: span, Switch: true, On: v.Draft.Slot >= 0 && v.Draft.Start.Equal(s.Start), Accent: page.Callback})
	}
	items = append(items, page.Choice{ID: "slot:any", Label: w.T("slot.any"), Detail: w.T("slot.any_detail"), Switch: true, On: v.Draft.Slot == anyTime, Accent: page.Callback})
	next := page.Choice{ID: "continue", Label: w.T("common.continue"), Icon: "arrow-right", Accent: page.Callback, Primary: true}
	if v.Draft.Slot == -1 {
		next.Why = w.T("callback.when_why")
	}
	return page.Page{Accent: page.Callback, Title: title, Progress: page.Progress{Done: 3, Total: callbackSteps},
		Blocks: []page.Block{page.Choices{Shape: page.Grid, Items: items}}, Actions: []page.Choice{next}}
}

func (j *Journey) chooseWhen(_ context.Context, v *visit.Visit, id string) *Task {
	switch n, isSlot := strings.CutPrefix(id, "slot:"); {
	case id == "continue":
		v.Upper = len(v.Draft.Name) == 0
		advance(v, "callback.name")
	case isSlot && n == "any":
		v.Draft.Slot, v.Draft.Start = anyTime, time.Time{}
	case isSlot:
		slots := j.slots()
		if i, err := strconv.Atoi(n); err == nil && i < len(slots) {
			v.Draft.Slot, v.Draft.Start, v.Draft.End = i, slots[i].Start, slots[i].End
		}
	}
	return nil
}

func (j *Journey) name(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	next := page.Choice{ID: "continue", Label: w.T("common.continue"), Icon: "arrow-right", Accent: page.Callback, Primary: true}
	if len(strings.TrimSpace(string(v.Draft.Name))) == 0 {
		next.Label = w.T("callback.no_name")
	}
	p := page.Page{Accent: page.Callback, Title: w.T("callback.name_title"), Private: true, Progress: page.Progress{Done: 4, Total: callbackSteps},
		Blocks: []page.Block{
			page.Field{Label: w.T("callback.name_label"), Value: string(v.Draft.Name), Hint: w.T("callback.name_hint"), Private: true},
			keyboard(v, w),
		},
		Actions: []page.Choice{next}}
	if v.Speech {
		p.Blocks = append(p.Blocks, j.hear(v, w))
	}
	return p
}

func (j *Journey) chooseName(_ context.Context, v *visit.Visit, id string) *Task {
	if id == "hear" {
		v.Aloud = !v.Aloud
		return nil
	}
	if typed, ok := press(v, v.Draft.Name, id, 30); ok {
		v.Draft.Name = typed
		return nil
	}
	if v.Here().Arg == mending {
		v.Back()
		return nil
	}
	v.Go(visit.Step{Page: "callback.review"})
	return nil
}
