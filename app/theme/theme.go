// Package theme holds the borne's colours, fonts, icons and sizes. Sizes are
// millimetres on the glass, so that every panel shows the same measure.
package theme

import (
	"image/color"

	"parvis/app/page"
)

// Screen is a panel: its pixels, and what they measure on the glass.
type Screen struct {
	Width, Height float32 // pixels
	WidthMM       float32 // width of the picture, in millimetres
	FloorMM       float32 // height of the picture's lower edge above the floor; 0 if unknown
}

// MMPerPixel is the size of a pixel on the glass.
func (s Screen) MMPerPixel() float32 { return s.WidthMM / s.Width }

// Landscape reports whether the panel is wider than high.
func (s Screen) Landscape() bool { return s.Width > s.Height }

// referenceMM is the size of a pixel on the panel the design was drawn for:
// 1080×1920 on 32 inches, seen from 600 mm.
const referenceMM = 0.369

// Steps are the factors of the three text sizes.
var Steps = []float32{1, 1.25, 1.5}

// Palette is a set of colours. Every pair that carries text has a contrast of
// 7:1 at least, every edge of a control 3:1 (EN 301 549, 11.1.4.3 and .11).
type Palette struct {
	Paper, Card, Ink, Muted, Line, Edge color.NRGBA
	Header, OnHeader, OnHeaderMuted     color.NRGBA
	Focus, FocusEdge                    color.NRGBA
	Good, GoodTint, Warn, WarnTint      color.NRGBA
	Off                                 color.NRGBA // disabled text and edges
	Dark, OnDark                        color.NRGBA // the time-out warning
	Call, OnCall                        color.NRGBA // the one yellow button
	accents                             map[page.Accent]Shade
}

// Shade is an accent: a strong ground with text on it, a tint with an icon on it.
type Shade struct{ Strong, On, Tint, Icon, Edge color.NRGBA }

// Accent returns the shade of an accent; that of the page where it has none.
func (p *Palette) Accent(a page.Accent) Shade {
	if s, ok := p.accents[a]; ok {
		return s
	}
	return p.accents[page.Plain]
}

// Accents lists every accent of the palette.
func (p *Palette) Accents() map[page.Accent]Shade { return p.accents }

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

var white, ink = rgb(0xFFFFFF), rgb(0x14233A)

func shade(strong, tint uint32) Shade {
	return Shade{Strong: rgb(strong), On: white, Tint: rgb(tint), Icon: rgb(strong), Edge: rgb(strong)}
}

// Plain is the palette of design/tokens.json.
var Plain = &Palette{
	Paper: rgb(0xFBF7F0), Card: white, Ink: ink, Muted: rgb(0x4A586B), Line: rgb(0xD9D2C5), Edge: ink,
	Header: ink, OnHeader: white, OnHeaderMuted: rgb(0xC9D2DE),
	Focus: rgb(0xFFC94A), FocusEdge: ink,
	Good: rgb(0x1F4A20), GoodTint: rgb(0xE3EFE0), Warn: rgb(0x7C2709), WarnTint: rgb(0xFBE6DD),
	Off:  rgb(0x8A93A0),
	Dark: rgb(0x263348), OnDark: white, Call: rgb(0xFFC94A), OnCall: ink,
	accents: map[page.Accent]Shade{
		page.Plain:    shade(0x14233A, 0xE4E8EE),
		page.Demarche: shade(0x0B5563, 0xDCEEF0),
		page.Place:    shade(0x5B2A6E, 0xEFE3F3),
		page.Callback: shade(0x98340F, 0xFBE6DD),
		page.Level:    shade(0x2C5F2D, 0xE3EFE0),
		page.Card:     shade(0x1D4E89, 0xE0EAF5),
	},
}

// Contrast is white and yellow on black.
var Contrast = highContrast()

func highContrast() *Palette {
	black, yellow := rgb(0x000000), rgb(0xFFC94A)
	s := Shade{Strong: black, On: white, Tint: black, Icon: yellow, Edge: white}
	p := &Palette{
		Paper: black, Card: black, Ink: white, Muted: white, Line: white, Edge: white,
		Header: black, OnHeader: white, OnHeaderMuted: white,
		Focus: yellow, FocusEdge: black,
		Good: white, GoodTint: black, Warn: yellow, WarnTint: black,
		Off:  rgb(0x9A9A9A),
		Dark: black, OnDark: white, Call: yellow, OnCall: black,
		accents: map[page.Accent]Shade{},
	}
	for a := range Plain.accents {
		p.accents[a] = s
	}
	return p
}

// Theme is a palette with sizes for a panel and a text step. Sizes are pixels.
type Theme struct {
	*Palette
	Screen   Screen
	Contrast bool
	unit     float32 // pixels for a pixel of the design
	text     float32 // factor of the text step
}

// New makes the theme for a panel. step is an index of Steps.
func New(s Screen, step int, contrast bool) *Theme {
	t := &Theme{Palette: Plain, Screen: s, Contrast: contrast, unit: referenceMM / s.MMPerPixel(), text: Steps[step]}
	if contrast {
		t.Palette = Contrast
	}
	return t
}

// leastText is how far the text may shrink on a page that is too full for its
// room. No role goes under the least height on the glass by it.
const leastText = 0.8

// Shrink makes the text smaller by a factor.
func (t *Theme) Shrink(by float32) *Theme {
	t.text = max(leastText, t.text*by)
	return t
}

// Shrinkable reports whether the text can be smaller still.
func (t *Theme) Shrinkable() bool { return t.text > leastText }

// Px turns a length of the design (1080×1920 on 32 inches) into pixels of the panel.
func (t *Theme) Px(design float32) float32 { return design * t.unit }

// MM turns millimetres on the glass into pixels.
func (t *Theme) MM(mm float32) float32 { return mm / t.Screen.MMPerPixel() }

// Role is what a text is for; it has a size.
type Role float32

// The roles and their sizes in the design, from tokens.json.
const (
	Title     Role = 76
	Lead      Role = 42
	RowTitle  Role = 44
	Body      Role = 38
	RowDetail Role = 34
	Button    Role = 46
	NavLabel  Role = 30
	KeyLabel  Role = 56
	CodeSign  Role = 104
	Huge      Role = 120
)

// Size is the size of a role at the current text step.
// Titles and buttons, large to begin with, grow half as much as the rest.
func (t *Theme) Size(r Role) float32 {
	grow := t.text
	if r >= Button {
		grow = 1 + (t.text-1)/2
	}
	return max(float32(r)*grow, float32(NavLabel)) * t.unit
}

// Fixed is the size of a role that does not grow, because its place cannot:
// the navigation and the keys. It still meets the least height on the glass.
func (t *Theme) Fixed(r Role) float32 { return float32(r) * t.unit }
