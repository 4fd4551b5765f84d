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

	disk   sync.Mutex // held over Load and Save
	loaded bool       // guarded by disk
	mu     sync.Mutex // guards what follows, and is never held over the disk
	wrong  int
	last   time.Time
}

// Wait is how long to wait before the next try; 0 when one may try now. The
// first call may read the disk.
func (l *Limit) Wait(ctx context.Context) (time.Duration, error) {
	l.disk.Lock()
	defer l.disk.Unlock()
	if err := l.load(ctx); err != nil {
		return 0, err
	}
	return l.Left(), nil
}

// Left is Wait as far as memory knows, at once: 0 before the first Wait or Try.
func (l *Limit) Left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong <= freeTries {
		return 0
	}
	whole := waits[min(l.wrong-freeTries, len(waits))-1]
	// A clock that was set back must not lock the borne for longer than that.
	return min(whole, max(0, whole-l.Now().Sub(l.last)))
}

// Try asks for a try. With a wait of 0 the try is granted, and counts as a
// wrong one until Passed is called, even should the borne lose its power now.
// A try that cannot be kept count of is not granted: its error is Load's or
// Save's.
func (l *Limit) Try(ctx context.Context) (wait time.Duration, err error) {
	l.disk.Lock()
	defer l.disk.Unlock()
	if err := l.load(ctx); err != nil {
		return 0, err
	}
	if w := l.Left(); w > 0 {
		return w, nil
	}
	l.set(l.wrong+1, l.Now())
	return 0, l.save(ctx)
}

// Passed says that the code of the try granted last was right.
func (l *Limit) Passed(ctx context.Context) error {
	l.disk.Lock()
	defer l.disk.Unlock()
	l.set(0, l.last)
	return l.save(ctx)
}

// set is called with disk held, so that what is read back is what was set.
func (l *Limit) set(wrong int, last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong, l.last = wrong, last
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
		var wrong int
		var seconds int64
		if n, err := fmt.Sscanf(kept, "%d %d", &wrong, &seconds); n != 2 || err != nil || wrong < 0 {
			// Unreadable: somebody changed it, and gains nothing by it.
			wrong, seconds = freeTries+len(waits), l.Now().Unix()
		}
		l.set(wrong, time.Unix(seconds, 0))
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
