// Command parvis-sim stands in for the hardware of a borne on a desk. Each
// device hangs on a path as a real one does; orders come from standard input
// and from a socket.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"parvis/device/sim"
)

type commands struct {
	Printer printerCmd `cmd:"" help:"Une imprimante à tickets de 80 mm, sur un pseudo-terminal ou en TCP."`
	Desk    deskCmd    `cmd:"" help:"Tout le matériel d’une borne, avec une page web pour s’en servir."`
}

type printerCmd struct {
	Link    string `help:"Chemin sous lequel l’imprimante apparaît." default:"run/printer"`
	Out     string `help:"Dossier des tickets (ticket-N.png, ticket-N.txt)." default:"run/tickets"`
	Control string `help:"Socket Unix qui prend les ordres, un par ligne." default:"run/printer.ctl"`
	TCP     string `help:"Adresse TCP (par exemple 127.0.0.1:9100) où l’imprimante écoute, au lieu du pseudo-terminal." placeholder:"ADDR"`
	thermalFlags
}

// thermalFlags say which ticket printer to be.
type thermalFlags struct {
	Model  sim.Model `help:"Modèle imité : ${enum}." enum:"epson,custom-vkp80,star-escpos" default:"epson"`
	Speed  float64   `help:"Vitesse du papier en mm/s (une vraie imprimante : 150 à 250) ; 0 imprime d’un coup." placeholder:"MM/S" default:"0"`
	Buffer int       `help:"Mémoire de l’imprimante en octets (une vraie : 4096 à 65536) ; pleine, elle fait attendre. 0 n’a pas de limite." placeholder:"OCTETS" default:"0"`
}

// Validate refuses a paper that goes backwards and a buffer less than empty.
func (f thermalFlags) Validate() error {
	if f.Speed < 0 {
		return fmt.Errorf("--speed=%g : la vitesse ne peut pas être négative", f.Speed)
	}
	if f.Buffer < 0 {
		return fmt.Errorf("--buffer=%d : la mémoire ne peut pas être négative", f.Buffer)
	}
	return nil
}

// thermal makes the printer, whose tickets go to a tray in the folder out.
func (f thermalFlags) thermal(out string) (*sim.Thermal, error) {
	tray, err := sim.NewTray(out)
	if err != nil {
		return nil, err
	}
	t := sim.NewThermal(func(t sim.Ticket) {
		n, err := tray.Put(t)
		if err != nil {
			log.Printf("ticket non gardé : %v", err)
			return
		}
		log.Printf("ticket %d dans %s", n, out)
	})
	t.SetModel(f.Model)
	t.SetSpeed(f.Speed)
	t.SetBuffer(f.Buffer)
	return t, nil
}

func (c *printerCmd) Help() string { return "Ordres : " + sim.Orders + "." }

// Run keeps the printer until the context ends.
func (c *printerCmd) Run(ctx context.Context) error {
	thermal, err := c.thermal(c.Out)
	if err != nil {
		return err
	}
	var line sim.Line = sim.NewCable(c.Link, thermal)
	where := c.Link
	if c.TCP != "" {
		line, where = sim.NewSocket(c.TCP, thermal), c.TCP
	}
	socket, err := listen(ctx, c.Control)
	if err != nil {
		return err
	}
	if err := line.Plug(); err != nil {
		return errors.Join(err, socket.Close())
	}
	log.Printf("imprimante sur %s, ordres sur %s", where, c.Control)
	desk := &sim.Desk{Thermal: thermal, Cable: line}
	go func() {
		// Standard input may stay open for ever; the end of the process
		// ends this.
		if err := sim.Obey(desk, os.Stdin, os.Stdout); err != nil {
			log.Printf("entrée standard : %v", err)
		}
	}()
	err = sim.Serve(ctx, socket, desk)
	for name, n := range thermal.Unknown() {
		log.Printf("commande inconnue, %d fois : %s", n, name)
	}
	return errors.Join(err, line.Close())
}

// listen opens a socket, in place of one that a dead process left.
func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return (&net.ListenConfig{}).Listen(ctx, "unix", path)
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	k := kong.Parse(&c, kong.Name("parvis-sim"),
		kong.Description("Simule le matériel d’une borne, derrière son câble."), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "parvis-sim : %v\n", err)
		os.Exit(1)
	}
}
