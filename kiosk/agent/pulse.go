package agent

import (
	"sync"
	"time"
)

// pulse knows by when each loop must have come round.
type pulse struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// beat is said by a loop that comes round: the next beat comes within the time
// given, or something is stuck.
func (p *pulse) beat(loop string, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = make(map[string]time.Time)
	}
	p.until[loop] = time.Now().Add(within)
}

func (p *pulse) stuck() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for loop, until := range p.until {
		if time.Now().After(until) {
			return loop
		}
	}
	return ""
}
