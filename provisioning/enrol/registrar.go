package enrol

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// ErrUnknown is what a Registry answers when there is no such borne, or no code
// that is good for it.
var ErrUnknown = errors.New("unknown borne or code")

// Borne is what the hub knows of a borne's identity.
type Borne struct {
	ID      string
	Site    string // its name, for people
	Revoked bool
	Newest  string    // serial of the newest certificate
	Ends    time.Time // of the newest certificate
	Used    string    // serial of the certificate it last came with
}

// Registry is where a hub keeps who its bornes are.
type Registry interface {
	// Redeem makes a borne of a one-time code, by the hash of its secret, for
	// the key with this hash, and notes the certificate it will get. With the
	// same key again it gives the same borne. Errors: ErrUnknown.
	Redeem(ctx context.Context, code, key []byte, g ca.Grant, now time.Time) (Borne, error)
	// Borne returns what is known of a borne. Errors: ErrUnknown.
	Borne(ctx context.Context, id string) (Borne, error)
	// Note notes a borne's next certificate. Errors: ErrUnknown.
	Note(ctx context.Context, id string, key []byte, g ca.Grant, now time.Time) error
	// Cloned raises the alert that two machines use one borne's identity.
	Cloned(ctx context.Context, id string, now time.Time) error
}

// Registrar grants bornes their certificates. What it refuses is a
// *link.Problem; other errors are the hub's own.
type Registrar struct {
	Authority *ca.Authority
	Registry  Registry
	// Recipient is the public key that requests to be called back are sealed to.
	// It must not change: a borne keeps requests back that only another can open.
	Recipient string
	// Life is that of a borne's certificate; 0 for ca.DefaultLife. It must not be
	// made shorter later: of two certificates, the one that ends later is newer.
	Life time.Duration
}

// Register answers a borne that shows a one-time code. Problems: ProblemToken,
// ProblemInvalid.
func (r *Registrar) Register(ctx context.Context, q link.EnrolRequest, now time.Time) (link.Enrolled, error) {
	request, err := ca.ParseRequest(q.CSR)
	if err != nil {
		return link.Enrolled{}, invalid(err)
	}
	g := r.grant(now)
	b, err := r.Registry.Redeem(ctx, hashSecret(q.Secret), request.KeyHash(), g, now)
	if errors.Is(err, ErrUnknown) {
		return link.Enrolled{}, refusedCode()
	}
	if err != nil {
		return link.Enrolled{}, fmt.Errorf("enrol a borne: %w", err)
	}
	return r.issue(request, b, g, now)
}

// Renew answers a borne that comes with a certificate, which may have ended,
// and asks for the next. A certificate whose successor has been in use is
// refused, and raises the alert: a borne uses the new one only when it is on its
// disk, so this is a copy. The caller lets nobody in with a certificate from
// before the borne was last enrolled. Problems: ProblemRevoked, ProblemInvalid.
func (r *Registrar) Renew(ctx context.Context, cert *x509.Certificate, q link.RenewRequest, now time.Time) (link.Enrolled, error) {
	id, serial, _, err := r.Authority.VerifyClient(cert, now)
	if err != nil {
		return link.Enrolled{}, revoked("Ce certificat ne vient pas de ce hub.")
	}
	b, err := r.Registry.Borne(ctx, id)
	if errors.Is(err, ErrUnknown) || err == nil && b.Revoked {
		return link.Enrolled{}, revoked("Cette borne n’est pas, ou n’est plus, connue du hub.")
	}
	if err != nil {
		return link.Enrolled{}, fmt.Errorf("renew %s: %w", id, err)
	}
	// A hub restored from a backup may know only certificates older than this.
	if serial != b.Newest && b.Used == b.Newest && !cert.NotAfter.After(b.Ends) {
		if err := r.Registry.Cloned(ctx, id, now); err != nil {
			return link.Enrolled{}, fmt.Errorf("renew %s: %w", id, err)
		}
		return link.Enrolled{}, revoked("Ce certificat a été remplacé, et son remplaçant sert déjà : deux machines utilisent la même identité. Enrôlez la borne de nouveau.")
	}
	request, err := ca.ParseRequest(q.CSR)
	if err != nil {
		return link.Enrolled{}, invalid(err)
	}
	g := r.grant(now)
	err = r.Registry.Note(ctx, id, request.KeyHash(), g, now)
	if errors.Is(err, ErrUnknown) {
		return link.Enrolled{}, revoked("Cette borne n’est pas, ou n’est plus, connue du hub.")
	}
	if err != nil {
		return link.Enrolled{}, fmt.Errorf("renew %s: %w", id, err)
	}
	return r.issue(request, b, g, now)
}

func (r *Registrar) grant(now time.Time) ca.Grant {
	life := r.Life
	if life == 0 {
		life = ca.DefaultLife
	}
	return ca.NewGrant(now, life)
}

func (r *Registrar) issue(request *ca.Request, b Borne, g ca.Grant, now time.Time) (link.Enrolled, error) {
	chain, err := r.Authority.Client(request, b.ID, g)
	if err != nil {
		return link.Enrolled{}, err
	}
	return link.Enrolled{
		Borne:     b.ID,
		Site:      b.Site,
		Chain:     chain,
		Authority: r.Authority.Certificate().Raw,
		Recipient: r.Recipient,
		Now:       now.UnixMilli(),
	}, nil
}

// refusedCode says the same whatever is wrong: somebody who guesses learns nothing.
func refusedCode() *link.Problem {
	return &link.Problem{
		Type: link.ProblemToken, Status: http.StatusForbidden, Title: "Code refusé",
		Detail: "Ce code est inconnu, périmé, retiré ou déjà utilisé. Demandez-en un nouveau au service qui tient le hub.",
	}
}

func revoked(why string) *link.Problem {
	return &link.Problem{Type: link.ProblemRevoked, Status: http.StatusForbidden, Title: "Borne refusée", Detail: why}
}

func invalid(err error) *link.Problem {
	return &link.Problem{Type: link.ProblemInvalid, Status: http.StatusUnprocessableEntity, Title: "Demande refusée", Detail: err.Error()}
}
