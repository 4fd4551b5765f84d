// Command parvis-agent is the borne's daemon, which has no screen: it speaks
// with the hub. IT enrols the borne with it, and sees how the link is.
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
	_ "time/tzdata" // IT reads French time whatever the system carries

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/french"
)

type commands struct {
	Run     runCmd     `cmd:"" help:"Fait tourner l’agent de la borne."`
	Enrol   enrolCmd   `cmd:"" help:"Donne à la borne son identité, avec un code du hub."`
	Stick   stickCmd   `cmd:"" help:"Prend un lot de contenus sur une clé USB."`
	Status  statusCmd  `cmd:"" help:"Dit où en est la liaison avec le hub."`
	Network networkCmd `cmd:"" help:"Applique à la machine le réseau du profil."`
	Upgrade upgradeCmd `cmd:"" help:"Met le logiciel à jour, ou revient à la version d’avant."`
	Alive   aliveCmd   `cmd:"" hidden:""`
}

// runtime is what a command gets from the program around it.
type runtime struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time
}

// errWrong says that something is wrong and that the user has read what.
var errWrong = errors.New("something is wrong")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rt := &runtime{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	var cli commands
	k := kong.Parse(&cli, kong.Name("parvis-agent"), kong.Description("L’agent de la borne numérique Parvis."), kong.UsageOnError(),
		kong.Writers(french.Writer{Writer: os.Stdout}, french.Writer{Writer: os.Stderr}))
	err := k.Run(rt)
	switch {
	case errors.Is(err, errWrong):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "parvis-agent:", err)
		os.Exit(1)
	}
}
