package enrol_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// A code that is not good for it is refused with the same words, whatever is
// wrong with it.
func TestCodeRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	tests := []struct {
		name  string
		spoil func(enrol.Code)
	}{
		{"replayed", func(c enrol.Code) {
			if _, err := enrol.Enrol(t.Context(), h.URL, c, t.TempDir(), enrol.Options{}); err != nil {
				t.Fatal(err)
			}
		}},
		{"expired", func(c enrol.Code) {
			h.registry.changeCode(c, func(k *token) { k.expires = h.clock().Add(-time.Second) })
		}},
		{"withdrawn", func(c enrol.Code) { h.registry.changeCode(c, func(k *token) { k.withdrawn = true }) }},
		{"unknown", func(c enrol.Code) { h.registry.changeCode(c, func(k *token) { *k = token{} }) }},
	}
	said := map[string]bool{}
	for _, tt := range tests {
		c, dir := h.code("MN-01"), t.TempDir()
		tt.spoil(c)
		_, err := enrol.Enrol(t.Context(), h.URL, c, dir, enrol.Options{})
		if problem(err) != link.ProblemToken {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		said[err.Error()] = true
		if strings.Contains(err.Error(), c.Text()) {
			t.Errorf("%s: the error tells the code", tt.name)
		}
		if _, err := enrol.Load(dir); !errors.Is(err, enrol.ErrNotEnrolled) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if len(said) != 1 {
		t.Errorf("somebody who guesses learns more than no: %v", said)
	}
}

// Whoever stands between borne and hub without the hub's key gets not one byte.
func TestManInTheMiddle(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	other := newHub(t)
	borne := mustEnrol(t, h, "MN-07", t.TempDir())
	hubCert := mustServer(t, h)
	otherCert := mustServer(t, other)

	borneCert, err := borne.TLS().GetClientCertificate(&tls.CertificateRequestInfo{})
	if err != nil {
		t.Fatal(err)
	}
	// Has the hub's public key and name, but somebody else has signed it.
	key, posed := selfSigned(t, h.authority.Certificate())
	forged, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(3), DNSNames: []string{link.ServerName},
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, posed, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name string
		cert tls.Certificate
		max  uint16
		want error
	}{
		{"another hub", otherCert, 0, enrol.ErrNotTheHub},
		{"another hub that shows this one's authority", chain(otherCert.PrivateKey, otherCert.Certificate[0], h.authority.Certificate().Raw), 0, enrol.ErrNotTheHub},
		{"an authority with this one's public key", chain(key, forged, posed.Raw), 0, enrol.ErrNotTheHub},
		{"a borne that poses as the hub", *borneCert, 0, enrol.ErrNotTheHub},
		{"the hub, without its authority", chain(hubCert.PrivateKey, hubCert.Certificate[0]), 0, enrol.ErrNotTheHub},
		{"the hub, forced to TLS 1.2", hubCert, tls.VersionTLS12, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := listen(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}, MaxVersion: tt.max, NextProtos: []string{"h2"}})
			_, err := enrol.Enrol(t.Context(), m.address, h.code("MN-01"), t.TempDir(), enrol.Options{})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("enrolment: %v", err)
			}
			if got := <-m.read; got != 0 {
				t.Errorf("the server has read %d bytes", got)
			}
		})
	}
	t.Run("TLS 1.2 after enrolment", func(t *testing.T) {
		t.Parallel()
		m := listen(t, &tls.Config{Certificates: []tls.Certificate{hubCert}, MaxVersion: tls.VersionTLS12})
		conn, err := tls.Dial("tcp", strings.TrimPrefix(m.address, "https://"), borne.TLS())
		if err == nil {
			conn.Close()
			t.Error("the borne has agreed")
		}
		<-m.read
	})
	t.Run("after enrolment", func(t *testing.T) {
		t.Parallel()
		m := listen(t, &tls.Config{Certificates: []tls.Certificate{otherCert}, NextProtos: []string{"h2"}})
		if _, err := as(t, m.address, borne.TLS()).Report(t.Context(), link.Report{}); !errors.Is(err, ca.ErrForeign) {
			t.Errorf("report: %v", err)
		}
		if got := <-m.read; got != 0 {
			t.Errorf("the server has read %d bytes", got)
		}
	})
}

// TestNobodyElse shows that the tests above could fail: the hub's own
// certificate makes the same server be trusted.
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	m := listen(t, &tls.Config{Certificates: []tls.Certificate{mustServer(t, h)}, NextProtos: []string{"h2"}})
	_, err := enrol.Enrol(t.Context(), m.address, h.code("MN-01"), t.TempDir(), enrol.Options{})
	if err == nil || errors.Is(err, enrol.ErrNotTheHub) {
		t.Errorf("enrolment: %v", err)
	}
	if got := <-m.read; got == 0 {
		t.Error("the hub has read nothing")
	}
}

// stranger is a TLS server that reads once and hangs up.
type stranger struct {
	address string
	read    chan int // decrypted bytes
}

func listen(t *testing.T, config *tls.Config) stranger {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := stranger{"https://" + l.Addr().String(), make(chan int, 1)}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			close(s.read)
			return
		}
		defer conn.Close()
		n, _ := tls.Server(conn, config).Read(make([]byte, 1<<10))
		s.read <- n
	}()
	return s
}

func mustServer(t *testing.T, h *hub) tls.Certificate {
	t.Helper()
	c, err := h.authority.Server(h.clock())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func chain(key any, certs ...[]byte) tls.Certificate {
	return tls.Certificate{Certificate: certs, PrivateKey: key}
}

// selfSigned makes a certificate with the name and public key of another, but
// signed with a key of its own, which it returns.
func selfSigned(t *testing.T, of *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *of
	template.PublicKey = key.Public()
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, of.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if ca.Fingerprint(cert) != ca.Fingerprint(of) {
		t.Fatal("not the same public key")
	}
	// So that it can sign in the test.
	cert.PublicKey = key.Public()
	return key, cert
}

// What a borne asks for counts only as far as its key.
func TestRequestOnlyKey(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "MN-99", Organization: []string{"Mairie"}},
		DNSNames: []string{link.ServerName},
		ExtraExtensions: []pkix.Extension{
			{Id: []int{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}},       // CA: yes
			{Id: []int{2, 5, 29, 37}, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1}}, // serverAuth
		},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, h.code("MN-01"))
	e, err := h.registrar.Register(t.Context(), link.EnrolRequest{Secret: secret, CSR: csr}, h.clock())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(e.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	if cert.Subject.String() != "CN=MN-01" || len(cert.DNSNames) > 0 || cert.IsCA ||
		len(cert.ExtKeyUsage) != 1 || cert.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || cert.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("certificate for %v %v, CA %v, usage %v %v", cert.Subject, cert.DNSNames, cert.IsCA, cert.KeyUsage, cert.ExtKeyUsage)
	}
}

// secretOf reads the secret out of a code as its text has it.
func secretOf(t *testing.T, c enrol.Code) []byte {
	t.Helper()
	n := new(big.Int)
	for _, r := range strings.ReplaceAll(c.Text(), "-", "")[:42] {
		n.Lsh(n, 5).Or(n, big.NewInt(int64(strings.IndexRune(crockford, r))))
	}
	all := n.Bytes() // two bits of version, 26 bytes
	return all[len(all)-10:]
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	good := csrFor(t, elliptic.P256())
	secret := secretOf(t, h.code("MN-01"))
	forged := bytes.Clone(good)
	forged[len(forged)-1] ^= 1
	tests := []struct {
		name string
		q    link.EnrolRequest
		want string
	}{
		{"nothing", link.EnrolRequest{}, link.ProblemInvalid},
		{"no request", link.EnrolRequest{Secret: secret}, link.ProblemInvalid},
		{"forged signature", link.EnrolRequest{Secret: secret, CSR: forged}, link.ProblemInvalid},
		{"P-521", link.EnrolRequest{Secret: secret, CSR: csrFor(t, elliptic.P521())}, link.ProblemInvalid},
		{"no secret", link.EnrolRequest{CSR: good}, link.ProblemToken},
		{"half a secret", link.EnrolRequest{Secret: secret[:5], CSR: good}, link.ProblemToken},
		{"the hash for the secret", link.EnrolRequest{Secret: h.code("MN-01").Hash(), CSR: good}, link.ProblemToken},
	}
	for _, tt := range tests {
		if _, err := h.registrar.Register(t.Context(), tt.q, h.clock()); problem(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := h.registrar.Register(t.Context(), link.EnrolRequest{Secret: secret, CSR: good}, h.clock()); err != nil {
		t.Errorf("after all that the code is no longer good: %v", err)
	}
}

func csrFor(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// A borne of another hub doesn't get through the handshake.
func TestForeignBorne(t *testing.T) {
	t.Parallel()
	h, other := newHub(t), newHub(t)
	mustEnrol(t, h, "MN-01", t.TempDir())
	stranger := mustEnrol(t, other, "MN-01", t.TempDir())
	cert, err := stranger.TLS().GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{*cert},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }}
	before := h.requests()
	if _, err := as(t, h.URL, config).Report(t.Context(), link.Report{}); err == nil || problem(err) != "" {
		t.Errorf("report: %v", err)
	}
	if _, err := as(t, h.URL, config).Renew(t.Context(), link.RenewRequest{CSR: csrFor(t, elliptic.P256())}); err == nil || problem(err) != "" {
		t.Errorf("renewal: %v", err)
	}
	if h.requests() != before {
		t.Error("its requests were heard")
	}
	parsed, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.registrar.Renew(t.Context(), parsed, link.RenewRequest{CSR: csrFor(t, elliptic.P256())}, h.clock())
	if problem(err) != link.ProblemRevoked {
		t.Errorf("renewal past the handshake: %v", err)
	}
}

// An expired certificate is good for the next one, however long the hub was
// away, and for nothing else.
func TestExpired(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	mustEnrol(t, h, "MN-01", dir)
	h.pass(400 * 24 * time.Hour)
	id := mustLoad(t, dir)
	if err := report(t, id); problem(err) != link.ProblemExpired {
		t.Errorf("report: %v", err)
	}
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	if err := report(t, id); err != nil {
		t.Error(err)
	}
}

func TestRevoked(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	h.registry.change("MN-01", func(b *enrol.Borne) { b.Revoked = true })
	before := readAll(t, dir)
	for _, do := range []func(*testing.T, *enrol.Identity) error{report, renew} {
		if err := do(t, id); problem(err) != link.ProblemRevoked {
			t.Errorf("%v", err)
		}
	}
	if got := readAll(t, dir); got["identity.json"] != before["identity.json"] {
		t.Error("a refused renewal has changed the identity")
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir + "/identity")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(dir + "/identity/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

// A copy of the borne's folder is of no use once the borne itself has renewed
// its certificate, and gives itself away by trying. The same the other way
// round: whoever comes second raises the alert.
func TestTwoMachines(t *testing.T) {
	t.Parallel()
	h, dir, copied := newHub(t), t.TempDir(), t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	chmod(t, copied)
	clone := mustLoad(t, copied)
	h.pass(5 * 24 * time.Hour)
	for _, err := range []error{renew(t, id), report(t, id)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := h.registry.clones("MN-01"); n != 0 {
		t.Errorf("%d alerts before anything happened", n)
	}
	if err := renew(t, clone); problem(err) != link.ProblemRevoked {
		t.Errorf("the copy has renewed: %v", err)
	}
	if n := h.registry.clones("MN-01"); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if err := renew(t, id); err != nil {
		t.Errorf("the borne itself: %v", err)
	}
}

// CopyFS gives the rights of the umask.
func chmod(t *testing.T, dir string) {
	t.Helper()
	for path, mode := range map[string]os.FileMode{"identity": 0o700, "identity/identity.json": 0o600} {
		if err := os.Chmod(dir+"/"+path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody's clock plays a part: hubs fifty years behind or ahead of the borne.
func TestClocks(t *testing.T) {
	t.Parallel()
	for _, year := range []int{1970, 2041, 2080} {
		t.Run(fmt.Sprint(year), func(t *testing.T) {
			t.Parallel()
			h, dir := newHubAt(t, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)), t.TempDir()
			mustEnrol(t, h, "MN-01", dir)
			id := mustLoad(t, dir)
			for range 2 {
				if err := report(t, id); err != nil {
					t.Fatal(err)
				}
				h.pass(40 * 24 * time.Hour)
				if err := renew(t, id); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A hub whose own clock was set right by years goes on with the same authority.
func TestHubClockMended(t *testing.T) {
	t.Parallel()
	h := newHubAt(t, time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC))
	id := mustEnrol(t, h, "MN-01", t.TempDir())
	h.pass(-15 * 365 * 24 * time.Hour)
	for _, err := range []error{report(t, id), renew(t, id), report(t, id)} {
		if err != nil {
			t.Error(err)
		}
	}
	mustEnrol(t, h, "MN-02", t.TempDir())
}

// A hub that was restored from a backup has not heard of the newest certificate.
func TestHubRestored(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	id := mustEnrol(t, h, "MN-01", t.TempDir())
	if err := report(t, id); err != nil {
		t.Fatal(err)
	}
	backup, err := h.registry.Borne(t.Context(), "MN-01")
	if err != nil {
		t.Fatal(err)
	}
	h.pass(5 * 24 * time.Hour)
	for _, err := range []error{renew(t, id), report(t, id)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h.registry.change("MN-01", func(b *enrol.Borne) { *b = backup })
	h.pass(5 * 24 * time.Hour)
	for _, err := range []error{renew(t, id), report(t, id)} {
		if err != nil {
			t.Error(err)
		}
	}
	if n := h.registry.clones("MN-01"); n != 0 {
		t.Errorf("%d alerts", n)
	}
}

// A borne without a certificate may enrol, and nothing else.
func TestNoCertificate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := as(t, h.URL, &tls.Config{InsecureSkipVerify: true})
	if _, err := c.Report(t.Context(), link.Report{}); problem(err) != link.ProblemRevoked {
		t.Errorf("report: %v", err)
	}
	if _, err := c.Renew(t.Context(), link.RenewRequest{}); problem(err) != link.ProblemRevoked {
		t.Errorf("renewal: %v", err)
	}
}
