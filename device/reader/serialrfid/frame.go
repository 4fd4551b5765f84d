package serialrfid

import (
	"encoding/hex"
	"fmt"
)

// Frame is one telling of a card by a reader.
type Frame struct {
	Number string // ten hexadecimal digits, upper case
	Once   bool   // in the framing of the ID-12LA, which tells of a card once
}

const (
	stx = 0x02
	etx = 0x03

	digits = 12 // ten of the number and two of its checksum
)

// Decoder finds frames among the bytes of a reader: 02, ten hexadecimal digits,
// two of their XOR, 03 (RDM6300), or the same with CR LF before 03 (ID-12LA).
// The zero value is ready for the first byte.
type Decoder struct {
	frame   [digits + 3]byte // 02, the digits, CR and LF
	n       int              // bytes of it so far
	dropped int
}

// Take takes one byte, and tells whether it ends a good frame. 02 begins a new
// frame wherever it comes.
func (d *Decoder) Take(b byte) (Frame, bool) {
	switch {
	case b == stx:
		d.drop()
	case d.n == 0, !d.fits(b):
		d.drop()
		d.dropped++
		return Frame{}, false
	case b == etx:
		return d.end()
	}
	d.frame[d.n] = b
	d.n++
	return Frame{}, false
}

// Dropped is how many bytes were in no good frame so far. Those of a frame not
// ended yet don't count.
func (d *Decoder) Dropped() int { return d.dropped }

// Reset forgets a frame that has not ended.
func (d *Decoder) Reset() { d.drop() }

func (d *Decoder) drop() {
	d.dropped += d.n
	d.forget()
}

func (d *Decoder) forget() {
	clear(d.frame[:])
	d.n = 0
}

// fits tells whether b may follow what there is of a frame.
func (d *Decoder) fits(b byte) bool {
	switch d.n {
	case 1 + digits:
		return b == etx || b == '\r'
	case 2 + digits:
		return b == '\n'
	case 3 + digits:
		return b == etx
	}
	return '0' <= b && b <= '9' || 'A' <= b && b <= 'F' || 'a' <= b && b <= 'f'
}

func (d *Decoder) end() (Frame, bool) {
	var raw [digits / 2]byte
	defer clear(raw[:])
	_, err := hex.Decode(raw[:], d.frame[1:1+digits])
	sum := byte(0)
	for _, b := range raw {
		sum ^= b // over the checksum too: 0 when it holds
	}
	if err != nil || sum != 0 {
		d.drop()
		d.dropped++
		return Frame{}, false
	}
	f := Frame{Number: fmt.Sprintf("%X", raw[:len(raw)-1]), Once: d.n > 1+digits}
	d.forget()
	return f, true
}
