package enrol_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// recipient is a public key whose private half nobody has kept.
const recipient = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"

// hub is a registrar behind a real TLS 1.3 and HTTP/2 server, with its registry
// in memory.
type hub struct {
	URL       string
	authority *ca.Authority
	registry  *registry
	registrar *enrol.Registrar

	mu    sync.Mutex
	now   time.Time
	lose  int // so many answers are lost on their way
	heard int // requests that came
}

func newHub(t testing.TB) *hub {
	t.Helper()
	return newHubAt(t, time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
}

// newHubAt makes a hub whose clock says so; the borne's is the machine's.
func newHubAt(t testing.TB, now time.Time) *hub {
	t.Helper()
	authority, err := ca.New(now)
	if err != nil {
		t.Fatal(err)
	}
	r := newRegistry()
	h := &hub{authority: authority, registry: r, now: now}
	h.registrar = &enrol.Registrar{Authority: authority, Registry: r, Recipient: recipient}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+link.Prefix+"/enrol", func(w http.ResponseWriter, q *http.Request) {
		var body link.EnrolRequest
		h.serve(w, q, &body, func() (link.Enrolled, error) { return h.registrar.Register(q.Context(), body, h.clock()) })
	})
	mux.HandleFunc("POST "+link.Prefix+"/renew", func(w http.ResponseWriter, q *http.Request) {
		var body link.RenewRequest
		h.serve(w, q, &body, func() (link.Enrolled, error) {
			if len(q.TLS.PeerCertificates) == 0 {
				return link.Enrolled{}, &link.Problem{Type: link.ProblemRevoked, Status: http.StatusForbidden}
			}
			return h.registrar.Renew(q.Context(), q.TLS.PeerCertificates[0], body, h.clock())
		})
	})
	// Stands for all that a borne does day by day.
	mux.HandleFunc("POST "+link.Prefix+"/report", func(w http.ResponseWriter, q *http.Request) {
		h.serve(w, q, &link.Report{}, func() (link.Enrolled, error) {
			if len(q.TLS.PeerCertificates) == 0 {
				return link.Enrolled{}, &link.Problem{Type: link.ProblemRevoked, Status: http.StatusForbidden}
			}
			id, serial, expired, err := authority.VerifyClient(q.TLS.PeerCertificates[0], h.clock())
			switch {
			case err != nil:
				return link.Enrolled{}, err
			case expired:
				return link.Enrolled{}, &link.Problem{Type: link.ProblemExpired, Status: http.StatusForbidden}
			case !r.use(id, serial):
				return link.Enrolled{}, &link.Problem{Type: link.ProblemRevoked, Status: http.StatusForbidden}
			}
			return link.Enrolled{Borne: id}, nil
		})
	})
	h.serveTLS(t, mux, authority.ServerTLS(h.clock))
	return h
}

func (h *hub) serveTLS(t testing.TB, handler http.Handler, config *tls.Config) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)} // refused handshakes
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	h.URL = "https://" + l.Addr().String()
}

func (h *hub) serve(w http.ResponseWriter, q *http.Request, body any, answer func() (link.Enrolled, error)) {
	h.mu.Lock()
	h.heard++
	h.mu.Unlock()
	if q.ProtoMajor != 2 || q.TLS.Version != tls.VersionTLS13 {
		http.Error(w, "not HTTP/2 over TLS 1.3", http.StatusHTTPVersionNotSupported)
		return
	}
	data, err := io.ReadAll(q.Body)
	if err == nil {
		err = link.Decode(data, body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e, err := answer()
	h.mu.Lock()
	lost := h.lose > 0
	if lost {
		h.lose--
	}
	h.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler)
	}
	var p *link.Problem
	switch {
	case errors.As(err, &p):
		h.say(w, link.MediaProblemCBOR, p.Status, p)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		h.say(w, link.MediaCBOR, http.StatusOK, e)
	}
}

func (h *hub) say(w http.ResponseWriter, media string, status int, message any) {
	data, err := link.Encode(message)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	w.Write(data) // who asked may be gone
}

func (h *hub) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// pass lets time go by.
func (h *hub) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// loseAnswers cuts the connection instead of giving the next n answers.
func (h *hub) loseAnswers(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lose = n
}

func (h *hub) requests() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heard
}

// code makes a code for a borne, good for 24 hours.
func (h *hub) code(borne string) enrol.Code {
	c := enrol.NewCode(h.authority.Fingerprint())
	h.registry.mu.Lock()
	defer h.registry.mu.Unlock()
	h.registry.tokens[string(c.Hash())] = &token{borne: borne, expires: h.clock().Add(24 * time.Hour)}
	return c
}

// as makes a client of the hub, with a connection of its own.
func as(t *testing.T, hub string, config *tls.Config) *link.Client {
	t.Helper()
	c, err := link.NewClient(link.ClientOptions{Hub: hub, TLS: config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// report does what a borne does day by day, over a new connection.
func report(t *testing.T, id *enrol.Identity) error {
	t.Helper()
	_, err := as(t, id.Hub(), id.TLS()).Report(t.Context(), link.Report{})
	return err
}

// renew asks for the next certificate, over a new connection.
func renew(t *testing.T, id *enrol.Identity) error {
	t.Helper()
	return id.Renew(t.Context(), as(t, id.Hub(), id.TLS()).Renew)
}

func problem(err error) string {
	var p *link.Problem
	if errors.As(err, &p) {
		return p.Type
	}
	return ""
}

// registry keeps bornes and codes as the hub's database does.
type registry struct {
	mu     sync.Mutex
	tokens map[string]*token
	bornes map[string]*enrol.Borne
	cloned map[string]int
}

type token struct {
	borne     string
	expires   time.Time
	withdrawn bool
	key       []byte // that used it
}

func newRegistry() *registry {
	return &registry{tokens: map[string]*token{}, bornes: map[string]*enrol.Borne{}, cloned: map[string]int{}}
}

func (r *registry) Redeem(_ context.Context, code, key []byte, g ca.Grant, now time.Time) (enrol.Borne, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tokens[string(code)]
	if t == nil || t.withdrawn || now.After(t.expires) || t.key != nil && !bytes.Equal(t.key, key) {
		return enrol.Borne{}, enrol.ErrUnknown
	}
	t.key = key
	b := enrol.Borne{ID: t.borne, Site: "Mairie de Neudorf", Newest: g.Serial, Ends: g.Ends}
	r.bornes[b.ID] = &b
	return b, nil
}

func (r *registry) Borne(_ context.Context, id string) (enrol.Borne, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bornes[id] == nil {
		return enrol.Borne{}, enrol.ErrUnknown
	}
	return *r.bornes[id], nil
}

func (r *registry) Note(_ context.Context, id string, _ []byte, g ca.Grant, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bornes[id] == nil {
		return enrol.ErrUnknown
	}
	r.bornes[id].Newest, r.bornes[id].Ends = g.Serial, g.Ends
	return nil
}

func (r *registry) Cloned(_ context.Context, id string, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cloned[id]++
	return nil
}

// use notes with which certificate a borne came, and whether it is welcome.
func (r *registry) use(id, serial string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.bornes[id]
	if b == nil || b.Revoked {
		return false
	}
	if b.Used != b.Newest {
		b.Used = serial
	}
	return true
}

// change alters what is known of a borne, as other parts of the hub do.
func (r *registry) change(id string, f func(*enrol.Borne)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.bornes[id])
}

func (r *registry) changeCode(c enrol.Code, f func(*token)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.tokens[string(c.Hash())])
}

func (r *registry) clones(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cloned[id]
}
