// Package coop tells programs what mediators have done, in the words of the
// national Coop de la médiation numérique: nothing of any resident, no note and
// no colleague. It describes itself as OpenAPI 3.1.
package coop

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"parvis/hub/access"
	"parvis/hub/callbacks"
	"parvis/kiosk/hours"
)

// Prefix is where the API stands on the console's address.
const Prefix = "/api/coop/"

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
	byToken     = "jeton"
)

// Options are what the API needs.
type Options struct {
	Callbacks *callbacks.Queue
	Tokens    *access.Tokens
	Log       *slog.Logger // nil: slog.Default
	Version   string       // of the program, for the description
}

// api answers programs.
type api struct{ Options }

// New makes the API, for all that is below Prefix.
func New(o Options) (http.Handler, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &api{o}
	mux := http.NewServeMux()
	h := humago.New(mux, huma.Config{
		OpenAPI:       describe(o.Version),
		Formats:       map[string]huma.Format{typeJSON: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: typeJSON,
	})
	h.UseMiddleware(a.authorise)
	huma.Register(h, operation(h.OpenAPI()), a.activities)
	if err := a.serveDescription(mux, h.OpenAPI()); err != nil {
		return nil, err
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, newProblem(http.StatusNotFound, "unknown", "Introuvable", "Rien ne se trouve à cette adresse, ou pas par cette méthode."))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	}), nil
}

// authorise lets programs through whose token has the scope.
func (a *api) authorise(ctx huma.Context, next func(huma.Context)) {
	_, w := humago.Unwrap(ctx)
	scheme, secret, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="parvis"`)
		writeProblem(w, newProblem(http.StatusUnauthorized, "token", "Jeton absent", "La demande doit porter l’en-tête « Authorization: Bearer » suivi du jeton."))
		return
	}
	t, err := a.Tokens.Open(ctx.Context(), strings.TrimSpace(secret))
	switch {
	case errors.Is(err, access.ErrUnknown):
		w.Header().Set("WWW-Authenticate", `Bearer realm="parvis", error="invalid_token"`)
		writeProblem(w, newProblem(http.StatusUnauthorized, "token", "Jeton refusé", "Ce jeton est inconnu ou révoqué : demandez-en un autre à l’administration de Parvis."))
	case err != nil:
		writeProblem(w, a.internal(ctx.Context(), err))
	case t.Scope != access.Coop:
		w.Header().Set("WWW-Authenticate", `Bearer realm="parvis", error="insufficient_scope", scope="`+access.Coop+`"`)
		writeProblem(w, newProblem(http.StatusForbidden, "scope", "Portée insuffisante", "Ce jeton ne permet pas de lire les activités : il faut la portée « "+access.Coop+" »."))
	default:
		next(ctx)
	}
}

type activitiesInput struct {
	From string `query:"du" doc:"Premier jour de la période, celui de Paris : 2026-11-01." example:"2026-11-01"`
	To   string `query:"au" doc:"Dernier jour de la période, compris : 2026-11-30." example:"2026-11-30"`
	Page string `query:"page" doc:"« suivant » de la page d’avant ; sans lui, la première page."`
}

type activitiesOutput struct{ Body page }

type page struct {
	Activities []activity `json:"activites" nullable:"false" doc:"Activités, la dernière d’abord. Une page peut être vide sans être la dernière."`
	Next       string     `json:"suivant,omitempty" doc:"À redonner comme « page » pour lire la suite ; absent de la dernière page."`
}

// activities lists what mediators have done in a period.
func (a *api) activities(ctx context.Context, in *activitiesInput) (*activitiesOutput, error) {
	from, to, err := period(in.From, in.To)
	if err != nil {
		return nil, err
	}
	items, next, err := a.Callbacks.ClosedBetween(ctx, callbacks.Filter{Page: in.Page}, from, to)
	if wrong := new(callbacks.FieldError); errors.As(err, &wrong) {
		return nil, invalid("page : " + wrong.Message)
	}
	if err != nil {
		return nil, a.internal(ctx, err)
	}
	out := page{Activities: []activity{}, Next: next}
	for _, i := range items {
		if helped(i.Outcome) {
			out.Activities = append(out.Activities, activityOf(i))
		}
	}
	return &activitiesOutput{out}, nil
}

// period reads from when on, and until when.
func period(du, au string) (from, to time.Time, err error) {
	for _, d := range []struct {
		name, text string
		into       *time.Time
	}{{"du", du, &from}, {"au", au, &to}} {
		if *d.into, err = time.ParseInLocation(time.DateOnly, d.text, hours.Paris); err != nil {
			return from, to, invalid(d.name + " : donnez un jour du calendrier, par exemple 2026-11-21.")
		}
	}
	if to.Before(from) {
		return from, to, invalid("au : le dernier jour est avant le premier.")
	}
	return from, to.AddDate(0, 0, 1), nil
}

// problem is a refusal (RFC 9457).
type problem struct {
	Type   string `json:"type" doc:"urn:parvis:problem: suivi de token, scope, invalid, unknown ou internal."`
	Title  string `json:"title" doc:"Le refus en quelques mots."`
	Status int    `json:"status" doc:"Le code de la réponse HTTP."`
	Detail string `json:"detail" doc:"Ce qui ne va pas, et quoi faire."`
}

func (p *problem) Error() string { return p.Title + " : " + p.Detail }

// GetStatus and ContentType are what huma asks of an error.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is described with GetStatus.
func (p *problem) ContentType(string) string { return typeProblem }

func newProblem(status int, kind, title, detail string) *problem {
	return &problem{"urn:parvis:problem:" + kind, title, status, detail}
}

func invalid(detail string) *problem {
	return newProblem(http.StatusUnprocessableEntity, "invalid", "Demande refusée", detail)
}

// internal writes to the log what is the hub's own fault, under a number that
// the problem tells.
func (a *api) internal(ctx context.Context, err error) *problem {
	ref := uuid.NewString()[:8]
	if ctx.Err() == nil {
		a.Log.ErrorContext(ctx, "coop", "ref", ref, "err", err)
	}
	return newProblem(http.StatusInternalServerError, "internal", "Erreur du hub", "Le journal du hub en dit plus, au numéro "+ref+".")
}

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", typeProblem)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // who asked may be gone
}
