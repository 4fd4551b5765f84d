package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parvis/kiosk/store"
)

// Searches wait in an order that says nothing, and leave nothing behind.
func TestUnfound(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s := MustOpen(t, dir)
	var put [][]byte
	for range 40 {
		data := make([]byte, 464)
		rand.Read(data)
		if err := s.PutUnfound(ctx, "2026-11", data); err != nil {
			t.Fatal(err)
		}
		put = append(put, data)
	}
	waiting := func() []store.Unfound {
		t.Helper()
		all, err := s.Unfound(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	left := func() (n int) {
		t.Helper()
		var texts [][]byte
		for _, name := range []string{"", "-wal", "-shm"} {
			text, err := os.ReadFile(filepath.Join(dir, store.FileName+name))
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		for _, data := range put {
			if slices.ContainsFunc(texts, func(text []byte) bool { return bytes.Contains(text, data[:32]) || bytes.Contains(text, data[400:]) }) {
				n++
			}
		}
		return n
	}
	all := waiting()
	var order []int
	for _, u := range all {
		if u.ID.Version() != 4 || u.Month != "2026-11" {
			t.Errorf("%v of %s", u.ID, u.Month)
		}
		order = append(order, slices.IndexFunc(put, func(data []byte) bool { return bytes.Equal(data, u.Data) }))
	}
	if slices.IsSorted(order) || len(slices.Compact(slices.Sorted(slices.Values(order)))) != len(put) || order[0] < 0 {
		t.Errorf("they come out as %v", order)
	}
	// Nor does the file keep the order in which they were made.
	if _, err := s.DB().Exec(`SELECT rowid FROM unfound`); err == nil {
		t.Error("rows are numbered as they come")
	}
	if n := left(); n != len(put) {
		t.Fatalf("%d are found in the file: the test doesn't see them", n)
	}
	if err := s.DeleteUnfound(ctx, all[0].ID, all[1].ID); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != len(put)-2 || len(waiting()) != n {
		t.Errorf("%d are left in the file, %d wait", n, len(waiting()))
	}
	if err := s.DropUnfound(ctx); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 0 || len(waiting()) != 0 {
		t.Errorf("%d are left in the file", n)
	}
}

func TestUnfoundBound(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	_, err := s.DB().Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
		INSERT INTO unfound (id, month, data) SELECT printf('00000000-0000-4000-8000-%012d', i), '2026-11', x'01' FROM n`)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.PutUnfound(ctx, "2026-11", []byte{2}); err != nil {
			t.Error(err)
		}
	}
	if all, err := s.Unfound(ctx); err != nil || len(all) != 500 {
		t.Errorf("%d wait, %v", len(all), err)
	}
	for _, next := range []struct {
		month string
		want  int
	}{{"2026-12", 500}, {"2027-01", 1}} { // when those of November are of no use
		if err := s.PutUnfound(ctx, next.month, []byte{3}); err != nil {
			t.Error(err)
		}
		if all, err := s.Unfound(ctx); err != nil || len(all) != next.want {
			t.Errorf("in %s %d wait, %v", next.month, len(all), err)
		}
	}
	for _, month := range []string{"", "2026-13", "2026-11-05"} {
		if s.PutUnfound(ctx, month, []byte{2}) == nil {
			t.Errorf("month %q is taken", month)
		}
	}
	if s.PutUnfound(ctx, "2026-11", nil) == nil {
		t.Error("nothing is taken")
	}
}
