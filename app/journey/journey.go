// Package journey turns a visit and a choice into the next page. It holds the
// resident's journeys and nothing of how they are drawn, read or walked.
package journey

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/device"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/demarche"
	"parvis/kiosk/fiche"
	"parvis/kiosk/hours"
	"parvis/kiosk/level"
	"parvis/kiosk/place"
	"parvis/kiosk/ticket"
	"parvis/kiosk/unfound"
	"parvis/kiosk/visit"
)

// Site is the house the borne stands in.
type Site struct {
	ID        string
	Name      string // "Mairie de quartier"
	Address   string // "1 place de la Fontaine, 67000 Ville-Exemple"; may be empty
	Phone     string // of the house, for whoever would rather speak to a person; may be empty
	Desk      Contact
	Mediator  Contact
	IT        Contact // for staff
	Wifi      ticket.Wifi
	Position  place.Point
	Region    hours.Region
	Opening   *hours.Schedule // when the house is open; nil if unknown
	Mediators *hours.Schedule // when mediators can call back
	Languages []string        // codes, the first is the borne's own
}

// Contact is somebody to turn to; each field may be empty.
type Contact struct{ Name, Phone, Email string }

// Journey leads residents. Its fields are set once, before the first
// visit, save Fiches and Desk. Its functions are called on the goroutine that draws, and
// answer at once, save where they say otherwise.
type Journey struct {
	Site      Site
	Texts     *text.Catalogue
	Demarches *demarche.Catalogue
	Level     *level.Test
	Places    *place.Directory
	Desk      *callback.Desk
	Outputs   []Output                // on what paper the site prints; empty when on none
	Count     func(key string, n int) // adds to an anonymous count
	Unfound   func([]unfound.Word)    // takes what a visit has searched for in vain, before it is wiped; nil: nobody does
	Now       func() time.Time
	Message   func() string // what the town hall tells everybody, in the site's first language; nil: nothing ever
	Cards     card.Rules
	// CardReader says how the reader of a medium is; of several, the best. ok is
	// false when the site has none. nil: it has no reader at all.
	CardReader func(reader.Medium) (s device.Status, ok bool)
	// Sound says how the loudspeaker is; nil when the borne does not speak with one.
	Sound func() device.Status
	// Enrolment is nil where the borne has an identity, or needs none.
	Enrolment *Enrolment
	HeadsetIn func() bool // whether speech now reaches only the resident's ears; nil: it does not
	Staff
	Fiches atomic.Pointer[fiche.Library] // may be set later than the rest: until then there are none

	listed []FaultLine // on the page of past faults, read when it was opened
}

// Task is work that may take a while. The caller runs Run away from the
// screen, shows Waiting meanwhile, and hands what it returns to the visit.
type Task struct {
	Waiting page.Page
	Run     func(context.Context) func(*visit.Visit)
}

// screen is one page of a journey: how it looks and what its choices do.
type screen struct {
	page   func(j *Journey, ctx context.Context, v *visit.Visit) page.Page
	choose func(j *Journey, ctx context.Context, v *visit.Visit, id string) *Task
}

var screens map[string]screen

func init() {
	screens = map[string]screen{
		"attract":           {(*Journey).attract, (*Journey).chooseAttract},
		"home":              {(*Journey).home, (*Journey).chooseHome},
		"language":          {(*Journey).language, (*Journey).chooseLanguage},
		"person":            {(*Journey).person, (*Journey).choosePerson},
		"closed":            {(*Journey).closed, noChoice},
		"card":              {(*Journey).card, (*Journey).chooseCard},
		"card.city":         {(*Journey).cityCard, (*Journey).chooseCityCard},
		"card.mediator":     {(*Journey).mediatorBadge, (*Journey).chooseMediatorBadge},
		"card.pass":         {(*Journey).pass, (*Journey).choosePass},
		"card.vitale":       {(*Journey).vitale, (*Journey).chooseVitale},
		"card.several":      {(*Journey).severalCards, noChoice},
		"card.unknown":      {(*Journey).unknownCard, (*Journey).chooseCard},
		"demarches":         {(*Journey).demarches, (*Journey).chooseDemarches},
		"demarche.themes":   {(*Journey).themes, (*Journey).chooseTheme},
		"demarche.search":   {(*Journey).demarcheSearch, (*Journey).chooseDemarcheSearch},
		"demarche.question": {(*Journey).question, (*Journey).chooseAnswer},
		"demarche.result":   {(*Journey).result, (*Journey).chooseResult},
		"demarche.online":   {(*Journey).online, (*Journey).chooseOnline},
		"demarche.where":    {(*Journey).where, (*Journey).chooseWhere},
		"demarche.sources":  {(*Journey).sources, noChoice},
		"demarche.fiches":   {(*Journey).fiches, (*Journey).chooseFiches},
		"fiche":             {(*Journey).contents, (*Journey).chooseContents},
		"fiche.cases":       {(*Journey).cases, (*Journey).chooseCases},
		"fiche.section":     {(*Journey).section, (*Journey).chooseSection},
		"fiche.definition":  {(*Journey).definition, noChoice},
		"fiche.link":        {(*Journey).ficheLink, noChoice},
		"wifi":              {(*Journey).wifi, (*Journey).chooseWifi},
		"help.need":         {(*Journey).needs, (*Journey).chooseNeed},
		"places":            {(*Journey).places, (*Journey).choosePlaces},
		"places.search":     {(*Journey).placeSearch, (*Journey).choosePlaceSearch},
		"places.filters":    {(*Journey).filters, (*Journey).chooseFilters},
		"places.filter":     {(*Journey).filterGroup, (*Journey).chooseFilter},
		"place":             {(*Journey).place, (*Journey).choosePlace},
		"place.phone":       {(*Journey).placeQR, noChoice},
		"callback.topic":    {(*Journey).topic, (*Journey).chooseTopic},
		"callback.phone":    {(*Journey).phone, (*Journey).choosePhone},
		"callback.when":     {(*Journey).when, (*Journey).chooseWhen},
		"callback.name":     {(*Journey).name, (*Journey).chooseName},
		"callback.review":   {(*Journey).review, (*Journey).chooseReview},
		"callback.done":     {(*Journey).done, (*Journey).chooseDone},
		"callback.failed":   {(*Journey).failed, (*Journey).chooseFailed},
		"level.question":    {(*Journey).levelQuestion, (*Journey).chooseLevel},
		"level.result":      {(*Journey).levelResult, (*Journey).chooseLevelResult},
		"print.choose":      {(*Journey).printChoice, (*Journey).choosePrint},
		"print.failed":      {(*Journey).printFailed, (*Journey).choosePrintFailed},
		"leaving":           {(*Journey).leaving, (*Journey).chooseLeaving},

		enrolPage:             {(*Journey).enrol, (*Journey).chooseEnrol},
		"maintenance":         {(*Journey).maintenance, (*Journey).chooseMaintenance},
		"maintenance.pin":     {(*Journey).pin, (*Journey).choosePIN},
		"maintenance.devices": {(*Journey).devices, (*Journey).chooseDevices},
		"maintenance.faults":  {(*Journey).faults, noChoice},
		"maintenance.sound":   {(*Journey).sound, (*Journey).chooseSound},
	}
}

// noChoice serves pages whose only choices are those of the navigation.
func noChoice(*Journey, context.Context, *visit.Visit, string) *Task { return nil }

// Names lists every page a journey can show.
func Names() []string {
	names := make([]string, 0, len(screens))
	for name := range screens {
		names = append(names, name)
	}
	return names
}

// Page returns the page in sight for a visit.
func (j *Journey) Page(ctx context.Context, v *visit.Visit) page.Page {
	name := v.Here().Page
	switch {
	case name != "attract":
	case j.Enrolment != nil && j.Enrolment.Needed():
		name = enrolPage
	case j.outOfService():
		name = "closed"
	}
	p := screens[name].page(j, ctx, v)
	p.Name = name
	j.frame(v, &p)
	return p
}

// Resting reports whether nobody is being served: the page in sight attracts
// residents, or says that the borne is out of service.
func Resting(v *visit.Visit) bool { return v.Here().Page == "attract" }

// Patience is how long the visit may be still.
func (j *Journey) Patience(v *visit.Visit) visit.Patience {
	switch {
	case forStaff(v.Here().Page):
		return visit.Maintenance // whoever comes next must not find them open
	case v.Accompanied:
		return visit.Accompanied
	case v.Speech:
		return visit.WithSpeech
	}
	return visit.Usual
}

// frame adds what every page has: language, header, banner and navigation.
func (j *Journey) frame(v *visit.Visit, p *page.Page) {
	w := j.words(v)
	if forStaff(p.Name) {
		w = j.Texts.In("fr")
	}
	p.Lang = w.Code
	p.Header = page.Header{Site: j.Site.Name, Note: w.T("header.note"), Clock: w.Clock(j.Now())}
	if v.Accompanied {
		p.Header.Note = w.T("header.accompanied")
	}
	if j.Message != nil && p.Layout != page.Dark { // a warning stands alone
		p.Message = page.Message{Text: j.Message(), Lang: j.Site.Languages[0]}
	}
	if v.Notice != "" {
		p.Banner = &page.Badge{Text: v.Notice, Tone: page.Good}
	}
	if p.Name == enrolPage { // there is nowhere to go
		p.Nav = slices.DeleteFunc(j.nav(v, w), func(c page.Choice) bool { return c.ID != "nav.listen" && c.ID != "nav.bigger" })
		return
	}
	if p.Layout != page.Attract && p.Layout != page.Dark && p.Name != "closed" {
		p.Nav = j.nav(v, w)
	}
}

func (j *Journey) nav(v *visit.Visit, w *text.Words) []page.Choice {
	back := page.Choice{ID: "nav.back", Label: w.T("nav.back"), Icon: "arrow-left"}
	if len(v.Path) < 2 {
		back.Why = w.T("nav.back_why")
	}
	home := page.Choice{ID: "nav.home", Label: w.T("nav.home"), Icon: "home"}
	listen := page.Choice{ID: "nav.listen", Label: w.T("nav.listen"), Icon: "volume", Switch: true, On: v.Speech, Spoken: w.T("nav.listen_spoken")}
	bigger := page.Choice{ID: "nav.bigger", Label: w.T("nav.bigger"), Icon: "text-size", Spoken: w.T("nav.bigger_spoken")}
	if forStaff(v.Here().Page) {
		// Nothing that leads on to residents' pages, whence Back would lead to
		// these again without the code.
		return []page.Choice{back, home, listen, bigger}
	}
	if v.Here().Page == "home" { // there the way out takes its place
		home = page.Choice{ID: "nav.leave", Label: w.T("nav.leave"), Icon: "door-exit", Spoken: w.T("nav.leave_spoken")}
	}
	return []page.Choice{
		back, home,
		{ID: "nav.person", Label: w.T("nav.person"), Icon: "headset", Spoken: w.T("nav.person_spoken")},
		listen, bigger,
		{ID: "nav.language", Label: w.Name, Icon: "language", Spoken: w.T("nav.language_spoken", "Language", w.Name)},
	}
}

// TextSteps is how many sizes of text there are.
const TextSteps = 3

// Choose does what the resident chose. What is not a choice of the page in
// sight changes nothing: a late touch is no order.
func (j *Journey) Choose(ctx context.Context, v *visit.Visit, id string) *Task {
	p := j.Page(ctx, v)
	c, ok := p.Find(id)
	if !ok || c.Disabled() {
		return nil
	}
	v.Notice = ""
	here, journeying := amid(v.Path)
	search, depth := searching(v), len(v.Path)
	var task *Task
	if strings.HasPrefix(id, "nav.") {
		j.navigate(v, id)
	} else {
		task = screens[p.Name].choose(j, ctx, v, id)
	}
	if journeying {
		j.left(here, v.Path)
	}
	if search && len(v.Path) != depth {
		j.searched(v, p)
	}
	return task
}

func (j *Journey) navigate(v *visit.Visit, id string) {
	switch id {
	case "nav.back":
		v.Back()
	case "nav.home":
		v.Home()
		v.Path = []visit.Step{j.first()}
	case "nav.leave":
		v.Go(visit.Step{Page: "leaving"})
	case "nav.person":
		if v.Here().Page != "person" {
			v.Go(visit.Step{Page: "person"})
		}
	case "nav.listen":
		v.Speech = !v.Speech
		v.Use("speech")
	case "nav.bigger":
		v.TextStep = (v.TextStep + 1) % TextSteps
		v.Use("bigger")
	case "nav.language":
		if v.Here().Page != "language" {
			v.Go(visit.Step{Page: "language"})
		}
	}
}

// first is the page to which nothing leads: residents' home or, out of service,
// the one that says so.
func (j *Journey) first() visit.Step {
	if j.outOfService() {
		return visit.Step{Page: "attract"}
	}
	return visit.Step{Page: "home"}
}

// Timeout is the warning before a visit that has been still for too long is wiped.
func (j *Journey) Timeout(v *visit.Visit, left time.Duration) page.Page {
	w := j.words(v)
	p := page.Page{
		Name: "timeout", Layout: page.Dark,
		Title:  w.T("timeout.title"),
		Blocks: []page.Block{page.Countdown{Seconds: int(left / time.Second)}, page.Text{Text: w.T("timeout.text")}},
		Actions: []page.Choice{
			{ID: "timeout.stay", Label: w.T("timeout.stay"), Primary: true},
			{ID: "timeout.finish", Label: w.T("timeout.finish")},
		},
	}
	j.frame(v, &p)
	return p
}

// waiting is shown while a task runs for longer than half a second.
func (j *Journey) waiting(v *visit.Visit, id string) page.Page {
	w := j.words(v)
	p := page.Page{Name: "waiting", Layout: page.Centred, Title: w.T(id), Lead: w.T("waiting.lead"),
		Blocks: []page.Block{page.Picture{Icon: "hourglass"}}}
	j.frame(v, &p)
	p.Nav = nil
	return p
}

// Stay, then, is the one simple action that extends a visit; Finish ends it.
const (
	Stay   = "timeout.stay"
	Finish = "timeout.finish"
	// Wipe is the choice of the leaving page that ends the visit; whoever runs
	// the visit then calls End.
	Wipe = "leaving.finish"
)

func (j *Journey) words(v *visit.Visit) *text.Words {
	if v.Lang == "" {
		return j.Texts.In(j.Site.Languages[0])
	}
	return j.Texts.In(v.Lang)
}

// Tally adds one to an anonymous count.
func (j *Journey) Tally(key string) { j.add(key, 1) }

func (j *Journey) add(key string, n int) {
	if j.Count != nil {
		j.Count(key, n)
	}
}
