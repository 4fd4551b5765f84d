package session

import (
	"parvis/app/journey"
	"parvis/app/page"
	"parvis/kiosk/link"
)

// State is how the application is for agents. A borne put out of service still
// serves who stood there.
func (s *Session) State() link.AppState {
	switch {
	case !journey.Resting(s.visit):
		return link.AppServing
	case s.Journey.OutOfService != nil && s.Journey.OutOfService():
		return link.AppOutOfService
	}
	return link.AppIdle
}

// Personal reports whether the glass shows, or the visit holds, what is nobody
// else's business: nobody may be sent a picture then. A card that was shown
// counts to the end of the visit.
func (s *Session) Personal() bool {
	return s.sawCard || s.page.Private || s.Journey.Personal(s.ctx, s.visit)
}

// Idle reports whether nobody is served, and Busy whether something is being
// printed or sent that must not be cut.
func (s *Session) Idle() bool { return journey.Resting(s.visit) && !s.busy }

// Busy is described with Idle.
func (s *Session) Busy() bool { return s.busy }

// RestartSoon tells who is being served, on every page from now on, that the
// borne is about to restart.
func (s *Session) RestartSoon() {
	if s.ending {
		return
	}
	s.ending = true
	s.Refresh()
}

// Farewell ends the visit, if there is one, and shows that the borne restarts.
// It answers to nobody any more. ended says that somebody was there to read it.
func (s *Session) Farewell() (ended bool) {
	ended = !journey.Resting(s.visit)
	p := s.Journey.Restarting(s.visit, ended)
	speech := s.visit.Speech
	s.end()
	s.busy = true
	s.page = p
	s.show(true, false)
	if speech {
		s.utter(s.Voice.Say, p.Lang, p.Title+" "+p.Lead, nil)
	}
	return ended
}

// StartVolumeChanged notes that visits begin with another loudness from now on.
// Whoever is there keeps theirs.
func (s *Session) StartVolumeChanged() {
	if journey.Resting(s.visit) && !s.visit.Speech {
		s.resetVolume()
		return
	}
	s.start = s.Journey.StartVolume()
}

// soon is the message of a borne that is about to restart.
func (s *Session) soon(lang string) page.Message {
	return page.Message{Text: s.words().T("restart.soon"), Lang: lang}
}
