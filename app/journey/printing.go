package journey

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/device"
	"parvis/device/printer"
	"parvis/kiosk/callback"
	"parvis/kiosk/place"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// printAction is the choice to print, where the site has a printer.
func (j *Journey) printAction(w *text.Words, a page.Accent) []page.Choice {
	if j.Print == nil {
		return nil
	}
	return []page.Choice{{ID: "print", Label: w.T("print.print"), Icon: "printer", Accent: a, Primary: true}}
}

// ticketPlaces is how many places a ticket lists.
const ticketPlaces = 5

// document is the ticket of the page in sight; nil when that page has none.
func (j *Journey) document(ctx context.Context, v *visit.Visit) printer.Document {
	w := j.words(v)
	site := ticket.Site{Name: j.Site.Name, Region: j.Site.Region}
	tr := ticket.Translate(w.Sentence)
	now := j.Now()
	switch v.Here().Page {
	case "demarche.result", "demarche.online", "demarche.where":
		d, a := j.current(v)
		return ticket.Demarche(site, now, d, a, w.Code, j.nearest(ctx, v), tr)
	case "fiche.section":
		return j.ficheTicket(v, site, w)
	case "place":
		if h, err := j.sheet(ctx, v); err == nil {
			return ticket.Place(site, now, h.Hit, w.Code, tr)
		}
	case "places":
		q := j.placesQuery(v)
		q.Limit = ticketPlaces
		if found, err := j.Places.Search(ctx, q); err == nil {
			return ticket.Places(site, now, found.Hits, w.Code, tr)
		}
	case "level.result":
		p := j.Level.Profile(levelAnswers(v))
		return ticket.Level(site, now, p.Title.In(w.Code), p.Advice.In(w.Code), j.levelPlaces(ctx, v, ticketPlaces), w.Code, tr)
	case "callback.done":
		return ticket.Callback(site, now, callback.FormatCode(v.Draft.Code), v.Draft.When, w.Code, tr)
	}
	return printer.Document{}
}

// nearest finds the place nearest to the borne for each place to go of the
// démarche in hand.
func (j *Journey) nearest(ctx context.Context, v *visit.Visit) []place.Hit {
	d := j.Demarches.Get(v.Demarche)
	before := v.Search
	defer func() { v.Search = before }()
	var hits []place.Hit
	for i, x := range d.Outcome(answers(v.Answers, len(v.Answers))).Where {
		if x.Query == nil {
			continue
		}
		v.Search = visit.Search{Need: "where:" + strconv.Itoa(i)}
		q := j.placesQuery(v)
		q.Limit = 1
		if found, err := j.Places.Search(ctx, q); err == nil {
			hits = append(hits, found.Hits...)
		}
	}
	return hits
}

// print sends the ticket of the page in sight to the printer. It is tried
// once; only the resident may ask for it again.
func (j *Journey) print(ctx context.Context, v *visit.Visit) *Task {
	w := j.words(v)
	doc := j.document(ctx, v)
	if len(doc.Blocks) == 0 {
		return nil
	}
	return &Task{
		Waiting: j.waiting(v, "waiting.printing"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			err := j.Print(ctx, doc)
			return func(v *visit.Visit) {
				if err == nil {
					v.Notice = w.T("print.done")
					j.Tally("ticket.printed")
					return
				}
				fault, printed := string(device.Hardware), "maybe"
				var e *printer.Error
				if errors.As(err, &e) {
					fault = string(e.Fault)
					if e.Printed == printer.Nothing {
						printed = "nothing"
					}
				}
				j.Tally("ticket.failed")
				v.Go(visit.Step{Page: "print.failed", Arg: fault + "/" + printed})
			}
		},
	}
}

func (j *Journey) printFailed(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	fault, printed, _ := strings.Cut(v.Here().Arg, "/")
	p := page.Page{Layout: page.Centred, Accent: page.Callback, Title: w.T(device.Fault(fault).Info().Resident), Lead: w.T("print.kept"),
		Blocks: []page.Block{page.Picture{Icon: "printer-off", Tone: page.Warn}},
	}
	retry := w.T("common.retry")
	if printed == "maybe" {
		p.Title, p.Lead = w.T("print.maybe"), w.T("print.maybe_text")
		retry = w.T("print.again")
	}
	if v.Path[max(0, len(v.Path)-2)].Page == "callback.done" {
		p.Private = true
		p.Blocks = append(p.Blocks, codeBlock(v.Draft.Code, w), page.Text{Text: w.T("print.photo")})
	} else {
		p.Blocks = append(p.Blocks, page.Text{Text: w.T("print.photo_page")})
	}
	p.Actions = []page.Choice{
		{ID: "retry", Label: retry, Icon: "refresh"},
		{ID: "back", Label: w.T("print.back"), Icon: "arrow-left", Accent: page.Demarche, Primary: true},
	}
	return p
}

func (j *Journey) choosePrintFailed(ctx context.Context, v *visit.Visit, id string) *Task {
	v.Back()
	if id == "retry" {
		return j.print(ctx, v)
	}
	return nil
}
