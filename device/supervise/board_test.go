package supervise_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parvis/device"
	"parvis/device/supervise"
	"parvis/device/transport"
)

// record keeps what a board logs, a line each.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *record) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

// with lists the lines that hold every one of words.
func (r *record) with(words ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for line := range strings.Lines(r.buf.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

const (
	lostLine = `"appareil indisponible"`
	backLine = `"appareil de nouveau prêt"`
)

func mustNew(t *testing.T, o supervise.Options, loops ...supervise.Loop) *supervise.Board {
	t.Helper()
	b, err := supervise.New(o, loops...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serve makes a board and runs it until the test ends.
func serve(t *testing.T, o supervise.Options, loops ...supervise.Loop) *supervise.Board {
	t.Helper()
	b := mustNew(t, o, loops...)
	run(t, b)
	return b
}

// run runs a board until the test ends.
func run(t *testing.T, b *supervise.Board) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
	})
}

// loop is one that calls serve.
func loop(serve func(ctx context.Context, report func(device.Status)) error) supervise.Loop {
	return supervise.Loop{Name: "lecteur-1", Kind: device.CardReader, Serve: serve}
}

var online = device.Status{State: device.Online}

func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low := device.Status{State: device.Online, Paper: device.PaperLow, Fault: device.PaperEnds}
		var told []device.Status
		var b *supervise.Board
		attempts := 0
		b = mustNew(t, supervise.Options{
			Log: new(record).logger(),
			Changed: func(name string, s device.Status) {
				if name != "lecteur-1" || b.Status(name) != s {
					t.Errorf("told of %s: %+v, the board says %+v", name, s, b.Status(name))
				}
				told = append(told, s)
			},
		}, loop(func(ctx context.Context, report func(device.Status)) error {
			attempts++
			report(device.Status{State: device.Starting})
			if attempts > 1 && attempts < 10 {
				return fmt.Errorf("attempt %d: %w", attempts, fs.ErrNotExist)
			}
			report(online)
			report(online)
			report(low)
			if attempts == 1 {
				return transport.ErrGone
			}
			<-ctx.Done()
			report(device.Status{State: device.Offline}) // when told to end: no news
			return ctx.Err()
		}))
		want := []device.Status{{State: device.Starting}, online, low, device.Unplugged.With(transport.ErrGone), online, low}
		t.Cleanup(func() { // once the board has ended
			if !reflect.DeepEqual(told, want) {
				t.Errorf("told %+v\nwant %+v", told, want)
			}
		})
		run(t, b)
		time.Sleep(time.Minute)
	})
}

func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := serve(t, supervise.Options{Log: new(record).logger()}, loop(func(ctx context.Context, report func(device.Status)) error {
			time.Sleep(time.Minute)
			report(online)
			time.Sleep(time.Minute)
			report(device.Status{State: device.Online, Paper: device.PaperLow})
			<-ctx.Done()
			return ctx.Err()
		}))
		synctest.Wait()
		want := []supervise.Entry{{Name: "lecteur-1", Kind: device.CardReader, Since: start}}
		if got := b.All(); !reflect.DeepEqual(got, want) {
			t.Errorf("before the first report: %+v, want %+v", got, want)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if e := b.All()[0]; e.Paper != device.PaperLow || !e.Since.Equal(start.Add(time.Minute)) {
			t.Errorf("after a change of paper only: %+v", e)
		}
	})
}

func TestLateReportIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, supervise.Options{Log: new(record).logger()}, loop(func(_ context.Context, report func(device.Status)) error {
			time.AfterFunc(time.Millisecond, func() { report(online) })
			return transport.ErrGone
		}))
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if s := b.Status("lecteur-1"); s.Fault != device.Unplugged {
			t.Errorf("status = %+v", s)
		}
	})
}

func TestServeWaitsForItsLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		ended := false
		release := make(chan struct{})
		b := mustNew(t, supervise.Options{Log: r.logger()},
			loop(func(ctx context.Context, _ func(device.Status)) error {
				<-ctx.Done()
				time.Sleep(3 * time.Second) // it finishes its ticket
				ended = true
				return ctx.Err()
			}),
			supervise.Loop{Name: "imprimante", Serve: func(context.Context, func(device.Status)) error {
				<-release // deaf
				return nil
			}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := b.Serve(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve = %v", err)
		}
		if !ended {
			t.Error("Serve did not wait")
		}
		if d := time.Since(start) - time.Minute; d != 10*time.Second {
			t.Errorf("Serve waited %v for a deaf loop", d)
		}
		if got := r.with("appareil qui ne s’arrête pas", "imprimante"); len(got) != 1 {
			t.Errorf("log: %q", r.with())
		}
		close(release)
	})
}

func TestNewRefuses(t *testing.T) {
	never := func(context.Context, func(device.Status)) error { return nil }
	for name, loops := range map[string][]supervise.Loop{
		"two of one name": {{Name: "a", Serve: never}, {Name: "b", Serve: never}, {Name: "a", Serve: never}},
		"no name":         {{Serve: never}},
		"no function":     {{Name: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := supervise.New(supervise.Options{}, loops...); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// Each attempt may fail in its own way: the last is known, and is no news.
func TestNewestCauseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told, attempts := 0, 0
		log := new(record)
		b := serve(t, supervise.Options{Log: log.logger(), Changed: func(string, device.Status) { told++ }},
			loop(func(ctx context.Context, report func(device.Status)) error {
				attempts++
				report(device.Unplugged.With(fmt.Errorf("attempt %d", attempts)))
				return fmt.Errorf("attempt %d: %w", attempts, transport.ErrGone)
			}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := b.Status("lecteur-1"), fmt.Sprintf("attempt %d", attempts); attempts < 3 || !strings.Contains(got.Cause, want) || got.Fault != device.Unplugged {
			t.Errorf("after %d attempts: %+v", attempts, got)
		}
		if lines := log.with(lostLine); told != 1 || len(lines) != 1 {
			t.Errorf("told %d times, logged %q", told, lines)
		}
	})
}
