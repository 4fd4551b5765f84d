// Package sim pretends to be the hardware of a borne, always from behind the
// wire: the software in front of it cannot tell. Devices such as Thermal hang on
// a Line, and take orders from a Hand that opens covers, ends paper and pulls
// cables.
package sim

import (
	"fmt"
	"io"
	"maps"
	"sync"
	"time"
)

// Thermal is a ticket printer of 80 mm that behaves as its Model does: it
// answers DLE EOT at any moment, does everything else in order, stops at the
// end of the paper or when its cover is opened, and goes on where it stopped.
type Thermal struct {
	onCut func(Ticket)
	model Model
	speed float64 // mm/s; 0 is at once
	most  int     // bytes that the buffer takes; 0 is any number
	flow  Flow

	mu      sync.Mutex
	room    *sync.Cond // there may be room in the buffer again, or nobody to fill it
	wire    io.Writer  // where answers go; nil while unplugged
	buffer  []byte     // received, not yet done
	lacks   bool       // what is in the buffer is no whole command
	window  [2]byte    // the last two bytes received, to see DLE EOT
	mode    mode
	line    []cell
	paper   paper
	unknown map[string]int
	due     []due
	cuts    []Ticket
	picture *picture  // being printed, row by row
	stored  *picture  // sent with GS 8 L, to be printed later
	asb     byte      // what GS a asked to be told of, bit by bit
	told    [4]byte   // the automatic status as it was last looked at
	busy    bool      // somebody is working off the buffer
	moved   int       // dots that the paper still has to travel, at its speed
	ready   time.Time // when it will have travelled the rest
	mouth   Mouth
	stopped bool // XOFF was said

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

// Fault is an error that stops the printer until it is mended.
type Fault string

// The errors of the printer.
const (
	FaultNone   Fault = "off"
	FaultCutter Fault = "cutter"
	FaultJam    Fault = "jam"   // paper stuck on its way
	FaultHot    Fault = "hot"   // the head; a real one goes on once it has cooled
	FaultFatal  Fault = "fatal" // beyond repair
)

// due is something to happen when the paper has moved so many dots more.
type due struct {
	dots int
	do   func()
}

// NewThermal makes an Epson that prints at once and hands each ticket to onCut
// as it is cut off.
func NewThermal(onCut func(Ticket)) *Thermal {
	t := &Thermal{
		onCut: onCut, model: Epson, mode: startMode(), paper: paper{y: headToCutter},
		unknown: make(map[string]int), supply: PaperIn, fault: FaultNone, mouth: MouthEmpty,
	}
	t.room = sync.NewCond(&t.mu)
	t.told = t.automatic()
	return t
}

// SetModel says whose printer this is. It is called before the first byte comes.
func (t *Thermal) SetModel(m Model) { t.model = m }

// SetSpeed makes the paper move at so many mm a second; 0, as at the start, is
// at once. It is called before the first byte comes. With a speed, whoever mends
// the printer waits until it has printed what had waited.
func (t *Thermal) SetSpeed(mmPerSecond float64) { t.speed = mmPerSecond }

// SetBuffer gives the printer a buffer of so many bytes; 0, as at the start, is
// without end. Once it is full nothing more is taken off the line, DLE EOT
// neither, before some is printed: a host that sends too much is held up. It is
// called before the first byte comes, for printers on a Line only.
func (t *Thermal) SetBuffer(bytes int) { t.most = bytes }

// Flow is what a printer does about a host that sends more than its buffer takes.
type Flow string

// The kinds of flow control.
const (
	FlowHeld Flow = ""     // it takes nothing more off the line
	FlowNone Flow = "none" // what comes is lost
	FlowXON  Flow = "xon"  // it says XOFF in time; what comes all the same is lost
)

// SetFlow says how the printer is wired. It is called before the first byte comes.
func (t *Thermal) SetFlow(f Flow) { t.flow = f }

// Connect implements Device.
func (t *Thermal) Connect(wire io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire = wire
	t.room.Broadcast()
}

// Receive takes bytes off the wire and does what they say.
func (t *Thermal) Receive(b []byte) {
	t.Hear(b)
	t.Work()
}

// Hear implements Device: it answers DLE EOT, and keeps the bytes for Work.
func (t *Thermal) Hear(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.flow == FlowHeld && t.full() && t.wire != nil {
		t.room.Wait()
	}
	for _, c := range b {
		if t.flow == FlowHeld || !t.full() {
			t.buffer = append(t.buffer, c)
		}
		switch t.window {
		case [2]byte{dle, eot}:
			t.realtime(c)
		case [2]byte{dle, enq}:
			t.recover(c)
		}
		t.window = [2]byte{t.window[1], c}
	}
	t.throttle()
}

// full tells whether the buffer takes no more.
func (t *Thermal) full() bool { return t.most > 0 && len(t.buffer) >= t.most && !t.lacks }

// throttle says XOFF when the buffer is half full, and XON once it is nearly
// empty.
func (t *Thermal) throttle() {
	if t.flow != FlowXON {
		return
	}
	const xon, xoff = 0x11, 0x13
	switch {
	case !t.stopped && len(t.buffer) > t.most/2:
		t.stopped = true
		t.reply(xoff)
	case t.stopped && len(t.buffer) < t.most/8:
		t.stopped = false
		t.reply(xon)
	}
}

// Work implements Device: it prints what was heard, unless somebody else is
// doing so and will see to this as well. What is due happens between two
// commands, or two rows of a picture, with nothing locked.
func (t *Thermal) Work() {
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

// SetPaper puts paper in, or lets it end.
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
	mouth := ""
	if t.model.presenter() {
		mouth = fmt.Sprintf(" mouth=%s", t.mouth)
	}
	return fmt.Sprintf("paper=%s cover=%s error=%s%s silent=%t waiting=%d unknown=%d",
		t.supply, cover, t.fault, mouth, t.silent, len(t.buffer), unknown)
}

func (t *Thermal) change(do func()) {
	t.mu.Lock()
	do()
	t.tell()
	t.mu.Unlock()
	t.Work()
}

// step does one command, or one row of a picture, and reports whether there was
// one.
func (t *Thermal) step() bool {
	t.lacks = false
	if !t.able() {
		return false
	}
	n := 0
	switch p := t.picture; {
	case p != nil && p.stored != nil:
		n = t.row(p.stored)
		p.stored = p.stored[n:]
	case len(t.buffer) == 0:
		return false
	case p != nil:
		n = t.row(t.buffer)
		t.buffer = t.buffer[n:]
	default:
		n = t.execute(t.buffer)
		t.buffer = t.buffer[n:]
	}
	t.lacks = n == 0
	t.room.Broadcast()
	t.throttle()
	if n > 0 {
		t.travel()
		t.happen()
	}
	return n > 0
}

// travel waits, unlocked, until the paper has moved as far as it was told to.
func (t *Thermal) travel() {
	if t.speed == 0 || t.moved == 0 {
		return
	}
	d := time.Duration(float64(t.moved) / dotsPerMM / t.speed * float64(time.Second))
	t.moved = 0
	now := time.Now()
	if t.ready.Before(now) {
		t.ready = now
	}
	t.ready = t.ready.Add(d)
	if wait := t.ready.Sub(now); wait >= smallest {
		t.mu.Unlock()
		time.Sleep(wait)
		t.mu.Lock()
	}
}

// smallest is the least time worth sleeping: single rows of dots are quicker.
const smallest = 5 * time.Millisecond

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

// advance moves the paper. It pushes out what still hangs in the mouth.
func (t *Thermal) advance(n int) {
	if n > 0 && t.mouth == MouthPresent {
		t.mouth = MouthEjected
	}
	t.paper.y += n
	t.moved += n
	for i := range t.due {
		t.due[i].dots -= n
	}
}

func (t *Thermal) cut() {
	ticket, ok := t.paper.cut()
	if !ok {
		return
	}
	t.cuts = append(t.cuts, ticket)
	if t.model.presenter() {
		t.mouth = MouthPresent
	}
}

// reply sends an answer, if anyone can hear it.
func (t *Thermal) reply(b ...byte) {
	if t.silent || t.wire == nil {
		return
	}
	_, _ = t.wire.Write(b) // a printer does not know whether it is heard
}
