package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"parvis/hub/api"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// random is some bytes and their hash.
func random(size int, seed uint64) (data []byte, sum string) {
	data = make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(data) // never fails
	hash := sha256.Sum256(data)
	return data, hex.EncodeToString(hash[:])
}

// keep keeps a file that bornes may fetch.
func (h *hub) keep(data []byte) {
	h.t.Helper()
	if _, err := h.store.PutFile(h.t.Context(), data, h.clock.now()); err != nil {
		h.t.Fatal(err)
	}
}

func TestFile(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b := h.enrol("MN-01")
		data, sum := random(3<<20+12345, 1)
		h.keep(data)
		for _, from := range []int64{0, 1, 256<<10 - 1, 256 << 10, 3 << 20, int64(len(data)) - 1} {
			body, at, size, err := b.File(t.Context(), "/files/"+sum, from)
			if err != nil {
				t.Fatalf("from %d: %v", from, err)
			}
			got, err := io.ReadAll(body)
			body.Close()
			if err != nil || at != from || size != int64(len(data)) || !bytes.Equal(got, data[from:]) {
				t.Errorf("from %d: %d bytes from %d of %d, %v", from, len(got), at, size, err)
			}
		}
		a := h.ask(b.raw(), http.MethodGet, "/v1/files/"+sum, nil, "Range: bytes=10-19")
		if a.status != http.StatusPartialContent || !bytes.Equal(a.body, data[10:20]) || a.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("a piece: %d, %d bytes, %v", a.status, len(a.body), a.header)
		}
		a = h.ask(b.raw(), http.MethodGet, "/v1/files/"+sum, nil, "Range: bytes=99999999-")
		if a.status != http.StatusRequestedRangeNotSatisfiable || a.problem.Type != link.ProblemInvalid || a.header.Get("Content-Range") == "" {
			t.Errorf("beyond the end: %d %v %s", a.status, a.header, a.body)
		}
		// Dropped while a borne is at it: the borne sees that it is not whole.
		body, _, _, err := b.File(t.Context(), "/files/"+sum, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if err := h.store.RemoveFiles(t.Context(), sum); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err == nil {
			t.Errorf("%d bytes of a dropped file, without an error", len(got))
		}
		_, _, _, err = b.File(t.Context(), "/files/"+sum, 0)
		wantProblem(t, err, link.ProblemUnknown)
	})
}

// A profile goes to the bornes that should have it, and to no other.
func TestProfilesAreWithheld(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		first, second, third := h.enrol("MN-01"), h.enrol("MN-02"), h.enrol("MN-03")
		data, sum := random(2000, 1)
		h.keep(data)
		want := func(b *borne, bornes ...string) {
			t.Helper()
			wanted := make(map[string]link.File)
			for _, name := range []string{"MN-01", "MN-02"} {
				wanted[name] = link.File{SHA256: strings.Repeat("ab", 32), Size: 1}
			}
			for _, name := range bornes {
				wanted[name] = link.File{SHA256: sum, Size: int64(len(data))}
			}
			if err := h.store.WantProfiles(t.Context(), wanted); err != nil {
				t.Fatal(err)
			}
			body, _, _, err := b.File(t.Context(), "/files/"+sum, 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if body.Close(); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
		refused := func(bornes ...*borne) {
			t.Helper()
			for _, b := range bornes {
				_, _, _, err := b.File(t.Context(), "/files/"+sum, 0)
				wantProblem(t, err, link.ProblemUnknown)
			}
		}
		want(third) // nobody's profile
		want(first, "MN-01")
		refused(second, third)
		want(second, "MN-02", "MN-01")
		want(first, "MN-02", "MN-01")
		refused(third)
		want(second, "MN-02")
		refused(first, third)
	})
}

func TestFilesKept(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		data, sum := random(300<<10, 0)
		for range 2 { // the same again is no second one
			if got, err := h.store.PutFile(t.Context(), data, h.clock.now()); err != nil || got != sum {
				t.Errorf("kept as %s, %v; want %s", got, err, sum)
			}
		}
		for what, data := range map[string][]byte{"nothing": nil, "too much": make([]byte, store.MaxFile+1)} {
			if _, err := h.store.PutFile(t.Context(), data, h.clock.now()); err == nil {
				t.Errorf("%s is kept", what)
			}
		}
		f, err := h.store.File(t.Context(), sum)
		if err != nil || f.Size != 300<<10 || f.Added.IsZero() {
			t.Fatalf("%+v, %v", f, err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := h.store.RemoveFiles(t.Context(), sum, "none"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.store.File(t.Context(), sum); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a removed file: %v", err)
		}
	})
}

// What a borne should have reaches it, and the tag tells when that changes.
func TestWanted(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		b, other := h.enrol("MN-01"), h.enrol("MN-02")
		events := h.store.Watch(t.Context())
		tag := ""
		check := func(what string, want link.Wanted) {
			t.Helper()
			answer, err := b.Report(t.Context(), b.report(h.clock.now()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.Wanted(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Tag != answer.Tag || got.Tag == tag {
				t.Errorf("%s: tag %q, in the answer %q, before %q", what, got.Tag, answer.Tag, tag)
			}
			tag, got.Tag = got.Tag, ""
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		answer, err := b.Report(t.Context(), b.report(h.clock.now()))
		if w, err2 := b.Wanted(t.Context()); err != nil || err2 != nil || answer.Tag != "" || w != (link.Wanted{}) {
			t.Fatalf("before anything is wanted: %+v, %+v, %v, %v", answer, w, err, err2)
		}
		profile := link.File{SHA256: strings.Repeat("ab", 32), Size: 1234}
		for range 2 { // wanting the same again changes nothing
			if err := h.store.WantProfiles(t.Context(), map[string]link.File{"MN-01": profile}); err != nil {
				t.Fatal(err)
			}
		}
		check("a profile", link.Wanted{Profile: &profile})
		if err := h.store.WantPack(t.Context(), []string{"MN-02", "MN-01"}, "2026-12"); err != nil {
			t.Fatal(err)
		}
		check("a pack", link.Wanted{Profile: &profile, Pack: "2026-12"})
		if err := h.store.WantSoftware(t.Context(), []string{"MN-01"}, "1.5.0"); err != nil {
			t.Fatal(err)
		}
		check("a program", link.Wanted{Profile: &profile, Pack: "2026-12", Software: "1.5.0"})
		if w, err := other.Wanted(t.Context()); err != nil || w.Profile != nil || w.Pack != "2026-12" || w.Software != "" {
			t.Errorf("the other borne: %+v, %v", w, err)
		}
		wants := 0
		for deadline := time.After(10 * time.Second); wants < 4; {
			select {
			case e := <-events:
				if e.Topic == store.Wants {
					wants++
				}
			case <-deadline:
				t.Fatalf("%d events, want 4", wants)
			}
		}
	})
}

// So many downloads at once that the hub's memory would not do are put off.
func TestDownloadsAreLimited(t *testing.T) {
	t.Parallel()
	h := startHub(t, openSQLite(t))
	b := h.enrol("MN-01")
	data, sum := random(1000, 1)
	h.keep(data)
	release := api.HoldDownloads(h.api)
	_, _, _, err := b.File(t.Context(), "/files/"+sum, 0)
	if p := wantProblem(t, err, link.ProblemBusy); p.Status != http.StatusServiceUnavailable || p.RetryAfter < 30*time.Second {
		t.Errorf("%d, again after %v", p.Status, p.RetryAfter)
	}
	release()
	for range 300 { // each gives its slot back
		body, _, _, err := b.File(t.Context(), "/files/"+sum, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Fatal(err)
		}
		body.Close()
	}
}
