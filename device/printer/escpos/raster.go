package escpos

import (
	"image/color"
	"strings"
	"unicode"

	"parvis/device/typeset"
)

// Sizes of drawn letters, in dots, so that they are about as high as the
// printer's own: 24 dots, or twice as many.
const (
	bodySize    = 26
	headingSize = 44
)

const (
	letterWidth = 12 // dots of a letter of font A, for indents
	drawnMargin = 4  // dots of white under a drawn block, since its lines are closer
)

// drawText draws a heading or a paragraph.
func (w *writer) drawText(s style, text string) {
	size, weight := float32(bodySize), typeset.Regular
	if s.height > 1 {
		size, weight = headingSize, typeset.SemiBold
	}
	if s.bold {
		weight = typeset.Bold
	}
	d := w.drawing(size, weight)
	d.add(0, s.align, text)
	w.picture(d.trim(d.paint()), s.align)
	w.feed(drawnMargin)
}

// drawItem draws a point of a list, with its mark at the side where reading
// begins.
func (w *writer) drawItem(m mark, text, detail string) {
	side := left
	if w.rtl {
		side = right
	}
	d := w.drawing(bodySize, typeset.Regular)
	indent := m.columns() * letterWidth
	d.add(indent, side, text)
	if detail != "" {
		d.add(indent, side, detail)
	}
	p := d.paint()
	d.mark(p, m, side)
	w.picture(d.trim(p), side)
	w.feed(drawnMargin)
}

// drawing is text that is set line under line.
type drawing struct {
	w      *writer
	style  typeset.Style
	parts  []part
	height float32
}

type part struct {
	paragraph typeset.Paragraph
	side      byte
	indent    int
	top       float32
}

// room is left above the first line and below the last for signs that reach
// beyond their line. It is no less than any Paragraph.Pad.
func (d *drawing) room() int { return int(d.style.Size * 0.4) }

func (w *writer) drawing(size float32, weight typeset.Weight) *drawing {
	return &drawing{w: w, style: typeset.Style{Size: size, Weight: weight, Colour: color.NRGBA{A: 0xFF}}}
}

// add sets text under what is there, indented from side.
func (d *drawing) add(indent int, side byte, text string) {
	const slack = 2 // dots by which a picture is wider than its text
	for line := range strings.SplitSeq(drawable(text), "\n") {
		s := d.style
		line, s.RTL = typeset.Directed(line, d.w.rtl)
		switch {
		case side == centre:
			s.Align = typeset.Centre
		case (side == right) != s.RTL:
			s.Align = typeset.End
		}
		p := d.w.setter.Set(line, s, float32(d.w.model.Dots-indent-slack))
		d.parts = append(d.parts, part{p, side, indent, d.height})
		d.height += max(p.Height, s.Size*typeset.LineHeight)
	}
}

// paint draws what was added.
func (d *drawing) paint() *picture {
	width := d.w.model.Dots
	p := newPicture(width, int(d.height)+2*d.room())
	for _, part := range d.parts {
		if len(part.paragraph.Lines) == 0 {
			continue
		}
		img := d.w.setter.Draw(part.paragraph)
		x := part.indent
		switch part.side {
		case right:
			x = width - part.indent - img.Bounds().Dx()
		case centre:
			x = (width - img.Bounds().Dx()) / 2
		}
		p.paste(img, x, d.room()+int(part.top-part.paragraph.Pad))
	}
	return p
}

// mark draws a box, or a dot, beside the first line.
func (d *drawing) mark(p *picture, m mark, side byte) {
	baseline := d.room() + int(d.style.Size*0.93)
	at := func(x, width int) int {
		if side == right {
			return d.w.model.Dots - x - width
		}
		return x
	}
	if m == bullet {
		const dot = 8
		x, y := at(4, dot), baseline-6-dot
		p.fill(x+1, y, dot-2, dot)
		p.fill(x, y+1, dot, dot-2)
		return
	}
	const box, line = 24, 2
	x, y := at(4, box), baseline-box+3
	p.fill(x, y, box, line)
	p.fill(x, y+box-line, box, line)
	p.fill(x, y, line, box)
	p.fill(x+box-line, y, line, box)
}

// trim leaves out the room that nothing needed.
func (d *drawing) trim(p *picture) *picture {
	top, bottom := 0, p.height()
	for top < d.room() && p.white(top) {
		top++
	}
	for bottom > p.height()-d.room() && p.white(bottom-1) {
		bottom--
	}
	return &picture{p.across, p.bits[top*p.across : bottom*p.across]}
}

// drawable leaves out what has no place on paper: control characters save line
// feeds, and those that would turn the order of what follows.
func drawable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r == '\u00AD', r == '\uFEFF', r >= '\u202A' && r <= '\u202E':
			return -1
		}
		return r
	}, text)
}
