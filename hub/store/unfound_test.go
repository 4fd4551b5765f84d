package store_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

func unfound(month string) store.Unfound {
	id := uuid.New()
	return store.Unfound{ID: id, Month: month, Data: slices.Repeat(id[:], 20)}
}

// left counts the searches of which something is in a database's files.
func left(t *testing.T, dsn string, all []store.Unfound) (n int) {
	t.Helper()
	var texts [][]byte
	for _, path := range storetest.Files(t, dsn) {
		text, err := os.ReadFile(path)
		must(t, err)
		texts = append(texts, text)
	}
	for _, u := range all {
		if slices.ContainsFunc(texts, func(text []byte) bool {
			return bytes.Contains(text, u.ID[:]) || bytes.Contains(text, []byte(u.ID.String()))
		}) {
			n++
		}
	}
	return n
}

// Of the searches of a month that was told no byte is left; those of the month
// after stay.
func TestDropUnfound(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := fresh(t)
			s := storetest.Open(t, dsn)
			mustEnrol(t, s, "MN-01")
			var gone, kept []store.Unfound
			for i := range 160 { // what is deleted lies between others
				u := unfound([]string{"2026-09", "2026-10", "2026-10", "2026-11"}[i%4])
				must(t, s.PutUnfound(ctx, "MN-01", u))
				if u.Month == "2026-11" {
					kept = append(kept, u)
				} else {
					gone = append(gone, u)
				}
			}
			if n := left(t, dsn, gone); n != len(gone) {
				t.Fatalf("%d of %d are found: does the test see the files?", n, len(gone))
			}
			must(t, s.DropUnfound(ctx, "2026-10"))
			storetest.Scrub(t, s)
			if n := left(t, dsn, gone); n > 0 {
				t.Errorf("something of %d is left", n)
			}
			n := 0
			must(t, s.EachUnfound(ctx, "2026-11", func(site string, data []byte) {
				if n++; site != "neudorf" || !slices.ContainsFunc(kept, func(u store.Unfound) bool { return bytes.Equal(u.Data, data) }) {
					t.Errorf("%s: another search", site)
				}
			}))
			if n != len(kept) {
				t.Errorf("of %d searches of the month after there are %d", len(kept), n)
			}
			for month, want := range map[string]bool{"2026-10": false, "2026-11": true} {
				if there, err := s.HasUnfound(ctx, month); err != nil || there != want {
					t.Errorf("%s: %v, %v", month, there, err)
				}
			}
		})
	}
}

// No borne fills the database: of a site and month so many are kept.
func TestUnfoundBound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		must(t, store.FillUnfound(ctx, s, "2026-11", "neudorf"))
		for _, month := range []string{"2026-11", "2026-11", "2026-12"} {
			must(t, s.PutUnfound(ctx, "MN-01", unfound(month)))
		}
		for month, want := range map[string]int{"2026-11": store.MostUnfound, "2026-12": 1} {
			n := 0
			must(t, s.EachUnfound(ctx, month, func(string, []byte) { n++ }))
			if n != want {
				t.Errorf("%s: %d", month, n)
			}
		}
		must(t, s.DropUnfound(ctx, "2026-11"))
		if there, err := s.HasUnfound(ctx, "2026-11"); there || err != nil {
			t.Errorf("not all are deleted: %v", err)
		}
		for _, u := range []store.Unfound{{Month: "2026-11", Data: []byte{1}}, {ID: uuid.New(), Data: []byte{1}}, {ID: uuid.New(), Month: "2026-11"}} {
			if s.PutUnfound(ctx, "MN-01", u) == nil {
				t.Errorf("%+v is kept", u)
			}
		}
		if s.PutUnfound(ctx, "MN-99", unfound("2026-12")) == nil {
			t.Error("a borne that nobody knows")
		}
	})
}

// A backup holds no search, and a database that is restored goes on without.
func TestBackupHasNoUnfound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		mustEnrol(t, s, "MN-01")
		must(t, s.PutUnfound(ctx, "MN-01", unfound("2026-11")))
		key := newKey(t)
		backup := mustBackup(t, s, key)
		target := storetest.Open(t, storetest.SQLite(t))
		_, err := target.Restore(ctx, store.Source{Backup: bytes.NewReader(backup), Identities: []age.Identity{key}})
		must(t, err)
		if there, err := target.HasUnfound(ctx, "2026-11"); there || err != nil {
			t.Errorf("it comes back: %v", err)
		}
		must(t, target.PutUnfound(ctx, "MN-01", unfound("2026-11")))
	})
}
