package enrol_test

import (
	"testing"
	"time"

	"parvis/provisioning/enrol"
)

func mustEnrol(t testing.TB, h *hub, borne, dir string) *enrol.Identity {
	t.Helper()
	id, err := enrol.Enrol(t.Context(), h.URL, h.code(borne), dir, enrol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mustLoad(t testing.TB, dir string) *enrol.Identity {
	t.Helper()
	id, err := enrol.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A borne's whole life with its hub.
func TestLife(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	mustEnrol(t, h, "MN-01", dir)

	id := mustLoad(t, dir)
	if id.Borne() != "MN-01" || id.Site() != "Mairie de Neudorf" || id.Hub() != h.URL || id.Recipient() != recipient {
		t.Errorf("enrolled as %s, %s, %s, %s", id.Borne(), id.Site(), id.Hub(), id.Recipient())
	}
	if _, ends := id.Certificate(); !ends.Equal(h.clock().Add(7 * 24 * time.Hour)) {
		t.Errorf("the certificate ends at %v, made at %v", ends, h.clock())
	}
	if err := report(t, id); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.pass(5 * 24 * time.Hour)
		before := id.Serial()
		if err := renew(t, id); err != nil {
			t.Fatal(err)
		}
		if id.Serial() == before {
			t.Error("the certificate is the old one")
		}
		if err := report(t, id); err != nil {
			t.Fatal(err)
		}
		if again := mustLoad(t, dir); again.Serial() != id.Serial() {
			t.Error("the disk has another certificate")
		}
	}
}
