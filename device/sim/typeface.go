package sim

import (
	"image"

	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// typeface draws letters into the cells of a printer's font.
type typeface struct {
	regular, bold *sfnt.Font
	buf           sfnt.Buffer
}

func newTypeface() *typeface {
	return &typeface{regular: mustParse(gomono.TTF), bold: mustParse(gomonobold.TTF)}
}

// mustParse reads a font that is part of the program.
func mustParse(ttf []byte) *sfnt.Font {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		panic(err)
	}
	return f
}

// draw puts r into the cell. The outlines are stretched to it, as a printer
// stretches its dots.
func (f *typeface) draw(img *image.Gray, r rune, bold bool, cell image.Rectangle) {
	const (
		em       = 1200 // units; a letter of Go Mono is 0.6 em wide
		wide     = 0.6 * em
		high     = 1.2 * em
		baseline = 0.95 * em
	)
	font := f.regular
	if bold {
		font = f.bold
	}
	glyph, err := font.GlyphIndex(&f.buf, r)
	if err != nil {
		return
	}
	segments, err := font.LoadGlyph(&f.buf, glyph, fixed.I(em), nil)
	if err != nil {
		return
	}
	at := func(p fixed.Point26_6) (x, y float32) {
		x = float32(p.X) / 64 * float32(cell.Dx()) / wide
		y = (float32(p.Y)/64 + baseline) * float32(cell.Dy()) / high
		return x, y
	}
	z := vector.NewRasterizer(cell.Dx(), cell.Dy())
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	z.ClosePath()
	z.Draw(img, cell, image.Black, image.Point{})
}
