package storetest

import (
	"io/fs"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"parvis/hub/store"
)

// Files lists all files that hold a database, for tests that search them byte by
// byte: SQLite's with its log; PostgreSQL's tables and indexes, with what was in
// memory only.
func Files(t testing.TB, dsn string) []string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, postgres := Past(t, dsn)
	if !postgres {
		all, err := filepath.Glob(dsn + "*")
		must(err)
		return all
	}
	var folder string
	var oid int
	_, err := db.Exec(`CHECKPOINT`)
	must(err)
	must(db.QueryRow(`SHOW data_directory`).Scan(&folder))
	must(db.QueryRow(`SELECT oid FROM pg_database WHERE datname = current_database()`).Scan(&oid))
	var all []string
	must(filepath.WalkDir(filepath.Join(folder, "base", strconv.Itoa(oid)), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	}))
	return all
}

// Scrub scrubs a database until it is done. On a PostgreSQL server that tests
// share, transactions of others can be in the way for a while.
func Scrub(t testing.TB, s *store.Store) {
	t.Helper()
	for start := time.Now(); ; {
		done, err := s.Scrub(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		if time.Since(start) > 2*time.Minute {
			t.Fatal("after two minutes somebody is still in the way of scrubbing")
		}
	}
}
