package journey

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/device"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/demarche"
	"parvis/kiosk/place"
	"parvis/kiosk/visit"
)

// cardPages are the pages that cards lead to.
var cardPages = map[card.Kind]visit.Step{
	card.City:     {Page: "card.city"},
	card.Mediator: {Page: "card.mediator"},
	card.Staff:    {Page: "maintenance.pin"},
	card.Pass:     {Page: "card.pass"},
	card.Vitale:   {Page: "card.vitale"},
	card.Several:  {Page: "card.several"},
	card.Unknown:  {Page: "card.unknown"},
	card.NotAPass: {Page: "card.unknown", Arg: string(reader.Code)},
}

// Card does what a card asks for that was shown, or taken away, at any moment.
// Nothing that the resident typed is lost: Back leads to the page that was in
// sight. Shown again while its page is in sight, a card does nothing. Card
// takes over the card's number.
func (j *Journey) Card(v *visit.Visit, c card.Card) {
	if c.Medium == reader.Contact {
		v.CardPresent = c.Kind != card.Gone
	}
	here, to := v.Here(), cardPages[c.Kind]
	switch {
	case c.Kind == card.Gone,
		j.outOfService() && c.Kind != card.Staff && (Resting(v) || here.Page == "maintenance.pin"):
		c.Wipe()
		return
	case forStaff(here.Page) && here.Page != "maintenance.pin": // they try the reader
		v.Notice = j.Texts.In("fr").T("maintenance.read", "Card", j.Texts.In("fr").T("maintenance.card_"+string(c.Kind)))
		c.Wipe()
		return
	case here == to:
		if c.Kind == card.City {
			j.offerCard(v, c)
		}
		return
	}
	v.Notice = ""
	j.Tally("card." + string(c.Kind))
	if c.Kind == card.Mediator && v.Accompanied {
		v.Notice = j.words(v).T("card.mediator_on")
		return
	}
	switch {
	case Resting(v) && c.Kind == card.Staff:
		v.Lang = j.Site.Languages[0]
		if !j.outOfService() {
			v.Path = []visit.Step{{Page: "home"}}
		}
	case Resting(v):
		j.begin(v, j.Site.Languages[0])
	}
	switch c.Kind {
	case card.City:
		j.offerCard(v, c)
	case card.Mediator:
		v.Accompanied = true
		j.Tally("visit.accompanied")
	case card.Staff:
		v.PIN, v.Aloud = visit.Empty(v.PIN), false
	}
	if strings.HasPrefix(here.Page, "card.") || here.Page == "maintenance.pin" {
		v.Replace(to) // one card after the other: Back leads to before the first
		return
	}
	v.Go(to)
}

// offerCard keeps the number of a city card until the resident says yes or no.
func (j *Journey) offerCard(v *visit.Visit, c card.Card) {
	visit.Empty(v.Card)
	v.Card = c.Number
}

// card explains the card row: what may be shown here, if anything.
func (j *Journey) card(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	cards, codes := j.reader(reader.RFID, reader.Contactless, reader.Contact), j.reader(reader.Code)
	lead := "card.no_reader"
	switch {
	case cards == atWork && codes == atWork:
		lead = "card.show"
	case cards == atWork:
		lead = "card.show_card"
	case codes == atWork:
		lead = "card.show_code"
	case cards == outOfOrder || codes == outOfOrder:
		lead = "card.reader_broken"
	}
	p := page.Page{Accent: page.Card, Title: w.T("card.title"), Lead: w.T(lead)}
	p.Blocks = append(j.cardNotices(w),
		page.Notice{Accent: page.Card, Icon: "first-aid-kit", Title: w.T("card.vitale"), Text: w.T("card.vitale_text")},
		page.Choices{Items: cardRows(w)})
	return p
}

// broken reports whether a device is known not to work.
func broken(s device.Status) bool {
	return !s.Ready() && s.State != device.Unknown && s.State != device.Starting
}

// readerState is what residents need to know of the readers of some media.
type readerState int

const (
	noReader   readerState = iota
	outOfOrder             // there is one or more, and none works
	atWork                 // one may work
)

// reader tells of the best reader that the site has for any of the media.
func (j *Journey) reader(media ...reader.Medium) readerState {
	best := noReader
	if j.CardReader == nil {
		return best
	}
	for _, m := range media {
		s, ok := j.CardReader(m)
		switch {
		case !ok:
		case broken(s):
			best = max(best, outOfOrder)
		default:
			best = atWork
		}
	}
	return best
}

// cardNotices say what the city's card, where the city has one and the borne can
// read it, and a Pass numérique are for: shown here, or without a reader.
func (j *Journey) cardNotices(w *text.Words) []page.Block {
	pass := page.Notice{Accent: page.Card, Icon: "ticket", Title: w.T("card.pass"), Text: w.T("card.pass_text")}
	if j.Cards.Pass != nil && j.reader(reader.Code) == atWork {
		pass.Text = w.T("card.pass_show")
	}
	readable := func(rule card.CityRule) bool { return j.reader(rule.Medium) == atWork }
	if !slices.ContainsFunc(j.Cards.City, readable) {
		return []page.Block{pass}
	}
	return []page.Block{page.Notice{Accent: page.Card, Icon: "id-badge-2", Title: w.T("card.city"), Text: w.T("card.city_text")}, pass}
}

// cardRows are the ways on from cards that lead nowhere.
func cardRows(w *text.Words) []page.Choice {
	return []page.Choice{
		{ID: "places", Label: w.T("card.places"), Detail: w.T("card.places_detail"), Icon: "map-pin", Accent: page.Place},
		{ID: "callback", Label: w.T("person.callback"), Detail: w.T("person.callback_detail"), Icon: "phone-call", Accent: page.Callback},
	}
}

func (j *Journey) chooseCard(_ context.Context, v *visit.Visit, id string) *Task {
	if id == "callback" {
		j.startCallback(v, "", "")
		return nil
	}
	j.findPlaces(v, "apprendre")
	return nil
}

// cityCard asks whether the resident wants to be called at the number that the
// city has. Nothing of the card is shown.
func (j *Journey) cityCard(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	return page.Page{
		Accent: page.Card, Title: w.T("card.city_title"), Lead: w.T("card.city_lead"),
		Blocks: []page.Block{
			page.Text{Style: page.Muted, Text: w.T("card.city_note")},
			page.Choices{Items: []page.Choice{
				{ID: "yes", Label: w.T("card.city_yes"), Icon: "phone-call", Accent: page.Callback},
				{ID: "no", Label: w.T("card.city_no"), Detail: w.T("card.city_no_detail"), Icon: "phone", Accent: page.Callback},
			}},
		},
	}
}

func (j *Journey) chooseCityCard(_ context.Context, v *visit.Visit, id string) *Task {
	number := v.Card
	v.Card = nil
	v.Path = slices.DeleteFunc(v.Path, func(s visit.Step) bool { return s.Page == "card.city" }) // it is answered
	here := v.Here().Page
	writing := strings.HasPrefix(here, "callback.") && here != "callback.done"
	if !writing {
		j.startCallback(v, "", "")
	}
	v.ForgetCard()
	if id == "no" {
		clear(number)
		if writing && here != "callback.topic" && here != "callback.phone" && !callback.CheckPhone(string(v.Draft.Phone)).Valid {
			v.Go(visit.Step{Page: "callback.phone", Arg: mending}) // they had agreed to another card before
		}
		return nil
	}
	v.Draft.Card = number
	if here == "callback.phone" {
		advance(v, "callback.when")
	}
	return nil
}

// mediatorBadge begins the accompanied mode with the charter's reminder.
func (j *Journey) mediatorBadge(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var rules page.Checklist
	for _, rule := range []string{"look", "type", "passwords", "secret", "stop"} {
		rules.Items = append(rules.Items, page.Item{Text: w.T("card.mediator_" + rule)})
	}
	return page.Page{
		Accent: page.Card, Title: w.T("card.mediator_title"), Lead: w.T("card.mediator_lead"),
		Blocks:  []page.Block{rules},
		Actions: []page.Choice{{ID: "continue", Label: w.T("card.mediator_ok"), Icon: "check", Accent: page.Card, Primary: true}},
	}
}

func (j *Journey) chooseMediatorBadge(_ context.Context, v *visit.Visit, _ string) *Task {
	v.Back()
	return nil
}

// passLabels mark places that take a Pass numérique. The national schema has no
// field for it: sources write it among the labels, or that the place belongs to
// #APTIC, which issued them.
var passLabels = []string{"pass numérique", "aptic"}

// Of the nearest places that speak of a label, passSearched are looked at, and
// passListed shown.
const (
	passSearched = 100
	passListed   = 12
)

// passPlaces are the places nearest to the borne that take a Pass numérique.
func (j *Journey) passPlaces(ctx context.Context) []place.Hit {
	at := j.Site.Position
	var hits []place.Hit
	for _, label := range passLabels {
		found, err := j.Places.Search(ctx, place.Query{Near: &at, Now: j.Now(), Text: label, Limit: passSearched})
		if err != nil {
			return nil // the page then says what to do without a list
		}
		for _, h := range found.Hits {
			// The search forgives: to it a place of small steps is "pas" too.
			known := slices.ContainsFunc(hits, func(x place.Hit) bool { return x.ID == h.ID })
			if !known && slices.ContainsFunc(h.OtherLabels, func(l string) bool { return strings.Contains(strings.ToLower(l), label) }) {
				hits = append(hits, h)
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b place.Hit) int { return cmp.Compare(away(a), away(b)) })
	return hits[:min(len(hits), passListed)]
}

// away is how far a place is, in metres; one without a position is the farthest.
func away(h place.Hit) float64 {
	if h.Position == nil {
		return math.Inf(1)
	}
	return h.Metres
}

// pass answers a code in the form of a Pass numérique. The code itself is
// neither kept nor shown.
func (j *Journey) pass(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Card, Title: w.T("card.pass_title"), Lead: w.T("card.pass_lead")}
	if hits := j.passPlaces(ctx); len(hits) > 0 {
		p.Blocks = []page.Block{page.Choices{Label: w.T("card.pass_places"), Items: j.placeRows(hits, w)}}
		return p
	}
	p.Blocks = []page.Block{page.Text{Text: w.T("card.pass_none")}, page.Choices{Items: cardRows(w)}}
	return p
}

func (j *Journey) choosePass(ctx context.Context, v *visit.Visit, id string) *Task {
	if j.openPlace(v, id) {
		return nil
	}
	return j.chooseCard(ctx, v, id)
}

// vitaleDemarche is the démarche that tells how to keep a carte Vitale up to date.
const vitaleDemarche = "carte-vitale-droits-sante"

// vitale says that nothing was read of a carte Vitale, and where it is brought
// up to date.
func (j *Journey) vitale(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	rows := cardRows(w)[1:]
	if d := j.Demarches.Get(vitaleDemarche); d != nil {
		rows = append(demarcheRows([]*demarche.Demarche{d}, w), rows...)
	}
	return page.Page{
		Accent: page.Card, Title: w.T("card.vitale_title"), Lead: w.T("card.vitale_lead"),
		Blocks: []page.Block{
			page.Notice{Accent: page.Card, Icon: "first-aid-kit", Title: w.T("card.vitale_where"), Text: w.T("card.vitale_text")},
			page.Choices{Items: rows},
		},
	}
}

func (j *Journey) chooseVitale(ctx context.Context, v *visit.Visit, id string) *Task {
	if strings.HasPrefix(id, "demarche:") {
		j.openDemarche(v, id)
		return nil
	}
	return j.chooseCard(ctx, v, id)
}

func (j *Journey) severalCards(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	return page.Page{Accent: page.Card, Layout: page.Centred, Title: w.T("card.several_title"), Lead: w.T("card.several_lead"),
		Blocks: []page.Block{page.Picture{Icon: "credit-card"}}}
}

func (j *Journey) unknownCard(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Card, Title: w.T("card.unknown_title"), Lead: w.T("card.unknown_lead")}
	if v.Here().Arg == string(reader.Code) {
		p.Title = w.T("card.unknown_code")
	}
	p.Blocks = append(j.cardNotices(w), page.Choices{Items: cardRows(w)})
	return p
}
