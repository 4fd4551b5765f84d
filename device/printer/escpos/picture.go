package escpos

import (
	"image"
	"slices"
)

// bandRows is how many rows of dots a command draws at most. A printer whose
// cable is pulled waits for the rest of the command, and so gets as much white
// before the next ticket.
const bandRows = 48

// gapRows is how many white rows are worth a command of their own.
const gapRows = 4

// picture is dots, row by row, eight to a byte, the leftmost highest. 1 is black.
type picture struct {
	across int // bytes of a row
	bits   []byte
}

func newPicture(width, height int) *picture {
	across := (width + 7) / 8
	return &picture{across, make([]byte, across*height)}
}

func (p *picture) height() int { return len(p.bits) / p.across }

// fill blackens a rectangle, as far as it lies in the picture.
func (p *picture) fill(left, top, width, height int) {
	for y := max(top, 0); y < min(top+height, p.height()); y++ {
		for x := max(left, 0); x < min(left+width, p.across*8); x++ {
			p.bits[y*p.across+x/8] |= 0x80 >> (x % 8)
		}
	}
}

// paste blackens what is dark enough in img, whose corner comes to left and top.
func (p *picture) paste(img *image.RGBA, left, top int) {
	const dark = 0x70 // of 0xFF; thin strokes must not break
	b := img.Bounds()
	for y := max(0, -top); y < min(b.Dy(), p.height()-top); y++ {
		row := img.Pix[y*img.Stride:]
		out := p.bits[(top+y)*p.across:]
		for x := max(0, -left); x < min(b.Dx(), p.across*8-left); x++ {
			if row[x*4+3] >= dark {
				at := left + x
				out[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
}

func (p *picture) row(y int) []byte { return p.bits[y*p.across : (y+1)*p.across] }

func (p *picture) white(y int) bool {
	return !slices.ContainsFunc(p.row(y), func(b byte) bool { return b != 0 })
}

// picture prints p at the side of the paper where it belongs: no white is sent
// that the printer can leave by itself.
func (w *writer) picture(p *picture, side byte) {
	w.set(style{align: side, width: 1, height: 1})
	for y := 0; y < p.height(); {
		gap := 0
		for y+gap < p.height() && p.white(y+gap) {
			gap++
		}
		w.feed(gap)
		y += gap
		rows := p.inked(y)
		if rows > 0 {
			w.band(p, y, rows, side)
		}
		y += rows
	}
}

// inked is how many rows from y on go into one command.
func (p *picture) inked(y int) int {
	rows, gap := 0, 0
	for y+rows < p.height() && rows < bandRows && gap < gapRows {
		if p.white(y + rows) {
			gap++
		} else {
			gap = 0
		}
		rows++
	}
	return rows - gap
}

// band draws rows of p by GS v 0.
func (w *writer) band(p *picture, top, rows int, side byte) {
	first, last := p.across, 0 // the bytes that hold ink
	for y := top; y < top+rows; y++ {
		for x, b := range p.row(y) {
			if b != 0 {
				first, last = min(first, x), max(last, x+1)
			}
		}
	}
	switch side {
	case left:
		first = 0
	case right:
		last = p.across
	default:
		first = min(first, p.across-last)
		last = p.across - first
	}
	across := last - first
	w.put(gs, 'v', '0', 0, byte(across), byte(across>>8), byte(rows), 0)
	for y := top; y < top+rows; y++ {
		w.put(p.row(y)[first:last]...)
	}
	w.longest = max(w.longest, 8+across*rows)
}

// rule draws a line across the paper, since no code page has a sign for one.
func (w *writer) rule(dashed bool) {
	p := newPicture(w.model.Dots, ruleHeight)
	for i := range p.bits {
		p.bits[i] = 0xFF
		if dashed && i%p.across%2 == 1 {
			p.bits[i] = 0xC0 // 10 dots black, 6 white
		}
	}
	w.set(normal)
	w.feed(ruleMargin)
	w.picture(p, left)
	w.feed(ruleMargin)
}
