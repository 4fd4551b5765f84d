package session

import (
	"parvis/app/journey"
	"parvis/app/page"
	"parvis/app/text"
	"parvis/app/voice"
)

// stop cuts the speech.
func (s *Session) stop() {
	s.turn++
	s.reading = -1
	s.Voice.Stop()
}

// say says a sentence where speech is on.
func (s *Session) say(sentence string) { s.sayThen(s.Voice.Say, s.page.Lang, sentence, nil) }

// sayThen says a sentence and then does something, unless it was cut.
func (s *Session) sayThen(say func(lang, text string, said func()), lang, sentence string, then func()) {
	if s.visit.Speech && sentence != "" {
		s.utter(say, lang, sentence, then)
	}
}

// utter is sayThen, speech being on or not.
func (s *Session) utter(say func(lang, text string, said func()), lang, sentence string, then func()) {
	s.turn++
	turn := s.turn
	var said func()
	if then != nil {
		said = func() {
			s.Do(func() {
				if s.turn == turn {
					then()
				}
			})
		}
	}
	say(lang, sentence, said)
}

// read reads the page aloud from a part on, each part highlighted while it is
// heard. The navigation and the keys of a keyboard are walked, not read.
func (s *Session) read(from int) {
	if !s.visit.Speech {
		return
	}
	parts := s.page.Reading()
	for i := from; i < len(parts); i++ {
		if parts[i].Block == -3 {
			break
		}
		if s.page.IsKey(parts[i]) || !s.sayable(parts[i]) {
			continue
		}
		s.reading, s.readingSince = i, s.Now()
		s.show(false, false)
		s.sayThen(s.manner(parts[i].Private), parts[i].Lang, utterance(parts[i], s.words()), func() { s.read(i + 1) })
		return
	}
	if s.reading >= 0 {
		s.reading = -1
		s.show(false, false)
	}
}

// sayable reports whether a part may be heard by all who stand around.
func (s *Session) sayable(p page.Part) bool { return !p.Private || s.Journey.MaySay(s.visit) }

// manner is how something may be said. What is private goes to the resident's
// ears alone, though the headset be pulled out in this very moment, unless they
// asked to hear it aloud.
func (s *Session) manner(private bool) func(lang, text string, said func()) {
	if private && !journey.Aloud(s.visit) {
		return s.Voice.SayPrivate
	}
	return s.Voice.Say
}

// sayPart says one part of the page.
func (s *Session) sayPart(i int) {
	parts := s.page.Reading()
	if i < 0 || i >= len(parts) {
		return
	}
	if !s.sayable(parts[i]) {
		s.say(s.words().T("callback.kept_silent"))
		return
	}
	s.sayThen(s.manner(parts[i].Private), parts[i].Lang, utterance(parts[i], s.words()), nil)
}

// utterance is what is said of a part: its text, and a switch's state.
func utterance(p page.Part, w *text.Words) string {
	t := p.Text
	if p.Choice == nil {
		return t
	}
	if p.Choice.Switch {
		state := w.T("voice.state_off")
		if p.Choice.On {
			state = w.T("voice.state_on")
		}
		t += ", " + state
	}
	if p.Choice.Disabled() {
		t += ". " + p.Choice.Why
	}
	return t
}

// sayChange says what an action changed on a page that stayed: the field that
// was typed into, or the new state of a switch.
func (s *Session) sayChange(id string) {
	w := s.words()
	for b, block := range s.page.Blocks {
		f, ok := block.(page.Field)
		if !ok || !isKey(id) {
			continue
		}
		if f.Private && !s.Journey.MaySay(s.visit) {
			s.say(w.T("voice.typed", "Count", len([]rune(compact(f.Value)))))
			return
		}
		typed := w.T("voice.empty")
		for _, part := range s.page.Reading() {
			if part.Block == b && part.Item == 1 {
				typed = part.Text
			}
		}
		if n := s.found(); n > 0 {
			typed += ". " + w.T("voice.choices", "Count", n)
		}
		s.sayThen(s.manner(f.Private), s.page.Lang, typed, nil)
		return
	}
	if i := s.index(id); i >= 0 {
		s.sayPart(i)
	}
}

// found counts what a search offers for the words typed so far.
func (s *Session) found() int {
	n := 0
	for _, block := range s.page.Blocks {
		if c, ok := block.(page.Choices); ok && c.Shape == page.Rows {
			n += len(c.Items)
		}
	}
	return n
}

// startVolume is the loudness at which a visit begins: what staff have set for
// the loudspeaker is not for ears.
func (s *Session) startVolume() int {
	if s.Journey.Headset() {
		return min(s.Journey.StartVolume(), voice.DefaultVolume)
	}
	return s.Journey.StartVolume()
}

// resetVolume gives the speech the loudness at which every visit begins.
func (s *Session) resetVolume() {
	s.start = s.Journey.StartVolume()
	s.volume = s.startVolume()
	s.Voice.SetVolume(s.volume)
}

// followVolume reads the page that a task has led to. Before that it lets staff
// hear the loudness that they have just set, speech being on or not.
func (s *Session) followVolume() {
	if s.Journey.StartVolume() == s.start {
		s.read(0)
		return
	}
	s.resetVolume()
	s.stop()
	s.utter(s.Voice.Say, "fr", s.Journey.Texts.In("fr").T("maintenance.sound_sample"), func() { s.read(0) })
}

// warnMute tells who has just asked for speech that there is no sound.
func (s *Session) warnMute(wasSpeaking bool) {
	if s.visit.Speech && !wasSpeaking && s.Journey.Mute() {
		s.hint = s.words().T("voice.no_sound")
	}
}

// OutputChanged notes that the voice speaks elsewhere now: a headset was plugged
// in or pulled out, which has cut what was being said. What was loud enough there
// may be too loud here.
func (s *Session) OutputChanged() {
	s.stop()
	s.resetVolume()
	s.Refresh()
}

// Volume makes the speech louder or quieter by a step. What was being read goes
// on after that.
func (s *Session) Volume(by int) {
	s.touched()
	s.volume = min(max(s.volume+by, voice.MinVolume), voice.MaxVolume)
	s.Voice.SetVolume(s.volume)
	at := s.reading
	s.stop()
	s.sayThen(s.Voice.Say, s.page.Lang, s.words().T("voice.volume", "N", s.volume+1, "Total", voice.MaxVolume+1), func() {
		if at >= 0 {
			s.read(at)
		}
	})
}
