package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"parvis/kiosk/store"
)

// MustOpen opens a store in dir and closes it at the end of the test.
func MustOpen(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "état 100%?#", "borne")
	s := MustOpen(t, dir)

	t.Run("keeps others out", func(t *testing.T) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("folder: %v, %v", info.Mode(), err)
		}
		for _, name := range []string{"borne.sqlite", "borne.sqlite-wal", "borne.sqlite-shm"} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
			} else if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v", name, info.Mode())
			}
		}
	})

	t.Run("sets every connection", func(t *testing.T) {
		// Two connections held at once are two different ones.
		for range 2 {
			conn, err := s.DB().Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for pragma, want := range map[string]string{
				"journal_mode": "wal", "synchronous": "2", "secure_delete": "1",
				"foreign_keys": "1", "busy_timeout": "2000",
			} {
				var got string
				if err := conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("PRAGMA %s = %s, want %s", pragma, got, want)
				}
			}
		}
	})

	t.Run("again", func(t *testing.T) {
		MustOpen(t, dir)
	})
}
