package agent_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/device"
	"parvis/kiosk/agent"
	"parvis/kiosk/agent/machine"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// TestMain runs many tests at once: they wait for an agent more than they work.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const patience = time.Minute

// borne is a borne whose agent runs, with a real database.
type borne struct {
	t     testing.TB
	hub   *hub
	card  *card
	dir   string
	store *store.Store
	agent *agent.Agent
	logs  *logs

	// What the test plays: the machine, the clock and systemd.
	mu      sync.Mutex
	off     time.Duration // of the machine's clock
	machine machine.Facts
	reboots int
	closed  bool // the site
	unit    *unit
	options func(*agent.Options)
	missed  time.Duration // how long searches wait; 0: as on a borne

	stop func()
}

// logs is what the agent has written to its log.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newBorne(t testing.TB, h *hub) *borne {
	t.Helper()
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &borne{t: t, hub: h, card: newCard(h), dir: dir, store: st, logs: &logs{},
		machine: machine.Facts{Uptime: 90 * time.Minute, Disk: 62, Temp: 48, Load: 12, BootID: "boot-1"}}
	t.Cleanup(func() {
		b.end()
		st.Close()
		if t.Failed() {
			t.Logf("the agent's log:\n%s", b.logs)
		}
	})
	return b
}

func (b *borne) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Add(b.off)
}

func (b *borne) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// begin starts the agent, as systemd would.
func (b *borne) begin() {
	b.t.Helper()
	client, err := link.NewClient(link.ClientOptions{Hub: b.hub.addr, TLS: b.card.tls()})
	if err != nil {
		b.t.Fatal(err)
	}
	o := agent.Options{
		Store: b.store, Client: client, Version: "1.4.0",
		Log: slog.New(slog.NewTextHandler(b.logs, nil)), Now: b.now, Identity: b.card,
		Machine: func() (machine.Facts, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.machine, nil
		},
		Reboot: func(context.Context) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.reboots++
			return nil
		},
		Logs: func(context.Context, time.Duration, int) ([]byte, error) { return nil, errors.New("no log here") },

		Profiles: filepath.Join(b.dir, "profile"), Content: filepath.Join(b.dir, "content"),
		CheckProfile: b.checkProfile, UpdatePack: b.updatePack, KeepPacks: b.keepPacks,
		Closed: func(time.Time) bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.closed
		},
	}
	if b.unit != nil {
		o.Unit = b.unit
	}
	if b.options != nil {
		b.options(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	b.agent = agent.New(o)
	b.agent.WatchFor(time.Second)
	if b.missed > 0 {
		b.agent.TellUnfoundEvery(b.missed)
	}
	go func() { ended <- b.agent.Serve(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				b.t.Errorf("the agent ended with %v", err)
			}
		case <-time.After(patience):
			b.t.Error("the agent doesn't end")
		}
		client.Close()
	})
}

// end ends the agent; begin may start it again.
func (b *borne) end() {
	if b.stop != nil {
		b.stop()
	}
}

// alive says what the application says of itself, from now on every second.
func (b *borne) alive(state link.AppState) (hush func()) {
	b.t.Helper()
	say := func() error {
		return b.store.SetAlive(context.Background(), store.Alive{State: string(state), Version: "1.4.0", Content: "2026-11-20",
			PID: 1, Started: b.now(), Seen: b.now()})
	}
	if err := say(); err != nil {
		b.t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := say(); err != nil {
					b.t.Error(err)
				}
			case <-stop:
				return
			}
		}
	}()
	hush = sync.OnceFunc(func() { close(stop); <-stopped })
	b.t.Cleanup(hush)
	return hush
}

func (b *borne) device(name string, kind device.Kind, s device.Status) {
	b.t.Helper()
	err := b.store.PutDevice(context.Background(), store.DeviceState{Name: name, Kind: kind, Status: s, Since: b.now(), Seen: b.now()})
	if err != nil {
		b.t.Fatal(err)
	}
}

// request puts a request to be called back into the outbox.
func (b *borne) request(code string) uuid.UUID {
	b.t.Helper()
	id := uuid.Must(uuid.NewV7())
	if err := b.store.PutCallback(context.Background(), store.Sealed{ID: id, Code: code, Created: b.now(), Data: []byte("sealed " + code)}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *borne) waiting() int {
	b.t.Helper()
	all, err := b.store.Outbox(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return len(all)
}

// eventually waits for something to come true.
func (b *borne) eventually(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %v for %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// outcome waits for what became of a command.
func (b *borne) outcome(id uuid.UUID) link.Outcome {
	b.t.Helper()
	b.eventually("the outcome", func() bool { _, times := b.hub.outcomeOf(id); return times > 0 })
	o, _ := b.hub.outcomeOf(id)
	return o
}

// unit is systemd's side of the application, as a test has it.
type unit struct {
	mu       sync.Mutex
	state    string
	restarts int
	fails    error
}

func (u *unit) State(context.Context) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state, nil
}

func (u *unit) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.restarts
}

func (u *unit) Restart(context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.restarts++
	return u.fails
}
