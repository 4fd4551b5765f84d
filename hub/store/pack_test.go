package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

func TestPackFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		_, _, err := s.PackFile(ctx, "timestamp.json")
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nothing there: %v", err)
		}
		put := func(before []byte, at time.Time, drop []string, files ...string) error {
			all := map[string][]byte{}
			for i := 0; i < len(files); i += 2 {
				all[files[i]] = []byte(files[i+1])
			}
			return s.PutPackFiles(ctx, before, all, drop, at)
		}
		must(t, put(nil, noon, nil, "timestamp.json", "1", "1.snapshot.json", "a"))
		if err := put(nil, noon, nil, "timestamp.json", "x", "1.snapshot.json", "x"); !errors.Is(err, store.ErrStale) {
			t.Errorf("made twice: %v", err)
		}
		if err := put([]byte("1"), noon, nil, "2.snapshot.json", "x"); err == nil {
			t.Error("a change that timestamp.json knows nothing of")
		}
		must(t, put([]byte("1"), noon.Add(time.Hour), []string{"1.snapshot.json"}, "timestamp.json", "2", "2.snapshot.json", "b"))
		if err := put([]byte("1"), noon, nil, "timestamp.json", "x"); !errors.Is(err, store.ErrStale) {
			t.Errorf("changed meanwhile: %v", err)
		}
		names, err := s.PackFiles(ctx)
		must(t, err)
		slices.Sort(names)
		if !slices.Equal(names, []string{"2.snapshot.json", "timestamp.json"}) {
			t.Errorf("there are %v", names)
		}
		data, added, err := s.PackFile(ctx, "timestamp.json")
		if err != nil || !bytes.Equal(data, []byte("2")) || !added.Equal(noon.Add(time.Hour)) {
			t.Errorf("%q, %v, %v", data, added, err)
		}
	})
}

// Of hubs that change the metadata at the same time, one does, and the others
// are told.
func TestPackFilesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		must(t, s.PutPackFiles(ctx, nil, map[string][]byte{"timestamp.json": []byte("0")}, nil, noon))
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() {
				results[i] = s.PutPackFiles(ctx, []byte("0"), map[string][]byte{"timestamp.json": fmt.Append(nil, i+1)}, nil, noon)
			})
		}
		wait.Wait()
		done := 0
		for _, err := range results {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, store.ErrStale):
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("%d of %d have changed it", done, len(results))
		}
	})
}
