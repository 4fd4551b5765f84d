// Command parvis is the borne's touch application, with the commands that IT
// staff run on a borne.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a borne keeps French time whatever its system carries

	"github.com/alecthomas/kong"

	"parvis/cmd/parvis/internal/command"
	"parvis/content"
)

type commands struct {
	Run      runCmd           `cmd:"" help:"Ouvre la borne."`
	Places   command.Places   `cmd:"" help:"Lieux de médiation numérique."`
	Hours    command.Hours    `cmd:"" help:"Lit des horaires d’ouverture."`
	Demarche command.Demarche `cmd:"" help:"Démarches guidées."`
	Ticket   command.Ticket   `cmd:"" help:"Tickets."`
	Callback command.Callback `cmd:"" help:"Demandes de rappel en attente."`
	Service  command.Service  `cmd:"" help:"Met la borne hors service, ou la remet en service."`
	Doctor   command.Doctor   `cmd:"" help:"Vérifie la borne et dit quoi faire."`
	Badge    command.Badge    `cmd:"" help:"Badges et code d’entretien, pour le profil."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	now, err := clock(os.Getenv("PARVIS_NOW"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "parvis:", err)
		os.Exit(2)
	}
	rt := &command.Runtime{Ctx: ctx, Stdout: os.Stdout, Stderr: os.Stderr, Now: now, Content: content.FS}
	var cli commands
	k := kong.Parse(&cli, kong.Name("parvis"), kong.Description("La borne numérique Parvis."), kong.UsageOnError(),
		kong.Writers(frenchWriter{os.Stdout}, frenchWriter{os.Stderr}))
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

// clock is French time. For tests and pictures PARVIS_NOW moves its start, and
// makes it run faster: "2026-11-24T10:42:00+01:00" or, twenty times as fast,
// "2026-11-24T10:42:00+01:00 x20".
func clock(setting string) (func() time.Time, error) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return nil, err
	}
	if setting == "" {
		return func() time.Time { return time.Now().In(paris) }, nil
	}
	start, haste, fast := strings.Cut(setting, " x")
	speed := 1
	if fast {
		if speed, err = strconv.Atoi(haste); err != nil {
			return nil, fmt.Errorf("PARVIS_NOW: %w", err)
		}
	}
	from, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return nil, fmt.Errorf("PARVIS_NOW: %w", err)
	}
	began := time.Now()
	return func() time.Time { return from.Add(time.Since(began) * time.Duration(speed)).In(paris) }, nil
}
