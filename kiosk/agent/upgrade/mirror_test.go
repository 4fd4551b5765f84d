package upgrade_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
)

// hub hands out a repository over lines that break.
type hub struct {
	mu     sync.Mutex
	files  map[string][]byte // by path under /v1/apt/
	breaks int               // bytes after which a line breaks; 0: never
	ranges []string          // asked for, of packages
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/v1/apt/"))
	h.mu.Lock()
	data, ok := h.files[path]
	breaks := h.breaks
	if strings.HasPrefix(path, "pool/") {
		h.ranges = append(h.ranges, r.Header.Get("Range"))
	}
	h.mu.Unlock()
	if err != nil || !ok {
		w.Header().Set("Content-Type", link.MediaProblemJSON)
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"type":%q,"status":404}`, link.ProblemUnknown)
		return
	}
	if breaks > 0 {
		w = &brittle{w, breaks}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// brittle breaks the line once it has carried so many bytes.
type brittle struct {
	http.ResponseWriter
	left int
}

func (b *brittle) Write(p []byte) (int, error) {
	if len(p) > b.left {
		b.ResponseWriter.Write(p[:b.left])
		http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	b.left -= len(p)
	return b.ResponseWriter.Write(p)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// offer makes the repository of some versions.
func (h *hub) offer(t *testing.T, versions map[string][]byte) {
	t.Helper()
	var index bytes.Buffer
	w := gzip.NewWriter(&index)
	files := make(map[string][]byte)
	for version, deb := range versions {
		path := "pool/" + sum(deb)[:8] + "/parvis-borne_" + version + ".deb"
		files[path] = deb
		fmt.Fprintf(w, "Package: parvis-borne\nVersion: %s\nFilename: %s\nSize: %d\nSHA256: %s\nDescription: essai\n Size: 3\n\n", version, path, len(deb), sum(deb))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	folder := "main/binary-" + runtime.GOARCH + "/"
	files["dists/parvis/InRelease"] = fmt.Appendf(nil, "SHA256:\n %s %d %sPackages.gz\n", sum(index.Bytes()), index.Len(), folder)
	files["dists/parvis/"+folder+"by-hash/SHA256/"+sum(index.Bytes())] = index.Bytes()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files = files
}

func newUpgrader(t *testing.T, h *hub) (u *upgrade.Upgrader, dir string, started *int) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(discard{}, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	client, err := link.NewClient(link.ClientOptions{Hub: s.URL, TLS: &tls.Config{RootCAs: roots, ServerName: "example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	dir, started = t.TempDir(), new(int)
	u = upgrade.New(upgrade.Options{Dir: dir, Client: client, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Good: func(time.Time) bool { return true }, Start: func(context.Context) error { *started++; return nil }})
	return u, dir, started
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func random(n int, seed byte) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func mirrored(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	err := filepath.WalkDir(filepath.Join(dir, "apt"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found[sum(data)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A package comes over lines that break, each a little further, and then root's
// half is asked.
func TestMirrorOverBadLines(t *testing.T) {
	t.Parallel()
	deb := random(1_000_000, 1)
	h := &hub{breaks: 300_000}
	h.offer(t, map[string][]byte{"1.5.0": deb, "1.4.0": random(10, 2)})
	u, dir, started := newUpgrader(t, h)
	if err := u.Begin(t.Context(), "1.5.0"); err != nil {
		t.Fatal(err)
	}
	if found := mirrored(t, dir); !found[sum(deb)] || len(found) != 3 {
		t.Errorf("mirrored: %v", found)
	}
	request, err := os.ReadFile(filepath.Join(dir, "upgrade/request.json"))
	if err != nil || string(request) != `{"version":"1.5.0"}` || *started != 1 {
		t.Errorf("request %s, %v, started %d times", request, err, *started)
	}
	if len(h.ranges) < 4 || h.ranges[0] != "" || h.ranges[1] == "" {
		t.Errorf("asked for %q", h.ranges)
	}
	asked := len(h.ranges)
	if err := u.Begin(t.Context(), "1.5.0"); err != nil || len(h.ranges) != asked {
		t.Errorf("again: %v, and asked for %q", err, h.ranges[asked:])
	}
}

// What was fetched before a line went for good is not fetched again.
func TestMirrorGoesOn(t *testing.T) {
	t.Parallel()
	deb := random(500_000, 1)
	h := new(hub)
	h.offer(t, map[string][]byte{"1.5.0": deb})
	u, dir, _ := newUpgrader(t, h)
	part := filepath.Join(dir, "apt/pool", sum(deb)[:8], "parvis-borne_1.5.0.deb.part")
	if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, deb[:400_000], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := u.Begin(t.Context(), "1.5.0"); err != nil {
		t.Fatal(err)
	}
	if len(h.ranges) != 1 || h.ranges[0] != "bytes=400000-" {
		t.Errorf("asked for %q", h.ranges)
	}
	// A part that isn't one is noticed, and begun again.
	h.offer(t, map[string][]byte{"1.6.0": deb[1:]})
	part = filepath.Join(dir, "apt/pool", sum(deb[1:])[:8], "parvis-borne_1.6.0.deb.part")
	if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, random(300_000, 3), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := u.Begin(t.Context(), "1.6.0"); err == nil || errors.Is(err, upgrade.ErrUnfit) {
		t.Errorf("damaged: %v", err)
	}
	if err := u.Begin(t.Context(), "1.6.0"); err != nil {
		t.Errorf("the next time: %v", err)
	}
	if found := mirrored(t, dir); found[sum(deb)] || !found[sum(deb[1:])] {
		t.Errorf("the version before is still there, or the new one isn't: %v", found)
	}
}

func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	h := new(hub)
	h.offer(t, map[string][]byte{"1.5.0": random(10, 1)})
	u, dir, started := newUpgrader(t, h)
	for _, version := range []string{"1.6.0", "", "../1.5.0", "-o", "1.5.0 x", "1.5.0\n"} {
		if err := u.Begin(t.Context(), version); !errors.Is(err, upgrade.ErrUnfit) {
			t.Errorf("%q: %v", version, err)
		}
	}
	h.mu.Lock()
	for path := range h.files {
		if strings.Contains(path, "by-hash") {
			h.files[path] = append([]byte(nil), h.files[path][1:]...)
		}
	}
	h.mu.Unlock()
	if err := u.Begin(t.Context(), "1.5.0"); err == nil || !strings.Contains(err.Error(), "abîmé") {
		t.Errorf("another index than InRelease says: %v", err)
	}
	if *started != 0 {
		t.Errorf("root's half was started %d times", *started)
	}
	if r, err := u.Last(); err != nil || r != (upgrade.Result{}) {
		t.Errorf("last result %+v, %v", r, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "upgrade"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "upgrade/result.json"), []byte(`{"from":"1.4.0","to":"1.5.0","state":"failed","why":"parce que"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := u.Last(); err != nil || r.To != "1.5.0" || r.State != link.Failed || r.Why != "parce que" {
		t.Errorf("last result %+v, %v", r, err)
	}
}
