package link_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/kiosk/link"
)

// authority makes the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{cert, key, x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

// issue makes a certificate for a hub or a borne.
func (a authority) issue(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// meter counts what goes through a listener's connections, TLS included.
type meter struct {
	net.Listener
	made     atomic.Int64 // connections
	up, down atomic.Int64 // bytes, from and to the client

	mu   sync.Mutex
	live []net.Conn
}

func (m *meter) Accept() (net.Conn, error) {
	conn, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	m.made.Add(1)
	m.mu.Lock()
	m.live = append(m.live, conn)
	m.mu.Unlock()
	return &meteredConn{conn, m}, nil
}

type meteredConn struct {
	net.Conn
	m *meter
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.m.up.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.m.down.Add(int64(n))
	return n, err
}

// cut closes all connections, as a network does that falls.
func (m *meter) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.live {
		conn.Close()
	}
	m.live = nil
}

// server is a hub's port: real TLS with client certificates, real HTTP/2.
type server struct {
	*meter
	address string
	ca      authority
	tls     *tls.Config
}

// quiet is for what servers say of clients that don't behave.
var quiet = log.New(io.Discard, "", 0)

func serve(t testing.TB, handler http.Handler) server {
	t.Helper()
	ca := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{Listener: l}
	s := httptest.NewUnstartedServer(handler)
	s.Listener.Close()
	s.Listener = m
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quiet
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.issue(t, link.ServerName)},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool}
	s.StartTLS()
	t.Cleanup(func() {
		m.cut()
		s.Close()
	})
	return server{m, l.Addr().String(), ca, s.TLS}
}

// client makes a borne's client of s.
func (s server) client(t testing.TB) *link.Client { return s.clientBy(t, s.address, "") }

func (s server) clientBy(t testing.TB, hub, proxy string) *link.Client {
	t.Helper()
	cert := s.ca.issue(t, "MN-01")
	c, err := link.NewClient(link.ClientOptions{Hub: hub, Proxy: proxy,
		TLS: &tls.Config{RootCAs: s.ca.pool, Certificates: []tls.Certificate{cert}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
