package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"parvis/hub/store"
	"parvis/provisioning/enrol"
)

type tokenCmd struct {
	Create   tokenCreateCmd   `cmd:"" help:"Fait un code d’enrôlement, valable une fois."`
	List     tokenListCmd     `cmd:"" help:"Liste les codes qui attendent une borne (jamais leur secret)."`
	Withdraw tokenWithdrawCmd `cmd:"" help:"Annule un code."`
}

type tokenCreateCmd struct {
	base
	Site  string `required:"" placeholder:"ID" help:"Site de la borne, par exemple « neudorf »."`
	Name  string `help:"Nom du site ; nécessaire s’il est nouveau : « Mairie de Neudorf »."`
	Borne string `placeholder:"ID" help:"Nom de la borne, par exemple MN-01 ; sinon le prochain libre."`
	Hours int    `default:"24" help:"Durée de validité, en heures."`
	Count int    `default:"1" help:"Nombre de codes, un par borne."`
	JSON  bool   `name:"json" xor:"form" help:"Un objet JSON par ligne."`
	Short bool   `xor:"form" help:"Le code seul, pour un script."`
}

// A tokenLine is a fresh code, as it is told once.
type tokenLine struct {
	Code    string    `json:"code"`
	Borne   string    `json:"borne"`
	Site    string    `json:"site"`
	Expires time.Time `json:"expires"`
}

// Validate refuses what makes no code.
func (c *tokenCreateCmd) Validate() error {
	switch {
	case c.Hours < 1 || c.Hours > 24*7:
		return fmt.Errorf("--hours=%d : de 1 à 168 heures", c.Hours)
	case c.Count < 1:
		return fmt.Errorf("--count=%d : au moins 1", c.Count)
	case c.Count > 1 && c.Borne != "":
		return fmt.Errorf("--borne ne nomme qu’une borne : sans --count")
	}
	return nil
}

func (c *tokenCreateCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	authority, err := hub.key.Authority(rt.ctx, hub.store, rt.now())
	if err != nil {
		return err
	}
	site := store.Site{ID: c.Site, Name: c.Name, Created: rt.now()}
	if c.Name != "" {
		if err := hub.store.PutSite(rt.ctx, site); err != nil {
			return err
		}
	}
	out := json.NewEncoder(rt.stdout)
	for range c.Count {
		code := enrol.NewCode(authority.Fingerprint())
		t, err := hub.store.CreateToken(rt.ctx, store.Token{
			Hash: code.Hash(), Site: site, Borne: c.Borne, By: "parvis-hub", Created: rt.now(),
			Expires: rt.now().Add(time.Duration(c.Hours) * time.Hour),
		})
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("site %s : %w ; s’il est nouveau, donnez son nom : --name \"Mairie de …\"", c.Site, err)
		}
		if err != nil {
			return fmt.Errorf("site %s : %w", c.Site, err)
		}
		line := tokenLine{Code: code.Text(), Borne: t.Borne, Site: c.Site, Expires: t.Expires}
		switch {
		case c.JSON:
			err = out.Encode(line)
		case c.Short:
			_, err = fmt.Fprintln(rt.stdout, line.Code)
		default:
			_, err = fmt.Fprintf(rt.stdout, "Borne %s, code valable une fois, jusqu’au %s. Sur la borne :\n\n    parvis-agent enrol ADRESSE-DU-HUB:8443 %s\n",
				line.Borne, line.Expires.Local().Format("02/01/2006 15:04"), line.Code)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type tokenListCmd struct{ base }

func (c *tokenListCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	tokens, err := hub.store.Tokens(rt.ctx, rt.now())
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CODE N°\tBORNE\tSITE\tFAIT PAR\tJUSQU’AU")
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.Borne, t.Site.ID, t.By, t.Expires.Local().Format("02/01/2006 15:04"))
	}
	return w.Flush()
}

type tokenWithdrawCmd struct {
	base
	ID string `arg:"" help:"Numéro du code, donné par « token list »."`
}

func (c *tokenWithdrawCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	if err := hub.store.WithdrawToken(rt.ctx, c.ID); err != nil {
		return fmt.Errorf("code %s : %w", c.ID, err)
	}
	fmt.Fprintln(rt.stdout, "Ce code ne vaut plus rien.")
	return nil
}
