package store

import (
	"context"
	"sync"
)

// Topic says what an event is about.
type Topic string

// The topics.
const (
	All       Topic = ""          // some events were lost: look at everything again
	Reported  Topic = "reported"  // ID: a borne; its state is new
	Commanded Topic = "commanded" // ID: a borne; a command waits for it
	Ended     Topic = "ended"     // ID: a borne; one of its commands has ended
	Received  Topic = "received"  // ID: a borne; it delivered a request to be called back
	Revoked   Topic = "revoked"   // ID: a borne; it is shut out, or another machine has taken its place
	Fleet     Topic = "fleet"     // bornes, sites or codes came or went
	Wants     Topic = "wants"     // ID: a borne; it should have something else
	Alerted   Topic = "alerted"   // an alert began or ended
	Called    Topic = "called"    // ID: a request to be called back; its state is new. Empty: some are gone
)

// Event tells every hub on the same database that something has changed.
type Event struct {
	Topic Topic
	ID    string
}

// Watch returns a channel of events that this and every other hub raises from
// now on, within a moment of their commit. A watcher who is slow, or cut off
// from the database for a while, gets one Event{} for what it missed. The
// channel is closed when ctx ends, or the store is closed. It is made for each
// part of a hub and each open page, not for each borne.
func (s *Store) Watch(ctx context.Context) <-chan Event {
	ch := make(chan Event)
	w := s.bus.add()
	go func() {
		defer close(ch)
		defer s.bus.remove(w)
		for {
			e, ok := w.next(ctx)
			if !ok {
				return
			}
			select {
			case ch <- e:
			case <-ctx.Done():
				return
			case <-s.bus.done:
				return
			}
		}
	}()
	return ch
}

// maxBehind is how many events a watcher may be behind before they are
// replaced by one that says to look at everything again. One notification
// alone may bring over a thousand.
const maxBehind = 8192

// bus hands events to the watchers of this process, and waits for none.
type bus struct {
	mu       sync.Mutex
	watchers map[*watcher]bool
	done     chan struct{}
	closed   bool
}

func newBus() *bus {
	return &bus{watchers: make(map[*watcher]bool), done: make(chan struct{})}
}

func (b *bus) add() *watcher {
	w := &watcher{bus: b, wake: make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[w] = true
	return w
}

func (b *bus) remove(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.watchers, w)
}

func (b *bus) publish(events ...Event) {
	if len(events) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		w.waiting = append(w.waiting, events...)
		if len(w.waiting) > maxBehind {
			w.waiting = append(w.waiting[:0], Event{})
		}
		select {
		case w.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (b *bus) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.done)
	}
}

// watcher is one channel of Watch. Its queue belongs to the bus's lock.
type watcher struct {
	bus     *bus
	wake    chan struct{}
	waiting []Event
}

// next waits for an event; ok is false when there will be none.
func (w *watcher) next(ctx context.Context) (e Event, ok bool) {
	for {
		w.bus.mu.Lock()
		if len(w.waiting) > 0 {
			e, w.waiting = w.waiting[0], w.waiting[1:]
			w.bus.mu.Unlock()
			return e, true
		}
		w.waiting = nil
		w.bus.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
			return Event{}, false
		case <-w.bus.done:
			return Event{}, false
		}
	}
}
