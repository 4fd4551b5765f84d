package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"time"

	"parvis/kiosk/link"
)

// ServerLife is how long a hub's own certificate lasts. A running hub makes the
// next one by itself, and keeps none on the disk.
const ServerLife = 30 * 24 * time.Hour

// Server makes a certificate, with a new key, for a hub named link.ServerName.
// The authority's own certificate follows it in the chain: enrolment looks for
// it there.
func (a *Authority) Server(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("server certificate: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: link.ServerName},
		DNSNames:              []string{link.ServerName},
		NotBefore:             now.Add(-early),
		NotAfter:              now.Add(ServerLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("server certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerTLS is how a hub's port for bornes speaks: TLS 1.3, a certificate that
// is made anew when a third of its life is left, and no borne's certificate but
// this authority's. One that has expired passes, and so does a connection
// without any, which enrolment needs: what each may do is decided at each
// request, with VerifyClient.
func (a *Authority) ServerTLS(now func() time.Time) *tls.Config {
	ours := x509.NewCertPool()
	ours.AddCert(a.cert)
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{"h2", "http/1.1"},
		GetCertificate:         a.getCertificate(now),
		ClientAuth:             tls.RequestClientCert,
		ClientCAs:              ours, // tells a client which of its certificates is wanted
		SessionTicketsDisabled: true, // hubs share no keys for them
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 {
				return nil
			}
			_, _, _, err := a.VerifyClient(c.PeerCertificates[0], now())
			return err
		},
	}
}

// getCertificate gives one certificate to all handshakes until a third of its
// life is left, or until the clock turns out to have been wrong.
func (a *Authority) getCertificate(now func() time.Time) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	var (
		mu      sync.Mutex
		current *tls.Certificate
	)
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		t := now()
		if current != nil && t.After(current.Leaf.NotBefore) && t.Before(current.Leaf.NotAfter.Add(-ServerLife/3)) {
			return current, nil
		}
		next, err := a.Server(t)
		if err != nil {
			return nil, err
		}
		current = &next
		return current, nil
	}
}

// VerifyServer checks what a server showed: the first certificate must be a
// hub's, made by an authority whose fingerprint begins with prefix and which is
// in the chain too. It returns the authority. No clock is asked: a borne's may
// be decades off. Errors: ErrForeign.
func VerifyServer(chain []*x509.Certificate, prefix []byte) (*x509.Certificate, error) {
	if len(chain) == 0 || len(prefix) < 16 {
		return nil, ErrForeign
	}
	for _, authority := range chain[1:] {
		if f := Fingerprint(authority); !bytes.HasPrefix(f[:], prefix) {
			continue
		}
		if err := checkAuthority(authority); err != nil {
			return nil, err
		}
		if err := verify(chain[0], authority, x509.ExtKeyUsageServerAuth, link.ServerName); err != nil {
			return nil, err
		}
		return authority, nil
	}
	return nil, fmt.Errorf("%w : il vient d’une autre autorité", ErrForeign)
}
