package sim

import (
	"image"
	"strings"
)

// cell is one letter as it will be printed.
type cell struct {
	r             rune
	bold          bool
	underline     bool
	width, height int // dots
	scale         int // times the normal width
}

func (t *Thermal) lineWidth() int {
	n := 0
	for _, c := range t.line {
		n += c.width
	}
	return n
}

// letter adds one to the line, which is printed when it is full.
func (t *Thermal) letter(r rune) {
	m := t.mode
	c := cell{r: r, bold: m.bold, underline: m.underline, width: 12 * m.width, height: 24 * m.height, scale: m.width}
	if m.fontB {
		c.width, c.height = 9*m.width, 17*m.height
	}
	if t.lineWidth()+c.width > dots {
		t.newLine()
	}
	t.line = append(t.line, c)
}

// newLine prints the line and feeds to the next.
func (t *Thermal) newLine() { t.endLine(t.mode.spacing) }

// endLine prints the line and feeds by at least its height.
func (t *Thermal) endLine(feed int) {
	line := t.line
	t.line = nil
	height, scale := 0, 0
	for _, c := range line {
		height, scale = max(height, c.height), max(scale, c.scale)
	}
	y := t.paper.y()
	t.advance(max(feed, height))
	width := 0
	for _, c := range line {
		width += c.width
	}
	left := t.mode.left(width)
	img := t.paper.image()
	var text strings.Builder
	text.WriteString(strings.Repeat(" ", left/12))
	if scale >= 3 {
		text.Reset()
		text.WriteString("CODE: ")
	}
	x := left
	for _, c := range line {
		top := y + height - c.height
		box := image.Rect(x, top, x+c.width, top+c.height)
		t.face.draw(img, c.r, c.bold, box)
		if c.underline {
			for i := range c.width {
				dot(img, x+i, box.Max.Y-2, 1)
			}
		}
		text.WriteRune(c.r)
		x += c.width
	}
	t.paper.write(y, text.String())
}

// left is where something so wide begins.
func (m mode) left(width int) int {
	switch m.align {
	case 1:
		return max(0, (dots-width)/2)
	case 2:
		return max(0, dots-width)
	}
	return 0
}

// raster prints a picture of so many bytes across and rows down.
func (t *Thermal) raster(bits []byte, across, rows, sx, sy int) {
	y, left := t.paper.y(), t.mode.left(across*8*sx)
	t.advance(rows * sy)
	img := t.paper.image()
	black := 0
	for row := range rows {
		for col := range across * 8 {
			if bits[row*across+col/8]&(0x80>>(col%8)) == 0 {
				continue
			}
			black++
			for dy := range sy {
				for dx := range sx {
					dot(img, left+col*sx+dx, y+row*sy+dy, 1)
				}
			}
		}
	}
	switch {
	case across*8 == dots && rows <= 8 && black == dots*rows:
		t.paper.write(y, strings.Repeat("─", dots/12))
	case across*8 == dots && rows <= 8 && black > 0:
		t.paper.write(y, strings.Repeat("- ", dots/24))
	default:
		t.paper.write(y, "[image]")
	}
}
