package callback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// block is the size in bytes that a request is filled up to before sealing.
// Every request that passes Validate fits one, so all sealed requests have the
// same size and it says nothing about what is inside.
const block = 2048

// ErrNoKey says that the borne has no hub's key to seal requests to.
var ErrNoKey = errors.New("aucune clé du hub : les demandes de rappel ne peuvent pas être scellées")

// ParseRecipients reads the hub's public keys (age1…), one or more. An error
// names the key by its place, and never repeats a private one.
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for i, key := range keys {
		key = strings.TrimSpace(key)
		if strings.HasPrefix(strings.ToUpper(key), "AGE-SECRET-KEY-") {
			return nil, fmt.Errorf("clé du hub n° %d : c’est une clé privée, elle n’a rien à faire sur la borne", i+1)
		}
		r, err := age.ParseX25519Recipient(key)
		if err != nil {
			return nil, fmt.Errorf("clé du hub n° %d : ce n’est pas une clé publique age (age1…) : %w", i+1, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// Seal encrypts r so that any one of the recipients can open it. The plain
// text exists in memory only, and is cleared before Seal returns. Without a
// recipient the error is ErrNoKey.
func Seal(r Request, recipients []age.Recipient) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, ErrNoKey
	}
	var plain bytes.Buffer
	plain.Grow(2 * block) // no growing later, which would leave a copy behind
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false) // one sign stays one sign: see block
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("seal %s: %w", r.ID, err)
	}
	// JSON may be followed by spaces: the filling needs no format of its own.
	for plain.Len()%block != 0 {
		plain.WriteByte(' ')
	}
	defer func() { clear(plain.Bytes()) }()

	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", r.ID, err)
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		return nil, fmt.Errorf("seal %s: %w", r.ID, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal %s: %w", r.ID, err)
	}
	return sealed.Bytes(), nil
}

// Unseal opens a sealed request with any of the identities. It is the hub's
// side of Seal: a borne has no identity.
func Unseal(data []byte, ids ...age.Identity) (Request, error) {
	var r Request
	plain, err := age.Decrypt(bytes.NewReader(data), ids...)
	if err != nil {
		return r, fmt.Errorf("unseal: %w", err)
	}
	text, err := io.ReadAll(plain)
	defer clear(text)
	if err != nil {
		return r, fmt.Errorf("unseal: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return Request{}, fmt.Errorf("unseal: not a request: %w", err)
	}
	return r, nil
}
