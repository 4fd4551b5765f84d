package journey

import (
	"context"
	"errors"
	"slices"
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

// Output is a kind of paper that the site can print on.
type Output struct {
	ID string // Ticket or Sheet
	// Print returns when the paper is printed; it is called away from the screen.
	Print  func(context.Context, printer.Document) error
	Status func() device.Status // nil: nothing is known of it beforehand
}

// The outputs.
const (
	Ticket = "ticket"
	Sheet  = "a4"
)

// trouble is what the resident reads of a printer that is known not to work:
// what happened, that nothing is lost, and what to do. It is empty for one that
// may work.
func (o Output) trouble(w *text.Words, photo string) string {
	if o.Status == nil {
		return ""
	}
	s := o.Status()
	if !broken(s) {
		return ""
	}
	return w.T(unprinted(s.Fault)) + " " + w.T("print.kept") + " " + photo
}

// unprinted is the id of what the resident reads of a fault that kept a document
// from being printed.
func unprinted(f device.Fault) string {
	if id := f.Info().Resident; id != "" {
		return id
	}
	return "print.out_of_order"
}

// printAction is the choice to print, where the site has a printer. Where none
// of the printers works it says why, before a resident waits for nothing.
func (j *Journey) printAction(w *text.Words, a page.Accent) []page.Choice {
	return j.printActionOr(w, a, w.T("print.photo_here"))
}

// printActionOr is printAction with what to do where nothing prints.
func (j *Journey) printActionOr(w *text.Words, a page.Accent, photo string) []page.Choice {
	if len(j.Outputs) == 0 {
		return nil
	}
	c := page.Choice{ID: "print", Label: w.T("print.print"), Icon: "printer", Accent: a, Primary: true}
	for _, o := range j.Outputs {
		why := o.trouble(w, photo)
		if why == "" {
			c.Why = ""
			break
		}
		if c.Why == "" {
			c.Why = why
		}
	}
	return []page.Choice{c}
}

// startPrint prints the page in sight, or asks on what paper.
func (j *Journey) startPrint(ctx context.Context, v *visit.Visit) *Task {
	if len(j.Outputs) == 1 {
		return j.print(ctx, v, j.Outputs[0])
	}
	v.Go(visit.Step{Page: "print.choose"})
	return nil
}

func (j *Journey) printChoice(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	photo := w.T("print.photo_page")
	if v.Path[max(0, len(v.Path)-2)].Page == "callback.done" {
		photo = w.T("print.photo_code")
	}
	icons := map[string]string{Ticket: "receipt", Sheet: "file-text"}
	var rows []page.Choice
	for _, o := range j.Outputs {
		rows = append(rows, page.Choice{ID: "on:" + o.ID, Label: w.T("print." + o.ID), Detail: w.T("print." + o.ID + "_detail"), Icon: icons[o.ID], Accent: page.Demarche, Why: o.trouble(w, photo)})
	}
	return page.Page{Accent: page.Demarche, Title: w.T("print.choose"), Blocks: []page.Block{page.Choices{Items: rows}}}
}

func (j *Journey) choosePrint(ctx context.Context, v *visit.Visit, id string) *Task {
	o, ok := j.output(strings.TrimPrefix(id, "on:"))
	if !ok {
		return nil
	}
	v.Back()
	return j.print(ctx, v, o)
}

func (j *Journey) output(id string) (Output, bool) {
	i := slices.IndexFunc(j.Outputs, func(o Output) bool { return o.ID == id })
	if i < 0 {
		return Output{}, false
	}
	return j.Outputs[i], true
}

// placesOn is how many places each kind of paper lists.
var placesOn = map[string]int{Ticket: 5, Sheet: 12}

// document is what the page in sight prints on a kind of paper; empty when that
// page has nothing to print.
func (j *Journey) document(ctx context.Context, v *visit.Visit, paper string) printer.Document {
	w := j.words(v)
	site := ticket.Site{Name: j.Site.Name, Address: j.Site.Address, Region: j.Site.Region}
	tr := ticket.Translate(w.Sentence)
	now := j.Now()
	switch v.Here().Page {
	case "demarche.result", "demarche.online", "demarche.where":
		d, a := j.current(v)
		return ticket.Demarche(site, now, d, a, w.Code, j.nearest(ctx, v), tr)
	case "wifi":
		return ticket.Join(site, now, j.Site.Wifi, w.Code, tr)
	case "fiche.section":
		return j.ficheTicket(v, site, w)
	case "place":
		if h, err := j.sheet(ctx, v); err == nil {
			return ticket.Place(site, now, h.Hit, w.Code, tr)
		}
	case "places":
		q := j.placesQuery(v)
		q.Limit = placesOn[paper]
		if found, err := j.Places.Search(ctx, q); err == nil {
			return ticket.Places(site, now, found.Hits, w.Code, tr)
		}
	case "level.result":
		p := j.Level.Profile(levelAnswers(v))
		return ticket.Level(site, now, p.Title.In(w.Code), p.Advice.In(w.Code), j.levelPlaces(ctx, v, placesOn[paper]), w.Code, tr)
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

// print sends what the page in sight has to print to a printer. It is tried
// once; only the resident may ask for it again.
func (j *Journey) print(ctx context.Context, v *visit.Visit, o Output) *Task {
	w := j.words(v)
	doc := j.document(ctx, v, o.ID)
	if len(doc.Blocks) == 0 {
		return nil
	}
	return &Task{
		Waiting: j.waiting(v, "waiting.printing"),
		Run: func(ctx context.Context) func(*visit.Visit) {
			err := o.Print(ctx, doc)
			return func(v *visit.Visit) {
				if err == nil {
					v.Notice = w.T("print.done_" + o.ID)
					j.Tally(o.ID + ".printed")
					return
				}
				fault, printed := whatFailed(err)
				j.Tally(o.ID + ".failed")
				v.Go(visit.Step{Page: "print.failed", Arg: strings.Join([]string{string(fault), printed, o.ID}, "/")})
			}
		},
	}
}

// whatFailed reads a printer's error: its fault, and whether "nothing" of the
// document was printed or "maybe" all of it.
func whatFailed(err error) (fault device.Fault, printed string) {
	var e *printer.Error
	switch {
	case !errors.As(err, &e):
		return device.Hardware, "maybe"
	case e.Printed == printer.Nothing:
		return e.Fault, "nothing"
	}
	return e.Fault, "maybe"
}

func (j *Journey) printFailed(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	arg := strings.SplitN(v.Here().Arg, "/", 3)
	fault, printed, paper := arg[0], arg[1], arg[2]
	p := page.Page{Layout: page.Centred, Accent: page.Callback, Title: w.T(unprinted(device.Fault(fault))), Lead: w.T("print.kept"),
		Blocks: []page.Block{page.Picture{Icon: "printer-off", Tone: page.Warn}},
	}
	retry := w.T("common.retry")
	if printed == "maybe" {
		p.Title, p.Lead = w.T("print.maybe_"+paper), w.T("print.look_"+paper)
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
	arg := strings.SplitN(v.Here().Arg, "/", 3)
	v.Back()
	if o, ok := j.output(arg[2]); ok && id == "retry" {
		return j.print(ctx, v, o)
	}
	return nil
}
