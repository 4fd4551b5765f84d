package alerts_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a fleet, the hubs that watch over it, and their clock.
type world struct {
	t      testing.TB
	mu     sync.Mutex
	now    time.Time
	store  *store.Store
	key    *seal.Key
	hubs   []*alerts.Alerts
	bornes []*borne
}

// borne is one of the fleet.
type borne struct {
	id, site, address string
	off               bool
	faults            []link.Fault
	devices           []link.Device
	seq               uint64
}

// tuesday is when the tests begin: 10 h 00 in Paris, agents are there.
var tuesday = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	w := &world{t: t, now: tuesday, store: s, key: key}
	w.hub(s)
	return w
}

// hub adds a hub over a store, as a process that has just started.
func (w *world) hub(s *store.Store) *alerts.Alerts {
	a := alerts.New(alerts.Options{Store: s, Key: w.key, URL: "https://parvis.ville.fr", Now: w.clock, Roots: mailtest.Roots, Log: slog.New(slog.DiscardHandler)})
	a.AllowLoopback()
	w.hubs = append(w.hubs, a)
	return a
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

// add enrols a borne.
func (w *world) add(id, site, address string) *borne {
	w.t.Helper()
	siteID := strings.ToLower(strings.SplitN(id, "-", 2)[0])
	must(w.t, w.store.PutSite(ctx, store.Site{ID: siteID, Name: site, Created: tuesday}))
	secret, key := sha256.Sum256([]byte("token "+id)), sha256.Sum256([]byte(id))
	_, err := w.store.CreateToken(ctx, store.Token{Hash: secret[:], Site: store.Site{ID: siteID}, Borne: id, By: "anne", Created: w.clock(), Expires: w.clock().Add(time.Hour)})
	must(w.t, err)
	_, err = w.store.Enrol(ctx, secret[:], key[:], store.Certificate{Serial: "1-" + id, Ends: w.clock().AddDate(0, 6, 0)}, w.clock())
	must(w.t, err)
	b := &borne{id: id, site: siteID, address: address}
	w.bornes = append(w.bornes, b)
	return b
}

// report has all bornes that are on report.
func (w *world) report() {
	w.t.Helper()
	var all []store.Incoming
	for _, b := range w.bornes {
		if b.off {
			continue
		}
		b.seq++
		all = append(all, store.Incoming{Borne: b.id, Serial: "1-" + b.id, Address: b.address, At: w.clock(),
			Report: link.Report{Run: binary.BigEndian.AppendUint64(nil, 7), Seq: b.seq, At: w.clock().UnixMilli(), App: link.AppIdle, Disk: 50, Faults: b.faults, Devices: b.devices}})
	}
	if len(all) == 0 {
		return
	}
	_, err := w.store.PutReports(ctx, all)
	must(w.t, err)
}

// turn has every hub look and send once.
func (w *world) turn() {
	w.t.Helper()
	for _, a := range w.hubs {
		must(w.t, a.Step(ctx))
	}
	for _, a := range w.hubs {
		must(w.t, a.Send(ctx))
	}
}

// run lets time pass in steps of half a minute.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.clock().Add(d); w.clock().Before(end); {
		w.set(w.clock().Add(30 * time.Second))
		w.report()
		w.turn()
	}
}

// jump goes to a moment at once: nobody looked in between.
func (w *world) jump(to time.Time) {
	w.t.Helper()
	w.set(to)
	w.report()
	w.turn()
}

// fault is one that begins now.
func (w *world) fault(name string) []link.Fault {
	return []link.Fault{{Fault: name, Since: w.clock().Unix()}}
}

// mail adds a mailbox to the world's channels.
func (w *world) mail() *mailtest.Mailbox {
	w.t.Helper()
	m := mailtest.Start(w.t)
	_, err := w.hubs[0].PutChannel(ctx, m.Channel(), mailtest.Password)
	must(w.t, err)
	return m
}

// receiver is a server for webhooks.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	posts []received
	reply func(http.ResponseWriter, *http.Request)
}

type received struct {
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := new(receiver)
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.posts = append(r.posts, received{q.Header, body})
		if r.reply != nil {
			r.reply(w, q)
		}
	}))
	r.TLS = &tls.Config{Certificates: []tls.Certificate{mailtest.Certificate}}
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.posts
	r.posts = nil
	return all
}
