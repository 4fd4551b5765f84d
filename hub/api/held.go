package api

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"parvis/hub/store"
)

// mostHeld is how many requests for commands one borne may hold open; one more
// ends the oldest. A borne needs one, and a second while it finds out that
// its old connection is dead.
const mostHeld = 4

// held are the requests for commands that are open at this hub. It is no
// state that another hub would lack: a borne that comes to another hub is held
// there.
type held struct {
	mu       sync.Mutex
	byBorne  map[string][]*pending
	count    int
	stopping bool
}

// pending is one request for commands. It is touched by its own goroutine
// alone, but for wake, over and look.
type pending struct {
	caller caller
	look   time.Time     // when identifyHeld looks at its borne next
	again  bool          // it is not answered yet
	wake   chan struct{} // has one slot: it should look again
	over   atomic.Bool   // answer now, with nothing
	free   func()        // lets go of what it has taken; nil: nothing yet
}

func (p *pending) release() {
	if p.free != nil {
		p.free()
	}
}

type pendingKey struct{}

func newHeld() *held { return &held{byBorne: make(map[string][]*pending)} }

func (h *held) add(p *pending) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		p.finish()
		return
	}
	all := h.byBorne[p.caller.borne]
	if len(all) >= mostHeld {
		all[0].finish()
		all = append(all[:0:0], all[1:]...)
		h.count--
	}
	h.byBorne[p.caller.borne] = append(all, p)
	h.count++
}

func (h *held) remove(p *pending) {
	borne := p.caller.borne
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.byBorne[borne]
	for i, other := range all {
		if other != p {
			continue
		}
		h.count--
		if len(all) == 1 {
			delete(h.byBorne, borne)
		} else {
			h.byBorne[borne] = append(all[:i:i], all[i+1:]...)
		}
		return
	}
}

// wakeUp lets the held requests of a borne look again.
func (h *held) wakeUp(borne string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.byBorne[borne] {
		p.poke()
	}
}

func (p *pending) poke() {
	select {
	case p.wake <- struct{}{}:
	default: // is about to look anyway
	}
}

func (p *pending) finish() {
	p.over.Store(true)
	p.poke()
}

// all lists the held requests.
func (h *held) all() []*pending {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*pending, 0, h.count)
	for _, some := range h.byBorne {
		all = append(all, some...)
	}
	return all
}

// stop answers all held requests, and those to come, with nothing.
func (h *held) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
	for borne, all := range h.byBorne {
		for _, p := range all {
			p.finish()
		}
		delete(h.byBorne, borne)
	}
	h.count = 0
}

func (h *held) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// watch wakes held requests as events of the store come in, from this hub or
// another, until ctx ends. It never keeps the store waiting: a watcher who is
// slow is told to look at everything again, and would never catch up.
func (h *held) watch(ctx context.Context, events <-chan store.Event) {
	everybody := make(chan struct{}, 1)
	var waking sync.WaitGroup
	defer waking.Wait()
	waking.Go(func() {
		for {
			select {
			case <-everybody:
				h.wakeAll(ctx, time.Second)
			case <-ctx.Done():
				return
			}
		}
	})
	for e := range events { // the store closes it when ctx ends
		switch e.Topic {
		case store.Commanded, store.Revoked:
			h.wakeUp(e.ID)
		case store.All:
			select {
			case everybody <- struct{}{}:
			default: // is about to begin anyway
			}
		}
	}
}

// wakeAll wakes every held request within a time, and not all at one moment.
func (h *held) wakeAll(ctx context.Context, within time.Duration) {
	const steps = 20
	all := h.all()
	pause := time.NewTicker(within / steps)
	defer pause.Stop()
	for step := range steps {
		for _, p := range all[len(all)*step/steps : len(all)*(step+1)/steps] {
			p.poke()
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}
