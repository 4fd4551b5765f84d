package console

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parvis/hub/alerts"
	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/seal"
	"parvis/hub/store/storetest"
)

// Who may use which routes, spelled out once more: a route that isn't here
// fails the test, so nobody adds one without thinking of who may use it.
var (
	everybody = []people.Role{"nobody", people.NoRole, people.Reader, people.Mediator, people.Agent, people.IT, people.Admin}
	accounts  = everybody[1:]
	viewers   = everybody[2:]
	mediators = everybody[3:]
	agents    = everybody[4:]
	its       = everybody[5:]
	admins    = everybody[6:]
	callers   = []people.Role{people.Mediator, people.Admin}
)

var matrix = map[string][]people.Role{
	"GET /connexion":                                   everybody,
	"POST /connexion":                                  everybody,
	"GET /connexion/code":                              everybody,
	"POST /connexion/code":                             everybody,
	"GET /connexion/service":                           everybody,
	"GET /connexion/retour":                            everybody,
	"POST /deconnexion":                                everybody,
	"GET /bienvenue/{token}":                           everybody,
	"POST /bienvenue/{token}":                          everybody,
	"GET /accessibilite":                               everybody,
	"GET /static/{name...}":                            everybody,
	"GET /aide/{$}":                                    accounts,
	"GET /aide/{guide...}":                             accounts,
	"GET /compte":                                      accounts,
	"POST /compte/mot-de-passe":                        accounts,
	"POST /compte/sessions":                            accounts,
	"GET /compte/double-authentification":              accounts,
	"POST /compte/double-authentification":             accounts,
	"GET /compte/double-authentification/code.png":     accounts,
	"POST /compte/double-authentification/codes":       accounts,
	"POST /compte/double-authentification/retirer":     accounts,
	"GET /statistiques":                                viewers,
	"GET /statistiques/export.csv":                     viewers,
	"GET /statistiques/rapport/{periode}":              viewers,
	"GET /statistiques/donnees-ouvertes":               admins,
	"POST /statistiques/donnees-ouvertes":              admins,
	"GET /donnees-ouvertes":                            everybody,
	"GET /donnees-ouvertes/{file}":                     everybody,
	"GET /inventaire":                                  its,
	"GET /inventaire/export.csv":                       its,
	"GET /journal":                                     its,
	"GET /journal/export.csv":                          its,
	"GET /agents":                                      admins,
	"GET /agents/nouveau":                              admins,
	"POST /agents":                                     admins,
	"GET /agents/{id}":                                 admins,
	"POST /agents/{id}":                                admins,
	"POST /agents/{id}/lien":                           admins,
	"POST /agents/{id}/double-authentification":        admins,
	"POST /agents/{id}/suspendre":                      admins,
	"POST /agents/{id}/retablir":                       admins,
	"GET /agents/{id}/supprimer":                       admins,
	"POST /agents/{id}/supprimer":                      admins,
	"GET /reglages/connexion":                          admins,
	"POST /reglages/connexion/double-authentification": admins,
	"POST /reglages/connexion/service":                 admins,
	"POST /reglages/connexion/service/arreter":         admins,

	"GET /{$}":                                    viewers,
	"GET /direct/bornes":                          viewers,
	"GET /direct/bornes/{id}":                     viewers,
	"GET /bornes/{id}":                            viewers,
	"GET /alertes":                                viewers,
	"GET /direct/alertes":                         viewers,
	"GET /alertes/journal":                        viewers,
	"GET /direct/alertes/journal":                 viewers,
	"POST /alertes/journal/{alert}/prise":         agents,
	"POST /alertes/journal/{alert}/rendue":        agents,
	"GET /alertes/reglages":                       its,
	"POST /alertes/reglages/heures":               its,
	"GET /alertes/regles/{rule}":                  its,
	"POST /alertes/regles/{rule}":                 its,
	"POST /alertes/regles/{rule}/suppression":     its,
	"GET /alertes/canaux/{channel}":               its,
	"POST /alertes/canaux/{channel}":              its,
	"POST /alertes/canaux/{channel}/essai":        its,
	"POST /alertes/canaux/{channel}/suppression":  its,
	"GET /rappels":                                callers,
	"GET /direct/rappels":                         callers,
	"GET /rappels/reglages":                       admins,
	"POST /rappels/reglages":                      admins,
	"POST /rappels/{id}/sms":                      callers,
	"GET /rappels/imprimer":                       callers,
	"GET /rappels/export.csv":                     callers,
	"GET /rappels/{id}":                           callers,
	"GET /rappels/{id}/rendez-vous.ics":           callers,
	"GET /direct/rappels/{id}":                    callers,
	"POST /rappels/{id}/prise":                    callers,
	"POST /rappels/{id}/suite":                    callers,
	"POST /rappels/{id}/passage":                  callers,
	"POST /rappels/{id}/retour":                   callers,
	"POST /rappels/{id}/reouverture":              callers,
	"GET /agenda/{token}":                         everybody,
	"GET /rappels/agendas":                        callers,
	"POST /rappels/agendas/moi":                   callers,
	"POST /rappels/agendas/moi/arret":             callers,
	"POST /rappels/agendas/sites":                 admins,
	"POST /rappels/agendas/sites/{site}/arret":    admins,
	"GET /rappels/acces":                          admins,
	"POST /rappels/acces":                         admins,
	"POST /rappels/acces/{access}/arret":          admins,
	"POST /bornes/{id}/message":                   mediators,
	"POST /bornes/{id}/capture":                   agents,
	"GET /bornes/{id}/relance":                    agents,
	"POST /bornes/{id}/relance":                   agents,
	"POST /bornes/{id}/essai":                     agents,
	"POST /bornes/{id}/volume":                    agents,
	"GET /bornes/{id}/hors-service":               agents,
	"POST /bornes/{id}/hors-service":              agents,
	"POST /bornes/{id}/en-service":                agents,
	"GET /bornes/{id}/captures/{command}":         agents,
	"GET /bornes/{id}/redemarrage":                its,
	"POST /bornes/{id}/redemarrage":               its,
	"POST /bornes/{id}/journaux":                  its,
	"POST /bornes/{id}/mise-a-jour":               its,
	"GET /deploiements":                           its,
	"GET /direct/deploiements":                    its,
	"GET /deploiements/nouveau":                   its,
	"POST /deploiements/nouveau":                  its,
	"GET /deploiements/{rollout}":                 its,
	"GET /direct/deploiements/{rollout}":          its,
	"POST /deploiements/{rollout}/pause":          its,
	"POST /deploiements/{rollout}/reprise":        its,
	"GET /deploiements/{rollout}/arret":           its,
	"POST /deploiements/{rollout}/arret":          its,
	"GET /deploiements/{rollout}/retour":          its,
	"POST /deploiements/{rollout}/retour":         its,
	"GET /bornes/{id}/journaux/{command}":         its,
	"GET /bornes/{id}/journaux/{command}/texte":   its,
	"GET /bornes/{id}/revocation":                 its,
	"POST /bornes/{id}/revocation":                its,
	"POST /bornes/{id}/double-identite":           its,
	"GET /mise-en-service":                        its,
	"POST /mise-en-service/codes":                 its,
	"POST /mise-en-service/codes/{token}/retrait": its,
	"POST /mise-en-service/sites/{site}":          its,

	"GET /profils":                                                its,
	"GET /profils/couches/{scope}/{object}":                       its,
	"POST /profils/couches/{scope}/{object}":                      its,
	"GET /profils/couches/{scope}/{object}/versions/{n}":          its,
	"POST /profils/couches/{scope}/{object}/versions/{n}/reprise": its,
	"GET /profils/bornes/{id}":                                    its,
	"GET /profils/bornes/{id}/profil.toml":                        its,
	"GET /profils/groupes/{group}":                                its,
	"POST /profils/groupes/{group}":                               its,
	"POST /profils/groupes/{group}/sites":                         its,
	"POST /profils/groupes/{group}/sites/{site}/retrait":          its,
	"POST /profils/groupes/{group}/suppression":                   its,
}

// newTestConsole is a console with one person a role.
func newTestConsole(t *testing.T) (*Console, map[people.Role]string) {
	t.Helper()
	s := storetest.Open(t, storetest.SQLite(t))
	key, err := seal.Open(filepath.Join(t.TempDir(), "cle"))
	must(t, err)
	p, err := people.New(people.Options{Store: s, Key: key})
	must(t, err)
	queue, err := callbacks.New(t.Context(), callbacks.Options{Store: s, Key: key})
	must(t, err)
	told := alerts.New(alerts.Options{Store: s, Key: key, URL: "https://parvis.example"})
	c, err := New(Options{Store: s, People: p, Alerts: told, Callbacks: queue, Profiles: profiles.New(profiles.Options{Store: s}), Guides: os.DirFS("../../docs"), URL: "https://parvis.example", BornesURL: "parvis.example:8443", Fingerprint: make([]byte, 32)})
	must(t, err)
	ids := map[people.Role]string{}
	for _, role := range people.Roles() {
		person, err := p.Create(t.Context(), string(role), string(role)+"@ville.fr", role)
		must(t, err)
		ids[role] = person.ID
	}
	person, err := p.Create(t.Context(), "sans rôle", "none@ville.fr", people.Reader)
	must(t, err)
	_, err = p.SetRole(t.Context(), person.ID, people.NoRole)
	must(t, err)
	ids[people.NoRole] = person.ID
	return c, ids
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// session opens a session for a person, and returns its cookie.
func (c *Console) session(t *testing.T, person string) *http.Cookie {
	t.Helper()
	ctx, err := c.sessions.Load(t.Context(), "")
	must(t, err)
	c.sessions.Put(ctx, people.KeyPerson, person)
	c.sessions.Put(ctx, people.KeyNew, "1")
	token, _, err := c.sessions.Commit(ctx)
	must(t, err)
	return &http.Cookie{Name: c.sessions.Cookie.Name, Value: token}
}

// asked is a request as one of the console's pages would send it.
func asked(t *testing.T, method, path string, cookie *http.Cookie) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://parvis.example"+path, strings.NewReader(""))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return r
}

// admitted reports whether a route's handler was reached, from what it answers.
func admitted(t *testing.T, c *Console, rt route, cookie *http.Cookie) bool {
	t.Helper()
	path := pathValues.Replace(rt.pattern)
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, asked(t, rt.method, path, cookie))
	to, _ := url.Parse(w.Header().Get("Location"))
	switch {
	case w.Code == http.StatusForbidden, w.Code == http.StatusUnauthorized:
		return false
	case w.Code == http.StatusSeeOther && to.Path == "/connexion" && !strings.HasPrefix(path, "/connexion") && path != "/deconnexion":
		return false
	}
	if w.Code >= 500 {
		t.Errorf("%s %s answers %d", rt.method, path, w.Code)
	}
	return true
}

var pathValues = strings.NewReplacer("{$}", "", "{id}", "MN-01", "{command}", "019aa000-0000-7000-8000-000000000000",
	"{token}", "NOBODYSTOKEN", "{site}", "neudorf", "{scope}", "ville", "{object}", "toutes", "{n}", "1", "{group}", "nouvelle", "{name...}", "parvis.css", "{guide...}", "agents/rappels.md",
	"{periode}", "2026-S2", "{file}", "schema.json", "{access}", "019aa000-0000-7000-8000-000000000000")

// Every route, with every role and with nobody.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	unseen := maps.Clone(matrix)
	for _, rt := range c.routes {
		key := rt.method + " " + rt.pattern
		allowed, known := matrix[key]
		if !known {
			t.Errorf("nobody has said who may use %s", key)
			continue
		}
		delete(unseen, key)
		if got := admitted(t, c, rt, nil); got != slices.Contains(allowed, "nobody") {
			t.Errorf("%s admits nobody: %v", key, got)
		}
		for role, id := range ids {
			if got := admitted(t, c, rt, c.session(t, id)); got != slices.Contains(allowed, role) {
				t.Errorf("%s admits %q: %v", key, role, got)
			}
		}
	}
	for key := range unseen {
		t.Errorf("there is no route %s any more", key)
	}
}

// Somebody who was shut out, or removed, is nobody from the next request on.
func TestShutOutAtOnce(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	fleet := c.routes[slices.IndexFunc(c.routes, func(rt route) bool { return rt.pattern == "/{$}" })]
	cookie := c.session(t, ids[people.Agent])
	if !admitted(t, c, fleet, cookie) {
		t.Fatal("the agent isn't admitted")
	}
	_, err := c.People.SetRole(t.Context(), ids[people.Agent], people.NoRole)
	must(t, err)
	if admitted(t, c, fleet, cookie) {
		t.Error("without a role, still admitted")
	}
	cookie = c.session(t, ids[people.Reader])
	_, err = c.People.Disable(t.Context(), ids[people.Reader])
	must(t, err)
	if admitted(t, c, fleet, cookie) || admitted(t, c, fleet, c.session(t, ids[people.Reader])) {
		t.Error("disabled, still admitted")
	}
	cookie = c.session(t, ids[people.IT])
	must(t, c.People.Remove(t.Context(), ids[people.IT]))
	if admitted(t, c, fleet, cookie) {
		t.Error("removed, still admitted")
	}
}

// The menu shows what may be opened, and nothing else.
func TestMenu(t *testing.T) {
	t.Parallel()
	c, ids := newTestConsole(t)
	for role, want := range map[people.Role]string{
		people.Reader:   "Bornes Alertes Statistiques Aide",
		people.Mediator: "Bornes Rappels Alertes Statistiques Aide",
		people.Agent:    "Bornes Alertes Statistiques Aide",
		people.IT:       "Bornes Alertes Mise en service Statistiques Inventaire Profils Déploiements Journal Aide",
		people.Admin:    "Bornes Rappels Alertes Mise en service Statistiques Inventaire Profils Déploiements Agents Journal Aide",
		people.NoRole:   "Aide",
	} {
		p, err := c.People.Person(t.Context(), ids[role])
		must(t, err)
		var titles []string
		for _, item := range c.menuFor(httptest.NewRequest("GET", "/compte", nil), &visitor{Person: p}) {
			titles = append(titles, item.Title)
			if item.Here {
				t.Errorf("%s is said to be here", item.Title)
			}
		}
		if got := strings.Join(titles, " "); got != want {
			t.Errorf("%q sees %q", role, got)
		}
	}
	for path, want := range map[string]string{"/": "Bornes", "/bornes/MN-01": "Bornes", "/agents/1": "Agents", "/reglages/connexion": "Agents", "/alertes": "Alertes", "/aide/agents/rappels.md": "Aide"} {
		p, err := c.People.Person(t.Context(), ids[people.Admin])
		must(t, err)
		var here []string
		for _, item := range c.menuFor(httptest.NewRequest("GET", path, nil), &visitor{Person: p}) {
			if item.Here {
				here = append(here, item.Title)
			}
		}
		if fmt.Sprint(here) != "["+want+"]" {
			t.Errorf("at %s the menu says %v", path, here)
		}
	}
}
