package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// The codes that must not work, at the real port: tried before, tried by
// another machine, too old, withdrawn, altered, made up.
func TestCodes(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		try := func(code enrol.Code) error {
			_, err := enrol.Enrol(t.Context(), h.address, code, t.TempDir(), enrol.Options{})
			return err
		}
		used, _ := h.code("neudorf", "", time.Hour)
		if err := try(used); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, try(used), link.ProblemToken)

		old, _ := h.code("neudorf", "", time.Hour)
		withdrawn, token := h.code("neudorf", "", 24*time.Hour)
		if err := h.store.WithdrawToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, try(withdrawn), link.ProblemToken)
		h.clock.advance(time.Hour + time.Second)
		wantProblem(t, try(old), link.ProblemToken)
		wantProblem(t, try(enrol.NewCode(h.authority.Fingerprint())), link.ProblemToken)

		bornes, err := h.store.Bornes(t.Context())
		if err != nil || len(bornes) != 1 {
			t.Errorf("%d bornes, %v", len(bornes), err)
		}
	})
}

// Somebody in the middle who shows a certificate of his own learns nothing of
// the code, and a borne that is enrolled tells him nothing.
func TestManInTheMiddle(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	other, err := ca.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	middle := &http.Server{ErrorLog: log.New(io.Discard, "", 0), TLSConfig: other.ServerTLS(time.Now), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard <- r.URL.Path
		h.api.Handler().ServeHTTP(w, r) // passes everything on
	})}
	go middle.ServeTLS(l, "", "")
	t.Cleanup(func() { middle.Close() })

	code, _ := h.code("neudorf", "MN-01", time.Hour)
	if _, err := enrol.Enrol(t.Context(), l.Addr().String(), code, t.TempDir(), enrol.Options{}); !errors.Is(err, enrol.ErrNotTheHub) {
		t.Errorf("enrolment through him: %v", err)
	}
	b := h.enrol("MN-02")
	b.connect(&hub{address: l.Addr().String()})
	if _, err := b.Report(t.Context(), b.report(h.clock.now())); err == nil {
		t.Error("a report went through him")
	}
	select {
	case path := <-heard:
		t.Errorf("he has heard a request of %s", path)
	default:
	}
}

// He who passes the hub's own bytes on, but speaks for a borne with another
// authority's certificate, is not let in.
func TestForeignCertificate(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	h.enrol("MN-01")
	other, err := ca.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	foreign := certificate(t, other, "MN-01", ca.NewGrant(time.Now(), time.Hour))
	server, err := h.authority.Server(time.Now()) // a hub's, not a borne's
	if err != nil {
		t.Fatal(err)
	}
	for name, cert := range map[string]tls.Certificate{"foreign": foreign, "hub's own": server} {
		client := rawClient(t, &tls.Config{InsecureSkipVerify: true,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+h.address+"/v1/commands", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s certificate: %s", name, resp.Status)
		}
	}
	for _, path := range []string{"/v1/commands", "/v1/files/" + zeros} {
		a := h.ask(h.stranger(), http.MethodGet, path, nil)
		if a.status != http.StatusUnauthorized || a.problem.Type != link.ProblemRevoked {
			t.Errorf("without a certificate, %s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/v1/report", "/v1/renew"} {
		a := h.ask(h.stranger(), http.MethodPost, path, []byte("{}"), "Content-Type: application/json")
		if a.status != http.StatusUnauthorized || a.problem.Type != link.ProblemRevoked {
			t.Errorf("without a certificate, %s: %d %s", path, a.status, a.body)
		}
	}
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// certificate makes a borne's certificate as the authority would.
func certificate(t testing.TB, authority *ca.Authority, borne string, g ca.Grant) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	request, err := ca.ParseRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authority.Client(request, borne, g)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: key}
}

// client is a client with a certificate that this hub's authority has made.
func (h *hub) client(cert tls.Certificate) *link.Client {
	h.t.Helper()
	c, err := link.NewClient(link.ClientOptions{Hub: h.address, TLS: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	return c
}

// A certificate that has ended is good for the next one, and for nothing else,
// even on a connection that was made when it was good.
func TestExpiredCertificate(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		b.mustReport(h)
		_, ends := b.self.Certificate()
		h.clock.advance(ends.Sub(h.clock.now()) + time.Minute)
		_, err := b.Report(t.Context(), b.report(h.clock.now()))
		if p := wantProblem(t, err, link.ProblemExpired); p.Status != http.StatusUnauthorized {
			t.Errorf("%d", p.Status)
		}
		_, err = b.Commands(t.Context(), link.Wait)
		wantProblem(t, err, link.ProblemExpired)
		// The hub was away longer than the certificate lives.
		h.clock.advance(90 * 24 * time.Hour)
		b.connect(h)
		if err := b.self.Renew(t.Context(), b.Renew); err != nil {
			t.Fatal(err)
		}
		b.connect(h)
		b.mustReport(h)
	})
}

// The machine that stood there before is out once another is enrolled in its
// place, whatever it tries.
func TestReplacedMachine(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		old := h.enrol("MN-01")
		old.mustReport(h)
		// One that lasts longer than what the hub makes today.
		long := h.client(certificate(t, h.authority, "MN-01", ca.NewGrant(h.clock.now(), 90*24*time.Hour)))
		h.clock.advance(time.Minute)
		fresh := h.enrol("MN-01")
		_, err := long.Commands(t.Context(), 0)
		wantProblem(t, err, link.ProblemRevoked)
		_, err = long.Renew(t.Context(), link.RenewRequest{CSR: csr(t)})
		wantProblem(t, err, link.ProblemRevoked)
		_, err = old.Report(t.Context(), old.report(h.clock.now()))
		wantProblem(t, err, link.ProblemRevoked)
		old.connect(h)
		wantProblem(t, old.self.Renew(t.Context(), old.Renew), link.ProblemRevoked)
		fresh.mustReport(h)
	})
}

// A hub restored from a backup knows nothing of the certificates it has made
// since. A borne with such a one asks for another and goes on.
func TestRestoredHub(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.enrol("MN-01")
		later := certificate(t, h.authority, "MN-01", ca.NewGrant(h.clock.now().Add(24*time.Hour), ca.DefaultLife))
		c := h.client(later)
		_, err := c.Commands(t.Context(), 0)
		wantProblem(t, err, link.ProblemExpired)
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, later.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		given, err := c.Renew(t.Context(), link.RenewRequest{CSR: csr})
		if err != nil {
			t.Fatal(err)
		}
		next := h.client(tls.Certificate{Certificate: given.Chain, PrivateKey: later.PrivateKey})
		if _, err := next.Commands(t.Context(), 0); err != nil {
			t.Error(err)
		}
		// One that this hub's authority never gave to any borne of this name.
		stranger := h.client(certificate(t, h.authority, "XX-99", ca.NewGrant(h.clock.now(), ca.DefaultLife)))
		_, err = stranger.Commands(t.Context(), 0)
		wantProblem(t, err, link.ProblemRevoked)
	})
}

// Two machines under one identity raise the alert, and it is told to the log.
func TestTwoMachines(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		one := h.enrol("MN-01")
		self, err := enrol.Load(one.dir)
		if err != nil {
			t.Fatal(err)
		}
		two := h.as(self, one.dir)
		for range 3 {
			one.mustReport(h)
			two.mustReport(h)
		}
		there, err := h.store.Borne(t.Context(), "MN-01")
		if err != nil || there.Cloned.IsZero() {
			t.Errorf("nobody noticed: %v", err)
		}
		soon(t, "the log tells", 5*time.Second, func() bool { return contains(h.log, "two machines") })
	})
}

// Codes are tried a bounded number of times from one address, and other
// requests of that address go on.
func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	client := h.stranger()
	body, err := link.Encode(link.EnrolRequest{Secret: make([]byte, 10), CSR: csr(t)})
	if err != nil {
		t.Fatal(err)
	}
	try := func() answer {
		return h.ask(client, http.MethodPost, "/v1/enrol", body, "Content-Type: application/cbor")
	}
	allowed := 0
	for range 100 {
		a := try()
		if a.status == http.StatusForbidden && a.problem.Type == link.ProblemToken {
			allowed++
			continue
		}
		if a.status != http.StatusTooManyRequests || a.problem.Type != link.ProblemBusy || a.header.Get("Retry-After") == "" {
			t.Fatalf("%d %v %s", a.status, a.header, a.body)
		}
	}
	if allowed < 30 || allowed > 50 {
		t.Errorf("%d tries were allowed", allowed)
	}
	b.mustReport(h)
	h.clock.advance(time.Minute)
	if a := try(); a.status != http.StatusForbidden {
		t.Errorf("a minute later: %d", a.status)
	}
}

func csr(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A handler that is served without Serve checks at each request all the same.
func TestHandlerAlone(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	h := startHub(t, s)
	b := h.enrol("MN-01")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	alone := api.New(api.Options{Store: s, Authority: h.authority})
	server := &http.Server{Handler: alone.Handler(), TLSConfig: alone.TLSConfig()}
	go server.ServeTLS(l, "", "")
	t.Cleanup(func() { server.Close() })
	b.connect(&hub{address: l.Addr().String()})
	if _, err := b.Commands(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := s.Revoke(t.Context(), "MN-01", time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = b.Commands(t.Context(), 0)
	wantProblem(t, err, link.ProblemRevoked)
}
