package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"parvis/kiosk/agent/machine"
	"parvis/kiosk/store"
)

// What may lie on the borne's disk. Requests to be called back are never
// dropped; searches that found nothing are first, and counts, the oldest first.
const (
	tidyEvery  = time.Hour
	keepCounts = 62 * 24 * time.Hour // that the hub has
	mostRows   = 20_000              // of counts: about a year without network
	fewRows    = 2_000               // when the disk is full
	diskFull   = 3                   // percent free
)

// tidying keeps the borne's disk from filling up.
func (a *Agent) tidying(ctx context.Context) {
	for ctx.Err() == nil {
		a.pulse.beat("room", 2*tidyEvery)
		a.trouble(ctx, "ménage", a.tidy(ctx))
		began := time.Now()
		a.room.wait(ctx, tidyEvery)
		pause(ctx, time.Until(began.Add(time.Minute))) // however full it is
	}
}

func (a *Agent) tidy(ctx context.Context) error {
	err := a.o.Store.DropCounts(ctx, a.o.Now().Add(-keepCounts), false)
	most := mostRows
	if m, _ := a.o.Machine(); errors.Is(err, store.ErrFull) || m.Disk != machine.Unknown && m.Disk < diskFull {
		most = fewRows
		a.log.Warn("disque presque plein : les recherches sans résultat, les journaux et les vieux comptages s’en vont")
		err = errors.Join(a.o.Store.DropUnfound(ctx), a.dropLogs(), a.dropPacks(ctx))
	}
	return errors.Join(err, a.dropRows(ctx, most))
}

func (a *Agent) dropLogs() error {
	if a.o.DropLogs == nil {
		return nil
	}
	return a.o.DropLogs()
}

// dropRows drops whole days of counts, the oldest first, until most rows are
// left.
func (a *Agent) dropRows(ctx context.Context, most int) error {
	var always, never time.Time
	never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	counts, err := a.o.Store.Counts(ctx, always, never)
	if err != nil {
		return err
	}
	devices, err := a.o.Store.DeviceCounts(ctx, always, never)
	if err != nil {
		return err
	}
	var days []string
	for _, c := range counts {
		days = append(days, c.Day)
	}
	for _, c := range devices {
		days = append(days, c.Day)
	}
	if len(days) <= most {
		return nil
	}
	slices.Sort(days)
	before, err := time.Parse(time.DateOnly, days[len(days)-most])
	if err != nil {
		return err
	}
	a.log.Warn("vieux comptages effacés", "avant", before.Format(time.DateOnly))
	return a.o.Store.DropCounts(ctx, before, true)
}
