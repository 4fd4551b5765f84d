package callbacks_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/store"
)

// Fifty mediators on two hubs want the same requests: each is taken exactly
// once, every loser is told by whom, and nothing is lost.
func TestClaimAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, again func() *store.Store) {
		const mediators, requests = 50, 30
		var ids []uuid.UUID
		for range requests {
			must(t, h.store.SetSetting(ctx, "callbacks", `{"flood": 1000}`))
			ids = append(ids, h.take(h.request()))
		}
		hubs := []*hub{h, h.another(again())}
		names := map[string]string{}
		for n := range mediators {
			a := actor(n)
			names[a.ID] = a.Name
			must(t, h.store.CreatePerson(ctx, store.Person{ID: a.ID, Email: a.Name, Name: a.Name, Role: "mediator", Created: monday}))
		}
		var mu sync.Mutex
		taken := map[uuid.UUID]string{}
		lost := 0
		var all sync.WaitGroup
		for n := range mediators {
			all.Go(func() {
				me, at := actor(n), hubs[n%2]
				for _, i := range rand.Perm(requests) {
					item, err := at.Claim(ctx, me, ids[i])
					var by *callbacks.TakenError
					mu.Lock()
					switch {
					case err == nil && taken[ids[i]] != "":
						t.Errorf("%s was taken by %s, and by %s", item.Code, taken[ids[i]], me.Name)
					case err == nil:
						taken[ids[i]] = me.ID
					case errors.As(err, &by) && by.ID != me.ID && names[by.ID] == by.Name:
						lost++
					default:
						t.Errorf("%s: %v", me.Name, err)
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(taken) != requests || lost != requests*(mediators-1) {
			t.Errorf("%d of %d taken, %d told so", len(taken), requests, lost)
		}
		for id, who := range taken {
			if item := hubs[1].item(id); item.Holder != who || item.State != callbacks.Claimed || item.Revision != 1 {
				t.Errorf("%s: held by %s, revision %d; %s was told it is theirs", item.Code, item.Holder, item.Revision, who)
			}
		}
		if n := h.list(callbacks.Filter{View: callbacks.Taken}).Counts; n.Taken != requests || n.Waiting != 0 {
			t.Errorf("counts: %+v", n)
		}
	})
}

func actor(n int) callbacks.Actor {
	return callbacks.Actor{ID: fmt.Sprintf("01990000-0000-7000-8000-0000000001%02d", n), Name: fmt.Sprintf("M%02d", n)}
}

// Of two clicks of one holder on the same page, one counts.
func TestSameClickTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, again func() *store.Store) {
		hubs := []*hub{h, h.another(again())}
		item := h.claim(anne, h.take(h.request()))
		errs := make([]error, 20)
		var all sync.WaitGroup
		for n := range errs {
			all.Go(func() { _, errs[n] = hubs[n%2].Attempt(ctx, anne, item.Ref, callbacks.NoAnswer, "") })
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, callbacks.ErrState):
				t.Error(err)
			}
		}
		if got := h.item(item.ID); done != 1 || got.Tries != 1 {
			t.Errorf("%d clicks counted, %d tries", done, got.Tries)
		}
	})
}
