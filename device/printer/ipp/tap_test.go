package ipp_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"parvis/device/sim"
)

// TestMain lets many tests run at once: they wait for CUPS and printers, and
// hardly compute.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// tap stands on the wire between us and a printer or a queue. It counts what
// passes, and can let something happen just before a request arrives.
type tap struct {
	uri string

	mu     sync.Mutex
	counts map[goipp.Op]int
	before map[goipp.Op]map[int]func() // by operation and its number, from 1 up
}

func newTap(t *testing.T, uri string) *tap {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{counts: map[goipp.Op]int{}, before: map[goipp.Op]map[int]func(){}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: u.Host})
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {
		panic(http.ErrAbortHandler) // the line breaks, as it does without the tap
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) < 4 {
			panic(http.ErrAbortHandler)
		}
		if act := p.pass(goipp.Op(binary.BigEndian.Uint16(body[2:]))); act != nil {
			act()
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.uri = "ipp://" + strings.TrimPrefix(server.URL, "http://") + u.Path
	return p
}

func (p *tap) pass(op goipp.Op) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[op]++
	return p.before[op][p.counts[op]]
}

// on lets act happen before the nth request of an operation from now on.
func (p *tap) on(op goipp.Op, n int, act func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.before[op] == nil {
		p.before[op] = map[int]func(){}
	}
	p.before[op][p.counts[op]+n] = act
}

func (p *tap) count(op goipp.Op) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[op]
}

// desk is an office printer, alone or behind a queue of CUPS.
type desk struct {
	*sim.Office
	cups *sim.CUPS // nil without one
	tap  *tap
}

// A test runs with each way to reach a printer.
var ways = map[string]func(*testing.T) *desk{"printer": alone, "queue": queued}

func alone(t *testing.T) *desk {
	t.Helper()
	o, err := sim.StartOffice(t.Context(), shortDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return &desk{Office: o, tap: newTap(t, o.URI())}
}

func queued(t *testing.T) *desk {
	t.Helper()
	d := alone(t)
	c, err := sim.StartCUPS(t.Context(), shortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(c.Dir, "error_log"))
			t.Logf("CUPS says:\n%s", b[max(0, len(b)-4000):])
		}
	})
	if err := c.Add(t.Context(), "A4", d.URI()); err != nil {
		t.Fatal(err)
	}
	d.cups, d.tap = c, newTap(t, c.Queue("A4"))
	return d
}

// shortDir makes a folder that all users reach, with room for sockets in it:
// their paths have no more than 108 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "ipp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *desk) do(t *testing.T, order string) {
	t.Helper()
	if _, err := d.Do(order); err != nil {
		t.Error(err)
	}
}

// sheets are the documents on paper, in the order in which they came out.
func (d *desk) sheets(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(d.Printed(), "document-*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// eventually waits until ok, at most as long as given.
func eventually(t *testing.T, longest time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(longest); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, longest)
		}
	}
}
