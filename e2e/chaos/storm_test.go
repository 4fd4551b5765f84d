package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"parvis/e2e/fleet"
)

// tally counts what was done, by its name.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func newTally() *tally { return &tally{n: make(map[string]int)} }

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[what]++
}

func (t *tally) of(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n[what]
}

// between is some time from least to most.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// deck deals the numbers below size in random order, again and again, so that
// each comes as often as it should even where few are dealt.
type deck struct {
	random *rand.Rand
	size   int
	left   []int
}

func (d *deck) deal() int {
	if len(d.left) == 0 {
		d.left = d.random.Perm(d.size)
	}
	n := d.left[0]
	d.left = d.left[1:]
	return n
}

// rest waits, and tells whether ctx hasn't ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answer waits for the moment at which a hub's answer has got through to a
// borne, for a few seconds at most: what was not kept by then is lost with who
// should have.
func answer(storm context.Context, w *fleet.Wire) {
	select {
	case <-w.Heard():
	case <-time.After(4 * time.Second):
	case <-storm.Done():
	}
}

// breakWire breaks the wire of a borne in every way a network has, until the
// storm ends; then it is whole.
func breakWire(storm context.Context, b *borne, random *rand.Rand, t *tally) error {
	w := b.wire
	defer w.Mend()
	faults := deck{random: random, size: 10}
	for rest(storm, between(random, time.Second, 10*time.Second)) {
		switch faults.deal() {
		case 0, 1:
			t.add("cuts")
			w.Cut()
			rest(storm, between(random, 0, 6*time.Second))
		case 2:
			t.add("freezes")
			w.Freeze()
			rest(storm, between(random, 0, 12*time.Second))
		case 3:
			t.add("connections forgotten")
			w.Forget()
			rest(storm, between(random, time.Second, 50*time.Second))
		case 4:
			t.add("delays")
			w.Delay()
			rest(storm, between(random, time.Second, 30*time.Second))
		case 5:
			t.add("agents overtaken")
			if err := overtake(storm, b); err != nil {
				return err
			}
		case 6:
			t.add("deaf connections")
			w.Deafen()
			rest(storm, between(random, time.Second, 25*time.Second))
		default:
			t.add("snaps")
			w.Snap()
			rest(storm, between(random, time.Second, 5*time.Second))
		}
		w.Mend()
	}
	return nil
}

// overtake kills an agent whose words are long on the way: its last report
// comes after the first of its next life, which must not look like two machines.
func overtake(storm context.Context, b *borne) error {
	b.hands.Lock()
	defer b.hands.Unlock()
	b.wire.Delay()
	rest(storm, 7*time.Second) // it has something to report every few seconds
	b.agent.Kill()
	if err := b.agent.Launch(); err != nil {
		return err
	}
	rest(storm, 3*time.Second)
	return nil
}

// harmAgent kills, stops and pauses the agent of a borne until the storm ends;
// then it runs.
func harmAgent(storm context.Context, b *borne, random *rand.Rand, t *tally) error {
	faults := deck{random: random, size: 5}
	for rest(storm, between(random, 500*time.Millisecond, 12*time.Second)) {
		b.hands.Lock()
		err := harmOnce(storm, b, faults.deal(), random, t)
		b.hands.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func harmOnce(storm context.Context, b *borne, how int, random *rand.Rand, t *tally) error {
	a := b.agent
	if !a.Running() {
		return fmt.Errorf("it has ended by itself:\n%s", a.Says())
	}
	switch how {
	case 0:
		t.add("pauses of agents")
		b.starting.Lock()
		defer b.starting.Unlock()
		a.Pause()
		rest(storm, between(random, 100*time.Millisecond, 6*time.Second))
		a.Resume()
		return nil
	case 1:
		t.add("stops of agents")
		a.Stop()
	default:
		t.add("kills of agents")
		if random.IntN(2) == 0 {
			answer(storm, b.wire)
		}
		a.Kill()
	}
	rest(storm, between(random, 0, 3*time.Second))
	return a.Launch()
}

// hubLife is a hub through all its lives.
type hubLife struct {
	hub    *fleet.Hub
	base   *base
	bornes []*borne
	random *rand.Rand
	tally  *tally

	again float64 // requests that came to its lives before and that it had already
}

// base is the hubs' database, as far as it comes and goes.
type base struct {
	mu sync.Mutex
	up time.Time // since when it is there; zero: it isn't
}

func (b *base) set(up time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.up = up
}

// steady reports whether the database has been there for a while.
func (b *base) steady() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.up.IsZero() && time.Since(b.up) > 15*time.Second
}

// harm kills, stops and pauses a hub until the storm ends; then it runs.
func (l *hubLife) harm(storm context.Context) error {
	faults := deck{random: l.random, size: 5}
	for rest(storm, between(l.random, 2*time.Second, 16*time.Second)) {
		if !l.hub.Running() {
			return fmt.Errorf("a hub has ended by itself:\n%s", l.hub.Says())
		}
		l.look()
		switch faults.deal() {
		case 0:
			l.tally.add("pauses of hubs")
			l.hub.Pause()
			rest(storm, between(l.random, 100*time.Millisecond, 5*time.Second))
			l.hub.Resume()
			continue
		case 1:
			l.tally.add("stops of hubs")
			l.hub.Stop()
		default:
			l.tally.add("kills of hubs")
			if l.random.IntN(3) > 0 {
				answer(storm, l.bornes[l.random.IntN(len(l.bornes))].wire)
			}
			l.hub.Kill()
		}
		rest(storm, between(l.random, 0, 3*time.Second))
		if err := l.start(); err != nil {
			return err
		}
	}
	return nil
}

// start starts the hub and waits until it answers. Without a database it ends,
// and is started again, as systemd does.
func (l *hubLife) start() error {
	for deadline := time.Now().Add(time.Minute); ; {
		if err := l.hub.Launch(); err != nil {
			return err
		}
		for l.hub.Running() && !l.hub.Ready() {
			if time.Now().After(deadline) {
				return fmt.Errorf("a hub doesn't come up:\n%s", l.hub.Says())
			}
			time.Sleep(50 * time.Millisecond)
		}
		if l.hub.Running() {
			return nil
		}
		if l.base.steady() || time.Now().After(deadline) {
			return fmt.Errorf("a hub doesn't start:\n%s", l.hub.Says())
		}
		l.tally.add("starts of hubs without a database")
		time.Sleep(500 * time.Millisecond)
	}
}

// look reads the hub's figures, which end with it: how many requests to be
// called back came that it had already.
func (l *hubLife) look() {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get(l.hub.Internal + "/metrics")
	if err != nil {
		return // they are for the log only
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return
	}
	const had = `parvis_hub_requests_total{path="PUT /v1/callbacks/{id}",status="200"} `
	for line := range strings.Lines(string(text)) {
		var n float64
		if value, ok := strings.CutPrefix(line, had); ok {
			if _, err := fmt.Sscan(value, &n); err == nil {
				l.again += n
			}
		}
	}
}

// crew are the goroutines of a test, the first error of which ends them all.
type crew struct {
	cancel context.CancelCauseFunc
	all    sync.WaitGroup
}

func (c *crew) do(name string, work func() error) {
	c.all.Go(func() {
		if err := work(); err != nil && !errors.Is(err, context.Canceled) {
			c.cancel(fmt.Errorf("%s: %w", name, err))
		}
	})
}
