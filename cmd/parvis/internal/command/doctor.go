package command

import (
	"errors"
	"fmt"
	"os"

	"parvis/cmd/parvis/internal/doctor"
	"parvis/device"
)

// Doctor looks the borne over.
type Doctor struct {
	Data    string `required:"" placeholder:"DIR" help:"Dossier de la borne."`
	Profile string `required:"" placeholder:"FICHIER" help:"Profil du site."`
	Content string `type:"existingdir" help:"Dossier de contenus, à la place de ceux du programme."`
	JSON    bool   `name:"json" help:"Un objet JSON par ligne."`
}

// Help says what the exit status means.
func (*Doctor) Help() string {
	return "Vérifie les réglages, les appareils, l’écran, le son, le disque, l’horloge, le réseau et la liaison avec le hub. " +
		"Le code de sortie est 0 quand tout va bien, 1 quand il faut intervenir."
}

// Run tells each finding as it is made. It ends with status 1 when one of them
// needs a hand.
func (c *Doctor) Run(rt *Runtime) error {
	b := doctor.Borne{Profile: c.Profile, Data: c.Data, Content: rt.Content, Display: os.Getenv("DISPLAY"), Now: rt.Now}
	if c.Content != "" {
		b.Content = os.DirFS(c.Content)
	}
	hands := 0
	var wrong error
	b.Examine(rt.Ctx, func(f doctor.Finding) {
		if f.NeedsHand() {
			hands++
		}
		if c.JSON {
			wrong = errors.Join(wrong, rt.WriteJSON(f))
			return
		}
		fmt.Fprintf(rt.Stdout, "%-9s  %-9s  %s\n", word(f.Severity), f.Check, f.Seen)
		if f.NeedsHand() {
			fmt.Fprintf(rt.Stdout, "%22s→ %s\n", "", f.Do)
			if f.Cause != "" {
				fmt.Fprintf(rt.Stdout, "%22s  (%s)\n", "", f.Cause)
			}
		}
	})
	switch {
	case wrong != nil:
		return wrong
	case rt.Ctx.Err() != nil:
		return rt.Ctx.Err()
	case !c.JSON && hands == 0:
		fmt.Fprintln(rt.Stdout, "\nTout va bien.")
	case !c.JSON && hands == 1:
		fmt.Fprintln(rt.Stdout, "\nIl faut intervenir sur le point ci-dessus.")
	case !c.JSON:
		fmt.Fprintf(rt.Stdout, "\nIl faut intervenir sur les %d points ci-dessus.\n", hands)
	}
	if hands > 0 {
		return ExitError(1)
	}
	return nil
}

func word(s device.Severity) string {
	switch s {
	case device.Critical:
		return "PANNE"
	case device.Warning:
		return "ATTENTION"
	}
	return "bon"
}
