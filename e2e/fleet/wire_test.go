package fleet

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// soon is how long something may take that ought to happen, and a moment how
// long it is watched that something doesn't.
const (
	soon   = 10 * time.Second
	moment = 100 * time.Millisecond
)

// parrot is a hub that says again what it hears, and tells what it has heard.
func parrot(t *testing.T) (address string, heard <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	words := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 100)
				for {
					n, err := c.Read(buf)
					if err != nil {
						words <- "(end)"
						return
					}
					words <- string(buf[:n])
					c.Write(buf[:n])
				}
			}()
		}
	}()
	return l.Addr().String(), words
}

// borne is one connection of a borne.
type borne struct {
	t *testing.T
	net.Conn
}

func call(t *testing.T, w *Wire) borne {
	t.Helper()
	c, err := net.Dial("tcp", w.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return borne{t, c}
}

func (b borne) says(word string) {
	b.t.Helper()
	if _, err := io.WriteString(b, word); err != nil {
		b.t.Fatal(err)
	}
}

// hears reads what comes within a time.
func (b borne) hears(within time.Duration) (string, error) {
	b.t.Helper()
	if err := b.SetReadDeadline(time.Now().Add(within)); err != nil {
		b.t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := b.Read(buf)
	return string(buf[:n]), err
}

func (b borne) wants(word string) {
	b.t.Helper()
	if got, err := b.hears(soon); got != word {
		b.t.Fatalf("the borne hears %q (%v), want %q", got, err, word)
	}
}

// nothing wants the connection to be open and silent.
func (b borne) nothing() {
	b.t.Helper()
	if got, err := b.hears(moment); !errors.Is(err, os.ErrDeadlineExceeded) {
		b.t.Fatalf("the borne hears %q (%v), want nothing", got, err)
	}
}

func (b borne) ended() {
	b.t.Helper()
	if got, err := b.hears(soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		b.t.Fatalf("the borne hears %q (%v), want the end", got, err)
	}
}

func wants(t *testing.T, heard <-chan string, word string) {
	t.Helper()
	select {
	case got := <-heard:
		if got != word {
			t.Fatalf("the hub hears %q, want %q", got, word)
		}
	case <-time.After(soon):
		t.Fatalf("the hub doesn't hear %q", word)
	}
}

func nothing(t *testing.T, heard <-chan string) {
	t.Helper()
	select {
	case got := <-heard:
		t.Fatalf("the hub hears %q, want nothing", got)
	case <-time.After(moment):
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, w *Wire, b borne, heard <-chan string){
		"cut": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Cut()
			b.ended()
			wants(t, heard, "(end)")
			call(t, w).ended()
			w.Mend()
			again := call(t, w)
			again.says("again")
			wants(t, heard, "again")
			again.wants("again")
		},
		"frozen": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Freeze()
			b.says("held")
			late := call(t, w)
			late.says("late")
			nothing(t, heard)
			b.nothing()
			w.Mend()
			got := map[string]bool{<-heard: true, <-heard: true}
			if !got["held"] || !got["late"] {
				t.Fatalf("the hub hears %v", got)
			}
			b.wants("held")
			late.wants("late")
		},
		"frozen while the borne ends": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Freeze()
			b.says("last")
			b.Close()
			nothing(t, heard)
			w.Mend()
			wants(t, heard, "last")
			wants(t, heard, "(end)")
		},
		"delayed": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Delay()
			b.says("first")
			b.Close()
			nothing(t, heard)
			other := call(t, w)
			other.says("second")
			wants(t, heard, "second")
			other.wants("second")
			w.Mend()
			wants(t, heard, "first")
			wants(t, heard, "(end)")
		},
		"forgotten": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Forget()
			b.says("lost")
			nothing(t, heard)
			b.nothing()
			other := call(t, w)
			other.says("other")
			wants(t, heard, "other")
			other.wants("other")
			w.Mend()
			b.ended()
			wants(t, heard, "(end)")
			other.says("still")
			other.wants("still")
		},
		"deaf": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			w.Deafen()
			b.says("one")
			wants(t, heard, "one")
			b.nothing()
			b.says("two")
			wants(t, heard, "two")
			for late := time.Now().Add(soon); w.Lost() != 2; time.Sleep(time.Millisecond) {
				if time.Now().After(late) {
					t.Fatalf("%d answers lost, want 2", w.Lost())
				}
			}
			w.Mend()
			b.ended()
		},
		"snapped": func(t *testing.T, w *Wire, b borne, heard <-chan string) {
			got := w.Heard()
			b.says("zero")
			wants(t, heard, "zero")
			b.wants("zero")
			select {
			case <-got:
			case <-time.After(soon):
				t.Fatal("the answer is not told of")
			}
			w.Snap()
			b.nothing()
			got = w.Heard()
			b.says("one")
			wants(t, heard, "one")
			b.ended()
			select {
			case <-got:
				t.Error("an answer that was lost is told of")
			default:
			}
			if w.Lost() != 1 {
				t.Errorf("%d answers lost", w.Lost())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, heard := parrot(t)
			w := NewWire(t, hub)
			b := call(t, w)
			b.says("hello")
			wants(t, heard, "hello")
			b.wants("hello")
			test(t, w, b, heard)
		})
	}
}

// With several hubs each is reached, and one that is down is passed over.
func TestWireOfSeveral(t *testing.T) {
	t.Parallel()
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()
	one, heardOne := parrot(t)
	two, heardTwo := parrot(t)
	w := NewWire(t, one, down.Addr().String(), two)
	for range 6 {
		b := call(t, w)
		b.says("word")
		b.wants("word")
	}
	if len(heardOne) == 0 || len(heardTwo) == 0 || len(heardOne)+len(heardTwo) != 6 {
		t.Errorf("one hub hears %d, the other %d", len(heardOne), len(heardTwo))
	}
}
