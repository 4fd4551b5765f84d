package sim

import (
	"image"
	"strings"
)

const (
	dots      = 576 // across the printable width
	dotsPerMM = 8
	// headToCutter is how far paper travels from the print head to the
	// cutter: what is to be cut off must first be fed so far.
	headToCutter = 96
)

// Ticket is a piece of paper that was cut off.
type Ticket struct {
	Text string // what is on it, line by line

	height int
	marks  []mark
}

// Image draws the ticket, 576 dots wide, one pixel a dot.
func (t Ticket) Image() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, dots, t.height))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	face := newTypeface()
	for _, m := range t.marks {
		m.draw(img, face, m.y)
	}
	return img
}

// mark is something printed, from y down.
type mark struct {
	y, height int
	text      string // its line in the transcript
	draw      func(img *image.Gray, face *typeface, y int)
}

// paper is the strip between the last cut and the print head.
type paper struct {
	y     int // of the head, in dots from the last cut
	marks []mark
}

// cut takes off all that has passed the cutter.
func (p *paper) cut() (Ticket, bool) {
	at := p.y - headToCutter
	if at <= 0 {
		return Ticket{}, false
	}
	t := Ticket{height: at}
	var text strings.Builder
	var rest []mark
	for _, m := range p.marks {
		if m.y < at {
			t.marks = append(t.marks, m)
			text.WriteString(strings.TrimRight(m.text, " "))
			text.WriteByte('\n')
		}
		if m.y+m.height > at || m.y >= at {
			below := m
			below.y -= at
			rest = append(rest, below)
		}
	}
	t.Text = text.String()
	p.y, p.marks = headToCutter, rest
	return t, true
}

// black fills a rectangle, as far as it lies on the paper.
func black(img *image.Gray, r image.Rectangle) {
	r = r.Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		clear(img.Pix[img.PixOffset(r.Min.X, y):img.PixOffset(r.Max.X, y)])
	}
}
