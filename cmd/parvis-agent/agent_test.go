package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

const patience = time.Minute

// hub enrols bornes as a real one does, and takes their reports.
type hub struct {
	address   string
	authority *ca.Authority
	registrar *enrol.Registrar

	mu      sync.Mutex
	codes   map[string]string // hash of a code's secret → borne
	reports map[string]int    // by borne
}

func newHub(t *testing.T) *hub {
	t.Helper()
	authority, err := ca.New(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{authority: authority, codes: make(map[string]string), reports: make(map[string]int)}
	h.registrar = &enrol.Registrar{Authority: authority, Registry: h, Recipient: key.Recipient().String()}
	s := httptest.NewUnstartedServer(link.Inflate(h))
	s.EnableHTTP2 = true
	s.TLS = authority.ServerTLS(time.Now)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	h.address = strings.TrimPrefix(s.URL, "https://")
	return h
}

// code makes a code for a borne.
func (h *hub) code(borne string) string {
	c := enrol.NewCode(h.authority.Fingerprint())
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes[string(c.Hash())] = borne
	return c.Text()
}

func (h *hub) Redeem(_ context.Context, code, _ []byte, _ ca.Grant, _ time.Time) (enrol.Borne, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	borne, ok := h.codes[string(code)]
	if !ok {
		return enrol.Borne{}, enrol.ErrUnknown
	}
	delete(h.codes, string(code))
	return enrol.Borne{ID: borne, Site: "Mairie de Neudorf"}, nil
}

func (h *hub) Borne(context.Context, string) (enrol.Borne, error) {
	return enrol.Borne{}, enrol.ErrUnknown
}

func (h *hub) Note(context.Context, string, []byte, ca.Grant, time.Time) error { return nil }

func (h *hub) Cloned(context.Context, string, time.Time) error { return nil }

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer any
	switch r.URL.Path {
	case "/v1/enrol":
		var q link.EnrolRequest
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = link.Decode(data, &q)
		}
		var enrolled link.Enrolled
		if err == nil {
			enrolled, err = h.registrar.Register(r.Context(), q, time.Now())
		}
		var p *link.Problem
		if errors.As(err, &p) {
			w.Header().Set("Content-Type", link.MediaProblemJSON)
			w.WriteHeader(p.Status)
			json.NewEncoder(w).Encode(p)
			return
		}
		answer = enrolled
	case "/v1/report":
		if len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.mu.Lock()
		h.reports[r.TLS.PeerCertificates[0].Subject.CommonName]++
		h.mu.Unlock()
		answer = link.ReportAnswer{Now: time.Now().UnixMilli()}
	case "/v1/commands":
		<-r.Context().Done()
		return
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	data, err := link.Encode(answer)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", link.MediaCBOR)
	w.Write(data)
}

func (h *hub) reported(borne string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reports[borne] > 0
}

// says is what a command has written.
type says struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *says) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *says) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// command runs a command to its end.
func command(c interface{ Run(*runtime) error }, now time.Time) (out string, err error) {
	var said says
	err = c.Run(&runtime{ctx: context.Background(), stdout: &said, stderr: &said, now: func() time.Time { return now }})
	return said.String(), err
}

// TestLife takes a borne from its enrolment through its reports to another
// identity, with systemd watching.
func TestLife(t *testing.T) {
	h, dir := newHub(t), t.TempDir()
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "400000")
	t.Setenv("JOURNAL_STREAM", "1:2")
	notices := make(chan string, 1000)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := systemd.Read(buf)
			if err != nil {
				close(notices)
				return
			}
			notices <- string(buf[:n])
		}
	}()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := &says{}
	ended := make(chan error, 1)
	go func() {
		run := &runCmd{Data: dir}
		ended <- run.Run(&runtime{ctx: ctx, stdout: said, stderr: said, now: time.Now})
	}()
	eventually(t, "a word about the missing identity", func() bool { return strings.Contains(said.String(), "pas enrôlée") })
	if _, err := command(&runCmd{Data: dir}, time.Now()); err == nil || !strings.Contains(err.Error(), "un autre agent") {
		t.Errorf("a second agent: %v", err)
	}
	if out, err := command(&statusCmd{Data: dir}, time.Now()); !errors.Is(err, errWrong) || !strings.Contains(out, "pas enrôlée") {
		t.Errorf("status before: %v\n%s", err, out)
	}
	code := h.code("MN-01")
	out, err := command(&enrolCmd{Hub: h.address, Code: code, Data: dir}, time.Now())
	if err != nil || !strings.Contains(out, "La borne MN-01 (Mairie de Neudorf) est enrôlée") {
		t.Fatalf("enrol: %v\n%s", err, out)
	}
	eventually(t, "a report", func() bool { return h.reported("MN-01") })
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if key, err := st.Setting(t.Context(), store.HubRecipient); err != nil || key != h.registrar.Recipient {
		t.Errorf("the hub's key: %q, %v", key, err)
	}
	eventually(t, "a good status", func() bool { _, err := command(&statusCmd{Data: dir}, time.Now()); return err == nil })
	out, err = command(&statusCmd{Data: dir, JSON: true}, time.Now())
	var got status
	if jerr := json.Unmarshal([]byte(out), &got); err != nil || jerr != nil || got.Borne != "MN-01" || got.Contact.IsZero() || len(got.Problems) != 0 {
		t.Errorf("status: %v, %v\n%s", err, jerr, out)
	}
	if out, err := command(&statusCmd{Data: dir}, time.Now().Add(time.Hour)); !errors.Is(err, errWrong) || !strings.Contains(out, "depuis 60 min") {
		t.Errorf("status an hour later: %v\n%s", err, out)
	}
	if out, err := command(&statusCmd{Data: dir}, time.Now().AddDate(1, 0, 0)); !errors.Is(err, errWrong) || !strings.Contains(out, "périmé") {
		t.Errorf("status a year later: %v\n%s", err, out)
	}

	if _, err := command(&enrolCmd{Hub: h.address, Code: h.code("MN-02"), Data: dir}, time.Now()); err != nil {
		t.Fatalf("enrol again: %v", err)
	}
	eventually(t, "a report under the new identity", func() bool { return h.reported("MN-02") })
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the agent doesn't end")
	}
	told := map[string]int{}
	for late := time.After(patience); told["STOPPING=1"] == 0; {
		select {
		case n := <-notices:
			told[strings.SplitN(n, "\n", 2)[0]]++
		case <-late:
			t.Fatal("systemd doesn't hear of the end")
		}
	}
	if told["READY=1"] != 1 || told["WATCHDOG=1"] < 10 {
		t.Errorf("systemd was told %v", told)
	}
	text := said.String()
	for line := range strings.Lines(text) {
		if len(line) < 4 || !strings.HasPrefix(line, "<6>msg=") && !strings.HasPrefix(line, "<4>msg=") {
			t.Errorf("line %q", line)
		}
	}
	secret := strings.ReplaceAll(code, "-", "")[20:]
	if strings.Contains(strings.ReplaceAll(text, "-", ""), secret) {
		t.Error("the code stands in the log")
	}
}

// TestOtherHub enrols a borne at another hub while a request waits that only the
// first can open.
func TestOtherHub(t *testing.T) {
	t.Parallel()
	first, second := newHub(t), newHub(t)
	dir := t.TempDir()
	if _, err := command(&enrolCmd{Hub: first.address, Code: first.code("MN-01"), Data: dir}, time.Now()); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.PutCallback(t.Context(), store.Sealed{ID: uuid.Must(uuid.NewV7()), Code: "A001", Created: time.Now(), Data: []byte("sealed"),
		OnlyFor: first.registrar.Recipient})
	if err != nil {
		t.Fatal(err)
	}
	const kept = "seul le hub d’avant peut ouvrir : 1."
	if out, _ := command(&statusCmd{Data: dir}, time.Now()); strings.Contains(out, kept) {
		t.Errorf("before:\n%s", out)
	}
	if out, err := command(&enrolCmd{Hub: second.address, Code: second.code("MN-01"), Data: dir}, time.Now()); err != nil || !strings.Contains(out, kept) {
		t.Errorf("enrol: %v\n%s", err, out)
	}
	if out, err := command(&statusCmd{Data: dir}, time.Now()); !errors.Is(err, errWrong) || !strings.Contains(out, kept) {
		t.Errorf("after: %v\n%s", err, out)
	}
}

func TestEnrolRefuses(t *testing.T) {
	t.Parallel()
	h, other := newHub(t), newHub(t)
	used := h.code("MN-01")
	if _, err := command(&enrolCmd{Hub: h.address, Code: used, Data: t.TempDir()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ hub, code, want string }{
		"used":         {h.address, used, "Code refusé"},
		"mistyped":     {h.address, "ABCDE-FGHJK", "code d’enrôlement incorrect"},
		"another hub":  {other.address, h.code("MN-02"), "pas le hub qui a donné le code"},
		"no address":   {"http://hub", h.code("MN-02"), "adresse du hub"},
		"nobody there": {"127.0.0.1:1", h.code("MN-02"), "refaite, avec le même code"},
	} {
		dir := t.TempDir()
		_, err := command(&enrolCmd{Hub: c.hub, Code: c.code, Data: dir}, time.Now())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := enrol.Load(dir); err == nil {
			t.Errorf("%s: the borne has an identity", name)
		}
	}
}

func TestStatusOfNoBorne(t *testing.T) {
	t.Parallel()
	if _, err := command(&statusCmd{Data: t.TempDir()}, time.Now()); err == nil || !strings.Contains(err.Error(), "pas le dossier d’une borne") {
		t.Errorf("error %v", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := slog.New(newLog(&out, true)).With("a", 1)
	l.Debug("no")
	l.Info("info")
	l.Warn("warn")
	l.WithGroup("g").Error("error", "b", 2)
	want := "<6>msg=info a=1\n<4>msg=warn a=1\n<3>msg=error a=1 g.b=2\n"
	if out.String() != want {
		t.Errorf("log:\n%s", out.String())
	}
	out.Reset()
	slog.New(newLog(&out, false)).Info("info")
	if !strings.HasPrefix(out.String(), "time=") {
		t.Errorf("log:\n%s", out.String())
	}
}
