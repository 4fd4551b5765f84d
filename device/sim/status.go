package sim

// The second bytes of what a printer does at once: DLE EOT and DLE ENQ.
const (
	eot = 4
	enq = 5
)

// realtime answers DLE EOT n. The answer is 0xx1xx10, whatever n is.
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
		a |= t.errors()
	case 4:
		switch t.supply {
		case PaperLow:
			a |= 0x0C
		case PaperOut:
			a |= 0x6C
		}
	case 20:
		if t.model == CustomVKP80 {
			t.reply(t.fullStatus()...)
		}
		return
	default:
		return
	}
	t.reply(a)
}

// recover does DLE ENQ n. As long as the cause of the error is there nothing
// gets better by it, but with n = 2 what waits is thrown away.
func (t *Thermal) recover(n byte) {
	if n != 2 || t.fault == FaultNone {
		return
	}
	t.buffer, t.picture, t.stored, t.line = nil, nil, nil, nil
	t.room.Broadcast()
}

// errors are the bits that DLE EOT 3 and the automatic status share.
func (t *Thermal) errors() byte {
	switch t.fault {
	case FaultCutter, FaultJam:
		return 0x08
	case FaultFatal:
		return 0x20
	case FaultHot:
		return 0x40
	}
	return 0
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
func (t *Thermal) automatic() [4]byte {
	b := [4]byte{0x10, t.errors(), t.paperSensor(), 0}
	if !t.able() {
		b[0] |= 0x08
	}
	if t.coverOpen {
		b[0] |= 0x20
	}
	return b
}

// What GS a may ask to be told of.
const (
	asbOnline = 0x02
	asbErrors = 0x04
	asbPaper  = 0x08
)

// tell sends the automatic status if anything changed that GS a asked for.
func (t *Thermal) tell() {
	was, is := t.told, t.automatic()
	t.told = is
	if t.asb&asbOnline != 0 && was[0] != is[0] ||
		t.asb&asbErrors != 0 && was[1] != is[1] ||
		t.asb&asbPaper != 0 && was[2] != is[2] {
		t.reply(is[:]...)
	}
}

// identity answers GS I n. The numbers are one byte; texts come between 5F and
// NUL.
func (t *Thermal) identity(n byte) {
	id := t.model.identity()
	switch n {
	case 1, 49:
		t.reply(id.model)
	case 2, 50:
		t.reply(0x02) // has a cutter
	case 3, 51:
		t.reply(0x01)
	case 65:
		t.text("1.00 sim")
	case 66:
		t.text(id.maker)
	case 67:
		t.text(id.name)
	case 68:
		t.text("SIM0000001")
	default:
		t.strange([]byte{gs, 'I', n})
	}
}

func (t *Thermal) text(s string) { t.reply(append(append([]byte{0x5F}, s...), 0)...) }
