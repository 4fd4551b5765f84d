package coop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/goccy/go-yaml"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parvis/hub/access"
	"parvis/hub/callbacks"
	"parvis/hub/coop"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

var ctx = context.Background()

// midnight is when the first of December begins in Paris.
var midnight = time.Date(2026, 12, 1, 0, 0, 0, 0, hours.Paris)

var claire = callbacks.Actor{ID: "01990000-0000-7000-8000-00000000000a", Name: "Claire Weber"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hub is a hub whose queue a program reads.
type hub struct {
	t       *testing.T
	now     time.Time
	queue   *callbacks.Queue
	tokens  *access.Tokens
	to      []age.Recipient
	handler http.Handler
	log     bytes.Buffer
}

func newHub(t *testing.T, s *store.Store) *hub {
	t.Helper()
	h := &hub{t: t, now: midnight}
	clock := func() time.Time { return h.now }
	key, err := seal.Open(filepath.Join(t.TempDir(), "hub.key"))
	must(t, err)
	must(t, s.PutSite(ctx, store.Site{ID: "neudorf", Name: "Mairie de Neudorf", Created: midnight}))
	_, err = s.CreateToken(ctx, store.Token{Hash: []byte("t"), Site: store.Site{ID: "neudorf"}, Borne: "MN-01", By: "x", Created: midnight, Expires: midnight.Add(time.Hour)})
	must(t, err)
	_, err = s.Enrol(ctx, []byte("t"), []byte("k"), store.Certificate{Serial: "1", Ends: midnight.AddDate(0, 1, 0)}, midnight)
	must(t, err)
	must(t, s.CreatePerson(ctx, store.Person{ID: claire.ID, Email: "claire@ville.fr", Name: claire.Name, Role: "mediator", Created: midnight}))
	log := slog.New(slog.NewTextHandler(&h.log, nil))
	h.queue, err = callbacks.New(ctx, callbacks.Options{Store: s, Key: key, Now: clock, Log: log})
	must(t, err)
	must(t, h.queue.SetSettings(ctx, callbacks.Settings{Hours: 8, Tries: 3, Months: 12, Flood: 500}))
	recipient, err := key.CallbackRecipient(ctx, s)
	must(t, err)
	h.to, err = callback.ParseRecipients([]string{recipient})
	must(t, err)
	h.tokens = access.New(s, clock, hours.Paris)
	h.handler, err = coop.New(coop.Options{Callbacks: h.queue, Tokens: h.tokens, Log: log, Version: "1.0-test"})
	must(t, err)
	return h
}

// closed is a request that was closed at a time.
func (h *hub) closed(when time.Time, how callbacks.Closing) uuid.UUID {
	h.t.Helper()
	h.now = when
	r := callback.New(when)
	r.Topic, r.Phone, r.FirstName, r.Lang, r.Site, r.Consent = "logement", "+33612345652", "Apolline", "fr", "mairie", true
	r.Slots = []callback.Slot{{}}
	must(h.t, r.Validate())
	data, err := callback.Seal(r, h.to)
	must(h.t, err)
	_, err = h.queue.Take(ctx, callbacks.Arrival{ID: r.ID, Borne: "MN-01", Code: r.Code, Created: r.Created, Data: data})
	must(h.t, err)
	item, err := h.queue.Claim(ctx, claire, r.ID)
	must(h.t, err)
	if how.Outcome == callbacks.Unreachable {
		item, err = h.queue.Attempt(ctx, claire, item.Ref, callbacks.NoAnswer, "")
		must(h.t, err)
	}
	_, err = h.queue.Close(ctx, claire, item.Ref, how)
	must(h.t, err)
	return r.ID
}

// get asks as a program does; without a token where it is empty.
func (h *hub) get(path, token string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

func (h *hub) program() string {
	h.t.Helper()
	secret, err := h.tokens.Program(ctx, "Métropole", access.Coop)
	must(h.t, err)
	return secret
}

type object = map[string]any

// read reads a period to its end, and holds each page to the description.
func (h *hub) read(token, from, to string) (activities []object, pages int) {
	h.t.Helper()
	schema := h.schema()
	for next := ""; ; {
		w := h.get("/api/coop/v1/activites?"+url.Values{"du": {from}, "au": {to}, "page": {next}}.Encode(), token)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
			h.t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
		must(h.t, err)
		if err := schema.Validate(body); err != nil {
			h.t.Errorf("not as described: %v", err)
		}
		var page struct {
			Activites []object
			Suivant   string
		}
		must(h.t, json.Unmarshal(w.Body.Bytes(), &page))
		for _, secret := range []string{"Apolline", "612345652", "une note", "Claire", claire.ID, "chez elle"} {
			if strings.Contains(w.Body.String(), secret) {
				h.t.Errorf("the answer says %q", secret)
			}
		}
		activities, pages = append(activities, page.Activites...), pages+1
		if next = page.Suivant; next == "" {
			return activities, pages
		}
	}
}

// schema is that of a page, from the description that the hub serves.
func (h *hub) schema() *jsonschema.Schema {
	h.t.Helper()
	w := h.get("/api/coop/openapi.json", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/openapi+json" {
		h.t.Fatalf("the description: %d %v", w.Code, w.Header())
	}
	d, err := jsonschema.UnmarshalJSON(w.Body)
	must(h.t, err)
	op := d.(object)["paths"].(object)["/api/coop/v1/activites"].(object)["get"].(object)
	if d.(object)["openapi"] != "3.1.0" || op["security"] == nil || len(op["parameters"].([]any)) != 3 {
		h.t.Errorf("the description: %v", op)
	}
	for _, status := range []string{"200", "401", "403", "422", "500"} {
		if op["responses"].(object)[status] == nil {
			h.t.Errorf("%s is not described", status)
		}
	}
	ref := op["responses"].(object)["200"].(object)["content"].(object)["application/json"].(object)["schema"].(object)["$ref"].(string)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	must(h.t, compiler.AddResource("openapi.json", d))
	schema, err := compiler.Compile("openapi.json" + ref)
	must(h.t, err)
	return schema
}

func TestActivities(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		h := newHub(t, open())
		last := h.closed(midnight.Add(-time.Minute), callbacks.Closing{Outcome: callbacks.Redirected, HelpedWith: []string{"travail_formation_entreprise", "e_mail"},
			Autonomy: "avec_guidage", SentTo: "travail_formation", SentPlace: "chez elle", Note: "une note"})
		h.closed(midnight.Add(-2*time.Minute), callbacks.Closing{Outcome: callbacks.Unreachable})
		h.closed(midnight.Add(-3*time.Minute), callbacks.Closing{Outcome: callbacks.Withdrawn})
		h.closed(midnight.AddDate(0, 0, -7), callbacks.Closing{Outcome: callbacks.Reached})
		h.closed(midnight, callbacks.Closing{Outcome: callbacks.Reached}) // in December
		token := h.program()

		november, pages := h.read(token, "2026-11-01", "2026-11-30")
		if len(november) != 2 || pages != 1 {
			t.Fatalf("%d pages: %v", pages, november)
		}
		got, err := json.Marshal(november[0])
		must(t, err)
		want := `{"accompagnements":1,"autonomie":"entierement_accompagne","date":"2026-11-30","id":"` + last.String() + `",` +
			`"lieu":{"id":"neudorf","nom":"Mairie de Neudorf"},"materiel":["aucun"],"oriente_vers_structure":true,"structure_de_redirection":"insertion_professionnelle",` +
			`"thematiques":["email","travail_formation","aide_aux_demarches_administratives"],"type":"individuel","type_lieu":"a_distance"}`
		if string(got) != want {
			t.Errorf("an activity is\n%s, want\n%s", got, want)
		}
		if a := november[1]; a["date"] != "2026-11-24" || a["oriente_vers_structure"] != false || a["structure_de_redirection"] != nil || a["autonomie"] != nil || len(a["thematiques"].([]any)) != 0 {
			t.Errorf("one of which little is known: %v", a)
		}
		for period, want := range map[[2]string]int{{"2026-12-01", "2026-12-31"}: 1, {"2026-11-30", "2026-11-30"}: 1, {"2026-11-25", "2026-11-29"}: 0, {"2026-11-24", "2026-12-01"}: 3} {
			if got, _ := h.read(token, period[0], period[1]); len(got) != want {
				t.Errorf("%v: %d, want %d", period, len(got), want)
			}
		}
		if strings.Contains(h.log.String(), token) || h.log.Len() > 0 {
			t.Errorf("the log has %s", &h.log)
		}
	})
}

// Both forms of the description say the same.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	h := newHub(t, storetest.Open(t, storetest.SQLite(t)))
	asJSON, asYAML := h.get("/api/coop/openapi.json", ""), h.get("/api/coop/openapi.yaml", "")
	if got := asYAML.Header().Get("Content-Type"); asYAML.Code != http.StatusOK || got != "application/openapi+yaml" {
		t.Fatalf("%d %s", asYAML.Code, got)
	}
	converted, err := yaml.YAMLToJSON(asYAML.Body.Bytes())
	must(t, err)
	var one, other any
	must(t, json.Unmarshal(asJSON.Body.Bytes(), &one))
	must(t, json.Unmarshal(converted, &other))
	if !reflect.DeepEqual(one, other) {
		t.Errorf("%v\nis not\n%v", one, other)
	}
}

// A long period comes in pages, each activity once.
func TestPages(t *testing.T) {
	t.Parallel()
	h := newHub(t, storetest.Open(t, storetest.SQLite(t)))
	var want []string
	for n := range callbacks.ClosedPage + 5 {
		want = append(want, h.closed(midnight.Add(time.Duration(n/4)*time.Minute), callbacks.Closing{Outcome: callbacks.Reached}).String())
	}
	found, pages := h.read(h.program(), "2026-12-01", "2026-12-01")
	var got []string
	for _, a := range found {
		got = append(got, a["id"].(string))
	}
	slices.Sort(got)
	if slices.Sort(want); pages != 2 || !slices.Equal(got, want) {
		t.Errorf("%d activities in %d pages, want %d", len(got), pages, len(want))
	}
}

// Each value that the console offers has one of the Coop's in its place.
func TestWords(t *testing.T) {
	t.Parallel()
	h := newHub(t, storetest.Open(t, storetest.SQLite(t)))
	all := func(words []callbacks.Word) (keys []string) {
		for _, w := range words {
			keys = append(keys, w.Key)
		}
		return keys
	}
	h.closed(midnight, callbacks.Closing{Outcome: callbacks.Reached, HelpedWith: all(callbacks.Topics())})
	for _, key := range all(callbacks.Autonomies()) {
		h.closed(midnight.Add(time.Hour), callbacks.Closing{Outcome: callbacks.Reached, Autonomy: key})
	}
	for _, key := range all(callbacks.Redirections()) {
		h.closed(midnight.Add(time.Hour), callbacks.Closing{Outcome: callbacks.Redirected, SentTo: key})
	}
	found, _ := h.read(h.program(), "2026-12-01", "2026-12-01")
	said := map[string][]string{}
	for _, a := range found {
		for _, field := range []string{"autonomie", "structure_de_redirection"} {
			if v, ok := a[field].(string); ok {
				said[field] = append(said[field], v)
			}
		}
		for _, v := range a["thematiques"].([]any) {
			said["thematiques"] = append(said["thematiques"], v.(string))
		}
	}
	// As the Coop's own API documents them: github.com/inclusion-numerique/coop-mediation-numerique.
	for field, want := range map[string]string{
		"autonomie":                "autonome entierement_accompagne partiellement_autonome",
		"structure_de_redirection": "administration aide_aux_demarches_administratives aide_sociale autre insertion_professionnelle mediation_numerique operateur_ou_organisme_en_charge",
		"thematiques": "aide_aux_demarches_administratives argent_impots associations banque_et_achats_en_ligne bureautique creer_avec_le_numerique culture_numerique " +
			"diagnostic_numerique email entrepreneuriat etrangers_europe famille_scolarite gere_ses_contenus_numeriques insertion_professionnelle intelligence_artificielle " +
			"justice logement loisirs_sports_culture maintenance_de_materiel navigation_sur_internet papiers_elections_citoyennete parentalite prendre_en_main_du_materiel " +
			"reseaux_sociaux sante scolarite_et_numerique securite_numerique social_sante transports_mobilite travail_formation",
	} {
		slices.Sort(said[field])
		if got := strings.Join(said[field], " "); got != want {
			t.Errorf("%s: %s\nwant %s", field, got, want)
		}
	}
}

// Each refusal is a problem document in French that says what to do.
func TestProblems(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		h := newHub(t, s)
		token := h.program()
		feed, err := h.tokens.Feed(ctx, access.PersonFeed, claire.ID)
		must(t, err)
		further, err := h.tokens.Program(ctx, "Autre", "autre")
		must(t, err)
		revoked := h.program()
		list, err := h.tokens.List(ctx, access.Program)
		must(t, err)
		must(t, h.tokens.Revoke(ctx, list[0].ID))
		const path = "/api/coop/v1/activites"
		const good = path + "?du=2026-11-01&au=2026-11-30"
		for name, test := range map[string]struct {
			path, token string
			status      int
			kind, says  string
		}{
			"no token":           {good, "", 401, "token", "Authorization: Bearer"},
			"unknown token":      {good, "x", 401, "token", "inconnu ou révoqué"},
			"revoked token":      {good, revoked, 401, "token", "inconnu ou révoqué"},
			"a feed's":           {good, feed, 403, "scope", "portée « coop »"},
			"another scope":      {good, further, 403, "scope", "portée « coop »"},
			"no days":            {path, token, 422, "invalid", "du : "},
			"one day":            {path + "?du=2026-11-01", token, 422, "invalid", "au : "},
			"no such day":        {path + "?du=2026-02-30&au=2026-03-01", token, 422, "invalid", "du : "},
			"the wrong way":      {path + "?du=2026-11-02&au=2026-11-01", token, 422, "invalid", "avant le premier"},
			"no page":            {good + "&page=x", token, 422, "invalid", "page : "},
			"nothing there":      {"/api/coop/v2/activites", token, 404, "unknown", "Rien"},
			"bad days, no token": {path, "", 401, "token", "Bearer"},
		} {
			w := h.get(test.path, test.token)
			var p struct {
				Type, Title, Detail string
				Status              int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %v %s", name, w.Header(), w.Body)
			}
			if w.Code != test.status || p.Status != test.status || p.Type != "urn:parvis:problem:"+test.kind || p.Title == "" || !strings.Contains(p.Detail, test.says) {
				t.Errorf("%s: %d %+v", name, w.Code, p)
			}
			if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (test.status == 401 || test.status == 403) {
				t.Errorf("%s: WWW-Authenticate is %q", name, challenge)
			}
		}
		if w := h.get(good, token); w.Code != http.StatusOK {
			t.Errorf("the good one: %d %s", w.Code, w.Body)
		}
		must(t, s.Close())
		w := h.get(good, token)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "sql") || !strings.Contains(h.log.String(), "err=") || strings.Contains(h.log.String(), token) {
			t.Errorf("without a database: %d %s, and the log says %s", w.Code, w.Body, &h.log)
		}
	})
}
