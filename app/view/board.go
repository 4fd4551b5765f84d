package view

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"github.com/fyne-io/oksvg"
	"github.com/skip2/go-qrcode"
	"github.com/srwiley/rasterx"

	"parvis/app/page"
	"parvis/app/theme"
	"parvis/device/typeset"
)

// box is a rectangle in pixels.
type box struct{ x, y, w, h float32 }

func (b box) inset(d float32) box { return box{b.x + d, b.y + d, b.w - 2*d, b.h - 2*d} }

func (b box) contains(x, y float32) bool {
	return x >= b.x && y >= b.y && x < b.x+b.w && y < b.y+b.h
}

// target is a place on the glass that answers to touch.
type target struct {
	box
	choice page.Choice
	key    bool
	ground *canvas.Rectangle // changes when pressed
	rest   color.Color
	press  color.Color
}

// ring frames the part that is read or has the focus. Its place is that on the
// glass.
type ring struct {
	box
	radius float32
}

// board is where a frame is drawn: canvas objects at absolute places, mirrored
// for languages written from right to left.
type board struct {
	*theme.Theme
	ink     *inkwell
	rtl     bool
	dim     bool // the house is closed
	low     bool // everything that is touched within reach from a wheelchair
	width   float32
	objects []fyne.CanvasObject
	targets []target
	rings   []ring
}

// pressed is the colour of a ground under a finger.
func (b *board) pressed(c color.NRGBA) color.NRGBA {
	toward := b.Ink
	mix := func(x, y uint8) uint8 { return uint8((int(x)*3 + int(y)) / 4) }
	if c == toward {
		toward = b.Paper
	}
	return color.NRGBA{R: mix(c.R, toward.R), G: mix(c.G, toward.G), B: mix(c.B, toward.B), A: 255}
}

// place puts an object; x counts from the side where reading starts.
func (b *board) place(o fyne.CanvasObject, at box) {
	if b.rtl {
		at.x = b.width - at.x - at.w
	}
	o.Move(fyne.NewPos(at.x, at.y))
	o.Resize(fyne.NewSize(at.w, at.h))
	b.objects = append(b.objects, o)
}

func (b *board) rect(at box, fill, edge color.Color, stroke, radius float32) *canvas.Rectangle {
	r := canvas.NewRectangle(fill)
	r.StrokeColor, r.StrokeWidth, r.CornerRadius = edge, stroke, radius
	b.place(r, at)
	return r
}

// asTyped draws keys, and what was typed with them, in their own order: they bear
// Latin letters and digits, which no language mirrors.
func (b *board) asTyped(at box, draw func(at box)) {
	if b.rtl {
		at.x = b.width - at.x - at.w
		b.rtl = false
		defer func() { b.rtl = true }()
	}
	draw(at)
}

// touch makes a place answer to touch.
func (b *board) touch(at box, c page.Choice, ground *canvas.Rectangle, press color.Color) {
	if b.rtl {
		at.x = b.width - at.x - at.w
	}
	t := target{box: at, choice: c, ground: ground, press: press}
	if ground != nil {
		t.rest = ground.FillColor
	}
	b.targets = append(b.targets, t)
}

// style makes a text style in the direction of the page; a text of other letters
// keeps its own.
func (b *board) style(size float32, w typeset.Weight, c color.NRGBA) typeset.Style {
	return typeset.Style{Size: size, Weight: w, Colour: c, RTL: b.rtl}
}

// measure returns the size of a text within a width.
func (b *board) measure(text string, s typeset.Style, width float32) (w, h float32) {
	p := b.ink.paragraph(text, s, width)
	return p.Width, p.Height
}

// text draws a text at the top of a box and returns its height.
func (b *board) text(text string, s typeset.Style, at box) float32 {
	if text == "" {
		return 0
	}
	p := b.ink.paragraph(text, s, at.w)
	x := at.x
	switch s.Align {
	case typeset.Centre:
		x += (at.w - p.Width) / 2
	case typeset.End:
		x += at.w - p.Width
	}
	b.place(b.ink.text(text, s, at.w), boxOf(p, x, at.y))
	return p.Height
}

// fit draws a text on one line, smaller where it must be, centred in height.
func (b *board) fit(text string, s typeset.Style, at box) {
	for range 12 {
		p := b.ink.paragraph(text, s, 1e5)
		if p.Width <= at.w {
			break
		}
		s.Size *= 0.93
	}
	p := b.ink.paragraph(text, s, 1e5)
	x := at.x
	switch s.Align {
	case typeset.Centre:
		x += (at.w - p.Width) / 2
	case typeset.End:
		x += at.w - p.Width
	}
	b.place(b.ink.text(text, s, 1e5), boxOf(p, x, at.y+(at.h-p.Height)/2))
}

// mirrored names the icons that point along the direction of reading.
var mirrored = map[string]string{
	"arrow-left": "arrow-right", "arrow-right": "arrow-left",
	"chevron-left": "chevron-right", "chevron-right": "chevron-left",
}

func (b *board) icon(name string, c color.NRGBA, at box) {
	if b.rtl && mirrored[name] != "" {
		name = mirrored[name]
	}
	side := float32(int(min(at.w, at.h)))
	o := b.ink.icon(name, c, int(side))
	if o == nil {
		return
	}
	b.place(o, box{float32(int(at.x + (at.w-side)/2)), float32(int(at.y + (at.h-side)/2)), side, side})
}

func (b *board) qr(data string, at box) {
	side := min(at.w, at.h)
	b.rect(box{at.x + (at.w-side)/2, at.y, side, side}, color.White, b.Line, 3, b.Px(20))
	o := b.ink.qr(data, int(side-2*b.Px(40)))
	if o == nil {
		return // too long to be a code: the caption still says the address
	}
	w := float32(o.Image.Bounds().Dx())
	b.place(o, box{float32(int(at.x + (at.w-w)/2)), float32(int(at.y + (side-w)/2)), w, w})
}

// boxOf is where a paragraph's image stands, on whole pixels, when its text
// begins at x, y.
func boxOf(p typeset.Paragraph, x, y float32) box {
	return box{float32(int(x)), float32(int(y - p.Pad)), float32(int(p.Width) + 2), float32(int(p.Height+2*p.Pad) + 1)}
}

// inkwell keeps shaped and drawn texts and icons, so that a page that comes
// again costs nothing. Its canvas objects keep their textures from frame to
// frame; one object stands in a frame only once.
type inkwell struct {
	setter     typeset.Typesetter
	paragraphs map[textKey]typeset.Paragraph
	images     map[any]*drawn
	frame      int
}

type textKey struct {
	text  string
	style typeset.Style
	width int
}

type iconKey struct {
	name   string
	colour color.NRGBA
	side   int
}

type qrKey struct {
	data string
	side int
}

// drawn is a picture and the objects that show it, the first n of them in
// the current frame.
type drawn struct {
	image   image.Image
	objects []*canvas.Image
	frame   int
	used    int
}

// free lets go of the picture. Fyne remembers an object and its texture for a
// minute after it was last shown.
func (d *drawn) free() {
	for _, o := range d.objects {
		canvas.Refresh(o)
		o.Image = nil
	}
}

func newInkwell() *inkwell {
	return &inkwell{paragraphs: map[textKey]typeset.Paragraph{}, images: map[any]*drawn{}}
}

// framesKept is how long a picture that is no longer drawn stays.
const framesKept = 4

// next begins a frame and lets go of what has not been used for long.
func (k *inkwell) next() {
	k.frame++
	if k.frame%framesKept != 0 {
		return
	}
	clear(k.paragraphs)
	for key, d := range k.images {
		if d.frame < k.frame-framesKept {
			d.free()
			delete(k.images, key)
		}
	}
}

// again begins the same frame anew.
func (k *inkwell) again() {
	for _, d := range k.images {
		d.used = 0
	}
}

// empty forgets everything: what a resident typed was drawn with it.
func (k *inkwell) empty() {
	for _, d := range k.images {
		if img, ok := d.image.(*image.RGBA); ok {
			clear(img.Pix)
		}
		d.free()
	}
	clear(k.paragraphs)
	clear(k.images)
}

func (k *inkwell) paragraph(text string, s typeset.Style, width float32) typeset.Paragraph {
	key := textKey{text, s, int(width)}
	p, ok := k.paragraphs[key]
	if !ok {
		text, rtl := typeset.Directed(text, s.RTL)
		if rtl != s.RTL { // it still stands where lines of this page begin
			s.RTL = rtl
			switch s.Align {
			case typeset.Start:
				s.Align = typeset.End
			case typeset.End:
				s.Align = typeset.Start
			}
		}
		p = k.setter.Set(text, s, width)
		k.paragraphs[key] = p
	}
	return p
}

func (k *inkwell) text(text string, s typeset.Style, width float32) fyne.CanvasObject {
	key := textKey{text, s, int(width)}
	return k.object(key, func() image.Image { return k.setter.Draw(k.paragraph(text, s, width)) })
}

func (k *inkwell) object(key any, draw func() image.Image) *canvas.Image {
	d := k.images[key]
	if d == nil {
		d = &drawn{image: draw()}
		k.images[key] = d
	}
	if d.frame != k.frame {
		d.frame, d.used = k.frame, 0
	}
	if d.used == len(d.objects) {
		o := canvas.NewImageFromImage(d.image)
		o.ScaleMode = canvas.ImageScalePixels
		d.objects = append(d.objects, o)
	}
	d.used++
	return d.objects[d.used-1]
}

// qr draws a code of at most side pixels; nil when the data is too long for one.
func (k *inkwell) qr(data string, side int) *canvas.Image {
	code, err := qrcode.New(data, qrcode.Medium)
	if err != nil {
		return nil
	}
	code.DisableBorder = true
	modules := len(code.Bitmap())
	return k.object(qrKey{data, side}, func() image.Image { return code.Image(modules * (side / modules)) })
}

func (k *inkwell) icon(name string, c color.NRGBA, side int) fyne.CanvasObject {
	svg, ok := theme.Icon(name)
	if !ok || side <= 0 {
		return nil
	}
	return k.object(iconKey{name, c, side}, func() image.Image {
		img := image.NewRGBA(image.Rect(0, 0, side, side))
		icon, err := oksvg.ReadReplacingCurrentColor(bytes.NewReader(svg), fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
		if err != nil {
			return img // a test draws every icon
		}
		icon.SetTarget(0, 0, float64(side), float64(side))
		for i := range icon.SVGPaths {
			icon.SVGPaths[i].LineWidth *= float64(side) / icon.ViewBox.W // strokes do not follow the target by themselves
		}
		icon.Draw(rasterx.NewDasher(side, side, rasterx.NewScannerGV(side, side, img, img.Bounds())), 1)
		return img
	})
}
