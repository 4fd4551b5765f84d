// Package sim pretends to be the hardware of a borne, always from behind the
// wire: the software in front of it cannot tell. Thermal is a ticket printer
// with paper, cover and cutter; Cable is the pty it hangs on; Desk is the hand
// that opens the cover and pulls the cable.
package sim

import (
	"fmt"
	"io"
	"maps"
	"sync"
)

// Thermal is a ticket printer of 80 mm that behaves as an Epson TM does: it
// answers DLE EOT at any moment, does everything else in order, stops at the
// end of the paper or when its cover is opened, and goes on where it stopped.
type Thermal struct {
	onCut func(Ticket)

	mu      sync.Mutex
	wire    io.Writer // where answers go; nil while unplugged
	buffer  []byte    // received, not yet done
	window  [2]byte   // the last two bytes received, to see DLE EOT
	mode    mode
	line    []cell
	paper   paper
	unknown map[string]int
	due     []due
	cuts    []Ticket
	asb     bool
	busy    bool // somebody is working off the buffer

	supply    Paper
	coverOpen bool
	fault     Fault
	silent    bool
}

// Paper is how much paper is in the printer.
type Paper string

// What can be said of the paper.
const (
	PaperIn  Paper = "in"
	PaperLow Paper = "low"
	PaperOut Paper = "out"
)

// Fault is an error that only a hand can mend.
type Fault string

// The errors of the printer.
const (
	FaultNone   Fault = "off"
	FaultCutter Fault = "cutter"
	FaultFatal  Fault = "fatal"
)

// due is something to happen when the paper has moved so many dots more.
type due struct {
	dots int
	do   func()
}

// NewThermal makes a printer that hands each ticket to onCut.
func NewThermal(onCut func(Ticket)) *Thermal {
	return &Thermal{
		onCut: onCut, mode: startMode(), paper: paper{y: headToCutter},
		unknown: make(map[string]int), supply: PaperIn, fault: FaultNone,
	}
}

// Connect says where answers go from now on; nil is nowhere.
func (t *Thermal) Connect(wire io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire = wire
}

// Receive takes bytes off the wire and does what they say.
func (t *Thermal) Receive(b []byte) {
	t.hear(b)
	t.run()
}

// hear takes bytes off the wire and answers what is to be answered at once.
func (t *Thermal) hear(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range b {
		if t.window == [2]byte{dle, 4} {
			t.realtime(c)
		}
		t.window = [2]byte{t.window[1], c}
	}
	t.buffer = append(t.buffer, b...)
}

// SetPaper, SetCover, SetFault and SetSilent do what a hand, or bad luck, does.
func (t *Thermal) SetPaper(p Paper) { t.change(func() { t.supply = p }) }

// SetCover opens or closes the cover.
func (t *Thermal) SetCover(open bool) { t.change(func() { t.coverOpen = open }) }

// SetFault breaks the printer, or mends it with FaultNone.
func (t *Thermal) SetFault(f Fault) { t.change(func() { t.fault = f }) }

// SetSilent makes the printer hear and print, but answer nothing, as when one
// wire of the cable is broken.
func (t *Thermal) SetSilent(on bool) { t.change(func() { t.silent = on }) }

// After makes do happen once the paper has moved by n dots more.
func (t *Thermal) After(n int, do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = append(t.due, due{n, do})
}

// Unknown counts the commands that the printer did not know.
func (t *Thermal) Unknown() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.unknown)
}

// String tells how the printer is, on one line.
func (t *Thermal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	unknown := 0
	for _, n := range t.unknown {
		unknown += n
	}
	cover := "close"
	if t.coverOpen {
		cover = "open"
	}
	return fmt.Sprintf("paper=%s cover=%s error=%s silent=%t waiting=%d unknown=%d",
		t.supply, cover, t.fault, t.silent, len(t.buffer), unknown)
}

func (t *Thermal) change(do func()) {
	t.mu.Lock()
	before := t.automatic()
	do()
	if after := t.automatic(); t.asb && string(after) != string(before) {
		t.reply(after...)
	}
	t.mu.Unlock()
	t.run()
}

// run works off the buffer, unless somebody else is doing so and will see to
// this as well. What is due happens between two commands, with nothing locked.
func (t *Thermal) run() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return
	}
	t.busy = true
	for t.step() || t.happen() {
	}
	t.busy = false
}

// step does one command and reports whether there was one.
func (t *Thermal) step() bool {
	if len(t.buffer) == 0 || !t.able() {
		return false
	}
	n := t.execute(t.buffer)
	t.buffer = t.buffer[n:]
	if n > 0 {
		t.happen()
	}
	return n > 0
}

// happen hands over what was cut off and does what is due, unlocked meanwhile.
// It reports whether there was anything.
func (t *Thermal) happen() bool {
	var now, later []due
	for _, d := range t.due {
		if d.dots <= 0 {
			now = append(now, d)
		} else {
			later = append(later, d)
		}
	}
	cuts := t.cuts
	t.due, t.cuts = later, nil
	t.mu.Unlock()
	defer t.mu.Lock()
	for _, ticket := range cuts {
		t.onCut(ticket)
	}
	for _, d := range now {
		d.do()
	}
	return len(cuts)+len(now) > 0
}

func (t *Thermal) able() bool {
	return !t.coverOpen && t.supply != PaperOut && t.fault == FaultNone
}

// advance moves the paper.
func (t *Thermal) advance(n int) {
	t.paper.y += n
	for i := range t.due {
		t.due[i].dots -= n
	}
}

func (t *Thermal) cut() {
	if ticket, ok := t.paper.cut(); ok {
		t.cuts = append(t.cuts, ticket)
	}
}

// reply sends an answer, if anyone can hear it.
func (t *Thermal) reply(b ...byte) {
	if t.silent || t.wire == nil {
		return
	}
	_, _ = t.wire.Write(b) // a printer does not know whether it is heard
}

// realtime answers DLE EOT n.
func (t *Thermal) realtime(n byte) {
	const fixed = 0x12
	a := byte(fixed)
	switch n {
	case 1:
		if !t.able() {
			a |= 0x08
		}
	case 2:
		if t.coverOpen {
			a |= 0x04
		}
		if t.supply == PaperOut {
			a |= 0x20
		}
		if t.fault != FaultNone {
			a |= 0x40
		}
	case 3:
		switch t.fault {
		case FaultCutter:
			a |= 0x08
		case FaultFatal:
			a |= 0x20
		}
	case 4:
		switch t.supply {
		case PaperLow:
			a |= 0x0C
		case PaperOut:
			a |= 0x6C
		}
	default:
		return
	}
	t.reply(a)
}

// paperSensor answers GS r 1.
func (t *Thermal) paperSensor() byte {
	switch t.supply {
	case PaperLow:
		return 0x03
	case PaperOut:
		return 0x0F
	}
	return 0
}

// automatic is the four-byte status that GS a asks for.
func (t *Thermal) automatic() []byte {
	b := []byte{0x10, 0, t.paperSensor(), 0}
	if !t.able() {
		b[0] |= 0x08
	}
	if t.coverOpen {
		b[0] |= 0x20
	}
	switch t.fault {
	case FaultCutter:
		b[1] |= 0x08
	case FaultFatal:
		b[1] |= 0x20
	}
	return b
}
