package command

import (
	"fmt"

	"parvis/cmd/parvis/internal/siteprofile"
)

// Profile holds the commands about the site's profile.
type Profile struct {
	Check ProfileCheck `cmd:"" help:"Lit un profil comme la borne le lira, et dit ce qui l’empêcherait de démarrer."`
}

// ProfileCheck reads a profile as a borne does that is to start with it.
type ProfileCheck struct {
	File string `arg:"" type:"path" help:"Profil à vérifier."`
}

// Run tells whether the borne would start with the profile.
func (c *ProfileCheck) Run(rt *Runtime) error {
	p, err := siteprofile.Load(c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(rt.Stdout, "%s : la borne démarre avec ce profil (%s).\n", c.File, p.Site.Name)
	return err
}
