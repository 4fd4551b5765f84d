// Package typeset sets text of any script in lines and draws it, for the glass
// and for paper. It carries the fonts, so that no text depends on those of the
// system.
package typeset

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Style is how a paragraph is set.
type Style struct {
	Size   float32 // pixels
	Weight Weight
	Colour color.NRGBA
	Align  Align
	RTL    bool // direction of the paragraph; runs keep their own
}

// Align is where lines shorter than the widest stand.
type Align int

// The ways to align lines.
const (
	Start Align = iota // left, or right in a right-to-left paragraph
	Centre
	End
)

// LineHeight is the distance of two baselines, as a factor of the size.
const LineHeight = 1.18

// Paragraph is a text set in lines of at most a given width.
type Paragraph struct {
	Lines  []shaping.Line // runs from left to right
	Widths []float32      // of the lines, in pixels
	Style  Style
	Width  float32 // widest line
	Height float32
	Pad    float32 // room above and below for signs that reach beyond the line
}

// Typesetter shapes, wraps and draws text. Its zero value is ready; it belongs
// to one goroutine.
type Typesetter struct {
	segmenter shaping.Segmenter
	shaper    shaping.HarfbuzzShaper
	wrapper   shaping.LineWrapper
	families  map[Weight]*Family
	pen       vector.Rasterizer
}

func (t *Typesetter) family(w Weight) *Family {
	if t.families[w] == nil {
		if t.families == nil {
			t.families = map[Weight]*Family{}
		}
		t.families[w] = FamilyOf(w)
	}
	return t.families[w]
}

// Set breaks text into lines no wider than width.
func (t *Typesetter) Set(text string, s Style, width float32) Paragraph {
	runes := []rune(strings.Map(oneLine, text))
	p := Paragraph{Style: s}
	if len(runes) == 0 {
		return p
	}
	direction, script := di.DirectionLTR, language.Latin
	if s.RTL {
		direction, script = di.DirectionRTL, language.Arabic
	}
	family := t.family(s.Weight)
	input := shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction, Script: script,
		Size: fixed.Int26_6(s.Size * 64), Face: family.Main(),
	}
	var shaped []shaping.Output
	for _, run := range t.segmenter.Split(input, family) {
		shaped = append(shaped, t.shaper.Shape(run))
	}
	lines, _ := t.wrapper.WrapParagraph(shaping.WrapConfig{Direction: direction}, int(width), runes, shaping.NewSliceIterator(shaped))
	for _, line := range lines {
		// The wrapper gives runs in the order they are read.
		runs := slices.Clone(line)
		slices.SortFunc(runs, func(a, b shaping.Output) int { return int(a.VisualIndex - b.VisualIndex) })
		var w fixed.Int26_6
		for _, run := range runs {
			w += run.Advance
			if run.Face != family.Main() {
				p.Pad = float32(int(s.Size * 0.35)) // Arabic has marks far above and below
			}
		}
		lw := float32(w) / 64
		p.Lines, p.Widths = append(p.Lines, runs), append(p.Widths, lw)
		p.Width = max(p.Width, lw)
	}
	p.Height = float32(len(p.Lines)) * s.Size * LineHeight
	return p
}

// oneLine makes a space of what would break a line by itself: the wrapper
// takes one paragraph at a time.
func oneLine(r rune) rune {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return ' '
	}
	return r
}

// Draw paints a paragraph into an image of its own, as wide as its widest
// line; lines are aligned within that width.
func (t *Typesetter) Draw(p Paragraph) *image.RGBA {
	w, h := int(p.Width)+2, int(p.Height+2*p.Pad)+1
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	ink := image.NewUniform(p.Style.Colour)
	step := p.Style.Size * LineHeight
	band := int(step*1.3 + 2*p.Pad)
	for i, line := range p.Lines {
		x := float32(0)
		free := p.Width - p.Widths[i]
		switch {
		case p.Style.Align == Centre:
			x = free / 2
		case p.Style.Align == End != p.Style.RTL:
			x = free
		}
		top := int(float32(i) * step)
		high := min(band, h-top) // the pen draws nowhere but within the image
		t.pen.Reset(w, high)
		for _, run := range line {
			x = t.outline(run, float32(int(x)), float32(int(p.Style.Size*0.93+p.Pad)))
		}
		t.pen.Draw(img, image.Rect(0, top, w, top+high), ink, image.Point{})
	}
	return img
}

// outline adds the shapes of a run's signs to the pen and returns where the
// run ends. One pen serves all lines: the borne's fonts hold nothing but
// outlines, and a new buffer for each would be most of a page's garbage.
func (t *Typesetter) outline(run shaping.Output, x, baseline float32) float32 {
	scale := float32(run.Size) / 64 / float32(run.Face.Upem())
	for _, g := range run.Glyphs {
		shape, ok := run.Face.GlyphData(g.GlyphID).(font.GlyphOutline)
		if ok {
			dx, dy := x+float32(g.XOffset)/64, baseline-float32(g.YOffset)/64
			at := func(p ot.SegmentPoint) (float32, float32) { return p.X*scale + dx, dy - p.Y*scale }
			for _, s := range shape.Segments {
				x1, y1 := at(s.Args[0])
				switch s.Op {
				case ot.SegmentOpMoveTo:
					t.pen.ClosePath()
					t.pen.MoveTo(x1, y1)
				case ot.SegmentOpLineTo:
					t.pen.LineTo(x1, y1)
				case ot.SegmentOpQuadTo:
					x2, y2 := at(s.Args[1])
					t.pen.QuadTo(x1, y1, x2, y2)
				case ot.SegmentOpCubeTo:
					x2, y2 := at(s.Args[1])
					x3, y3 := at(s.Args[2])
					t.pen.CubeTo(x1, y1, x2, y2, x3, y3)
				}
			}
			t.pen.ClosePath()
		}
		x += float32(g.Advance) / 64
	}
	return x
}
