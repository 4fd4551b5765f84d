package a4

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/shaping"
	"github.com/skip2/go-qrcode"
	"golang.org/x/text/unicode/norm"

	"parvis/device/printer"
	"parvis/device/typeset"
)

const (
	leading  = 1.36     // distance of baselines, as a factor of the size
	ascent   = 1.02     // from the top of a line to its baseline, likewise
	qrSide   = 35 * mm  // read at arm's length, with a poor camera too
	qrQuiet  = 6 * mm   // white above and below: four modules of most codes
	boxSide  = 4.4 * mm // wide enough for a trembling hand
	indent   = 8 * mm   // of an item's text
	codeSize = 54       // points, less where the code is long
	unsplit  = 5        // lines of a paragraph that is never split
)

type style struct {
	size   float64 // points
	weight typeset.Weight
}

// line is one line of set text.
type line struct {
	runs  []shaping.Output // from left to right
	text  []rune           // of the whole paragraph
	width float64
	style style
	main  *font.Face
}

// setter turns blocks into atoms, from top to bottom.
type setter struct {
	typesetter typeset.Typesetter
	faces      map[typeset.Weight]*font.Face
	rtl        bool // pages are mirrored
	size       float64

	atoms []atom
	gap   float64 // wanted above the next atom
}

func newSetter(lang string) *setter {
	return &setter{faces: map[typeset.Weight]*font.Face{}, rtl: typeset.RightToLeft(lang)}
}

// set adds a block and tells what holds its parts together. The bond to the
// block below is not its own affair: see bonds.
func (s *setter) set(b printer.Block) error {
	switch b := b.(type) {
	case printer.Heading:
		s.heading(b)
	case printer.Text:
		s.text(b)
	case printer.Bullet:
		dot := s.lines("•", style{size: s.size}, width, false)[0]
		s.item(b.Text, b.Detail, 0.35, mark{dot.width, func(p *pen, x, baseline float64) { p.line(dot, x, baseline) }})
	case printer.Checkbox:
		middle := 0.34 * s.size // of a capital letter
		s.item(b.Text, b.Detail, 0.6, mark{boxSide, func(p *pen, x, baseline float64) { p.box(x, baseline-middle-boxSide/2, boxSide) }})
	case printer.Rule:
		s.space(1)
		s.add(atom{height: 1, draw: func(p *pen, top float64) { p.rule(top, b.Dashed) }})
		s.space(1)
	case printer.QR:
		return s.qr(b.Data)
	case printer.Code:
		return s.code(b.Text)
	case printer.Space:
		s.gap = max(s.gap, float64(b.Lines)*s.size*leading)
	case printer.Cut:
	default:
		return fmt.Errorf("unknown block %T", b)
	}
	return nil
}

// space wants white of so many letters of body text above the next atom. Two
// wishes make one white, the larger.
func (s *setter) space(bodies float64) { s.gap = max(s.gap, bodies*s.size) }

func (s *setter) add(atoms ...atom) {
	for _, a := range atoms {
		a.gap, s.gap = s.gap, 0
		s.atoms = append(s.atoms, a)
	}
}

func (s *setter) heading(h printer.Heading) {
	st, above, below := style{1.2 * s.size, typeset.Bold}, 1.1, 0.25
	switch {
	case h.Level <= 1:
		st, above, below = style{1.9 * s.size, typeset.Bold}, 1.2, 0.5
	case h.Level == 2:
		st, above, below = style{1.4 * s.size, typeset.SemiBold}, 1.2, 0.3
	}
	s.space(above)
	s.add(s.paragraph(h.Text, st, 0, h.Centred)...)
	s.space(below)
}

func (s *setter) text(t printer.Text) {
	st := style{size: s.size}
	if t.Bold {
		st.weight = typeset.SemiBold
	}
	lines := s.paragraph(t.Text, st, 0, t.Centred)
	// Single lines such as those of an address stand together; paragraphs do
	// not.
	between := 0.1
	if len(lines) > 1 {
		between = 0.5
	}
	s.space(between)
	s.add(lines...)
	s.space(between)
}

// mark is what stands before an item.
type mark struct {
	width float64
	draw  func(p *pen, x, baseline float64)
}

// item sets text and detail beside a mark, where lines begin.
func (s *setter) item(text, detail string, between float64, m mark) {
	lines := s.paragraph(text, style{size: s.size}, indent, false)
	baseline := ascent * s.size
	if detail != "" {
		lines = append(lines, s.paragraph(detail, style{size: max(smallest, s.size-1)}, indent, false)...)
	}
	for i := range len(lines) - 1 {
		lines[i].bond = hard
	}
	if len(lines) == 0 {
		return
	}
	x := margin + 1.0
	if s.rtl {
		x = pageWidth - margin - m.width - 1
	}
	first := lines[0].draw
	lines[0].draw = func(p *pen, top float64) {
		m.draw(p, x, top+baseline)
		first(p, top)
	}
	s.space(between)
	s.add(lines...)
	s.space(between)
}

// paragraph sets text in lines of one atom each, indented where lines begin.
// A short one is not split across pages, of a long one no single line is left
// alone.
func (s *setter) paragraph(text string, st style, indent float64, centred bool) []atom {
	var atoms []atom
	for part := range strings.SplitSeq(norm.NFC.String(text), "\n") {
		text, rtl := typeset.Directed(part, s.rtl)
		for _, l := range s.lines(text, st, width-indent, rtl) {
			x := margin + indent
			switch {
			case centred:
				x = (pageWidth - l.width) / 2
			case s.rtl:
				x = pageWidth - margin - indent - l.width
			}
			atoms = append(atoms, atom{
				height: st.size * leading,
				draw:   func(p *pen, top float64) { p.line(l, x, top+ascent*st.size) },
			})
		}
	}
	for i := range len(atoms) - 1 {
		if len(atoms) <= unsplit || i == 0 || i == len(atoms)-2 {
			atoms[i].bond = hard
		}
	}
	return atoms
}

// lines breaks one paragraph that runs in the direction given.
func (s *setter) lines(text string, st style, wide float64, rtl bool) []line {
	set := s.typesetter.Set(text, typeset.Style{Size: float32(st.size), Weight: st.weight, RTL: rtl}, float32(wide))
	lines := make([]line, len(set.Lines))
	for i, runs := range set.Lines {
		lines[i] = line{runs, []rune(text), float64(set.Widths[i]), st, s.face(st.weight)}
	}
	return lines
}

// face is the typesetter's own face for Latin.
func (s *setter) face(w typeset.Weight) *font.Face {
	if s.faces[w] == nil {
		s.faces[w] = s.typesetter.Set("a", typeset.Style{Size: 1, Weight: w}, width).Lines[0][0].Face
	}
	return s.faces[w]
}

func (s *setter) qr(data string) error {
	if data == "" {
		return errors.New("a QR code without data")
	}
	code, err := qrcode.New(data, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("a QR code of %d bytes: %w", len(data), err)
	}
	code.DisableBorder = true
	bitmap := code.Bitmap()
	s.gap = max(s.gap, qrQuiet)
	s.add(atom{height: qrSide, draw: func(p *pen, top float64) {
		p.modules(bitmap, (pageWidth-qrSide)/2, top, qrSide)
	}})
	s.gap = qrQuiet
	return nil
}

// code sets a reference in one line, in Latin order on every page.
func (s *setter) code(text string) error {
	st := style{codeSize, typeset.Bold}
	lines := s.lines(norm.NFC.String(text), st, 1<<15, false)
	if len(lines) == 0 {
		return errors.New("an empty code")
	}
	if wide := lines[0].width; wide > width {
		st.size *= width / wide * 0.99
		lines = s.lines(norm.NFC.String(text), st, 1<<15, false)
	}
	l := lines[0]
	s.space(0.5)
	s.add(atom{height: st.size * leading, draw: func(p *pen, top float64) {
		p.line(l, (pageWidth-l.width)/2, top+ascent*st.size)
	}})
	s.space(0.5)
	return nil
}

// number is the number of a page, such as "1/2".
func (s *setter) number(text string) atom {
	st := style{size: smallest}
	l := s.lines(text, st, width, false)[0]
	return atom{height: footer, draw: func(p *pen, top float64) {
		p.line(l, (pageWidth-l.width)/2, top+footer-4)
	}}
}
