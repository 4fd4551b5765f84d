package theme_test

import (
	"image/color"
	"math"
	"testing"

	"parvis/app/theme"
	"parvis/device/typeset"
)

// luminance is WCAG's relative luminance.
func luminance(c color.NRGBA) float64 {
	part := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// EN 301 549, 11.1.4.3: 4.5:1 for text; we hold 7:1. 11.1.4.11: 3:1 for what
// tells a control from its ground.
func TestContrast(t *testing.T) {
	for name, p := range map[string]*theme.Palette{"plain": theme.Plain, "contrast": theme.Contrast} {
		type pair struct {
			what     string
			on, over color.NRGBA
			least    float64
		}
		pairs := []pair{
			{"ink on paper", p.Ink, p.Paper, 7}, {"ink on card", p.Ink, p.Card, 7},
			{"muted on paper", p.Muted, p.Paper, 6.5}, {"muted on card", p.Muted, p.Card, 7},
			{"header", p.OnHeader, p.Header, 7}, {"header note", p.OnHeaderMuted, p.Header, 7},
			{"good", p.Good, p.GoodTint, 7}, {"warning", p.Warn, p.WarnTint, 7},
			{"time-out", p.OnDark, p.Dark, 7}, {"yellow button", p.OnCall, p.Call, 7},
			{"seconds left", p.Focus, p.Dark, 7},
			{"edge on paper", p.Edge, p.Paper, 3}, {"edge on card", p.Edge, p.Card, 3},
			{"focus beside its edge", p.Focus, p.FocusEdge, 3},
			{"disabled text", p.Off, p.Paper, 2.5}, // disabled controls have no minimum; they stay readable
		}
		for a, s := range p.Accents() {
			pairs = append(pairs,
				pair{string(a) + " strong", s.On, s.Strong, 7},
				pair{string(a) + " icon on tint", s.Icon, s.Tint, 4.5},
				pair{string(a) + " ink on tint", p.Ink, s.Tint, 7},
				pair{string(a) + " edge on paper", s.Edge, p.Paper, 3},
			)
		}
		for _, x := range pairs {
			if got := contrast(x.on, x.over); got < x.least {
				t.Errorf("%s, %s: %.2f:1, want %.1f:1", name, x.what, got, x.least)
			}
		}
	}
}

// EN 301 549, 5.1.4: a capital H stands at least 7.3 mm high, seen from 600 mm,
// whatever the panel.
func TestCapitalHeight(t *testing.T) {
	roles := map[string]theme.Role{
		"title": theme.Title, "lead": theme.Lead, "row title": theme.RowTitle, "body": theme.Body, "row detail": theme.RowDetail,
		"button": theme.Button, "navigation": theme.NavLabel, "key": theme.KeyLabel, "code": theme.CodeSign,
	}
	for name, s := range map[string]theme.Screen{
		"32 inches portrait": {Width: 1080, Height: 1920, WidthMM: 398},
		"43 inches portrait": {Width: 2160, Height: 3840, WidthMM: 535},
		"32 inches wide":     {Width: 1920, Height: 1080, WidthMM: 708},
	} {
		th := theme.New(s, 0, false)
		capital := capitalHeight(t)
		for role, r := range roles {
			for _, size := range []float32{th.Size(r), th.Fixed(r)} {
				if mm := size * capital * s.MMPerPixel(); mm < 7.3 {
					t.Errorf("%s, %s: a capital is %.2f mm high", name, role, mm)
				}
			}
		}
	}
}

// capitalHeight is the height of the main font's capital H, as a part of its size.
func capitalHeight(t *testing.T) float32 {
	face := typeset.FamilyOf(typeset.Regular).Main()
	glyph, ok := face.NominalGlyph('H')
	if !ok {
		t.Fatal("the font has no H")
	}
	box, ok := face.GlyphExtents(glyph)
	if !ok {
		t.Fatal("no extents for H")
	}
	return box.YBearing / float32(face.Upem())
}

func TestStepsGrow(t *testing.T) {
	s := theme.Screen{Width: 1080, Height: 1920, WidthMM: 398}
	before := float32(0)
	for step := range theme.Steps {
		size := theme.New(s, step, false).Size(theme.Body)
		if size <= before {
			t.Errorf("step %d: %v is no larger than %v", step, size, before)
		}
		before = size
	}
	if got := theme.New(s, 2, false).Size(theme.Body) / theme.New(s, 0, false).Size(theme.Body); got < 1.49 {
		t.Errorf("the largest text is %.2f times the smallest, want 1.5", got)
	}
}

// The same measure on the glass whatever the pixels.
func TestMillimetres(t *testing.T) {
	for _, s := range []theme.Screen{{Width: 1080, Height: 1920, WidthMM: 398}, {Width: 2160, Height: 3840, WidthMM: 398}} {
		th := theme.New(s, 0, false)
		if mm := th.MM(20) * s.MMPerPixel(); math.Abs(float64(mm)-20) > 0.01 {
			t.Errorf("20 mm come out as %.2f mm", mm)
		}
	}
}
