package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parvis/device"
	"parvis/kiosk/link"
	"parvis/provisioning/enrol"
)

type reportCmd struct {
	Hubs   []string      `arg:"" help:"Adresses des hubs : hôte:port ; les bornes se partagent entre eux."`
	Dir    string        `required:"" type:"existingdir" help:"Dossier des identités."`
	Bornes int           `help:"Combien de bornes ; sinon toutes."`
	Ramp   time.Duration `default:"60s" help:"Durée sur laquelle elles se connectent."`
	For    time.Duration `default:"3m" help:"Durée de la mesure, ensuite."`
	Late   time.Duration `default:"1s" help:"Un rapport est en retard quand sa réponse vient plus tard que cela après l’heure prévue."`
	PID    []int         `placeholder:"PID" help:"Processus des hubs, dont mesurer le temps de calcul et la mémoire."`
}

// Run makes the bornes report, and prints what was measured.
func (c *reportCmd) Run(ctx context.Context) error {
	folders, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	if c.Bornes == 0 {
		c.Bornes = len(folders)
	}
	if c.Bornes > len(folders) {
		return fmt.Errorf("--bornes=%d : %s n’a que %d identités", c.Bornes, c.Dir, len(folders))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &figures{late: c.Late}
	began := time.Now()
	f.from = began.Add(c.Ramp + link.Every) // everyone has reported once by then
	f.until = f.from.Add(c.For)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for i, folder := range folders[:c.Bornes] {
		id, err := enrol.Load(filepath.Join(c.Dir, folder.Name()))
		if err != nil {
			return err
		}
		client, err := link.NewClient(link.ClientOptions{Hub: c.Hubs[i%len(c.Hubs)], TLS: id.TLS()})
		if err != nil {
			return err
		}
		start := began.Add(time.Duration(i) * c.Ramp / time.Duration(c.Bornes))
		b := &borne{client: client, figures: f, n: i}
		all.Go(func() {
			defer client.Close()
			b.live(ctx, start)
		})
	}
	if !until(ctx, f.from) {
		return ctx.Err()
	}
	before, err := readProcesses(c.PID)
	if err != nil {
		return err
	}
	if !until(ctx, f.until) {
		return ctx.Err()
	}
	after, err := readProcesses(c.PID)
	if err != nil {
		return err
	}
	f.print(c.Bornes, c.For, before, after)
	return f.verdict()
}

// until waits for a time, and reports whether it came before ctx ended.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// borne is one pretend borne.
type borne struct {
	client  *link.Client
	figures *figures
	n       int
}

// live reports every thirty seconds from start on, and holds a request for
// commands open, until ctx ends.
func (b *borne) live(ctx context.Context, start time.Time) {
	var both sync.WaitGroup
	defer both.Wait()
	run := make([]byte, 8)
	rand.Read(run) // never fails
	due := start
	for seq := uint64(1); until(ctx, due); seq++ {
		_, err := b.client.Report(ctx, b.report(run, seq))
		if ctx.Err() != nil {
			return
		}
		b.figures.note(due, time.Since(due), err)
		if seq == 1 {
			both.Go(func() { b.hold(ctx) })
		}
		due = due.Add(link.Every)
	}
}

// hold keeps a request for commands open.
func (b *borne) hold(ctx context.Context) {
	for ctx.Err() == nil {
		b.figures.held.Add(1)
		_, err := b.client.Commands(ctx, link.Wait)
		b.figures.held.Add(-1)
		if err != nil && ctx.Err() == nil && !errors.Is(err, link.ErrReconnected) {
			b.figures.lost.Add(1)
			until(ctx, time.Now().Add(time.Second+mathrand.N(4*time.Second)))
		}
	}
}

// report is what a borne of a busy town hall says: four devices, and every
// other time a visit.
func (b *borne) report(run []byte, seq uint64) link.Report {
	now := time.Now()
	since := now.Add(-8 * time.Hour).Unix()
	r := link.Report{
		Run: run, Seq: seq, At: now.UnixMilli(), Version: "1.0.0", Uptime: int64(seq) * 30, App: link.AppIdle,
		Devices: []link.Device{
			{Name: "imprimante", Kind: device.TicketPrinter, State: device.Online, Paper: device.PaperFull, Since: since},
			{Name: "imprimante-a4", Kind: device.OfficePrinter, State: device.Online, Paper: device.PaperFull, Since: since},
			{Name: "lecteur-1", Kind: device.CardReader, State: device.Online, Since: since},
			{Name: "son", Kind: device.Sound, State: device.Online, Since: since},
		},
		Disk: 71, Temp: 48, Load: 12 + b.n%20,
	}
	if visits := int(seq) / 2; seq%2 == 0 {
		r.App = link.AppServing
		r.Counts = map[string]map[string]int{now.Format(time.DateOnly): {
			"visit": visits, "visit.h" + now.Format("15"): visits, "device.imprimante.pages": visits,
		}}
	}
	return r
}
