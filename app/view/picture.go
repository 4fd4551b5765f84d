package view

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/software"
)

// Picture is what the glass shows: the frame that was drawn last, and no other.
// It is painted anew, from copies, as the panel's own memory can't be read
// under every driver, and may for a moment still hold the frame before, of
// which the caller knows nothing. It takes a tenth of a second.
func (g *Glass) Picture() image.Image {
	var copies []fyne.CanvasObject
	for _, o := range g.objects {
		var c fyne.CanvasObject
		switch o := o.(type) {
		case *canvas.Rectangle:
			same := canvas.NewRectangle(o.FillColor)
			same.StrokeColor, same.StrokeWidth, same.CornerRadius = o.StrokeColor, o.StrokeWidth, o.CornerRadius
			c = same
		case *canvas.Image:
			same := canvas.NewImageFromImage(o.Image)
			same.ScaleMode = o.ScaleMode
			c = same
		default:
			continue // a board draws nothing else
		}
		c.Move(o.Position())
		c.Resize(o.Size())
		copies = append(copies, c)
	}
	paper := software.NewCanvas()
	paper.SetPadded(false)
	paper.SetContent(container.NewWithoutLayout(copies...))
	paper.Resize(fyne.NewSize(g.screen.Width, g.screen.Height))
	return paper.Capture()
}
