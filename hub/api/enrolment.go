package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parvis/hub/store"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// registry lets enrolment keep who the bornes are in the store.
type registry struct{ *store.Store }

func (r registry) Redeem(ctx context.Context, code, key []byte, g ca.Grant, now time.Time) (enrol.Borne, error) {
	b, err := r.Enrol(ctx, code, key, store.Certificate{Serial: g.Serial, Ends: g.Ends}, now)
	return identity(b), unknownBorne(err)
}

func (r registry) Borne(ctx context.Context, id string) (enrol.Borne, error) {
	b, err := r.Store.Borne(ctx, id)
	return identity(b), unknownBorne(err)
}

func (r registry) Note(ctx context.Context, id string, key []byte, g ca.Grant, now time.Time) error {
	return unknownBorne(r.Renew(ctx, id, key, store.Certificate{Serial: g.Serial, Ends: g.Ends}, now))
}

func (r registry) Cloned(ctx context.Context, id string, now time.Time) error {
	return unknownBorne(r.SetCloned(ctx, id, now))
}

func identity(b store.Borne) enrol.Borne {
	return enrol.Borne{ID: b.ID, Site: b.Site.Name, Revoked: !b.Revoked.IsZero(), Newest: b.Serial, Ends: b.CertEnds, Used: b.Used}
}

func unknownBorne(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return enrol.ErrUnknown
	}
	return err
}

func (a *API) enrol(ctx context.Context, in *enrolInput) (*enrolOutput, *problem) {
	limit := a.attempts.of(in.address, a.now())
	if limit.TokensAt(a.now()) < 1 {
		return nil, busy(http.StatusTooManyRequests, "Trop de codes essayés depuis cette adresse.", 30*time.Second)
	}
	if p := in.Body.problem; p != nil {
		return nil, p
	}
	given, err := a.registrar.Register(ctx, in.Body.Value, a.now())
	if err != nil {
		limit.AllowN(a.now(), 1)
		return nil, a.failed(ctx, err)
	}
	a.log.Info("borne enrolled", "borne", given.Borne, "address", in.address)
	return &enrolOutput{given}, nil
}

func (a *API) renew(ctx context.Context, in *renewInput) (*enrolOutput, *problem) {
	if p := in.Body.problem; p != nil {
		return nil, p
	}
	given, err := a.registrar.Renew(ctx, callerOf(ctx).cert, in.Body.Value, a.now())
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	return &enrolOutput{given}, nil
}

// attempts bounds how often one address may try a wrong code. It protects this
// process; a code itself is too long to guess. Right codes are not counted: a
// whole city may be enrolled from one desk.
type attempts struct {
	mu    sync.Mutex
	since time.Time
	by    map[netip.Prefix]*rate.Limiter
}

const (
	attemptsBurst = 40
	attemptEvery  = 3 * time.Second
	mostAddresses = 10_000
)

// of is the limit of an address. IPv6 addresses count by /64, as one machine
// has them all.
func (t *attempts) of(address netip.Addr, now time.Time) *rate.Limiter {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	from, err := address.Prefix(bits)
	if err != nil {
		from = netip.Prefix{} // no address: they all count as one
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// By then every limiter would be full again.
	if now.Sub(t.since).Abs() > attemptsBurst*attemptEvery || len(t.by) >= mostAddresses {
		t.by, t.since = make(map[netip.Prefix]*rate.Limiter), now
	}
	l := t.by[from]
	if l == nil {
		l = rate.NewLimiter(rate.Every(attemptEvery), attemptsBurst)
		t.by[from] = l
	}
	return l
}
