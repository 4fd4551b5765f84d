// Package cards knows who holds which city card, from a list that the city
// imports: a resident who gave a card's number instead of a telephone's can be
// called back. The list lies in the hub's database only, by keyed marks of the
// numbers and sealed, so that a copy of the database tells nobody's number.
package cards

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"parvis/hub/seal"
	"parvis/hub/store"
)

// Holder is who holds a card. It is never logged.
type Holder struct {
	Phone     string `json:"phone"`                // E.164
	FirstName string `json:"first_name,omitempty"` // may be empty
}

// ErrUnknown says that a card is not in the city's list.
var ErrUnknown = errors.New("cette carte n’est pas dans la liste de la ville")

// List is the city's list in a hub's store. It is safe for concurrent use.
type List struct {
	store *store.Store
	marks []byte // key of the marks
	aead  cipher.AEAD
}

// Open opens the list. Errors: seal.ErrOtherKey.
func Open(ctx context.Context, key *seal.Key, st *store.Store) (*List, error) {
	secret, err := key.Once(ctx, st, "cards", func() ([]byte, error) {
		secret := make([]byte, markKey+chacha20poly1305.KeySize)
		_, err := rand.Read(secret)
		return secret, err
	})
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(secret[markKey:])
	if err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	return &List{st, secret[:markKey], aead}, nil
}

const markKey = 32 // bytes

// block is the size in bytes that every holder is filled up to, so that the
// length of a name doesn't show.
const block = 256

// Resolve tells who holds the card of a number, as a reader or a person gives
// it. Errors: ErrUnknown.
func (l *List) Resolve(ctx context.Context, number string) (Holder, error) {
	mark := l.mark(number)
	sealed, err := l.store.Card(ctx, mark)
	if errors.Is(err, store.ErrNotFound) {
		return Holder{}, ErrUnknown
	}
	if err != nil {
		return Holder{}, err
	}
	if len(sealed) < l.aead.NonceSize() {
		return Holder{}, errors.New("cards: cut")
	}
	plain, err := l.aead.Open(nil, sealed[:l.aead.NonceSize()], sealed[l.aead.NonceSize():], mark)
	if err != nil {
		return Holder{}, fmt.Errorf("cards: %w", err)
	}
	defer clear(plain)
	var h Holder
	if err := json.Unmarshal(plain, &h); err != nil {
		return Holder{}, fmt.Errorf("cards: %w", err)
	}
	return h, nil
}

// Count is how many cards the list has.
func (l *List) Count(ctx context.Context) (int, error) { return l.store.CountCards(ctx) }

// Clear forgets the list.
func (l *List) Clear(ctx context.Context) error { return l.store.PutCards(ctx, nil) }

func (l *List) mark(number string) []byte {
	mac := hmac.New(sha256.New, l.marks)
	mac.Write([]byte(plainNumber(number)))
	return mac.Sum(nil)
}

// plainNumber leaves out what people write between the signs of a number.
func plainNumber(number string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "\u00a0", "", ":", "", "-", "", ".", "").Replace(number))
}

// seal closes a holder for its mark.
func (l *List) seal(mark []byte, h Holder) ([]byte, error) {
	plain, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	if pad := block - len(plain); pad > 0 { // JSON may be followed by spaces
		plain = append(plain, strings.Repeat(" ", pad)...)
	}
	defer clear(plain)
	nonce := make([]byte, l.aead.NonceSize(), l.aead.NonceSize()+len(plain)+l.aead.Overhead())
	rand.Read(nonce) // never fails
	return l.aead.Seal(nonce, nonce, plain, mark), nil
}
