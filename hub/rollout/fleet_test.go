package rollout_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"parvis/hub/api"
	"parvis/hub/packs"
	"parvis/hub/rollout"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/enrol"
	"parvis/provisioning/pack"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// city is hubs as they run, over one database, and the bornes that talk to
// them, each with its own key and connection. Time passes when the test says so.
type city struct {
	t       testing.TB
	ahead   atomic.Int64
	key     *seal.Key
	stores  []*store.Store
	hubs    []string // addresses for bornes
	engines []*rollout.Engine
	offers  rollout.Catalogue
	bornes  []*borne
}

func (c *city) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// newCity starts a hub for each store; all are open on one database.
func newCity(t testing.TB, stores ...*store.Store) *city {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	must(t, err)
	c := &city{t: t, key: key, stores: stores}
	p := packs.New(stores[0], key, c.now, slog.New(slog.DiscardHandler))
	c.offers = rollout.NewCatalogue(stores[0], p)
	root, err := pack.NewKey()
	must(t, err)
	publisher, err := pack.NewKey()
	must(t, err)
	must(t, p.Create(t.Context(), []pack.Key{root}, 1, publisher))
	for _, version := range []string{"2026-11", "2026-12"} {
		_, err = p.Publish(t.Context(), fstest.MapFS{"textes/fr.toml": {Data: []byte("version = \"" + version + "\"\n")}}, version, publisher)
		must(t, err)
	}
	for _, s := range stores {
		c.serve(s)
	}
	return c
}

// serve starts a hub's port for bornes, and its engine.
func (c *city) serve(s *store.Store) {
	c.t.Helper()
	authority, err := c.key.Authority(c.t.Context(), s, c.now())
	must(c.t, err)
	recipient, err := c.key.CallbackRecipient(c.t.Context(), s)
	must(c.t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(c.t, err)
	hub := api.New(api.Options{Store: s, Authority: authority, Recipient: recipient, Now: c.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Serve(ctx, l) }()
	c.t.Cleanup(func() {
		for _, b := range c.bornes {
			b.client.Close()
		}
		stop()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	})
	c.hubs = append(c.hubs, l.Addr().String())
	c.engines = append(c.engines, c.engine(s))
}

func (c *city) engine(s *store.Store) *rollout.Engine {
	return rollout.New(rollout.Options{Store: s, Offers: c.offers, Now: c.now})
}

// borne is a pretend borne that speaks the real protocol.
type borne struct {
	id, group string
	client    *link.Client
	run       []byte
	seq       uint64
	tag       string
	content   string
	failures  []link.Failure
	off       bool // nothing is heard of it
	// take is what it does with a version of the content: nil is to take it.
	take func(b *borne, version string)
}

// enrol puts bornes into service, on sites of twenty of which the first, for
// instance, are of the group "pilote".
func (c *city) enrol(groups ...string) {
	c.t.Helper()
	ctx, s := c.t.Context(), c.stores[0]
	authority, err := c.key.Authority(ctx, s, c.now())
	must(c.t, err)
	type one struct {
		b    *borne
		code enrol.Code
	}
	var all []one
	for _, group := range groups {
		i := len(c.bornes) / 20
		site := store.Site{ID: fmt.Sprintf("site-%02d", i+1), Name: fmt.Sprintf("Mairie %02d", i+1), Created: c.now()}
		must(c.t, s.PutSite(ctx, site))
		if group != "" {
			must(c.t, s.PutGroup(ctx, store.Group{ID: group, Name: group, Created: c.now()}))
			must(c.t, s.SetSiteGroup(ctx, site.ID, group))
		}
		for n := range 20 {
			code := enrol.NewCode(authority.Fingerprint())
			b := &borne{id: fmt.Sprintf("M%02d-%02d", i+1, n+1), group: group, run: make([]byte, 8)}
			rand.Read(b.run) // never fails
			_, err := s.CreateToken(ctx, store.Token{Hash: code.Hash(), Site: site, Borne: b.id, Created: c.now(), Expires: c.now().Add(time.Hour)})
			must(c.t, err)
			all = append(all, one{b, code})
			c.bornes = append(c.bornes, b)
		}
	}
	dir := c.t.TempDir()
	c.parallel(len(all), func(i int) error {
		hub := c.hubs[i%len(c.hubs)]
		id, err := enrol.Enrol(ctx, hub, all[i].code, filepath.Join(dir, all[i].b.id), enrol.Options{})
		if err != nil {
			return err
		}
		all[i].b.client, err = link.NewClient(link.ClientOptions{Hub: hub, TLS: id.TLS()})
		return err
	})
}

// parallel does something n times at once: a hub gathers the reports that come
// within a tenth of a second.
func (c *city) parallel(n int, do func(i int) error) {
	c.t.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	must(c.t, errors.Join(errs...))
}

// report has a borne report, and see to what it is wanted to have.
func (b *borne) report(ctx context.Context, now time.Time) error {
	b.seq++
	answer, err := b.client.Report(ctx, link.Report{Run: b.run, Seq: b.seq, At: now.UnixMilli(), Version: "1.0.0", App: link.AppIdle, Disk: 71,
		Content: b.content, Tag: b.tag, Failures: b.failures})
	if err != nil || answer.Tag == b.tag {
		return err
	}
	w, err := b.client.Wanted(ctx)
	if err != nil {
		return err
	}
	b.tag, b.failures = w.Tag, nil
	switch {
	case w.Pack == b.content:
	case b.take != nil:
		b.take(b, w.Pack)
	default:
		b.content = w.Pack
	}
	return nil
}

// round lets half a minute pass: every borne that is there reports once, and
// each hub looks at its rollouts.
func (c *city) round() {
	c.t.Helper()
	c.ahead.Add(int64(link.Every))
	c.parallel(len(c.bornes), func(i int) error {
		if c.bornes[i].off {
			return nil
		}
		return c.bornes[i].report(c.t.Context(), c.now())
	})
	for _, e := range c.engines {
		must(c.t, e.Step(c.t.Context()))
	}
}

// until lets time pass until a rollout is in a state, and returns it, and how
// long that took.
func (c *city) until(r store.Rollout, state store.RolloutState, atMost time.Duration) (store.Rollout, time.Duration) {
	c.t.Helper()
	began := c.now()
	for {
		is, err := c.stores[0].Rollout(c.t.Context(), r.ID)
		must(c.t, err)
		if is.State == state {
			return is, c.now().Sub(began)
		}
		if c.now().Sub(began) > atMost {
			c.t.Fatalf("after %v it is %s in stage %d: %s", atMost, is.State, is.Stage+1, is.Why)
		}
		c.round()
	}
}

func (c *city) start(version string, stages ...store.RolloutStage) store.Rollout {
	c.t.Helper()
	plan := rollout.Plan{Kind: link.KindPack, Version: version, Stages: stages, Quiet: 2 * time.Minute, Threshold: 5}
	r, err := rollout.Start(c.t.Context(), c.stores[0], c.offers, plan, "Anne", c.now())
	must(c.t, err)
	return r
}

// using counts the bornes by the version in use.
func (c *city) using() map[string]int {
	n := make(map[string]int)
	for _, b := range c.bornes {
		n[b.content]++
	}
	return n
}
