package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"testing/fstest"

	"parvis/kiosk/store"
)

// mapOf copies the migrations, so that a test may add some and leave some out.
func mapOf(t *testing.T) fstest.MapFS {
	t.Helper()
	files := make(fstest.MapFS)
	for _, file := range mustGlob(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(file)] = &fstest.MapFile{Data: data}
	}
	return files
}

func mustGlob(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	return files
}

// upTo leaves out what a program of an earlier schema doesn't know.
func upTo(files fstest.MapFS, version int) fs.FS {
	older := maps.Clone(files)
	maps.DeleteFunc(older, func(name string, _ *fstest.MapFile) bool {
		n, err := strconv.Atoi(name[:5])
		return err != nil || n > version
	})
	return older
}

// A program goes on with the file of a newer one as long as that one's
// migrations let it, and leaves it as it is where they don't.
func TestOlderProgram(t *testing.T) {
	t.Parallel()
	files := mustGlob(t)
	newest, err := strconv.Atoi(filepath.Base(files[len(files)-1])[:5])
	if err != nil {
		t.Fatal(err)
	}
	next := func(oldest int) fstest.MapFS {
		files := mapOf(t)
		files[fmt.Sprintf("%05d", newest+1)+"_next.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
			ALTER TABLE setting ADD COLUMN more TEXT NOT NULL DEFAULT '';
			INSERT INTO setting (key, value) VALUES ('schema.oldest', '` + strconv.Itoa(oldest) + `')
				ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER);`)}
		return files
	}
	for name, c := range map[string]struct {
		oldest int // that the newer program's migration says
		knows  int // the older program
		want   error
	}{
		"a schema further":            {newest, newest, nil},
		"two schemas further":         {newest - 1, newest - 1, nil},
		"one that it would trip over": {newest + 1, newest, store.ErrNewer},
		"two that it would trip over": {newest, newest - 1, store.ErrNewer},
		"the same":                    {newest + 1, newest + 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := MustOpen(t, dir)
			if err := s.SetSetting(t.Context(), "mine", "kept"); err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(t.Context(), s, next(c.oldest)); err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(t.Context(), s, upTo(next(c.oldest), c.knows)); !errors.Is(err, c.want) {
				t.Errorf("the older program: %v, want %v", err, c.want)
			}
			if got, err := s.Setting(t.Context(), "mine"); err != nil || got != "kept" {
				t.Errorf("setting %q, %v", got, err)
			}
		})
	}
}

// Every migration says from which schema on a program can live with it.
func TestMigrationsSayOldest(t *testing.T) {
	t.Parallel()
	const first = 7 // before it no program asked
	says := regexp.MustCompile(`INSERT INTO setting \(key, value\) VALUES \('schema\.oldest', '(\d+)'\)\s+ON CONFLICT \(key\) DO UPDATE SET value = excluded\.value WHERE CAST\(excluded\.value AS INTEGER\) > CAST\(value AS INTEGER\);`)
	for _, file := range mustGlob(t) {
		version, err := strconv.Atoi(filepath.Base(file)[:5])
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := says.FindSubmatch(data)
		if version < first {
			continue
		}
		if words == nil {
			t.Errorf("%s doesn't end with the INSERT of schema.oldest, as 00007_profile.sql does", file)
			continue
		}
		if oldest, err := strconv.Atoi(string(words[1])); err != nil || oldest > version {
			t.Errorf("%s asks for schema %d, which it isn't itself", file, oldest)
		}
	}
}

// Looking changes nothing, and makes nothing.
func TestLook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := store.OpenReadOnly(dir); err == nil {
		t.Error("a folder without a file can be looked at")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("looking has left %v, %v", left, err)
	}
	s := MustOpen(t, dir)
	if err := s.SetSetting(t.Context(), "mine", "kept"); err != nil {
		t.Fatal(err)
	}
	ro, err := store.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if got, err := ro.Setting(t.Context(), "mine"); err != nil || got != "kept" {
		t.Errorf("setting %q, %v", got, err)
	}
	if err := ro.SetSetting(t.Context(), "mine", "changed"); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("writing: %v", err)
	}
}
