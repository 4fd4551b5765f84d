package main

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
	"parvis/kiosk/version"
)

// pulse is how the application is, as the drawing loop last felt it.
type pulse struct {
	mu    sync.Mutex
	state link.AppState
	seen  time.Time
}

// beat is for the drawing loop: that it comes shows that the screen is alive.
func (p *pulse) beat(state link.AppState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.seen = state, time.Now()
}

func (p *pulse) feel() (state link.AppState, seen time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.seen
}

// How often the pulse is felt, and told where it is as it was.
const (
	feelEvery = time.Second
	tellEvery = 10 * time.Second
)

// tell keeps how the application is in the store, for the agent, until ctx
// ends: a has what it goes by. With the drawing loop stuck it goes on to tell
// since when.
func (p *pulse) tell(ctx context.Context, st *store.Store, a store.Alive) {
	a.Version, a.PID, a.Started = version.Version, os.Getpid(), time.Now()
	tick := time.NewTicker(feelEvery)
	defer tick.Stop()
	var told time.Time
	for {
		state, seen := p.feel()
		if !seen.IsZero() && (string(state) != a.State || time.Since(told) >= tellEvery) {
			a.State, a.Seen = string(state), seen
			err := st.SetAlive(ctx, a)
			if err != nil && ctx.Err() == nil {
				slog.Warn("état de l’application", "erreur", err)
				a.State = "" // to be told again
			}
			told = time.Now()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
