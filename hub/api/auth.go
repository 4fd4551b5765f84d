package api

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// byCertificate is the one way to say who one is; an operation without it is
// open to all.
const byCertificate = "certificat"

// evenExpired, in an operation's metadata, lets a borne in whose certificate is
// too old for anything else.
const evenExpired = "evenExpired"

// caller is the borne that a request comes from.
type caller struct {
	borne   string
	serial  string // of the certificate it came with
	address string // where it comes from, without port
	cert    *x509.Certificate
}

type (
	callerKey struct{}
	peerKey   struct{}
)

// peer is who is at the other end of a connection, found out once: checking a
// signature at each report would be half of the hub's work.
type peer struct {
	once   sync.Once
	caller caller
	err    error
}

// withPeer gives every connection its peer.
func withPeer(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, new(peer))
}

var errNoCertificate = errors.New("no certificate")

// identify tells which borne a request comes from, by its certificate alone.
func (a *API) identify(r *http.Request) (caller, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return caller{}, errNoCertificate
	}
	p, ok := r.Context().Value(peerKey{}).(*peer)
	if !ok {
		p = new(peer) // not our own server: check at each request
	}
	p.once.Do(func() {
		cert := r.TLS.PeerCertificates[0]
		p.err = ca.VerifyClient(cert, a.authority.Certificate())
		p.caller = caller{cert.Subject.CommonName, ca.Serial(cert), addressOf(r).String(), cert}
	})
	return p.caller, p.err
}

// authorise lets bornes through that the hub knows and has not shut out, with
// a certificate that is still good. It asks the store at each request: another
// hub may have revoked the borne a moment ago.
func (a *API) authorise(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	if len(op.Security) == 0 {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	c, err := a.identify(r)
	if err != nil {
		a.refuse(w, r, noCertificate())
		return
	}
	if p := a.admit(r.Context(), c); p != nil && !(renews(op) && p.Type == link.ProblemExpired) {
		a.refuse(w, r, p)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, c))
}

func renews(op *huma.Operation) bool { return op.Metadata[evenExpired] != nil }

// admit reports why a borne is not let in, or nil. It asks the store.
func (a *API) admit(ctx context.Context, c caller) *problem {
	id, err := a.store.Identity(ctx, c.borne)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return revoked()
	case err != nil:
		return a.failed(ctx, err)
	case id.Revoked:
		return revoked()
	case !id.Trusts(c.serial):
		return a.untrusted(ctx, c)
	case a.now().After(c.cert.NotAfter):
		return expired()
	}
	return nil
}

// untrusted is for a certificate that the hub made and does not know. One from
// before the borne was last enrolled is of the machine that stood there then.
// One from after was made since the backup that this hub was restored from: the
// borne is to ask for another.
func (a *API) untrusted(ctx context.Context, c caller) *problem {
	b, err := a.store.Borne(ctx, c.borne)
	switch {
	case err != nil:
		return a.failed(ctx, err)
	case c.cert.NotBefore.After(b.Enrolled):
		return expired()
	}
	return revoked()
}

func callerOf(ctx context.Context) caller { return ctx.Value(callerKey{}).(caller) }

// addressOf is where a request comes from, without port. It is the other end
// of the connection, whatever the request claims.
func addressOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}
