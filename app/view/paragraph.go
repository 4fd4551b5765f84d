package view

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

	"parvis/app/theme"
)

// style is how a paragraph is set.
type style struct {
	size   float32 // pixels
	weight theme.Weight
	colour color.NRGBA
	align  align
	rtl    bool // direction of the paragraph; runs keep their own
}

type align int

const (
	start align = iota // left, or right in a right-to-left paragraph
	centre
	end
)

// lineHeight is the distance of two baselines, as a factor of the size.
const lineHeight = 1.18

// paragraph is a text set in lines of at most a given width.
type paragraph struct {
	lines  []shaping.Line // runs from left to right
	widths []float32
	style  style
	width  float32 // widest line
	height float32
	pad    float32 // room above and below for signs that reach beyond the line
}

// typesetter shapes and wraps text. It belongs to one goroutine.
type typesetter struct {
	segmenter shaping.Segmenter
	shaper    shaping.HarfbuzzShaper
	wrapper   shaping.LineWrapper
	families  map[theme.Weight]*theme.Family
	pen       vector.Rasterizer
}

func (t *typesetter) family(w theme.Weight) *theme.Family {
	if t.families[w] == nil {
		if t.families == nil {
			t.families = map[theme.Weight]*theme.Family{}
		}
		t.families[w] = theme.FamilyOf(w)
	}
	return t.families[w]
}

// set breaks text into lines no wider than width.
func (t *typesetter) set(text string, s style, width float32) paragraph {
	runes := []rune(strings.Map(oneLine, text))
	p := paragraph{style: s}
	if len(runes) == 0 {
		return p
	}
	direction, script := di.DirectionLTR, language.Latin
	if s.rtl {
		direction, script = di.DirectionRTL, language.Arabic
	}
	family := t.family(s.weight)
	input := shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction, Script: script,
		Size: fixed.Int26_6(s.size * 64), Face: family.Main(),
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
				p.pad = float32(int(s.size * 0.35)) // Arabic has marks far above and below
			}
		}
		lw := float32(w) / 64
		p.lines, p.widths = append(p.lines, runs), append(p.widths, lw)
		p.width = max(p.width, lw)
	}
	p.height = float32(len(p.lines)) * s.size * lineHeight
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

// box is where the paragraph's image stands, on whole pixels, when its text
// begins at x, y.
func (p paragraph) box(x, y float32) box {
	return box{float32(int(x)), float32(int(y - p.pad)), float32(int(p.width) + 2), float32(int(p.height+2*p.pad) + 1)}
}

// draw paints a paragraph into an image of its own, as wide as its widest
// line; lines are aligned within that width.
func (t *typesetter) draw(p paragraph) *image.RGBA {
	w, h := int(p.width)+2, int(p.height+2*p.pad)+1
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	ink := image.NewUniform(p.style.colour)
	step := p.style.size * lineHeight
	band := int(step*1.3 + 2*p.pad)
	for i, line := range p.lines {
		x := float32(0)
		free := p.width - p.widths[i]
		switch {
		case p.style.align == centre:
			x = free / 2
		case p.style.align == end != p.style.rtl:
			x = free
		}
		top := int(float32(i) * step)
		high := min(band, h-top) // the pen draws nowhere but within the image
		t.pen.Reset(w, high)
		for _, run := range line {
			x = t.outline(run, float32(int(x)), float32(int(p.style.size*0.93+p.pad)))
		}
		t.pen.Draw(img, image.Rect(0, top, w, top+high), ink, image.Point{})
	}
	return img
}

// outline adds the shapes of a run's signs to the pen and returns where the
// run ends. One pen serves all lines: the borne's fonts hold nothing but
// outlines, and a new buffer for each would be most of a page's garbage.
func (t *typesetter) outline(run shaping.Output, x, baseline float32) float32 {
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
