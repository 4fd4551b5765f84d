// Package ticket says what stands on the paper a resident takes away; the
// printer packages say how it is printed. No function here takes a resident's
// name or telephone number, so no ticket can carry one.
package ticket

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parvis/device/printer"
	"parvis/kiosk/demarche"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
)

// Translate returns the sentence with the given id, its variables filled in.
// Beside the sentences "ticket.…" it must know "weekday.monday" to
// "weekday.sunday" and "month.january" to "month.december".
type Translate func(id string, data map[string]any) string

// Site is the house the borne stands in.
type Site struct {
	Name    string
	Address string       // on one line; may be empty
	Region  hours.Region // for its public holidays; also those of the places around it
}

// paper collects the blocks of one ticket.
type paper struct {
	doc printer.Document
	at  time.Time
	tr  Translate
}

// start begins a ticket: where and when it was printed.
func start(site Site, at time.Time, lang string, tr Translate) *paper {
	p := &paper{doc: printer.Document{Lang: lang}, at: at, tr: tr}
	p.add(printer.Heading{Level: 2, Text: site.Name, Centred: true})
	if site.Address != "" {
		p.add(printer.Text{Text: site.Address, Centred: true})
	}
	p.add(
		printer.Text{Text: upperFirst(p.say("ticket.now",
			"Weekday", p.weekday(at), "Day", p.day(at), "Month", p.month(at), "Time", p.clock(at))), Centred: true},
		printer.Rule{},
	)
	return p
}

// end closes a ticket.
func (p *paper) end() printer.Document {
	p.add(printer.Space{Lines: 1}, printer.Text{Text: p.say("ticket.free"), Centred: true}, printer.Cut{})
	return p.doc
}

func (p *paper) add(b ...printer.Block) { p.doc.Blocks = append(p.doc.Blocks, b...) }

// say translates; pairs are names and values of variables.
func (p *paper) say(id string, pairs ...any) string {
	data := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		data[pairs[i].(string)] = pairs[i+1]
	}
	return p.tr(id, data)
}

// text adds a paragraph, unless it is empty.
func (p *paper) text(s string) {
	if s != "" {
		p.add(printer.Text{Text: s})
	}
}

// section begins a part of the ticket under a small heading.
func (p *paper) section(title string) {
	p.add(printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: title})
}

// code adds a QR code under a line that says what it opens.
func (p *paper) code(title, url string) {
	p.add(
		printer.Space{Lines: 1},
		printer.Text{Text: title, Bold: true, Centred: true},
		printer.QR{Data: url},
		printer.Text{Text: p.say("ticket.scan"), Centred: true},
		printer.Text{Text: spoken(url), Centred: true},
	)
}

// Demarche is the ticket of a démarche with the answers given: what to bring,
// price, delay, the places to go with today's hours, the address to do it
// online, and how sure all this is.
func Demarche(site Site, at time.Time, d *demarche.Demarche, a demarche.Answers, lang string, where []place.Hit, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: d.Title.In(lang)})
	p.text(summary(d, a, lang))
	o := d.Outcome(a)
	if len(o.Bring) > 0 {
		p.section(p.say("ticket.bring"))
		for _, i := range o.Bring {
			p.add(printer.Checkbox{Text: i.Text.In(lang), Detail: i.Detail.In(lang)})
		}
	}
	verify := p.facts("ticket.cost", o.Cost, lang)
	verify = p.facts("ticket.delay", o.Delay, lang) || verify
	if len(o.Where) > 0 || len(where) > 0 {
		p.add(printer.Rule{Dashed: true}, printer.Heading{Level: 3, Text: p.say("ticket.where")})
		for _, w := range o.Where {
			p.add(printer.Bullet{Text: w.Text.In(lang), Detail: w.Detail.In(lang)})
		}
		for _, h := range where {
			p.add(printer.Space{Lines: 1})
			p.place(h, site.Region)
		}
	}
	p.online(o.Online, lang)
	if len(o.Advice) > 0 {
		p.section(p.say("ticket.advice"))
		for _, i := range o.Advice {
			p.add(printer.Bullet{Text: i.Text.In(lang), Detail: i.Detail.In(lang)})
		}
	}
	p.add(printer.Rule{Dashed: true})
	p.sources(d, lang, verify)
	return p.end()
}

// summary is the answers in the order of the questions, without those to
// questions of yes or no, which say nothing by themselves.
func summary(d *demarche.Demarche, a demarche.Answers, lang string) string {
	var labels []string
	given := demarche.Answers{}
	for q := d.Next(given); q != nil; q = d.Next(given) {
		known := false
		for _, c := range q.Choices {
			if c.ID != a[q.ID] {
				continue
			}
			known = true
			if c.ID != "oui" && c.ID != "non" {
				labels = append(labels, c.Label.In(lang))
			}
		}
		if !known {
			break
		}
		given[q.ID] = a[q.ID]
	}
	return strings.Join(labels, " · ")
}

// facts adds prices or delays. It tells whether one is to be verified.
func (p *paper) facts(title string, facts []demarche.Fact, lang string) (verify bool) {
	if len(facts) == 0 {
		return false
	}
	p.section(p.say(title))
	for _, f := range facts {
		s := f.Title.In(lang)
		if f.Verify {
			s, verify = p.say("ticket.verify", "Fact", s), true
		}
		p.text(s)
		p.text(f.Detail.In(lang))
	}
	return verify
}

// online adds the first address as a QR code and the others in letters, since
// two codes side by side are read for one another.
func (p *paper) online(links []demarche.Link, lang string) {
	for i, l := range links {
		if i == 0 {
			p.code(l.Text.In(lang), l.URL)
			p.add(printer.Space{Lines: 1})
			continue
		}
		p.add(printer.Bullet{Text: l.Text.In(lang), Detail: spoken(l.URL)})
	}
}

// sources adds where the facts come from and when they were checked.
func (p *paper) sources(d *demarche.Demarche, lang string, verify bool) {
	if verify {
		p.text(p.say("ticket.verify_how"))
	}
	for _, s := range d.Sources {
		p.text(p.say("ticket.source", "Source", short(s.URL)))
	}
	p.text(p.say("ticket.checked", "Date", p.fullDate(d.Checked)))
}

// Callback is the ticket of a request to be called. The slot is in words, such
// as "lundi après-midi"; the code is as it is shown.
func Callback(site Site, at time.Time, code, slot, lang string, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: p.say("ticket.callback")})
	if slot != "" {
		p.text(p.say("ticket.when", "When", slot))
	}
	p.add(
		printer.Space{Lines: 1},
		printer.Text{Text: p.say("ticket.code"), Centred: true},
		printer.Code{Text: code},
		printer.Space{Lines: 1},
		printer.Text{Text: p.say("ticket.code_use")},
		printer.Space{Lines: 1},
		printer.Text{Text: p.say("ticket.anonymous"), Centred: true},
	)
	return p.end()
}

// Level is the ticket of a level test: the kind of help that suits, and places
// that give it.
func Level(site Site, at time.Time, title, advice string, hits []place.Hit, lang string, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: title})
	p.text(advice)
	if len(hits) > 0 {
		p.add(printer.Rule{Dashed: true}, printer.Heading{Level: 3, Text: p.say("ticket.where")})
		p.places(hits, site.Region)
	}
	return p.end()
}

// spoken is an address as people write it.
func spoken(url string) string {
	url = strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "http://")
	return strings.TrimSuffix(strings.TrimPrefix(url, "www."), "/")
}

// short is an address as a source: of an official fiche, the site and the
// fiche's number are enough to find it.
func short(url string) string {
	host, path, _ := strings.Cut(spoken(url), "/")
	if n := path[strings.LastIndexByte(path, '/')+1:]; number.MatchString(n) {
		return host + ", " + n
	}
	return spoken(url)
}

// number is that of an official fiche.
var number = regexp.MustCompile(`^[FRN][0-9]+$`)

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
