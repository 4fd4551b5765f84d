package enrol_test

import (
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
	"parvis/provisioning/enrol"
)

// An answer that was lost is given again, and the code is used once.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	code := h.code("MN-01")
	h.loseAnswers(2)
	for n := range 2 {
		_, err := enrol.Enrol(t.Context(), h.URL, code, dir, enrol.Options{})
		if err == nil || !strings.Contains(err.Error(), "peut être refaite") {
			t.Fatalf("attempt %d: %v", n, err)
		}
		if _, err := enrol.Load(dir); !errors.Is(err, enrol.ErrNotEnrolled) {
			t.Errorf("attempt %d: %v", n, err)
		}
	}
	id, err := enrol.Enrol(t.Context(), h.URL, code, dir, enrol.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := report(t, id); err != nil {
		t.Error(err)
	}

	h.pass(5 * 24 * time.Hour)
	serial := id.Serial()
	for n := range 2 {
		h.loseAnswers(1)
		if err := renew(t, id); err == nil {
			t.Fatalf("renewal %d: the answer came", n)
		}
		if id.Serial() != serial || mustLoad(t, dir).Serial() != serial {
			t.Errorf("renewal %d: another certificate", n)
		}
		if err := report(t, mustLoad(t, dir)); err != nil {
			t.Errorf("renewal %d: %v", n, err)
		}
	}
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	if err := report(t, mustLoad(t, dir)); err != nil || id.Serial() == serial {
		t.Errorf("after a renewal: %v", err)
	}
	if n := h.registry.clones("MN-01"); n != 0 {
		t.Errorf("%d alerts of two machines", n)
	}
}

// The key is new with each certificate, and each key that was asked with is
// used for nothing else.
func TestKeys(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	seen := map[any]bool{publicKey(t, id): true}
	isNew := func(what string, id *enrol.Identity) {
		t.Helper()
		key := publicKey(t, id)
		if seen[key] {
			t.Errorf("%s: the key of another certificate", what)
		}
		seen[key] = true
	}
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	isNew("renewal", id)

	// The key of a renewal whose answer was lost is not used to enrol anew:
	// somebody may have copied it with the rest.
	var waiting string
	lose := func(_ context.Context, r link.RenewRequest) (link.Enrolled, error) {
		waiting = keyOf(t, r.CSR)
		return link.Enrolled{}, errors.New("lost")
	}
	for range 2 {
		before := waiting
		if err := id.Renew(t.Context(), lose); err == nil {
			t.Fatal("the answer came")
		}
		if before != "" && waiting != before {
			t.Error("the renewal was repeated with another key")
		}
	}
	seen[waiting] = true
	isNew("enrolment anew", mustEnrol(t, h, "MN-01", dir))
	if _, err := os.Stat(filepath.Join(dir, "identity", "next.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key waits though nothing was asked: %v", err)
	}
}

func publicKey(t *testing.T, id *enrol.Identity) string {
	t.Helper()
	c, err := id.TLS().GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.Leaf.RawSubjectPublicKeyInfo)
}

func keyOf(t *testing.T, csr []byte) string {
	t.Helper()
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.RawSubjectPublicKeyInfo)
}

// The command may be given again after it was done: nothing is asked twice.
func TestEnrolledAlready(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	code := h.code("MN-01")
	var serials []string
	for range 2 {
		id, err := enrol.Enrol(t.Context(), h.URL, code, dir, enrol.Options{})
		if err != nil {
			t.Fatal(err)
		}
		serials = append(serials, id.Serial())
	}
	if n := h.requests(); n != 1 || serials[0] != serials[1] {
		t.Errorf("%d requests, certificates %v", n, serials)
	}
}

// A running agent notices that IT has enrolled the borne anew.
func TestEnrolledMeanwhile(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	mustEnrol(t, h, "MN-02", dir)
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	if id.Borne() != "MN-02" || mustLoad(t, dir).Borne() != "MN-02" {
		t.Errorf("the agent is %s, the disk has %s", id.Borne(), mustLoad(t, dir).Borne())
	}
	if err := report(t, id); err != nil {
		t.Error(err)
	}
}

// Answers that don't fit are refused, and leave everything as it was.
func TestAnswersThatDontFit(t *testing.T) {
	t.Parallel()
	h, other := newHub(t), newHub(t)
	dir := t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	stolen := mustEnrol(t, h, "MN-02", t.TempDir())
	cert, err := stolen.TLS().GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := mustServer(t, h)
	tests := []struct {
		name  string
		spoil func(*testing.T, *link.Enrolled, link.RenewRequest)
	}{
		{"nothing", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) { *e = link.Enrolled{} }},
		{"another borne", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) { e.Borne = "MN-02" }},
		{"another borne's certificate", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) {
			e.Borne, e.Chain = "MN-02", cert.Certificate
		}},
		{"this key for another borne", func(t *testing.T, e *link.Enrolled, r link.RenewRequest) {
			e.Borne, e.Chain = "MN-02", issue(t, h.authority, "MN-02", r.CSR)
		}},
		{"this key for another borne, under this one's name", func(t *testing.T, e *link.Enrolled, r link.RenewRequest) {
			e.Chain = issue(t, h.authority, "MN-02", r.CSR)
		}},
		{"another key", func(t *testing.T, e *link.Enrolled, _ link.RenewRequest) {
			e.Chain = issue(t, h.authority, "MN-01", csrFor(t, elliptic.P256()))
		}},
		{"another authority", func(t *testing.T, e *link.Enrolled, r link.RenewRequest) {
			e.Chain, e.Authority = issue(t, other.authority, "MN-01", r.CSR), other.authority.Certificate().Raw
		}},
		{"another authority's certificate", func(t *testing.T, e *link.Enrolled, r link.RenewRequest) {
			e.Chain = issue(t, other.authority, "MN-01", r.CSR)
		}},
		{"a hub's certificate", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) { e.Chain = server.Certificate }},
		{"no certificate", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) { e.Chain = [][]byte{{1, 2, 3}} }},
		{"no recipient", func(_ *testing.T, e *link.Enrolled, _ link.RenewRequest) { e.Recipient = "age1…" }},
	}
	for _, tt := range tests {
		serial := id.Serial()
		err := id.Renew(t.Context(), func(ctx context.Context, r link.RenewRequest) (link.Enrolled, error) {
			e, err := as(t, h.URL, id.TLS()).Renew(ctx, r)
			tt.spoil(t, &e, r)
			return e, err
		})
		if err == nil || !strings.Contains(err.Error(), "réponse du hub inutilisable") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if again := mustLoad(t, dir); id.Serial() != serial || again.Serial() != serial {
			t.Errorf("%s: the identity has changed", tt.name)
		}
	}
	for _, err := range []error{report(t, id), renew(t, id), report(t, id)} {
		if err != nil {
			t.Error(err)
		}
	}
}

func issue(t *testing.T, a *ca.Authority, borne string, csr []byte) [][]byte {
	t.Helper()
	r, err := ca.ParseRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.Client(r, borne, ca.NewGrant(time.Now(), time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

// A hub that shows the authority of the code and then names another is refused.
func TestTwoAuthorities(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	h.registrar.Authority = newHub(t).authority
	if _, err := enrol.Enrol(t.Context(), h.URL, h.code("MN-01"), dir, enrol.Options{}); !errors.Is(err, ca.ErrForeign) {
		t.Errorf("enrolment: %v", err)
	}
	if _, err := enrol.Load(dir); !errors.Is(err, enrol.ErrNotEnrolled) {
		t.Errorf("afterwards: %v", err)
	}
}

// Whoever else may read the identity could be the borne.
func TestReadableByOthers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for name, mode := range map[string]os.FileMode{
		"identity": 0o750, "identity/identity.json": 0o640, "identity/previous.json": 0o604, "identity/next.key": 0o620,
	} {
		dir := t.TempDir()
		id := mustEnrol(t, h, "MN-01", dir)
		if err := renew(t, id); err != nil {
			t.Fatal(err)
		}
		if err := id.Renew(t.Context(), func(context.Context, link.RenewRequest) (link.Enrolled, error) {
			return link.Enrolled{}, errors.New("lost")
		}); err == nil {
			t.Fatal("the answer came")
		}
		path := filepath.Join(dir, name)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := enrol.Load(dir)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("%s %04o: Load: %v", name, mode, err)
		}
		_, err = enrol.Enrol(t.Context(), h.URL, h.code("MN-02"), dir, enrol.Options{})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %04o: Enrol: %v", name, mode, err)
		}
	}
}

// All that is written is for the owner alone, whatever the umask.
func TestModes(t *testing.T) {
	old := syscall.Umask(0) // of the whole process: not parallel
	defer syscall.Umask(old)
	h, dir := newHub(t), filepath.Join(t.TempDir(), "parvis")
	id := mustEnrol(t, h, "MN-01", dir)
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if m := info.Mode().Perm(); m&0o077 != 0 {
			t.Errorf("%s has %04o", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	if _, err := enrol.Load(dir); !errors.Is(err, enrol.ErrNotEnrolled) {
		t.Errorf("nothing there: %v", err)
	}
	id := mustEnrol(t, h, "MN-01", dir)
	path := filepath.Join(dir, "identity", "identity.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "{}", string(whole[:len(whole)/2]), strings.Repeat("\x00", len(whole))} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := enrol.Load(dir)
		if err == nil || errors.Is(err, enrol.ErrNotEnrolled) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.10q: %v", damaged, err)
		}
	}

	// With the identity before beside it, the borne goes on.
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	before := id.Serial()
	if err := renew(t, id); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	id = mustLoad(t, dir)
	if id.Serial() != before {
		t.Error("not the identity before")
	}
	for _, err := range []error{report(t, id), renew(t, id), report(t, mustLoad(t, dir))} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Every part of an identity is checked against the others.
func TestIdentityHoldsTogether(t *testing.T) {
	t.Parallel()
	h, dir, other := newHub(t), t.TempDir(), t.TempDir()
	mustEnrol(t, h, "MN-01", dir)
	mustEnrol(t, newHub(t), "MN-01", other)
	path := filepath.Join(dir, "identity", "identity.json")
	read := func(dir string) map[string]any {
		data, err := os.ReadFile(filepath.Join(dir, "identity", "identity.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	mine, foreign := read(dir), read(other)
	for _, part := range []string{"borne", "recipient", "hub", "authority", "chain", "key"} {
		for _, wrong := range []any{nil, foreign[part]} {
			if fmt.Sprint(wrong) == fmt.Sprint(mine[part]) || part == "hub" && wrong != nil {
				continue // another hub's address is as good as any
			}
			m := map[string]any{}
			for k, v := range mine {
				m[k] = v
			}
			m[part] = wrong
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := enrol.Load(dir); err == nil {
				t.Errorf("%s is %.20v: accepted", part, wrong)
			} else if key, _ := m["key"].(string); key != "" && strings.Contains(err.Error(), key) {
				t.Errorf("%s: the error tells the key", part)
			}
		}
	}
}

// Two programs on one borne don't get in each other's way.
func TestLock(t *testing.T) {
	t.Parallel()
	h, dir := newHub(t), t.TempDir()
	id := mustEnrol(t, h, "MN-01", dir)
	err := id.Renew(t.Context(), func(ctx context.Context, r link.RenewRequest) (link.Enrolled, error) {
		_, err := enrol.Enrol(ctx, h.URL, h.code("MN-02"), dir, enrol.Options{})
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			t.Errorf("enrolment during a renewal: %v", err)
		}
		if again := mustLoad(t, dir); again.Serial() != id.Serial() { // reading needs no lock
			t.Error("another identity")
		}
		return as(t, h.URL, id.TLS()).Renew(ctx, r)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBadAddress(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, hub := range []string{"", "http://hub.ville.fr", "https://", "hub.ville.fr/parvis", "https://a:b@hub.ville.fr"} {
		dir := t.TempDir()
		if _, err := enrol.Enrol(t.Context(), hub, h.code("MN-01"), dir, enrol.Options{}); err == nil {
			t.Errorf("%q: accepted", hub)
		}
		if _, err := os.Stat(dir + "/identity"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: something was written", hub)
		}
	}
}

// FuzzLoad gives Load whatever a disk may bring.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"hub":"https://hub:443","borne":"MN-01","recipient":"` + recipient + `","authority":"MA==","chain":["MA=="],"key":"MA=="}`))
	dir := f.TempDir()
	mustEnrol(f, newHub(f), "MN-01", dir)
	good, err := os.ReadFile(filepath.Join(dir, "identity", "identity.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"identity.json", "previous.json"} {
			if err := os.WriteFile(filepath.Join(dir, "identity", name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if id, err := enrol.Load(dir); err == nil && (id.Borne() == "" || id.Hub() == "" || id.Recipient() == "") {
			t.Error("half an identity")
		}
	})
}
