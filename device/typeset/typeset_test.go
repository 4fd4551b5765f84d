package typeset_test

import (
	"image/color"
	"testing"

	"parvis/device/typeset"
)

// Whatever a place's summary or a fiche holds can be set and drawn.
func FuzzParagraph(f *testing.F) {
	for _, s := range []string{
		"", "Bonjour.", "deux\nlignes", "\r\n", "\u0085", "a\u2029b", "tab\tici", "مرحبا Pass numérique 42", "é́́", "\x00\xff", "\u202e\u202d", "🙂", "Україна",
	} {
		f.Add(s, float32(400), false)
		f.Add(s, float32(30), true)
	}
	var t typeset.Typesetter
	f.Fuzz(func(test *testing.T, text string, width float32, rtl bool) {
		if len(text) > 500 || !(width > 1 && width < 2000) {
			return
		}
		p := t.Set(text, typeset.Style{Size: 40, Colour: color.NRGBA{A: 255}, RTL: rtl}, width)
		img := t.Draw(p)
		if b := img.Bounds(); b.Dx() < int(p.Width) || b.Dy() < int(p.Height) {
			test.Errorf("%q: the picture of %v is smaller than the text", text, b)
		}
	})
}
