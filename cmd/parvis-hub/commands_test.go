package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// do runs parvis-hub, and returns what it wrote.
func do(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	rt := &runtime{ctx: ctx, stdout: &out, stderr: &out, now: time.Now}
	err := run(rt, args)
	return out.String(), err
}

func mustDo(t *testing.T, args ...string) string {
	t.Helper()
	out, err := do(t.Context(), args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

// used makes a hub that has been at work, with a site and a code.
func used(t *testing.T, dsn, dir string) {
	t.Helper()
	s, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, err := seal.OpenFor(t.Context(), s, filepath.Join(dir, "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Authority(t.Context(), s, time.Now()); err != nil {
		t.Fatal(err)
	}
	mustDo(t, "token", "create", "--data", dir, "--database", dsn, "--site", "neudorf", "--name", "Mairie de Neudorf")
}

// eachDatabase runs a test on a hub of each kind of database.
func eachDatabase(t *testing.T, test func(t *testing.T, dsn, dir string)) {
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			dsn, dir := fresh(t), filepath.Join(t.TempDir(), "hub")
			used(t, dsn, dir)
			test(t, dsn, dir)
		})
	}
}

func wantError(t *testing.T, err error, is error, words string) {
	t.Helper()
	if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v; wanted %v, with « %s »", err, is, words)
	}
}

func wantMissing(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there: %v", path, err)
	}
}

// A key that is lost is not replaced by a new one: what is sealed to that would
// be lost when the right one is back.
func TestLostKey(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		key, saved := filepath.Join(dir, "hub.key"), filepath.Join(dir, "saved.key")
		if err := os.Rename(key, saved); err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(dir, "backup")
		for _, args := range [][]string{
			{"backup", backup}, {"borne", "list"}, {"token", "create", "--site", "neudorf"}, {"person", "list"},
			{"serve", "--bornes", "127.0.0.1:0", "--people", "127.0.0.1:0", "--internal", "127.0.0.1:0"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, err := do(ctx, append(args, "--data", dir, "--database", dsn)...)
			cancel()
			wantError(t, err, seal.ErrNoKey, key)
			wantMissing(t, key)
		}
		wantMissing(t, backup)
		if err := os.Rename(saved, key); err != nil {
			t.Fatal(err)
		}
		mustDo(t, "backup", backup, "--data", dir, "--database", dsn)

		// Nor is a backup sealed to somebody else's key.
		other := filepath.Join(t.TempDir(), "other")
		used(t, filepath.Join(other, "hub.sqlite"), other)
		_, err := do(t.Context(), "backup", backup+"2", "--data", other, "--database", dsn)
		wantError(t, err, seal.ErrOtherKey, filepath.Join(other, "hub.key"))
		wantMissing(t, backup+"2")
	})
}

// In the wrong place a command says so, and leaves nothing behind.
func TestWrongPlace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	for _, args := range [][]string{{"backup", dir + ".backup"}, {"borne", "revoke", "MN-01"}, {"restore", os.Args[0]}} {
		_, err := do(t.Context(), append(args, "--data", dir)...)
		wantError(t, err, seal.ErrNoKey, "--data")
	}
	wantMissing(t, dir)
	wantMissing(t, dir+".backup")

	// With the key there and the address of PostgreSQL forgotten.
	used(t, storetest.Postgres(t), dir)
	_, err := do(t.Context(), "borne", "revoke", "MN-01", "--data", dir)
	wantError(t, err, nil, "--database")
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		backup := filepath.Join(t.TempDir(), "backup")
		mustDo(t, "backup", backup, "--data", dir, "--database", dsn)
		if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		_, err := do(t.Context(), "backup", backup, "--data", dir, "--database", dsn)
		wantError(t, err, nil, "existe déjà")
		_, err = do(t.Context(), "restore", backup, "--data", dir, "--database", dsn)
		wantError(t, err, store.ErrNotEmpty, "neuve")

		other := filepath.Join(t.TempDir(), "other")
		used(t, filepath.Join(other, "other.sqlite"), other)
		_, err = do(t.Context(), "restore", backup, "--data", other)
		wantError(t, err, store.ErrBackupKey, "clé")

		fresh := t.TempDir()
		if err := os.Chmod(fresh, 0o700); err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(filepath.Join(dir, "hub.key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(fresh, "hub.key"), key, 0o600); err != nil {
			t.Fatal(err)
		}
		mustDo(t, "restore", backup, "--data", fresh)
		if out := mustDo(t, "token", "list", "--data", fresh); !strings.Contains(out, "MN-01") {
			t.Errorf("the code is gone:\n%s", out)
		}
	})
}

// A script must not take a backup that was cut short for one.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	used(t, filepath.Join(dir, "hub.sqlite"), dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := do(ctx, "backup", dir+".backup", "--data", dir)
	wantError(t, err, nil, "interrompu")
	wantMissing(t, dir+".backup")
}

// A site is made by naming it, and not by a slip of the pen.
func TestUnknownSite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	used(t, filepath.Join(dir, "hub.sqlite"), dir)
	_, err := do(t.Context(), "token", "create", "--data", dir, "--site", "neudrof")
	wantError(t, err, store.ErrNotFound, "--name")
}
