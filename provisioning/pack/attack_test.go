package pack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

// refuses checks that a borne with v1 in use takes nothing of v2, whatever the
// reason, keeps v1, and takes v2 once the attack is over.
func refuses(t *testing.T, want error, attack func(h *hub, before map[string][]byte) (over func())) {
	t.Helper()
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.mustUpdate("v1")
	before := h.snapshot()
	h.publish("v2", two())
	over := attack(h, before)
	for range 2 { // a second attempt finds what the first has left
		wantError(t, b.update("v2"), want)
		if !b.has("v1", one()) {
			t.Error("v1 is no longer what it was")
		}
		b.restart()
	}
	if _, err := os.Stat(filepath.Join(b.dir, "content", "v2")); err == nil {
		t.Error("v2 is there")
	}
	over()
	b.mustUpdate("v2")
	if !b.has("v2", two()) {
		t.Error("v2 is not what was published")
	}
}

// altered hands out other bytes for a file, for the time being.
func altered(h *hub, path string, alter func([]byte) []byte) (over func()) {
	was := h.files[path]
	h.files[path] = alter(bytes.Clone(was))
	return func() { h.files[path] = was }
}

func flip(data []byte) []byte { data[len(data)/2] ^= 1; return data }

func TestTampered(t *testing.T) {
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() { return altered(h, h.current(role), flip) })
		})
		t.Run(role+" that is no JSON", func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
				return altered(h, h.current(role), func([]byte) []byte { return []byte("<html>Bienvenue sur le Wi-Fi</html>") })
			})
		})
	}
	t.Run("manifest", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			return altered(h, "/files/"+h.load().Packs()[0].Manifest, flip)
		})
	})
	t.Run("file", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			return altered(h, "/files/"+hash(two()["fiches/F2.xml"].Data), flip)
		})
	})
	t.Run("file of another size", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			return altered(h, "/files/"+hash(two()["fiches/F2.xml"].Data), func(data []byte) []byte { return append(data, 'x') })
		})
	})
	t.Run("file of another place", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			return altered(h, "/files/"+hash(two()["fiches/F2.xml"].Data), func([]byte) []byte { return []byte("two") })
		})
	})
	t.Run("file gone", func(t *testing.T) {
		refuses(t, pack.ErrUnknown, func(h *hub, _ map[string][]byte) func() {
			return altered(h, "/files/"+hash(two()["fiches/F2.xml"].Data), func([]byte) []byte { return nil })
		})
	})
}

// Every single bit of what is signed counts.
func TestTamperedAnywhere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	b := newBorne(t, h)
	b.fetch = func(ctx context.Context, path string, from int64) (io.ReadCloser, int64, int64, error) { // no network: there are many
		if h.files[path] == nil {
			return nil, 0, 0, &link.Problem{Status: http.StatusNotFound}
		}
		return io.NopCloser(bytes.NewReader(h.files[path][from:])), from, int64(len(h.files[path])), nil
	}
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		path := h.current(role)
		good := h.files[path]
		var signed struct {
			Signed json.RawMessage `json:"signed"`
		}
		if err := json.Unmarshal(good, &signed); err != nil {
			t.Fatal(err)
		}
		start := bytes.Index(good, signed.Signed)
		for i := start; i < start+len(signed.Signed); i += 3 {
			h.files[path] = bytes.Clone(good)
			h.files[path][i] ^= 1
			if err := b.update("v1"); err == nil {
				t.Fatalf("%s: byte %d altered: %s", role, i, h.files[path])
			}
		}
		h.files[path] = good
		b.wantOnly()
	}
	b.mustUpdate("v1")
}

// Rollback: a borne takes nothing older than what it has seen.
func TestOlder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.publish("v1", one())
	before := h.snapshot()
	h.publish("v2", two())
	b := newBorne(t, h)
	b.mustUpdate("v2")
	now := h.snapshot()

	// All of it as it was: v1 was signed once, and nothing is out of date.
	h.files = before
	wantError(t, b.update("v1"), pack.ErrUntrusted)
	b.restart()
	wantError(t, b.update("v1"), pack.ErrUntrusted)

	// An older version that is still signed is no rollback: the publisher wants it.
	h.files = now
	b.mustUpdate("v1")
	b.wantOnly("v1", "v2")

	// A thief with the hub's key, but not the publisher's, signs the old list anew.
	back, err := pack.LoadRepository(func(name string) ([]byte, error) { return before["/pack/"+name], nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // its versions are the newest
		if err := back.Sign(h.online, h.now, pack.TimestampValid); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range back.Changed() {
		h.files["/pack/"+name] = data
	}
	wantError(t, b.update("v1"), pack.ErrUntrusted)
}

// Freeze: what nobody has renewed installs nothing, though all signatures hold.
func TestFrozen(t *testing.T) {
	t.Run("timestamp", func(t *testing.T) {
		refuses(t, pack.ErrExpired, func(h *hub, _ map[string][]byte) func() {
			h.now = h.now.Add(pack.TimestampValid + time.Minute)
			return h.renew
		})
	})
	t.Run("seen before", func(t *testing.T) {
		refuses(t, pack.ErrExpired, func(h *hub, before map[string][]byte) func() {
			now := h.files
			h.files = before
			h.now = h.now.Add(pack.TimestampValid + time.Minute)
			return func() { h.files = now; h.renew() }
		})
	})
	t.Run("targets", func(t *testing.T) {
		refuses(t, pack.ErrExpired, func(h *hub, _ map[string][]byte) func() {
			h.now = h.now.AddDate(2, 0, 1)
			h.renew()
			return func() { h.publish("v3", two()) }
		})
	})
	t.Run("root", func(t *testing.T) {
		refuses(t, pack.ErrExpired, func(h *hub, _ map[string][]byte) func() {
			h.now = h.now.AddDate(5, 0, 1)
			h.publish("v3", two())
			return func() {
				if err := h.rotate(h.roots[:2]); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

// Mix and match: parts that were each signed, but never together.
func TestMixed(t *testing.T) {
	for _, role := range []string{"snapshot", "targets"} {
		t.Run("old "+role, func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, before map[string][]byte) func() {
				old := &repository{t: t, files: before}
				return altered(h, h.current(role), func([]byte) []byte { return before[old.current(role)] })
			})
		})
	}
	t.Run("manifest of another version", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, before map[string][]byte) func() {
			all := h.load().Packs()
			return altered(h, "/files/"+all[0].Manifest, func([]byte) []byte { return h.files["/files/"+all[1].Manifest] })
		})
	})
	t.Run("of another hub", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			other := newRepository(t)
			for range 5 { // newer in every number
				other.publish(fmt.Sprint("w", len(other.files)), two())
			}
			other.publish("v2", two())
			mine := h.files
			h.files = other.files
			h.files["/pack/1.root.json"] = mine["/pack/1.root.json"]
			return func() { h.files = mine }
		})
	})
}

func TestWrongKey(t *testing.T) {
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
				good := h.snapshot()
				h.forge(role, mustKey(t))
				return func() { h.files = good; h.renew() }
			})
		})
		t.Run(role+" without a signature", func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
				return altered(h, h.current(role), func(data []byte) []byte {
					var m map[string]json.RawMessage
					if err := json.Unmarshal(data, &m); err != nil {
						t.Error(err)
					}
					m["signatures"] = json.RawMessage("[]")
					data, err := json.Marshal(m)
					if err != nil {
						t.Error(err)
					}
					return data
				})
			})
		})
	}
	// The hub's own key may not sign packs, nor may a root.
	t.Run("targets by the hub", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			good := h.snapshot()
			h.forge("targets", h.online)
			return func() { h.files = good; h.renew() }
		})
	})
	t.Run("targets by a root", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			good := h.snapshot()
			h.forge("targets", h.roots[0])
			return func() { h.files = good; h.renew() }
		})
	})
}

// Endless: what is read is bounded by what was signed, or by what is reasonable.
func TestEndless(t *testing.T) {
	endless := func(path func(h *hub) string) func(t *testing.T) {
		return func(t *testing.T) {
			refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
				at := link.Prefix + path(h)
				h.meddle = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != at {
						return false
					}
					for {
						if _, err := w.Write(make([]byte, 64<<10)); err != nil {
							return true // the borne has had enough
						}
					}
				}
				return func() { h.meddle = nil }
			})
		}
	}
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		t.Run(role, endless(func(h *hub) string { return h.current(role) }))
	}
	t.Run("root", endless(func(h *hub) string { return "/pack/2.root.json" }))
	t.Run("manifest", endless(func(h *hub) string { return "/files/" + h.load().Packs()[0].Manifest }))
	t.Run("file", endless(func(h *hub) string { return "/files/" + hash(two()["fiches/F2.xml"].Data) }))
	t.Run("announced", func(t *testing.T) {
		refuses(t, pack.ErrUntrusted, func(h *hub, _ map[string][]byte) func() {
			h.meddle = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "timestamp.json") {
					return false
				}
				w.Header().Set("Content-Length", "1000000000000")
				w.WriteHeader(http.StatusOK)
				return true
			}
			return func() { h.meddle = nil }
		})
	})
	t.Run("ever more roots", func(t *testing.T) {
		t.Parallel()
		h := newHub(t)
		h.publish("v1", one())
		b := newBorne(t, h)
		h.meddle = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, ".root.json") {
				return false
			}
			w.Write(h.files["/pack/1.root.json"])
			return true
		}
		wantError(t, b.update("v1"), pack.ErrUntrusted)
	})
}

// What a thief of the publisher's key may sign does not get out of its folder.
func TestHostileManifest(t *testing.T) {
	sum := hash([]byte("one"))
	for name, files := range map[string][]pack.File{
		"outside":            {{Path: "../../identity/pack/root.json", Size: 3, SHA256: sum}},
		"absolute":           {{Path: "/etc/parvis/ouvert", Size: 3, SHA256: sum}},
		"hidden":             {{Path: ".pack.json", Size: 3, SHA256: sum}},
		"hidden folder":      {{Path: "a/.git/config", Size: 3, SHA256: sum}},
		"backslash":          {{Path: `a\b`, Size: 3, SHA256: sum}},
		"twice":              {{Path: "a", Size: 3, SHA256: sum}, {Path: "a", Size: 3, SHA256: sum}},
		"file and folder":    {{Path: "a", Size: 3, SHA256: sum}, {Path: "a/b", Size: 3, SHA256: sum}},
		"nothing":            {},
		"negative":           {{Path: "a", Size: -1, SHA256: sum}},
		"a huge file":        {{Path: "a", Size: 1 << 40, SHA256: sum}},
		"huge together":      {{Path: "a", Size: 200 << 20, SHA256: sum}, {Path: "b", Size: 200 << 20, SHA256: sum}, {Path: "c", Size: 200 << 20, SHA256: sum}, {Path: "d", Size: 200 << 20, SHA256: sum}, {Path: "e", Size: 200 << 20, SHA256: sum}, {Path: "f", Size: 200 << 20, SHA256: sum}},
		"two sizes":          {{Path: "a", Size: 3, SHA256: sum}, {Path: "b", Size: 4, SHA256: sum}},
		"no hash":            {{Path: "a", Size: 3}},
		"a hash like a path": {{Path: "a", Size: 3, SHA256: "../../../../../../../../../../../../../../../../../../etc/shadow0"}},
		"a long name":        {{Path: strings.Repeat("a", 256), Size: 3, SHA256: sum}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.files["/files/"+sum] = []byte("one")
			h.sign(&pack.Manifest{Version: "v1", Made: h.now, Files: files})
			b := newBorne(t, h)
			wantError(t, b.update("v1"), pack.ErrUntrusted)
			b.wantOnly()
		})
	}
	for _, version := range []string{"..", ".new", "current", "", "a/b", "été"} {
		t.Run("version "+version, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.files["/files/"+sum] = []byte("one")
			h.sign(&pack.Manifest{Version: version, Made: h.now, Files: []pack.File{{Path: "a", Size: 3, SHA256: sum}}})
			b := newBorne(t, h)
			wantError(t, b.update(version), pack.ErrUnknown)
			b.wantOnly()
		})
	}
}

// Metadata that is signed and makes no sense stops no program.
func TestSignedNonsense(t *testing.T) {
	for name, tt := range map[string]struct{ role, was, is string }{
		"no snapshot":        {"timestamp", `"snapshot.json"`, `"other.json"`},
		"snapshot is null":   {"timestamp", `"meta":{`, `"meta":{"other.json":null,`},
		"no targets":         {"snapshot", `"targets.json"`, `"other.json"`},
		"null among targets": {"targets", `"targets":{`, `"targets":{"packs/v9.json":null,`},
		"no hashes":          {"targets", `"sha256"`, `"md5"`},
		"negative length":    {"targets", `"length":`, `"length":-`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.publish("v1", one())
			b := newBorne(t, h)
			b.mustUpdate("v1")
			h.publish("v2", two())
			h.resign(tt.role, func(data string) string {
				if !strings.Contains(data, tt.was) {
					t.Fatalf("no %s in %s", tt.was, data)
				}
				return strings.Replace(data, tt.was, tt.is, 1)
			})
			if err := b.update("v2"); err == nil && !b.has("v2", two()) {
				t.Error("taken, and not what was published")
			}
			if !b.has("v1", one()) {
				t.Error("v1 is no longer what it was")
			}
		})
	}
}
