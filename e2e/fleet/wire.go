package fleet

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Wire is a network between bornes and hubs, in one of the ways a network can
// be. Each connection goes to the next of its hubs, or to another that answers.
type Wire struct {
	Address string

	mu      sync.Mutex
	changed *sync.Cond
	hubs    []string
	next    int
	cut     bool
	frozen  bool
	lines   map[*line]bool
	lost    int
	heard   chan struct{} // closed at the next word of a hub that gets through
}

// line is one connection through a wire.
type line struct {
	borne, hub net.Conn // hub is nil until it has been reached
	gone       bool
	over       chan struct{} // closed when it is gone
	silent     bool          // lost for good, and neither end is told
	late       bool          // held until Mend
	lingers    bool          // was late: its end is told still later
	deaf       bool          // what the hub says is lost
	snaps      bool          // ends at the hub's next word, which is lost
}

// NewWire lays a wire to the addresses of one or more hubs.
func NewWire(t testing.TB, hubs ...string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{Address: l.Addr().String(), hubs: hubs, lines: make(map[*line]bool), heard: make(chan struct{})}
	w.changed = sync.NewCond(&w.mu)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.carry(&line{borne: c, over: make(chan struct{})}) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.Cut()
		all.Wait()
	})
	return w
}

// Cut drops every connection, as both ends see, and takes no more.
func (w *Wire) Cut() {
	w.set(func() {
		w.cut, w.frozen = true, false
		w.drop(func(*line) bool { return true })
	})
}

// Freeze lets nothing pass, not even that a connection has ended. New
// connections are taken and lead nowhere. After Mend all goes on.
func (w *Wire) Freeze() { w.set(func() { w.frozen = true }) }

// Delay holds what is said on the connections there are until Mend: what comes
// through new connections overtakes it. That such a connection has ended is told
// only a second after that, as when a borne has lost its power.
func (w *Wire) Delay() { w.each(func(l *line) { l.late, l.lingers = true, true }) }

// Forget lets nothing pass on the connections there are, ever again, and tells
// neither end, as a router that was restarted. New connections are good.
func (w *Wire) Forget() { w.each(func(l *line) { l.silent = true }) }

// Deafen loses what the hubs say on the connections there are, and goes on to
// carry what the borne says.
func (w *Wire) Deafen() { w.each(func(l *line) { l.deaf = true }) }

// Snap breaks each connection there is at the moment the hub answers, and loses
// the answer.
func (w *Wire) Snap() { w.each(func(l *line) { l.snaps = true }) }

// Mend lets everything through again. What was held goes on; what cannot is
// dropped, as both ends see.
func (w *Wire) Mend() {
	w.set(func() {
		w.cut, w.frozen = false, false
		for l := range w.lines {
			l.late = false
		}
		w.drop(func(l *line) bool { return l.silent || l.deaf || l.snaps })
	})
}

// Lost is how many times something that a hub said was lost by Deafen or Snap.
func (w *Wire) Lost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Heard is closed when a hub's next word has got through to a borne.
func (w *Wire) Heard() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.heard
}

// set changes how the wire is, and lets what waits look at it again.
func (w *Wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.changed.Broadcast()
}

func (w *Wire) each(change func(*line)) {
	w.set(func() {
		for l := range w.lines {
			change(l)
		}
	})
}

// drop ends connections; the lock is held.
func (w *Wire) drop(which func(*line) bool) {
	for l := range w.lines {
		if which(l) {
			l.end()
		}
	}
}

func (l *line) end() {
	if l.gone {
		return
	}
	l.gone = true
	close(l.over)
	l.borne.Close()
	if l.hub != nil {
		l.hub.Close()
	}
}

func (w *Wire) carry(l *line) {
	defer w.set(func() {
		l.end()
		delete(w.lines, l)
	})
	w.set(func() {
		w.lines[l] = true
		if w.cut {
			l.end()
		}
	})
	if w.pass(l, false) == stop {
		return
	}
	hub := w.dial()
	if hub == nil {
		return
	}
	var gone bool
	w.set(func() { l.hub, gone = hub, l.gone })
	if gone {
		hub.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { w.pump(l, l.hub, l.borne, false) })
	both.Go(func() { w.pump(l, l.borne, l.hub, true) })
	both.Wait()
}

// dial reaches the next hub that takes connections, or none.
func (w *Wire) dial() net.Conn {
	w.mu.Lock()
	w.next++
	first := w.next
	w.mu.Unlock()
	for i := range w.hubs {
		if hub, err := net.Dial("tcp", w.hubs[(first+i)%len(w.hubs)]); err == nil {
			return hub
		}
	}
	return nil
}

// pump carries what one end says to the other. When either has ended, both do.
func (w *Wire) pump(l *line, to, from net.Conn, answers bool) {
	defer w.set(l.end)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		fate := w.pass(l, answers && n > 0)
		if fate == stop {
			return
		}
		if n > 0 && fate == through {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
			if answers {
				w.set(func() { close(w.heard); w.heard = make(chan struct{}) })
			}
		}
		if err != nil {
			w.linger(l)
			return
		}
	}
}

// linger keeps a connection that was delayed from ending at once.
func (w *Wire) linger(l *line) {
	w.mu.Lock()
	lingers := l.lingers
	w.mu.Unlock()
	if !lingers {
		return
	}
	select {
	case <-time.After(time.Second):
	case <-l.over:
	}
}

// fate is what becomes of what was said on a connection.
type fate int

const (
	through fate = iota
	nowhere
	stop // the connection is over
)

// pass waits until the wire lets something pass on a connection, and tells what
// becomes of it.
func (w *Wire) pass(l *line, answer bool) fate {
	w.mu.Lock()
	defer w.mu.Unlock()
	for (w.frozen || l.silent || l.late) && !l.gone {
		w.changed.Wait()
	}
	switch {
	case l.gone:
		return stop
	case answer && l.snaps:
		w.lost++
		return stop
	case answer && l.deaf:
		w.lost++
		return nowhere
	}
	return through
}
