package a4

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/text/language"

	"parvis/device/printer"
	"parvis/device/typeset"
)

// pen draws on the pages of one PDF. Its y goes down from the upper edge.
type pen struct {
	pdf    *fpdf.Fpdf
	fonts  map[typeset.Weight]bool // in the PDF
	shapes map[glyph]string
}

type glyph struct {
	face *font.Face
	id   font.GID
}

func newPen(doc printer.Document) *pen {
	pdf := fpdf.New("P", "pt", "A4", "")
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetCatalogSort(true)
	// The bytes say nothing of when they were made.
	pdf.SetCreationDate(time.Unix(0, 0).UTC())
	pdf.SetModificationDate(time.Unix(0, 0).UTC())
	pdf.SetProducer("Parvis", true)
	if tag, err := language.Parse(doc.Lang); err == nil {
		pdf.SetLang(tag.String())
	}
	return &pen{pdf: pdf, fonts: map[typeset.Weight]bool{}, shapes: map[glyph]string{}}
}

func (p *pen) bytes() ([]byte, error) {
	var b bytes.Buffer
	if err := p.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("a4: %w", err)
	}
	return b.Bytes(), nil
}

// line draws the runs of one line from x on.
func (p *pen) line(l line, x, baseline float64) {
	for _, r := range l.runs {
		if r.Face == l.main && r.Direction == di.DirectionLTR {
			p.text(r, l, x, baseline)
		} else {
			p.outlines(r, r.Glyphs, x, baseline)
		}
		x += float64(r.Advance) / 64
	}
}

// text draws a run of the main face as text, in as few pieces as its spacing
// allows: the PDF knows the width of each letter, but not that "AV" stand
// closer.
func (p *pen) text(r shaping.Output, l line, x, baseline float64) {
	var piece strings.Builder
	start, at := x, x
	flush := func() {
		if piece.Len() > 0 {
			p.font(l.style.weight, l.style.size)
			p.pdf.Text(start, baseline, piece.String())
		}
		piece.Reset()
	}
	for i, g := range r.Glyphs {
		letter := l.text[g.TextIndex()]
		nominal, _ := r.Face.NominalGlyph(letter)
		plain := g.RunesCount() == 1 && g.GlyphsCount() == 1 && nominal == g.GlyphID && letter <= 0xFFFF && g.XOffset == 0 && g.YOffset == 0
		if plain {
			if piece.Len() == 0 {
				start = at
			}
			piece.WriteRune(letter)
		} else {
			flush()
			p.outlines(r, r.Glyphs[i:i+1], at, baseline)
		}
		at += float64(g.Advance) / 64
		natural := float64(r.Face.HorizontalAdvance(g.GlyphID)) * l.style.size / float64(r.Face.Upem())
		if d := float64(g.Advance)/64 - natural; d > 0.05 || d < -0.05 {
			flush()
		}
	}
	flush()
}

func (p *pen) font(w typeset.Weight, size float64) {
	name := fmt.Sprintf("main%d", w)
	if !p.fonts[w] {
		p.pdf.AddUTF8FontFromBytes(name, "", typeset.MainFile(w))
		p.fonts[w] = true
	}
	p.pdf.SetFont(name, "", size)
}

// outlines fills the shapes of signs. A shape is written in the font's own
// units and moved into place, so that the PDF's compression finds it again.
func (p *pen) outlines(r shaping.Output, glyphs []shaping.Glyph, x, baseline float64) {
	scale := float64(r.Size) / 64 / float64(r.Face.Upem())
	for _, g := range glyphs {
		if shape := p.shape(r.Face, g.GlyphID); shape != "" {
			dx, dy := x+float64(g.XOffset)/64, pageHeight-baseline+float64(g.YOffset)/64
			p.pdf.RawWriteStr(fmt.Sprintf("q %.5f 0 0 %.5f %.2f %.2f cm %sf Q", scale, scale, dx, dy, shape))
		}
		x += float64(g.Advance) / 64
	}
}

// shape is the path of a sign in PDF's words, empty for one without ink.
func (p *pen) shape(face *font.Face, id font.GID) string {
	key := glyph{face, id}
	shape, known := p.shapes[key]
	if known {
		return shape
	}
	if o, ok := face.GlyphData(id).(font.GlyphOutline); ok {
		shape = path(o)
	}
	p.shapes[key] = shape
	return shape
}

func path(o font.GlyphOutline) string {
	var b strings.Builder
	var at ot.SegmentPoint
	for _, s := range o.Segments {
		a := s.Args
		switch s.Op {
		case ot.SegmentOpMoveTo:
			fmt.Fprintf(&b, "%.0f %.0f m ", a[0].X, a[0].Y)
			at = a[0]
		case ot.SegmentOpLineTo:
			fmt.Fprintf(&b, "%.0f %.0f l ", a[0].X, a[0].Y)
			at = a[0]
		case ot.SegmentOpQuadTo: // PDF has none: raise it to a cubic
			fmt.Fprintf(&b, "%.0f %.0f %.0f %.0f %.0f %.0f c ",
				at.X+(a[0].X-at.X)*2/3, at.Y+(a[0].Y-at.Y)*2/3,
				a[1].X+(a[0].X-a[1].X)*2/3, a[1].Y+(a[0].Y-a[1].Y)*2/3, a[1].X, a[1].Y)
			at = a[1]
		case ot.SegmentOpCubeTo:
			fmt.Fprintf(&b, "%.0f %.0f %.0f %.0f %.0f %.0f c ", a[0].X, a[0].Y, a[1].X, a[1].Y, a[2].X, a[2].Y)
			at = a[2]
		}
	}
	return b.String()
}

// rule draws a line across the page.
func (p *pen) rule(y float64, dashed bool) {
	dash := "[] 0 d"
	if dashed {
		dash = "[3 3] 0 d"
	}
	p.pdf.RawWriteStr(fmt.Sprintf("q 0.8 w %s %.2f %.2f m %.2f %.2f l S Q", dash, margin, pageHeight-y, margin+width, pageHeight-y))
}

// box draws a square to tick, x and y being its upper left corner.
func (p *pen) box(x, y, side float64) {
	p.pdf.RawWriteStr(fmt.Sprintf("q 1.1 w 1 j %.2f %.2f %.2f %.2f re S Q", x, pageHeight-y-side, side, side))
}

// modules draws the dark modules of a QR code as one shape, without seams.
func (p *pen) modules(bitmap [][]bool, x, y, side float64) {
	m := side / float64(len(bitmap))
	var b strings.Builder
	for row, dark := range bitmap {
		for col := 0; col < len(dark); col++ {
			first := col
			for col < len(dark) && dark[col] {
				col++
			}
			if col > first {
				fmt.Fprintf(&b, "%d %d %d 1 re ", first, len(bitmap)-1-row, col-first)
			}
		}
	}
	p.pdf.RawWriteStr(fmt.Sprintf("q %.5f 0 0 %.5f %.2f %.2f cm %sf Q", m, m, x, pageHeight-y-side, b.String()))
}
