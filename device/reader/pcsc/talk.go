package pcsc

import (
	"context"
	"errors"
	"time"

	"github.com/ebfe/scard"
)

// hung is how long a call may last. The longest that is meant to waits for a
// second.
const hung = 5 * time.Second

var errHung = errors.New("pcscd does not answer")

// talk makes the calls of one Serve, all from one goroutine of its own: where
// pcscd hangs, a call of its library lasts as long, and nothing can end it.
type talk struct {
	calls chan func()
	ended chan struct{} // closed when nothing more is called

	pcscd *scard.Context // belongs to the goroutine
}

func newTalk() *talk {
	t := &talk{calls: make(chan func()), ended: make(chan struct{})}
	go func() {
		defer close(t.ended)
		for call := range t.calls {
			call()
		}
		if t.pcscd != nil {
			_ = t.pcscd.Release() // this frees it even where pcscd has died and it fails
		}
	}()
	return t
}

// end lets go of pcscd, once a call that still lasts has returned.
func (t *talk) end() { close(t.calls) }

// call makes one call and waits for it: until ctx ends, or it has hung too long
// (errHung). In both cases there is nothing more to call.
func call[T any](ctx context.Context, t *talk, do func(*scard.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	t.calls <- func() {
		value, err := do(t.pcscd)
		answered <- answer{value, err}
	}
	late := time.NewTimer(hung)
	defer late.Stop()
	var none T
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-late.C:
		return none, errHung
	}
}

// reach finds pcscd.
func (t *talk) reach(ctx context.Context) error {
	_, err := call(ctx, t, func(*scard.Context) (_ struct{}, err error) {
		t.pcscd, err = scard.EstablishContext()
		return
	})
	return err
}
