package people_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"parvis/hub/clocktest"
	"parvis/hub/people"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

var ctx = context.Background()

// noon is when the tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// The passwords and addresses of the tests.
const (
	good  = "tilleul bateau orange violon"
	other = "cerise marteau nuage pupitre"
	desk  = "192.0.2.10"
	far   = "203.0.113.99"
)

// hub is what a test works with.
type hub struct {
	*people.People
	t     *testing.T
	clock *clocktest.Clock
	store *store.Store
	key   *seal.Key
}

func newHub(t *testing.T, s *store.Store) *hub {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "cle"))
	must(t, err)
	h := &hub{t: t, clock: clocktest.At(noon), store: s, key: key}
	h.People, err = people.New(h.options())
	must(t, err)
	return h
}

func (h *hub) options() people.Options {
	return people.Options{Store: h.store, Key: h.key, Now: h.clock.Now, Name: "Parvis Test"}
}

// quick makes hashing cheap, for tests that try over and over.
func (h *hub) quick() {
	h.t.Helper()
	var err error
	h.People, err = people.NewOlder(h.options())
	must(h.t, err)
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) { test(t, newHub(t, open())) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails unless an error is what is wanted.
func want(t testing.TB, err, is error) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("the error is %v, want %v", err, is)
	}
}

// wantField fails unless an error is about a field.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	e := new(people.FieldError)
	if !errors.As(err, &e) || e.Field != field {
		t.Fatalf("the error is %v, want one about %q", err, field)
	}
}

// wantWait fails unless a try came too soon; it returns how long to wait.
func wantWait(t testing.TB, err error) time.Duration {
	t.Helper()
	e := new(people.TooSoon)
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want one that says to wait", err)
	}
	return e.Wait
}

// token is what stands at the end of a link.
func token(t testing.TB, path string) string {
	t.Helper()
	token, ok := strings.CutPrefix(path, people.LinkPath)
	if !ok || len(token) < 26 {
		t.Fatalf("%q is no link", path)
	}
	return token
}

// mustFirst makes the first administrator.
func (h *hub) mustFirst() people.Person {
	h.t.Helper()
	path, err := h.SetupLink(ctx)
	must(h.t, err)
	p, err := h.Accept(ctx, token(h.t, path), "Anne Roth", "anne@ville.fr", good)
	must(h.t, err)
	return p
}

// mustPerson makes somebody with the password good.
func (h *hub) mustPerson(name, email string, role people.Role) people.Person {
	h.t.Helper()
	p, err := h.Create(ctx, name, email, role)
	must(h.t, err)
	path, err := h.Invite(ctx, p.ID)
	must(h.t, err)
	p, err = h.Accept(ctx, token(h.t, path), "", "", good)
	must(h.t, err)
	return p
}

// mustFactor gives somebody a second factor.
func (h *hub) mustFactor(p people.Person) (secret string, recovery []string) {
	h.t.Helper()
	secret = h.NewFactor()
	recovery, err := h.SetFactor(ctx, p.ID, secret, h.code(secret))
	must(h.t, err)
	return secret, recovery
}

// code is what an authenticator app shows now.
func (h *hub) code(secret string) string {
	h.t.Helper()
	code, err := totp.GenerateCode(secret, h.clock.Now())
	must(h.t, err)
	return code
}
