package agent_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	only := func(path string, p link.Problem, times int) func(http.ResponseWriter, *http.Request) bool {
		var mu sync.Mutex
		return func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if !strings.HasPrefix(r.URL.Path, link.Prefix+path) || times == 0 {
				return false
			}
			times--
			problem(w, p)
			return true
		}
	}
	t.Run("replayed is delivered", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.hub.refuse = only("/report", link.Problem{Type: link.ProblemReplayed, Status: 409}, 1)
		if err := b.store.Count(context.Background(), b.now(), "visit", 1); err != nil {
			t.Fatal(err)
		}
		b.begin()
		b.eventually("the counts to pass for sent", func() bool {
			unsent, err := b.store.UnsentCounts(context.Background(), 10)
			return err == nil && len(unsent) == 0
		})
		if b.hub.count() != 0 {
			t.Error("it was the next report that brought them")
		}
	})
	t.Run("expired is renewed", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.hub.refuse = only("/report", link.Problem{Type: link.ProblemExpired, Status: 401}, 1)
		b.begin()
		b.eventually("a report", func() bool { return b.hub.count() > 0 })
		if n := b.hub.renewed(); n != 1 {
			t.Errorf("%d renewals", n)
		}
	})
	t.Run("near its end is renewed by the hub's time", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.off = -30 * 365 * 24 * time.Hour
		b.card.hold(time.Now().Add(-50*time.Minute), time.Now().Add(20*time.Minute))
		b.alive(link.AppIdle)
		b.begin()
		b.eventually("the renewal", func() bool { return b.hub.renewed() == 1 })
		id := b.request("A001")
		b.eventually("a request over the new connection", func() bool { _, ok := b.hub.has(id); return ok })
		if n, made := b.hub.renewed(), b.hub.connections(); n != 1 || made != 2 {
			t.Errorf("%d renewals, %d connections", n, made)
		}
		if text := b.logs.String(); strings.Contains(text, "hors d’atteinte") {
			t.Error("a renewal passes for a lost network")
		}
	})
	t.Run("revoked serves on", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		asked := map[string]int{}
		b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			b.hub.counted(func() int { asked[r.URL.Path]++; return 0 })
			problem(w, link.Problem{Type: link.ProblemRevoked, Status: 403})
			return true
		}
		id := b.request("A001")
		b.begin()
		b.eventually("the refusal to be kept", func() bool {
			refused, err := b.store.Setting(context.Background(), store.HubRefused)
			return err == nil && refused == link.ProblemRevoked
		})
		time.Sleep(3 * time.Second) // in which an impatient agent would ask again
		b.end()
		if len(asked) != 1 || asked[link.Prefix+"/report"] != 1 {
			t.Errorf("asked %v", asked)
		}
		if all, err := b.store.Outbox(context.Background()); err != nil || len(all) != 1 || all[0].ID != id {
			t.Errorf("outbox %v, %v", all, err)
		}
	})
	t.Run("counts the hub refuses don't hide the borne", func(t *testing.T) {
		t.Parallel()
		b := newBorne(t, newHub(t))
		b.hub.refuse = only("/report", link.Problem{Type: link.ProblemInvalid, Status: 422}, 1)
		if err := b.store.Count(context.Background(), b.now(), "visit", 1); err != nil {
			t.Fatal(err)
		}
		b.begin()
		b.eventually("a report", func() bool { return b.hub.count() > 0 })
		if r := b.hub.last(); len(r.Counts) != 0 {
			t.Errorf("counts %v", r.Counts)
		}
	})
}

// TestNetworkComesBack cuts the network, lets things gather, and wants all of
// it at the hub soon after.
func TestNetworkComesBack(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	b.alive(link.AppIdle)
	b.begin()
	b.eventually("the hub's answer", func() bool { return strings.Contains(b.logs.String(), "hub joint") })
	b.hub.stop()
	ctx := context.Background()
	var ids []uuid.UUID
	for i := range 20 {
		ids = append(ids, b.request("B"+string(rune('A'+i))))
		for _, key := range []string{"visit", "level.formation"} { // three weeks without network
			if err := b.store.Count(ctx, b.now().AddDate(0, 0, -i), key, i+1); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.eventually("the loss in the log", func() bool { return strings.Contains(b.logs.String(), "hors d’atteinte") })
	if n := b.waiting(); n != len(ids) {
		t.Errorf("%d requests wait, not %d", n, len(ids))
	}
	b.hub.start()
	back := time.Now()
	wait := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if time.Since(back) > 45*time.Second {
				t.Fatalf("no %s %v after the network is back", what, time.Since(back))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	wait("request at the hub", func() bool { return b.waiting() == 0 })
	for _, id := range ids {
		if n := b.hub.putsOf(id); n != 1 {
			t.Errorf("request %v came %d times", id, n)
		}
	}
	wait("counts at the hub", func() bool {
		unsent, err := b.store.UnsentCounts(ctx, 10)
		return err == nil && len(unsent) == 0
	})
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	total := map[string]int{}
	for _, r := range b.hub.reports {
		told := 0
		for _, keys := range r.Counts {
			told += len(keys)
			for key, n := range keys {
				total[key] += n
			}
		}
		if told > 20 {
			t.Errorf("%d counts in one report", told)
		}
	}
	if total["visit"] != 210 || total["level.formation"] != 210 {
		t.Errorf("counts %v", total)
	}
	if text := b.logs.String(); strings.Count(text, "hors d’atteinte") != 1 || strings.Count(text, "hub joint") != 2 {
		t.Errorf("log:\n%s", text)
	}
}

// TestStumblingHub has a hub that answers for one request, always, that it has
// failed: the others get through.
func TestStumblingHub(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	bad := b.request("A001")
	good := b.request("A002")
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != link.Prefix+"/callbacks/"+bad.String() {
			return false
		}
		problem(w, link.Problem{Type: link.ProblemInternal, Status: 500, Title: "Panne du hub"})
		return true
	}
	b.begin()
	b.eventually("the other request", func() bool { _, ok := b.hub.has(good); return ok && b.waiting() == 1 })
}

// TestAnotherHub has a request that only the hub can open that the borne was
// enrolled at before: given to this one it would be lost.
func TestAnotherHub(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	put := func(code, only string) uuid.UUID {
		t.Helper()
		id := uuid.Must(uuid.NewV7())
		err := b.store.PutCallback(context.Background(), store.Sealed{ID: id, Code: code, Created: b.now(), Data: []byte("sealed"), OnlyFor: only})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	former := put("A001", "age1former")
	mine, anyone := put("A002", recipient), put("A003", "")
	b.begin()
	b.eventually("the others", func() bool {
		_, one := b.hub.has(mine)
		_, two := b.hub.has(anyone)
		return one && two && b.waiting() == 1
	})
	if n := b.hub.putsOf(former); n != 0 {
		t.Errorf("it came %d times to a hub that can't open it", n)
	}
	if text := b.logs.String(); strings.Count(text, "hub d’avant") != 1 {
		t.Errorf("log:\n%s", text)
	}
}

func TestRefusedRequestHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	bad := b.request("A001")
	good := b.request("A002")
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != link.Prefix+"/callbacks/"+bad.String() {
			return false
		}
		b.hub.mu.Lock()
		b.hub.puts[bad]++
		b.hub.mu.Unlock()
		problem(w, link.Problem{Type: link.ProblemInvalid, Status: 422, Title: "Message refusé"})
		return true
	}
	b.begin()
	b.eventually("the other request", func() bool { _, ok := b.hub.has(good); return ok })
	third := b.request("A003")
	b.eventually("the third request", func() bool { _, ok := b.hub.has(third); return ok && b.waiting() == 1 })
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	if b.hub.puts[bad] != 1 {
		t.Errorf("the refused request was sent %d times", b.hub.puts[bad])
	}
	if text := b.logs.String(); strings.Count(text, bad.String()) != 1 || strings.Contains(text, "sealed") {
		t.Errorf("log:\n%s", text)
	}
}

// TestAnswerLost loses the hub's answers: the request comes again under the
// same ID, and leaves the borne only then.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	id := b.request("A001")
	var once sync.Once
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) (refused bool) {
		if !strings.Contains(r.URL.Path, "/callbacks/") {
			return false
		}
		once.Do(func() {
			refused = true
			b.hub.mu.Lock()
			b.hub.puts[id]++
			b.hub.mu.Unlock()
			panic(http.ErrAbortHandler)
		})
		return refused
	}
	b.begin()
	b.eventually("the request", func() bool { _, ok := b.hub.has(id); return ok && b.waiting() == 0 })
	if n := b.hub.putsOf(id); n != 2 {
		t.Errorf("the request came %d times", n)
	}
	left, err := os.ReadFile(filepath.Join(b.dir, store.FileName))
	if err != nil || bytes.Contains(left, []byte("sealed A001")) {
		t.Errorf("the request is still on the disk (%v)", err)
	}
}

// TestDaysThatMakeNoSense has counts of a time when the clock was wrong, which
// no hub would take: they keep no other from getting there.
func TestDaysThatMakeNoSense(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	ctx := context.Background()
	for _, day := range []time.Time{time.Unix(0, 0), b.now(), b.now().AddDate(20, 0, 0)} {
		if err := b.store.Count(ctx, day, "visit", 3); err != nil {
			t.Fatal(err)
		}
	}
	b.begin()
	b.eventually("the counts to pass for sent", func() bool {
		unsent, err := b.store.UnsentCounts(ctx, 10)
		return err == nil && len(unsent) == 0
	})
	if n := b.hub.last().Counts; len(n) != 1 || n[b.now().UTC().Format(time.DateOnly)]["visit"]+n[b.now().Format(time.DateOnly)]["visit"] == 0 {
		t.Errorf("counts %v", n)
	}
}

// TestBusyHub asks to be left alone for a second, for each request.
func TestBusyHub(t *testing.T) {
	t.Parallel()
	b := newBorne(t, newHub(t))
	id := b.request("A001")
	var tries []time.Time
	b.hub.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/callbacks/") {
			return false
		}
		n := b.hub.counted(func() int { tries = append(tries, time.Now()); return len(tries) })
		if n > 2 {
			return false
		}
		w.Header().Set("Retry-After", "2")
		problem(w, link.Problem{Type: link.ProblemBusy, Status: http.StatusServiceUnavailable})
		return true
	}
	b.begin()
	b.eventually("the request", func() bool { return b.waiting() == 0 })
	b.end()
	for i := 1; i < len(tries); i++ {
		if gap := tries[i].Sub(tries[i-1]); gap < 2*time.Second {
			t.Errorf("asked again after %v", gap)
		}
	}
	if n := b.hub.putsOf(id); n != 1 {
		t.Errorf("the request came %d times", n)
	}
	if text := b.logs.String(); strings.Contains(text, "refuse") {
		t.Errorf("log:\n%s", text)
	}
}
