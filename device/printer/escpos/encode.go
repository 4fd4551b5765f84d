// Package escpos prints documents on ticket printers that speak ESC/POS, on
// paper 80 mm wide. Encode makes the bytes; Printer sends them and finds out
// what became of them.
package escpos

import (
	"bytes"
	"fmt"

	"parvis/device/printer"
)

// The printable width of 80 mm paper.
const (
	Dots    = 576 // at 8 dots a millimetre
	Columns = 48  // characters of font A, 12 dots wide
)

const (
	esc byte = 0x1B
	gs  byte = 0x1D
	dle byte = 0x10

	lineSpacing = 34 // dots from line to line; the letters are 24 high
	ruleHeight  = 3  // dots
	ruleMargin  = 16 // dots of white above and below a rule
	cutMargin   = 40 // dots of white between the last line and the cut

	headingMargin = 8 // dots of white under letters that fill their lines
)

// Encode gives the commands that print doc, from a fresh start of the printer
// (ESC @) on. It fails when a block cannot be printed at all; letters that the
// code page lacks are spelt as well as it can.
func Encode(doc printer.Document) ([]byte, error) {
	e := encoder{out: make([]byte, 0, 2048)}
	// ESC @ also brings back the code page and the national set that the
	// printer was delivered with: a French one has no "[".
	e.put(esc, '@', esc, 't', 16, esc, 'R', 0, esc, '3', lineSpacing)
	e.now = style{width: 1, height: 1}
	for i, b := range doc.Blocks {
		if err := e.block(b); err != nil {
			return nil, fmt.Errorf("block %d: %w", i+1, err)
		}
	}
	e.set(style{width: 1, height: 1})
	return e.out, nil
}

type style struct {
	bold, centred bool
	width, height int // 1 is normal, 2 twice the dots
}

type encoder struct {
	out []byte
	now style // what the printer has been told
}

func (e *encoder) put(b ...byte) { e.out = append(e.out, b...) }

func (e *encoder) block(b printer.Block) error {
	switch b := b.(type) {
	case printer.Heading:
		s := headingStyle(b)
		e.lines(s, "", b.Text)
		if s.height > 1 {
			e.put(esc, 'J', headingMargin)
		}
	case printer.Text:
		e.lines(style{bold: b.Bold, centred: b.Centred, width: 1, height: 1}, "", b.Text)
	case printer.Checkbox:
		e.item("[ ] ", b.Text, b.Detail)
	case printer.Bullet:
		e.item("\x95 ", b.Text, b.Detail)
	case printer.Rule:
		e.rule(b.Dashed)
	case printer.QR:
		return e.qr(b.Data)
	case printer.Code:
		return e.code(b.Text)
	case printer.Space:
		for n := b.Lines; n > 0; n -= 255 {
			e.put(esc, 'd', byte(min(n, 255)))
		}
	case printer.Cut:
		e.set(style{width: 1, height: 1})
		e.put(gs, 'V', 66, cutMargin)
	default:
		return fmt.Errorf("escpos: unknown block %T", b)
	}
	return nil
}

func headingStyle(h printer.Heading) style {
	s := style{bold: true, centred: h.Centred, width: 1, height: 1}
	if h.Level <= 2 {
		s.width, s.height = 2, 2
		s.bold = h.Level <= 1
	}
	return s
}

// set tells the printer what differs from the style it has.
func (e *encoder) set(s style) {
	if s.centred != e.now.centred {
		e.put(esc, 'a', flag(s.centred))
	}
	if s.bold != e.now.bold {
		e.put(esc, 'E', flag(s.bold))
	}
	if s.width != e.now.width || s.height != e.now.height {
		e.put(gs, '!', byte(s.width-1)<<4|byte(s.height-1))
	}
	e.now = s
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// lines prints text after first; further lines are indented as far.
func (e *encoder) lines(s style, first, text string) {
	e.set(s)
	for i, line := range wrap(cp1252(text), Columns/s.width-len(first)) {
		if i == 0 {
			e.out = append(e.out, first...)
		} else {
			e.out = append(e.out, "    "[:len(first)]...)
		}
		e.out = append(e.out, line...)
		e.put('\n')
	}
}

// item prints a point of a list and its detail, both indented by the mark.
func (e *encoder) item(mark, text, detail string) {
	e.lines(style{width: 1, height: 1}, mark, text)
	if detail != "" {
		e.lines(style{width: 1, height: 1}, "    "[:len(mark)], detail)
	}
}

// code prints a reference code at three times the size, or at what fits.
func (e *encoder) code(text string) error {
	line := bytes.ReplaceAll(bytes.ReplaceAll(cp1252(text), []byte{noBreak}, []byte{' '}), []byte{'\n'}, []byte{' '})
	if len(line) == 0 || len(line) > Columns {
		return fmt.Errorf("escpos: a code of %d signs does not fit on a line", len(line))
	}
	size := min(3, Columns/len(line))
	e.set(style{bold: true, centred: true, width: size, height: size})
	e.out = append(e.out, line...)
	e.put('\n')
	return nil
}

// rule draws a line as a picture, since CP1252 has no sign for one.
func (e *encoder) rule(dashed bool) {
	e.set(style{width: 1, height: 1})
	e.put(esc, 'J', ruleMargin, gs, 'v', '0', 0, Dots/8, 0, ruleHeight, 0)
	for range ruleHeight {
		for i := range Dots / 8 {
			if dashed && i%2 == 1 {
				e.put(0xC0) // 10 dots black, 6 white
			} else {
				e.put(0xFF)
			}
		}
	}
	e.put(esc, 'J', ruleMargin)
}
