package agent_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/agent"
	"parvis/kiosk/agent/machine"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// TestDayWithoutNetwork lets a day go by at a hub that isn't there: the agent
// tries often enough to be back soon, seldom enough to be no burden, says so
// once, and never stands still.
func TestDayWithoutNetwork(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		id := uuid.Must(uuid.NewV7())
		if err := st.PutCallback(t.Context(), store.Sealed{ID: id, Code: "A042", Created: time.Now(), Data: []byte("sealed")}); err != nil {
			t.Fatal(err)
		}
		client, err := link.NewClient(link.ClientOptions{Hub: nobody, TLS: &tls.Config{}})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		said := &logs{}
		var measured atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		a := agent.New(agent.Options{Store: st, Client: client, Content: t.TempDir(), Version: "1.4.0", Now: time.Now,
			Log:      slog.New(slog.NewTextHandler(said, nil)),
			Identity: &card{from: time.Now(), to: time.Now().Add(time.Hour)},
			Machine: func() (machine.Facts, error) { // once a report, and once an hour
				measured.Add(1)
				return machine.Facts{Disk: 62}, nil
			}})
		ended := make(chan error, 1)
		go func() { ended <- a.Serve(ctx) }()
		const hours = 24
		for range hours * 60 {
			time.Sleep(time.Minute)
			if s := a.Stuck(); s != "" {
				t.Fatalf("%s is stuck", s)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if n := measured.Load(); n < hours*3600/31 || n > hours*3600/12 {
			t.Errorf("%d tries in %d hours", n, hours)
		}
		if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "hors d’atteinte") {
			t.Errorf("log:\n%s", text)
		}
		if all, err := st.Outbox(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("outbox %v, %v", all, err)
		}
	})
}

// TestRoom fills the borne with the counts of years, and then its disk.
func TestRoom(t *testing.T) {
	t.Parallel()
	rows := func(b *borne) (n int) {
		b.t.Helper()
		if err := b.store.DB().QueryRow(`SELECT count(*) FROM day_count`).Scan(&n); err != nil {
			b.t.Fatal(err)
		}
		return n
	}
	for name, c := range map[string]struct {
		disk, most int
	}{"years without network": {62, 20_050}, "a full disk": {1, 2_050}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBorne(t, newHub(t))
			b.hub.stop()
			b.machine.Disk = c.disk
			tx, err := b.store.DB().Begin()
			if err != nil {
				t.Fatal(err)
			}
			day := b.now().AddDate(0, 0, -499)
			for i := range 500 {
				for key := range 50 {
					_, err := tx.Exec(`INSERT INTO day_count (day, key, n) VALUES (?, ?, 1)`,
						day.AddDate(0, 0, i).Format(time.DateOnly), fmt.Sprintf("visit.k%d", key))
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			id := b.request("A042")
			var dropped atomic.Bool
			b.options = func(o *agent.Options) { o.DropLogs = func() error { dropped.Store(true); return nil } }
			b.begin()
			b.eventually("room", func() bool { return rows(b) <= c.most })
			if n := rows(b); n < c.most-100 {
				t.Errorf("only %d counts are left", n)
			}
			today, err := b.store.Counts(context.Background(), b.now(), b.now())
			if err != nil || len(today) != 50 {
				t.Errorf("%d counts of today are left, %v", len(today), err)
			}
			if all, err := b.store.Outbox(context.Background()); err != nil || len(all) != 1 || all[0].ID != id {
				t.Errorf("outbox %v, %v", all, err)
			}
			if full := c.disk < 3; dropped.Load() != full {
				t.Errorf("logs dropped: %v", dropped.Load())
			}
		})
	}
}
