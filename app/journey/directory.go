package journey

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/visit"
)

// need is what a resident may look for, as a query of the directory.
type need struct {
	key, icon string
	services  []string
}

var needs = []need{
	{"demarches", "file-text", []string{"aide_aux_demarches_administratives"}},
	{"apprendre", "school", []string{"maitrise_des_outils_numeriques_du_quotidien"}},
	{"ordinateur", "device-desktop", []string{"acces_internet_et_materiel_informatique"}},
	{"securite", "shield-check", []string{"utilisation_securisee_du_numerique"}},
	{"materiel", "device-laptop", []string{"acquisition_de_materiel_informatique_a_prix_solidaire"}},
}

func (j *Journey) needs(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	var rows []page.Choice
	for _, n := range needs {
		rows = append(rows, page.Choice{ID: "need:" + n.key, Label: w.T("need." + n.key), Detail: w.T("need." + n.key + "_detail"), Icon: n.icon, Accent: page.Place})
	}
	rows = append(rows, page.Choice{ID: "search", Label: w.T("need.search"), Detail: w.T("need.search_detail"), Icon: "search", Accent: page.Place})
	return page.Page{Accent: page.Place, Title: w.T("need.title"), Blocks: []page.Block{page.Choices{Items: rows}}}
}

func (j *Journey) chooseNeed(_ context.Context, v *visit.Visit, id string) *Task {
	if id == "search" {
		v.Search = visit.Search{Filters: map[string]bool{}, Words: visit.Empty(v.Search.Words)}
		v.Go(visit.Step{Page: "places.search"})
		return nil
	}
	key := strings.TrimPrefix(id, "need:")
	j.Tally("need." + key)
	j.findPlaces(v, key)
	return nil
}

// findPlaces opens the list of places for a need: a key of needs, "mediateur",
// "level", or "where:N" for the N-th place to go of the démarche in hand.
func (j *Journey) findPlaces(v *visit.Visit, need string) {
	v.Search = visit.Search{Need: need, Filters: map[string]bool{}}
	v.Go(visit.Step{Page: "places"})
}

// placesQuery is what the visit's search asks of the directory.
func (j *Journey) placesQuery(v *visit.Visit) place.Query {
	at := j.Site.Position
	q := place.Query{Near: &at, Now: j.Now(), Text: string(v.Search.Words)}
	if v.Search.Opening {
		q.Sort = place.ByOpening
	}
	for _, n := range needs {
		if n.key == v.Search.Need {
			q.Services = slices.Clone(n.services)
		}
	}
	if v.Search.Need == "mediateur" {
		q.Mediator = true
	}
	if v.Search.Need == "level" {
		if p := j.Level.Profile(levelAnswers(v)); p != nil {
			q.Services, q.SupportModes = slices.Clone(p.Query.Services), slices.Clone(p.Query.SupportModes)
		}
	}
	if n, ok := strings.CutPrefix(v.Search.Need, "where:"); ok && v.Demarche != "" {
		d := j.Demarches.Get(v.Demarche)
		where := d.Outcome(answers(v.Answers, len(v.Answers))).Where
		if i, err := strconv.Atoi(n); err == nil && i < len(where) && where[i].Query != nil {
			x := where[i].Query
			q.Text, q.Services, q.Programmes = x.Text, slices.Clone(x.Services), slices.Clone(x.Programmes)
		}
	}
	for key, on := range v.Search.Filters {
		if on {
			applyFilter(&q, key, j.Now())
		}
	}
	return q
}

const placesListed = 30

func (j *Journey) places(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Place}
	q := j.placesQuery(v)
	q.Limit = placesListed
	found, err := j.Places.Search(ctx, q)
	chips := page.Choices{Shape: page.Chips}
	for _, key := range []string{"open", "mediator", "computers", "wifi", "accessible"} {
		chips.Items = append(chips.Items, filterChip(v, w, key))
	}
	more := page.Choice{ID: "filters", Label: w.T("places.more_filters"), Icon: "adjustments-horizontal"}
	if n := moreFilters(v); n > 0 {
		more.Label = w.T("places.more_filters_on", "N", n)
	}
	chips.Items = append(chips.Items, more)
	p.Blocks = append(p.Blocks, chips)
	var rows []page.Choice
	if v.Search.Need == "ordinateur" && j.Site.Wifi.Name != "" { // the nearest is here
		rows = append(rows, page.Choice{ID: "wifi", Label: w.T("wifi.join"), Detail: w.T("wifi.join_detail"), Icon: "wifi", Accent: page.Place})
	}
	switch {
	case err != nil:
		p.Title, p.Lead = w.T("places.broken"), w.T("places.broken_text")
	case found.Total == 0:
		p.Title, p.Lead = w.T("places.none"), w.T("places.none_text")
	default:
		p.Title = w.T("places.count", "Count", found.Total)
		rows = append(rows, j.placeRows(found.Hits, w)...)
	}
	if len(rows) > 0 {
		p.Blocks = append(p.Blocks, page.Choices{Items: rows})
	}
	if err != nil || found.Total == 0 {
		p.Actions = []page.Choice{
			{ID: "callback", Label: w.T("demarche.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true}}
		if anyFilter(v) {
			p.Actions = append([]page.Choice{{ID: "clear", Label: w.T("places.clear"), Icon: "x"}}, p.Actions...)
		}
		return p
	}
	sort := page.Choice{ID: "sort", Label: w.T("places.sort_opening"), Icon: "clock"}
	if v.Search.Opening {
		sort = page.Choice{ID: "sort", Label: w.T("places.sort_walk"), Icon: "walk"}
	}
	p.Actions = append([]page.Choice{sort}, j.printAction(w, page.Place)...)
	return p
}

func (j *Journey) placeRows(hits []place.Hit, w *text.Words) []page.Choice {
	rows := make([]page.Choice, len(hits))
	for i, h := range hits {
		c := page.Choice{ID: "place:" + h.ID, Label: h.Name, Detail: address(h.Place), Accent: page.Place, Badge: j.opening(h, w)}
		if i < 26 {
			c.Letter = string(rune('A' + i))
		} else {
			c.Icon = "map-pin"
		}
		c.Side, c.SideNote = distance(h, w)
		rows[i] = c
	}
	return rows
}

// distance says how far a place is: minutes on foot, kilometres beyond an hour.
func distance(h place.Hit, w *text.Words) (side, note string) {
	switch {
	case h.Walk == 0:
		return "", ""
	case h.Walk > time.Hour:
		return w.T("places.km", "N", fmt.Sprintf("%.0f", h.Metres/1000)), ""
	}
	return w.T("places.minutes", "N", max(1, int(h.Walk.Round(time.Minute)/time.Minute))), w.T("places.on_foot")
}

func address(p place.Place) string {
	if p.Address == "" {
		return p.City
	}
	return p.Address + ", " + p.City
}

// opening says whether a place is open, until when or from when; nil when
// its hours are not known.
func (j *Journey) opening(h place.Hit, w *text.Words) *page.Badge {
	now := j.Now()
	until := h.State.Change.In(now.Location())
	switch h.State.Kind {
	case hours.Open:
		if until.IsZero() {
			return &page.Badge{Text: w.T("opening.open"), Tone: page.Good}
		}
		return &page.Badge{Text: w.T("opening.until", "Time", w.Clock(until)), Tone: page.Good}
	case hours.OpensLater:
		return &page.Badge{Text: j.opens(h.State, until, now, w), Tone: page.Warn}
	case hours.Closed:
		if h.State.Holiday != "" {
			return &page.Badge{Text: w.T("opening.holiday", "Holiday", h.State.Holiday), Tone: page.Warn}
		}
		return &page.Badge{Text: w.T("opening.closed"), Tone: page.Warn}
	}
	return nil
}

func (j *Journey) opens(s hours.State, at, now time.Time, w *text.Words) string {
	days := daysBetween(now, at)
	clock := w.Clock(at)
	var when string
	switch {
	case days == 0:
		when = w.T("opening.opens_today", "Time", clock)
	case days == 1:
		when = w.T("opening.opens_tomorrow", "Time", clock)
	case days < 7:
		when = w.T("opening.opens_day", "Day", w.Weekday(at.Weekday()), "Time", clock)
	default:
		when = w.T("opening.opens_date", "Date", w.Date(at))
	}
	if s.Holiday != "" {
		return w.T("opening.holiday", "Holiday", s.Holiday) + " · " + when
	}
	return when
}

func daysBetween(a, b time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	return int(day(b).Sub(day(a)) / (24 * time.Hour))
}

func (j *Journey) choosePlaces(ctx context.Context, v *visit.Visit, id string) *Task {
	if key, ok := strings.CutPrefix(id, "filter:"); ok {
		toggle(v, key)
		return nil
	}
	if j.openPlace(v, id) {
		return nil
	}
	switch id {
	case "filters":
		v.Go(visit.Step{Page: "places.filters"})
	case "sort":
		v.Search.Opening = !v.Search.Opening
	case "clear":
		v.Search.Filters = map[string]bool{}
	case "callback":
		j.startCallback(v, "", "")
	case "wifi":
		v.Go(visit.Step{Page: "wifi"})
	case "print":
		return j.startPrint(ctx, v)
	}
	return nil
}

func (j *Journey) openPlace(v *visit.Visit, id string) bool {
	id, ok := strings.CutPrefix(id, "place:")
	if ok {
		v.Go(visit.Step{Page: "place", Arg: id})
		j.Tally("place.shown")
	}
	return ok
}

func (j *Journey) placeSearch(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	words := string(v.Search.Words)
	p := page.Page{Accent: page.Place, Title: w.T("places.search_title"), Private: true,
		Blocks: []page.Block{page.Field{Value: words, Hint: w.T("places.search_hint")}}}
	if strings.TrimSpace(words) != "" {
		q := j.placesQuery(v)
		q.Limit = 2
		found, err := j.Places.Search(ctx, q)
		switch {
		case err != nil:
			p.Blocks = append(p.Blocks, page.Text{Style: page.Muted, Text: w.T("places.broken_text")})
		case found.Total == 0:
			p.Blocks = append(p.Blocks, page.Text{Style: page.Muted, Text: w.T("places.none")})
		default:
			rows := j.placeRows(found.Hits, w)
			if found.Total > len(rows) {
				p.Actions = []page.Choice{{ID: "all", Label: w.T("places.see_all", "Count", found.Total), Icon: "list", Accent: page.Place, Primary: true}}
			}
			p.Blocks = append(p.Blocks, page.Choices{Items: rows})
		}
	}
	p.Blocks = append(p.Blocks, keyboard(v, w))
	return p
}

func (j *Journey) choosePlaceSearch(_ context.Context, v *visit.Visit, id string) *Task {
	if typed, ok := press(v, v.Search.Words, id, 40); ok {
		v.Search.Words = typed
		return nil
	}
	if id == "all" {
		v.Go(visit.Step{Page: "places"})
		return nil
	}
	j.openPlace(v, id)
	return nil
}

// sheet reads the place in sight.
func (j *Journey) sheet(ctx context.Context, v *visit.Visit) (place.Sheet, error) {
	return j.Places.Sheet(ctx, v.Here().Arg, &j.Site.Position, j.Now())
}

func (j *Journey) place(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	p := page.Page{Accent: page.Place}
	h, err := j.sheet(ctx, v)
	if err != nil {
		p.Title, p.Lead = w.T("places.gone"), w.T("places.gone_text")
		return p
	}
	p.Badge, p.Title, p.Lead = j.opening(h.Hit, w), h.Name, address(h.Place)
	if side, note := distance(h.Hit, w); side != "" {
		p.Lead += " · " + strings.TrimSpace(side+" "+note)
	}
	if f := placeFacts(h, w); len(f) > 0 {
		p.Blocks = append(p.Blocks, page.Facts{Items: f})
	}
	p.Blocks = append(p.Blocks, j.week(h.Place, w)...)
	if h.Phone != "" {
		p.Blocks = append(p.Blocks, page.Table{Lines: []page.Line{{Label: w.T("place.phone"), Value: h.DialledPhone()}}})
	}
	if h.Stale {
		p.Blocks = append(p.Blocks, page.Notice{Accent: page.Callback, Icon: "alert-triangle", Title: w.T("place.stale"), Text: w.T("place.stale_text", "Date", w.FullDate(h.Updated))})
	}
	if h.Summary != "" {
		p.Blocks = append(p.Blocks, page.Text{Style: page.Muted, Text: h.Summary})
	}
	p.Actions = append(j.printAction(w, page.Place),
		page.Choice{ID: "phone", Label: w.T("place.qr"), Icon: "qrcode"},
		page.Choice{ID: "callback", Label: w.T("place.callback"), Icon: "phone-call", Accent: page.Callback, Primary: true})
	return p
}

func placeFacts(h place.Sheet, w *text.Words) []string {
	var facts []string
	add := func(ok bool, id string) {
		if ok {
			facts = append(facts, w.T(id))
		}
	}
	add(slices.Contains(h.Fees, "Gratuit"), "fact.free")
	add(slices.Contains(h.Fees, "Payant"), "fact.paying")
	add(h.Mediator, "fact.mediator")
	add(h.Computers, "fact.computers")
	add(h.WiFi, "fact.wifi")
	add(h.Accessible, "fact.accessible")
	add(h.Booking, "fact.booking")
	add(slices.Contains(h.Programmes, "France Services"), "fact.france_services")
	return facts
}

// week is the table of the coming seven days, or the hours as written where
// they cannot be read.
func (j *Journey) week(p place.Place, w *text.Words) []page.Block {
	if p.Hours == "" {
		return []page.Block{page.Text{Style: page.Muted, Text: w.T("place.no_hours")}}
	}
	s, err := j.Places.Schedule(p.Hours)
	if err != nil {
		return []page.Block{page.Text{Text: w.T("place.raw_hours", "Hours", p.Hours)}}
	}
	now := j.Now()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	var lines []page.Line
	for i := range 7 {
		day := today.AddDate(0, 0, i)
		label := upperFirst(w.Weekday(day.Weekday()))
		if i == 0 {
			label = w.T("place.today", "Day", label)
		}
		var spans []string
		for _, o := range s.Open(day, day.AddDate(0, 0, 1)) {
			spans = append(spans, w.Clock(o.Start)+" – "+w.Clock(o.End))
		}
		value := strings.Join(spans, ", ")
		if value == "" {
			value = w.T("place.closed")
			if name, ok := hours.Holiday(day, j.Site.Region); ok {
				value = w.T("place.closed_holiday", "Holiday", name)
			}
		}
		lines = append(lines, page.Line{Label: label, Value: value, Strong: i == 0})
	}
	return []page.Block{page.Table{Lines: lines}}
}

func upperFirst(s string) string {
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}

func (j *Journey) choosePlace(ctx context.Context, v *visit.Visit, id string) *Task {
	switch id {
	case "print":
		return j.startPrint(ctx, v)
	case "phone":
		v.Go(visit.Step{Page: "place.phone", Arg: v.Here().Arg})
	case "callback":
		j.startCallback(v, "", v.Here().Arg)
	}
	return nil
}

// placeQR puts a place into a contact card that any telephone reads without a network.
func (j *Journey) placeQR(ctx context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	h, err := j.sheet(ctx, v)
	if err != nil {
		return page.Page{Accent: page.Place, Title: w.T("places.gone"), Lead: w.T("places.gone_text")}
	}
	card := []string{"BEGIN:VCARD", "VERSION:3.0", "N:" + vcard(h.Name), "FN:" + vcard(h.Name),
		"ADR:;;" + vcard(h.Address) + ";" + vcard(h.City) + ";;" + vcard(h.Postcode) + ";France"}
	if h.Phone != "" {
		card = append(card, "TEL:"+h.Phone)
	}
	if len(h.Websites) > 0 {
		card = append(card, "URL:"+h.Websites[0])
	}
	card = append(card, "END:VCARD")
	return page.Page{Accent: page.Place, Kicker: h.Name, Title: w.T("place.qr_title"), Lead: w.T("place.qr_lead"),
		Blocks: []page.Block{page.QR{Data: strings.Join(card, "\r\n"), Caption: address(h.Place)}}}
}

func vcard(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}
