package api_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/hub/api"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// hub is a hub as it runs: real TLS, HTTP/2 and database.
type hub struct {
	t         testing.TB
	api       *api.API
	store     *store.Store
	authority *ca.Authority
	address   string
	clock     *clock
	log       *logBuffer
	listener  *countingListener
	stop      func() // returns when Serve has
}

// clock is the hub's; it goes on by itself and can be set ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// logBuffer keeps what a hub logs.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// countingListener counts connections and their bytes.
type countingListener struct {
	net.Listener
	open     atomic.Int64
	up, down atomic.Int64 // from and to bornes
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return &countingConn{Conn: c, l: l}, nil
}

type countingConn struct {
	net.Conn
	l      *countingListener
	closed sync.Once
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.up.Add(int64(n))
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.l.down.Add(int64(n))
	return n, err
}

func (c *countingConn) Close() error {
	c.closed.Do(func() { c.l.open.Add(-1) })
	return c.Conn.Close()
}

var (
	newAuthority = sync.OnceValues(func() (*ca.Authority, error) { return ca.New(time.Now()) })
	recipient    = sync.OnceValues(age.GenerateX25519Identity)
)

// each runs a test on a hub over SQLite and on one over PostgreSQL.
func each(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, startHub(t, storetest.Open(t, fresh(t))))
		})
	}
}

func openSQLite(t testing.TB) *store.Store { return storetest.Open(t, storetest.SQLite(t)) }

// startHub starts a hub that ends with the test.
func startHub(t testing.TB, s *store.Store, change ...func(*api.Options)) *hub {
	t.Helper()
	authority, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	id, err := recipient()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{t: t, store: s, authority: authority, clock: new(clock), log: new(logBuffer),
		listener: &countingListener{Listener: l}, address: l.Addr().String()}
	options := api.Options{
		Store: s, Authority: authority, Recipient: id.Recipient().String(), Now: h.clock.now,
		Log: slog.New(slog.NewTextHandler(io.MultiWriter(h.log, testOutput{}), &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, f := range change {
		f(&options)
	}
	h.api = api.New(options)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.api.Serve(ctx, h.listener) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

// testOutput shows the log where PARVIS_TEST_LOG is set.
type testOutput struct{}

func (testOutput) Write(p []byte) (int, error) {
	if os.Getenv("PARVIS_TEST_LOG") != "" {
		return os.Stderr.Write(p)
	}
	return len(p), nil
}

// code makes a one-time code, as IT does.
func (h *hub) code(site, borne string, life time.Duration) (enrol.Code, store.Token) {
	h.t.Helper()
	ctx, now := h.t.Context(), h.clock.now()
	if err := h.store.PutSite(ctx, store.Site{ID: site, Name: "Mairie de Neudorf", Created: now}); err != nil {
		h.t.Fatal(err)
	}
	code := enrol.NewCode(h.authority.Fingerprint())
	token, err := h.store.CreateToken(ctx, store.Token{Hash: code.Hash(), Site: store.Site{ID: site}, Borne: borne,
		Created: now, Expires: now.Add(life)})
	if err != nil {
		h.t.Fatal(err)
	}
	return code, token
}

// borne is a borne that the hub has enrolled.
type borne struct {
	t    testing.TB
	id   string
	dir  string
	self *enrol.Identity
	*link.Client
	run []byte
	seq uint64
}

// enrol enrols a borne as the agent does.
func (h *hub) enrol(id string) *borne {
	h.t.Helper()
	code, _ := h.code("neudorf", id, time.Hour)
	dir := h.t.TempDir()
	self, err := enrol.Enrol(h.t.Context(), h.address, code, dir, enrol.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.as(self, dir)
}

// as is a machine that has an identity.
func (h *hub) as(self *enrol.Identity, dir string) *borne {
	h.t.Helper()
	b := &borne{t: h.t, id: self.Borne(), dir: dir, self: self, run: newRun()}
	b.connect(h)
	return b
}

// connect makes a new client, to this hub or another.
func (b *borne) connect(h *hub) {
	b.t.Helper()
	c, err := link.NewClient(link.ClientOptions{Hub: h.address, TLS: b.self.TLS()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	b.Client = c
}

var runs atomic.Uint32

func newRun() []byte { return append([]byte("run\x00\x00\x00\x00"), byte(runs.Add(1))) }

// report is a plausible next report.
func (b *borne) report(now time.Time) link.Report {
	b.seq++
	return link.Report{Run: b.run, Seq: b.seq, At: now.UnixMilli(), Version: "1.4.0", Content: "2026-11-01", Uptime: 86400,
		App: link.AppIdle, Disk: 71, Temp: 52, Load: 7,
		Devices: []link.Device{
			{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "full", Since: now.Unix() - 60},
			{Name: "lecteur-1", Kind: "card_reader", State: "online", Since: now.Unix() - 60},
		},
		Counts: map[string]map[string]int{now.UTC().Format(time.DateOnly): {"visit": 12, "visit.h10": 3}}}
}

// mustReport reports and wants it taken.
func (b *borne) mustReport(h *hub) {
	b.t.Helper()
	if _, err := b.Report(b.t.Context(), b.report(h.clock.now())); err != nil {
		b.t.Fatalf("report of %s: %v", b.id, err)
	}
}

// raw is an HTTP/2 client with the borne's certificate, for what link.Client
// would never send.
func (b *borne) raw() *http.Client {
	return rawClient(b.t, b.self.TLS())
}

func rawClient(t testing.TB, config *tls.Config) *http.Client {
	config = config.Clone()
	config.ServerName = link.ServerName
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// stranger is a client without a certificate.
func (h *hub) stranger() *http.Client {
	return rawClient(h.t, &tls.Config{InsecureSkipVerify: true})
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	problem link.Problem // where it is one
}

// ask sends a request. Its header is given as "Name: value".
func (h *hub) ask(client *http.Client, method, path string, body []byte, header ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, "https://"+h.address+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		h.t.Fatalf("%s %s: answered over %s", method, path, resp.Proto)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: data}
	switch resp.Header.Get("Content-Type") {
	case link.MediaProblemJSON:
		err = json.Unmarshal(data, &a.problem)
	case link.MediaProblemCBOR:
		err = link.Decode(data, &a.problem)
	}
	if err != nil {
		h.t.Fatalf("%s %s: problem: %v in %q", method, path, err, data)
	}
	return a
}

// soon waits until something is so.
func soon(t testing.TB, what string, within time.Duration, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// wantProblem is a refusal as link.Client tells it.
func wantProblem(t testing.TB, err error, kind string) *link.Problem {
	t.Helper()
	var p *link.Problem
	if !errors.As(err, &p) || p.Type != kind {
		t.Fatalf("got %v, want the problem %s", err, kind)
	}
	return p
}

// paths is an observer that remembers the requests.
type paths struct {
	api.Observer
	mu    sync.Mutex
	heard []string
}

func (p *paths) Request(path string, status int, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, fmt.Sprintf("%s %d", path, status))
}

func (p *paths) Connection(int) {}
func (p *paths) Batch(int)      {}
func (p *paths) Callback()      {}

func (p *paths) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

func deflated(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func contains(b *logBuffer, text string) bool { return strings.Contains(b.String(), text) }
