package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/store"
)

// sealed makes a request whose data is size random bytes.
func sealed(t *testing.T, code string, size int) store.Sealed {
	t.Helper()
	data := make([]byte, size)
	rand.Read(data)
	return store.Sealed{
		ID:      uuid.Must(uuid.NewV7()),
		Code:    code,
		Created: time.Now().UTC().Truncate(time.Millisecond),
		Data:    data,
	}
}

func outbox(t *testing.T, s *store.Store) []store.Sealed {
	t.Helper()
	all, err := s.Outbox(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPutCallback(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	first, second := sealed(t, "K74M2X", 1500), sealed(t, "H3GTRW", 9000)
	second.Created, second.OnlyFor = first.Created.Add(time.Minute), "age1hub"
	for _, r := range []store.Sealed{second, first} {
		if err := s.PutCallback(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	want := []store.Sealed{first, second}

	t.Run("oldest first", func(t *testing.T) {
		if got := outbox(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("outbox = %v, want %v", got, want)
		}
	})
	t.Run("same ID again", func(t *testing.T) {
		again := first
		again.Data = []byte("sealed anew")
		if err := s.PutCallback(ctx, again); err != nil {
			t.Fatal(err)
		}
		if got := outbox(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("outbox = %v, want %v", got, want)
		}
	})
	t.Run("ErrDuplicateCode", func(t *testing.T) {
		err := s.PutCallback(ctx, sealed(t, first.Code, 10))
		if !errors.Is(err, store.ErrDuplicateCode) {
			t.Errorf("err = %v", err)
		}
		if got := outbox(t, s); len(got) != 2 {
			t.Errorf("%d requests", len(got))
		}
	})
	t.Run("no content", func(t *testing.T) {
		if err := s.PutCallback(ctx, sealed(t, "AAAAAA", 0)); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("given up before", func(t *testing.T) {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.PutCallback(gone, sealed(t, "CCCCCC", 10)); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("seen by another process", func(t *testing.T) {
		if got := outbox(t, MustOpen(t, dir)); !reflect.DeepEqual(got, want) {
			t.Errorf("outbox = %v, want %v", got, want)
		}
	})
}

func TestPutCallbackLocked(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, other := MustOpen(t, dir), MustOpen(t, dir)
	tx, err := other.DB().BeginTx(ctx, nil) // takes the write lock at once
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()

	r := sealed(t, "K74M2X", 100)
	start := time.Now()
	if err := s.PutCallback(ctx, r); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("err = %v, want ErrLocked", err)
	}
	if waited := time.Since(start); waited > 4*time.Second {
		t.Errorf("waited %v", waited)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.PutCallback(ctx, r); err != nil {
		t.Errorf("after the lock: %v", err)
	}
	if got := outbox(t, s); len(got) != 1 {
		t.Errorf("%d requests", len(got))
	}
}

// fill puts requests until one is refused and returns how many went in.
func fill(t *testing.T, s *store.Store, atMost int) (int, error) {
	t.Helper()
	for n := range atMost {
		if err := s.PutCallback(context.Background(), sealed(t, fmt.Sprintf("N%05d", n), 3000)); err != nil {
			return n, err
		}
	}
	t.Fatalf("%d requests and still not full", atMost)
	return 0, nil
}

func TestPutCallbackFullDatabase(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	s.DB().SetMaxOpenConns(1) // the limit is a connection's own
	if _, err := s.DB().Exec(`PRAGMA max_page_count = 40`); err != nil {
		t.Fatal(err)
	}
	n, err := fill(t, s, 100)
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	if got := outbox(t, s); len(got) != n {
		t.Errorf("%d requests kept, %d confirmed", len(got), n)
	}
}

func TestPutCallbackFullDisk(t *testing.T) {
	dir := mount(t, "size=1m")
	s := MustOpen(t, dir)
	n, err := fill(t, s, 1000)
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	t.Logf("%d requests on a disk of 1 MB, then: %v", n, err)
	if got := outbox(t, s); len(got) != n {
		t.Errorf("%d requests kept, %d confirmed", len(got), n)
	}
	// As after the machine was switched off: nothing confirmed is lost, and
	// when there is room again requests are taken again.
	if err := s.Close(); err != nil {
		t.Logf("close: %v", err)
	}
	s = MustOpen(t, dir)
	if got := outbox(t, s); len(got) != n {
		t.Errorf("after a restart %d requests kept, %d confirmed", len(got), n)
	}
	remount(t, dir, "size=4m")
	if err := s.PutCallback(context.Background(), sealed(t, "K74M2X", 3000)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestOpenFullDisk(t *testing.T) {
	dir := mount(t, "size=64k")
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, 60<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err == nil {
		s.Close()
		t.Fatal("opened on a full disk")
	}
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("err = %v, want ErrFull", err)
	}
}

func TestOpenReadOnly(t *testing.T) {
	dir := mount(t, "size=1m")
	s := MustOpen(t, dir)
	if err := s.PutCallback(context.Background(), sealed(t, "K74M2X", 100)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	remount(t, dir, "ro")
	s, err := store.Open(dir)
	if err == nil {
		s.Close()
		t.Fatal("opened on a read-only disk")
	}
	if !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("err = %v, want ErrReadOnly", err)
	}
}

func TestPutCallbackReadOnly(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	s.DB().SetMaxOpenConns(1)
	if _, err := s.DB().Exec(`PRAGMA query_only = on`); err != nil {
		t.Fatal(err)
	}
	if err := s.PutCallback(context.Background(), sealed(t, "K74M2X", 100)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("err = %v, want ErrReadOnly", err)
	}
}

func TestDelete(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	var gone []store.Sealed
	for i := range 60 {
		r := sealed(t, fmt.Sprintf("N%05d", i), 200+150*i) // small ones share a page, big ones overflow
		if err := s.PutCallback(ctx, r); err != nil {
			t.Fatal(err)
		}
		gone = append(gone, r)
	}
	kept := sealed(t, "K74M2X", 1500)
	if err := s.PutCallback(ctx, kept); err != nil {
		t.Fatal(err)
	}
	if !found(t, dir, gone[0]) {
		t.Fatal("the search doesn't see what is there")
	}
	for i := range gone {
		if err := s.Delete(ctx, gone[(i*7)%len(gone)].ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range gone {
		if found(t, dir, r) {
			t.Errorf("%s, %d bytes: something of it is left", r.Code, len(r.Data))
		}
	}
	if got := outbox(t, s); !reflect.DeepEqual(got, []store.Sealed{kept}) {
		t.Errorf("outbox = %v", got)
	}
	if err := s.Delete(ctx, gone[0].ID); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestDeleteWhileRead(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, other := MustOpen(t, dir), MustOpen(t, dir)
	r := sealed(t, "K74M2X", 1500)
	if err := s.PutCallback(ctx, r); err != nil {
		t.Fatal(err)
	}
	rows, err := other.DB().QueryContext(ctx, `SELECT data FROM callback`)
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close()
	if err := s.Delete(ctx, r.ID); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("err = %v, want ErrLocked", err)
	}
	if got := outbox(t, s); len(got) != 0 {
		t.Errorf("still %d in the outbox", len(got))
	}
	rows.Close()
	if err := s.Delete(ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	if found(t, dir, r) {
		t.Error("something of it is left")
	}
}

// found says whether any file under dir holds the request's ID, its code or
// any 16 bytes of its data taken at a step of 50.
func found(t *testing.T, dir string, r store.Sealed) bool {
	t.Helper()
	needles := [][]byte{[]byte(r.Code), []byte(r.ID.String())}
	for i := 0; i+16 <= len(r.Data); i += 50 {
		needles = append(needles, r.Data[i:i+16])
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range needles {
			if bytes.Contains(all, n) {
				return true
			}
		}
	}
	return false
}
