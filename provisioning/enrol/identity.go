package enrol

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"filippo.io/age"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// ErrNotEnrolled says that the borne has no identity yet.
var ErrNotEnrolled = errors.New("cette borne n’est pas enrôlée : demandez un code au service qui tient le hub, puis « parvis-agent enrol HUB CODE »")

var errDamaged = errors.New("fichier abîmé")

// saved is an identity as it lies on the disk.
type saved struct {
	Hub       string   `json:"hub"` // "https://hub.ville.fr:8443"
	Borne     string   `json:"borne"`
	Site      string   `json:"site"`
	Recipient string   `json:"recipient"`
	Authority []byte   `json:"authority"` // DER
	Chain     [][]byte `json:"chain"`     // DER, the borne's own first
	Key       []byte   `json:"key"`       // PKCS #8, DER
	Code      []byte   `json:"code"`      // hash of the code it came by
}

// state is an identity that holds together.
type state struct {
	saved
	authority *x509.Certificate
	cert      tls.Certificate
}

// verify reads the parts of an identity and checks that they belong together.
// No clock is asked. Errors say what doesn't fit, and repeat no secret.
func (s saved) verify() (*state, error) {
	if _, err := link.ParseHub(s.Hub); err != nil {
		return nil, err
	}
	if s.Borne == "" || len(s.Chain) == 0 {
		return nil, errors.New("il y manque la borne ou son certificat")
	}
	if _, err := age.ParseX25519Recipient(s.Recipient); err != nil {
		return nil, errors.New("la clé pour les demandes de rappel n’en est pas une")
	}
	authority, err := x509.ParseCertificate(s.Authority)
	if err != nil {
		return nil, fmt.Errorf("autorité : %w", err)
	}
	leaf, err := x509.ParseCertificate(s.Chain[0])
	if err != nil {
		return nil, fmt.Errorf("certificat : %w", err)
	}
	if err := ca.VerifyClient(leaf, authority); err != nil {
		return nil, err
	}
	if leaf.Subject.CommonName != s.Borne {
		return nil, errors.New("le certificat est celui d’une autre borne")
	}
	key, err := parseKey(s.Key)
	if err != nil {
		return nil, fmt.Errorf("clé : %w", err)
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		return nil, errors.New("le certificat est celui d’une autre clé")
	}
	return &state{s, authority, tls.Certificate{Certificate: s.Chain, PrivateKey: key, Leaf: leaf}}, nil
}

func (f folder) read(name string) (*state, error) {
	data, err := os.ReadFile(f.file(name))
	if err != nil {
		return nil, err
	}
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s : %w", f.file(name), errDamaged) // json's words might show some of it
	}
	whole, err := s.verify()
	if err != nil {
		return nil, fmt.Errorf("%s : %w", f.file(name), err)
	}
	return whole, nil
}

func (f folder) save(name string, s saved) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return f.write(name, data)
}

// load reads the newest identity, or the one before where the newest is damaged.
func (f folder) load() (*state, error) {
	s, err := f.read(identityFile)
	if err == nil {
		return s, nil
	}
	if previous, e := f.read(previousFile); e == nil {
		return previous, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotEnrolled
	}
	return nil, fmt.Errorf("identité de la borne : %w. Si cela dure, enrôlez la borne de nouveau", err)
}

// Identity is who a borne is to its hub. It is safe for concurrent use.
type Identity struct {
	folder folder

	mu     sync.Mutex
	newest *state
}

// Load reads the identity in DIR/identity. Errors: ErrNotEnrolled, and others
// for a folder that other users may read or files that are damaged.
func Load(dir string) (*Identity, error) {
	f := folderIn(dir)
	if _, err := os.Stat(string(f)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotEnrolled
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	s, err := f.load()
	if err != nil {
		return nil, err
	}
	return &Identity{folder: f, newest: s}, nil
}

func (i *Identity) state() *state {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.newest
}

// Borne is the borne's ID: "MN-01".
func (i *Identity) Borne() string { return i.state().Borne }

// Site is the name of the house the borne stands in, for people.
func (i *Identity) Site() string { return i.state().Site }

// Hub is the hub's address: "https://hub.ville.fr:8443", without a slash at the end.
func (i *Identity) Hub() string { return i.state().Hub }

// Recipient is the age public key that requests to be called back are sealed to.
func (i *Identity) Recipient() string { return i.state().Recipient }

// Serial is that of the newest certificate, as the hub notes it.
func (i *Identity) Serial() string { return ca.Serial(i.state().cert.Leaf) }

// Certificate is from when to when the newest certificate holds, by the hub's
// clock.
func (i *Identity) Certificate() (from, to time.Time) {
	c := i.state().cert.Leaf
	return c.NotBefore, c.NotAfter
}

// TLS is how the borne speaks to its hub: TLS 1.3 only, always with its newest
// certificate, and with nobody but a hub of its own authority. The borne's
// clock plays no part. A connection that stands keeps the certificate it began
// with: close it after Renew.
func (i *Identity) TLS() *tls.Config {
	return clientTLS(
		func() []byte {
			f := ca.Fingerprint(i.state().authority)
			return f[:]
		},
		func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &i.state().cert, nil
		})
}

// clientTLS knows the hub by its authority alone. Go's own verification asks
// for the address and the time, which must not matter; VerifyConnection stands
// in its place, and runs before anything is sent.
func clientTLS(prefix func() []byte, certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		InsecureSkipVerify:   true,
		GetClientCertificate: certificate,
		VerifyConnection: func(c tls.ConnectionState) error {
			_, err := ca.VerifyServer(c.PeerCertificates, prefix())
			return err
		},
	}
}

// answered makes an identity of what the hub answered to a request for the
// certificate of key, and checks all of it.
func answered(hub string, code []byte, key *ecdsa.PrivateKey, e link.Enrolled) (*state, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s, err := saved{
		Hub: hub, Borne: e.Borne, Site: e.Site, Recipient: e.Recipient,
		Authority: e.Authority, Chain: e.Chain, Key: der, Code: code,
	}.verify()
	if err != nil {
		return nil, fmt.Errorf("réponse du hub inutilisable : %w", err)
	}
	return s, nil
}

// hasFingerprint reports whether cert is known by a fingerprint that begins with prefix.
func hasFingerprint(cert *x509.Certificate, prefix []byte) bool {
	f := ca.Fingerprint(cert)
	return bytes.HasPrefix(f[:], prefix)
}
