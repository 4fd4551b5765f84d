// Package callbacks is the mediators' queue: requests to be called back, in the
// order in which somebody should call, each taken by one person only. Who asks
// is opened when its holder looks, which the audit log tells, and never before.
package callbacks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/alerts"
	"parvis/hub/seal"
	"parvis/hub/store"
)

// Options say what a queue needs.
type Options struct {
	Store  *store.Store
	Key    *seal.Key
	Alerts *alerts.Alerts   // by which deadlines are told and text messages sent; nil: neither
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: slog.Default
}

// Queue is the mediators' queue. It is safe for concurrent use, and any number
// of hubs may have the same one open: nothing of it is in memory.
type Queue struct {
	Options
	identity *age.X25519Identity // opens what bornes seal
	secret   []byte              // see mark
}

// New opens the queue of a store. Errors: seal.ErrOtherKey.
func New(ctx context.Context, o Options) (*Queue, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	identity, err := o.Key.CallbackIdentity(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	secret, err := o.Key.Once(ctx, o.Store, "callback.same", func() ([]byte, error) {
		secret := make([]byte, 32)
		_, err := rand.Read(secret)
		return secret, err
	})
	if err != nil {
		return nil, err
	}
	return &Queue{Options: o, identity: identity, secret: secret}, nil
}

// Actor is who does something.
type Actor struct {
	ID, Name string
	Address  string // where from, for the audit log; may be empty
}

// Ref names a request as somebody has seen it: what is done to it counts only
// if nobody has changed it since.
type Ref struct {
	ID       uuid.UUID
	Revision int64
}

// Errors that callers tell people of. Further ones are TakenError and
// FieldError.
var (
	// ErrGone says that a request is deleted, or was never there.
	ErrGone = errors.New("cette demande n’existe plus")
	// ErrState says that a request has changed since it was shown, or that what
	// was asked for is not done to one that stands as it does.
	ErrState = errors.New("cette demande a changé entre-temps")
	// ErrSealed says that a request is sealed to another hub's key.
	ErrSealed = errors.New("cette demande est scellée pour une autre clé : ce hub ne peut pas l’ouvrir")
)

// TakenError says that somebody else has a request. Name is empty where the
// account is gone: then a colleague takes it over.
type TakenError struct{ ID, Name string }

func (e *TakenError) Error() string {
	if e.Name == "" {
		return "demande déjà prise"
	}
	return "demande déjà prise par " + e.Name
}

// FieldError says what is wrong with something that a person has filled in.
type FieldError struct{ Field, Message string }

func (e *FieldError) Error() string { return e.Field + " : " + e.Message }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// gone tells ErrGone from trouble with the store.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrGone
	}
	return err
}
