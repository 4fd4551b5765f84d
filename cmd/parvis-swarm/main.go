// Command parvis-swarm is thousands of pretend bornes, each with its own key and
// connection, to find out how many a hub bears. They speak through the same
// client as a real borne.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"parvis/cmd/internal/french"
)

type commands struct {
	Enrol  enrolCmd  `cmd:"" help:"Enrôle des bornes avec des codes faits par « parvis-hub token create --count N --json »."`
	Report reportCmd `cmd:"" help:"Fait parler les bornes enrôlées, et mesure."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	k := kong.Parse(&cli, kong.Name("parvis-swarm"), kong.Description("Des milliers de bornes simulées, pour éprouver un hub."), kong.UsageOnError(),
		kong.Writers(french.Writer{Writer: os.Stdout}, french.Writer{Writer: os.Stderr}), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "parvis-swarm:", err)
		os.Exit(1)
	}
}
