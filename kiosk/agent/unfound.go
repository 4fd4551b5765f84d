package agent

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// unfoundEvery is how long searches that found nothing wait on average. What comes
// right after a visit would be known to be of that visit: so they go together, at
// some moment of the next two hours.
const unfoundEvery = time.Hour

// tellingUnfound brings searches that found nothing to the hub, beside all else and
// in nobody's way.
func (a *Agent) tellingUnfound(ctx context.Context) {
	for ctx.Err() == nil {
		a.pulse.beat("unfound", 3*unfoundEvery)
		pause(ctx, scatter(2*a.missed))
		if !a.line.await(ctx, time.Minute) {
			continue
		}
		err := a.tellUnfound(ctx)
		if err != nil && problemOf(err) == nil && ctx.Err() == nil && !errors.Is(err, link.ErrReconnected) {
			a.line.suspect()
		}
	}
}

// tellUnfound delivers the searches that wait, in an order that says nothing. A
// hub that knows of no such thing leaves them for a newer one; what it refuses is
// dropped.
func (a *Agent) tellUnfound(ctx context.Context) error {
	waiting, err := a.o.Store.Unfound(ctx)
	a.trouble(ctx, "recherches en attente", err)
	var over []uuid.UUID
	defer func() { a.forgetUnfound(ctx, over) }()
	for _, u := range waiting {
		a.pulse.beat("unfound", 3*unfoundEvery)
		err := a.o.Client.PutUnfound(ctx, u.ID, link.Unfound{Month: a.monthOf(u.Month), Data: u.Data})
		switch p := problemOf(err); {
		case p != nil && (p.Status == http.StatusNotFound || p.Status == http.StatusMethodNotAllowed):
			return err
		case p != nil && !passing(p):
			if a.refused.first("recherche") {
				a.log.Warn("le hub refuse des recherches sans résultat : elles sont effacées", "problème", p.Type, "statut", p.Status)
			}
		case err != nil:
			return err
		}
		over = append(over, u.ID)
	}
	return nil
}

// forgetUnfound deletes searches that the hub has. What can't be deleted now is
// put and deleted again: the hub knows it.
func (a *Agent) forgetUnfound(ctx context.Context, ids []uuid.UUID) {
	if len(ids) == 0 {
		return
	}
	err := a.o.Store.DeleteUnfound(context.WithoutCancel(ctx), ids...)
	if !errors.Is(err, store.ErrLocked) { // they are gone, and sealed what of them is left for a while
		a.trouble(ctx, "recherches transmises, non effacées", err)
	}
}

// monthOf is the hub's month for one of the borne's clock, which may be off. The
// middle of a month stands for it.
func (a *Agent) monthOf(month string) string {
	const form = "2006-01"
	at, err := time.Parse(form, month)
	if err != nil {
		return month
	}
	skew, now := a.clock.skew(), a.clock.now()
	if skew.Abs() <= wrongDay {
		return month
	}
	at = at.AddDate(0, 0, 14).Add(-skew)
	if at.After(now) {
		at = now
	}
	return at.Format(form)
}
