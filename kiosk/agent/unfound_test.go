package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// searches puts some into the borne's outbox, of the month it believes it is.
func (b *borne) searches(n int) {
	b.t.Helper()
	for i := range n {
		if err := b.store.PutUnfound(context.Background(), b.now().Format("2006-01"), fmt.Append(nil, "sealed ", i)); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *borne) searchesLeft() []store.Unfound {
	b.t.Helper()
	all, err := b.store.Unfound(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// told is what the hub has of searches, in the order in which they came.
func (h *hub) told() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.searches)
}

// Searches come to the hub each once, with the hub's month, in the order of their
// IDs, which says nothing.
func TestUnfoundIsDelivered(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"a clock that is right": 0, "one that is years off": -20 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			b := newBorne(t, h)
			b.off, b.missed = off, 20*time.Millisecond
			b.searches(30)
			var want []string
			for _, u := range b.searchesLeft() {
				want = append(want, u.ID.String()+" "+string(u.Data))
			}
			b.begin()
			b.eventually("the searches", func() bool { return len(b.searchesLeft()) == 0 })
			b.end()
			months := map[string]bool{}
			var got []string
			for _, line := range h.told() {
				month, rest, _ := strings.Cut(line, " ")
				got, months[month] = append(got, rest), true
			}
			if !slices.Equal(got, want) {
				t.Errorf("the hub has %q, not %q", got, want)
			}
			for month := range months {
				at, err := time.Parse("2006-01", month)
				if err != nil || time.Since(at) > 50*24*time.Hour || time.Until(at) > 0 || off == 0 && month != time.Now().Format("2006-01") {
					t.Errorf("they are of %s", month)
				}
			}
		})
	}
}

// A hub that doesn't know of searches keeps them waiting; one that doesn't want
// them is rid of them; and requests to be called back go their way.
func TestUnfoundIsInNobodysWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		problem link.Problem
		left    int
	}{
		"an older hub":     {link.Problem{Type: link.ProblemUnknown, Status: http.StatusNotFound}, 3},
		"a hub in trouble": {link.Problem{Type: link.ProblemInternal, Status: http.StatusInternalServerError}, 3},
		"a hub that refuses": {link.Problem{Type: link.ProblemInvalid, Status: http.StatusUnprocessableEntity,
			Detail: "Champ « month » : il est dans l’avenir."}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			asked := make(chan struct{}, 1000)
			h.refuse = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/unfound/") {
					return false
				}
				problem(w, c.problem)
				asked <- struct{}{}
				return true
			}
			b := newBorne(t, h)
			b.missed = 20 * time.Millisecond
			b.searches(3)
			b.begin()
			for range 3 {
				select {
				case <-asked:
				case <-time.After(patience):
					t.Fatal("the hub is not asked")
				}
			}
			id := b.request("A042")
			b.eventually("the request", func() bool { _, ok := h.has(id); return ok })
			b.eventually("the searches", func() bool { return len(b.searchesLeft()) == c.left })
			if strings.Contains(b.logs.String(), "sealed") {
				t.Error("a search is in the log")
			}
		})
	}
}

// On a full disk searches go, and requests stay.
func TestUnfoundMakesRoom(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.stop()
	b := newBorne(t, h)
	b.machine.Disk = 1
	b.searches(3)
	b.request("A042")
	b.begin()
	b.eventually("room", func() bool { return len(b.searchesLeft()) == 0 })
	if n := b.waiting(); n != 1 {
		t.Errorf("%d requests wait", n)
	}
}
