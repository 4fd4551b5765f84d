// Package seal is the hub's own key, a file outside the database, and what is
// kept in the database sealed to it. A copy of the database alone gives away
// no secret, and every hub of one database has a copy of the same key file.
package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// ErrOtherKey says that a secret in the database was sealed to another key
// than this hub's.
var ErrOtherKey = errors.New("la clé de ce hub n’ouvre pas les secrets de la base")

// Key is the hub's own key. It is safe for concurrent use.
type Key struct {
	path     string
	identity *age.X25519Identity
}

// Recipient is the public half: backups are sealed to it.
func (k *Key) Recipient() *age.X25519Recipient { return k.identity.Recipient() }

// Identity is the private half, which opens backups.
func (k *Key) Identity() *age.X25519Identity { return k.identity }

// Seal encrypts a secret to the key.
func (k *Key) Seal(plain []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, k.Recipient())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed.Bytes(), nil
}

// Open decrypts what Seal gave. Errors: ErrOtherKey, and others for what is
// damaged.
func (k *Key) Open(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), k.identity)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, fmt.Errorf("%w. Tous les hubs d’une même base ont le même fichier de clé : "+
			"arrêtez ce hub, copiez à la place de %s le fichier de clé d’un hub qui marche, "+
			"ou celui de la sauvegarde, puis relancez", ErrOtherKey, k.path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret abîmé : %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("secret abîmé : %w", err)
	}
	return plain, nil
}
