package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"
)

type borneCmd struct {
	List   borneListCmd   `cmd:"" help:"Liste les bornes et leur état."`
	Revoke borneRevokeCmd `cmd:"" help:"Exclut une borne pour de bon : volée, remplacée, copiée."`
}

type borneListCmd struct {
	base
	JSON bool `name:"json" help:"Un objet JSON par ligne."`
}

// A borneLine is one borne as scripts read it.
type borneLine struct {
	Borne   string    `json:"borne"`
	Site    string    `json:"site"`
	Seen    time.Time `json:"seen,omitzero"`
	Offline bool      `json:"offline"`
	App     string    `json:"app"`
	Waiting int       `json:"waiting"`
}

func (c *borneListCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	bornes, err := hub.store.Bornes(rt.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(rt.stdout)
		for _, b := range bornes {
			if err := out.Encode(borneLine{b.ID, b.Site.ID, b.Seen, b.Offline(rt.now()), string(b.State.App), b.State.Waiting}); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(rt.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BORNE\tSITE\tVUE\tÉTAT")
	for _, b := range bornes {
		seen, state := "jamais", "pas encore vue"
		if !b.Seen.IsZero() {
			seen, state = b.Seen.Local().Format("02/01/2006 15:04:05"), "en ligne"
			if b.Offline(rt.now()) {
				state = "hors ligne"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.ID, b.Site.Name, seen, state)
	}
	return w.Flush()
}

type borneRevokeCmd struct {
	base
	ID string `arg:"" help:"Nom de la borne, par exemple MN-01."`
}

func (c *borneRevokeCmd) Run(rt *runtime) error {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	if err := hub.store.Revoke(rt.ctx, c.ID, rt.now()); err != nil {
		return fmt.Errorf("borne %s : %w", c.ID, err)
	}
	fmt.Fprintf(rt.stdout, "La borne %s n’a plus accès au hub. Pour la remettre en service : un nouveau code d’enrôlement.\n", c.ID)
	return nil
}
