package pack_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// repository is a publisher with his keys, and a hub with its own.
type repository struct {
	t         testing.TB
	now       time.Time
	roots     []pack.Key
	publisher pack.Key
	online    pack.Key
	files     map[string][]byte // what is handed out, by path
}

func mustKey(t testing.TB) pack.Key {
	t.Helper()
	k, err := pack.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newRepository makes one with three roots, of which two must sign.
func newRepository(t testing.TB) *repository {
	t.Helper()
	r := &repository{t: t, now: noon, publisher: mustKey(t), online: mustKey(t), files: map[string][]byte{}}
	for range 3 {
		r.roots = append(r.roots, mustKey(t))
	}
	made, err := pack.NewRepository(r.roots, 2, r.publisher, r.online, r.now)
	if err != nil {
		t.Fatal(err)
	}
	r.put(made)
	return r
}

func (r *repository) load() *pack.Repository {
	r.t.Helper()
	loaded := r.loadAny()
	if err := loaded.Verify(); err != nil {
		r.t.Fatal(err)
	}
	return loaded
}

// loadAny is load, whoever has signed.
func (r *repository) loadAny() *pack.Repository {
	r.t.Helper()
	loaded, err := pack.LoadRepository(func(name string) ([]byte, error) {
		data := r.files["/pack/"+name]
		if data == nil {
			return nil, fs.ErrNotExist
		}
		return data, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return loaded
}

// put has the hub sign, and hands out what is new.
func (r *repository) put(changed *pack.Repository) {
	r.t.Helper()
	if err := changed.Sign(r.online, r.now, pack.TimestampValid); err != nil {
		r.t.Fatal(err)
	}
	for name, data := range changed.Changed() {
		r.files["/pack/"+name] = data
	}
}

// renew has the hub sign what there is.
func (r *repository) renew() { r.t.Helper(); r.put(r.load()) }

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// publish signs a version and hands it out.
func (r *repository) publish(version string, folder fs.FS) {
	r.t.Helper()
	r.now = r.now.Add(time.Minute) // an order among versions
	m, err := pack.Build(folder, version, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range m.Files {
		data, err := fs.ReadFile(folder, f.Path)
		if err != nil {
			r.t.Fatal(err)
		}
		r.files["/files/"+f.SHA256] = data
	}
	r.sign(m)
}

// sign signs a manifest, whatever it says.
func (r *repository) sign(m *pack.Manifest) {
	r.t.Helper()
	list, err := m.Marshal()
	if err != nil {
		r.t.Fatal(err)
	}
	r.files["/files/"+hash(list)] = list
	changed := r.load()
	if _, err := changed.Add(m, list, r.publisher, r.now); err != nil {
		r.t.Fatal(err)
	}
	r.put(changed)
}

func (r *repository) rotate(signers []pack.Key, replacements ...pack.Replacement) error {
	r.t.Helper()
	changed := r.load()
	if err := changed.Rotate(signers, replacements, r.now); err != nil {
		return err
	}
	for _, x := range replacements {
		switch x.Old.Role {
		case pack.RolePublisher:
			r.publisher = x.New
		case pack.RoleOnline:
			r.online = x.New
		}
	}
	r.put(changed)
	return nil
}

// replacement replaces a key by a fresh one.
func (r *repository) replacement(old pack.Key) pack.Replacement {
	r.t.Helper()
	info, err := r.load().Find(old.Number())
	if err != nil {
		r.t.Fatal(err)
	}
	return pack.Replacement{Old: info, New: mustKey(r.t)}
}

// snapshot is what is handed out now, to be handed out again later.
func (r *repository) snapshot() map[string][]byte { return maps.Clone(r.files) }

// current names the metadata file of a role that counts now.
func (r *repository) current(role string) string {
	r.t.Helper()
	if role == "root" {
		n := 1
		for r.files[fmt.Sprintf("/pack/%d.root.json", n+1)] != nil {
			n++
		}
		return fmt.Sprintf("/pack/%d.root.json", n)
	}
	for _, name := range r.loadAny().Current() {
		if strings.HasSuffix(name, role+".json") {
			return "/pack/" + name
		}
	}
	r.t.Fatalf("no %s", role)
	return ""
}

// hub hands out what a repository has, over TLS, unless meddle answers instead.
type hub struct {
	*repository
	meddle func(w http.ResponseWriter, r *http.Request) bool
	server *httptest.Server
	client *link.Client

	mu    sync.Mutex
	asked []string // paths, with the range
}

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{repository: newRepository(t)}
	h.server = httptest.NewUnstartedServer(h)
	h.server.EnableHTTP2 = true
	h.server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	h.server.Config.ErrorLog = log.New(t.Output(), "", 0) // connections that a test breaks
	h.server.StartTLS()
	pool := x509.NewCertPool()
	pool.AddCert(h.server.Certificate())
	var err error
	h.client, err = link.NewClient(link.ClientOptions{Hub: h.server.Listener.Addr().String(),
		TLS: &tls.Config{RootCAs: pool, ServerName: "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.client.Close(); h.server.Close() })
	return h
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, link.Prefix)
	h.mu.Lock()
	h.asked = append(h.asked, strings.TrimSpace(path+" "+r.Header.Get("Range")))
	data := h.files[path]
	h.mu.Unlock()
	switch {
	case h.meddle != nil && h.meddle(w, r):
	case data == nil:
		http.NotFound(w, r)
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// fetched lists the blobs that were asked for since it was last called.
func (h *hub) fetched() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var files []string
	for _, line := range h.asked {
		if file, ok := strings.CutPrefix(line, "/files/"); ok {
			files = append(files, file)
		}
	}
	h.asked = nil
	return files
}

// borne is a borne's side.
type borne struct {
	t     testing.TB
	dir   string
	now   func() time.Time
	local *pack.Local
	fetch pack.Fetch
}

func newBorne(t testing.TB, h *hub) *borne {
	t.Helper()
	b := &borne{t: t, dir: t.TempDir(), now: func() time.Time { return h.now }, fetch: h.client.File}
	b.restart()
	return b
}

// restart is what a borne does after a power cut.
func (b *borne) restart() {
	b.t.Helper()
	var err error
	b.local, err = pack.Open(filepath.Join(b.dir, "content"), filepath.Join(b.dir, "identity"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.local.Now = b.now
}

func fine(fs.FS) error { return nil }

func (b *borne) update(version string) error {
	b.t.Helper()
	folder, err := b.local.Update(b.t.Context(), b.fetch, version, fine)
	if err == nil && folder != filepath.Join(b.dir, "content", version) {
		b.t.Errorf("%s lies in %q", version, folder)
	}
	return err
}

func (b *borne) mustUpdate(version string) {
	b.t.Helper()
	if err := b.update(version); err != nil {
		b.t.Fatalf("%s: %v", version, err)
	}
}

// has compares a version on the disk with what was published.
func (b *borne) has(version string, want fstest.MapFS) bool {
	b.t.Helper()
	got := map[string]string{}
	dir := os.DirFS(filepath.Join(b.dir, "content", version))
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == ".pack.json" {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		got[name] = string(data)
		return err
	})
	if err != nil {
		return false
	}
	wanted := map[string]string{}
	for name, f := range want {
		wanted[name] = string(f.Data)
	}
	return maps.Equal(got, wanted)
}

// wantOnly checks what lies in the folder of packs.
func (b *borne) wantOnly(names ...string) {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.dir, "content"))
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		b.t.Errorf("there are %v, not %v", got, names)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v; wanted %v", err, want)
	}
}

// bytesOf are so many bytes that are like no others.
func bytesOf(seed, size int) []byte {
	data := make([]byte, 0, size+32)
	for i := 0; len(data) < size; i++ {
		sum := sha256.Sum256(fmt.Append(nil, seed, "/", i))
		data = append(data, sum[:]...)
	}
	return data[:size]
}

func folderOf(files map[string][]byte) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, data := range files {
		folder[name] = &fstest.MapFile{Data: data}
	}
	return folder
}

// one and two are two versions that have much in common.
func one() fstest.MapFS {
	return folderOf(map[string][]byte{"level.yaml": []byte("one"), "demarches/a.yaml": bytesOf(1, 900), "demarches/themes.yaml": bytesOf(2, 50),
		"fiches/F1.xml": bytesOf(3, 300<<10), "textes/fr.toml": {}})
}

func two() fstest.MapFS {
	folder := one()
	folder["level.yaml"] = &fstest.MapFile{Data: []byte("two")}
	folder["fiches/F2.xml"] = &fstest.MapFile{Data: bytesOf(4, 200<<10)}
	folder["fiches/copie/F1.xml"] = folder["fiches/F1.xml"]
	delete(folder, "demarches/a.yaml")
	return folder
}
