// Command parvis is the borne's touch application, with the commands that IT
// staff run on a borne.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/clock"
	"parvis/cmd/internal/french"
	"parvis/cmd/parvis/internal/command"
	"parvis/content"
)

type commands struct {
	Run      runCmd           `cmd:"" help:"Ouvre la borne."`
	Places   command.Places   `cmd:"" help:"Lieux de médiation numérique."`
	Hours    command.Hours    `cmd:"" help:"Lit des horaires d’ouverture."`
	Demarche command.Demarche `cmd:"" help:"Démarches guidées."`
	Profile  command.Profile  `cmd:"" help:"Profil du site."`
	Ticket   command.Ticket   `cmd:"" help:"Tickets."`
	Callback command.Callback `cmd:"" help:"Demandes de rappel en attente."`
	Service  command.Service  `cmd:"" help:"Met la borne hors service, ou la remet en service."`
	Doctor   command.Doctor   `cmd:"" help:"Vérifie la borne et dit quoi faire."`
	Badge    command.Badge    `cmd:"" help:"Badges et code d’entretien, pour le profil."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	now, err := clock.Open(os.Getenv(clock.Setting))
	if err != nil {
		fmt.Fprintln(os.Stderr, "parvis:", err)
		os.Exit(2)
	}
	rt := &command.Runtime{Ctx: ctx, Stdout: os.Stdout, Stderr: os.Stderr, Now: now, Content: content.FS}
	var cli commands
	k := kong.Parse(&cli, kong.Name("parvis"), kong.Description("La borne numérique Parvis."), kong.UsageOnError(),
		kong.Writers(french.Writer{Writer: os.Stdout}, french.Writer{Writer: os.Stderr}))
	err = k.Run(rt)
	var status command.ExitError
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case err != nil:
		fmt.Fprintln(os.Stderr, "parvis:", err)
		os.Exit(1)
	}
}
