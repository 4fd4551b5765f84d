package api_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"testing/fstest"

	"parvis/hub/packs"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

// publisher signs packs of a hub.
type publisher struct {
	*packs.Packs
	key pack.Key
}

// openPacks makes the keys for the packs of a hub, and publishes one.
func openPacks(t testing.TB, s *store.Store, h *clock) publisher {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "key", "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := pack.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	p := publisher{Packs: packs.New(s, key, h.now, slog.New(slog.DiscardHandler))}
	if p.key, err = pack.NewKey(); err != nil {
		t.Fatal(err)
	}
	if err := p.Create(t.Context(), []pack.Key{root}, 1, p.key); err != nil {
		t.Fatal(err)
	}
	p.publish(t, "v1", fstest.MapFS{"level.yaml": {Data: []byte("one")}})
	return p
}

func (p publisher) publish(t testing.TB, version string, files fs.FS) {
	t.Helper()
	if _, err := p.Publish(t.Context(), files, version, p.key); err != nil {
		t.Fatal(err)
	}
}

// A borne takes packs from the hub, over its own line and as it really does.
func TestPacks(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		_, _, _, err := b.File(t.Context(), "/pack/1.root.json", 0)
		wantProblem(t, err, link.ProblemUnknown)
		calendar := new(clock) // the packs': certificates of bornes end sooner
		p := openPacks(t, h.store, calendar)
		p.publish(t, "v2", fstest.MapFS{"level.yaml": {Data: []byte("two")}, "fiches/F1.xml": {Data: make([]byte, 600<<10)}})

		dir := t.TempDir()
		local, err := pack.Open(filepath.Join(dir, "content"), filepath.Join(dir, "identity"))
		if err != nil {
			t.Fatal(err)
		}
		local.Now = calendar.now
		for _, version := range []string{"v1", "v2", "v1"} {
			checked := false
			folder, err := local.Update(t.Context(), b.File, version, func(files fs.FS) error {
				_, err := fs.ReadFile(files, "level.yaml")
				checked = true
				return err
			})
			if err != nil || !checked || folder != filepath.Join(dir, "content", version) {
				t.Fatalf("%s: %q, checked: %v, %v", version, folder, checked, err)
			}
		}
		if _, err := local.Update(t.Context(), b.File, "v3", nil); !errors.Is(err, pack.ErrUnknown) {
			t.Errorf("a version that isn't there: %v", err)
		}
		a := h.ask(b.raw(), http.MethodGet, "/v1/pack/timestamp.json", nil)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/octet-stream" || len(a.body) == 0 {
			t.Errorf("%d %v", a.status, a.header)
		}
		for _, path := range []string{"/v1/pack/9.root.json", "/v1/pack/nothing", "/v1/pack/..%2Fopenapi.json"} {
			if a := h.ask(b.raw(), http.MethodGet, path, nil); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		if a := h.ask(h.stranger(), http.MethodGet, "/v1/pack/timestamp.json", nil); a.status != http.StatusUnauthorized {
			t.Errorf("without a certificate: %d", a.status)
		}
		calendar.advance(pack.TimestampValid + 1)
		if _, err := local.Update(t.Context(), b.File, "v2", nil); !errors.Is(err, pack.ErrExpired) {
			t.Errorf("nobody has renewed the signatures: %v", err)
		}
		if err := p.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := local.Update(t.Context(), b.File, "v2", func(fs.FS) error { return nil }); err != nil {
			t.Errorf("renewed: %v", err)
		}
		_, _, size, err := b.File(t.Context(), "/pack/timestamp.json", 5)
		if err != nil || size <= 5 {
			t.Errorf("from byte 5: %d, %v", size, err)
		}
	})
}
