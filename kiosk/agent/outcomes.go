package agent

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

const (
	outcomesAnyway = 15 * time.Second
	refusedOutcome = time.Hour
)

// answering tells the hub what became of its commands, until it knows.
func (a *Agent) answering(ctx context.Context) {
	rest := make(map[uuid.UUID]time.Time)
	back := newBackoff()
	back.Reset()
	for ctx.Err() == nil {
		a.pulse.beat("outcomes", time.Hour)
		if !a.line.await(ctx, time.Minute) {
			continue
		}
		err := a.answer(ctx, rest)
		switch p := problemOf(err); {
		case err == nil:
			back.Reset()
			a.ended.wait(ctx, outcomesAnyway)
		case ctx.Err() != nil, errors.Is(err, link.ErrReconnected):
		case p != nil && !standing(p):
			pause(ctx, max(p.RetryAfter, back.NextBackOff()))
		default:
			a.line.suspect()
			pause(ctx, back.NextBackOff())
		}
	}
}

func (a *Agent) answer(ctx context.Context, rest map[uuid.UUID]time.Time) error {
	errands, err := a.o.Store.Errands(ctx)
	a.trouble(ctx, "commandes", err)
	for _, e := range errands {
		if e.State == "" || time.Now().Before(rest[e.ID]) || a.awaited(ctx, e.ID) {
			continue
		}
		if !isLocal(e.ID) {
			if err := a.putOutcome(ctx, e, rest); err != nil {
				return err
			}
			if !rest[e.ID].IsZero() {
				continue
			}
		}
		a.trouble(ctx, "commande finie, non oubliée", a.o.Store.ForgetErrand(ctx, e.ID, a.o.Now()))
	}
	return nil
}

// awaited reports whether a trial waits for what comes of an errand.
func (a *Agent) awaited(ctx context.Context, id uuid.UUID) bool {
	if !isLocal(id) {
		return false
	}
	t, err := a.trial(ctx)
	return err != nil || t.Errand == id
}

// putOutcome tells the hub one outcome. One that the hub refuses rests.
func (a *Agent) putOutcome(ctx context.Context, e store.Errand, rest map[uuid.UUID]time.Time) error {
	o := link.Outcome{State: link.OutcomeState(e.State), Why: oneLine(e.Why), FileType: e.FileType, File: e.File}
	err := a.o.Client.PutOutcome(ctx, e.ID, o)
	p := problemOf(err)
	if p != nil && !passing(p) && p.Type != link.ProblemUnknown && len(o.File) > 0 {
		a.log.Warn("le hub refuse le fichier d’une commande", "commande", e.ID, "problème", p.Type, "statut", p.Status)
		o = link.Outcome{State: link.Failed, Why: "Le hub n’a pas pris le fichier."}
		err = a.o.Client.PutOutcome(ctx, e.ID, o)
		p = problemOf(err)
	}
	switch {
	case p != nil && p.Type == link.ProblemUnknown:
		err = nil // the hub no longer wants to know
	case p != nil && !passing(p):
		a.log.Error("le hub refuse le résultat d’une commande", "commande", e.ID, "problème", p.Type, "statut", p.Status)
		rest[e.ID] = time.Now().Add(refusedOutcome)
		return nil
	}
	if err == nil {
		delete(rest, e.ID)
		a.told.ring()
	}
	return err
}
