package sim

import (
	"errors"
)

// Model is the printer that a Thermal behaves as.
type Model string

// The models, under the names that a command line takes.
const (
	// Epson is a TM-T88: a cutter, and the ticket falls into the hand.
	Epson Model = "epson"
	// CustomVKP80 is a Custom VKP80II: a presenter holds the ticket in the
	// mouth, and DLE EOT 20 tells everything at once.
	CustomVKP80 Model = "custom-vkp80"
	// StarESCPOS is a Star that speaks ESC/POS. All that is known to differ
	// on the wire is its name.
	StarESCPOS Model = "star-escpos"
)

func (m Model) presenter() bool { return m == CustomVKP80 }

// identity is what GS I tells.
type identity struct {
	model       byte
	maker, name string
}

func (m Model) identity() identity {
	switch m {
	case CustomVKP80:
		return identity{0x5D, "CUSTOM", "VKP80II"}
	case StarESCPOS:
		return identity{0x20, "Star", "mC-Print3"}
	}
	return identity{0x20, "EPSON", "TM-T88V"}
}

// Mouth is where the last ticket of a printer with a presenter is.
type Mouth string

// Where the last ticket may be.
const (
	MouthEmpty     Mouth = "empty"     // there was none yet
	MouthPresent   Mouth = "present"   // hangs in the mouth
	MouthTaken     Mouth = "taken"     // by the hand
	MouthEjected   Mouth = "ejected"   // pushed out: it lies on the floor
	MouthRetracted Mouth = "retracted" // drawn back into the printer
)

// ErrMouthEmpty refuses to take a ticket that is not there.
var ErrMouthEmpty = errors.New("no ticket hangs in the mouth")

// Take takes the ticket out of the mouth. Without a ticket there its error is
// ErrMouthEmpty.
func (t *Thermal) Take() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mouth != MouthPresent {
		return ErrMouthEmpty
	}
	t.mouth = MouthTaken
	return nil
}

// Mouth tells where the last ticket is. It is MouthEmpty for ever in a printer
// without a presenter.
func (t *Thermal) Mouth() Mouth {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mouth
}

// presenter does GS e: 2 draws the ticket back, 3 m pushes it m steps out, and
// 5 throws it out. The manual of Custom's KPM216 gives the numbers.
func (t *Thermal) presenter(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	hangs := t.mouth == MouthPresent
	switch b[2] {
	case 2:
		if hangs {
			t.mouth = MouthRetracted
		}
		return 3
	case 3:
		return need(b, 4) // a ticket that was cut off is out already
	case 5:
		if hangs {
			t.mouth = MouthEjected
		}
		return 3
	}
	t.strange(b[:3])
	return 3
}

// fullStatus is the answer to DLE EOT 20: the heading, then paper, user's doing, what
// will pass, and what will not.
func (t *Thermal) fullStatus() []byte {
	b := []byte{0x10, 0x0F, 0, 0, 0, 0}
	switch t.supply {
	case PaperLow:
		b[2] |= 0x04
	case PaperOut:
		b[2] |= 0x05
	}
	if t.mouth == MouthPresent {
		b[2] |= 0x20
	}
	if t.coverOpen {
		b[3] |= 0x03 // opening it lifts the head
	}
	if len(t.buffer) > 0 {
		b[3] |= 0x04
		if t.busy && t.able() {
			b[3] |= 0x08
		}
	}
	switch t.fault {
	case FaultHot:
		b[4] |= 0x01
	case FaultJam:
		b[4] |= 0x40
	case FaultCutter:
		b[5] |= 0x01
	case FaultFatal:
		b[5] |= 0x04 // its memory
	}
	return b
}
