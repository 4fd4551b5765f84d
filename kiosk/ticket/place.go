package ticket

import (
	"strings"
	"time"

	"parvis/device/printer"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
)

// Place is the ticket of one place: where it is, when it is open in the coming
// week, and how to reach it.
func Place(site Site, at time.Time, h place.Hit, lang string, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: h.Name})
	p.address(h)
	p.phone(h)
	p.week(h, site.Region)
	if h.Stale {
		p.add(printer.Space{Lines: 1}, printer.Text{Text: p.say("ticket.stale"), Bold: true})
	}
	if len(h.Websites) > 0 {
		p.code(p.say("ticket.website"), h.Websites[0])
	}
	p.add(printer.Rule{Dashed: true})
	if h.Source != "" {
		p.text(p.say("ticket.source", "Source", h.Source))
	}
	if !h.Updated.IsZero() {
		p.text(p.say("ticket.updated", "Date", p.fullDate(h.Updated)))
	}
	return p.end()
}

// Places is the ticket of a list of places, the nearest or next to open first.
func Places(site Site, at time.Time, hits []place.Hit, lang string, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: p.say("ticket.places")})
	p.places(hits, site.Region)
	return p.end()
}

func (p *paper) places(hits []place.Hit, region hours.Region) {
	for i, h := range hits {
		if i > 0 {
			p.add(printer.Space{Lines: 1})
		}
		p.place(h, region)
	}
}

// place adds one place as part of a ticket, with its hours of today.
func (p *paper) place(h place.Hit, region hours.Region) {
	p.add(printer.Text{Text: h.Name, Bold: true})
	p.address(h)
	p.phone(h)
	if h.Hours != "" {
		p.today(h, region)
	}
	if h.Stale {
		p.text(p.say("ticket.stale"))
	}
}

func (p *paper) address(h place.Hit) {
	p.text(h.Address)
	p.text(h.AddressExtra)
	p.text(strings.TrimSpace(h.Postcode + " " + h.City))
	if h.Walk > 0 {
		p.text(p.say("ticket.walk", "Count", max(1, int(h.Walk.Round(time.Minute)/time.Minute))))
	}
}

// phone adds the number to dial. No line breaks within it, and amid text from
// right to left its pairs of digits keep their order.
func (p *paper) phone(h place.Hit) {
	if h.Phone != "" {
		p.text(p.say("ticket.phone", "Phone", strings.ReplaceAll(h.DialledPhone(), " ", "\u00a0")))
	}
}

// today adds today's hours, or the hours as written where they cannot be read.
func (p *paper) today(h place.Hit, region hours.Region) {
	s, err := hours.Parse(h.Hours, region)
	switch {
	case err != nil:
		p.text(p.say("ticket.hours_written", "Hours", h.Hours))
	case h.State.Holiday != "":
		p.text(p.say("ticket.today", "Hours", p.say("ticket.holiday", "Holiday", h.State.Holiday)))
	default:
		p.text(p.say("ticket.today", "Hours", p.on(s, midnight(p.at), region)))
	}
}

// week adds the hours of the next seven days.
func (p *paper) week(h place.Hit, region hours.Region) {
	if h.Hours == "" {
		return
	}
	p.section(p.say("ticket.hours"))
	s, err := hours.Parse(h.Hours, region)
	if err != nil {
		p.text(h.Hours)
		return
	}
	first := midnight(p.at)
	for i := range 7 {
		day := first.AddDate(0, 0, i)
		name := p.say("ticket.day", "Weekday", p.weekday(day), "Day", p.day(day))
		p.text(p.say("ticket.hours_on", "Day", upperFirst(name), "Hours", p.on(s, day, region)))
	}
}

// on says when a place is open on the day that begins at day.
func (p *paper) on(s *hours.Schedule, day time.Time, region hours.Region) string {
	var open []string
	for _, i := range s.Open(day, day.AddDate(0, 0, 1)) {
		open = append(open, p.say("ticket.range", "Start", p.clock(i.Start), "End", p.clock(i.End)))
	}
	if len(open) > 0 {
		return strings.Join(open, p.say("ticket.and"))
	}
	if name, ok := hours.Holiday(day, region); ok {
		return p.say("ticket.holiday", "Holiday", name)
	}
	return p.say("ticket.closed")
}
