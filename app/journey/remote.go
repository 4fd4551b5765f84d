package journey

import (
	"context"
	"errors"
	"strings"

	"parvis/app/page"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// Personal reports whether a visit holds what is nobody else's business: what
// was typed, what a card has told, or a page for staff. Nobody may be sent a
// picture of the glass then, whichever page of the visit is in sight.
func (j *Journey) Personal(ctx context.Context, v *visit.Visit) bool {
	d, here := v.Draft, v.Here().Page
	switch {
	case len(d.Phone)+len(d.Card)+len(d.Name)+len(v.Search.Words)+len(v.Card)+len(v.PIN) > 0:
		return true
	case d.Code != "", v.CardPresent, v.Accompanied:
		return true
	}
	return forStaff(here) || strings.HasPrefix(here, "card.") || j.Page(ctx, v).Private
}

// ErrNoPrinter says that the site prints on no paper.
var ErrNoPrinter = errors.New("aucune imprimante n’est réglée")

// PrintTrial prints the trial ticket, on the printer for tickets where there is
// one. It returns when the paper is printed, or with the fault's title.
func (j *Journey) PrintTrial(ctx context.Context) error {
	if len(j.Outputs) == 0 {
		return ErrNoPrinter
	}
	o, ok := j.output(Ticket)
	if !ok {
		o = j.Outputs[0]
	}
	doc := ticket.Trial(ticket.Site{Name: j.Site.Name, Region: j.Site.Region}, j.Now(), j.Texts.In("fr").Sentence)
	err := o.Print(ctx, doc)
	if err == nil {
		return nil
	}
	fault, printed := whatFailed(err)
	if printed == "maybe" {
		return errors.New(fault.Info().Title + " ; le papier est peut-être sorti")
	}
	return errors.New(fault.Info().Title)
}

// Restarting takes the place of every page while the application ends. ended
// says that it has ended somebody's visit.
func (j *Journey) Restarting(v *visit.Visit, ended bool) page.Page {
	w := j.words(v)
	p := page.Page{Name: "restarting", Layout: page.Centred, Title: w.T("restart.title"), Lead: w.T("restart.lead"),
		Blocks: []page.Block{page.Picture{Icon: "refresh"}}}
	if ended {
		p.Blocks = append(p.Blocks, page.Text{Text: w.T("restart.ended")})
	}
	j.frame(v, &p)
	p.Nav, p.Message = nil, page.Message{}
	return p
}
