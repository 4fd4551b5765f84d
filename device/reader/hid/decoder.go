package hid

import (
	"unicode/utf8"

	"github.com/holoplot/go-evdev"
	"golang.org/x/text/unicode/norm"
)

// Decoder turns the events of a keyboard into what it types. Keys held down
// with Control or the left Alt type nothing, and Caps Lock is not heeded.
type Decoder struct {
	keys    map[place]rune
	accents map[place]bool

	held   map[evdev.EvCode]bool // of the modifiers
	accent rune                  // that waits for its letter, standing alone
	behind bool                  // the kernel has lost events; skip to the next report
}

// NewDecoder makes a Decoder for a layout, which should pass its Check.
func NewDecoder(l Layout) *Decoder {
	return &Decoder{keys: l.keys(), accents: accents[l], held: make(map[evdev.EvCode]bool)}
}

// Take takes one event and returns what it types, if anything: Enter types CR.
// It is false when the kernel says that it has lost events before this one.
func (d *Decoder) Take(e evdev.InputEvent) (typed string, whole bool) {
	switch {
	case e.Type == evdev.EV_SYN && e.Code == evdev.SYN_DROPPED:
		d.Reset()
		d.behind = true
		return "", false
	case e.Type == evdev.EV_SYN:
		d.behind = d.behind && e.Code != evdev.SYN_REPORT
	case e.Type == evdev.EV_KEY && !d.behind:
		return d.key(e.Code, e.Value), true
	}
	return "", true
}

// Reset lets go of all keys.
func (d *Decoder) Reset() {
	clear(d.held)
	d.accent, d.behind = 0, false
}

func (d *Decoder) key(code evdev.EvCode, value int32) string {
	const released, pressed = 0, 1 // 2 is a key held down, which repeats nothing here
	switch code {
	case evdev.KEY_LEFTSHIFT, evdev.KEY_RIGHTSHIFT, evdev.KEY_RIGHTALT, evdev.KEY_LEFTALT,
		evdev.KEY_LEFTCTRL, evdev.KEY_RIGHTCTRL, evdev.KEY_LEFTMETA, evdev.KEY_RIGHTMETA:
		d.held[code] = value != released
		return ""
	}
	if value != pressed || d.held[evdev.KEY_LEFTALT] || d.held[evdev.KEY_LEFTCTRL] || d.held[evdev.KEY_RIGHTCTRL] ||
		d.held[evdev.KEY_LEFTMETA] || d.held[evdev.KEY_RIGHTMETA] {
		return ""
	}
	at := place{code, plain}
	switch {
	case d.held[evdev.KEY_RIGHTALT]:
		at.level = altGr
	case d.held[evdev.KEY_LEFTSHIFT] || d.held[evdev.KEY_RIGHTSHIFT]:
		at.level = shifted
	}
	r, ok := d.keys[at]
	if !ok {
		r, ok = keypad[code]
	}
	switch {
	case !ok:
		return ""
	case d.accents[at] && d.accent == 0:
		d.accent = r
		return ""
	}
	return d.letter(r)
}

// letter puts the accent that waits on a letter; on a space, or one that does
// not take it, the accent stands alone.
func (d *Decoder) letter(r rune) string {
	accent := d.accent
	d.accent = 0
	switch {
	case accent == 0:
		return string(r)
	case r == ' ':
		return string(accent)
	}
	both := norm.NFC.String(string([]rune{r, combining[accent]}))
	if utf8.RuneCountInString(both) == 1 {
		return both
	}
	return string([]rune{accent, r})
}
