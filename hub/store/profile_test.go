package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// Versions grow over all layers, none is lost, and each layer's newest is found.
func TestProfileLayers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		watch := s.Watch(t.Context())
		if n, err := s.ProfileRevision(ctx); err != nil || n != 0 {
			t.Fatalf("a new database is at %d, %v", n, err)
		}
		put := func(scope store.ProfileScope, object, text string, seen int64) {
			t.Helper()
			l := store.ProfileLayer{Scope: scope, Object: object, Text: text, By: "Anne", Why: "pour voir", Made: noon}
			n, err := s.PutProfileLayer(ctx, l, seen)
			must(t, err)
			if n != seen+1 {
				t.Errorf("version %d after %d", n, seen)
			}
		}
		put(store.CityProfile, "", "a = 1\n", 0)
		put(store.SiteProfile, "neudorf", "b = 1\n", 1)
		put(store.CityProfile, "", "a = 2\n", 2)
		put(store.BorneProfile, "neudorf", "c = 1\n", 3) // a borne may be called as a site is
		put(store.SiteProfile, "neudorf", "", 4)

		layers, err := s.ProfileLayers(ctx)
		must(t, err)
		want := []store.ProfileLayer{
			{N: 3, Scope: store.CityProfile, Text: "a = 2\n", By: "Anne", Why: "pour voir", Made: noon},
			{N: 4, Scope: store.BorneProfile, Object: "neudorf", Text: "c = 1\n", By: "Anne", Why: "pour voir", Made: noon},
			{N: 5, Scope: store.SiteProfile, Object: "neudorf", By: "Anne", Why: "pour voir", Made: noon},
		}
		if len(layers) != len(want) {
			t.Fatalf("layers: %+v", layers)
		}
		for i := range want {
			if layers[i] != want[i] {
				t.Errorf("layer %d: %+v\nwant %+v", i, layers[i], want[i])
			}
		}
		history, err := s.ProfileHistory(ctx, store.CityProfile, "", 10)
		must(t, err)
		if len(history) != 2 || history[0].N != 3 || history[1].Text != "a = 1\n" {
			t.Errorf("history: %+v", history)
		}
		if v, err := s.ProfileVersion(ctx, store.CityProfile, "", 1); err != nil || v.Text != "a = 1\n" {
			t.Errorf("version 1: %+v, %v", v, err)
		}
		if _, err := s.ProfileVersion(ctx, store.CityProfile, "", 2); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another layer's version: %v", err)
		}
		select {
		case e := <-watch:
			if e.Topic != store.Profiled {
				t.Errorf("event %+v", e)
			}
		case <-time.After(10 * time.Second):
			t.Error("nobody is told")
		}
	})
}

// Of several hubs that add a version after the same one, one does.
func TestProfileLayersAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		hubs := []*store.Store{open(), open(), open()}
		for seen := range int64(5) {
			var done sync.WaitGroup
			results := make([]error, len(hubs))
			for i, hub := range hubs {
				done.Go(func() {
					_, results[i] = hub.PutProfileLayer(ctx, store.ProfileLayer{Scope: store.SiteProfile, Object: "neudorf", Text: "x", Made: noon}, seen)
				})
			}
			done.Wait()
			won := 0
			for _, err := range results {
				switch {
				case err == nil:
					won++
				case !errors.Is(err, store.ErrChanged):
					t.Errorf("after %d: %v", seen, err)
				}
			}
			if won != 1 {
				t.Fatalf("after %d, %d hubs have added a version", seen, won)
			}
		}
		history, err := hubs[0].ProfileHistory(ctx, store.SiteProfile, "neudorf", 100)
		must(t, err)
		if len(history) != 5 {
			t.Errorf("%d versions", len(history))
		}
	})
}
