package api

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// batches remembers how many reports each transaction had.
type batches struct {
	nobody
	mu   sync.Mutex
	seen []int
}

func (b *batches) Batch(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, n)
}

// trusted fills a database with bornes whose certificates have the serial "1".
func trusted(t *testing.T, dsn string, bornes int) *store.Store {
	t.Helper()
	s := storetest.Open(t, dsn)
	now := time.Now()
	if err := s.PutSite(t.Context(), store.Site{ID: "essai", Name: "Essai", Created: now}); err != nil {
		t.Fatal(err)
	}
	for i := range bornes {
		hash := []byte(fmt.Sprint("hash ", i))
		_, err := s.CreateToken(t.Context(), store.Token{Hash: hash, Site: store.Site{ID: "essai"}, Borne: fmt.Sprint("B-", i),
			Created: now, Expires: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Enrol(t.Context(), hash, []byte("key"), store.Certificate{Serial: "1", Ends: now.Add(time.Hour)}, now); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func incoming(borne string, seq uint64) store.Incoming {
	now := time.Now()
	return store.Incoming{Borne: borne, Serial: "1", Address: "192.0.2.1", At: now,
		Report: link.Report{Run: []byte("12345678"), Seq: seq, At: now.UnixMilli(), Version: "1"}}
}

// Reports that come together are stored together, and each is told what became
// of it alone.
func TestReportsAreGathered(t *testing.T) {
	t.Parallel()
	const bornes = 50
	o := &batches{}
	in := newIntake(trusted(t, storetest.SQLite(t), bornes), slog.Default(), o)
	ctx, stop := context.WithCancel(t.Context())
	var running, all sync.WaitGroup
	running.Go(func() { in.run(ctx) })
	for i := range bornes + 1 {
		all.Go(func() {
			taken, err := in.put(t.Context(), incoming(fmt.Sprint("B-", i), 1))
			if err != nil || taken.Refused != (i == bornes) || taken.Replayed {
				t.Errorf("report %d: %+v, %v", i, taken, err)
			}
		})
	}
	all.Wait()
	stop()
	running.Wait()
	if len(o.seen) > 5 {
		t.Errorf("%d transactions: %v", len(o.seen), o.seen)
	}
}

// What is queued when the hub stops is stored still.
func TestQueuedReportsAreStoredAtTheEnd(t *testing.T) {
	t.Parallel()
	const bornes = 20
	s := trusted(t, storetest.SQLite(t), bornes)
	in := newIntake(s, slog.Default(), nobody{})
	var all sync.WaitGroup
	for i := range bornes {
		all.Go(func() {
			if _, err := in.put(t.Context(), incoming(fmt.Sprint("B-", i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	for len(in.queue) < bornes {
		time.Sleep(time.Millisecond)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	in.run(ctx)
	all.Wait()
	there, err := s.Bornes(t.Context())
	if err != nil || len(there) != bornes {
		t.Fatal(len(there), err)
	}
	for _, b := range there {
		if b.Seen.IsZero() {
			t.Errorf("%s: its report is lost", b.ID)
		}
	}
}

// One report that the database won't have, whatever the reason, doesn't spoil
// those that came with it.
func TestOneReportSpoilsNoOther(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	s := trusted(t, dsn, 3)
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`CREATE TRIGGER spoil BEFORE INSERT ON borne_state WHEN NEW.borne = 'B-1'
		BEGIN SELECT RAISE(ABORT, 'spoiled'); END`)
	if err != nil {
		t.Fatal(err)
	}
	in := newIntake(s, slog.New(slog.DiscardHandler), nobody{})
	var batch []*arrival
	for i := range 3 {
		batch = append(batch, &arrival{report: incoming(fmt.Sprint("B-", i), 1), done: make(chan struct{})})
	}
	in.commit(batch)
	for i, a := range batch {
		<-a.done
		if (a.err != nil) != (i == 1) {
			t.Errorf("report %d: %v", i, a.err)
		}
		b, err := s.Borne(t.Context(), a.report.Borne)
		if err != nil || b.Seen.IsZero() != (i == 1) {
			t.Errorf("borne %d: seen %v, %v", i, b.Seen, err)
		}
	}
}

// A borne that goes away doesn't wait, and its report is stored all the same.
func TestGivenUpReport(t *testing.T) {
	t.Parallel()
	s := trusted(t, storetest.SQLite(t), 1)
	in := newIntake(s, slog.Default(), nobody{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.put(ctx, incoming("B-0", 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	in.run(ctx)
	if b, err := s.Borne(t.Context(), "B-0"); err != nil || b.Seen.IsZero() {
		t.Errorf("seen %v, %v", b.Seen, err)
	}
}
