package ca

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// DefaultLife is how long a borne's certificate lasts.
const DefaultLife = 7 * 24 * time.Hour

// maxRequest is more bytes than a request with any of our keys can have.
const maxRequest = 4 << 10

// ErrRequest says that a certificate request can't be granted.
var ErrRequest = errors.New("demande de certificat refusée")

// Request is a borne's request for a certificate, checked. Of all it says only
// the public key counts.
type Request struct {
	key  any // *ecdsa.PublicKey or ed25519.PublicKey
	spki []byte
}

// ParseRequest reads a PKCS #10 request in DER, checks that whoever wrote it
// has the key, and takes P-256, P-384 and Ed25519 keys only. Errors: ErrRequest.
func ParseRequest(der []byte) (*Request, error) {
	if len(der) > maxRequest {
		return nil, fmt.Errorf("%w : plus de %d octets", ErrRequest, maxRequest)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("%w : elle est illisible", ErrRequest) // the parser's words are for programmers
	}
	switch key := csr.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return nil, fmt.Errorf("%w : courbe %s", ErrRequest, key.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		return nil, fmt.Errorf("%w : clé %s", ErrRequest, csr.PublicKeyAlgorithm)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w : signature fausse", ErrRequest)
	}
	return &Request{csr.PublicKey, csr.RawSubjectPublicKeyInfo}, nil
}

// KeyHash is the SHA-256 of the public key (its SPKI).
func (r *Request) KeyHash() []byte {
	sum := sha256.Sum256(r.spki)
	return sum[:]
}

// Grant is what is decided of a certificate before it is made, so that it can
// be noted first: none is ever out that nobody knows of.
type Grant struct {
	Serial string // 32 hexadecimal digits, drawn at random
	Begins time.Time
	Ends   time.Time
}

// NewGrant draws a serial for a certificate that lasts for life from now on.
func NewGrant(now time.Time, life time.Duration) Grant {
	return Grant{
		Serial: formatSerial(newSerial()),
		Begins: now.Add(-early).Truncate(time.Second).UTC(),
		Ends:   now.Add(life).Truncate(time.Second).UTC(),
	}
}

// Client makes a borne's certificate and returns the chain, the borne's first,
// in DER.
func (a *Authority) Client(r *Request, borne string, g Grant) ([][]byte, error) {
	serial, ok := new(big.Int).SetString(g.Serial, 16)
	if !ok || serial.Sign() <= 0 || borne == "" {
		return nil, fmt.Errorf("certificate of borne %q: serial %q", borne, g.Serial)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: borne},
		NotBefore:             g.Begins,
		NotAfter:              g.Ends,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, a.cert, r.key, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of borne %s: %w", borne, err)
	}
	return [][]byte{der, a.cert.Raw}, nil
}

// VerifyClient tells whose certificate cert is. expired is set where its time
// is over at now: then it is good for asking for the next one, and for nothing
// else. Errors: ErrForeign for one that is no borne's of this authority.
func (a *Authority) VerifyClient(cert *x509.Certificate, now time.Time) (borne, serial string, expired bool, err error) {
	if err := verifyClient(cert, a.cert); err != nil {
		return "", "", false, err
	}
	return cert.Subject.CommonName, Serial(cert), now.After(cert.NotAfter), nil
}

// VerifyClient checks that authority is one and has made cert for a borne,
// without asking any clock. Errors: ErrForeign.
func VerifyClient(cert, authority *x509.Certificate) error {
	if err := checkAuthority(authority); err != nil {
		return err
	}
	return verifyClient(cert, authority)
}

func verifyClient(cert, authority *x509.Certificate) error {
	if err := verify(cert, authority, x509.ExtKeyUsageClientAuth, ""); err != nil {
		return err
	}
	if cert.Subject.CommonName == "" {
		return fmt.Errorf("%w : il ne nomme pas de borne", ErrForeign)
	}
	return nil
}

// Serial is a certificate's serial number as a Grant has it.
func Serial(cert *x509.Certificate) string { return formatSerial(cert.SerialNumber) }
