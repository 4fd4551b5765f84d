package session

import (
	"parvis/device/reader"
	"parvis/kiosk/card"
	"parvis/kiosk/visit"
)

// mostByCard is how many cards in a row may show that somebody is there while
// nobody touches anything. A reader that sees cards where there are none holds
// no visit open for longer than that.
const mostByCard = 5

// Card is a card or a code shown to a reader, or taken away. Where it changes
// anything, it shows like a touch that the resident is there. Amid printing or
// sending it waits for what comes of that.
func (s *Session) Card(e reader.Event) {
	c := s.Journey.Cards.Recognise(e)
	s.sawCard = s.sawCard || c.Kind != card.Gone
	if s.busy {
		s.setAside(c)
		return
	}
	here, depth, notice, present := s.visit.Here(), len(s.visit.Path), s.visit.Notice, s.visit.CardPresent
	s.Journey.Card(s.visit, c)
	moved := s.visit.Here() != here || len(s.visit.Path) != depth
	told := s.visit.Notice != notice
	if !moved && !told && s.visit.CardPresent == present {
		return
	}
	counts := s.byCard < mostByCard
	if counts {
		s.byCard++
		s.clock.Touch(s.Now())
	} else if s.warning {
		return // what the card led to is there if somebody stays
	}
	fresh := moved || s.warning
	s.warning = false
	if !fresh && !told {
		s.Refresh()
		return
	}
	s.stop()
	s.hint = ""
	s.render(fresh)
	if !counts { // reading aloud keeps a visit open too
		return
	}
	if fresh {
		s.read(0)
		return
	}
	s.say(s.visit.Notice)
}

// setAside keeps a card for when the task that runs has ended: the last one
// shown. Only that a chip card is in the reader, or no more, is known at once.
func (s *Session) setAside(c card.Card) {
	if c.Medium == reader.Contact {
		s.visit.CardPresent = c.Kind != card.Gone
	}
	if c.Kind == card.Gone {
		return
	}
	s.shown.Wipe()
	s.shown = c
}

// showPending leads to what a card asks for that was shown while a task ran,
// unless the task leads to a page itself: a request that is kept, or a ticket
// that failed, comes first, and the card can be shown again.
func (s *Session) showPending(before visit.Step) {
	c := s.shown
	s.shown = card.Card{}
	if c.Kind == "" {
		return
	}
	if s.visit.Here() != before {
		c.Wipe()
		return
	}
	present, notice := s.visit.CardPresent, s.visit.Notice
	s.Journey.Card(s.visit, c)
	s.visit.CardPresent = present // it may have been taken away meanwhile
	if s.visit.Notice == "" {
		s.visit.Notice = notice
	}
}
