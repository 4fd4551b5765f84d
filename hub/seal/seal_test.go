package seal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/hub/seal"
	"parvis/hub/store"
)

func mustOpen(t *testing.T, path string) *seal.Key {
	t.Helper()
	k, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parvis", "hub.key")
	k := mustOpen(t, path)
	sealed, err := k.Seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("not sealed")
	}
	again := mustOpen(t, path) // after a restart
	if plain, err := again.Open(sealed); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has %04o", p, info.Mode().Perm())
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}

	// A backup is sealed to the one half and opened by the other.
	var backup bytes.Buffer
	w, err := age.Encrypt(&backup, k.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "backup"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(&backup, again.Identity())
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(r); err != nil || string(plain) != "backup" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestSealedAltered(t *testing.T) {
	t.Parallel()
	k := mustOpen(t, filepath.Join(t.TempDir(), "hub.key"))
	sealed, err := k.Seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if plain, err := k.Open(altered); err == nil {
			t.Fatalf("byte %d altered: opens as %q", i, plain)
		}
		if _, err := k.Open(sealed[:i]); err == nil {
			t.Fatalf("the first %d bytes open", i)
		}
	}
}

// Hubs that start at once in one folder have one key.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.key")
	keys := make([]string, 16)
	var all sync.WaitGroup
	for n := range keys {
		all.Go(func() {
			if k, err := seal.Open(path); err != nil {
				t.Error(err)
			} else {
				keys[n] = k.Recipient().String()
			}
		})
	}
	all.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatalf("several keys: %q", keys)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(path string) error
		want  string
	}{
		{"readable by others", func(p string) error { return os.Chmod(p, 0o640) }, "chmod 600"},
		{"folder writable by others", func(p string) error { return os.Chmod(filepath.Dir(p), 0o770) }, "chmod 700"},
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o600) }, "abîmé"},
		{"half", func(p string) error { return os.Truncate(p, 200) }, "abîmé"},
		{"a public key", func(p string) error {
			return os.WriteFile(p, []byte("age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z\n"), 0o600)
		}, "abîmé"},
		{"a folder", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, ""},
	}
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "hub.key")
		mustOpen(t, path)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.spoil(path); err != nil {
			t.Fatal(err)
		}
		_, err = seal.Open(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		for line := range strings.Lines(string(before)) {
			if err != nil && strings.HasPrefix(line, "AGE-SECRET") && strings.Contains(err.Error(), strings.TrimSpace(line)) {
				t.Errorf("%s: the error tells the key", tt.name)
			}
		}
	}
}

// Two hubs that start at once on one database agree on the authority and on the
// key for requests.
func TestAgree(t *testing.T) {
	t.Parallel()
	s, path := mustStore(t), filepath.Join(t.TempDir(), "hub.key")
	now := time.Now()
	said := make([]string, 8)
	var all sync.WaitGroup
	for n := range said {
		k := mustOpen(t, path)
		all.Go(func() {
			r, err := k.CallbackRecipient(t.Context(), s)
			if err != nil {
				t.Error(err)
				return
			}
			a, err := k.Authority(t.Context(), s, now)
			if err != nil {
				t.Error(err)
				return
			}
			said[n] = r + " " + a.Certificate().Subject.String()
		})
	}
	all.Wait()
	for _, one := range said {
		if one != said[0] {
			t.Fatalf("they disagree: %q", said)
		}
	}

	id, err := mustOpen(t, path).CallbackIdentity(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(said[0], id.Recipient().String()+" ") {
		t.Error("the identity is not the recipient's")
	}
	for _, name := range []string{"authority", "callback"} {
		kept, err := s.Secret(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []string{"PRIVATE KEY", "AGE-SECRET-KEY", "CERTIFICATE"} {
			if bytes.Contains(kept, []byte(open)) {
				t.Errorf("%s lies open in the database", name)
			}
		}
	}
}

// A hub that has been given no copy of the key says so, and changes nothing.
func TestOtherKey(t *testing.T) {
	t.Parallel()
	s, dir := mustStore(t), t.TempDir()
	first, second := mustOpen(t, filepath.Join(dir, "1.key")), mustOpen(t, filepath.Join(dir, "2.key"))
	a, err := first.Authority(t.Context(), s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := first.CallbackRecipient(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Authority(t.Context(), s, time.Now())
	if !errors.Is(err, seal.ErrOtherKey) || !strings.Contains(err.Error(), filepath.Join(dir, "2.key")) {
		t.Errorf("authority: %v", err)
	}
	if _, err := second.CallbackRecipient(t.Context(), s); !errors.Is(err, seal.ErrOtherKey) {
		t.Errorf("recipient: %v", err)
	}
	again, err := first.Authority(t.Context(), s, time.Now())
	if err != nil || again.Fingerprint() != a.Fingerprint() {
		t.Errorf("the authority has changed: %v", err)
	}
	if r, err := first.CallbackRecipient(t.Context(), s); err != nil || r != recipient {
		t.Errorf("the recipient has changed: %v", err)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	s, k := mustStore(t), mustOpen(t, filepath.Join(t.TempDir(), "hub.key"))
	failed := errors.New("no luck")
	if _, err := k.Once(t.Context(), s, "mail", func() ([]byte, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	drawn := 0
	for range 2 {
		got, err := k.Once(t.Context(), s, "mail", func() ([]byte, error) { drawn++; return []byte("secret"), nil })
		if err != nil || string(got) != "secret" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if drawn != 1 {
		t.Errorf("drawn %d times", drawn)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Once(ctx, s, "mail", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
