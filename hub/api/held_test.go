package api_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// heard is what came of a held request.
type heard struct {
	commands []link.Command
	err      error
	after    time.Duration
}

// listen holds a request for commands open in the background.
func (b *borne) listen(ctx context.Context, wait time.Duration) <-chan heard {
	done := make(chan heard, 1)
	go func() {
		began := time.Now()
		a, err := b.Commands(ctx, wait)
		done <- heard{a.Commands, err, time.Since(began)}
	}()
	return done
}

func (h *hub) waitHeld(n int) {
	h.t.Helper()
	soon(h.t, fmt.Sprint(n, " requests are held"), 10*time.Second, func() bool { return h.api.Held() == n })
}

func within(t testing.TB, done <-chan heard, d time.Duration) heard {
	t.Helper()
	select {
	case got := <-done:
		return got
	case <-time.After(d):
		t.Fatalf("not answered within %v", d)
		return heard{}
	}
}

func TestHeldRequestIsWoken(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		one, two := h.enrol("MN-01"), h.enrol("MN-02")
		first, other := one.listen(t.Context(), link.Wait), two.listen(t.Context(), link.Wait)
		h.waitHeld(2)
		began := time.Now()
		id := h.command("MN-01", link.Screenshot)
		got := within(t, first, 10*time.Second)
		if got.err != nil || len(got.commands) != 1 || got.commands[0].ID != id {
			t.Fatalf("%+v", got)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the borne heard after %v", took)
		}
		h.waitHeld(1)
		select {
		case got := <-other:
			t.Errorf("another borne was answered: %+v", got)
		default:
		}
	})
}

func TestHeldRequestEnds(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		got := within(t, b.listen(t.Context(), time.Second), 10*time.Second)
		if got.err != nil || len(got.commands) != 0 || got.after < 900*time.Millisecond {
			t.Errorf("%+v", got)
		}
		h.waitHeld(0)
	})
}

// Another borne's report and the borne's own go through while a request is
// held on the same connection.
func TestReportsBesideHeldRequest(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		b.listen(t.Context(), link.Wait)
		h.waitHeld(1)
		for range 3 {
			b.mustReport(h)
		}
		if n := h.listener.open.Load(); n > 2 { // enrolment has had its own
			t.Errorf("%d connections", n)
		}
	})
}

// More requests than a borne needs end the oldest: they can't pile up.
func TestHeldRequestsOfOneBorne(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		var all []<-chan heard
		for n := range 4 {
			all = append(all, b.listen(t.Context(), link.Wait))
			h.waitHeld(n + 1)
		}
		fifth := b.listen(t.Context(), link.Wait)
		if got := within(t, all[0], 10*time.Second); got.err != nil || len(got.commands) != 0 {
			t.Errorf("the oldest: %+v", got)
		}
		h.waitHeld(4)
		id := h.command("MN-01", link.RestartApp)
		for _, done := range append(all[1:], fifth) {
			if got := within(t, done, 10*time.Second); got.err != nil || len(got.commands) != 1 || got.commands[0].ID != id {
				t.Errorf("%+v", got)
			}
		}
	})
}

// A hub that stops answers held requests with nothing, finishes those under
// way, and closes connections; the borne loses nothing.
func TestStop(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		var held []<-chan heard
		bornes := make([]*borne, 10)
		for i := range bornes {
			bornes[i] = h.enrol("")
			held = append(held, bornes[i].listen(t.Context(), link.Wait))
		}
		h.waitHeld(len(bornes))
		up := h.listener.up.Load()
		var reports sync.WaitGroup
		for _, b := range bornes {
			reports.Go(func() {
				if _, err := b.Report(t.Context(), b.report(h.clock.now())); err != nil {
					t.Errorf("a report under way: %v", err)
				}
			})
		}
		soon(t, "reports are under way", 10*time.Second, func() bool { return h.listener.up.Load() > up+int64(len(bornes)*200) })
		began := time.Now()
		h.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("stopping took %v", took)
		}
		for _, done := range held {
			if got := within(t, done, time.Second); got.err != nil || len(got.commands) != 0 {
				t.Errorf("a held request: %+v", got)
			}
		}
		reports.Wait()
		for _, b := range bornes {
			there, err := h.store.Borne(t.Context(), b.id)
			if err != nil || there.Seen.IsZero() {
				t.Errorf("%s: its report is lost: %v", b.id, err)
			}
		}
		soon(t, "all connections are closed", 5*time.Second, func() bool { return h.listener.open.Load() == 0 })
	})
}

// Bornes that go away leave nothing behind.
func TestNoLeak(t *testing.T) {
	// Not parallel: it counts goroutines.
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	b.mustReport(h)
	soon(t, "enrolment's connection is closed", 10*time.Second, func() bool { return h.listener.open.Load() <= 1 })
	before := runtime.NumGoroutine()
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		var gone []<-chan heard
		for range 3 {
			gone = append(gone, b.listen(ctx, link.Wait))
		}
		h.waitHeld(3)
		cancel()
		for _, done := range gone {
			if got := within(t, done, 5*time.Second); got.err == nil {
				t.Errorf("%+v", got)
			}
		}
		h.waitHeld(0)
		// A connection that is cut off, not just requests that are given up.
		b.listen(t.Context(), link.Wait)
		h.waitHeld(1)
		b.Close()
		h.waitHeld(0)
		b.connect(h)
		b.mustReport(h)
	}
	soon(t, fmt.Sprintf("as few goroutines as before, %d", before), 10*time.Second, func() bool { return runtime.NumGoroutine() <= before })
}

func TestRevocationCutsOff(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b, other := h.enrol("MN-01"), h.enrol("MN-02")
		b.mustReport(h)
		done, stays := b.listen(t.Context(), link.Wait), other.listen(t.Context(), link.Wait)
		h.waitHeld(2)
		began := time.Now()
		if err := h.store.Revoke(t.Context(), "MN-01", h.clock.now()); err != nil {
			t.Fatal(err)
		}
		got := within(t, done, 10*time.Second)
		p := wantProblem(t, got.err, link.ProblemRevoked)
		if took := time.Since(began); p.Status != http.StatusForbidden || took > time.Second {
			t.Errorf("%d after %v", p.Status, took)
		}
		_, err := b.Report(t.Context(), b.report(h.clock.now()))
		wantProblem(t, err, link.ProblemRevoked)
		_, err = b.PutCallback(t.Context(), newID(t), link.Callback{Code: "ABC123", Created: 1, Data: []byte("sealed")})
		wantProblem(t, err, link.ProblemRevoked)
		_, err = b.Commands(t.Context(), link.Wait)
		wantProblem(t, err, link.ProblemRevoked)
		wantProblem(t, b.self.Renew(t.Context(), b.Renew), link.ProblemRevoked)
		if n, err := h.store.CountCallbacks(t.Context()); err != nil || n != 0 {
			t.Errorf("%d requests, %v", n, err)
		}
		// The hub closes the connection as HTTP/2 wants it.
		soon(t, "its connection is closed", 10*time.Second, func() bool { return h.listener.open.Load() <= 1 })
		select {
		case got := <-stays:
			t.Errorf("another borne was cut off too: %+v", got)
		default:
		}
	})
}

// Even when the event that tells of it is lost, a revoked borne is out within
// thirty seconds.
func TestRevocationWithoutEvent(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	h := startHub(t, storetest.Open(t, dsn))
	var last <-chan heard
	for range 40 {
		b := h.enrol("")
		last = b.listen(t.Context(), link.Wait)
	}
	h.waitHeld(40)
	// As if the hub that revoked it had died before it could tell.
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), `UPDATE borne SET revoked = $1 WHERE id = 'MN-40'`, time.Now().UnixMilli()); err != nil {
		t.Fatal(err)
	}
	got := within(t, last, 25*time.Second)
	wantProblem(t, got.err, link.ProblemRevoked)
	if n := h.api.Held(); n != 39 {
		t.Errorf("%d requests are held still", n)
	}
}

// A hub restarts in the middle of a fleet's requests: bornes come again.
func TestTwoHubs(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	one, two := startHub(t, storetest.Open(t, dsn)), startHub(t, storetest.Open(t, dsn))
	b := one.enrol("MN-01")
	done := b.listen(t.Context(), link.Wait)
	one.waitHeld(1)

	began := time.Now()
	id := two.command("MN-01", link.SetVolume)
	got := within(t, done, 10*time.Second)
	if took := time.Since(began); got.err != nil || len(got.commands) != 1 || got.commands[0].ID != id || took > time.Second {
		t.Errorf("a command of hub 2, at the borne that hub 1 holds: %+v after %v", got, took)
	}

	events := two.store.Watch(t.Context())
	began = time.Now()
	b.mustReport(one)
	for {
		select {
		case e := <-events:
			if e.Topic != store.Reported || e.ID != "MN-01" {
				continue
			}
		case <-time.After(10 * time.Second):
			t.Fatal("hub 2 doesn't hear of the report")
		}
		break
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("hub 2 hears after %v", took)
	}

	// The same borne goes on at the other hub: nothing of it was at the first.
	b.connect(two)
	if err := b.PutOutcome(t.Context(), id, link.Outcome{State: link.Done}); err != nil {
		t.Error(err)
	}
	b.mustReport(two)
	done = b.listen(t.Context(), link.Wait)
	two.waitHeld(1)
	if err := one.store.Revoke(t.Context(), "MN-01", time.Now()); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, within(t, done, 10*time.Second).err, link.ProblemRevoked)
	if there, err := one.store.Borne(t.Context(), "MN-01"); err != nil || !there.Cloned.IsZero() {
		t.Errorf("cloned %v, %v", there.Cloned, err)
	}
}

// Nobody waits for a command that has expired.
func TestExpiredCommand(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		h.command("MN-01", link.RestartApp)
		h.clock.advance(2 * time.Hour)
		if a, err := b.Commands(t.Context(), 0); err != nil || len(a.Commands) != 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := openSQLite(t)
	h := startHub(t, s)
	stranger := h.stranger()
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := h.ask(stranger, http.MethodGet, path, nil); a.status != http.StatusOK || strings.TrimSpace(string(a.body)) != "ok" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if a := h.ask(stranger, http.MethodGet, "/readyz", nil); a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "base") {
		t.Errorf("without its database: %d %s", a.status, a.body)
	}
	if a := h.ask(stranger, http.MethodGet, "/healthz", nil); a.status != http.StatusOK {
		t.Errorf("without its database it lives still: %d", a.status)
	}
	h.stop()
	w := &recorder{header: make(http.Header)}
	h.api.Ready().ServeHTTP(w, &http.Request{})
	if w.status != http.StatusServiceUnavailable {
		t.Errorf("ready after its end: %d", w.status)
	}
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
