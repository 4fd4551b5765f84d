// Package session runs the borne through one visit after another: it takes
// touches, keys and the passing of time, asks the journeys for the next page,
// has it shown and spoken, and wipes everything at the end of a visit.
package session

import (
	"context"
	"reflect"
	"time"

	"parvis/app/journey"
	"parvis/app/page"
	"parvis/app/text"
	"parvis/app/voice"
	"parvis/kiosk/card"
	"parvis/kiosk/visit"
)

// Frame is what the glass shows: a page and how the resident wants it drawn.
type Frame struct {
	Page     page.Page
	Focus    int // index in Page.Reading of what is read or has the focus; -1 none
	TextStep int
	Contrast bool
	Low      bool
	Dim      bool // the house is closed
	Fresh    bool // another page than before
	Wiped    bool // a visit has ended: nothing drawn for it may stay
}

// Options are what a session needs around it.
type Options struct {
	Journey *journey.Journey
	Voice   voice.Voice
	Show    func(Frame)
	// Do runs a function on the goroutine that calls Touch, Key and Tick.
	Do  func(func())
	Now func() time.Time
	// Bounce is how long a second touch of the same choice is taken for a
	// trembling hand and ignored (EN 301 549, 5.8); 0 takes every touch.
	Bounce time.Duration
	// Ended, which may be nil, is told that a visit has ended and is wiped.
	Ended func()
}

// Session is one borne's. Its methods belong to one goroutine.
type Session struct {
	Options
	ctx          context.Context
	visit        *visit.Visit
	clock        visit.Clock
	page         page.Page
	cursor       int // part that has the focus; -1 none
	reading      int // part being read aloud; -1 none
	readingSince time.Time
	turn         int  // grows with each thing said, so that a late end is known
	fresh        bool // the resident has not moved since the page came
	warning      bool
	busy         bool
	dim          bool
	last         string // choice touched last, and when
	lastAt       time.Time
	hint         string // why the disabled choice just touched does nothing
	heard        string // choice that speech mode has read out, so that a second touch acts
	volume       int
	start        int       // volume at which visits begin, as staff have set it
	byCard       int       // cards that have counted as a sign of life since the last touch
	shown        card.Card // shown while a task ran; its Kind is empty when there is none
	sawCard      bool      // a card was shown during the visit
	ending       bool      // the application is about to restart
}

// New starts with the page that attracts residents. ctx ends the tasks that
// run when the program does.
func New(ctx context.Context, o Options) *Session {
	s := &Session{Options: o, ctx: ctx, visit: visit.New(1, ""), cursor: -1, reading: -1}
	s.resetVolume()
	s.render(true)
	return s
}

// Speaking reports whether the resident has speech on.
func (s *Session) Speaking() bool { return s.visit.Speech }

func (s *Session) words() *text.Words {
	lang := s.visit.Lang
	if lang == "" {
		lang = s.Journey.Site.Languages[0]
	}
	return s.Journey.Texts.In(lang)
}

// render shows the page in sight. fresh says that it is another one than before.
func (s *Session) render(fresh bool) {
	id := ""
	if !fresh && s.cursor >= 0 {
		if parts := s.page.Reading(); s.cursor < len(parts) && parts[s.cursor].Choice != nil {
			id = parts[s.cursor].Choice.ID
		}
	}
	s.page = s.current()
	s.clock.Patience = s.Journey.Patience(s.visit)
	s.cursor = -1
	if id != "" {
		s.cursor = s.index(id)
	}
	if fresh {
		s.fresh, s.heard = true, ""
	}
	s.show(fresh, false)
}

// current is the page in sight as it is now.
func (s *Session) current() page.Page {
	p := s.Journey.Page(s.ctx, s.visit)
	if s.hint != "" {
		p.Banner = &page.Badge{Text: s.hint, Tone: page.Warn}
	}
	if s.ending && !journey.Resting(s.visit) {
		p.Message = s.soon(p.Lang)
	}
	return p
}

// Refresh draws the page in sight anew where a device that it speaks of has
// changed. What has the focus keeps it.
func (s *Session) Refresh() {
	if s.warning || s.busy {
		return
	}
	if s.hint != "" && !s.explains(s.hint) {
		s.hint = ""
	}
	if !reflect.DeepEqual(s.current(), s.page) {
		s.render(false)
	}
}

// explains reports whether a choice in sight is still disabled for a reason.
func (s *Session) explains(why string) bool {
	for _, part := range s.Journey.Page(s.ctx, s.visit).Reading() {
		if part.Choice != nil && part.Choice.Why == why {
			return true
		}
	}
	return false
}

func (s *Session) index(id string) int {
	for i, part := range s.page.Reading() {
		if part.Choice != nil && part.Choice.ID == id {
			return i
		}
	}
	return -1
}

func (s *Session) show(fresh, wiped bool) {
	focus := s.cursor
	if s.reading >= 0 {
		focus = s.reading
	}
	s.dim = journey.Resting(s.visit) && s.Journey.Closed()
	s.Show(Frame{
		Page: s.page, Focus: focus, TextStep: s.visit.TextStep, Contrast: s.visit.Contrast, Low: s.visit.Low,
		Dim: s.dim, Fresh: fresh, Wiped: wiped,
	})
}

// Touch is a finger let go on a choice; an empty id is a touch beside all of them.
func (s *Session) Touch(id string) {
	again := id != "" && id == s.last && s.Now().Sub(s.lastAt) < s.Bounce
	s.last, s.lastAt = id, s.Now()
	if again {
		return
	}
	if s.stay(id) || id == "" || s.busy {
		return
	}
	if s.visit.Speech && s.heard != id {
		// Touching to find a thing does not set it off (EN 301 549, 5.5.2).
		s.heard = id
		s.cursor, s.reading, s.fresh = s.index(id), -1, false
		s.show(false, false)
		s.sayPart(s.cursor)
		return
	}
	s.act(id)
}

// stay notes that the resident is there, and answers the warning where it is
// shown: anything but "finish" extends the visit.
func (s *Session) stay(id string) bool {
	s.touched()
	if !s.warning {
		return false
	}
	s.warning = false
	if id == journey.Finish {
		s.end()
		return true
	}
	s.Voice.Stop()
	s.render(true)
	return true
}

// touched notes that a hand is at the glass or at the keys.
func (s *Session) touched() {
	s.clock.Touch(s.Now())
	s.byCard = 0
}

// act does what a choice asks for.
func (s *Session) act(id string) {
	c, ok := s.page.Find(id)
	if !ok {
		return
	}
	s.stop()
	s.hint = ""
	if c.Disabled() {
		s.hint = c.Why
		s.render(false)
		s.say(c.Why)
		return
	}
	speech := s.visit.Speech
	before := s.visit.Here()
	depth := len(s.visit.Path)
	rested := journey.Resting(s.visit)
	task := s.Journey.Choose(s.ctx, s.visit, id)
	if id == journey.Wipe || !rested && journey.Resting(s.visit) {
		s.end()
		return
	}
	fresh := s.visit.Here() != before || len(s.visit.Path) != depth
	s.warnMute(speech)
	s.render(fresh)
	if task != nil {
		s.run(task)
		return
	}
	s.speakAfter(id, fresh, speech)
}

// speakAfter says what an action changed.
func (s *Session) speakAfter(id string, fresh, wasSpeaking bool) {
	w := s.words()
	switch {
	case s.visit.Speech && !wasSpeaking:
		s.sayThen(s.Voice.Say, w.Code, w.T("voice.on"), func() { s.read(0) })
	case !s.visit.Speech && wasSpeaking:
		s.Voice.Say(w.Code, w.T("voice.off"), nil)
	case !s.visit.Speech:
	case id == "nav.bigger":
		s.say(w.T("voice.text_step", "N", s.visit.TextStep+1, "Total", journey.TextSteps))
	case id == "contrast":
		s.sayContrast()
	case fresh:
		s.read(0)
	default:
		s.sayChange(id)
	}
}

func (s *Session) sayContrast() {
	id := "voice.contrast_off"
	if s.visit.Contrast {
		id = "voice.contrast_on"
	}
	s.say(s.words().T(id))
}

// waitingAfter is how long a task runs before the glass says so.
const waitingAfter = 500 * time.Millisecond

// run does a task away from the screen. A result that comes after the visit
// has ended is dropped.
func (s *Session) run(t *journey.Task) {
	s.busy = true
	of := s.visit.ID
	done := make(chan struct{})
	go func() {
		timer := time.NewTimer(waitingAfter)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-done:
			return
		}
		s.Do(func() {
			if s.busy && s.visit.ID == of {
				s.page, s.cursor, s.reading = t.Waiting, -1, -1
				s.show(true, false)
				s.say(t.Waiting.Title)
			}
		})
	}()
	go func() {
		apply := t.Run(s.ctx)
		close(done)
		s.Do(func() {
			if s.visit.ID != of {
				return
			}
			s.busy = false
			before := s.visit.Here()
			apply(s.visit)
			s.showPending(before)
			s.clock.Touch(s.Now())
			s.render(true)
			s.followVolume()
		})
	}()
}

// longestPart is more than any part of a page takes to read aloud. A voice that
// never ends, its sound card stuck, does not keep a visit open.
const longestPart = 2 * time.Minute

// Tick is to be called each second. It warns a resident who has been still,
// and ends the visit of one who has left. Nor does what somebody has only tried
// on a borne that rests, loud speech above all, wait for whoever comes next.
func (s *Session) Tick() {
	now := s.Now()
	engaged := s.busy || s.reading >= 0 && now.Sub(s.readingSince) < longestPart
	if engaged {
		s.clock.Touch(now) // waiting and listening are not absence
	}
	if journey.Resting(s.visit) {
		switch {
		case s.altered() && s.clock.At(now).Over:
			s.end()
		case s.dim != s.Journey.Closed():
			s.render(false)
		case s.page.Name == "closed" || s.dim: // they show the time, or when the house opens
			s.Refresh()
		}
		return
	}
	if engaged {
		return
	}
	m := s.clock.At(now)
	switch {
	case m.Over:
		s.Journey.Tally("visit.timeout")
		s.end()
	case m.Warn:
		first := !s.warning
		s.warning = true
		s.page, s.cursor = s.Journey.Timeout(s.visit, m.Until), -1
		s.show(first, false)
		if first {
			s.say(s.page.Title + " " + s.words().T("timeout.text"))
		}
	case s.page.Header.Clock != s.words().Clock(now):
		s.render(false)
	}
}

// altered reports whether somebody has changed what the next visit begins with,
// while the borne rests.
func (s *Session) altered() bool {
	v := s.visit
	return v.Speech || v.Contrast || v.Low || v.TextStep != 0 || s.volume != s.startVolume()
}

// end wipes the visit and begins the next one.
func (s *Session) end() {
	s.stop()
	present := s.visit.CardPresent
	s.Journey.End(s.visit, s.clock.Touched())
	s.visit = visit.New(s.visit.ID+1, "")
	s.visit.CardPresent = present // whoever comes next is told of it
	s.shown.Wipe()
	s.shown = card.Card{}
	s.warning, s.busy, s.hint, s.heard, s.byCard, s.sawCard = false, false, "", "", 0, false
	s.cursor, s.reading, s.fresh = -1, -1, true
	s.resetVolume()
	s.clock = visit.Clock{Patience: visit.Usual}
	s.page = s.Journey.Page(s.ctx, s.visit)
	s.show(true, true)
	s.Do(func() { scrub() }) // from where the stack is low
	if s.Ended != nil {
		s.Ended()
	}
}

// scrub overwrites the stack below its caller. What was typed passes through it
// as short strings, which stay there until something is written over them.
//
//go:noinline
func scrub() byte {
	var below [64 << 10]byte
	for i := range below {
		below[i] = byte(i >> 8)
	}
	return below[len(below)-1]
}
