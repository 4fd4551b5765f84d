package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"parvis/kiosk/store"
)

// mount makes a small file system of its own; the test is skipped where that
// isn't allowed.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("no small file system to fill: mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

func remount(t *testing.T, dir, option string) {
	t.Helper()
	flags, data := uintptr(unix.MS_REMOUNT), option
	if option == "ro" {
		flags, data = unix.MS_REMOUNT|unix.MS_RDONLY, ""
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, data); err != nil {
		t.Fatalf("remount %s: %v", option, err)
	}
}

func TestOpenDamaged(t *testing.T) {
	tests := []struct {
		name   string
		damage func(file []byte) []byte
	}{
		{"not a database", func([]byte) []byte { return bytes.Repeat([]byte("photo de vacances "), 500) }},
		{"header overwritten", func(b []byte) []byte { copy(b, make([]byte, 100)); return b }},
		{"torn in the middle", func(b []byte) []byte { return b[:len(b)/2] }},
		{"pages overwritten", func(b []byte) []byte {
			for i := 4096; i < len(b); i++ {
				b[i] = byte(i * 31)
			}
			return b
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s := MustOpen(t, dir)
			if _, err := fill(t, limited(t, s), 200); !errors.Is(err, store.ErrFull) {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, store.FileName)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damaged := tt.damage(before)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}

			s, err = store.Open(dir)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("err = %v, want ErrCorrupt", err)
			}
			for _, want := range []string{path, "Rien n’a été effacé", "mettez de côté"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing from: %v", want, err)
				}
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the damaged file was touched (%v)", err)
			}
		})
	}
}

// limited lets s grow to about a hundred pages.
func limited(t *testing.T, s *store.Store) *store.Store {
	t.Helper()
	s.DB().SetMaxOpenConns(1)
	if _, err := s.DB().ExecContext(context.Background(), `PRAGMA max_page_count = 100`); err != nil {
		t.Fatal(err)
	}
	return s
}

// Two programs start on a fresh borne at the same moment.
func TestOpenTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := store.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
