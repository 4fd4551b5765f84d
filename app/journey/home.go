package journey

import (
	"cmp"
	"context"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/visit"
)

func (j *Journey) attract(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var langs []page.Choice
	for _, code := range j.Site.Languages {
		l := j.Texts.In(code)
		langs = append(langs, page.Choice{ID: "lang:" + code, Label: l.Name})
	}
	lead := w.T("attract.lead")
	if j.Closed() { // whoever comes out of hours wants to know when to come back
		lead = j.Site.Name + " · " + j.opening(place.Hit{State: j.Site.Opening.State(j.Now())}, w).Text
	}
	return page.Page{
		Layout: page.Attract, Accent: page.Demarche,
		Title: w.T("attract.title"), Lead: lead,
		Blocks:  []page.Block{page.Choices{Shape: page.Chips, Items: langs}},
		Actions: []page.Choice{{ID: "start", Label: w.T("attract.start"), Icon: "arrow-right", Primary: true}},
	}
}

// Closed reports whether the house is known to be closed now; the view dims
// the page that attracts residents then.
func (j *Journey) Closed() bool {
	if j.Site.Opening == nil {
		return false
	}
	k := j.Site.Opening.State(j.Now()).Kind
	return k == hours.Closed || k == hours.OpensLater
}

func (j *Journey) chooseAttract(_ context.Context, v *visit.Visit, id string) *Task {
	lang := j.Site.Languages[0]
	if code, ok := strings.CutPrefix(id, "lang:"); ok {
		lang = code
	}
	j.begin(v, lang)
	return nil
}

// begin starts a resident's visit on the home page.
func (j *Journey) begin(v *visit.Visit, lang string) {
	v.Path = []visit.Step{{Page: "home"}}
	v.Began = j.Now()
	j.Tally("visit")
	j.Tally(v.Began.Format("visit.h15"))
	j.speak(v, lang)
}

// speak goes on in a language.
func (j *Journey) speak(v *visit.Visit, lang string) {
	v.Lang = lang
	j.Tally("language." + lang)
	if lang == "falc" {
		v.Use("falc")
	}
}

func (j *Journey) home(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	tile := func(id, icon string, a page.Accent) page.Choice {
		return page.Choice{ID: id, Label: w.T("home." + id), Detail: w.T("home." + id + "_detail"), Icon: icon, Accent: a}
	}
	return page.Page{
		Title: w.T("home.title"),
		Blocks: []page.Block{
			page.Choices{Shape: page.Tiles, Items: []page.Choice{
				tile("demarches", "file-text", page.Demarche),
				tile("help", "map-search", page.Place),
				tile("callback", "phone-call", page.Callback),
				tile("level", "gauge", page.Level),
			}},
			page.Choices{Items: []page.Choice{tile("card", "id-badge-2", page.Card)}},
		},
	}
}

func (j *Journey) chooseHome(_ context.Context, v *visit.Visit, id string) *Task {
	switch id {
	case "demarches":
		v.Go(visit.Step{Page: "demarches"})
	case "help":
		v.Go(visit.Step{Page: "help.need"})
	case "callback":
		j.startCallback(v, "", "")
	case "level":
		v.Level = nil
		v.Go(visit.Step{Page: "level.question"})
	case "card":
		v.Go(visit.Step{Page: "card"})
	}
	return nil
}

func (j *Journey) language(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var langs []page.Choice
	for _, code := range j.Site.Languages {
		l := j.Texts.In(code)
		c := page.Choice{ID: "lang:" + code, Label: l.Name, On: code == w.Code, Switch: true, Accent: page.Demarche}
		if code == "falc" {
			c.Detail = l.T("language.falc_detail")
		}
		langs = append(langs, c)
	}
	aid := func(id, icon string, on bool) page.Choice {
		return page.Choice{ID: id, Label: w.T("language." + id), Detail: w.T("language." + id + "_detail"), Icon: icon, Switch: true, On: on, Accent: page.Demarche}
	}
	return page.Page{
		Title: w.T("language.title"),
		Blocks: []page.Block{
			page.Choices{Shape: page.Grid, Items: langs},
			page.Choices{Items: []page.Choice{
				aid("speech", "volume", v.Speech),
				aid("low", "wheelchair", v.Low),
				aid("contrast", "contrast", v.Contrast),
			}},
			page.Text{Style: page.Muted, Text: w.T("language.keys")},
		},
	}
}

func (j *Journey) chooseLanguage(_ context.Context, v *visit.Visit, id string) *Task {
	if code, ok := strings.CutPrefix(id, "lang:"); ok {
		j.speak(v, code)
		v.Back()
		return nil
	}
	switch id {
	case "speech":
		v.Speech = !v.Speech
		v.Use("speech")
	case "low":
		v.Low = !v.Low
		v.Use("low")
	case "contrast":
		v.Contrast = !v.Contrast
		v.Use("contrast")
	}
	return nil
}

// person answers the wish to speak to somebody, from any page.
func (j *Journey) person(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	rows := []page.Choice{
		{ID: "callback", Label: w.T("person.callback"), Detail: w.T("person.callback_detail"), Icon: "phone-call", Accent: page.Callback},
		{ID: "places", Label: w.T("person.places"), Detail: w.T("person.places_detail"), Icon: "map-pin", Accent: page.Place},
	}
	p := page.Page{
		Title:  w.T("person.title"),
		Blocks: []page.Block{page.Notice{Accent: page.Demarche, Icon: "users", Title: w.T("person.desk"), Text: w.T("person.desk_text", "Site", j.house())}},
	}
	if text := reach(w, Contact{Phone: j.Site.Phone, Email: j.Site.Desk.Email}); text != "" {
		p.Blocks = append(p.Blocks, page.Notice{Accent: page.Callback, Icon: "phone", Title: w.T("person.phone"), Text: text})
	}
	if text := reach(w, j.Site.Mediator); text != "" {
		p.Blocks = append(p.Blocks, page.Notice{Accent: page.Callback, Icon: "headset", Title: cmp.Or(j.Site.Mediator.Name, w.T("person.mediator")), Text: text})
	}
	p.Blocks = append(p.Blocks, page.Choices{Items: rows})
	return p
}

// house is the house's name, and its address where that is known.
func (j *Journey) house() string {
	if j.Site.Address == "" {
		return j.Site.Name
	}
	return j.Site.Name + ", " + j.Site.Address
}

// reach says how to reach somebody from afar; empty where that is not known.
func reach(w *text.Words, c Contact) string {
	var ways []string
	if c.Phone != "" {
		ways = append(ways, w.T("person.phone_text", "Phone", c.Phone))
	}
	if c.Email != "" {
		ways = append(ways, w.T("person.email_text", "Email", c.Email))
	}
	return strings.Join(ways, " ")
}

func (j *Journey) choosePerson(_ context.Context, v *visit.Visit, id string) *Task {
	if id == "callback" {
		j.startCallback(v, "", "")
		return nil
	}
	j.findPlaces(v, "mediateur")
	return nil
}
