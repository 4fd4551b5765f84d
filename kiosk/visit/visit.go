// Package visit holds one resident's visit: what they chose and typed, how
// long they may be still, and the wipe that leaves nothing of it behind.
package visit

import (
	"bytes"
	"time"

	"parvis/kiosk/fiche"
	"parvis/kiosk/unfound"
)

// Step is one place in a journey; the last step of a visit's path is the page in sight.
type Step struct {
	Page string // the page's name: "demarche.question"
	Arg  string // what the page is about: a démarche, a place
	N    int    // how many answers were given before it, or which part of a list it shows
}

// Answer is a choice made at a question.
type Answer struct{ Question, Choice string }

// Search is what the resident looks for in the directory.
type Search struct {
	Need    string          // key of a need: "demarches", "ordinateurs" …
	Words   []byte          // typed
	Filters map[string]bool // keys of filters that are on
	Opening bool            // sorted by next opening instead of walking time
}

// Draft is a callback request being written. Phone, Card and Name are bytes so
// that the wipe can overwrite them.
type Draft struct {
	Topic   string
	Place   string // the place that is to call, or empty
	Phone   []byte // as typed
	Card    []byte // number of the city card by which to call instead, once the resident said yes
	Name    []byte
	Text    bool      // by text message
	Slot    int       // which of the slots offered; -1 none chosen yet, -2 any time
	Start   time.Time // of the slot; zero for any time
	End     time.Time
	Consent bool
	ID      string // of a request that could not be kept, for the next try
	Code    string // given once the request is kept
	When    string // the slot in words, for the page that confirms
	To      string // the masked number, for the page that confirms
}

// Leaving is the anonymous answer on the way out.
type Leaving struct {
	Face    string
	Missing map[string]bool
}

// Visit is one resident's visit. The zero value is not usable; call New.
type Visit struct {
	ID       int       // tells visits of one run apart, so that late results are dropped
	Began    time.Time // when a resident first touched; zero until then
	Lang     string
	TextStep int // index of the text size
	Contrast bool
	Low      bool // everything in the lower half of the glass
	Speech   bool
	ABC      bool // keyboard in alphabetical order
	Accents  bool // keyboard shows accented letters
	Upper    bool // capital letters
	Aloud    bool // the resident asked to hear what they typed

	Aids    map[string]bool // what has helped at any time of the visit: Use
	Unfound []unfound.Word  // searched for in vain at any time of the visit: Missed

	Path     []Step
	Demarche string
	Answers  []Answer
	Level    []Answer
	Theme    string
	Fiche    *fiche.Fiche // the official fiche being read
	Search   Search
	Draft    Draft
	Leaving  Leaving
	Notice   string // one sentence about what just happened: "Ticket imprimé"

	Card        []byte // number of the city card shown last, until the resident says yes or no
	CardPresent bool   // a chip card lies in the reader
	Accompanied bool   // a mediator has shown a badge
	PIN         []byte // typed by who showed a staff badge
}

// New starts a visit on the page that attracts residents.
func New(id int, lang string) *Visit {
	return &Visit{
		ID: id, Lang: lang,
		Path:    []Step{{Page: "attract"}},
		Search:  Search{Filters: map[string]bool{}},
		Draft:   Draft{Slot: -1},
		Leaving: Leaving{Missing: map[string]bool{}},
	}
}

// Use notes that one of the aids was put to use: "speech", "bigger", "contrast",
// "low", "keypad" or "falc".
func (v *Visit) Use(aid string) {
	if v.Aids == nil {
		v.Aids = map[string]bool{}
	}
	v.Aids[aid] = true
}

// Missed notes a search that was given up without finding anything, each once. Of
// two that begin alike the longer stays: the resident came back and went on.
func (v *Visit) Missed(kind, typed string) {
	text := unfound.Plain(typed)
	if text == nil {
		return
	}
	for i, w := range v.Unfound {
		switch {
		case w.Kind != kind:
		case bytes.HasPrefix(w.Text, text):
			overwrite(text)
			return
		case bytes.HasPrefix(text, w.Text):
			overwrite(w.Text)
			v.Unfound[i].Text = text
			return
		}
	}
	v.Unfound = append(v.Unfound, unfound.Word{Kind: kind, Text: text})
}

// Here is the step in sight.
func (v *Visit) Here() Step { return v.Path[len(v.Path)-1] }

// Go moves on to a step.
func (v *Visit) Go(s Step) { v.Path = append(v.Path, s) }

// Replace puts a step in the place of the one in sight, so that Back skips it.
func (v *Visit) Replace(s Step) { v.Path[len(v.Path)-1] = s }

// Back returns to the step before; from the first it stays.
func (v *Visit) Back() {
	if len(v.Path) > 1 {
		v.Path = v.Path[:len(v.Path)-1]
	}
}

// Home drops the journey and goes to the home page, keeping language and aids.
func (v *Visit) Home() {
	v.Path = []Step{{Page: "home"}}
	v.forget()
}

// Wipe overwrites what was typed and empties everything the resident chose.
func (v *Visit) Wipe() {
	v.forget()
	for _, w := range v.Unfound {
		overwrite(w.Text)
	}
	*v = *New(v.ID, "")
}

// ForgetCard overwrites the number of the card by which the resident wanted to
// be called.
func (v *Visit) ForgetCard() {
	overwrite(v.Draft.Card)
	v.Draft.Card = nil
}

// Wipe overwrites what was typed and read for the request, and begins an empty
// one.
func (d *Draft) Wipe() {
	overwrite(d.Phone, d.Card, d.Name)
	*d = Draft{Slot: -1}
}

// overwrite clears all that texts ever held, also what was rubbed out.
func overwrite(texts ...[]byte) {
	for _, text := range texts {
		clear(text[:cap(text)])
	}
}

// Empty overwrites a typed text and gives back its room.
func Empty(text []byte) []byte {
	overwrite(text)
	return text[:0]
}

func (v *Visit) forget() {
	v.Draft.Wipe()
	overwrite(v.Search.Words, v.Card, v.PIN)
	v.Demarche, v.Answers, v.Level, v.Theme, v.Fiche, v.Notice = "", nil, nil, "", nil, ""
	v.Search = Search{Filters: map[string]bool{}}
	v.Card, v.PIN = nil, nil
	v.Upper, v.Accents, v.Aloud = false, false, false
}

// Type appends a sign to typed text. When the text must grow, the old copy is
// overwritten before it is let go.
func Type(text []byte, sign string, most int) []byte {
	if len(text)+len(sign) > most {
		return text
	}
	if cap(text) < most {
		grown := make([]byte, len(text), most)
		copy(grown, text)
		clear(text[:cap(text)])
		text = grown
	}
	return append(text, sign...)
}

// Rub removes the last sign (a whole UTF-8 sequence) and overwrites it.
func Rub(text []byte) []byte {
	n := len(text)
	for n > 0 {
		n--
		if text[n]&0xC0 != 0x80 {
			break
		}
	}
	clear(text[n:])
	return text[:n]
}
