package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/pquerna/otp/totp"

	"parvis/hub/console"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/people/oidctest"
	"parvis/hub/store/storetest"
)

// focus says what has the focus: the ID, or else the text of the element.
const focus = `(() => { const e = document.activeElement; return e.id || e.textContent.trim(); })()`

// tabTo presses Tab until something has the focus, and fails when it never has,
// or when what has the focus on the way doesn't show it.
func tabTo(t *testing.T, b *browsertest.Browser, want string) {
	t.Helper()
	for range 40 {
		b.Press(kb.Tab)
		if browsertest.Script[string](b, focus) != want {
			continue
		}
		outline := browsertest.Script[string](b, `getComputedStyle(document.activeElement).outlineStyle + " " + getComputedStyle(document.activeElement).outlineWidth`)
		if outline != "solid 3px" {
			t.Errorf("the focus on %q doesn't show: %s", want, outline)
		}
		return
	}
	t.Fatalf("Tab never leads to %q at %s", want, b.Path())
}

// From the link to the fleet, with nothing but a keyboard.
func TestSignInByKeyboard(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	setup, err := c.People.SetupLink(ctx)
	must(t, err)
	b := c.Browser()
	b.Open(setup)
	b.Press(kb.Tab)
	if got := browsertest.Script[string](b, focus); got != "Aller au contenu" {
		t.Errorf("Tab leads to %q first", got)
	}
	b.Press(kb.Enter)
	for _, field := range [][2]string{{"name", "Anne Roth"}, {"email", "anne@ville.fr"}, {"password", "court"}, {"again", "court"}} {
		tabTo(t, b, field[0])
		b.Press(field[1])
	}
	b.Press(kb.Enter)
	// The summary of what is wrong has the focus; its link leads to the field.
	b.Until(`document.activeElement.id == "erreurs"`)
	b.Press(kb.Tab)
	b.Follow()
	b.Until(`document.activeElement.id == "password"`)
	b.Press(browsertest.Password)
	tabTo(t, b, "again")
	b.Press(browsertest.Password + kb.Enter)
	gone(b, "/")

	// A second factor, by typing the key.
	b.Open("/compte")
	tabTo(t, b, "Mettre en place")
	b.Press(kb.Enter)
	gone(b, "/compte/double-authentification")
	secret := strings.ReplaceAll(b.Text(".steps code"), " ", "")
	code, err := totp.GenerateCode(secret, time.Now())
	must(t, err)
	tabTo(t, b, "code")
	b.Press(code + kb.Enter)
	b.Until(`document.querySelector(".codes")`)
	recovery := browsertest.Script[string](b, `document.querySelector(".codes code").textContent`)

	for range 2 { // once with the app, once without
		tabTo(t, b, "Se déconnecter")
		b.Press(kb.Enter)
		gone(b, "/connexion")
		tabTo(t, b, "email")
		b.Press("anne@ville.fr")
		tabTo(t, b, "password")
		b.Press(browsertest.Password + kb.Enter)
		gone(b, "/connexion/code")
		tabTo(t, b, "code")
		if recovery != "" {
			b.Press(recovery + kb.Enter)
			recovery = ""
		} else {
			code, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second)) // that of now is used up
			must(t, err)
			b.Press(code + kb.Enter)
		}
		gone(b, "/")
	}
	// The menu on a small screen.
	b.Resize(browsertest.Small)
	b.Open("/")
	tabTo(t, b, "Menu")
	b.Press(kb.Enter)
	tabTo(t, b, "Journal")
	b.Press(kb.Enter)
	gone(b, "/journal")
	tabTo(t, b, "Menu")
	b.Press(kb.Enter)
	b.Until(`document.querySelector(".menu-button").getAttribute("aria-expanded") == "true"`)
	b.Press(kb.Escape)
	b.Until(`document.querySelector(".menu-button").getAttribute("aria-expanded") == "false" && document.activeElement.className == "menu-button"`)
}

// A page of another site sends a form with the visitor's cookie, in a real browser.
func TestOtherSiteInBrowser(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	victim := c.Person(people.Reader)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s/agents/%s/suspendre"><button>Gagnez</button></form>`, c.URL, victim.ID)
	}))
	defer evil.Close()
	b := c.As(people.Admin)
	b.Open("/agents")
	b.OpenURL(evil.URL)
	b.Click("button")
	gone(b, "/agents/"+victim.ID+"/suspendre")
	if text := b.Text("main"); !strings.Contains(text, "autre site") {
		t.Errorf("the page says %s", text)
	}
	p, err := c.People.Person(ctx, victim.ID)
	must(t, err)
	if !p.Disabled.IsZero() {
		t.Error("the other site has suspended somebody")
	}
}

// Single sign-on in a real browser, with a real provider: the first time,
// with a role, and when the provider is gone.
func TestSingleSignOnInBrowser(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	p := oidctest.Start(t, c.URL+"/connexion/retour")
	p.Accounts(map[string]oidctest.Account{"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein"}})
	admin := c.As(people.Admin)
	admin.Open("/reglages/connexion")
	admin.Type("#issuer", p.Issuer)
	admin.Type("#client", oidctest.ClientID)
	admin.Type("#secret", oidctest.Secret)
	admin.Type("#label", "le compte de la ville")
	admin.Click(`form[action$="/service"] button.button`)
	admin.Until(`document.querySelector(".flash")`)
	admin.Check("reglages-connexion-unique")

	b := c.Browser()
	b.Open("/compte")
	b.Check("connexion-unique")
	b.Click(`a[href^="/connexion/service"]`)
	b.Until(`document.querySelector("input[name=login]")`)
	b.Type("input[name=login]", "bruno")
	b.Type("input[name=password]", "any")
	b.Click("button[type=submit]")
	b.Until(`document.querySelector("input[name=prompt][value=consent]")`)
	b.Click("button[type=submit]")
	gone(b, "/compte") // what was asked for before
	if text := b.Text("main"); !strings.Contains(text, "Bruno Klein") || !strings.Contains(text, "Aucun accès") {
		t.Errorf("the account says %s", text)
	}
	b.Check("compte-connexion-unique")
	b.Open("/")
	if text := b.Text("main"); !strings.Contains(text, "attend un rôle") {
		t.Errorf("the newcomer sees %s", text)
	}
	admin.Open("/agents")
	if text := admin.Text("main"); !strings.Contains(text, "Attend un rôle") {
		t.Errorf("the administrator isn't told: %s", text)
	}
	bruno, err := c.Store.PersonByEmail(ctx, "bruno@ville.fr")
	must(t, err)
	_, err = c.People.SetRole(ctx, bruno.ID, people.Agent)
	must(t, err)
	b.Open("/")
	if text := b.Text("h1"); text != "Bornes" {
		t.Errorf("with a role, the newcomer sees %s", text)
	}

	p.Stop()
	// Another hub, which hasn't asked the provider yet.
	other := browsertest.StartOver(t, c.Store, func(o *console.Options) {
		fresh, err := people.New(people.Options{Store: c.Store, Key: c.Key})
		must(t, err)
		o.People = fresh
	})
	w := other.Browser()
	w.Open("/connexion")
	w.Click(`a[href^="/connexion/service"]`)
	w.Until(`document.querySelector("#erreurs")`)
	if text := w.Text("#erreurs"); !strings.Contains(text, "ne répond pas") {
		t.Errorf("the page says %s", text)
	}
	w.Check("connexion-unique-panne")
	w.Type("#email", c.Person(people.Admin).Email)
	w.Type("#password", browsertest.Password)
	w.Click("form button")
	gone(w, "/")
}

// All of it works without scripts: forms, redirects, and one page after another.
func TestInvitationWithoutScripts(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	admin := c.SignedIn(people.Admin)
	status, page := c.Post(admin, "/agents", url.Values{"name": {"Julien Schmitt"}, "email": {"julien@ville.fr"}, "role": {"agent"}})
	if status != http.StatusSeeOther {
		t.Fatalf("inviting answers %d: %s", status, page)
	}
	julien, err := c.Store.PersonByEmail(ctx, "julien@ville.fr")
	must(t, err)
	_, page = c.Get(admin, "/agents/"+julien.ID)
	_, link, found := strings.Cut(page, c.URL+people.LinkPath)
	link, _, _ = strings.Cut(link, "<")
	if !found || !strings.Contains(page, "Lien prêt") {
		t.Fatalf("there is no link: %s", page)
	}
	newcomer := c.Client()
	status, page = c.Post(newcomer, people.LinkPath+link, url.Values{"password": {browsertest.Password}, "again": {"autre chose"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `href="#again"`) || !strings.Contains(page, `again-erreur"`) {
		t.Errorf("two passwords: %d, %s", status, page)
	}
	status, _ = c.Post(newcomer, people.LinkPath+link, url.Values{"password": {browsertest.Password}, "again": {browsertest.Password}})
	if status != http.StatusSeeOther {
		t.Errorf("choosing a password answers %d", status)
	}
	if status, _ := c.Get(newcomer, "/"); status != http.StatusOK {
		t.Errorf("the newcomer gets %d", status)
	}
	if status, page := c.Get(c.Client(), people.LinkPath+link); status != http.StatusNotFound || !strings.Contains(page, "ne fonctionne plus") {
		t.Errorf("the link still answers %d", status)
	}
	// Suspended, the newcomer is out at the next click.
	if status, _ := c.Post(admin, "/agents/"+julien.ID+"/suspendre", nil); status != http.StatusSeeOther {
		t.Errorf("suspending answers %d", status)
	}
	if status, _ := c.Get(newcomer, "/"); status != http.StatusSeeOther {
		t.Errorf("suspended, the newcomer gets %d", status)
	}
	// What was done stands in the log.
	_, page = c.Get(admin, "/journal")
	for _, want := range []string{"Compte créé", "Invitation", "Mot de passe changé", "Compte suspendu", "Julien Schmitt"} {
		if !strings.Contains(page, want) {
			t.Errorf("the log has no %q", want)
		}
	}
	if strings.Contains(page, link) {
		t.Error("the log holds the link")
	}
	for _, secret := range []string{browsertest.Password, link} {
		if strings.Contains(c.Logs.String(), secret) {
			t.Error("the console's log holds a secret")
		}
	}
}

// Two hubs over one PostgreSQL: what one does holds at the other at once.
func TestTwoHubs(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	one := browsertest.StartOver(t, storetest.Open(t, database))
	two := browsertest.StartOver(t, storetest.Open(t, database))
	at := func(c *browsertest.Console, client *http.Client) int {
		t.Helper()
		status, _ := c.Get(client, "/compte")
		return status
	}
	agent := one.SignedIn(people.Agent) // both have the same host, so the cookie goes to both
	if at(one, agent) != http.StatusOK || at(two, agent) != http.StatusOK {
		t.Fatal("signed in at one, not at the other")
	}
	// Tries are counted together.
	wrong := url.Values{"email": {one.Person(people.Reader).Email}, "password": {"mauvais mot de passe"}}
	for i := range 5 {
		c := []*browsertest.Console{one, two}[i%2]
		if _, page := c.Post(c.Client(), "/connexion", wrong); !strings.Contains(page, "incorrect") {
			t.Fatalf("try %d: %s", i+1, page)
		}
	}
	if _, page := two.Post(two.Client(), "/connexion", wrong); !strings.Contains(page, "Trop d’essais") {
		t.Errorf("the sixth try: %s", page)
	}
	admin := two.SignedIn(people.Admin)
	if status, _ := two.Post(admin, "/agents/"+two.Person(people.Agent).ID+"/suspendre", nil); status != http.StatusSeeOther {
		t.Fatalf("suspending answers %d", status)
	}
	if at(one, agent) != http.StatusSeeOther || at(two, agent) != http.StatusSeeOther {
		t.Error("suspended at one, still in at the other")
	}
}
