// Package browsertest runs the console over a fresh store, and looks at it with
// a real browser: as a role, at two sizes, with axe.
package browsertest

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/callbacks"
	"parvis/hub/cards"
	"parvis/hub/console"
	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

// Password is that of everybody whom Person makes.
const Password = "tilleul bateau orange violon"

// Console is a console that runs for one test.
type Console struct {
	t      testing.TB
	URL    string
	Store  *store.Store
	Key    *seal.Key
	People *people.People
	Logs   *Logs
}

// Logs collects what the console logs.
type Logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Start runs a console over a fresh SQLite file on a free port of this machine,
// until the test ends. edit may change its options.
func Start(t testing.TB, edit ...func(*console.Options)) *Console {
	t.Helper()
	return StartOver(t, storetest.Open(t, storetest.SQLite(t)), edit...)
}

// keys are those of the tests that run: consoles of one test may be hubs over
// one database, which have the same key.
var keys sync.Map

func keyOf(t testing.TB) (*seal.Key, error) {
	if key, there := keys.Load(t); there {
		return key.(*seal.Key), nil
	}
	key, err := seal.Open(filepath.Join(t.TempDir(), "cle"))
	if err != nil {
		return nil, err
	}
	keys.Store(t, key)
	t.Cleanup(func() { keys.Delete(t) })
	return key, nil
}

// At is a console that runs elsewhere: Browser looks at it.
func At(t testing.TB, url string) *Console { return &Console{t: t, URL: url} }

// StartOver runs a console over a store.
func StartOver(t testing.TB, s *store.Store, edit ...func(*console.Options)) *Console {
	t.Helper()
	key, err := keyOf(t)
	if err != nil {
		t.Fatal(err)
	}
	// The address must be known before the console is made.
	var handler http.Handler
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	c := &Console{t: t, URL: "http://" + server.Listener.Addr().String(), Store: s, Key: key, Logs: new(Logs)}
	o := console.Options{Store: s, URL: c.URL, Fonts: fonts(t), Guides: os.DirFS(filepath.Join(root(t), "docs")), Version: "1.0-test", Log: slog.New(slog.NewTextHandler(c.Logs, nil))}
	for _, e := range edit {
		e(&o)
	}
	if c.People = o.People; c.People == nil {
		if c.People, err = people.New(people.Options{Store: s, Key: key, Now: o.Now, Name: "Parvis Test"}); err != nil {
			t.Fatal(err)
		}
		o.People = c.People
	}
	o.Alerts = alerts.New(alerts.Options{Store: s, Key: key, URL: c.URL, Now: o.Now, Log: o.Log, Roots: mailtest.Roots})
	o.Profiles = profiles.New(profiles.Options{Store: s, Now: o.Now, Log: o.Log})
	if o.Callbacks, err = callbacks.New(context.Background(), callbacks.Options{Store: s, Key: key, Alerts: o.Alerts, Now: o.Now, Log: o.Log}); err != nil {
		t.Fatal(err)
	}
	if o.Cards, err = cards.Open(context.Background(), key, s); err != nil {
		t.Fatal(err)
	}
	made, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	handler = made.Handler()
	server.Start()
	watching, stop := context.WithCancel(context.Background())
	watched := make(chan error, 1)
	go func() { watched <- made.Watch(watching) }()
	t.Cleanup(func() {
		stop()
		if err := <-watched; err != nil {
			t.Error(err)
		}
		server.CloseClientConnections() // held-open ones
		server.Close()
		if t.Failed() && c.Logs.String() != "" {
			t.Logf("the console's log:\n%s", c.Logs)
		}
	})
	return c
}

// fonts are the files of the fonts, which cmd hands over in a real hub.
func fonts(t testing.TB) fs.FS {
	t.Helper()
	return os.DirFS(filepath.Join(root(t), "device/typeset/fonts"))
}

// Person makes somebody of a role, with Password; the same each time.
func (c *Console) Person(role people.Role) people.Person {
	c.t.Helper()
	ctx := context.Background()
	name := map[people.Role]string{people.Admin: "Anne Roth", people.IT: "Idris Tahar", people.Agent: "Alice Gauthier",
		people.Mediator: "Claire Weber", people.Reader: "Rémi Lecture", people.NoRole: "Nina Nouvelle"}[role]
	email := "sans-role@ville.fr"
	if role != people.NoRole {
		email = string(role) + "@ville.fr"
	}
	if known, err := c.Store.PersonByEmail(ctx, email); err == nil {
		p, err := c.People.Person(ctx, known.ID)
		c.must(err)
		return p
	}
	given := role
	if role == people.NoRole {
		given = people.Reader
	}
	p, err := c.People.Create(ctx, name, email, given)
	c.must(err)
	link, err := c.People.Invite(ctx, p.ID)
	c.must(err)
	p, err = c.People.Accept(ctx, strings.TrimPrefix(link, people.LinkPath), "", "", Password)
	c.must(err)
	if role == people.NoRole {
		p, err = c.People.SetRole(ctx, p.ID, people.NoRole)
		c.must(err)
	}
	return p
}

func (c *Console) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// userAgent is what a browser of many desks says of itself.
const userAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"

// Client is a browser without scripts: cookies are kept, redirects are not
// followed. With a role it is signed in.
func (c *Console) Client() *http.Client {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	c.must(err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// SignedIn is a Client that somebody of a role has signed in with.
func (c *Console) SignedIn(role people.Role) *http.Client {
	c.t.Helper()
	client := c.Client()
	status, _ := c.Post(client, "/connexion", url.Values{"email": {c.Person(role).Email}, "password": {Password}})
	if status != http.StatusSeeOther {
		c.t.Fatalf("signing in answers %d", status)
	}
	return client
}

// Get asks for a page, and returns its status and text.
func (c *Console) Get(client *http.Client, path string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, c.URL+path, nil)
	c.must(err)
	return c.do(client, r)
}

// Post sends a form, as a page of the console's would.
func (c *Console) Post(client *http.Client, path string, form url.Values) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.URL+path, strings.NewReader(form.Encode()))
	c.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return c.do(client, r)
}

func (c *Console) do(client *http.Client, r *http.Request) (int, string) {
	c.t.Helper()
	r.Header.Set("User-Agent", userAgent)
	answer, err := client.Do(r)
	c.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	c.must(err)
	return answer.StatusCode, string(body)
}

// root is the folder of the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
}
