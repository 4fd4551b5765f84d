package main

import (
	"bytes"
	"context"
	"image"
	"image/png"

	"golang.org/x/image/draw"

	"parvis/kiosk/link"
	"parvis/provisioning/profile"
)

// pictureSide is the longer side of a picture of the glass, in pixels: half of
// a usual panel's, where the words can still be read.
const pictureSide = 960

// blurWidth is how many pixels a blurred picture keeps of a line: too few for
// any letter of a page, enough to tell which page it is.
const blurWidth = 40

// take takes a picture of the glass, or none where it shows, or the visit holds,
// what is nobody else's business. That is asked, and the picture painted, in one
// go: nothing is drawn in between.
func (p panel) take() image.Image {
	if p.session.Personal() {
		return nil
	}
	return p.picture()
}

// scaled is a picture whose longer side is as long as it may be, at most.
func scaled(img image.Image) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if long := max(w, h); long > pictureSide {
		w, h = w*pictureSide/long, h*pictureSide/long
	}
	whole := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(whole, whole.Bounds(), img, img.Bounds().Min, draw.Src)
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Bounds(), whole, whole.Bounds(), draw.Src, nil)
	clear(whole.Pix)
	return small
}

// blurred is a picture of the same size in which nothing can be read.
func blurred(img *image.RGBA) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	few := image.NewRGBA(image.Rect(0, 0, blurWidth, max(1, h*blurWidth/w)))
	draw.BiLinear.Scale(few, few.Bounds(), img, img.Bounds(), draw.Src, nil) // weighs every pixel
	soft := image.NewRGBA(img.Bounds())
	draw.BiLinear.Scale(soft, soft.Bounds(), few, few.Bounds(), draw.Src, nil)
	clear(img.Pix)
	return soft
}

// screenshot makes the picture of the glass that an agent has asked for, as far
// as the profile allows.
func (e *errands) screenshot(ctx context.Context) link.Outcome {
	if e.capture == profile.NoCapture {
		return refused("Le profil de la borne interdit les captures d’écran.")
	}
	img, err := ask(ctx, e.panel.do, e.panel.take)
	if err != nil {
		return failed(err)
	}
	if img == nil {
		return refused("Une personne est en train d’écrire, ou a montré une carte. Réessayez quand sa visite sera finie.")
	}
	defer giveMemoryBack()
	small := scaled(img)
	if e.capture == profile.BlurredCapture {
		small = blurred(small)
	}
	var file bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&file, small)
	clear(small.Pix)
	if err != nil {
		return failed(err)
	}
	return link.Outcome{State: link.Done, FileType: "image/png", File: file.Bytes()}
}
