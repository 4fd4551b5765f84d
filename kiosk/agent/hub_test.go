package agent_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

// hub is what a borne finds behind the wire: real TLS, real HTTP/2, and no
// more of a hub than keeping what it is told.
type hub struct {
	t    testing.TB
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	addr string

	mu        sync.Mutex
	server    *httptest.Server
	listener  *cutListener
	now       func() time.Time
	reports   []link.Report
	arrived   []time.Time
	callbacks map[uuid.UUID]link.Callback
	puts      map[uuid.UUID]int // how often each request came
	commands  []link.Command    // that have not been ended
	outcomes  map[uuid.UUID][]link.Outcome
	wanted    link.Wanted
	asked     int               // for wanted
	files     map[string][]byte // by path after link.Prefix
	renewals  int
	searches  []string // month, ID and data
	wake      chan struct{}
	// refuse, when set, may answer a request in the hub's place.
	refuse func(w http.ResponseWriter, r *http.Request) bool
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, now: time.Now, callbacks: make(map[uuid.UUID]link.Callback), puts: make(map[uuid.UUID]int),
		outcomes: make(map[uuid.UUID][]link.Outcome), files: make(map[string][]byte), wake: make(chan struct{})}
	var err error
	if h.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &h.key.PublicKey, h.key)
	if err != nil {
		t.Fatal(err)
	}
	if h.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *hub) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(h.ca)
	return pool
}

// issue makes a certificate for name, which holds for a time.
func (h *hub) issue(name string, from, to time.Time) tls.Certificate {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, h.ca, &key.PublicKey, h.key)
	if err != nil {
		h.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// start starts the hub, after the first time at the same address.
func (h *hub) start() {
	h.t.Helper()
	address := h.addr
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.addr = l.Addr().String()
	s := httptest.NewUnstartedServer(link.Inflate(h))
	s.Listener.Close()
	h.mu.Lock()
	h.listener = &cutListener{Listener: l}
	s.Listener = h.listener
	h.server = s
	h.mu.Unlock()
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{h.issue(link.ServerName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))}}
	s.StartTLS()
}

// stop cuts all connections and takes no new ones, until start.
func (h *hub) stop() {
	h.mu.Lock()
	s, l := h.server, h.listener
	h.server = nil
	h.mu.Unlock()
	if s == nil {
		return
	}
	l.Close()
	l.cut()
	s.Close()
}

// cutListener can cut the connections that it has made, as a network that falls.
type cutListener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	made  int
}

func (l *cutListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns, l.made = append(l.conns, c), l.made+1
		l.mu.Unlock()
	}
	return c, err
}

func (l *cutListener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	refuse := h.refuse
	h.mu.Unlock()
	if refuse != nil && refuse(w, r) {
		return
	}
	path, _ := strings.CutPrefix(r.URL.Path, link.Prefix)
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && path == "/report":
		h.report(w, r)
	case r.Method == http.MethodGet && path == "/commands":
		h.hold(w, r)
	case r.Method == http.MethodPut && parts[0] == "commands" && len(parts) == 3:
		h.outcome(w, r, uuid.MustParse(parts[1]))
	case r.Method == http.MethodPut && parts[0] == "callbacks":
		h.callback(w, r, uuid.MustParse(parts[1]))
	case r.Method == http.MethodPut && parts[0] == "unfound":
		var u link.Unfound
		if take(w, r, &u) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.searches = append(h.searches, u.Month+" "+parts[1]+" "+string(u.Data))
			w.WriteHeader(http.StatusNoContent)
		}
	case r.Method == http.MethodGet && path == "/wanted":
		h.mu.Lock()
		defer h.mu.Unlock()
		h.asked++
		answer(w, http.StatusOK, h.wanted)
	case r.Method == http.MethodGet && (parts[0] == "files" || parts[0] == "pack"):
		h.mu.Lock()
		data, ok := h.files[path]
		h.mu.Unlock()
		if !ok {
			problem(w, link.Problem{Type: link.ProblemUnknown, Status: http.StatusNotFound, Title: "Fichier inconnu"})
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	case r.Method == http.MethodPost && path == "/renew":
		h.mu.Lock()
		h.renewals++
		h.mu.Unlock()
		answer(w, http.StatusOK, link.Enrolled{Borne: "MN-01"})
	default:
		problem(w, link.Problem{Type: link.ProblemUnknown, Status: http.StatusNotFound})
	}
}

func answer(w http.ResponseWriter, status int, message any) {
	data, err := link.Encode(message)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", link.MediaCBOR)
	w.WriteHeader(status)
	w.Write(data)
}

func problem(w http.ResponseWriter, p link.Problem) {
	data, err := link.Encode(p)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", link.MediaProblemCBOR)
	w.WriteHeader(p.Status)
	w.Write(data)
}

func take(w http.ResponseWriter, r *http.Request, message any) bool {
	data, err := io.ReadAll(io.LimitReader(r.Body, link.MaxFile+link.MaxBody))
	if err == nil {
		err = link.Decode(data, message)
	}
	if err != nil {
		problem(w, link.Problem{Type: link.ProblemInvalid, Status: http.StatusBadRequest})
	}
	return err == nil
}

func (h *hub) report(w http.ResponseWriter, r *http.Request) {
	var report link.Report
	if !take(w, r, &report) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if now.Sub(time.UnixMilli(report.At)).Abs() > link.MaxSkew {
		problem(w, link.Problem{Type: link.ProblemClock, Status: http.StatusUnprocessableEntity, Now: now.UnixMilli()})
		return
	}
	h.reports, h.arrived = append(h.reports, report), append(h.arrived, time.Now())
	answer(w, http.StatusOK, link.ReportAnswer{Now: now.UnixMilli(), Tag: h.wanted.Tag})
}

// hold answers at once while there are commands that are not ended, as a hub
// does that knows no more of the borne than that.
func (h *hub) hold(w http.ResponseWriter, r *http.Request) {
	for {
		h.mu.Lock()
		commands, wake, now := append([]link.Command(nil), h.commands...), h.wake, h.now()
		h.mu.Unlock()
		if len(commands) > 0 {
			answer(w, http.StatusOK, link.Commands{Commands: commands, Now: now.UnixMilli()})
			return
		}
		select {
		case <-wake:
		case <-r.Context().Done():
			return
		}
	}
}

// tell gives the borne a command.
func (h *hub) tell(kind link.CommandKind, args link.Args) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands = append(h.commands, link.Command{ID: id, Kind: kind, Args: args, Expires: h.now().Add(time.Minute).UnixMilli()})
	close(h.wake)
	h.wake = make(chan struct{})
	return id
}

func (h *hub) outcome(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	var o link.Outcome
	if !take(w, r, &o) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.outcomes[id] = append(h.outcomes[id], o)
	var open []link.Command
	for _, c := range h.commands {
		if c.ID != id {
			open = append(open, c)
		}
	}
	h.commands = open
	w.WriteHeader(http.StatusNoContent)
}

func (h *hub) callback(w http.ResponseWriter, r *http.Request, id uuid.UUID) {
	var c link.Callback
	if !take(w, r, &c) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.puts[id]++
	_, there := h.callbacks[id]
	h.callbacks[id] = c
	if there {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func (h *hub) last() link.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.reports) == 0 {
		return link.Report{}
	}
	return h.reports[len(h.reports)-1]
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.reports)
}

func (h *hub) outcomeOf(id uuid.UUID) (o link.Outcome, times int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.outcomes[id]
	if len(all) == 0 {
		return o, 0
	}
	return all[len(all)-1], len(all)
}

// counted reads one of the hub's counters.
func (h *hub) counted(n func() int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return n()
}

func (h *hub) putsOf(id uuid.UUID) int { return h.counted(func() int { return h.puts[id] }) }

func (h *hub) renewed() int { return h.counted(func() int { return h.renewals }) }

func (h *hub) connections() int {
	h.mu.Lock()
	l := h.listener
	h.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made
}

func (h *hub) has(id uuid.UUID) (link.Callback, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.callbacks[id]
	return c, ok
}

// card is the identity of a borne in tests.
type card struct {
	hub *hub

	mu       sync.Mutex
	cert     tls.Certificate
	from, to time.Time
}

func newCard(h *hub) *card {
	c := &card{hub: h}
	c.hold(time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
	return c
}

// hold gives the borne a certificate that holds for a time.
func (c *card) hold(from, to time.Time) {
	cert := c.hub.issue("MN-01", from, to)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cert, c.from, c.to = cert, from, to
}

func (c *card) Certificate() (from, to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from, c.to
}

// recipient is the key of the hub in tests.
const recipient = "age1hub"

func (c *card) Recipient() string { return recipient }

func (c *card) Renew(ctx context.Context, ask func(context.Context, link.RenewRequest) (link.Enrolled, error)) error {
	answer, err := ask(ctx, link.RenewRequest{CSR: []byte("csr")})
	if err != nil {
		return err
	}
	if answer.Borne != "MN-01" {
		return errors.New("another borne")
	}
	now := c.hub.now()
	c.hold(now.Add(-time.Minute), now.Add(time.Hour))
	return nil
}

func (c *card) tls() *tls.Config {
	return &tls.Config{RootCAs: c.hub.pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		cert := c.cert
		return &cert, nil
	}}
}
