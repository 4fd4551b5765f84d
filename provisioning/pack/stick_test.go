package pack_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/provisioning/pack"
)

// export writes the newest version, or another, as the hub would.
func (h *hub) export(dir, version string) {
	h.t.Helper()
	r := h.loadAny()
	if err := r.Sign(h.online, h.now, pack.StickValid); err != nil {
		h.t.Fatal(err)
	}
	files := map[string][]byte{}
	for path, data := range h.files {
		if name, ok := strings.CutPrefix(path, "/pack/"); ok {
			files[name] = data
		}
	}
	for name, data := range r.Changed() {
		files[name] = data
		h.files["/pack/"+name] = data
	}
	for _, info := range r.Packs() {
		if version != "" && info.Version != version {
			continue
		}
		err := pack.Export(dir, files, info, func(sum string) (io.Reader, error) {
			if h.files["/files/"+sum] == nil {
				return nil, fs.ErrNotExist
			}
			return bytes.NewReader(h.files["/files/"+sum]), nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		return
	}
	h.t.Fatalf("no version %q", version)
}

func (b *borne) take(stick string) (string, error) {
	b.t.Helper()
	version, folder, err := b.local.UpdateFrom(b.t.Context(), os.DirFS(stick), fine)
	if err == nil && folder != filepath.Join(b.dir, "content", version) {
		b.t.Errorf("%s lies in %q", version, folder)
	}
	return version, err
}

func TestStick(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	h.publish("v2", two())
	b := newBorne(t, h)
	first, second := t.TempDir(), t.TempDir()
	h.export(first, "v1")
	h.export(second, "")

	// A stick alone proves nothing: the borne asks the hub once whose keys count.
	_, err := b.take(second)
	wantError(t, err, pack.ErrNoRoot)
	if err := b.local.Pin(t.Context(), b.fetch); err != nil {
		t.Fatal(err)
	}
	h.server.Close() // no network from here on
	if version, err := b.take(first); err != nil || version != "v1" || !b.has("v1", one()) {
		t.Errorf("%s, %v", version, err)
	}
	if version, err := b.take(second); err != nil || version != "v2" || !b.has("v2", two()) {
		t.Errorf("%s, %v", version, err)
	}
	_, err = b.take(first) // made before what the borne has seen
	wantError(t, err, pack.ErrUntrusted)
	_, err = b.take(t.TempDir())
	wantError(t, err, fs.ErrNotExist)
	b.wantOnly("v1", "v2")
	if err := errors.Join(b.local.Pin(t.Context(), b.fetch)); err != nil {
		t.Errorf("once it trusts a root, nothing is to be fetched: %v", err)
	}
}

// A stick that was pulled out while it was written is made good by the next
// export.
func TestStickSpoilt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", two())
	b := newBorne(t, h)
	if err := b.local.Pin(t.Context(), b.fetch); err != nil {
		t.Fatal(err)
	}
	stick := t.TempDir()
	h.export(stick, "")
	files, err := filepath.Glob(filepath.Join(stick, "parvis/files/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, info.Size()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.take(stick)
	wantError(t, err, pack.ErrUntrusted)
	h.export(stick, "")
	if version, err := b.take(stick); err != nil || version != "v1" || !b.has("v1", two()) {
		t.Errorf("%s, %v", version, err)
	}
}

// The rules are the same as with the network.
func TestStickRefused(t *testing.T) {
	t.Parallel()
	big := "parvis/files/" + hash(two()["fiches/F2.xml"].Data)
	for name, tt := range map[string]struct {
		want   error
		attack func(t *testing.T, h *hub, stick string) error
	}{
		"file altered": {pack.ErrUntrusted, func(t *testing.T, h *hub, stick string) error {
			return os.WriteFile(filepath.Join(stick, big), bytesOf(5, 200<<10), 0o644)
		}},
		"file too long": {pack.ErrUntrusted, func(t *testing.T, h *hub, stick string) error {
			return os.WriteFile(filepath.Join(stick, big), bytesOf(5, 900<<10), 0o644)
		}},
		"file cut off": {pack.ErrUntrusted, func(t *testing.T, h *hub, stick string) error {
			return os.Truncate(filepath.Join(stick, big), 1000)
		}},
		"file gone": {pack.ErrUnknown, func(t *testing.T, h *hub, stick string) error {
			return os.Remove(filepath.Join(stick, big))
		}},
		"a folder for a file": {nil, func(t *testing.T, h *hub, stick string) error {
			return errors.Join(os.Remove(filepath.Join(stick, big)), os.Mkdir(filepath.Join(stick, big), 0o755))
		}},
		"no version": {pack.ErrUnknown, func(t *testing.T, h *hub, stick string) error {
			return errors.Join(os.RemoveAll(filepath.Join(stick, "parvis/files")), os.Mkdir(filepath.Join(stick, "parvis/files"), 0o755))
		}},
		"out of date": {pack.ErrExpired, func(t *testing.T, h *hub, stick string) error {
			h.now = h.now.Add(pack.StickValid + 1e9)
			return nil
		}},
		"of another hub": {pack.ErrUntrusted, func(t *testing.T, h *hub, stick string) error {
			other := newHub(t)
			for _, version := range []string{"a", "b", "c", "v2"} {
				other.publish(version, two())
			}
			other.export(stick, "")
			return nil
		}},
		"signed by another": {pack.ErrUntrusted, func(t *testing.T, h *hub, stick string) error {
			h.forge("targets", mustKey(t))
			h.export(stick, "")
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.publish("v1", one())
			b := newBorne(t, h)
			b.mustUpdate("v1")
			h.publish("v2", two())
			stick := t.TempDir()
			h.export(stick, "v2")
			if err := tt.attack(t, h, stick); err != nil {
				t.Fatal(err)
			}
			_, err := b.take(stick)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v; wanted %v", err, tt.want)
			}
			if !b.has("v1", one()) {
				t.Error("v1 is no longer what it was")
			}
			if _, err := os.Stat(filepath.Join(b.dir, "content", "v2")); err == nil {
				t.Error("v2 is there")
			}
		})
	}
}
