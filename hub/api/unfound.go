package api

import (
	"context"
	"net/http"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

type unfoundInput struct {
	ID   string `path:"id"`
	Body message[link.Unfound]
}

// unfound keeps a search that found nothing, or lets go of it.
func (a *API) unfound(ctx context.Context, in *unfoundInput) (*statusOutput, *problem) {
	id, p := parseID(in.ID)
	if p == nil {
		p = in.Body.problem
	}
	if p == nil {
		p = checkUnfound(&in.Body.Value, a.now())
	}
	if p != nil {
		return nil, p
	}
	u := in.Body.Value
	if err := a.store.PutUnfound(ctx, callerOf(ctx).borne, store.Unfound{ID: id, Month: u.Month, Data: u.Data}); err != nil {
		return nil, a.failed(ctx, err)
	}
	return &statusOutput{http.StatusNoContent}, nil
}

// mostMonths is how old a search may be, in months.
const mostMonths = 13

// checkUnfound wants a month that is neither to come, as bornes east of the hub
// have it, nor long over.
func checkUnfound(u *link.Unfound, now time.Time) *problem {
	month, err := time.Parse("2006-01", u.Month)
	switch {
	case err != nil:
		return invalid("Champ « month » : mois attendu, comme « 2026-11 ».")
	case month.After(now.UTC().AddDate(0, 0, 1)):
		return invalid("Champ « month » : il est dans l’avenir.")
	case month.Before(now.UTC().AddDate(0, -mostMonths-1, 0)):
		return invalid("Champ « month » : il date de plus de %d mois.", mostMonths)
	case len(u.Data) == 0:
		return invalid("Champ « data » : la recherche est vide.")
	case len(u.Data) > link.MaxUnfound:
		return invalid("Champ « data » : %d octets au plus.", link.MaxUnfound)
	}
	return nil
}
