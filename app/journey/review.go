package journey

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/callback"
	"parvis/kiosk/visit"
)

// review shows all that would leave, each line to be mended by touching it.
func (j *Journey) review(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	line := func(id, icon, label, value string, private bool) page.Choice {
		c := page.Choice{ID: "mend:" + id, Label: value, Detail: label, Icon: icon, Accent: page.Callback, Private: private && j.MaySay(v)}
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
	desk := j.Desk // another takes its place when the hub's key becomes known
	return &Task{
		Waiting: j.waiting(v, "waiting.sending"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			code, err := desk.Send(ctx, r)
			id, drawn := r.ID.String(), r.Code
			r.Wipe()
			return func(v *visit.Visit) {
				if err != nil {
					v.Draft.ID, v.Draft.Code = id, drawn
					v.Go(visit.Step{Page: "callback.failed"})
					j.Tally("callback.failed")
					return
				}
				v.Draft.Wipe()
				v.Draft.Code, v.Draft.When, v.Draft.To, v.Draft.Text = code, when, to, byText
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
