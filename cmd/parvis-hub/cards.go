package main

import (
	"bytes"
	"context"
	"fmt"

	"parvis/hub/cards"
)

type cardsCmd struct {
	Import cardsImportCmd `cmd:"" help:"Met la liste d’un fichier CSV (carte, telephone, prenom) à la place de celle d’avant."`
	Count  cardsCountCmd  `cmd:"" help:"Dit combien de cartes le hub connaît."`
	Clear  cardsClearCmd  `cmd:"" help:"Oublie toutes les cartes."`
}

// openCards opens a hub's list of cards; close it by the hub.
func (b base) openCards(ctx context.Context) (*opened, *cards.List, error) {
	hub, err := b.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := cards.Open(ctx, hub.key, hub.store)
	if err != nil {
		hub.Close()
		return nil, nil, err
	}
	return hub, list, nil
}

type cardsImportCmd struct {
	base
	File string `arg:"" name:"fichier" help:"Fichier CSV ; « - » pour l’entrée standard."`
}

// Run imports the list, and tells which rows were left out.
func (c *cardsImportCmd) Run(rt *runtime) error {
	data, err := readInput(c.File)
	if err != nil {
		return err
	}
	defer clear(data)
	hub, list, err := c.openCards(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	n, faults, err := list.Import(rt.ctx, bytes.NewReader(data))
	for _, f := range faults {
		fmt.Fprintf(rt.stderr, "%s : %s\n", c.File, f)
	}
	if err != nil {
		return fmt.Errorf("%s : %w", c.File, err)
	}
	fmt.Fprintf(rt.stdout, "%d cartes connues, %d lignes laissées de côté.\n", n, len(faults))
	return nil
}

type cardsCountCmd struct{ base }

// Run counts the cards.
func (c *cardsCountCmd) Run(rt *runtime) error {
	hub, list, err := c.openCards(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	n, err := list.Count(rt.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(rt.stdout, "%d cartes connues.\n", n)
	return nil
}

type cardsClearCmd struct{ base }

// Run forgets the cards.
func (c *cardsClearCmd) Run(rt *runtime) error {
	hub, list, err := c.openCards(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	if err := list.Clear(rt.ctx); err != nil {
		return err
	}
	fmt.Fprintln(rt.stdout, "Plus aucune carte n’est connue.")
	return nil
}
