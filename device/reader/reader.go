// Package reader says what readers of cards and codes see. The packages below
// it each serve one kind of reader.
package reader

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"parvis/device"
)

// Medium is how something was read.
type Medium string

// The media.
const (
	RFID        Medium = "rfid"        // 125 kHz tag on a serial reader: UID only
	Contactless Medium = "contactless" // 13.56 MHz card on a PC/SC reader
	Contact     Medium = "contact"     // chip card in a PC/SC reader
	Code        Medium = "code"        // QR code or barcode
)

// Event is one thing shown to a reader, or taken away again: that says no more
// than the medium, and whether there were several. Several takes the place of
// the single card told of before. What an event holds may lead to a person: it
// is never logged or stored, and %v shows nothing of it.
type Event struct {
	Medium  Medium
	Present bool   // false: what was there has been taken away
	Number  string // UID as upper-case hexadecimal; empty for contact cards and codes
	ATR     []byte // of PC/SC cards
	Text    string // what a code says, or the NDEF text of a contactless card
	Several bool   // two cards at once: nothing else is known then
}

// Format hides what was read whatever the verb.
func (e Event) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "reader.Event(%s, present %t)", e.Medium, e.Present)
}

// LogValue hides what was read.
func (e Event) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// Visible takes out of a text what cannot be seen and may do harm where it is
// shown: control characters, line ends among them, and marks of direction.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// Reader sees cards or codes.
type Reader interface {
	// Serve opens the reader, reports each change of its status and tells seen
	// of each card or code, until ctx ends (it then returns ctx's error) or the
	// reader is lost (any other error). report and seen are called from Serve's
	// goroutine, one at a time. Serve may be called again after it returned.
	Serve(ctx context.Context, report func(device.Status), seen func(Event)) error
}
