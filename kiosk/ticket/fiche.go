package ticket

import (
	"strconv"
	"strings"
	"time"

	"parvis/device/printer"
	"parvis/kiosk/fiche"
)

// Fiche is the ticket of a part of an official fiche: where in the fiche it
// stands, its blocks, and a code of the whole page, with its source and date.
func Fiche(house Site, at time.Time, f *fiche.Fiche, s fiche.Section, blocks []fiche.Block, lang string, tr Translate) printer.Document {
	p := start(house, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: oneLine(f.Title)})
	for _, title := range s.Chapters {
		p.text(oneLine(title))
	}
	if s.Title != "" {
		p.section(oneLine(s.Title))
	}
	for _, name := range s.Cases {
		p.add(printer.Text{Text: oneLine(name), Bold: true})
	}
	p.add(printer.Space{Lines: 1})
	for _, b := range blocks {
		p.fiche(b)
	}
	p.add(printer.Rule{Dashed: true})
	p.code(p.say("ticket.fiche"), f.URL)
	p.text(p.say("ticket.source", "Source", f.Source))
	p.text(p.say("ticket.updated", "Date", p.fullDate(f.Updated)))
	return p.end()
}

// fiche adds a block of a fiche.
func (p *paper) fiche(block fiche.Block) {
	switch b := block.(type) {
	case fiche.Paragraph:
		p.text(b.Text)
	case fiche.Heading:
		p.section(oneLine(b.Text))
	case fiche.List:
		p.list(b)
	case fiche.Notice:
		p.titled(b.Title, b.Text)
	case fiche.Table:
		p.titled(b.Title)
		for _, f := range b.Facts() {
			line := oneLine(f.Label)
			if f.Value != "" {
				line = strings.TrimPrefix(line+"\u00a0: "+oneLine(f.Value), "\u00a0: ")
			}
			p.add(printer.Text{Text: line, Bold: f.Head})
		}
	case fiche.Picture:
		p.titled(b.Title, b.Caption, b.Text, b.Alt, b.Credit)
		p.text(site(b.URL))
	case fiche.Office:
		p.titled(b.Title, b.Text, b.Source, site(b.URL))
	case fiche.Service:
		form := ""
		if b.Cerfa != "" {
			form = p.say("ticket.form", "Number", b.Cerfa)
		}
		p.titled(b.Title, b.Kind, form, b.Text, b.Source, site(b.URL))
	case fiche.Link:
		p.titled(b.Text, b.Note, site(b.URL))
	case fiche.Definition:
		p.titled(b.Term, b.Text)
	}
}

// list adds a list; papers to bring have boxes to tick.
func (p *paper) list(l fiche.List) {
	for n, item := range l.Items {
		text, detail, _ := strings.Cut(item, "\n")
		switch l.Style {
		case fiche.Checklist:
			p.add(printer.Checkbox{Text: text, Detail: detail})
		case fiche.Numbered:
			p.text(strconv.Itoa(n+1) + ". " + item)
		default:
			p.add(printer.Bullet{Text: text, Detail: detail})
		}
	}
}

// titled adds texts under a title in bold.
func (p *paper) titled(title string, texts ...string) {
	if title != "" {
		p.add(printer.Text{Text: oneLine(title), Bold: true})
	}
	for _, t := range texts {
		p.text(t)
	}
}

// site is an address to read: of a long one, the site.
func site(url string) string {
	s := spoken(url)
	if len(s) > 60 {
		s, _, _ = strings.Cut(s, "/")
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Split(s, "\n"), " ") }
