package agent

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"parvis/kiosk/link"
)

// lineState is how the way to the hub is. The reports alone decide: whoever
// else finds it broken has them try.
type lineState int

const (
	lineDown lineState = iota // also before the first report
	lineDoubtful
	lineUp
	lineRefused // the hub is there, and has shut the borne out
)

// spread is the time over which the bornes of a hub that has died come back.
const spread = 8 * time.Second

type line struct {
	log *slog.Logger

	mu      sync.Mutex
	state   lineState
	since   time.Time // when it came to be down or up
	told    bool      // that it is down
	changed chan struct{}
	doubt   bell
}

func newLine(log *slog.Logger) *line {
	return &line{log: log, since: time.Now(), changed: make(chan struct{}), doubt: newBell()}
}

func (l *line) set(s lineState) (changed bool) {
	if l.state == s {
		return false
	}
	l.state = s
	close(l.changed)
	l.changed = make(chan struct{})
	return true
}

// up notes that the hub has answered a report.
func (l *line) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.state
	if !l.set(lineUp) || was == lineDoubtful {
		return
	}
	l.log.Info("hub joint", "après", time.Since(l.since).Round(time.Second))
	l.since, l.told = time.Now(), false
}

// down notes that a report didn't get through.
func (l *line) down(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == lineUp || l.state == lineDoubtful {
		l.since = time.Now()
	}
	l.set(lineDown)
	if !l.told {
		l.log.Warn("hub hors d’atteinte : la borne continue, tout est gardé", "erreur", err)
		l.told = true
	}
}

// refuse notes that the hub has shut the borne out.
func (l *line) refuse(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.set(lineRefused) {
		return
	}
	l.since, l.told = time.Now(), true
	l.log.Error("le hub refuse la borne : elle continue, tout est gardé", "erreur", err)
}

// suspect has the next report made soon, and nobody else try until then.
func (l *line) suspect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == lineUp {
		l.set(lineDoubtful)
		l.doubt.ring()
	}
}

func (l *line) is(s lineState) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == s
}

// upFor is how long the hub has been within reach.
func (l *line) upFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != lineUp {
		return 0
	}
	return time.Since(l.since)
}

// await waits until the hub is within reach, most at most, and tells whether it is.
func (l *line) await(ctx context.Context, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		l.mu.Lock()
		state, changed := l.state, l.changed
		l.mu.Unlock()
		if state == lineUp {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// newBackoff grows from about 1 s to about 20 s, so that half a minute after
// the network is back the borne is too.
func newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: time.Second, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 20 * time.Second}
}

// scatter is some time below most.
func scatter(most time.Duration) time.Duration { return rand.N(most) }

// problemOf is the hub's refusal, or nil where the hub was not reached.
func problemOf(err error) *link.Problem {
	var p *link.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// passing reports whether a refusal has nothing to do with what was sent, so
// that the same may be taken later.
func passing(p *link.Problem) bool {
	switch p.Type {
	case link.ProblemClock, link.ProblemBusy, link.ProblemInternal, link.ProblemExpired, link.ProblemRevoked:
		return true
	}
	return p.Status >= 500 || p.Status == 429 || p.Status == 408 || p.Status == 425
}

// standing reports whether a refusal is about the borne itself, which the
// reports deal with.
func standing(p *link.Problem) bool {
	return p.Type == link.ProblemExpired || p.Type == link.ProblemRevoked
}
