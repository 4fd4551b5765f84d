package escpos

import "parvis/device"

// inbox sorts what the printer says, which comes unasked and at any moment.
type inbox struct {
	custom bool // the printer speaks StatusCustom

	realtime []byte  // replies to DLE EOT 1 to 4, in order
	full     []full  // replies to DLE EOT 20
	done     int     // replies to GS r
	autos    int     // automatic statuses
	auto     [4]byte // the last of them

	frame []byte // what has come of an answer of several bytes
}

// take sorts one byte. The kinds differ in their fixed bits: replies to DLE EOT
// are 0xx1xx10, an automatic status begins 0xx1xx00 and goes on for three bytes
// of 0xx0xxxx, and so looks a reply to GS r. XON, XOFF and noise match none of
// them. Custom's answer begins 10 0F, and the four bytes after that may be
// anything.
func (b *inbox) take(c byte) {
	if b.custom {
		b.takeCustom(c)
		return
	}
	switch {
	case c&0x93 == 0x12:
		b.realtime = append(b.realtime, c) // sent as soon as asked for, amid an automatic status too
	case c&0x93 == 0x10:
		b.frame = []byte{c}
	case c&0x90 == 0 && len(b.frame) > 0:
		b.frame = append(b.frame, c)
		if len(b.frame) == 4 {
			b.auto, b.frame = [4]byte(b.frame), nil
			b.autos++
		}
	case c&0x90 == 0:
		b.done++
	}
}

// cutShort says that the rest of an answer has not come in time.
func (b *inbox) cutShort() { b.frame = nil }

// answered tells whether there is an answer to a question.
func (b *inbox) answered() bool { return len(b.realtime)+len(b.full) > 0 }

func (b *inbox) takeCustom(c byte) {
	switch {
	case len(b.frame) >= 2, len(b.frame) == 1 && c == 0x0F:
		b.frame = append(b.frame, c)
		if len(b.frame) == 6 {
			b.full, b.frame = append(b.full, full(b.frame[2:])), nil
		}
	case c == 0x10:
		b.frame = []byte{c}
	default:
		b.frame = nil
		if c&0x90 == 0 {
			b.done++
		}
	}
}

// The questions of DLE EOT n.
const (
	askPrinter byte = 1
	askOffline byte = 2
	askError   byte = 3
	askPaper   byte = 4
	askFull    byte = 20
)

// answers holds the reply to each question of DLE EOT, by its n.
type answers [5]byte

// unexplained reports whether the printer is off line and says no reason.
func (a answers) unexplained() bool {
	s := a.status()
	return s.Fault == device.Hardware && a[askError]&0x20 == 0
}

func (a answers) status() device.Status {
	s := device.Status{State: device.Online, Paper: device.PaperFull}
	switch {
	case a[askPaper]&0x60 != 0 || a[askOffline]&0x20 != 0:
		s.Paper = device.PaperOut
	case a[askPaper]&0x0C != 0:
		s.Paper = device.PaperLow
	}
	// An open cover hides the paper from its sensor: it comes first.
	switch {
	case a[askOffline]&0x04 != 0:
		s.Fault = device.CoverOpen
	case s.Paper == device.PaperOut:
		s.Fault = device.NoPaper
	case a[askError]&0x08 != 0:
		s.Fault = device.Jam
	case a[askError]&0x20 != 0:
		s.Fault = device.Hardware
	case a[askError]&0x40 != 0:
		s.Fault = device.Overheated // of what mends itself, the only likely one
	case a[askOffline]&0x08 != 0:
		s.State = device.Busy // somebody feeds paper by the button
		return s
	case a[askOffline]&0x40 != 0, a[askPrinter]&0x08 != 0:
		s.Fault = device.Hardware
	case s.Paper == device.PaperLow:
		s.Fault = device.PaperEnds
	}
	return withState(s)
}

// withState adds the state of a device that has such a fault.
func withState(s device.Status) device.Status {
	if s.Fault != device.None {
		s.State = s.Fault.Info().State
	}
	return s
}

// automatic gives what the four bytes of an automatic status say as the
// questions of DLE EOT would be answered.
func automatic(b [4]byte) answers {
	var a answers
	move := func(from, bit byte, question, to byte) {
		if from&bit != 0 {
			a[question] |= to
		}
	}
	move(b[0], 0x08, askPrinter, 0x08)
	move(b[0], 0x20, askOffline, 0x04)
	move(b[0], 0x40, askOffline, 0x08)
	move(b[1], 0x08, askError, 0x08)
	move(b[1], 0x20, askError, 0x20)
	move(b[1], 0x40, askError, 0x40)
	move(b[1], 0x68, askOffline, 0x40)
	move(b[2], 0x03, askPaper, 0x0C)
	move(b[2], 0x0C, askPaper, 0x60)
	return a
}

// full is the answer to DLE EOT 20: paper, what a hand did, errors that pass,
// errors that do not (Custom, VKP80II command reference).
type full [4]byte

// mouth tells whether a ticket hangs there.
func (f full) mouth() bool { return f[0]&0x20 != 0 }

func (f full) status() device.Status {
	s := device.Status{State: device.Online, Paper: device.PaperFull}
	switch {
	case f[2]&0x40 != 0:
		s.Paper = device.PaperJammed
	case f[0]&0x01 != 0:
		s.Paper = device.PaperOut
	case f[0]&0x04 != 0:
		s.Paper = device.PaperLow
	}
	switch {
	case f[1]&0x03 != 0, f[3]&0x02 != 0: // head, cover, cutter's cover
		s.Fault = device.CoverOpen
	case s.Paper == device.PaperJammed, f[3]&0x01 != 0:
		s.Fault = device.Jam
	case s.Paper == device.PaperOut:
		s.Fault = device.NoPaper
	case f[3]&0x8C != 0, f[2]&0x08 != 0: // memory, presenter; its power supply
		s.Fault = device.Hardware
	case f[2]&0x01 != 0:
		s.Fault = device.Overheated
	case f[1]&0x60 != 0:
		s.State = device.Busy // somebody feeds paper by a key
		return s
	case s.Paper == device.PaperLow:
		s.Fault = device.PaperEnds
	}
	return withState(s)
}
