package profile

import (
	"cmp"
	"fmt"
	"math"
)

// Screen is the panel. Once it is read, its sizes in pixels and millimetres are
// whole, however they were given.
type Screen struct {
	Width       int     `toml:"largeur_px" jsonschema:"minimum=1,maximum=32768,example=1080" jsonschema_description:"Largeur de l’image telle qu’on la voit, en pixels. D’origine : 1080, ou 1920 si orientation est « paysage »."`
	Height      int     `toml:"hauteur_px" jsonschema:"minimum=1,maximum=32768,example=1920" jsonschema_description:"Hauteur de l’image, en pixels. D’origine : 1920, ou 1080 si orientation est « paysage »."`
	Orientation string  `toml:"orientation" jsonschema:"enum=portrait,enum=paysage,example=portrait" jsonschema_description:"Comment l’écran est monté. D’origine : d’après les pixels."`
	Diagonal    float32 `toml:"diagonale" jsonschema:"minimum=6,maximum=110,example=32" jsonschema_description:"Diagonale de l’image, en pouces, si l’on ne donne pas sa largeur en millimètres."`
	WidthMM     float32 `toml:"largeur_mm" jsonschema:"minimum=150,maximum=2000,example=398" jsonschema_description:"Largeur de l’image, mesurée, en millimètres. Les tailles de texte et de touches en dépendent. D’origine : d’après la diagonale ou la hauteur ; sinon 398, ou 708 si orientation est « paysage »."`
	HeightMM    float32 `toml:"hauteur_mm" jsonschema:"minimum=150,maximum=2000,example=708" jsonschema_description:"Hauteur de l’image, mesurée, en millimètres. D’origine : d’après la largeur et les pixels."`
	FloorMM     float32 `toml:"hauteur_sol_mm" jsonschema:"minimum=0,maximum=2000,example=700" jsonschema_description:"Hauteur du bord bas de l’image au-dessus du sol, en millimètres. Rien à toucher n’est mis au-dessus de 1,22 m."`
	Bounce      int     `toml:"rebond_ms" jsonschema:"minimum=0,maximum=2000,example=500" jsonschema_description:"Un second appui sur la même touche dans ce délai est ignoré, en millisecondes (mains qui tremblent)."`
	On          string  `toml:"allumage" jsonschema:"example=Mo-Sa 07:30-19:30; PH off" jsonschema_description:"Heures où l’écran est allumé, au format opening_hours ; en dehors il est éteint. Vide : toujours."`
}

// The words of Screen.Orientation.
const (
	Portrait  = "portrait"
	Landscape = "paysage"
)

// Resize takes another number of pixels ("1920x1080") of the same size each.
func (s *Screen) Resize(size string) error {
	var w, h int
	if n, err := fmt.Sscanf(size, "%dx%d", &w, &h); n != 2 || err != nil || w < 320 || h < 320 {
		return fmt.Errorf("%q : attendu LARGEURxHAUTEUR en pixels, par exemple 1920x1080", size)
	}
	s.WidthMM *= float32(w) / float32(s.Width)
	s.HeightMM *= float32(h) / float32(s.Height)
	s.Width, s.Height = w, h
	s.Orientation, s.Diagonal = "", 0
	s.complete()
	return nil
}

// The panel that is meant where nothing is said: 32 inches, 16:9.
const (
	longPX, shortPX = 1920, 1080
	longMM, shortMM = 708, 398
	mmPerInch       = 25.4
)

// complete works out the sizes that were left out from those that are there.
func (s *Screen) complete() {
	width, height, usual := shortPX, longPX, float32(shortMM)
	if s.Orientation == Landscape {
		width, height, usual = longPX, shortPX, longMM
	}
	s.Width, s.Height = cmp.Or(s.Width, width), cmp.Or(s.Height, height)
	if s.Orientation == "" {
		s.Orientation = Portrait
		if s.Width > s.Height {
			s.Orientation = Landscape
		}
	}
	w, h := float64(s.Width), float64(s.Height)
	switch {
	case s.WidthMM > 0:
	case s.Diagonal > 0:
		s.WidthMM = float32(float64(s.Diagonal) * mmPerInch * w / math.Hypot(w, h))
	case s.HeightMM > 0:
		s.WidthMM = float32(float64(s.HeightMM) * w / h)
	default:
		s.WidthMM = usual
	}
	s.HeightMM = cmp.Or(s.HeightMM, float32(float64(s.WidthMM)*h/w))
	s.Diagonal = cmp.Or(s.Diagonal, float32(math.Hypot(float64(s.WidthMM), float64(s.HeightMM))/mmPerInch))
}
