package callbacks_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/clocktest"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

var ctx = context.Background()

// monday is a working day, at ten.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, hours.Paris)

var (
	anne  = callbacks.Actor{ID: "01990000-0000-7000-8000-00000000000a", Name: "Anne", Address: "192.0.2.1"}
	bruno = callbacks.Actor{ID: "01990000-0000-7000-8000-00000000000b", Name: "Bruno", Address: "192.0.2.2"}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hub is a hub with a queue, a site with two bornes, and two mediators.
type hub struct {
	*callbacks.Queue
	t     testing.TB
	store *store.Store
	key   *seal.Key
	to    []age.Recipient
	clock *clocktest.Clock
}

func newHub(t testing.TB, s *store.Store) *hub {
	t.Helper()
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	must(t, err)
	must(t, s.PutSite(ctx, store.Site{ID: "neudorf", Name: "Mairie de Neudorf", Created: monday}))
	must(t, s.PutSite(ctx, store.Site{ID: "meinau", Name: "Meinau", Created: monday}))
	for borne, site := range map[string]string{"MN-01": "neudorf", "ME-01": "meinau"} {
		token := store.Token{Hash: []byte(borne), Site: store.Site{ID: site}, Borne: borne, By: "anne", Created: monday, Expires: monday.Add(time.Hour)}
		_, err := s.CreateToken(ctx, token)
		must(t, err)
		_, err = s.Enrol(ctx, []byte(borne), []byte("key "+borne), store.Certificate{Serial: "1-" + borne, Ends: monday.AddDate(0, 1, 0)}, monday)
		must(t, err)
	}
	for _, a := range []callbacks.Actor{anne, bruno} {
		must(t, s.CreatePerson(ctx, store.Person{ID: a.ID, Email: a.Name + "@exemple.fr", Name: a.Name, Role: "mediator", Created: monday}))
	}
	return open(t, s, key, clocktest.At(monday))
}

func open(t testing.TB, s *store.Store, key *seal.Key, c *clocktest.Clock) *hub {
	t.Helper()
	q, err := callbacks.New(ctx, callbacks.Options{Store: s, Key: key, Now: c.Now, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	recipient, err := key.CallbackRecipient(ctx, s)
	must(t, err)
	to, err := callback.ParseRecipients([]string{recipient})
	must(t, err)
	return &hub{q, t, s, key, to, c}
}

// another is a second hub on the same database, with the same key.
func (h *hub) another(s *store.Store) *hub { return open(h.t, s, h.key, h.clock) }

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *hub, again func() *store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) { test(t, newHub(t, open()), open) })
}

// sqlite opens a fresh database, for what does not depend on its kind.
func sqlite(t testing.TB) *store.Store { return storetest.Open(t, storetest.SQLite(t)) }

const phone = "+33612345652"

// request is what a resident asks at ten on monday: any time.
func (h *hub) request() callback.Request {
	r := callback.New(h.clock.Now())
	r.Topic, r.Phone, r.FirstName, r.Lang, r.Site = "papiers_elections_citoyennete", phone, "Apolline", "fr", "mairie"
	r.Slots, r.Consent = []callback.Slot{{}}, true
	return r
}

// take hands a request over, as the borne MN-01 does.
func (h *hub) take(r callback.Request) uuid.UUID {
	h.t.Helper()
	return h.takeAt("MN-01", r)
}

func (h *hub) takeAt(borne string, r callback.Request) uuid.UUID {
	h.t.Helper()
	must(h.t, r.Validate())
	data, err := callback.Seal(r, h.to)
	must(h.t, err)
	fresh, err := h.Take(ctx, callbacks.Arrival{ID: r.ID, Borne: borne, Code: r.Code, Created: r.Created, Data: data})
	must(h.t, err)
	if !fresh {
		h.t.Fatalf("%s was there already", r.ID)
	}
	return r.ID
}

func (h *hub) item(id uuid.UUID) callbacks.Item {
	h.t.Helper()
	item, err := h.Item(ctx, id)
	must(h.t, err)
	return item
}

func (h *hub) claim(by callbacks.Actor, id uuid.UUID) callbacks.Item {
	h.t.Helper()
	item, err := h.Claim(ctx, by, id)
	must(h.t, err)
	return item
}

func (h *hub) list(f callbacks.Filter) callbacks.Page {
	h.t.Helper()
	page, err := h.List(ctx, f)
	must(h.t, err)
	return page
}
