package card

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// waits is how long nobody may try after the third wrong code in a row, the
// fourth and so on; the last one holds for all that follow.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// freeTries is how many wrong codes in a row have no wait.
const freeTries = 2

// Limit slows down whoever tries one code after the other, on the borne as a
// whole: neither another badge nor a restart gives new tries. Its methods may
// be called at the same time.
type Limit struct {
	// Load and Save keep a short text over a restart: how many codes in a row
	// were wrong, and when the last was. Load gives "" when there is none.
	Load func(context.Context) (string, error)
	Save func(context.Context, string) error
	Now  func() time.Time

	mu     sync.Mutex
	loaded bool
	wrong  int
	last   time.Time
}

// Wait is how long to wait before the next try; 0 when one may try now.
func (l *Limit) Wait(ctx context.Context) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(ctx); err != nil {
		return 0, err
	}
	return l.wait(), nil
}

// Try asks for a try. With a wait of 0 the try is granted, and counts as a
// wrong one until Passed is called, even should the borne lose its power now.
// A try that cannot be kept count of is not granted: its error is Load's or
// Save's.
func (l *Limit) Try(ctx context.Context) (wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(ctx); err != nil {
		return 0, err
	}
	if w := l.wait(); w > 0 {
		return w, nil
	}
	l.wrong, l.last = l.wrong+1, l.Now()
	return 0, l.save(ctx)
}

// Passed says that the code of the try granted last was right.
func (l *Limit) Passed(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = 0
	return l.save(ctx)
}

func (l *Limit) wait() time.Duration {
	if l.wrong <= freeTries {
		return 0
	}
	whole := waits[min(l.wrong-freeTries, len(waits))-1]
	// A clock that was set back must not lock the borne for longer than that.
	return min(whole, max(0, whole-l.Now().Sub(l.last)))
}

func (l *Limit) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	kept, err := l.Load(ctx)
	if err != nil {
		return fmt.Errorf("essais du code : %w", err)
	}
	if kept != "" {
		var seconds int64
		if n, err := fmt.Sscanf(kept, "%d %d", &l.wrong, &seconds); n != 2 || err != nil || l.wrong < 0 {
			// Unreadable: somebody changed it, and gains nothing by it.
			l.wrong, seconds = freeTries+len(waits), l.Now().Unix()
		}
		l.last = time.Unix(seconds, 0)
	}
	l.loaded = true
	return nil
}

func (l *Limit) save(ctx context.Context) error {
	if err := l.Save(ctx, fmt.Sprintf("%d %d", l.wrong, l.last.Unix())); err != nil {
		return fmt.Errorf("essais du code : %w", err)
	}
	return nil
}
