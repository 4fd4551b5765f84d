package link_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
)

const patience = 10 * time.Second

// cbor answers with a message.
func cbor(t testing.TB, w http.ResponseWriter, status int, message any) {
	t.Helper()
	data, err := link.Encode(message)
	if err != nil {
		t.Error(err)
	}
	w.Header().Set("Content-Type", link.MediaCBOR)
	w.WriteHeader(status)
	w.Write(data)
}

func read(t testing.TB, r *http.Request, message any) {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = link.Decode(data, message)
	}
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	id := uuid.Must(uuid.NewV7())
	command := link.Command{ID: id, Kind: link.SetVolume, Args: link.Args{Level: 3}, Expires: 1795000000000}
	seen := make(map[string]http.Header)
	var mu sync.Mutex
	first := true
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		what := r.Method + " " + r.URL.RequestURI()
		seen[what] = r.Header
		if r.Proto != "HTTP/2.0" || len(r.TLS.PeerCertificates) != 1 || r.TLS.PeerCertificates[0].Subject.CommonName != "MN-01" {
			t.Errorf("%s: %s, %d certificates", what, r.Proto, len(r.TLS.PeerCertificates))
		}
		switch what {
		case "POST /v1/report":
			var report link.Report
			read(t, r, &report)
			if len(report.Devices) != 4 || report.Counts["2026-11-21"]["visit"] != 34 {
				t.Errorf("report %+v", report)
			}
			cbor(t, w, 200, link.ReportAnswer{Now: 17})
		case "GET /v1/commands?wait=600":
			if first {
				first = false
				w.WriteHeader(http.StatusNoContent)
				return
			}
			cbor(t, w, 200, link.Commands{Commands: []link.Command{command}, Now: 18})
		case "PUT /v1/commands/" + id.String() + "/outcome":
			var o link.Outcome
			read(t, r, &o)
			if o.State != link.Done || string(o.File) != "picture" {
				t.Errorf("outcome %+v", o)
			}
			w.WriteHeader(http.StatusNoContent)
		case "PUT /v1/callbacks/" + id.String():
			var c link.Callback
			read(t, r, &c)
			if c.Code != "A042" || string(c.Data) != "sealed" {
				t.Errorf("callback %+v", c)
			}
			status := http.StatusOK
			if r.Header.Get("Again") == "" && c.Created == 1 {
				status = http.StatusCreated
			}
			w.WriteHeader(status)
		case "PUT /v1/unfound/" + id.String():
			var u link.Unfound
			read(t, r, &u)
			if string(u.Data) != "sealed" {
				t.Errorf("search %+v", u)
			}
			status := http.StatusNoContent
			if u.Month == "2026-12" {
				status = http.StatusOK // as somebody answers who is no hub
			}
			w.WriteHeader(status)
		case "POST /v1/enrol", "POST /v1/renew":
			var q link.EnrolRequest
			read(t, r, &q)
			cbor(t, w, 200, link.Enrolled{Borne: "MN-01", Chain: [][]byte{q.CSR}})
		default:
			t.Errorf("request %s", what)
		}
	}))
	c, ctx := s.client(t), t.Context()
	if a, err := c.Report(ctx, fullReport(1)); err != nil || a.Now != 17 {
		t.Errorf("report: %+v, %v", a, err)
	}
	if a, err := c.Commands(ctx, link.Wait); err != nil || len(a.Commands) != 0 {
		t.Errorf("no commands: %+v, %v", a, err)
	}
	if a, err := c.Commands(ctx, link.Wait); err != nil || len(a.Commands) != 1 || a.Commands[0] != command || a.Now != 18 {
		t.Errorf("commands: %+v, %v", a, err)
	}
	if err := c.PutOutcome(ctx, id, link.Outcome{State: link.Done, FileType: "image/png", File: []byte("picture")}); err != nil {
		t.Errorf("outcome: %v", err)
	}
	for created, want := range map[int64]bool{1: true, 2: false} {
		if fresh, err := c.PutCallback(ctx, id, link.Callback{Code: "A042", Created: created, Data: []byte("sealed")}); err != nil || fresh != want {
			t.Errorf("callback: fresh %v, %v", fresh, err)
		}
	}
	for month, want := range map[string]error{"2026-11": nil, "2026-12": link.ErrStranger} {
		if err := c.PutUnfound(ctx, id, link.Unfound{Month: month, Data: []byte("sealed")}); !errors.Is(err, want) {
			t.Errorf("search of %s: %v", month, err)
		}
	}
	if e, err := c.Enrol(ctx, link.EnrolRequest{Secret: []byte("s"), CSR: []byte("csr")}); err != nil || string(e.Chain[0]) != "csr" {
		t.Errorf("enrol: %+v, %v", e, err)
	}
	if e, err := c.Renew(ctx, link.RenewRequest{CSR: []byte("csr2")}); err != nil || string(e.Chain[0]) != "csr2" {
		t.Errorf("renew: %+v, %v", e, err)
	}
	if n := s.made.Load(); n != 1 {
		t.Errorf("%d connections, not one", n)
	}
	for what, h := range seen {
		for name := range h {
			if name != "Accept" && name != "Content-Type" && name != "Content-Length" {
				t.Errorf("%s: header %s: %q", what, name, h[name])
			}
		}
	}
}

// TestOneConnection starts everything at once on a client that has no
// connection, again and again.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/commands" {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusCreated)
	}))
	c := s.client(t)
	for round := range int64(20) {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { c.Commands(ctx, time.Minute) })
		var puts sync.WaitGroup
		for range 50 {
			puts.Go(func() {
				if _, err := c.PutCallback(ctx, uuid.Must(uuid.NewV7()), link.Callback{Code: "A"}); err != nil {
					t.Error(err)
				}
			})
		}
		puts.Wait()
		if n := s.made.Load(); n != round+1 {
			t.Fatalf("%d connections after %d rounds", n, round+1)
		}
		cancel()
		all.Wait()
		c.Reconnect()
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	said := link.Problem{Type: link.ProblemClock, Title: "Heure fausse", Detail: "plus de 5 minutes", Status: 422, Now: 1795000000000}
	asCBOR, err := link.Encode(said)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		media, retry string
		status       int
		body         []byte
		want         link.Problem
	}{
		"CBOR":                  {link.MediaProblemCBOR, "", 422, asCBOR, said},
		"JSON":                  {link.MediaProblemJSON + "; charset=utf-8", "", 422, asJSON, said},
		"with a list of errors": {link.MediaProblemJSON, "", 422, []byte(`{"type":"t","errors":[{"message":"m"}]}`), link.Problem{Type: "t", Status: 422}},
		"busy":                  {link.MediaProblemJSON, "7", 503, []byte(`{"type":"` + link.ProblemBusy + `"}`), link.Problem{Type: link.ProblemBusy, Status: 503, RetryAfter: 7 * time.Second}},
		"busy for a day":        {link.MediaProblemJSON, "86400", 503, []byte(`{"type":"` + link.ProblemBusy + `"}`), link.Problem{Type: link.ProblemBusy, Status: 503, RetryAfter: 10 * time.Minute}},
		"another server's":      {"text/html", "", 502, []byte("<html>Bad gateway"), link.Problem{Type: "about:blank", Title: "Bad Gateway", Status: 502}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.media)
				if c.retry != "" {
					w.Header().Set("Retry-After", c.retry)
				}
				w.WriteHeader(c.status)
				w.Write(c.body)
			}))
			_, err := s.client(t).Report(t.Context(), fullReport(1))
			var got *link.Problem
			if !errors.As(err, &got) {
				t.Fatalf("no problem but %v", err)
			}
			got.Errors = nil
			if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("problem %+v", *got)
			}
		})
	}
}

// TestStrangers has something else than a hub answer, or a hub that is broken.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"a page": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<html>Bienvenue sur le réseau"))
		}, "ce n’est pas le hub"},
		"a portal": {func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://portail.example/")
			w.WriteHeader(http.StatusFound)
		}, "ce n’est pas le hub"},
		"nothing": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, "ce n’est pas le hub"},
		"noise": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", link.MediaCBOR)
			w.Write([]byte{0xff, 0xff, 0xff})
		}, "message illisible"},
		"a gigabyte": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", link.MediaCBOR)
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			panic("all of it was taken")
		}, "plus de 1048576 octets"},
		"half of an answer": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", link.MediaCBOR)
			w.Header().Set("Content-Length", "100")
			w.Write(make([]byte, 10))
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "127.0.0.1"},
		"long headers": {func(w http.ResponseWriter) {
			w.Header().Set("X-Long", strings.Repeat("x", 100_000))
		}, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.answer(w) }))
			_, err := s.client(t).Report(t.Context(), fullReport(1))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
			if down := s.down.Load(); down > 2<<20 {
				t.Errorf("%d bytes were taken", down)
			}
		})
	}
	t.Run("another authority", func(t *testing.T) {
		t.Parallel()
		s, other := serve(t, http.NotFoundHandler()), serve(t, http.NotFoundHandler())
		_, err := s.clientBy(t, other.address, "").Report(t.Context(), fullReport(1))
		if !errors.Is(err, link.ErrStranger) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.NotFoundHandler())
		plain := httptest.NewServer(http.NotFoundHandler())
		defer plain.Close()
		_, err := s.clientBy(t, strings.TrimPrefix(plain.URL, "http://"), "").Report(t.Context(), fullReport(1))
		if !errors.Is(err, link.ErrStranger) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no HTTP/2", func(t *testing.T) {
		t.Parallel()
		s := serve(t, http.NotFoundHandler())
		old := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cbor(t, w, 200, link.ReportAnswer{Now: 1})
		}))
		old.TLS = s.tls.Clone()
		old.TLS.NextProtos = []string{"http/1.1"}
		old.Config.ErrorLog = quiet
		old.StartTLS()
		defer old.Close()
		if _, err := s.clientBy(t, strings.TrimPrefix(old.URL, "https://"), "").Report(t.Context(), fullReport(1)); err == nil {
			t.Error("it spoke HTTP/1.1")
		}
	})
}

func TestParseHub(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"hub.ville.fr": "https://hub.ville.fr:443", "hub.ville.fr:8443": "https://hub.ville.fr:8443",
		"https://hub.ville.fr:8443/": "https://hub.ville.fr:8443", "192.0.2.1": "https://192.0.2.1:443", "[2001:db8::1]:8443": "https://[2001:db8::1]:8443",
		"": "", "http://hub.ville.fr": "", "https://": "", "hub.ville.fr/chemin": "", "https://a:b@hub.ville.fr": "", "hub ville": "", "hub.ville.fr?x": "", ":8443": "",
	} {
		u, err := link.ParseHub(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q gives %v", text, u)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q gives %v, %v", text, u, err)
		}
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	held := make(chan struct{}, 10)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/commands" {
			held <- struct{}{}
			<-r.Context().Done()
			return
		}
		cbor(t, w, 200, link.ReportAnswer{Now: 17})
	}))
	c := s.client(t)
	ended := make(chan error, 1)
	hold := func() {
		go func() {
			_, err := c.Commands(context.Background(), time.Minute)
			ended <- err
		}()
		<-held
	}
	wait := func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Fatal("the held request doesn't end")
			return nil
		}
	}
	hold()
	c.Reconnect()
	if err := wait(); !errors.Is(err, link.ErrReconnected) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Report(t.Context(), fullReport(1)); err != nil || s.made.Load() != 2 {
		t.Errorf("%d connections, %v", s.made.Load(), err)
	}
	hold()
	s.cut()
	if err := wait(); err == nil || errors.Is(err, link.ErrReconnected) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Report(t.Context(), fullReport(1)); err != nil || s.made.Load() != 3 {
		t.Errorf("%d connections, %v", s.made.Load(), err)
	}
}

// TestNoAnswer has a hub that takes requests and is silent.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.client(t).Report(ctx, fullReport(1))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "pas de réponse à temps") {
		t.Errorf("error %v", err)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	archive := bytes.Repeat([]byte("0123456789"), 1000)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/files/abc":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(archive))
		case "/v1/files/odd":
			w.Header().Set("Content-Range", "bytes 5-4/3")
			w.WriteHeader(http.StatusPartialContent)
		default:
			w.Header().Set("Content-Type", link.MediaProblemJSON)
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"type":"`+link.ProblemUnknown+`"}`)
		}
	}))
	c := s.client(t)
	for _, from := range []int64{0, 1, 9999} {
		body, at, size, err := c.File(t.Context(), "/files/abc", from)
		if err != nil || at != from || size != 10_000 {
			t.Fatalf("from %d: at %d of %d, %v", from, at, size, err)
		}
		data, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(data, archive[from:]) {
			t.Errorf("from %d: %d bytes, %v", from, len(data), err)
		}
		body.Close()
	}
	var p *link.Problem
	if _, _, _, err := c.File(t.Context(), "/files/none", 0); !errors.As(err, &p) || p.Type != link.ProblemUnknown {
		t.Errorf("error %v", err)
	}
	if _, _, _, err := c.File(t.Context(), "/files/odd", 5); err == nil {
		t.Error("an impossible range was taken")
	}
}

// TestDeflate sends a hub that offers it compressed bodies from its first
// answer on, and never sends them to one that doesn't.
func TestDeflate(t *testing.T) {
	t.Parallel()
	for _, offers := range []bool{true, false} {
		var plain atomic.Int64
		hub := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var report link.Report
			read(t, r, &report)
			if len(report.Devices) != 4 {
				t.Errorf("report %+v", report)
			}
			if r.ContentLength > 0 {
				plain.Add(1)
			}
			cbor(t, w, 200, link.ReportAnswer{Now: 17})
		}))
		want := int64(4)
		if offers {
			hub, want = link.Inflate(hub), 1
		}
		c := serve(t, hub).client(t)
		for range 4 {
			if _, err := c.Report(t.Context(), fullReport(1)); err != nil {
				t.Fatal(err)
			}
		}
		if plain.Load() != want {
			t.Errorf("offered %v: %d plain reports", offers, plain.Load())
		}
	}
	for name, body := range map[string]string{"noise": "hello", "nothing": "", "cut short": "x\x9c\xcb\x48"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Encoding", "deflate")
		link.Inflate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if data, err := io.ReadAll(r.Body); err == nil {
				t.Errorf("%s: read %q", name, data)
			}
			r.Body.Close()
			if _, err := r.Body.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: read after Close", name)
			}
		})).ServeHTTP(w, r)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, message := range []any{
		link.Commands{Commands: []link.Command{{ID: uuid.Must(uuid.NewV7()), Kind: link.SetVolume, Args: link.Args{Level: 3}}}, Now: 1795000000000},
		link.Enrolled{Borne: "MN-01", Chain: [][]byte{{1}, {2}}}, fullReport(1),
		link.Problem{Type: link.ProblemClock, Status: 422, Now: 17}, link.Outcome{State: link.Done, File: []byte{1}},
	} {
		data, err := link.Encode(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var commands link.Commands
		if link.Decode(data, &commands) == nil {
			again, err := link.Encode(commands)
			if err != nil {
				t.Fatalf("what was read can't be written: %v", err)
			}
			var same link.Commands
			if err := link.Decode(again, &same); err != nil || len(same.Commands) != len(commands.Commands) {
				t.Fatalf("what was written can't be read: %v", err)
			}
		}
		link.Decode(data, new(link.ReportAnswer))
		link.Decode(data, new(link.Enrolled))
		link.Decode(data, new(link.Report))
		link.Decode(data, new(link.Problem))
	})
}
