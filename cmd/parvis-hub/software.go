package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"parvis/hub/apt"
	"parvis/hub/store"
)

type softwareCmd struct {
	Publish softwarePublishCmd `cmd:"" help:"Met des paquets Debian à disposition des bornes."`
	List    softwareListCmd    `cmd:"" help:"Liste les paquets à disposition."`
	Remove  softwareRemoveCmd  `cmd:"" help:"Retire une version d’un paquet."`
}

type softwarePublishCmd struct {
	base
	Files []string `arg:"" type:"existingfile" placeholder:"FICHIER.deb" help:"Paquets Debian, par exemple parvis-borne_1.5.0_amd64.deb."`
}

// Run offers the packages, one after the other.
func (c *softwarePublishCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	repository, err := apt.Open(rt.ctx, hub.key, hub.store, rt.now)
	if err != nil {
		return err
	}
	for _, file := range c.Files {
		deb, err := readPackage(file)
		if err != nil {
			return err
		}
		p, err := repository.Publish(rt.ctx, deb)
		if err != nil {
			return fmt.Errorf("%s : %w", file, err)
		}
		fmt.Fprintf(rt.stdout, "%s %s (%s) est à disposition : %d Ko.\n", p.Package, p.Version, p.Architecture, p.Size>>10)
	}
	return nil
}

// readPackage reads a file that the store would take.
func readPackage(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > store.MaxFile {
		return nil, fmt.Errorf("%s : plus de %d Mo", file, store.MaxFile>>20)
	}
	return os.ReadFile(file)
}

type softwareListCmd struct{ base }

// Run lists what is offered.
func (c *softwareListCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	all, err := hub.store.Softwares(rt.ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PAQUET\tVERSION\tARCHITECTURE\tTAILLE\tPUBLIÉ")
	for _, p := range all {
		if p.Removed.IsZero() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d Ko\t%s\n", p.Package, p.Version, p.Architecture, p.Size>>10, p.Added.Local().Format("02/01/2006 15:04"))
		}
	}
	return w.Flush()
}

type softwareRemoveCmd struct {
	base
	Package string `arg:"" help:"Nom du paquet, par exemple parvis-borne."`
	Version string `arg:"" help:"Version, par exemple 1.5.0."`
}

// Help says what removing does not do.
func (*softwareRemoveCmd) Help() string {
	return "Les bornes qui ont cette version la gardent. Une borne qui passerait à la version suivante " +
		"n’aurait plus de quoi revenir à celle-ci : ne retirez pas une version que des bornes utilisent."
}

// Run takes a version away.
func (c *softwareRemoveCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	err = hub.store.RemoveSoftware(rt.ctx, c.Package, c.Version, rt.now())
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s %s n’est pas à disposition : « parvis-hub software list » montre ce qui l’est", c.Package, c.Version)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(rt.stdout, "%s %s est retiré.\n", c.Package, c.Version)
	return err
}
