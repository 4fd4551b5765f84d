package apt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parvis/hub/apt"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// hub is a repository that is served, whose clock a test sets.
type hub struct {
	*apt.Repository
	store *store.Store
	key   *seal.Key
	url   string // of the repository
	now   atomic.Int64
	spoil atomic.Pointer[func(path string, body []byte) []byte] // what somebody on the way does
}

func (h *hub) time() time.Time { return time.Unix(h.now.Load(), 0) }

func mustHub(t *testing.T, st *store.Store, key *seal.Key) *hub {
	t.Helper()
	h := &hub{store: st, key: key}
	h.now.Store(time.Now().Add(-time.Hour).Unix())
	r, err := apt.Open(t.Context(), key, st, h.time)
	if err != nil {
		t.Fatal(err)
	}
	h.Repository = r
	inner := r.Handler("/apt/", slog.New(slog.DiscardHandler))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		spoil := h.spoil.Load()
		if spoil == nil {
			inner.ServeHTTP(w, q)
			return
		}
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, q)
		body := (*spoil)(q.URL.Path, rec.Body.Bytes())
		w.WriteHeader(rec.Code)
		w.Write(body)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL + "/apt"
	return h
}

// newHub makes a hub of its own on SQLite.
func newHub(t *testing.T) *hub {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return mustHub(t, st, newKey(t))
}

func newKey(t *testing.T) *seal.Key {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// deb builds a sound package.
func deb(t *testing.T, name, version, compression string) []byte {
	t.Helper()
	return build(t, fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: Ville <it@ville.fr>\n"+
		"Description: essai\n sur deux lignes\n", name, version), compression)
}

// build builds a package by dpkg-deb.
func build(t *testing.T, control, compression string) []byte {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Fatalf("%v (Debian package dpkg)", err)
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	if err := os.MkdirAll(filepath.Join(root, "DEBIAN"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "out.deb")
	if out, err := exec.Command("dpkg-deb", "--nocheck", "--root-owner-group", "-Z"+compression, "--build", root, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (h *hub) mustPublish(t *testing.T, data []byte) store.Software {
	t.Helper()
	p, err := h.Publish(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *hub) get(t *testing.T, path string) string {
	t.Helper()
	f, err := h.File(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(data)
}

// client is a machine that takes packages: the real apt, with folders of its own.
type client struct {
	t   *testing.T
	dir string
}

// newClient trusts a key and no other.
func newClient(t *testing.T, key []byte, url string) *client {
	t.Helper()
	c := &client{t, t.TempDir()}
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial", "etc"} {
		if err := os.MkdirAll(filepath.Join(c.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"status": "", "etc/key.asc": string(key),
		// Of the machine's own settings none counts: they may be laxer.
		"apt.conf":         "Dir::Etc::parts \"/nowhere\";\nDir::Etc::main \"/nowhere\";\n",
		"etc/sources.list": fmt.Sprintf("deb [signed-by=%s arch=amd64] %s parvis main\n", filepath.Join(c.dir, "etc/key.asc"), url),
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// apt runs apt-get, for which every warning of an update is an error.
func (c *client) apt(args ...string) (string, error) {
	in := func(path string) string { return filepath.Join(c.dir, path) }
	cmd := exec.Command("apt-get", append([]string{
		"-o", "Dir::State=" + in("state"), "-o", "Dir::Cache=" + in("cache"), "-o", "Dir::State::status=" + in("status"),
		"-o", "Dir::Etc=" + in("etc"), "-o", "Dir::Etc::sourcelist=" + in("etc/sources.list"), "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::Etc::trusted=/nowhere", "-o", "Dir::Etc::trustedparts=/nowhere", "-o", "APT::Sandbox::User=root",
		"-o", "Acquire::Languages=none", "-o", "APT::Update::Error-Mode=any", "-o", "Debug::NoLocking=true",
		"-o", "APT::Architecture=amd64", "-o", "APT::Architectures=amd64", "-o", "Acquire::Retries=0",
	}, args...)...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "APT_CONFIG=" + in("apt.conf")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *client) must(args ...string) string {
	c.t.Helper()
	out, err := c.apt(args...)
	if err != nil {
		c.t.Fatalf("apt-get %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// The real apt takes what was published, over HTTP and with each compression.
func TestApt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c := newClient(t, h.Key(), h.url)
	c.must("update") // there is nothing yet, and nothing wrong either
	first := deb(t, "parvis-borne", "1.4.0", "gzip")
	h.mustPublish(t, first)
	h.mustPublish(t, deb(t, "parvis-hub", "1:1.4.0", "xz"))
	c.must("update")
	if out := c.must("--print-uris", "-qq", "-y", "install", "parvis-borne"); !strings.Contains(out, h.url+"/pool/") {
		t.Errorf("apt would take %q", out)
	}
	c.must("download", "parvis-borne=1.4.0", "parvis-hub=1:1.4.0")
	got, err := os.ReadFile(filepath.Join(c.dir, "parvis-borne_1.4.0_amd64.deb"))
	if err != nil || !bytes.Equal(got, first) {
		t.Errorf("downloaded %d bytes, %v", len(got), err)
	}
	h.now.Add(60)
	h.mustPublish(t, deb(t, "parvis-borne", "1.5.0~rc1", "zstd"))
	c.must("update")
	c.must("download", "parvis-borne")
	if _, err := os.Stat(filepath.Join(c.dir, "parvis-borne_1.5.0~rc1_amd64.deb")); err != nil {
		t.Error(err)
	}
	h.now.Add(60)
	if err := h.store.RemoveSoftware(t.Context(), "parvis-borne", "1.5.0~rc1", h.time()); err != nil {
		t.Fatal(err)
	}
	c.must("update")
	if out, err := c.apt("download", "parvis-borne=1.5.0~rc1"); err == nil {
		t.Errorf("a removed package is still there:\n%s", out)
	}
}

// What somebody on the way may do: apt takes none of it.
func TestAttacks(t *testing.T) {
	t.Parallel()
	h, stranger := newHub(t), newHub(t)
	h.mustPublish(t, deb(t, "parvis-borne", "1.4.0", "gzip"))
	older := h.get(t, "dists/parvis/InRelease")
	olderPackages := h.get(t, "dists/parvis/main/binary-amd64/Packages")
	h.now.Add(600)
	h.mustPublish(t, deb(t, "parvis-borne", "1.5.0", "gzip"))
	swap := func(path, from, to string) func(string, []byte) []byte {
		return func(at string, body []byte) []byte {
			if !strings.Contains(at, path) {
				return body
			}
			return bytes.Replace(body, []byte(from), []byte(to), 1)
		}
	}
	for name, attack := range map[string]struct {
		spoil func(string, []byte) []byte
		want  string // what apt says of it
	}{
		"InRelease changed": {swap("InRelease", "Label: Parvis", "Label: Autre!"), "BADSIG"},
		"InRelease without signature": {func(at string, body []byte) []byte {
			if strings.HasSuffix(at, "InRelease") || strings.HasSuffix(at, "Release.gpg") {
				return []byte("not signed\n")
			}
			return body
		}, "Clearsigned file isn't valid"},
		"Packages changed": {swap("by-hash", "\x1f\x8b", "\x1f\x8c"), "Hash Sum mismatch"},
		"Packages of another time": {func(at string, body []byte) []byte {
			if strings.Contains(at, "by-hash") || strings.HasSuffix(at, "Packages") {
				return []byte(olderPackages)
			}
			return body
		}, "unexpected size"},
		"InRelease of another key": {func(at string, body []byte) []byte {
			if strings.HasSuffix(at, "InRelease") {
				return []byte(stranger.get(t, "dists/parvis/InRelease"))
			}
			return body
		}, "NO_PUBKEY"},
	} {
		t.Run(name, func(t *testing.T) {
			h.spoil.Store(&attack.spoil)
			c := newClient(t, h.Key(), h.url)
			out, err := c.apt("update")
			if err == nil || !strings.Contains(out, attack.want) {
				t.Errorf("update: %v, want %q\n%s", err, attack.want, out)
			}
			if out, err := c.apt("download", "parvis-borne"); err == nil {
				t.Errorf("apt takes the package in spite of it:\n%s", out)
			}
		})
	}
	t.Run("package changed", func(t *testing.T) {
		h.spoil.Store(nil)
		c := newClient(t, h.Key(), h.url)
		c.must("update")
		spoil := swap("/pool/", "control", "kontrol")
		h.spoil.Store(&spoil)
		if out, err := c.apt("download", "parvis-borne"); err == nil || !strings.Contains(out, "Hash Sum mismatch") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("older", func(t *testing.T) {
		h.spoil.Store(nil)
		c := newClient(t, h.Key(), h.url)
		c.must("update")
		spoil := func(at string, body []byte) []byte {
			switch {
			case strings.HasSuffix(at, "InRelease"):
				return []byte(older)
			case strings.Contains(at, "by-hash"), strings.HasSuffix(at, "Packages"):
				return []byte(olderPackages)
			}
			return body
		}
		h.spoil.Store(&spoil)
		c.apt("update") // it keeps what it had, with or without a word
		if out := c.must("--print-uris", "-qq", "-y", "install", "parvis-borne"); !strings.Contains(out, "parvis-borne_1.5.0_amd64.deb") {
			t.Errorf("apt has gone back: %s", out)
		}
	})
	t.Run("expired", func(t *testing.T) {
		h.spoil.Store(nil)
		now := h.now.Load()
		h.now.Add(-9 * 24 * 3600)
		held := newHubLike(t, h).get(t, "dists/parvis/InRelease")
		h.now.Store(now)
		spoil := func(at string, body []byte) []byte {
			if strings.HasSuffix(at, "InRelease") {
				return []byte(held)
			}
			return body
		}
		h.spoil.Store(&spoil)
		if out, err := newClient(t, h.Key(), h.url).apt("update"); err == nil || !strings.Contains(out, "is expired") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// newHubLike is a hub with the same key and an empty database, by the clock of
// h as it is now.
func newHubLike(t *testing.T, h *hub) *hub {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hub.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	sealed, err := h.store.Secret(t.Context(), "apt")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.PutSecret(t.Context(), "apt", sealed); err != nil {
		t.Fatal(err)
	}
	other := mustHub(t, st, h.key)
	other.now.Store(h.now.Load())
	return other
}

// Any number of hubs over one database serve the same bytes, and renew how long
// they hold.
func TestHubsAgree(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			dsn, key := fresh(t), newKey(t)
			a, b := mustHub(t, storetest.Open(t, dsn), key), mustHub(t, storetest.Open(t, dsn), key)
			// Months before the day that both were opened by: a wrong clock was mended.
			a.now.Store(time.Date(2026, 3, 22, 10, 0, 0, 0, time.UTC).Unix())
			b.now.Store(a.now.Load() + 7000)
			if !bytes.Equal(a.Key(), b.Key()) {
				t.Fatal("two hubs, two keys")
			}
			a.mustPublish(t, deb(t, "parvis-borne", "1.4.0", "gzip"))
			files := []string{"InRelease", "Release", "Release.gpg", "main/binary-amd64/Packages", "main/binary-arm64/Packages.gz"}
			for _, file := range files {
				file = "dists/parvis/" + file
				if one, other := a.get(t, file), b.get(t, file); one != other || one != a.get(t, file) {
					t.Errorf("%s is another from the other hub, or the second time:\n%s\n%s", file, one, other)
				}
			}
			before := a.get(t, "dists/parvis/Release")
			if !strings.Contains(before, "Date: Sun, 22 Mar 2026 10:00:00 UTC\nValid-Until: Sun, 29 Mar 2026 10:00:00 UTC\n") {
				t.Errorf("Release:\n%s", before)
			}
			a.now.Add(20 * 3600)
			if after := a.get(t, "dists/parvis/Release"); !strings.Contains(after, "Valid-Until: Mon, 30 Mar 2026 00:00:00 UTC\n") {
				t.Errorf("Release a day later:\n%s", after)
			}
		})
	}
}

// Who has read InRelease before a change still finds the index that it names.
func TestByHash(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var sums []string
	for i := range 3 {
		h.mustPublish(t, deb(t, "parvis-borne", fmt.Sprintf("1.%d.0", i), "gzip"))
		for line := range strings.Lines(h.get(t, "dists/parvis/Release")) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[2] == "main/binary-amd64/Packages.gz" {
				sums = append(sums, fields[0])
			}
		}
		h.now.Add(60)
	}
	if len(sums) != 3 || sums[0] == sums[1] {
		t.Fatalf("sums: %v", sums)
	}
	for _, sum := range sums {
		h.get(t, "dists/parvis/main/binary-amd64/by-hash/SHA256/"+sum)
	}
	for _, path := range []string{"", "dists/parvis/main/binary-amd64/by-hash/SHA256/" + strings.Repeat("0", 64), "pool/../parvis.asc", "dists/parvis/main"} {
		if _, err := h.File(t.Context(), path); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	good := deb(t, "parvis-borne", "1.4.0", "gzip")
	for name, data := range map[string][]byte{
		"nothing": nil, "a text": []byte("bonjour"), "cut short": good[:100], "cut in the control": good[:140],
		"size that lies":     bytes.Replace(good, []byte("control.tar.gz  "), []byte("control.tar.lz  "), 1),
		"no version":         build(t, "Package: parvis-borne\nArchitecture: amd64\n", "gzip"),
		"field of the index": build(t, "Package: parvis-borne\nVersion: 1.4.0\nArchitecture: amd64\nFilename: ../x\n", "gzip"),
		"two paragraphs":     build(t, "Package: a1\nVersion: 1\nArchitecture: amd64\n\nPackage: b1\n", "gzip"),
		"strange version":    build(t, "Package: a1\nVersion: 1/../2\nArchitecture: amd64\n", "gzip"),
	} {
		if _, err := h.Publish(t.Context(), data); !errors.Is(err, apt.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.mustPublish(t, good)
	h.mustPublish(t, good)
	other := deb(t, "parvis-borne", "1.4.0", "xz")
	if _, err := h.Publish(t.Context(), other); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same version with another content: %v", err)
	}
	if err := h.store.RemoveSoftware(t.Context(), "parvis-borne", "1.4.0", h.time()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Publish(t.Context(), other); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same, once the first was removed: %v", err)
	}
	h.mustPublish(t, good)
	if all, err := h.store.Softwares(t.Context()); err != nil || len(all) != 1 || !all[0].Removed.IsZero() {
		t.Errorf("packages: %+v, %v", all, err)
	}
	if err := h.store.RemoveSoftware(t.Context(), "parvis-borne", "1.3.0", h.time()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removing what isn't there: %v", err)
	}
}

func FuzzControl(f *testing.F) {
	f.Add([]byte("!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := apt.ReadControl(data); err == nil && c.Package == "" {
			t.Errorf("a package without a name: %+v", c)
		}
	})
}

// bare runs a script on a machine whose apt knows of no repository yet, in a mount
// namespace of its own.
const bare = `set -e
mount -t tmpfs none /run
mkdir -p /run/etc/up /run/etc/work /run/lists
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/up,workdir=/run/etc/work none /etc
mount --bind /run/lists /var/lib/apt/lists
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
exec sh -s CODE`

// A hub whose packages cannot be read is not told to lack them.
func TestOneCommandWithoutRepository(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may make a machine of its own")
	}
	h := newHub(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	silent := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(silent.Close)
	for name, c := range map[string]struct{ console, want string }{
		"nobody answers": {gone.URL, "Le dépôt du hub n’a pas pu être lu."},
		"another server": {silent.URL, "Le dépôt du hub n’a pas pu être lu."},
		"nothing in it":  {strings.TrimSuffix(h.url, "/apt"), "Le hub n’offre pas encore le logiciel des bornes."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler, err := h.OneCommand(c.console, "parvis.ville.fr:8443")
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/borne", nil))
			cmd := exec.Command("unshare", "--mount", "sh", "-c", bare)
			cmd.Stdin = rec.Body
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "ÉCHEC : "+c.want) {
				t.Errorf("%v, want %q in\n%s", err, c.want, out)
			}
		})
	}
}

// The script for new bornes is sound shell, whatever the addresses.
func TestOneCommandIsShell(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Fatalf("%v (Debian package shellcheck)", err)
	}
	h := newHub(t)
	for _, console := range []string{"https://parvis.ville.fr", "https://l'autre.ville.fr/;reboot/"} {
		handler, err := h.OneCommand(console, "parvis.ville.fr:8443")
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/borne", nil))
		script := rec.Body.String()
		if rec.Code != http.StatusOK || !strings.Contains(script, string(h.Key())) {
			t.Errorf("%d, without the key:\n%s", rec.Code, script)
		}
		check := exec.Command("shellcheck", "--shell=sh", "-")
		check.Stdin = strings.NewReader(script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if _, err := h.OneCommand("https://a\nreboot", "b"); err == nil {
		t.Error("an address of two lines is taken")
	}
}
