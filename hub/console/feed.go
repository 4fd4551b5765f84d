package console

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"parvis/hub/store"
)

// How fast and how often pages are refreshed.
const (
	// refreshEvery is the least time between two refreshes of a page.
	refreshEvery = 500 * time.Millisecond
	// lookEvery is how often a page looks at the clock although nothing has
	// happened: silence has no event.
	lookEvery = 5 * time.Second
)

// feed keeps open pages fresh. It follows the store's events and, while any
// page is open, holds what the lists show of each borne, so that a page of a
// large fleet costs as much as one of a small. That is a copy, which any hub
// can make anew at any time.
type feed struct {
	store *store.Store
	log   *slog.Logger

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	over     bool          // the hub stops
	last     *heads        // nil: not read, or no longer true
	behind   bool          // bornes have come or gone since
	opened   chan struct{} // has a value when the first page has opened
}

// watcher is an open page.
type watcher struct {
	changed chan struct{} // has a value when the page should be drawn again
	over    chan struct{} // closed when the hub stops
	borne   string        // the only borne that matters; empty: all
}

// heads is the whole fleet at a moment, by place. Nobody changes it.
type heads struct {
	list  []store.Head
	index map[string]int
}

func newFeed(s *store.Store, log *slog.Logger) *feed {
	return &feed{store: s, log: log, watchers: map[*watcher]struct{}{}, opened: make(chan struct{}, 1)}
}

// watch registers a page, and returns how it leaves.
func (f *feed) watch(borne string) (*watcher, func()) {
	w := &watcher{changed: make(chan struct{}, 1), over: make(chan struct{}), borne: borne}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		close(w.over)
		return w, func() {}
	}
	f.watchers[w] = struct{}{}
	if len(f.watchers) == 1 {
		signal(f.opened)
	}
	return w, func() { f.leave(w) }
}

func (f *feed) leave(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
	if len(f.watchers) == 0 {
		f.last = nil
	}
}

// signal leaves a value in a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // the last one has not been heard yet
	}
}

// Watch keeps open pages fresh until ctx ends; then it ends their streams.
// Without it pages show what is true when they are asked for.
func (c *Console) Watch(ctx context.Context) error {
	c.feed.run(ctx, c.Store.Watch(ctx))
	c.feed.end()
	return nil
}

// run gathers events and wakes pages, until ctx ends or the store is closed.
func (f *feed) run(ctx context.Context, events <-chan store.Event) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	due := time.NewTimer(time.Hour)
	due.Stop()
	defer due.Stop()
	var pending changes
	var last time.Time
	armed := false
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			pending.add(e)
			f.fallBehind(pending)
			if !armed {
				armed = true
				due.Reset(max(0, refreshEvery-time.Since(last)))
			}
		case <-due.C:
			armed, last = false, time.Now()
			f.apply(ctx, pending)
			f.wake(pending)
			pending = changes{}
		case <-f.opened:
			f.apply(ctx, changes{all: true})
		case <-look.C:
			if f.held() == nil { // it could not be read
				f.apply(ctx, changes{all: true})
			}
			f.wake(changes{all: true})
		}
	}
}

// fallBehind has pages that are asked for now read the fleet themselves when
// bornes have come or gone: who revokes one must not find it on the next page.
func (f *feed) fallBehind(c changes) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = c.all
}

// changes are what a few events are about.
type changes struct {
	all    bool // bornes came or went, or nobody knows
	bornes map[string]bool
	called bool // requests to be called back
}

// calledPages is what pages about requests to be called back watch: no borne
// has a stroke in its name.
const calledPages = "/rappels"

func (c *changes) add(e store.Event) {
	switch e.Topic {
	case store.All, store.Fleet, store.Revoked, store.Alerted:
		c.all = true
	case store.Called:
		c.called = true
	default:
		if c.bornes == nil {
			c.bornes = map[string]bool{}
		}
		c.bornes[e.ID] = true
	}
}

// wake tells the pages that something has changed for.
func (f *feed) wake(c changes) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		if w.borne == "" || c.all || c.bornes[w.borne] || c.called && w.borne == calledPages {
			signal(w.changed)
		}
	}
}

// end lets the pages know that nothing more will come.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		close(w.over)
	}
	clear(f.watchers)
	f.over, f.last = true, nil
}

// apply brings what is held of the bornes up to date while pages are open.
// After an error nothing is held, and pages read for themselves.
func (f *feed) apply(ctx context.Context, c changes) {
	f.mu.Lock()
	old, open := f.last, len(f.watchers) > 0
	f.behind = false
	f.mu.Unlock()
	var fresh *heads
	if open {
		var err error
		if fresh, err = f.next(ctx, old, c); err != nil && ctx.Err() == nil {
			f.log.ErrorContext(ctx, "console: the fleet could not be read", "err", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last = fresh; len(f.watchers) == 0 {
		f.last = nil
	}
}

func (f *feed) next(ctx context.Context, old *heads, c changes) (*heads, error) {
	if c.all || old == nil {
		return f.read(ctx)
	}
	if len(c.bornes) == 0 {
		return old, nil
	}
	ids := make([]string, 0, len(c.bornes))
	for id := range c.bornes {
		ids = append(ids, id)
	}
	changed, err := f.store.Heads(ctx, ids...)
	if err != nil {
		return nil, err
	}
	fresh := &heads{slices.Clone(old.list), old.index}
	for _, h := range changed {
		i, ok := old.index[h.ID]
		if !ok {
			return f.read(ctx)
		}
		fresh.list[i] = h
	}
	return fresh, nil
}

// read reads the whole fleet.
func (f *feed) read(ctx context.Context) (*heads, error) {
	list, err := f.store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	h := &heads{list, make(map[string]int, len(list))}
	for i := range list {
		h.index[list[i].ID] = i
	}
	return h, nil
}

func (f *feed) held() *heads {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// fleet gives the fleet by place; nobody may change it.
func (f *feed) fleet(ctx context.Context) ([]store.Head, error) {
	f.mu.Lock()
	h, behind := f.last, f.behind
	f.mu.Unlock()
	if h == nil || behind {
		var err error
		if h, err = f.read(ctx); err != nil {
			return nil, err
		}
	}
	return h.list, nil
}
