// Package voice says a page aloud. A Voice speaks one utterance at a time and
// never makes its caller wait; what it hears is first put into words an engine
// reads well.
package voice

import (
	"fmt"
	"strings"
)

// A Voice says one utterance at a time. Its methods may be called from any
// goroutine; all but SetOutput and Close return at once.
type Voice interface {
	// Say cuts what is being said and says text in the language lang ("fr",
	// "falc", "en" …). said, which may be nil, is called from another
	// goroutine once all of it was said, and never when it was cut.
	Say(lang, text string, said func())
	// SayPrivate is Say for what only the resident may hear. Unless the output
	// is private, it says nothing and counts as cut: whoever asked may have
	// done so before the headset was pulled out.
	SayPrivate(lang, text string, said func())
	// SetOutput says everything from now on through o. Where o is another than
	// before, it cuts what is being said, and returns when the old output is
	// silent, some milliseconds later.
	SetOutput(o Output)
	// Stop cuts what is being said.
	Stop()
	// SetVolume sets the loudness of what is said from now on, from MinVolume
	// to MaxVolume; a step outside is brought inside.
	SetVolume(step int)
	// Close stops the speech and frees what the voice holds. Nothing is said
	// after Close.
	Close() error
}

// Output is where speech is heard. The zero Output is the system's usual one,
// heard by all who stand around.
type Output struct {
	Device  string // ALSA's name; empty for the system's usual output
	Private bool   // only the resident hears it: a headset, a handset
}

// The steps of loudness, VolumeStepDB apart. EN 301 549 8.2.1 asks for a range
// of 18 dB at least with a step at +12 dB: MaxVolume is 21 dB over MinVolume,
// and DefaultVolume+4 is 12 dB over DefaultVolume.
const (
	MinVolume     = 0
	DefaultVolume = 2
	MaxVolume     = 7
	VolumeStepDB  = 3
)

// Open returns the voice that spec names: "" or "espeak" for the loudspeaker,
// "off" for silence, "log:FILE" for a line in FILE for each utterance. What
// goes wrong later is told to onError, once for each kind of fault, from
// another goroutine.
func Open(spec string, onError func(error)) (Voice, error) {
	switch {
	case spec == "", spec == "espeak":
		return NewEspeak(onError), nil
	case spec == "off":
		return Off{}, nil
	case strings.HasPrefix(spec, "log:"):
		return NewLog(strings.TrimPrefix(spec, "log:"))
	}
	return nil, fmt.Errorf("voice %q: want espeak, off or log:FILE", spec)
}

// Off is the voice that says nothing.
type Off struct{}

// Say says nothing, and is done at once.
func (Off) Say(lang, text string, said func()) {
	if said != nil {
		go said()
	}
}

// SayPrivate says nothing, and is done at once.
func (o Off) SayPrivate(lang, text string, said func()) { o.Say(lang, text, said) }

// SetOutput does nothing.
func (Off) SetOutput(o Output) {}

// Stop does nothing.
func (Off) Stop() {}

// SetVolume does nothing.
func (Off) SetVolume(step int) {}

// Close does nothing.
func (Off) Close() error { return nil }
