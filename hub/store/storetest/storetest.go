// Package storetest gives tests real databases: a fresh SQLite file, and a
// fresh database of a real PostgreSQL server that it starts. What works on one
// must work on the other, so tests run on both.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"parvis/hub/store"
)

// Each runs a test twice: on a fresh SQLite file, and on a fresh database of
// PostgreSQL. open opens the database, as often as the test has hubs, and
// closes it at the end of the test. dsn is what store.Open takes.
func Each(t *testing.T, test func(t *testing.T, open func() *store.Store, dsn string)) {
	t.Helper()
	for name, fresh := range Databases() {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t)
			test(t, func() *store.Store { return Open(t, dsn) }, dsn)
		})
	}
}

// Databases are the kinds of databases, by name, each with what makes a fresh
// one and returns what store.Open takes.
func Databases() map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{"sqlite": SQLite, "postgres": Postgres}
}

// Open opens a database, and closes it at the end of the test.
func Open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), dsn)
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

// SQLite returns the path of a file that isn't there yet, in a folder that
// isn't there either.
func SQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "hub", "hub.sqlite") }

// Postgres returns the address of a fresh, empty database. All tests of one
// program share a server, which is started by the first and ends with the
// program, however that ends.
func Postgres(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() {
		shared.server, shared.err = newServer(fast...)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server.Database(t)
}
