package sim

import (
	"bytes"
	"image"
	mathbits "math/bits"
	"strings"

	"github.com/skip2/go-qrcode"
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
		text.WriteRune(c.r)
	}
	t.print(mark{height: height, text: text.String(), draw: func(img *image.Gray, face *typeface, y int) {
		x := left
		for _, c := range line {
			box := image.Rect(x, y+height-c.height, x+c.width, y+height)
			face.draw(img, c.r, c.bold, box)
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

// raster prints a picture of so many bytes across and rows down, each dot
// stretched to sx by sy.
func (t *Thermal) raster(bits []byte, across, rows, sx, sy int) {
	bits = bytes.Clone(bits)
	left := t.mode.left(across * 8 * sx)
	ink := 0
	for _, b := range bits {
		ink += mathbits.OnesCount8(b)
	}
	text := "[image]"
	if across*8 == dots && rows <= 8 && ink > 0 {
		text = strings.Repeat("- ", dots/24)
		if ink == dots*rows {
			text = strings.Repeat("─", dots/12)
		}
	}
	t.print(mark{height: rows * sy, text: text, draw: func(img *image.Gray, _ *typeface, y int) {
		for row := range rows {
			for col := range across * 8 {
				if bits[row*across+col/8]&(0x80>>(col%8)) != 0 {
					black(img, image.Rect(0, 0, sx, sy).Add(image.Pt(left+col*sx, y+row*sy)))
				}
			}
		}
	}}, rows*sy)
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
