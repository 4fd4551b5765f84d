// Package ca is the hub's certificate authority: it makes the certificates of
// hubs and of bornes, and tells whether one is its own. It keeps nothing; the
// caller seals and stores what Marshal gives.
package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

const (
	// authorityLife is how long an authority lasts, in years: longer than any
	// borne, since a borne knows its hub by it.
	authorityLife = 20
	// early is how long before its making a certificate begins to be valid, for
	// clocks that are a little behind.
	early = time.Hour
)

// ErrForeign says that a certificate is not one of this authority, or not of
// the kind that was asked for.
var ErrForeign = errors.New("certificat étranger à ce hub")

// Authority makes certificates. It is safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority with a key and a name of its own.
func New(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	serial := newSerial()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Parvis " + formatSerial(serial)[:8]},
		NotBefore:             now.Add(-early),
		NotAfter:              now.AddDate(authorityLife, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	return &Authority{cert, key}, nil
}

// The kinds of PEM blocks in what Marshal gives.
const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// Marshal gives the authority as PEM text, with its private key: never keep
// it unsealed.
func (a *Authority) Marshal() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	return append(
		pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: a.cert.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: key})...), nil
}

// Parse reads what Marshal gave. An error never repeats any of it.
func Parse(data []byte) (*Authority, error) {
	certBlock, rest := pem.Decode(data)
	keyBlock, rest := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil || certBlock.Type != pemCertificate || keyBlock.Type != pemKey || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("authority: not a certificate and its key in PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, errors.New("authority: not a PKCS #8 key")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("authority: the key is not the certificate's")
	}
	if err := checkAuthority(cert); err != nil {
		return nil, err
	}
	return &Authority{cert, key}, nil
}

// Certificate is the authority's own certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Fingerprint is what bornes know the authority by: see the function.
func (a *Authority) Fingerprint() [sha256.Size]byte { return Fingerprint(a.cert) }

// Fingerprint is the SHA-256 of a certificate's public key (its SPKI).
func Fingerprint(cert *x509.Certificate) [sha256.Size]byte {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// checkAuthority tells whether cert is an authority's, signed by itself.
func checkAuthority(cert *x509.Certificate) error {
	if !cert.BasicConstraintsValid || !cert.IsCA {
		return fmt.Errorf("%w : ce n’est pas celui d’une autorité", ErrForeign)
	}
	if err := cert.CheckSignatureFrom(cert); err != nil {
		return fmt.Errorf("%w : %w", ErrForeign, err)
	}
	return nil
}

// verify checks that authority itself has made leaf for one usage, at any
// time: whether it is still valid is for the caller, who may have no clock.
func verify(leaf, authority *x509.Certificate, usage x509.ExtKeyUsage, name string) error {
	timeless := *authority
	timeless.NotBefore, timeless.NotAfter = leaf.NotBefore, leaf.NotAfter
	roots := x509.NewCertPool()
	roots.AddCert(&timeless)
	if leaf.IsCA {
		return fmt.Errorf("%w : c’est celui d’une autorité", ErrForeign)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:       roots,
		DNSName:     name,
		CurrentTime: leaf.NotBefore,
		KeyUsages:   []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return fmt.Errorf("%w : %w", ErrForeign, err)
	}
	return nil
}

// newSerial draws 128 bits, never all zero.
func newSerial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[15] |= 1
	return new(big.Int).SetBytes(b[:])
}

// formatSerial writes a serial as everybody stores it: 32 hexadecimal digits.
func formatSerial(serial *big.Int) string {
	s := hex.EncodeToString(serial.Bytes())
	return strings.Repeat("0", max(0, 32-len(s))) + s
}
