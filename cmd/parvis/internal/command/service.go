package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parvis/kiosk/store"
)

// Service says whether the borne serves residents, and changes it: where no
// badge is at hand, or no reader reads it.
type Service struct {
	Data  string `required:"" placeholder:"DIR" help:"Dossier de la borne."`
	State string `arg:"" optional:"" enum:"on,off,etat" default:"etat" help:"on : en service ; off : hors service ; etat : dit où elle en est."`
}

// Help says how soon a running borne follows.
func (*Service) Help() string {
	return "Une borne qui tourne suit en moins d’une minute. Une visite en cours va jusqu’à sa fin."
}

// Run changes the state, and says what it is.
func (c *Service) Run(rt *Runtime) error {
	if _, err := os.Stat(filepath.Join(c.Data, store.FileName)); errors.Is(err, fs.ErrNotExist) {
		return notABorne(c.Data)
	}
	s, err := store.Open(c.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	if c.State != "etat" {
		if err := s.SetOutOfService(rt.Ctx, c.State == "off"); err != nil {
			return err
		}
	}
	out, err := s.OutOfService(rt.Ctx)
	if err != nil {
		return err
	}
	word := "en service"
	if out {
		word = "hors service"
	}
	_, err = fmt.Fprintf(rt.Stdout, "La borne est %s.\n", word)
	return err
}
