package pack

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Key signs (Ed25519).
type Key struct{ private ed25519.PrivateKey }

// ErrKey says that something is not a key, or not with this passphrase.
var ErrKey = errors.New("clé inutilisable")

// NewKey makes a key.
func NewKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(nil)
	return Key{private}, err
}

// Number is how people tell keys apart: the first digits of the key's ID.
func (k Key) Number() string { return number(k.id()) }

func number(id string) string { return id[:min(8, len(id))] }

// public is the key as metadata has it.
func (k Key) public() *metadata.Key {
	key, err := metadata.KeyFromPublicKey(k.private.Public())
	if err != nil {
		panic(err) // the only kind of key that there is
	}
	return key
}

func (k Key) id() string {
	id, err := k.public().ID()
	if err != nil {
		panic(err) // two short strings
	}
	return id
}

// sign adds k's signature to metadata.
func sign[T metadata.Roles](m *metadata.Metadata[T], k Key) error {
	signer, err := signature.LoadED25519Signer(k.private)
	if err != nil {
		return err
	}
	_, err = m.Sign(signer)
	return err
}

const pemKey = "PRIVATE KEY"

// Marshal writes the key as PEM (PKCS#8) after lines of comment and, with a
// passphrase, sealed by it (age, scrypt).
func (k Key) Marshal(comment, passphrase string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})
	var out bytes.Buffer
	for line := range strings.Lines(comment) {
		out.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
	}
	if passphrase == "" {
		out.Write(block)
		return out.Bytes(), nil
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	lines := armor.NewWriter(&out)
	w, err := age.Encrypt(lines, recipient)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(block)
	err = errors.Join(err, w.Close(), lines.Close())
	return out.Bytes(), err
}

// ParseKey reads what Marshal wrote; passphrase is asked for where it is
// needed. Errors: ErrKey, passphrase's.
func ParseKey(data []byte, passphrase func() (string, error)) (Key, error) {
	if at := bytes.Index(data, []byte(armor.Header)); at >= 0 {
		words, err := passphrase()
		if err != nil {
			return Key{}, err
		}
		if data, err = open(data[at:], words); err != nil {
			return Key{}, fmt.Errorf("%w : la phrase de passe n’est pas la bonne, ou le fichier est abîmé", ErrKey)
		}
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemKey {
		return Key{}, fmt.Errorf("%w : le fichier n’est pas une clé, ou il est abîmé", ErrKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return Key{}, fmt.Errorf("%w : le fichier n’est pas une clé Ed25519, ou il est abîmé", ErrKey)
	}
	return Key{private}, nil
}

func open(sealed []byte, passphrase string) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), identity)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
