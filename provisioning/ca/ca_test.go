package ca_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func mustNew(t testing.TB) *ca.Authority {
	t.Helper()
	a, err := ca.New(now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustCSR(t testing.TB, key crypto.Signer, template x509.CertificateRequest) []byte {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// mustClient makes the certificate of a borne.
func mustClient(t testing.TB, a *ca.Authority, borne string, g ca.Grant) *x509.Certificate {
	t.Helper()
	r, err := ca.ParseRequest(mustCSR(t, mustKey(t, elliptic.P256()), x509.CertificateRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.Client(r, borne, g)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(chain[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(chain) != 2 || !bytes.Equal(chain[1], a.Certificate().Raw) {
		t.Error("the authority doesn't follow in the chain")
	}
	return cert
}

func TestAuthority(t *testing.T) {
	t.Parallel()
	a := mustNew(t)
	c := a.Certificate()
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage&x509.KeyUsageCertSign == 0 ||
		c.PublicKey.(*ecdsa.PublicKey).Curve != elliptic.P256() {
		t.Errorf("authority %+v", c)
	}
	if want := now.AddDate(20, 0, 0); !c.NotAfter.Equal(want) {
		t.Errorf("it ends at %v, not %v", c.NotAfter, want)
	}
	if other := mustNew(t); other.Fingerprint() == a.Fingerprint() || other.Certificate().Subject.String() == c.Subject.String() {
		t.Errorf("two authorities are called %s", c.Subject)
	}

	data, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ca.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	// It is the same: what one has made, the other knows.
	if again.Fingerprint() != a.Fingerprint() {
		t.Error("another fingerprint")
	}
	cert := mustClient(t, again, "MN-01", ca.NewGrant(now, time.Hour))
	if _, _, _, err := a.VerifyClient(cert, now); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	a, other := mustNew(t), mustNew(t)
	data, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	cert, rest := pem.Decode(data)
	key, _ := pem.Decode(rest)
	_, rest = pem.Decode(foreign)
	foreignKey, _ := pem.Decode(rest)
	borne := mustClient(t, a, "MN-01", ca.NewGrant(now, time.Hour))
	join := func(blocks ...*pem.Block) (all []byte) {
		for _, b := range blocks {
			all = append(all, pem.EncodeToMemory(b)...)
		}
		return all
	}
	for name, data := range map[string][]byte{
		"nothing":                 nil,
		"not PEM":                 []byte("authority"),
		"no key":                  join(cert),
		"no certificate":          join(key, key),
		"more than both":          join(cert, key, key),
		"another authority's key": join(cert, foreignKey),
		"half":                    data[:len(data)/2],
		"a borne's certificate":   join(&pem.Block{Type: "CERTIFICATE", Bytes: borne.Raw}, key),
	} {
		if _, err := ca.Parse(data); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: the error repeats the key: %v", name, err)
		}
	}
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain := x509.CertificateRequest{}
	good := mustCSR(t, mustKey(t, elliptic.P256()), plain)
	forged := bytes.Clone(good)
	forged[len(forged)-3] ^= 1
	var many []string
	for range 200 {
		many = append(many, "borne.parvis.internal.example")
	}
	tests := []struct {
		name string
		csr  []byte
		ok   bool
	}{
		{"P-256", good, true},
		{"P-384", mustCSR(t, mustKey(t, elliptic.P384()), plain), true},
		{"Ed25519", mustCSR(t, edwards, plain), true},
		{"another name", mustCSR(t, mustKey(t, elliptic.P256()), x509.CertificateRequest{Subject: pkix.Name{CommonName: "MN-99"}}), true},
		{"P-224", mustCSR(t, mustKey(t, elliptic.P224()), plain), false},
		{"P-521", mustCSR(t, mustKey(t, elliptic.P521()), plain), false},
		{"RSA 1024", mustCSR(t, small, plain), false},
		{"RSA 2048", mustCSR(t, large, plain), false},
		{"forged signature", forged, false},
		{"somebody else's key", stolenKey(t), false},
		{"too large", mustCSR(t, mustKey(t, elliptic.P256()), x509.CertificateRequest{DNSNames: many}), false},
		{"something behind", append(bytes.Clone(good), 0), false},
		{"half", good[:len(good)/2], false},
		{"nothing", nil, false},
	}
	for _, tt := range tests {
		r, err := ca.ParseRequest(tt.csr)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ca.ErrRequest) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "asn1") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && len(r.KeyHash()) != 32 {
			t.Errorf("%s: hash %x", tt.name, r.KeyHash())
		}
	}
}

// stolenKey is a request for the public key of one, signed by another.
func stolenKey(t *testing.T) []byte {
	t.Helper()
	thief, victim := mustKey(t, elliptic.P256()), mustKey(t, elliptic.P256())
	csr := mustCSR(t, thief, x509.CertificateRequest{})
	mine, err := thief.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := victim.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(csr, mine) {
		t.Fatal("the request doesn't hold the key as expected")
	}
	return bytes.Replace(csr, mine, theirs, 1)
}

// A certificate says what the hub has decided, whatever was asked for.
func TestClient(t *testing.T) {
	t.Parallel()
	a := mustNew(t)
	g := ca.NewGrant(now, ca.DefaultLife)
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(g.Serial) {
		t.Errorf("serial %q", g.Serial)
	}
	cert := mustClient(t, a, "MN-01", g)
	borne, serial, expired, err := a.VerifyClient(cert, now)
	if borne != "MN-01" || serial != g.Serial || expired || err != nil {
		t.Errorf("%s %s %v %v", borne, serial, expired, err)
	}
	if ca.Serial(cert) != g.Serial {
		t.Errorf("serial %s, not %s", ca.Serial(cert), g.Serial)
	}
	if !cert.NotBefore.Equal(now.Add(-time.Hour)) || !cert.NotAfter.Equal(now.Add(7*24*time.Hour)) || !cert.NotAfter.Equal(g.Ends) {
		t.Errorf("from %v to %v", cert.NotBefore, cert.NotAfter)
	}
	seen := map[string]bool{}
	for range 1000 {
		if s := ca.NewGrant(now, time.Hour).Serial; seen[s] {
			t.Fatal("a serial twice")
		} else {
			seen[s] = true
		}
	}
	for _, g := range []ca.Grant{{}, {Serial: "xyz"}, {Serial: strings.Repeat("0", 32)}} {
		r, err := ca.ParseRequest(mustCSR(t, mustKey(t, elliptic.P256()), x509.CertificateRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Client(r, "MN-01", g); err == nil {
			t.Errorf("serial %q: accepted", g.Serial)
		}
	}
}

func TestVerifyClient(t *testing.T) {
	t.Parallel()
	a, other := mustNew(t), mustNew(t)
	g := ca.NewGrant(now, time.Hour)
	mine := mustClient(t, a, "MN-01", g)
	server, err := a.Server(now)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(mine.Raw)
	altered[bytes.Index(altered, []byte("MN-01"))+4] = '2'
	posing, err := x509.ParseCertificate(altered)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		cert    *x509.Certificate
		at      time.Time
		expired bool
		ok      bool
	}{
		{"good", mine, now, false, true},
		{"in its last second", mine, g.Ends, false, true},
		{"over", mine, g.Ends.Add(time.Second), true, true},
		{"long over", mine, now.AddDate(50, 0, 0), true, true},
		{"not yet begun, by a hub whose clock went back", mine, now.AddDate(-50, 0, 0), false, true},
		{"another authority's", mustClient(t, other, "MN-01", g), now, false, false},
		{"a hub's", server.Leaf, now, false, false},
		{"the authority's own", a.Certificate(), now, false, false},
		{"with another name", posing, now, false, false},
		{"issued by a borne", issuedBy(t, mine), now, false, false},
	}
	for _, tt := range tests {
		borne, _, expired, err := a.VerifyClient(tt.cert, tt.at)
		if (err == nil) != tt.ok || expired != tt.expired || err != nil && (!errors.Is(err, ca.ErrForeign) || borne != "") {
			t.Errorf("%s: %q, expired %v, %v", tt.name, borne, expired, err)
		}
		if err := ca.VerifyClient(tt.cert, a.Certificate()); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := ca.VerifyClient(mine, mine); !errors.Is(err, ca.ErrForeign) {
		t.Errorf("a borne as its own authority: %v", err)
	}
}

// issuedBy makes a certificate that names a borne's as its issuer.
func issuedBy(t *testing.T, parent *x509.Certificate) *x509.Certificate {
	t.Helper()
	key := mustKey(t, elliptic.P256())
	p := *parent
	p.PublicKey = key.Public()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "MN-02"}, NotAfter: now.Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, &p, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestVerifyServer(t *testing.T) {
	t.Parallel()
	a, other := mustNew(t), mustNew(t)
	cert, err := a.Server(now)
	if err != nil {
		t.Fatal(err)
	}
	full := a.Fingerprint()
	borne := mustClient(t, a, "MN-01", ca.NewGrant(now, time.Hour))
	own := a.Certificate()
	tests := []struct {
		name   string
		chain  []*x509.Certificate
		prefix []byte
		ok     bool
	}{
		{"good", []*x509.Certificate{cert.Leaf, own}, full[:16], true},
		{"whole fingerprint", []*x509.Certificate{cert.Leaf, own}, full[:], true},
		{"others between", []*x509.Certificate{cert.Leaf, other.Certificate(), own}, full[:16], true},
		{"prefix too short", []*x509.Certificate{cert.Leaf, own}, full[:15], false},
		{"no prefix", []*x509.Certificate{cert.Leaf, own}, nil, false},
		{"no authority", []*x509.Certificate{cert.Leaf}, full[:16], false},
		{"another authority", []*x509.Certificate{cert.Leaf, other.Certificate()}, full[:16], false},
		{"nothing", nil, full[:16], false},
		{"a borne", []*x509.Certificate{borne, own}, full[:16], false},
		{"the authority itself", []*x509.Certificate{own, own}, full[:16], false},
	}
	for _, tt := range tests {
		got, err := ca.VerifyServer(tt.chain, tt.prefix)
		if (err == nil) != tt.ok || err == nil && got != own || err != nil && !errors.Is(err, ca.ErrForeign) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A running hub makes its next certificate in time, and another when its clock
// turns out to have been wrong.
func TestServerTLS(t *testing.T) {
	t.Parallel()
	a, clock := mustNew(t), now
	get := a.ServerTLS(func() time.Time { return clock }).GetCertificate
	at := func(when time.Time) *tls.Certificate {
		t.Helper()
		clock = when
		c, err := get(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if when.Before(c.Leaf.NotBefore) || when.After(c.Leaf.NotAfter) {
			t.Errorf("at %v: a certificate from %v to %v", when, c.Leaf.NotBefore, c.Leaf.NotAfter)
		}
		if err := c.Leaf.VerifyHostname(link.ServerName); err != nil {
			t.Error(err)
		}
		return c
	}
	first := at(now)
	if at(now.Add(19*24*time.Hour)) != first {
		t.Error("another certificate too early")
	}
	second := at(now.Add(21 * 24 * time.Hour))
	if second == first {
		t.Error("no other certificate though a third is left")
	}
	if at(now.AddDate(-2, 0, 0)) == second {
		t.Error("the same certificate though the clock went back two years")
	}
}

func FuzzParseRequest(f *testing.F) {
	a := mustNew(f)
	f.Add(mustCSR(f, mustKey(f, elliptic.P256()), x509.CertificateRequest{}))
	f.Add(mustCSR(f, mustKey(f, elliptic.P384()), x509.CertificateRequest{Subject: pkix.Name{CommonName: "MN-99"}, DNSNames: []string{link.ServerName}}))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := ca.ParseRequest(der)
		if err != nil {
			if !errors.Is(err, ca.ErrRequest) {
				t.Fatalf("%v is not ErrRequest", err)
			}
			return
		}
		chain, err := a.Client(r, "MN-01", ca.NewGrant(now, time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(chain[0])
		if err != nil {
			t.Fatal(err)
		}
		if cert.Subject.String() != "CN=MN-01" || cert.IsCA || len(cert.DNSNames) > 0 {
			t.Fatalf("certificate for %v %v", cert.Subject, cert.DNSNames)
		}
	})
}
