package escpos

import "parvis/device"

// inbox sorts what the printer says, which comes unasked and at any moment.
type inbox struct {
	realtime []byte // replies to DLE EOT, in order
	done     int    // replies to GS r
	pending  int    // bytes of an automatic status still to come
}

// take sorts one byte. The kinds differ in their fixed bits: replies to DLE
// EOT are 0xx1xx10, an automatic status begins 0xx1xx00 and goes on for three
// bytes of 0xx0xxxx, and so looks a reply to GS r. XON, XOFF and noise match
// none of them.
func (b *inbox) take(c byte) {
	switch {
	case c&0x93 == 0x12:
		b.realtime, b.pending = append(b.realtime, c), 0
	case c&0x93 == 0x10:
		b.pending = 3
	case c&0x90 == 0 && b.pending > 0:
		b.pending--
	case c&0x90 == 0:
		b.done++
	}
}

// The questions of DLE EOT n.
const (
	askPrinter byte = 1
	askOffline byte = 2
	askError   byte = 3
	askPaper   byte = 4
)

// answers holds the reply to each question of DLE EOT, by its n.
type answers [5]byte

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
	case a[askOffline]&0x40 != 0, a[askPrinter]&0x08 != 0:
		s.Fault = device.Hardware
	case s.Paper == device.PaperLow:
		s.Fault = device.PaperEnds
	}
	if s.Fault != device.None {
		s.State = s.Fault.Info().State
	}
	return s
}
