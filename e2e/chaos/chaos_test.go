package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to look at the hubs' database past their own code
	_ "github.com/mattn/go-sqlite3"

	"parvis/e2e/fleet"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	borneStore "parvis/kiosk/store"
)

// How long the storm lasts, and how many requests are made in it, unless the
// environment says otherwise: PARVIS_CHAOS=10m PARVIS_CHAOS_REQUESTS=5000 go test
// -timeout=20m. The faults follow from PARVIS_CHAOS_SEED, as far as the machine
// lets them.
const (
	stormLasts = 2*time.Minute + 20*time.Second
	requests   = 1000
)

// calm is within what time everything must have come to rest once all is
// mended: a borne may wait half a minute before it tries again, and then waits
// for an answer.
const calm = 90 * time.Second

// lines are the first digits of the telephone numbers of each borne's
// residents. The last borne has a window.
var lines = []string{"61", "62", "64", "65", "67", "68"}

// town is hubs, a database and bornes.
type town struct {
	t      *testing.T
	seed   uint64
	lasts  time.Duration
	number int // of requests
	tally  *tally

	database string
	postgres *storetest.Server // nil on SQLite
	base     *base
	hubs     []*hubLife
	store    *store.Store // the same database
	key      *seal.Key
	bornes   []*borne
	window   *window
	orders   *orders

	mended                time.Time
	made, confirmed, kept int
	late                  time.Duration // the longest that a request was on the way
}

// borne is one of the town's.
type borne struct {
	id    string
	dir   string
	wire  *fleet.Wire
	agent *fleet.Agent
	app   *application // nil for the one with a window
	win   *window
	store *borneStore.Store // opened when the storm is over

	hands sync.Mutex // on the agent: one fault at a time

	// An agent that is paused may hold the database. An application that starts
	// then ends at once, and systemd starts it anew; a window has no systemd, so
	// it waits.
	starting sync.Mutex
}

// made are the requests of a borne's residents, by telephone number.
func (b *borne) made() map[string]*request {
	if b.win != nil {
		return b.win.made
	}
	return b.app.made
}

// TestNothingLost breaks everything at random while a thousand residents ask to
// be called back, mends it, and counts: each confirmed request is at the hub
// once, complete, and nowhere else.
func TestNothingLost(t *testing.T) {
	lasts, number, seed := stormLasts, requests, uint64(time.Now().UnixNano())
	if testing.Short() {
		lasts, number = 30*time.Second, 250
	}
	fromEnv(t, "PARVIS_CHAOS", &lasts, time.ParseDuration)
	fromEnv(t, "PARVIS_CHAOS_REQUESTS", &number, strconv.Atoi)
	fromEnv(t, "PARVIS_CHAOS_SEED", &seed, func(text string) (uint64, error) { return strconv.ParseUint(text, 10, 64) })
	t.Logf("PARVIS_CHAOS_SEED=%d", seed)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		c := &town{t: t, seed: seed, lasts: lasts, number: number}
		c.build(1)
		c.live()
	})
	t.Run("PostgreSQL with two hubs", func(t *testing.T) {
		t.Parallel()
		c := &town{t: t, seed: seed + 1, lasts: lasts, number: number}
		c.postgres = storetest.NewServer(t, "fsync=on", "synchronous_commit=on", "full_page_writes=on")
		c.database = c.postgres.Database(t)
		c.build(2)
		c.live()
	})
}

// fromEnv sets a value from the environment, where that has it.
func fromEnv[T any](t *testing.T, name string, value *T, parse func(string) (T, error)) {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return
	}
	v, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	*value = v
}

// chance is a source of chance for one part of the town.
func (c *town) chance(part uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, part)) }

// build starts the town.
func (c *town) build(hubs int) {
	c.t.Helper()
	c.tally, c.base = newTally(), &base{up: time.Now()}
	var addresses []string
	o := fleet.HubOptions{Database: c.database}
	for i := range hubs {
		hub := fleet.StartHub(c.t, o)
		o.Data = hub.Data
		addresses = append(addresses, hub.Bornes)
		c.hubs = append(c.hubs, &hubLife{hub: hub, base: c.base, random: c.chance(uint64(100 + i)), tally: c.tally})
	}
	if c.database == "" {
		c.database = filepath.Join(o.Data, "hub.sqlite")
	}
	c.store = storetest.Open(c.t, c.database)
	key, err := seal.Open(filepath.Join(o.Data, "hub.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.key = key
	// In the storm hours go by in minutes: that is no flood.
	if err := c.store.SetSetting(c.t.Context(), "callbacks", `{"flood": 1000000}`); err != nil {
		c.t.Fatal(err)
	}
	for i := range lines {
		b := &borne{id: fmt.Sprintf("MQ-%02d", i+1), dir: c.t.TempDir(), wire: fleet.NewWire(c.t, addresses...)}
		data := b.dir
		if i == len(lines)-1 {
			data = windowData(b.dir)
		}
		b.agent = fleet.Enrol(c.t, data, b.wire.Address, c.hubs[0].hub.Code(site, "Mairie de quartier", b.id))
		c.bornes = append(c.bornes, b)
	}
	last := c.bornes[len(lines)-1]
	c.window = openWindow(c.t, last, lines[len(lines)-1], c.chance(200), c.tally)
	last.win = c.window
	c.orders = newOrders(c.store, c.bornes, c.chance(300), c.tally)
}

// live is the storm, the calm after it, and the count.
func (c *town) live() {
	c.t.Helper()
	ctx, cancel := context.WithCancelCause(c.t.Context())
	storm, over := context.WithTimeout(ctx, c.lasts)
	apps, bad := &crew{cancel: cancel}, &crew{cancel: cancel}
	end := func() {
		over()
		bad.all.Wait()
		cancel(nil)
		apps.all.Wait()
	}
	defer end()

	share := (c.number + len(c.bornes) - 2) / (len(c.bornes) - 1)
	for i, b := range c.bornes {
		bad.do("the wire of "+b.id, func() error { return breakWire(storm, b, c.chance(uint64(400+i)), c.tally) })
		bad.do("the agent of "+b.id, func() error { return harmAgent(storm, b, c.chance(uint64(500+i)), c.tally) })
		if b.win != nil {
			continue
		}
		p := plan{Line: lines[i], Count: share, Until: time.Now().Add(c.lasts - 5*time.Second)}
		b.app = newApplication(b.dir, p, storm, c.chance(uint64(600+i)), c.tally)
		apps.do("the application of "+b.id, func() error { return b.app.run(ctx) })
	}
	for _, l := range c.hubs {
		l.bornes = c.bornes
		bad.do("a hub", func() error { return l.harm(storm) })
	}
	bad.do("commands", func() error { return c.orders.give(storm) })

	if c.postgres != nil {
		first, half := context.WithTimeout(storm, c.lasts/2)
		c.window.residents(first)
		half()
		c.restartDatabase(storm)
	}
	c.window.residents(storm)
	bad.all.Wait()
	if err := context.Cause(ctx); err != nil {
		c.t.Fatal(err)
	}
	c.mended = time.Now()
	c.settle(ctx)
	end()
	c.count(c.t.Context())
}
