package pcsc

import (
	"context"

	"github.com/ebfe/scard"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/reader/internal/line"
)

// For the tests of what is read off a card.
var (
	Contactless = contactless
	MessageText = messageText
	FindMessage = findMessage
	TagOf       = tagOf
)

const (
	NoTag    = noTag
	TypeTwo  = typeTwo
	TypeFour = typeFour
)

// ReadText reads the text of a card that answers as told.
func ReadText(kind tag, card func(command []byte) ([]byte, error)) (string, error) {
	return transmit(card).text(kind)
}

// Watch is a Serve without pcscd: it is shown readers as pcscd tells of them.
// Only cards with contacts may lie there, of which nothing is read.
type Watch struct{ w watch }

// NewWatch makes a Watch that has seen no reader yet.
func NewWatch(report func(device.Status), seen func(reader.Event)) *Watch {
	return &Watch{watch{report: line.Changes(report), seen: seen}}
}

// Slot is one reader: its state and the answer of its card.
type Slot struct {
	Name  string
	State scard.StateFlag
	ATR   []byte
}

// See shows it all readers at one moment.
func (w *Watch) See(slots ...Slot) error {
	w.w.slots = nil
	for _, s := range slots {
		w.w.slots = append(w.w.slots, &slot{name: s.Name, state: s.State, atr: s.ATR})
	}
	return w.w.settle(context.Background())
}
