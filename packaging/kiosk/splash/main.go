// Command splash draws what a borne shows while it starts, in the colours and
// the type of its application. It writes the pictures of the plymouth theme:
//
//	go run ./packaging/kiosk/splash packaging/kiosk/root/usr/share/plymouth/themes/parvis
package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The colours of the page that attracts residents, which comes next
// (design/tokens.json).
var (
	ink  = color.NRGBA{0xff, 0xff, 0xff, 0xff} // card
	call = color.NRGBA{0xFF, 0xC9, 0x4A, 0xff} // focus
)

// What is said while the borne starts, by the name of its picture.
var words = []struct {
	name, text, face string
	size             float64 // in pixels
	ink              color.NRGBA
}{
	{"nom.png", "Parvis", "700Bold", 132, ink},
	{"demarre.png", "La borne démarre. Un instant, s’il vous plaît.", "400Regular", 46, ink},
	{"redemarre.png", "La borne redémarre. Un instant, s’il vous plaît.", "400Regular", 46, ink},
	{"arrete.png", "La borne s’arrête.", "400Regular", 46, ink},
	{"met-a-jour.png", "La borne se met à jour. Laissez-la branchée.", "400Regular", 46, ink},
}

// fonts is the folder of the application's fonts, from the module's root.
const fonts = "device/typeset/fonts"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage : go run ./packaging/kiosk/splash DOSSIER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "splash :", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for _, w := range words {
		img, err := lettering(w.text, w.face, w.size, w.ink)
		if err != nil {
			return fmt.Errorf("%s : %w", w.name, err)
		}
		if err := save(filepath.Join(dir, w.name), img); err != nil {
			return err
		}
	}
	return errors.Join(save(filepath.Join(dir, "point.png"), dot(14, ink)), save(filepath.Join(dir, "point-vif.png"), dot(14, call)))
}

// lettering writes one line, on nothing.
func lettering(text, face string, size float64, ink color.Color) (image.Image, error) {
	data, err := os.ReadFile(filepath.Join(fonts, "AtkinsonHyperlegibleNext_"+face+".ttf"))
	if err != nil {
		return nil, err
	}
	parsed, err := opentype.Parse(data)
	if err != nil {
		return nil, err
	}
	f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := f.Metrics()
	img := image.NewNRGBA(image.Rect(0, 0, font.MeasureString(f, text).Ceil()+4, (m.Ascent + m.Descent).Ceil()))
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: f, Dot: fixed.Point26_6{X: fixed.I(2), Y: m.Ascent}}
	d.DrawString(text)
	return img, nil
}

// dot draws a round dot with a soft edge.
func dot(radius float64, ink color.NRGBA) image.Image {
	side := int(2*radius) + 2
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(img, img.Bounds(), image.Transparent, image.Point{}, draw.Src)
	middle := float64(side-1) / 2
	for y := range side {
		for x := range side {
			cover := min(1, max(0, radius+0.5-math.Hypot(float64(x)-middle, float64(y)-middle)))
			img.SetNRGBA(x, y, color.NRGBA{ink.R, ink.G, ink.B, uint8(math.Round(cover * 255))})
		}
	}
	return img
}

func save(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	return errors.Join(enc.Encode(f, img), f.Close())
}
