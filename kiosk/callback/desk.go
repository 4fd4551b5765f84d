package callback

import (
	"context"
	"errors"
	"fmt"

	"filippo.io/age"

	"parvis/kiosk/store"
)

// Desk takes requests: it seals each to the hub and puts it into the borne's
// outbox.
type Desk struct {
	Store      *store.Store
	Recipients []age.Recipient
	// OnlyHub is the hub's public key where it is the only recipient: no other
	// hub can do anything with such a request. Empty otherwise.
	OnlyHub string
}

// ErrNotKept says that a request was not stored: the resident must be told so.
// It wraps why: store.ErrFull, store.ErrLocked …
var ErrNotKept = errors.New("la demande de rappel n’est pas gardée")

// maxDraws bounds the search for a free code. With a thousand requests waiting
// one draw in six thousand meets a code in use.
const maxDraws = 20

// Send keeps the request and returns its code. Only when the error is nil is
// the request on the disk, sealed; the resident may then be told "C’est noté".
// The code is r.Code, or a new one when another request in the outbox bears
// that. Sending the same ID again succeeds and keeps it once: to try again
// after an error, send the same request.
//
// Errors: *FieldError, ErrNoKey, or ErrNotKept.
func (d *Desk) Send(ctx context.Context, r Request) (code string, err error) {
	if err := r.Validate(); err != nil {
		return "", err
	}
	if len(d.Recipients) == 0 {
		return "", ErrNoKey
	}
	for range maxDraws {
		err := d.keep(ctx, r)
		if err == nil {
			return r.Code, nil
		}
		if !errors.Is(err, store.ErrDuplicateCode) {
			return "", fmt.Errorf("%w : %w", ErrNotKept, err)
		}
		r.Code = NewCode()
	}
	return "", fmt.Errorf("%w : %w", ErrNotKept, store.ErrDuplicateCode)
}

func (d *Desk) keep(ctx context.Context, r Request) error {
	sealed, err := Seal(r, d.Recipients)
	if err != nil {
		return err
	}
	return d.Store.PutCallback(ctx, store.Sealed{ID: r.ID, Code: r.Code, Created: r.Created, Data: sealed, OnlyFor: d.OnlyHub})
}
