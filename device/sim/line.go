package sim

import (
	"image"
	mathbits "math/bits"
	"strings"

	"github.com/skip2/go-qrcode"
)

// cell is one letter as it will be printed.
type cell struct {
	r             rune // 0 is a gap
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
	left := t.mode.left(t.lineWidth())
	t.line = nil
	height, scale := 0, 0
	for _, c := range line {
		height, scale = max(height, c.height), max(scale, c.scale)
	}
	var text strings.Builder
	if scale >= 3 {
		text.WriteString("CODE: ")
	} else {
		text.WriteString(strings.Repeat(" ", left/12))
	}
	for _, c := range line {
		if c.r == 0 {
			text.WriteString(strings.Repeat(" ", c.width/12))
			continue
		}
		text.WriteRune(c.r)
	}
	t.print(mark{height: height, text: text.String(), draw: func(img *image.Gray, face *typeface, y int) {
		x := left
		for _, c := range line {
			box := image.Rect(x, y+height-c.height, x+c.width, y+height)
			if c.r != 0 {
				face.draw(img, c.r, c.bold, box)
			}
			if c.underline {
				black(img, image.Rect(box.Min.X, box.Max.Y-2, box.Max.X, box.Max.Y-1))
			}
			x += c.width
		}
	}}, max(feed, height))
}

// print puts a mark where the head is and feeds.
func (t *Thermal) print(m mark, feed int) {
	m.y = t.paper.y
	t.paper.marks = append(t.paper.marks, m)
	t.advance(feed)
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

// picture is one that is being printed, row by row: the paper may end amid it.
type picture struct {
	across int // bytes of a row
	left   int // rows still to come
	sx, sy int // each dot is stretched so
	rows   int
	ink    int // dots
	bits   []byte
	stored []byte // the rows still to come, where they came before
	mark   int    // of the paper
}

// begin makes room for a picture, of which nothing is printed yet.
func (t *Thermal) begin(p *picture) {
	p.mark = len(t.paper.marks)
	t.picture = p
	left := t.mode.left(p.across * 8 * p.sx)
	t.print(mark{text: "[image]", draw: func(img *image.Gray, _ *typeface, y int) {
		for row := range p.rows {
			for col := range p.across * 8 {
				if p.bits[row*p.across+col/8]&(0x80>>(col%8)) != 0 {
					black(img, image.Rect(0, 0, p.sx, p.sy).Add(image.Pt(left+col*p.sx, y+row*p.sy)))
				}
			}
		}
	}}, 0)
}

// row prints the next row of the picture, or returns 0 while it is not there as
// a whole.
func (t *Thermal) row(b []byte) int {
	p := t.picture
	if len(b) < p.across {
		return 0
	}
	p.bits = append(p.bits, b[:p.across]...)
	for _, c := range b[:p.across] {
		p.ink += mathbits.OnesCount8(c)
	}
	p.rows++
	p.left--
	m := &t.paper.marks[p.mark]
	m.height = p.rows * p.sy
	if p.left == 0 {
		m.text = p.text()
		t.picture = nil
	}
	t.advance(p.sy)
	return p.across
}

// text is the picture's line in the transcript: a rule looks like one.
func (p *picture) text() string {
	switch {
	case p.across*8 != dots || p.rows > 8 || p.ink == 0:
		return "[image]"
	case p.ink == dots*p.rows:
		return strings.Repeat("─", dots/12)
	}
	return strings.Repeat("- ", dots/24)
}

var qrLevels = map[byte]qrcode.RecoveryLevel{48: qrcode.Low, 49: qrcode.Medium, 50: qrcode.High, 51: qrcode.Highest}

// qr prints the stored data as a QR code.
func (t *Thermal) qr() {
	level, ok := qrLevels[t.mode.qrLevel]
	code, err := qrcode.New(string(t.mode.qrData), level)
	if err != nil || !ok {
		t.strange([]byte{gs, '(', 'k'})
		return
	}
	code.DisableBorder = true
	modules, size := code.Bitmap(), t.mode.qrSize
	width := len(modules) * size
	if width > dots { // a real printer prints nothing either
		t.report("QR code wider than the paper")
		return
	}
	left := t.mode.left(width)
	t.print(mark{height: width, text: "QR: " + string(t.mode.qrData), draw: func(img *image.Gray, _ *typeface, y int) {
		for row, cols := range modules {
			for col, set := range cols {
				if set {
					black(img, image.Rect(0, 0, size, size).Add(image.Pt(left+col*size, y+row*size)))
				}
			}
		}
	}}, width)
}
