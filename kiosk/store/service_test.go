package store_test

import (
	"testing"

	"parvis/kiosk/store"
)

func TestOutOfServiceOutlastsARestart(t *testing.T) {
	dir := t.TempDir()
	for _, want := range []bool{false, true, false} {
		s, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetOutOfService(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = store.Open(dir); err != nil {
			t.Fatal(err)
		}
		if out, err := s.OutOfService(t.Context()); err != nil || out != want {
			t.Errorf("out of service %t, %v, want %t", out, err, want)
		}
		s.Close()
	}
}
