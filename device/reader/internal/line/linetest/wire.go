// Package linetest is a serial line in memory, for tests in fake time: inside
// testing/synctest a pty's time would not pass. It also notes what a reader
// says.
package linetest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"parvis/device"
	"parvis/device/reader"
	"parvis/device/transport"
)

// Wire is a line between a test and a reader. It can be unplugged and plugged.
type Wire struct {
	mu   sync.Mutex
	sent chan []byte
	cut  chan struct{}
}

// NewWire makes a wire that is plugged in.
func NewWire() *Wire {
	w := &Wire{}
	w.Plug()
	return w
}

// Plug lets the wire be opened.
func (w *Wire) Plug() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.cut = make(chan []byte, 4096), make(chan struct{})
}

// Unplug cuts the line that is open, and lets none be opened.
func (w *Wire) Unplug() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.cut)
	w.sent = nil
}

// Send puts bytes on the line, where they wait to be read.
func (w *Wire) Send(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent <- []byte(s)
}

// Open is a transport.Opener.
func (w *Wire) Open(context.Context) (transport.Line, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent == nil {
		return nil, fmt.Errorf("wire: %w", transport.ErrGone)
	}
	return &end{sent: w.sent, cut: w.cut}, nil
}

// end is the reader's end of a wire.
type end struct {
	sent chan []byte
	cut  chan struct{}
	rest []byte
}

func (e *end) Read(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(e.rest) == 0 {
		select {
		case e.rest = <-e.sent:
		default:
			select {
			case e.rest = <-e.sent:
			case <-e.cut:
				return 0, transport.ErrGone
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func (e *end) Write(context.Context, []byte) (int, error) { return 0, transport.ErrGone }
func (e *end) Discard() error                             { return nil }
func (e *end) Close() error                               { return nil }

// Record notes what a reader says, in short words. It is for many goroutines.
type Record struct {
	mu  sync.Mutex
	all []string
}

// Seen notes an event: "+" and the number or text of what came, "-" when it
// was taken away, "several" for two at once.
func (r *Record) Seen(e reader.Event) {
	s := "-"
	if e.Present {
		s = "+"
	}
	if e.Several {
		s += "several"
	}
	r.note(s + e.Number + e.Text)
}

// Report notes a status: its state, what lies on the reader, and its fault.
func (r *Record) Report(s device.Status) {
	r.note(strings.TrimRight(fmt.Sprintf("%s/%s/%s", s.State, s.Media, s.Fault), "/"))
}

func (r *Record) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, s)
}

// Take returns what was noted since it was last called, one space between.
func (r *Record) Take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.all, " ")
	r.all = nil
	return s
}
