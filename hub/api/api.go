// Package api is the hub's side of what bornes and the hub tell each other: it
// takes their reports and requests to be called back, hands out commands and
// content, and enrols. It describes itself as OpenAPI 3.1 and keeps everything
// in the store, so that any hub can answer any borne.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"parvis/hub/apt"
	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// mostDownloads is how many archives a hub hands out at once.
const mostDownloads = 128

// Options are what an API needs. Store, Authority and Recipient must be there.
type Options struct {
	Store     *store.Store
	Authority *ca.Authority
	Recipient string           // age public key that requests to be called back are sealed to
	Life      time.Duration    // of a borne's certificate; 0 for ca.DefaultLife
	Log       *slog.Logger     // slog.Default() where nil
	Now       func() time.Time // time.Now where nil
	Version   string           // of the program, for the description
	Observer  Observer         // nobody where nil
	Apt       *apt.Repository  // of packages for bornes; none where nil
	// Callbacks takes requests to be called back into the mediators' queue. Where
	// nil they are kept as they come, for a hub that has a queue.
	Callbacks *callbacks.Queue
}

// API answers bornes.
type API struct {
	store     *store.Store
	authority *ca.Authority
	log       *slog.Logger
	now       func() time.Time
	registrar *enrol.Registrar
	attempts  attempts
	holder    string // this hub's name for leases

	handler  http.Handler
	docs     *docs
	intake   *intake
	held     *held
	observer Observer
	apt      *apt.Repository
	queue    *callbacks.Queue
	// downloads has a slot for each that is under way: each takes memory for a
	// piece of the content.
	downloads chan struct{}

	ready atomic.Bool // listens, and is not about to stop
}

// New makes an API. Nothing runs before Serve.
func New(o Options) *API {
	a := &API{
		store: o.Store, authority: o.Authority, log: o.Log, now: o.Now,
		registrar: &enrol.Registrar{Authority: o.Authority, Registry: registry{o.Store}, Recipient: o.Recipient, Life: o.Life},
		held:      newHeld(), observer: o.Observer, apt: o.Apt, queue: o.Callbacks,
		downloads: make(chan struct{}, mostDownloads), holder: uuid.NewString(),
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.observer == nil {
		a.observer = nobody{}
	}
	a.intake = newIntake(a.store, a.log, a.observer)
	a.handler, a.docs = a.routes(o.Version)
	return a
}

// Handler answers what comes on the bornes' port. Requests but for enrolment
// must come over TLS, with the certificate of a borne.
func (a *API) Handler() http.Handler { return a.handler }

// Docs serves the description of this API for people: /openapi.json,
// /openapi.yaml and the page /docs. The bornes' port serves it too.
func (a *API) Docs() http.Handler { return a.docs }

// Live says that the process runs, for /healthz.
func (a *API) Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerHealth(w, http.StatusOK, "ok") })
}

// Ready says whether this hub serves bornes: it listens, is not about to stop,
// and its database answers; for /readyz.
func (a *API) Ready() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		switch {
		case !a.ready.Load():
			answerHealth(w, http.StatusServiceUnavailable, "le hub n’écoute pas, ou s’arrête")
		case a.store.Ping(ctx) != nil:
			answerHealth(w, http.StatusServiceUnavailable, "la base ne répond pas")
		default:
			answerHealth(w, http.StatusOK, "ok")
		}
	})
}

func answerHealth(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n")) // who asked may be gone
}
