package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parvis/device/sim"
	"parvis/device/sim/page"
)

type deskCmd struct {
	Printer   string        `help:"Chemin de l’imprimante à tickets." default:"run/printer"`
	Out       string        `help:"Dossier des tickets." default:"run/tickets"`
	RFID      string        `name:"rfid" help:"Chemin du lecteur de badges." default:"run/rfid"`
	RFIDModel sim.RFIDModel `name:"rfid-model" help:"Lecteur de badges imité : ${enum}." enum:"rdm6300,id12la" default:"rdm6300"`
	Scanner   string        `help:"Chemin du lecteur de codes." default:"run/scanner"`
	Suffix    string        `help:"Ce que le lecteur de codes ajoute à la fin ; \\r et \\n comme en Go." default:"\\r"`
	Card      string        `help:"Dossier de pcscd, avec sa socket pcscd.comm (chemin court)." default:"run/pcsc"`
	Office    string        `help:"Dossier de l’imprimante A4 ; les documents imprimés vont dans printed/." default:"run/office"`
	IPP       int           `name:"ipp" help:"Port TCP de l’imprimante A4." default:"8631"`
	Control   string        `help:"Socket Unix qui prend les ordres « APPAREIL ORDRE », un par ligne." default:"run/desk.ctl"`
	Page      string        `help:"Adresse de la page web, sur cette machine seulement." default:"127.0.0.1:8090"`
	Without   []string      `help:"Appareils à laisser de côté : rfid, scanner, card, office, page." enum:"rfid,scanner,card,office,page" placeholder:"APPAREIL,…"`
	thermalFlags
}

func (c *deskCmd) Help() string {
	return fmt.Sprintf(`Ordres, précédés du nom de l’appareil (« printer paper out ») :

printer : %s.

rfid : %s, unplug, plug.

scanner : %s, unplug, plug.

card : %s.

office : %s.`, sim.Orders, sim.RFIDOrders, sim.ScannerOrders, sim.CardOrders, sim.OfficeOrders)
}

// Validate refuses a page that others could reach.
func (c *deskCmd) Validate() error {
	if err := c.thermalFlags.Validate(); err != nil {
		return err
	}
	return page.CheckAddr(c.Page)
}

// desk is what is on the desk, and how to clear it.
type desk struct {
	bench sim.Bench
	clear []func() error // last first
}

// Close clears the desk.
func (d *desk) Close() error {
	var err error
	for _, f := range slices.Backward(d.clear) {
		err = errors.Join(err, f())
	}
	return err
}

// plug puts a device at the end of a line on the desk.
func (d *desk) plug(name string, device sim.Hand, line sim.Line) error {
	if err := line.Plug(); err != nil {
		return err
	}
	d.bench[name] = sim.Wired{Device: device, Line: line}
	d.clear = append(d.clear, line.Close)
	return nil
}

// Run keeps the desk until the context ends.
func (c *deskCmd) Run(ctx context.Context) (err error) {
	d := &desk{bench: make(sim.Bench)}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := c.lines(d); err != nil {
		return err
	}
	// Those that need other programs are left out without them.
	for name, start := range map[string]func(context.Context, *desk) error{"card": c.pcscd, "office": c.ipp} {
		if slices.Contains(c.Without, name) {
			continue
		}
		if err := start(ctx, d); err != nil {
			log.Printf("%s laissé de côté : %v", name, err)
		}
	}
	socket, err := listen(ctx, c.Control)
	if err != nil {
		return err
	}
	log.Printf("ordres sur %s", c.Control)
	if slices.Contains(c.Without, "page") {
		return sim.Serve(ctx, socket, d.bench)
	}
	stop, err := c.serve(d)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	d.clear = append(d.clear, stop)
	return sim.Serve(ctx, socket, d.bench)
}

// lines puts the devices on the desk that hang on a line.
func (c *deskCmd) lines(d *desk) error {
	thermal, err := c.thermal(c.Out)
	if err != nil {
		return err
	}
	cable := sim.NewCable(c.Printer, thermal)
	if err := d.plug("printer", &sim.Desk{Thermal: thermal, Cable: cable}, cable); err != nil {
		return err
	}
	log.Printf("imprimante à tickets sur %s", c.Printer)
	if !slices.Contains(c.Without, "rfid") {
		rfid := sim.NewRFID(c.RFIDModel)
		d.clear = append(d.clear, rfid.Close)
		if err := d.plug("rfid", rfid, sim.NewCable(c.RFID, rfid)); err != nil {
			return err
		}
		log.Printf("lecteur de badges sur %s", c.RFID)
	}
	if !slices.Contains(c.Without, "scanner") {
		scanner := sim.NewScanner("", strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(c.Suffix))
		if err := d.plug("scanner", scanner, sim.NewCable(c.Scanner, scanner)); err != nil {
			return err
		}
		log.Printf("lecteur de codes sur %s", c.Scanner)
	}
	return nil
}

// pcscd puts a reader of smart cards on the desk.
func (c *deskCmd) pcscd(ctx context.Context, d *desk) error {
	dir, err := filepath.Abs(c.Card)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	p, err := sim.StartPCSCD(ctx, dir)
	if err != nil {
		return err
	}
	d.bench["card"] = p.Slots[0]
	d.clear = append(d.clear, p.Stop)
	log.Printf("lecteur de cartes à puce : PCSCLITE_CSOCK_NAME=%s", p.Socket)
	return nil
}

// ipp puts an A4 printer on the desk.
func (c *deskCmd) ipp(ctx context.Context, d *desk) error {
	o, err := sim.StartOffice(ctx, c.Office, c.IPP)
	if err != nil {
		return err
	}
	d.bench["office"] = o
	d.clear = append(d.clear, o.Close)
	log.Printf("imprimante A4 sur %s, documents dans %s", o.URI(), o.Printed())
	return nil
}

// serve opens the page, and returns how to close it.
func (c *deskCmd) serve(d *desk) (stop func() error, err error) {
	l, err := net.Listen("tcp", c.Page)
	if err != nil {
		return nil, fmt.Errorf("ouvrir la page : %w", err)
	}
	server := &http.Server{Handler: page.New(d.bench, c.Out), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	log.Printf("page sur http://%s/", l.Addr())
	return func() error {
		err := server.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}
