// Command parvis-hub is the server that bornes report to and that agents,
// mediators and IT staff look at, with the commands that IT runs on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/clock"
	"parvis/cmd/internal/french"
)

type commands struct {
	Serve    serveCmd    `cmd:"" help:"Fait tourner le hub."`
	Token    tokenCmd    `cmd:"" help:"Codes d’enrôlement des bornes."`
	Borne    borneCmd    `cmd:"" help:"Bornes enrôlées."`
	Person   personCmd   `cmd:"" help:"Personnes qui se connectent à la console."`
	Software softwareCmd `cmd:"" help:"Paquets Debian que les bornes peuvent prendre."`
	Profile  profileCmd  `cmd:"" help:"Profils des bornes : contrôle, schéma, couches."`
	Publish  publishCmd  `cmd:"" help:"Contenus signés que les bornes peuvent prendre : démarches, fiches, lieux, textes."`
	Rollout  rolloutCmd  `cmd:"" help:"Déploiements : des versions données aux bornes, étape par étape."`
	Cards    cardsCmd    `cmd:"" help:"Liste des cartes de la ville, pour rappeler qui a donné la sienne au lieu d’un numéro."`
	Backup   backupCmd   `cmd:"" help:"Sauvegarde tout ce que sait le hub, chiffré."`
	Restore  restoreCmd  `cmd:"" help:"Reprend une sauvegarde dans une base vide."`
}

// runtime is what a command gets from the program around it.
type runtime struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	now, err := clock.Open(os.Getenv(clock.Setting))
	if err != nil {
		fmt.Fprintln(os.Stderr, "parvis-hub:", err)
		os.Exit(2)
	}
	rt := &runtime{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, now: now}
	if err := run(rt, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "parvis-hub:", err)
		os.Exit(1)
	}
}

// run does what some arguments ask for. What makes no sense ends the program.
func run(rt *runtime, args []string) error {
	var cli commands
	k := kong.Must(&cli, kong.Name("parvis-hub"), kong.Description("Le hub des bornes numériques Parvis."), kong.UsageOnError(),
		kong.Writers(french.Writer{Writer: rt.stdout}, french.Writer{Writer: rt.stderr}))
	asked, err := k.Parse(args)
	k.FatalIfErrorf(err)
	err = asked.Run(rt)
	if !errors.Is(err, context.Canceled) {
		return err
	}
	if asked.Command() == "serve" {
		return nil // it was told to stop
	}
	return errors.New("interrompu avant la fin")
}
