// Package profile reads the settings of one site: the house, its borne's
// screen and devices, and where requests go. One TOML file, in French keys,
// that IT staff edit; a key that doesn't exist is an error.
package profile

import (
	"errors"
	"fmt"
	"os"

	"github.com/BurntSushi/toml"
)

// Profile is one site's settings.
type Profile struct {
	Site        Site          `toml:"site"`
	Screen      Screen        `toml:"ecran"`
	Printer     Printer       `toml:"imprimante"`
	Office      OfficePrinter `toml:"imprimante_a4"`
	Readers     []Reader      `toml:"lecteurs"`
	Sound       Sound         `toml:"son"`
	Cards       Cards         `toml:"cartes"`
	Badges      []Badge       `toml:"badges"`
	Maintenance Maintenance   `toml:"maintenance"`
	Callback    Callback      `toml:"rappel"`
}

// Site is the house the borne stands in.
type Site struct {
	ID        string   `toml:"id"`
	Name      string   `toml:"nom"`
	Address   string   `toml:"adresse"`
	Phone     string   `toml:"telephone"`
	Lat       float64  `toml:"latitude"`
	Lon       float64  `toml:"longitude"`
	Region    string   `toml:"region"`     // holidays: metropole, alsace-moselle …
	Opening   string   `toml:"ouverture"`  // OSM opening_hours
	Mediators string   `toml:"mediateurs"` // when they call back, OSM opening_hours
	Languages []string `toml:"langues"`
}

// Screen is the panel. Without pixels the window takes the whole display.
type Screen struct {
	Width   int     `toml:"largeur_px"`
	Height  int     `toml:"hauteur_px"`
	WidthMM float32 `toml:"largeur_mm"`
	FloorMM float32 `toml:"hauteur_sol_mm"` // of the picture's lower edge
	Bounce  int     `toml:"rebond_ms"`      // a second touch of the same key within it is ignored
}

// Resize takes another number of pixels ("1920x1080") of the same size each.
func (s *Screen) Resize(size string) error {
	var w, h int
	if n, err := fmt.Sscanf(size, "%dx%d", &w, &h); n != 2 || err != nil || w < 320 || h < 320 {
		return fmt.Errorf("%q : attendu LARGEURxHAUTEUR en pixels, par exemple 1920x1080", size)
	}
	s.WidthMM *= float32(w) / float32(s.Width)
	s.Width, s.Height = w, h
	return nil
}

// Callback is where requests go: age recipients of the hub.
type Callback struct {
	Recipients []string `toml:"destinataires"`
}

// Load reads a profile. An error names the file, the line and the key.
func Load(path string) (*Profile, error) {
	p := &Profile{
		Site:    Site{Region: "metropole", Languages: []string{"fr", "falc", "en"}, Mediators: "Mo-Fr 09:00-12:00,14:00-17:00; PH off"},
		Screen:  Screen{Width: 1080, Height: 1920, WidthMM: 398},
		Printer: Printer{Baud: 19200, Flow: "aucun"},
		Sound:   Sound{Output: "haut-parleur", Volume: 3, Level: 60},
		Cards:   Cards{Pass: `^[A-Z][A-Z0-9]{7,15}$`},
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("profil illisible : %w", err)
	}
	meta, err := toml.Decode(string(data), p)
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return nil, fmt.Errorf("%s:%d: %s", path, parse.Position.Line, parse.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s:%d: %s: cette clé n’existe pas", path, lineOf(string(data), unknown[0]), unknown[0])
	}
	p.complete()
	if f := p.check(); f != nil {
		return nil, fmt.Errorf("%s:%d: %s: %s", path, f.line(string(data)), f.name(), f.reason)
	}
	return p, nil
}
