package callbacks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/crypto/chacha20poly1305"

	"parvis/hub/store"
	"parvis/kiosk/callback"
)

// newKey draws the key of one request.
func newKey() []byte {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key) // never fails
	return key
}

// errNoKey says that a request has lost its key: what it held is gone.
var errNoKey = errors.New("la clé de cette demande est effacée")

// lock encrypts with the key of a request. What it is for goes into the seal,
// so that no text can pass for another.
func lock(key, plain []byte, what string) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("callbacks: %w", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, plain, []byte(what)), nil
}

// unlock decrypts what lock gave.
func unlock(key, locked []byte, what string) ([]byte, error) {
	if len(key) == 0 {
		return nil, errNoKey
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("callbacks: %w", err)
	}
	if len(locked) < aead.NonceSize() {
		return nil, errors.New("callbacks: cut")
	}
	plain, err := aead.Open(nil, locked[:aead.NonceSize()], locked[aead.NonceSize():], []byte(what))
	if err != nil {
		return nil, fmt.Errorf("callbacks: %s: %w", what, err)
	}
	return plain, nil
}

func forData(id uuid.UUID) string { return "demande " + id.String() }
func forNote(id uuid.UUID) string { return "note " + id.String() }

// Sealed gives a request back as its borne sealed it.
func Sealed(c store.Callback) ([]byte, error) {
	if c.State == store.CallbackRaw {
		return c.Data, nil
	}
	return unlock(c.Key, c.Data, forData(c.ID))
}

// open opens who asks.
func (q *Queue) open(c store.Callback) (callback.Request, error) {
	data, err := Sealed(c)
	if err != nil {
		return callback.Request{}, err
	}
	r, err := callback.Unseal(data, q.identity)
	if err != nil {
		return callback.Request{}, fmt.Errorf("%w (%w)", ErrSealed, err)
	}
	return r, nil
}

// mark turns a label's mark of whoever asks into what may be kept: without the
// hub's secret, nobody can try numbers against it.
func (q *Queue) mark(same []byte) []byte {
	mac := hmac.New(sha256.New, q.secret)
	mac.Write(same)
	return mac.Sum(nil)[:8]
}
