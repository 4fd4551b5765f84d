package view_test

import (
	"bytes"
	"image"
	"testing"

	"parvis/app/journey/journeytest"
	"parvis/app/session"
	"parvis/app/theme"
)

// A picture of the glass is what stands on it, on any page.
func TestPicture(t *testing.T) {
	b := journeytest.New(t)
	for name, screen := range map[string]theme.Screen{"portrait": portrait, "landscape": landscape} {
		t.Run(name, func(t *testing.T) {
			g := newGlass(t, b, screen)
			for i, scene := range b.Scenes(t, "fr")[:4] {
				g.Draw(session.Frame{Page: b.Page(t.Context(), scene.Visit), Focus: i, Contrast: i == 2, Fresh: true})
				before := g.window.Canvas().Capture()
				if !sameImage(g.Picture(), before) {
					t.Errorf("%s: the picture is not what the window shows", scene.Name)
				}
				if !sameImage(g.window.Canvas().Capture(), before) {
					t.Errorf("%s: taking a picture changes the window", scene.Name)
				}
			}
		})
	}
}

func sameImage(a, b image.Image) bool {
	x, y := a.(*image.NRGBA), b.(*image.NRGBA)
	return x.Rect == y.Rect && bytes.Equal(x.Pix, y.Pix)
}
