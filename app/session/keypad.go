package session

import (
	"slices"
	"strings"

	"parvis/app/journey"
	"parvis/app/page"
)

// Key is a key of the keypad under the screen.
type Key string

// The keys.
const (
	Next     Key = "next"
	Previous Key = "previous"
	Enter    Key = "enter"
	Repeat   Key = "repeat"
	Back     Key = "back"
	Home     Key = "home"
	Speech   Key = "speech"
	Bigger   Key = "bigger"
	Contrast Key = "contrast"
	Language Key = "language"
	Louder   Key = "louder"
	Quieter  Key = "quieter"
)

var keyChoices = map[Key]string{
	Back: "nav.back", Home: "nav.home", Speech: "nav.listen", Bigger: "nav.bigger", Language: "nav.language",
}

// Press is a key of the keypad let go.
func (s *Session) Press(k Key) {
	if journey.Resting(s.visit) && (k == Back || k == Home) {
		return
	}
	if s.stay(string(k)) {
		return
	}
	if s.busy {
		return
	}
	s.visit.Use("keypad")
	switch k {
	case Next:
		s.move(1)
	case Previous:
		s.move(-1)
	case Repeat:
		if s.cursor >= 0 {
			s.stop()
			s.sayPart(s.cursor)
			return
		}
		s.stop()
		s.read(0)
	case Enter:
		parts := s.page.Reading()
		if s.cursor >= 0 && s.cursor < len(parts) && parts[s.cursor].Choice != nil {
			s.act(parts[s.cursor].Choice.ID)
			return
		}
		s.finishTyping()
	case Contrast:
		s.visit.Contrast = !s.visit.Contrast
		s.visit.Use("contrast")
		s.render(false)
		s.sayContrast()
	case Louder:
		s.Volume(1)
	case Quieter:
		s.Volume(-1)
	case Speech:
		s.toggleSpeech()
	default:
		id := keyChoices[k]
		if _, ok := s.page.Find(id); !ok { // the resident is where the key leads
			s.stop()
			s.read(0)
			return
		}
		s.act(id)
	}
}

// finishTyping does what is most likely next on a page that was typed on, as the
// Enter key of a keyboard does.
func (s *Session) finishTyping() {
	typing := slices.ContainsFunc(s.page.Blocks, func(b page.Block) bool { _, ok := b.(page.Field); return ok })
	for _, c := range s.page.Actions {
		if typing && s.cursor < 0 && c.Primary {
			s.act(c.ID)
			return
		}
	}
}

// toggleSpeech works on every page, also where no navigation is shown.
func (s *Session) toggleSpeech() {
	if _, ok := s.page.Find("nav.listen"); ok {
		s.act("nav.listen")
		return
	}
	s.stop()
	was := s.visit.Speech
	s.visit.Speech = !was
	s.visit.Use("speech")
	s.warnMute(was)
	s.render(false)
	s.speakAfter("nav.listen", false, was)
}

// Rune is a sign typed on a real keyboard: it presses the key on the glass.
func (s *Session) Rune(r rune) {
	if s.stay("") || s.busy {
		return
	}
	for _, sign := range []string{string(r), strings.ToLower(string(r))} {
		if _, ok := s.page.Find("key:" + sign); ok {
			s.act("key:" + sign)
			return
		}
	}
}

// move goes to the next or previous part. The first step on a new page goes
// to the first choice: what stands above it has just been read.
func (s *Session) move(by int) {
	s.stop()
	parts := s.page.Reading()
	at := s.cursor + by
	if s.fresh && by > 0 && s.cursor < 0 {
		for i, p := range parts {
			if p.Choice != nil {
				at = i
				break
			}
		}
	}
	s.fresh = false
	n := len(parts)
	for range n {
		at = (at + n) % n
		if s.sayable(parts[at]) {
			break
		}
		at += by
	}
	s.cursor = at
	s.show(false, false)
	s.sayPart(at)
}

func isKey(id string) bool { return strings.HasPrefix(id, "key") }

func compact(s string) string { return strings.ReplaceAll(s, " ", "") }
