package callback

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// The sizes in bytes that the two parts of a request are filled up to before
// sealing. Every request that passes Validate fits, so all sealed requests have
// the same size and it says nothing about what is inside.
const (
	labelBlock = 1536
	block      = 2048
)

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

// ErrNoLabel says that a sealed request has no label that could be opened: a
// borne of before labels made it, or it is damaged.
var ErrNoLabel = errors.New("demande de rappel sans étiquette lisible")

// frame stands before a request in two parts; the length of the first follows
// it in four bytes. A request of before labels is the second part alone, which
// never begins like this.
var frame = []byte("parvis rappel 2\n")

// Seal encrypts r so that any one of the recipients can open it: its label and
// the whole request, each for itself. The plain text exists in memory only, and
// is cleared before Seal returns. Without a recipient the error is ErrNoKey.
func Seal(r Request, recipients []age.Recipient) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, ErrNoKey
	}
	label, err := sealPart(r.label(recipients), labelBlock, recipients)
	if err != nil {
		return nil, fmt.Errorf("seal the label of %s: %w", r.ID, err)
	}
	person, err := sealPart(r, block, recipients)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", r.ID, err)
	}
	sealed := binary.BigEndian.AppendUint32(slices.Clone(frame), uint32(len(label)))
	return slices.Concat(sealed, label, person), nil
}

func sealPart(part any, size int, recipients []age.Recipient) ([]byte, error) {
	var plain bytes.Buffer
	plain.Grow(2 * size) // no growing later, which would leave a copy behind
	defer func() { clear(plain.Bytes()) }()
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false) // one sign stays one sign: see block
	if err := enc.Encode(part); err != nil {
		return nil, err
	}
	// JSON may be followed by spaces: the filling needs no format of its own.
	for plain.Len()%size != 0 {
		plain.WriteByte(' ')
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Split parts what Seal made: the sealed label, and the sealed request of which
// Unseal takes either alone or with its label. The label is empty where a borne
// of before labels made it.
func Split(data []byte) (label, request []byte) {
	rest, ok := bytes.CutPrefix(data, frame)
	if !ok || len(rest) < 4 {
		return nil, data
	}
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; uint64(n) > uint64(len(rest)) {
		return nil, data
	}
	return rest[:n], rest[n:]
}

// UnsealLabel opens the label alone: with it the hub can sort a request, and
// still doesn't know whose it is. Errors: ErrNoLabel.
func UnsealLabel(data []byte, ids ...age.Identity) (Label, error) {
	sealed, _ := Split(data)
	if len(sealed) == 0 {
		return Label{}, ErrNoLabel
	}
	var l Label
	err := unsealPart(sealed, &l, ids)
	if err == nil {
		err = l.validate()
	}
	if err != nil {
		return Label{}, fmt.Errorf("%w : %w", ErrNoLabel, err)
	}
	return l, nil
}

// Unseal opens a sealed request with any of the identities. It is the hub's
// side of Seal: a borne has no identity.
func Unseal(data []byte, ids ...age.Identity) (Request, error) {
	_, sealed := Split(data)
	var r Request
	if err := unsealPart(sealed, &r, ids); err != nil {
		return Request{}, fmt.Errorf("unseal: %w", err)
	}
	return r, nil
}

func unsealPart(sealed []byte, into any, ids []age.Identity) error {
	plain, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(plain)
	defer clear(text)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("not a request: %w", err)
	}
	return nil
}
