package sim

import (
	"image"
	"image/color"
	"strings"
)

const (
	dots = 576 // across the printable width
	// headToCutter is how far paper travels from the print head to the
	// cutter: what is to be cut off must first be fed so far.
	headToCutter = 96
)

// Ticket is a piece of paper that was cut off.
type Ticket struct {
	Image *image.Gray // 576 dots wide, one pixel a dot
	Text  string      // what is on it, line by line
}

// paper is the strip between the last cut and the print head.
type paper struct {
	pix   []byte // rows of dots, 0 black
	lines []writing
}

// writing is a line of the transcript, and where on the strip it stands.
type writing struct {
	y    int
	text string
}

func newPaper() *paper {
	p := &paper{}
	p.feed(headToCutter)
	return p
}

// y is where the head stands, in dots from the last cut.
func (p *paper) y() int { return len(p.pix) / dots }

func (p *paper) feed(n int) {
	white := make([]byte, n*dots)
	for i := range white {
		white[i] = 0xFF
	}
	p.pix = append(p.pix, white...)
}

func (p *paper) image() *image.Gray {
	return &image.Gray{Pix: p.pix, Stride: dots, Rect: image.Rect(0, 0, dots, p.y())}
}

func (p *paper) write(y int, text string) {
	p.lines = append(p.lines, writing{y, strings.TrimRight(text, " ")})
}

// dot blackens one square of size dots.
func dot(img *image.Gray, x, y, size int) {
	for dy := range size {
		for dx := range size {
			img.SetGray(x+dx, y+dy, color.Gray{})
		}
	}
}

// cut takes off all that has passed the cutter.
func (p *paper) cut() (Ticket, bool) {
	at := p.y() - headToCutter
	if at <= 0 {
		return Ticket{}, false
	}
	img := image.NewGray(image.Rect(0, 0, dots, at))
	copy(img.Pix, p.pix)
	p.pix = append([]byte(nil), p.pix[at*dots:]...)
	var text strings.Builder
	var rest []writing
	for _, l := range p.lines {
		if l.y < at {
			text.WriteString(l.text)
			text.WriteByte('\n')
		} else {
			rest = append(rest, writing{l.y - at, l.text})
		}
	}
	p.lines = rest
	return Ticket{Image: img, Text: text.String()}, true
}
