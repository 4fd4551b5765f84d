package journey

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

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
	clear(v.Draft.Card)
	v.Draft = visit.Draft{Slot: -1, Topic: topic, Place: place, Phone: v.Draft.Phone[:0], Name: v.Draft.Name[:0]}
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
func (j *Journey) MaySay(v *visit.Visit) bool { return j.headset() || v.Aloud }

func (j *Journey) headset() bool {
	if j.HeadsetIn != nil {
		return j.HeadsetIn()
	}
	return j.Site.Headset
}

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

// review shows all that would leave, each line to be mended by touching it.
func (j *Journey) review(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	line := func(id, icon, label, value string, private bool) page.Choice {
		c := page.Choice{ID: "mend:" + id, Label: value, Detail: label, Icon: icon, Accent: page.Callback}
		if private && !j.MaySay(v) {
			c.Spoken = w.T("callback.kept_silent")
		}
		return c
	}
	phone := callback.CheckPhone(string(v.Draft.Phone))
	how := w.T("callback.review_call")
	if v.Draft.Text {
		how = w.T("callback.review_text")
	}
	number := line("phone", "phone", how, phone.Display, true)
	if len(v.Draft.Card) > 0 {
		number = line("phone", "id-badge-2", how, upperFirst(w.T("callback.card_to")), false)
	}
	name := strings.TrimSpace(string(v.Draft.Name))
	if name == "" {
		name = w.T("callback.review_no_name")
	}
	rows := []page.Choice{
		line("topic", "help", w.T("callback.review_topic"), w.T("topic."+v.Draft.Topic), false),
		number,
		line("when", "calendar", w.T("callback.review_when"), upperFirst(j.draftSlot(v, w)), false),
		line("name", "user", w.T("callback.review_name"), name, len(v.Draft.Name) > 0),
	}
	p := page.Page{Accent: page.Callback, Title: w.T("callback.review_title"), Lead: w.T("callback.mend"), Private: true, Blocks: []page.Block{
		page.Choices{Items: rows},
		page.Text{Style: page.Muted, Text: j.reviewNote(ctx, v, w)},
	}}
	if v.Speech {
		p.Blocks = append(p.Blocks, j.hear(v, w))
	}
	send := page.Choice{ID: "send", Label: w.T("callback.send"), Icon: "send", Accent: page.Callback, Primary: true}
	if !v.Draft.Consent {
		send.Why = w.T("callback.send_why")
	}
	p.Actions = []page.Choice{{ID: "consent", Label: w.T("callback.consent"), Switch: true, On: v.Draft.Consent, Accent: page.Callback}, send}
	return p
}

// reviewNote says in which language, and by which place, the resident is called.
func (j *Journey) reviewNote(ctx context.Context, v *visit.Visit, w *text.Words) string {
	note := w.T("callback.review_lang", "Language", w.Name)
	if v.Draft.Place != "" {
		if h, err := j.Places.Get(ctx, v.Draft.Place); err == nil {
			note = w.T("callback.review_place", "Place", h.Name) + " " + note
		}
	}
	return note
}

func (j *Journey) draftSlot(v *visit.Visit, w *text.Words) string {
	if v.Draft.Start.IsZero() {
		return strings.ToLower(w.T("slot.any"))
	}
	day, span := j.slotWords(callback.Slot{Start: v.Draft.Start, End: v.Draft.End}, w)
	return day + ", " + span
}

func (j *Journey) chooseReview(ctx context.Context, v *visit.Visit, id string) *Task {
	if step, ok := strings.CutPrefix(id, "mend:"); ok {
		v.Go(visit.Step{Page: "callback." + step, Arg: mending})
		return nil
	}
	switch id {
	case "consent":
		v.Draft.Consent = !v.Draft.Consent
	case "hear":
		v.Aloud = !v.Aloud
	case "send":
		return j.send(v)
	}
	return nil
}

// send seals and stores the request; only then does the resident read that it is kept.
func (j *Journey) send(v *visit.Visit) *Task {
	w := j.words(v)
	phone := callback.CheckPhone(string(v.Draft.Phone))
	r := callback.New(j.Now())
	if v.Draft.ID != "" {
		// The same request again: one that was kept after all is not kept twice.
		r.ID, r.Code = uuid.MustParse(v.Draft.ID), v.Draft.Code
	}
	r.Topic, r.Phone, r.Text = v.Draft.Topic, phone.E164, v.Draft.Text
	to := callback.Mask(phone.Display)
	if len(v.Draft.Card) > 0 {
		r.Phone, r.Card, to = "", string(v.Draft.Card), w.T("callback.card_to")
	}
	r.FirstName, r.Lang, r.Site, r.PlaceID = strings.TrimSpace(string(v.Draft.Name)), w.Code, j.Site.ID, v.Draft.Place
	r.Consent = v.Draft.Consent
	r.Slots = []callback.Slot{{Start: v.Draft.Start, End: v.Draft.End}}
	when, byText := j.draftSlot(v, w), v.Draft.Text
	return &Task{
		Waiting: j.waiting(v, "waiting.sending"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			code, err := j.Desk.Send(ctx, r)
			id, drawn := r.ID.String(), r.Code
			r.Wipe()
			return func(v *visit.Visit) {
				if err != nil {
					v.Draft.ID, v.Draft.Code = id, drawn
					v.Go(visit.Step{Page: "callback.failed"})
					j.Tally("callback.failed")
					return
				}
				clear(v.Draft.Phone)
				clear(v.Draft.Card)
				clear(v.Draft.Name)
				v.Draft = visit.Draft{Slot: -1, Code: code, When: when, To: to, Text: byText}
				v.Path = []visit.Step{{Page: "home"}, {Page: "callback.done"}}
				j.Tally("callback.kept")
			}
		},
	}
}

func (j *Journey) done(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	id := "callback.done_call"
	if v.Draft.Text {
		id = "callback.done_text"
	}
	p := page.Page{
		Accent: page.Callback, Layout: page.Centred, Private: true,
		Title: w.T("callback.done_title"), Lead: w.T(id, "When", v.Draft.When, "To", v.Draft.To),
		Blocks: []page.Block{
			page.Picture{Icon: "check", Tone: page.Good},
			codeBlock(v.Draft.Code, w),
			page.Text{Style: page.Muted, Text: w.T("callback.code_hint")},
		},
	}
	p.Actions = append(j.printActionOr(w, page.Callback, w.T("print.photo")),
		page.Choice{ID: "home", Label: w.T("callback.something_else"), Icon: "home"},
		page.Choice{ID: "leave", Label: w.T("leaving.finish"), Icon: "door-exit", Accent: page.Level, Primary: true})
	return p
}

// codeBlock shows a reference code; the voice says it sign by sign.
func codeBlock(code string, w *text.Words) page.Code {
	return page.Code{Label: w.T("callback.code"), Code: callback.FormatCode(code), Spoken: strings.Join(strings.Split(code, ""), " ")}
}

func (j *Journey) chooseDone(ctx context.Context, v *visit.Visit, id string) *Task {
	switch id {
	case "print":
		return j.startPrint(ctx, v)
	case "home":
		v.Home()
	case "leave":
		v.Go(visit.Step{Page: "leaving"})
	}
	return nil
}

// failed says that the request is not kept, and what to do instead.
func (j *Journey) failed(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Callback, Layout: page.Centred, Title: w.T("callback.failed_title"), Lead: w.T("callback.failed_lead"),
		Blocks: []page.Block{page.Picture{Icon: "alert-triangle", Tone: page.Warn}, page.Text{Text: w.T("callback.failed_text", "Site", j.Site.Name)}},
		Actions: []page.Choice{
			{ID: "retry", Label: w.T("common.retry"), Icon: "refresh", Accent: page.Callback, Primary: true},
			{ID: "places", Label: w.T("person.places"), Icon: "map-pin"},
		}}
	if j.Site.Phone != "" {
		p.Blocks = append(p.Blocks, page.Text{Text: w.T("person.phone_text", "Phone", j.Site.Phone)})
	}
	return p
}

func (j *Journey) chooseFailed(_ context.Context, v *visit.Visit, id string) *Task {
	if id == "retry" {
		v.Back()
		return j.send(v)
	}
	j.findPlaces(v, "mediateur")
	return nil
}
