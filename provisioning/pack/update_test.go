package pack_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

// Only what is new is fetched; what is there is used again, and nothing is
// fetched twice.
func TestUpdate(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	h.publish("v2", two())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	if got := h.fetched(); len(got) != 1+4 { // the manifest, and four files that are not empty
		t.Errorf("v1 fetched %d files", len(got))
	}
	b.mustUpdate("v2")
	fetched := h.fetched()
	if !b.has("v1", one()) || !b.has("v2", two()) {
		t.Error("not what was published")
	}
	for name, f := range two() {
		_, there := one()[name]
		changed := !there && name != "fiches/copie/F1.xml" || name == "level.yaml"
		if slices.Contains(fetched, hash(f.Data)) != changed {
			t.Errorf("%s was fetched: %v", name, !changed)
		}
	}
	for _, rest := range []string{".new", ".parts"} { // as a power cut leaves them that comes just after a pack is whole
		if err := os.Mkdir(filepath.Join(b.dir, "content", rest), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.mustUpdate("v2")
	b.mustUpdate("v1")
	if got := h.fetched(); len(got) != 2 { // two manifests
		t.Errorf("once more fetched %v", got)
	}
	b.wantOnly("v1", "v2")
	for name, mode := range map[string]fs.FileMode{"v2": 0o755, "v2/fiches": 0o755, "v2/fiches/F2.xml": 0o644, "v2/level.yaml": 0o644, "v2/textes/fr.toml": 0o644} {
		if info, err := os.Stat(filepath.Join(b.dir, "content", name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := b.local.Keep("v2"); err != nil {
		t.Fatal(err)
	}
	b.wantOnly("v2")
	if !b.has("v2", two()) {
		t.Error("v2 went with v1")
	}
}

// The link to the pack in use, and what is not ours, stay.
func TestKeep(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	h.publish("v2", two())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	b.mustUpdate("v2")
	content := filepath.Join(b.dir, "content")
	err := errors.Join(os.Symlink("v2", filepath.Join(content, "current")), os.Mkdir(filepath.Join(content, ".parts"), 0o700),
		os.WriteFile(filepath.Join(content, ".parts", "begun"), []byte("x"), 0o600), b.local.Keep("v2"))
	if err != nil {
		t.Fatal(err)
	}
	b.wantOnly("v2", "current")
}

// What the check refuses is never seen, and the pack before stays.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	h.publish("v2", two())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	unfit := errors.New("level.yaml:1: unfit")
	_, err := b.local.Update(t.Context(), b.fetch, "v2", func(files fs.FS) error {
		if data, err := fs.ReadFile(files, "level.yaml"); err != nil || string(data) != "two" {
			t.Errorf("the check sees %q, %v", data, err)
		}
		if _, err := os.Stat(filepath.Join(b.dir, "content", "v2")); err == nil {
			t.Error("it is there before it was checked")
		}
		return unfit
	})
	wantError(t, err, pack.ErrCheck)
	wantError(t, err, unfit)
	b.wantOnly("v1")
}

// A pack that somebody, or a failing disk, has changed on the borne is put right.
func TestDamagedPackIsMended(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir string) error{
		"changed": func(dir string) error { return os.WriteFile(filepath.Join(dir, "level.yaml"), []byte("eno"), 0o644) },
		"gone":    func(dir string) error { return os.Remove(filepath.Join(dir, "demarches/a.yaml")) },
		"added":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "demarches/b.yaml"), nil, 0o644) },
		"a link": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "level.yaml")), os.Symlink("demarches/a.yaml", filepath.Join(dir, "level.yaml")))
		},
		"empty":  func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)) },
		"a file": func(dir string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o644)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.publish("v1", one())
			b := newBorne(t, h)
			b.mustUpdate("v1")
			if err := damage(filepath.Join(b.dir, "content", "v1")); err != nil {
				t.Fatal(err)
			}
			b.mustUpdate("v1")
			if !b.has("v1", one()) {
				t.Error("still damaged")
			}
			b.wantOnly("v1")
		})
	}
}

// A download that breaks off is gone on with: by the same program, and by the
// next one. What it has is not fetched again.
func TestHalfDownloaded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	big := bytesOf(9, 1<<20)
	h.publish("v1", folderOf(map[string][]byte{"fiches/F1.xml": big}))
	b := newBorne(t, h)
	path := link.Prefix + "/files/" + hash(big)
	breaks := 0
	h.meddle = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path || breaks == 3 {
			return false
		}
		breaks++
		from := 0
		if start, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(start, "-"))
			w.Header().Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(len(big)-1)+"/"+strconv.Itoa(len(big)))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(big)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		if breaks < 3 {
			w.Write(big[from : from+100<<10])
		}
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the third brings nothing
	}
	if err := b.update("v1"); err == nil || errors.Is(err, pack.ErrUntrusted) {
		t.Fatalf("a line that brings nothing: %v", err)
	}
	if info, err := os.Stat(filepath.Join(b.dir, "content", ".parts", hash(big))); err != nil || info.Size() != 200<<10 {
		t.Errorf("so far: %v, %v", info, err)
	}
	b.wantOnly(".parts")
	b.restart()
	b.mustUpdate("v1")
	last := h.fetched()
	if want := hash(big) + " bytes=204800-"; last[len(last)-1] != want {
		t.Errorf("asked for %v, wanted %s at last", last, want)
	}
	if !b.has("v1", folderOf(map[string][]byte{"fiches/F1.xml": big})) {
		t.Error("not what was published")
	}
	b.wantOnly("v1")
}

// What an earlier attempt has left may be spoilt, or of another version.
func TestSpoiltRest(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string][]byte{"spoilt": make([]byte, 100<<10), "too long": make([]byte, 400<<10), "whole and spoilt": make([]byte, 300<<10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.publish("v1", one())
			b := newBorne(t, h)
			parts := filepath.Join(b.dir, "content", ".parts")
			sum := hash(one()["fiches/F1.xml"].Data)
			err := errors.Join(os.Mkdir(parts, 0o700), os.WriteFile(filepath.Join(parts, sum), rest, 0o600),
				os.WriteFile(filepath.Join(parts, strings.Repeat("a", 64)), rest, 0o600), os.MkdirAll(filepath.Join(b.dir, "content", ".new", "x"), 0o755))
			if err != nil {
				t.Fatal(err)
			}
			b.mustUpdate("v1")
			if !b.has("v1", one()) {
				t.Error("not what was published")
			}
			b.wantOnly("v1")
		})
	}
}

// A connection that brings hardly anything does not hold an update for ever.
func TestStalledDownload(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.publish("v1", one())
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		local, err := pack.Open(filepath.Join(dir, "content"), filepath.Join(dir, "identity"))
		if err != nil {
			t.Fatal(err)
		}
		local.Now = func() time.Time { return r.now }
		big := "/files/" + hash(one()["fiches/F1.xml"].Data)
		fetch := func(ctx context.Context, path string, from int64) (io.ReadCloser, int64, int64, error) {
			data := r.files[path]
			if data == nil {
				return nil, 0, 0, &link.Problem{Status: http.StatusNotFound}
			}
			body := io.NopCloser(strings.NewReader(string(data[from:])))
			if path == big {
				body = io.NopCloser(&drip{ctx, data[from:]})
			}
			return body, from, int64(len(data)), nil
		}
		begun := time.Now()
		_, err = local.Update(t.Context(), fetch, "v1", fine)
		if took := time.Since(begun); err == nil || took > 2*time.Minute {
			t.Errorf("after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := local.Update(ctx, fetch, "v1", fine); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller's time was over: %v", err)
		}
	})
}

// drip gives a byte every second.
type drip struct {
	ctx  context.Context
	data []byte
}

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	if len(d.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1], d.data)
	d.data = d.data[n:]
	return n, nil
}

// One at a time.
func TestBusy(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	_, err := b.local.Update(t.Context(), b.fetch, "v1", func(fs.FS) error {
		_, err := b.local.Update(t.Context(), b.fetch, "v1", fine)
		wantError(t, err, pack.ErrBusy)
		wantError(t, b.local.Keep(), pack.ErrBusy)
		_, _, err = b.local.UpdateFrom(t.Context(), one(), fine)
		wantError(t, err, pack.ErrBusy)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Who may write beside the folder of packs must not have another changed.
func TestFolderIsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	identity := filepath.Join(dir, "identity")
	if err := errors.Join(os.Mkdir(identity, 0o700), os.Symlink("identity", filepath.Join(dir, "content"))); err != nil {
		t.Fatal(err)
	}
	if _, err := pack.Open(filepath.Join(dir, "content"), identity); err == nil {
		t.Error("a link is taken for the folder")
	}
	if info, err := os.Stat(identity); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}
