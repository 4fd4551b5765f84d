package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"parvis/hub/profiles"
	"parvis/hub/store"
	"parvis/provisioning/profile"
	"parvis/provisioning/profile/schema"
)

type profileCmd struct {
	Check  profileCheckCmd  `cmd:"" help:"Contrôle des profils comme le ferait une borne, et dit toutes les erreurs à la fois."`
	Schema profileSchemaCmd `cmd:"" help:"Écrit le schéma JSON d’un profil, pour les éditeurs de texte."`
	Show   profileShowCmd   `cmd:"" help:"Montre le profil entier d’une borne, ou d’où vient chaque réglage."`
	Put    profilePutCmd    `cmd:"" help:"Met une couche de profil en place, si aucune borne n’en souffre."`
}

type profileCheckCmd struct {
	Files  []string `arg:"" name:"fichier" help:"Fichiers de profil ; « - » pour l’entrée standard."`
	Layers bool     `help:"Les fichiers sont les couches d’un seul profil, dans l’ordre : ville, groupe, site, borne."`
	Layer  bool     `help:"Chaque fichier est une couche seule : ce qui manque peut venir d’une autre."`
}

// Validate refuses what contradicts itself.
func (c *profileCheckCmd) Validate() error {
	if c.Layers && c.Layer {
		return errors.New("--layers réunit les fichiers, --layer les contrôle un par un : choisissez")
	}
	return nil
}

func (c *profileCheckCmd) Run(rt *runtime) error {
	checks, err := borneChecks()
	if err != nil {
		return err
	}
	var layers []profile.Layer
	for _, name := range c.Files {
		data, err := readInput(name)
		if err != nil {
			return err
		}
		layers = append(layers, profile.Layer{Name: name, Data: data})
	}
	if c.Layers {
		if _, err := profile.Merge(layers...).Check(checks...); err != nil {
			return refused(err)
		}
		fmt.Fprintf(rt.stdout, "%s : profil correct.\n", strings.Join(c.Files, " + "))
		return nil
	}
	var wrong profile.Errors
	for _, l := range layers {
		err := error(nil)
		if c.Layer {
			err = profile.ParseLayer(l).Errors(checks...)
		} else {
			_, err = profile.Parse(l.Name, l.Data, checks...)
		}
		wrong = append(wrong, profile.Problems(err)...)
		if err == nil {
			fmt.Fprintf(rt.stdout, "%s : profil correct.\n", l.Name)
		}
	}
	if wrong != nil {
		return refused(wrong)
	}
	return nil
}

// refused begins the error's lines on a line of their own, so that editors find
// the file's name at its beginning.
func refused(err error) error {
	count := "1 erreur"
	if n := len(profile.Problems(err)); n > 1 {
		count = fmt.Sprintf("%d erreurs", n)
	}
	return fmt.Errorf("%s\n%w", count, err)
}

func readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("profil illisible : %w", err)
	}
	return data, nil
}

type profileSchemaCmd struct {
	Layer bool `help:"Celui d’une couche, où rien n’est obligatoire et où « retirer » existe."`
}

func (c *profileSchemaCmd) Run(rt *runtime) error {
	data, err := schema.Of(c.Layer)
	if err != nil {
		return err
	}
	_, err = rt.stdout.Write(data)
	return err
}

type profileShowCmd struct {
	base
	Borne   string `required:"" placeholder:"ID" help:"Nom de la borne, par exemple MN-01."`
	Origins bool   `help:"Une ligne par réglage, avec la couche et la ligne d’où il vient."`
}

func (c *profileShowCmd) Run(rt *runtime) error {
	return c.withProfiles(rt, func(p *profiles.Profiles) error {
		whole, err := p.Whole(rt.ctx, c.Borne)
		if err != nil {
			return fmt.Errorf("borne %s : %w", c.Borne, err)
		}
		if whole.Err != nil {
			return refused(whole.Err)
		}
		if !c.Origins {
			data, err := whole.Merged.TOML()
			if err != nil {
				return err
			}
			_, err = rt.stdout.Write(data)
			return err
		}
		w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "RÉGLAGE\tVALEUR\tCOUCHE\tLIGNE")
		for _, v := range whole.Merged.Values() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", v.Key, v.Text, v.Layer, v.Line)
		}
		return w.Flush()
	})
}

type profilePutCmd struct {
	base
	City  bool   `xor:"whose" help:"Couche de la ville : toutes les bornes."`
	Group string `xor:"whose" placeholder:"ID" help:"Couche d’un groupe de sites."`
	Site  string `xor:"whose" placeholder:"ID" help:"Couche d’un site."`
	Borne string `xor:"whose" placeholder:"ID" help:"Couche d’une borne."`
	Why   string `default:"en ligne de commande" help:"Pourquoi, pour l’historique."`
	Try   bool   `help:"Dit ce qui changerait, sans rien changer."`
	First bool   `help:"D’accord pour les bornes qui ont encore leur propre fichier : elles le quittent pour celui du hub."`
	File  string `arg:"" name:"fichier" help:"Fichier de la couche ; « - » pour l’entrée standard."`
}

// Validate asks whose layer it is.
func (c *profilePutCmd) Validate() error {
	if !c.City && c.Group == "" && c.Site == "" && c.Borne == "" {
		return errors.New("dites de qui est la couche : --city, --group, --site ou --borne")
	}
	return nil
}

func (c *profilePutCmd) layer() profiles.Layer {
	switch {
	case c.Group != "":
		return profiles.Layer{Scope: store.GroupProfile, Object: c.Group}
	case c.Site != "":
		return profiles.Layer{Scope: store.SiteProfile, Object: c.Site}
	case c.Borne != "":
		return profiles.Layer{Scope: store.BorneProfile, Object: c.Borne}
	}
	return profiles.Layer{Scope: store.CityProfile}
}

func (c *profilePutCmd) Run(rt *runtime) error {
	data, err := readInput(c.File)
	if err != nil {
		return err
	}
	return c.withProfiles(rt, func(p *profiles.Profiles) error {
		change := profiles.Change{Layer: c.layer(), Text: string(data), Why: c.Why, By: "parvis-hub"}
		history, err := p.Store.ProfileHistory(rt.ctx, change.Scope, change.Object, 1)
		if err != nil {
			return err
		}
		for _, newest := range history {
			change.Base = newest.N
		}
		effect, err := p.Try(rt.ctx, change)
		if err != nil {
			return c.explain(err)
		}
		if len(effect.First) > 0 && !c.First && !c.Try {
			return fmt.Errorf("rien n’est changé : %s encore leur propre fichier et le quitteraient pour celui du hub. Relisez-le (--try), puis ajoutez --first", have(effect.First))
		}
		if c.Try {
			fmt.Fprintf(rt.stdout, "Essai, rien n’est changé. %s\n", told(effect))
			return nil
		}
		if effect, err = p.Save(rt.ctx, change); err != nil {
			return c.explain(err)
		}
		fmt.Fprintf(rt.stdout, "%s L’application reprend entre deux visites.\n", told(effect))
		return nil
	})
}

func (c *profilePutCmd) explain(err error) error {
	var wrong profile.Errors
	if errors.As(err, &wrong) {
		named := slices.Clone(wrong)
		for i := range named {
			named[i].File = c.File // not the layer's name: an editor finds the place
		}
		return refused(named)
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s : %w", c.layer().Object, err)
	}
	return err
}

// told says what a change does.
func told(e *profiles.Effect) string {
	switch n := len(e.Changed); n {
	case 0:
		return "Aucune borne ne change de profil."
	case 1:
		return "La borne " + e.Changed[0] + " change de profil."
	default:
		return fmt.Sprintf("%d bornes changent de profil : %s.", n, listed(e.Changed))
	}
}

// have is « 3 bornes (MN-01, MN-02, MC-01) ont ».
func have(bornes []string) string {
	if len(bornes) == 1 {
		return "la borne " + bornes[0] + " a"
	}
	return fmt.Sprintf("%d bornes (%s) ont", len(bornes), listed(bornes))
}

func listed(bornes []string) string {
	const some = 10
	if len(bornes) <= some {
		return strings.Join(bornes, ", ")
	}
	return strings.Join(bornes[:some], ", ") + "…"
}

// withProfiles opens the hub for something to be done with its profiles.
func (b base) withProfiles(rt *runtime, do func(*profiles.Profiles) error) error {
	checks, err := borneChecks()
	if err != nil {
		return err
	}
	hub, err := b.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	return do(profiles.New(profiles.Options{Store: hub.store, Further: checks, Now: rt.now}))
}
