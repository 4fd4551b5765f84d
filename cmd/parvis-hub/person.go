package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"parvis/hub/people"
)

type personCmd struct {
	First personFirstCmd `cmd:"" help:"Fait le lien, valable une fois, du premier administrateur."`
	List  personListCmd  `cmd:"" help:"Liste les personnes et leurs rôles."`
	Link  personLinkCmd  `cmd:"" help:"Fait un lien, valable une fois, pour choisir un mot de passe : nouvelle personne, ou mot de passe perdu."`
}

// people opens the hub and who may use it.
func (b base) people(rt *runtime) (*opened, *people.People, error) {
	hub, err := b.open(rt.ctx)
	if err != nil {
		return nil, nil, err
	}
	who, err := people.New(people.Options{Store: hub.store, Key: hub.key, Now: rt.now})
	if err != nil {
		hub.Close()
		return nil, nil, err
	}
	return hub, who, nil
}

type personFirstCmd struct {
	base
	URL string `default:"http://127.0.0.1:8080" help:"Adresse de la console."`
}

func (c *personFirstCmd) Run(rt *runtime) error {
	hub, who, err := c.people(rt)
	if err != nil {
		return err
	}
	defer hub.Close()
	path, err := who.SetupLink(rt.ctx)
	if err != nil {
		return err
	}
	if path == "" {
		return errors.New("quelqu’un a déjà un compte : il peut en inviter d’autres, ou servez-vous de « parvis-hub person link »")
	}
	fmt.Fprintln(rt.stdout, strings.TrimSuffix(c.URL, "/")+path)
	return nil
}

type personListCmd struct{ base }

func (c *personListCmd) Run(rt *runtime) error {
	hub, who, err := c.people(rt)
	if err != nil {
		return err
	}
	defer hub.Close()
	all, err := who.List(rt.ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ADRESSE\tNOM\tRÔLE\tDERNIÈRE CONNEXION")
	for _, p := range all {
		seen := "jamais"
		if !p.Seen.IsZero() {
			seen = p.Seen.Local().Format("02/01/2006 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Email, p.Name, p.Role.Label(), seen)
	}
	return w.Flush()
}

type personLinkCmd struct {
	base
	Email string      `arg:"" help:"Adresse de courriel de la personne."`
	Name  string      `help:"Son nom, si elle est nouvelle."`
	Role  people.Role `default:"reader" enum:"reader,mediator,agent,it,admin" help:"Son rôle, si elle est nouvelle : ${enum}."`
	URL   string      `default:"http://127.0.0.1:8080" help:"Adresse de la console."`
}

func (c *personLinkCmd) Run(rt *runtime) error {
	hub, who, err := c.people(rt)
	if err != nil {
		return err
	}
	defer hub.Close()
	person, err := c.find(rt, who)
	if err != nil {
		return err
	}
	path, err := who.Invite(rt.ctx, person.ID)
	if err != nil {
		return err
	}
	fmt.Fprintln(rt.stdout, strings.TrimSuffix(c.URL, "/")+path)
	return nil
}

// find gives the person of that address, made where there is none.
func (c *personLinkCmd) find(rt *runtime, who *people.People) (people.Person, error) {
	all, err := who.List(rt.ctx)
	if err != nil {
		return people.Person{}, err
	}
	for _, p := range all {
		if strings.EqualFold(p.Email, c.Email) {
			return p, nil
		}
	}
	return who.Create(rt.ctx, c.Name, c.Email, c.Role)
}
