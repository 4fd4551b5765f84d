package profiles_test

import (
	"fmt"
	"testing"

	"parvis/hub/store/storetest"
)

// A city's layer changes for many bornes, each at a site of its own: how long it
// takes until each is wanted to have another profile, and how long looking takes
// when nothing is new.
func BenchmarkRefresh(b *testing.B) {
	s := storetest.Open(b, storetest.SQLite(b))
	const bornes = 2000
	for i := range bornes {
		enrol(b, s, fmt.Sprintf("site-%05d", i), fmt.Sprintf("B-%05d", i))
	}
	p := hub(s)
	b.Run("change", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			text := fmt.Sprintf("# %d\n[son]\nniveau = %d\n[ecran]\ndiagonale = 32\n[[lecteurs]]\ntype = \"pcsc\"\n", i, i%100)
			if _, err := save(b, p, city, text); err != nil {
				b.Fatal(err)
			}
			must(b, p.Refresh(ctx))
		}
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			must(b, p.Refresh(ctx))
		}
	})
	if w, err := s.AllWanted(ctx); err != nil || len(w) != bornes {
		b.Fatalf("%d bornes have a profile, %v", len(w), err)
	}
}
