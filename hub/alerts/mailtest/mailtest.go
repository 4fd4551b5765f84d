// Package mailtest is a mail server for tests, on this machine.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"parvis/hub/alerts"
)

// Certificate is that of a test's own servers on 127.0.0.1, and Roots vouches for it.
var (
	Certificate = makeCertificate()
	Roots       = func() *x509.CertPool {
		pool := x509.NewCertPool()
		pool.AddCert(Certificate.Leaf)
		return pool
	}()
)

func makeCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// Letter is a mail that has arrived.
type Letter struct {
	Raw        string
	Header     mail.Header
	Subject    string
	Text, HTML string
	From       string
	To         []string
	User       string // who signed in
	Encrypted  bool   // the line was, when it came
}

// Mailbox is a mail server that asks for STARTTLS and a password. Nobody is at
// addresses that begin with "gone@".
type Mailbox struct {
	Port int

	t        testing.TB
	mu       sync.Mutex
	letters  []Letter
	listener net.Listener
	server   *smtp.Server
	refuse   error
	done     chan struct{}
}

// Password is that of every account.
const Password = "tulipe orange"

// Start runs a mail server until the test ends.
func Start(t testing.TB) *Mailbox {
	t.Helper()
	m := &Mailbox{t: t}
	m.Start()
	t.Cleanup(m.Stop)
	return m
}

// Start has a server that was stopped listen again, on the same port.
func (m *Mailbox) Start() {
	m.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(m.Port)))
	if err != nil {
		m.t.Fatal(err)
	}
	m.listener = l
	m.Port = l.Addr().(*net.TCPAddr).Port
	m.server = smtp.NewServer(m)
	m.server.Domain, m.server.TLSConfig = "mail.test", &tls.Config{Certificates: []tls.Certificate{Certificate}}
	m.done = make(chan struct{})
	go func() {
		defer close(m.done)
		m.server.Serve(l)
	}()
}

// Stop has nobody listen any more.
func (m *Mailbox) Stop() {
	m.listener.Close() // the server may not know it yet
	m.server.Close()
	<-m.done
}

// Refuse answers every mail with an error from now on; with nil none.
func (m *Mailbox) Refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

// NewSession is called by the server for each connection.
func (m *Mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{m: m, c: c}, nil }

type session struct {
	m *Mailbox
	c *smtp.Conn
	l Letter
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != Password {
			return errors.New("wrong password")
		}
		s.l.User = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.l.User == "" {
		return smtp.ErrAuthRequired
	}
	s.l.From = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, Message: "No such user here"}
	}
	s.l.To = append(s.l.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.m.refuse != nil {
		return s.m.refuse
	}
	_, s.l.Encrypted = s.c.TLSConnectionState()
	if err := s.l.parse(string(raw)); err != nil {
		return err
	}
	s.m.letters = append(s.m.letters, s.l)
	return nil
}

func (s *session) Reset()        { s.l = Letter{User: s.l.User} }
func (s *session) Logout() error { return nil }

func (l *Letter) parse(raw string) error {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return err
	}
	l.Raw, l.Header = raw, m.Header
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if kind == "text/plain" {
		body := m.Body
		if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(body)
		}
		text, err := io.ReadAll(body)
		l.Text = string(text)
		return err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			return err
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			l.HTML = string(text)
		} else {
			l.Text = string(text)
		}
	}
}

// Got takes the letters that have arrived out of the box.
func (m *Mailbox) Got() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.letters
	m.letters = nil
	return all
}

// Count is how many letters are in the box.
func (m *Mailbox) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.letters)
}

// Expect takes the letters out, sorted by their subjects, and fails the test
// when these are not those wanted.
func (m *Mailbox) Expect(when string, subjects ...string) []Letter {
	m.t.Helper()
	all := m.Got()
	slices.SortFunc(all, func(a, b Letter) int { return strings.Compare(a.Subject, b.Subject) })
	var have []string
	for _, l := range all {
		have = append(have, Plain(l.Subject))
	}
	if strings.Join(have, "\n") != strings.Join(subjects, "\n") {
		m.t.Fatalf("%s, told:\n%q\nwant:\n%q", when, have, subjects)
	}
	return all
}

// Plain has ordinary spaces.
func Plain(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

// Channel is the Mailbox as a channel.
func (m *Mailbox) Channel() alerts.Channel {
	return alerts.Channel{Kind: alerts.Mail, Name: "Équipe", On: true, Host: "127.0.0.1", Port: m.Port, TLS: alerts.STARTTLS,
		User: "parvis", From: "parvis@ville.fr", To: []string{"agents@ville.fr", "it@ville.fr"}}
}
