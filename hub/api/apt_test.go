package api_test

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/apt"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// openApt opens the repository of a database, with a key of its own.
func openApt(t testing.TB, st *store.Store) *apt.Repository {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	repository, err := apt.Open(t.Context(), key, st, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

// A borne takes the files of the apt repository over its own line.
func TestApt(t *testing.T) {
	each(t, func(t *testing.T, plain *hub) {
		b := plain.enrol("MN-01")
		if a := plain.ask(b.raw(), http.MethodGet, "/v1/apt/"+url.PathEscape("dists/parvis/InRelease"), nil); a.status != http.StatusNotFound || a.problem.Type != link.ProblemUnknown {
			t.Errorf("a hub without packages: %d %s", a.status, a.problem.Type)
		}
		plain.stop()
		h := startHub(t, plain.store, func(o *api.Options) { o.Apt = openApt(t, plain.store) })
		deb := strings.Repeat("un paquet ", 100_000)
		sum, err := h.store.PutFile(t.Context(), []byte(deb), h.clock.now())
		if err != nil {
			t.Fatal(err)
		}
		err = h.store.PutSoftware(t.Context(), store.Software{Package: "parvis-borne", Version: "1:1.4.0", Architecture: "amd64",
			SHA256: sum, Size: int64(len(deb)), Control: "Package: parvis-borne", Added: h.clock.now()})
		if err != nil {
			t.Fatal(err)
		}
		b = h.enrol("MN-02")
		read := func(path string, from int64) (string, int64) {
			body, at, size, err := b.File(t.Context(), "/apt/"+url.PathEscape(path), from)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			defer body.Close()
			data, err := io.ReadAll(io.LimitReader(body, size-at))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return string(data), at
		}
		if text, _ := read("dists/parvis/InRelease", 0); !strings.HasPrefix(text, "-----BEGIN PGP SIGNED MESSAGE-----\n") {
			t.Errorf("InRelease: %s", text)
		}
		if key, _ := read("parvis.asc", 0); !strings.HasPrefix(key, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n") {
			t.Errorf("the key: %s", key)
		}
		index, _ := read("dists/parvis/main/binary-amd64/Packages", 0)
		_, path, _ := strings.Cut(index, "\nFilename: ")
		path, _, _ = strings.Cut(path, "\n")
		if got, at := read(path, 700_000); at != 700_000 || got != deb[700_000:] {
			t.Errorf("the rest of the package: %d bytes from %d", len(got), at)
		}
		for _, path := range []string{"dists/parvis/Nothing", "../files/" + sum, "pool/x"} {
			if a := h.ask(b.raw(), http.MethodGet, "/v1/apt/"+url.PathEscape(path), nil); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		if a := h.ask(h.stranger(), http.MethodGet, "/v1/apt/"+url.PathEscape("dists/parvis/InRelease"), nil); a.status != http.StatusUnauthorized {
			t.Errorf("a stranger: %d", a.status)
		}
	})
}
