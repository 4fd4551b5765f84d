// Package escpos prints documents on ticket printers that speak ESC/POS. An
// Encoder makes the bytes for one model; Printer sends them, finds out what
// became of them, and knows at any moment how the printer is.
package escpos

import (
	"bytes"
	"fmt"

	"parvis/device/printer"
	"parvis/device/typeset"
)

const (
	esc byte = 0x1B
	gs  byte = 0x1D
	dle byte = 0x10

	// All in dots.
	lineSpacing   = 34 // from line to line; the letters are 24 high
	ruleHeight    = 3
	ruleMargin    = 16 // white above and below a rule
	cutMargin     = 40 // white between the last line and the cut
	headingMargin = 8  // white under letters that fill their lines
)

// Encode gives the commands that print doc on the model Default. See
// Encoder.Encode.
func Encode(doc printer.Document) ([]byte, error) {
	m, err := LoadModel(Default)
	if err != nil {
		return nil, err
	}
	return NewEncoder(m).Encode(doc)
}

// Encoder turns documents into the commands of one model. It keeps the fonts it
// needed from one document to the next, and belongs to one goroutine.
type Encoder struct {
	model  Model
	page   page
	setter typeset.Typesetter
}

// NewEncoder makes an Encoder for a model that LoadModel gave.
func NewEncoder(m Model) *Encoder { return &Encoder{model: m, page: pages[m.CodePage]} }

// Encode gives the commands that print doc, from a fresh start of the printer
// (ESC @) on. It fails when a block cannot be printed at all. A block with
// letters that the code page lacks is drawn as a picture, and no other order of
// words comes of it: no line is partly the one and partly the other.
func (e *Encoder) Encode(doc printer.Document) ([]byte, error) {
	j, err := e.encode(doc)
	return j.data, err
}

// job is a document in a printer's commands.
type job struct {
	data    []byte
	longest int // bytes of the longest command
}

func (e *Encoder) encode(doc printer.Document) (job, error) {
	w := writer{Encoder: e, rtl: typeset.RightToLeft(doc.Lang), job: job{data: make([]byte, 0, 2048), longest: 8}}
	// ESC @ also brings back the code page and the national set that the
	// printer was delivered with: a French one has no "[".
	w.put(esc, '@', esc, 't', e.model.CodePageNumber, esc, 'R', 0, esc, '3', byte(lineSpacing*e.model.UnitsPerDot))
	if e.model.Font != 0 {
		w.put(esc, 'M', e.model.Font)
	}
	if e.model.AutoStatus { // which ESC @ has switched off
		w.put(gs, 'a', 0xFF)
	}
	w.now = normal
	for i, b := range doc.Blocks {
		if err := w.block(b); err != nil {
			return job{}, fmt.Errorf("block %d: %w", i+1, err)
		}
	}
	w.set(normal)
	return w.job, nil
}

// The alignments of ESC a.
const (
	left byte = iota
	centre
	right
)

type style struct {
	bold          bool
	align         byte
	width, height int // 1 is normal, 2 twice the dots
}

var normal = style{width: 1, height: 1}

// writer writes one document.
type writer struct {
	*Encoder
	job
	rtl bool
	now style // what the printer has been told
}

func (w *writer) put(b ...byte) { w.data = append(w.data, b...) }

// feed moves the paper on.
func (w *writer) feed(dots int) {
	for n := dots * w.model.UnitsPerDot; n > 0; n -= 255 {
		w.put(esc, 'J', byte(min(n, 255)))
	}
}

func (w *writer) block(b printer.Block) error {
	switch b := b.(type) {
	case printer.Heading:
		s := headingStyle(b)
		if w.text(s, b.Centred, b.Text) && s.height > 1 {
			w.feed(headingMargin)
		}
	case printer.Text:
		w.text(style{bold: b.Bold, width: 1, height: 1}, b.Centred, b.Text)
	case printer.Checkbox:
		w.item(checkbox, b.Text, b.Detail)
	case printer.Bullet:
		w.item(bullet, b.Text, b.Detail)
	case printer.Rule:
		w.rule(b.Dashed)
	case printer.QR:
		return w.qr(b.Data)
	case printer.Code:
		return w.code(b.Text)
	case printer.Space:
		for n := b.Lines; n > 0; n -= 255 {
			w.put(esc, 'd', byte(min(n, 255)))
		}
	case printer.Cut:
		w.cut()
	default:
		return fmt.Errorf("escpos: unknown block %T", b)
	}
	return nil
}

func headingStyle(h printer.Heading) style {
	s := style{bold: true, width: 1, height: 1}
	if h.Level <= 2 {
		s.width, s.height = 2, 2
		s.bold = h.Level <= 1
	}
	return s
}

// set tells the printer what differs from the style it has.
func (w *writer) set(s style) {
	if s.align != w.now.align {
		w.put(esc, 'a', s.align)
	}
	if s.bold != w.now.bold {
		w.put(esc, 'E', flag(s.bold))
	}
	if s.width != w.now.width || s.height != w.now.height {
		w.put(gs, '!', byte(s.width-1)<<4|byte(s.height-1))
	}
	w.now = s
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// text prints a heading or a paragraph, and reports whether it did so with the
// printer's own letters. In a right-to-left document it stands at the right.
func (w *writer) text(s style, centred bool, text string) (native bool) {
	switch {
	case centred:
		s.align = centre
	case w.rtl:
		s.align = right
	}
	spelt, whole := w.page.spell(text)
	if !whole {
		w.drawText(s, text)
		return false
	}
	w.lines(s, nil, spelt)
	return true
}

// mark begins a point of a list.
type mark int

const (
	checkbox mark = iota
	bullet
)

// columns is the room for the mark, in letters.
func (m mark) columns() int { return [...]int{checkbox: 4, bullet: 2}[m] }

func (m mark) letters(p page) []byte {
	if m == checkbox {
		return []byte("[ ] ")
	}
	return []byte{p.bullet, ' '}
}

// item prints a point of a list and its detail, both indented by the mark. The
// printer's own letters would put the mark of a right-to-left one at the wrong
// end.
func (w *writer) item(m mark, text, detail string) {
	spelt, whole := w.page.spell(text)
	under, wholeUnder := w.page.spell(detail)
	if w.rtl || !whole || !wholeUnder {
		w.drawItem(m, text, detail)
		return
	}
	w.lines(normal, m.letters(w.page), spelt)
	if detail != "" {
		w.lines(normal, bytes.Repeat([]byte{' '}, m.columns()), under)
	}
}

// lines prints text after first; further lines are indented as far.
func (w *writer) lines(s style, first, text []byte) {
	w.set(s)
	for i, line := range wrap(text, w.model.Columns/s.width-len(first)) {
		if i == 0 {
			w.put(first...)
		} else {
			w.put(bytes.Repeat([]byte{' '}, len(first))...)
		}
		w.put(line...)
		w.put('\n')
	}
}

// code prints a reference code at three times the size, or at what fits.
func (w *writer) code(text string) error {
	line, _ := w.page.spell(text)
	line = bytes.ReplaceAll(bytes.ReplaceAll(line, []byte{noBreak}, []byte{' '}), []byte{'\n'}, []byte{' '})
	if len(line) == 0 || len(line) > w.model.Columns {
		return fmt.Errorf("escpos: a code of %d signs does not fit on a line", len(line))
	}
	size := min(3, w.model.Columns/len(line))
	w.set(style{bold: true, align: centre, width: size, height: size})
	w.put(line...)
	w.put('\n')
	return nil
}

// cut feeds what was printed past the cutter, cuts, and presents the ticket
// where the model does so.
func (w *writer) cut() {
	w.set(normal)
	w.put(w.model.cut()...)
	if w.model.presents() {
		w.put(gs, 'e', 3, w.model.Presenter.Steps)
	}
}

func (m Model) cut() []byte {
	how := byte(66)
	if m.Cut == CutFull {
		how = 65
	}
	return []byte{gs, 'V', how, byte(cutMargin * m.UnitsPerDot)}
}
