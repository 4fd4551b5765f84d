package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"parvis/hub/console/browsertest"
	"parvis/hub/people"
)

// gone waits until the window shows another page.
func gone(b *browsertest.Browser, path string) {
	b.Until(`document.readyState == "complete" && location.pathname == "` + path + `"`)
}

// setFactor gives somebody a second factor, whose code of the minute before is used up.
func setFactor(t *testing.T, c *browsertest.Console, p people.Person) (secret string, recovery []string) {
	t.Helper()
	secret = c.People.NewFactor()
	for {
		now := time.Now()
		code, err := totp.GenerateCode(secret, now.Add(-30*time.Second))
		must(t, err)
		recovery, err = c.People.SetFactor(ctx, p.ID, secret, code)
		if err != nil && time.Now().Unix()/30 > now.Unix()/30 {
			continue // another code's time has begun, and that one is too old
		}
		must(t, err)
		return secret, recovery
	}
}

func TestPagesBeforeSignIn(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	setup, err := c.People.SetupLink(ctx)
	must(t, err)
	b := c.Browser()
	b.Open(setup)
	b.Check("bienvenue-premier")
	b.Click("form button")
	b.Until(`document.querySelector("#erreurs") == document.activeElement`)
	b.Check("bienvenue-erreurs")

	p := c.Person(people.Mediator)
	link, err := c.People.Invite(ctx, p.ID)
	must(t, err)
	b.Open(link)
	b.Check("bienvenue-invitation")
	b.Open(link + "x")
	b.Check("bienvenue-lien-mort")

	b.Open("/connexion")
	b.Check("connexion")
	b.Type("#email", "nobody@ville.fr")
	b.Type("#password", "mauvais mot de passe")
	b.Click("form button")
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("connexion-erreur")
	b.Open("/accessibilite")
	b.Check("accessibilite")

	setFactor(t, c, p)
	b.Open("/connexion")
	b.Type("#email", p.Email)
	b.Type("#password", browsertest.Password)
	b.Click("form button")
	gone(b, "/connexion/code")
	b.Check("connexion-code")
	b.Type("#code", "123")
	b.Click("form button")
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("connexion-code-erreur")
}

func TestAccountPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	c.SignedIn(people.Agent) // another session
	b := c.As(people.Agent)
	b.Open("/compte")
	b.Check("compte")
	b.Click(`form[action="/compte/mot-de-passe"] button`)
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("compte-erreur")
	b.Open("/compte/double-authentification")
	if size := browsertest.Script[int](b, `document.querySelector("img.qr").naturalWidth`); size < 300 {
		t.Errorf("the code is %d pixels wide", size)
	}
	b.Check("double-authentification")
	code, err := totp.GenerateCode(strings.ReplaceAll(b.Text(".steps code"), " ", ""), time.Now())
	must(t, err)
	b.Type("#code", code)
	b.Click(".steps button")
	b.Until(`document.querySelectorAll(".codes li").length == 10`)
	b.Check("double-authentification-codes")
	b.Open("/compte/double-authentification")
	if browsertest.Script[bool](b, `document.querySelector(".codes") !== null`) {
		t.Error("the recovery codes are shown again")
	}
	b.Check("double-authentification-active")
}

func TestAgentPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	for _, role := range []people.Role{people.NoRole, people.Reader, people.Mediator, people.Agent, people.IT} {
		c.Person(role)
	}
	setFactor(t, c, c.Person(people.IT))
	_, err := c.People.Disable(ctx, c.Person(people.Reader).ID)
	must(t, err)
	b := c.As(people.Admin)
	b.Open("/agents")
	b.Check("agents")
	b.Open("/agents/nouveau")
	b.Check("agent-nouveau")
	b.Click("main form button")
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("agent-nouveau-erreur")
	b.Type("#name", "Julien Schmitt")
	b.Type("#email", "julien.schmitt@ville.fr")
	b.Click(`input[value="agent"]`)
	b.Click("main form button")
	b.Until(`document.querySelector("#lien")`)
	if link := browsertest.Script[string](b, `document.querySelector("#lien").value`); !strings.HasPrefix(link, c.URL+people.LinkPath) {
		t.Errorf("the link is %q", link)
	}
	b.Check("agent-invite")
	at := b.Path()
	b.Open(at)
	if browsertest.Script[bool](b, `document.querySelector("#lien") !== null`) {
		t.Error("the link is shown again")
	}
	b.Open("/agents/" + c.Person(people.IT).ID)
	b.Check("agent")
	b.Click(`a[href$="/supprimer"]`)
	b.Until(`document.readyState == "complete" && location.pathname.endsWith("/supprimer")`)
	b.Check("agent-supprimer")
	b.Open("/agents/" + c.Person(people.Admin).ID)
	b.Click(`input[value="reader"]`)
	b.Click("main form.fields button")
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("agent-dernier-administrateur")
}

func TestSettingsPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.Admin)
	b.Open("/reglages/connexion")
	b.Check("reglages-connexion")
	b.Type("#issuer", "http://127.0.0.1:1/nobody")
	b.Type("#client", "parvis")
	b.Click(`form[action$="/service"] button.button`)
	b.Until(`document.querySelector("#erreurs")`)
	b.Check("reglages-connexion-erreur")
}

func TestJournalPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.IT)
	anne := c.Person(people.Admin)
	lines := func(n int) {
		for i := range n {
			e := []people.Entry{
				{Action: people.CommandGiven, Borne: "MN-01", Object: "Relancer l’application"},
				{Action: people.ScreenshotSeen, Borne: "MM-01"},
				{Action: people.RoleChanged, Object: "Claire Weber", Detail: map[string]string{"rôle": "Agent → Médiation"}},
			}[i%3]
			e.Person, e.Name, e.Address = anne.ID, anne.Name, "192.0.2.10"
			must(t, c.People.Audit(ctx, e))
		}
	}
	lines(9)
	b.Open("/journal")
	b.Check("journal")
	lines(81)
	b.Open("/journal")
	if n := browsertest.Script[int](b, `document.querySelectorAll("tbody tr").length`); n != 50 {
		t.Errorf("the first page has %d lines", n)
	}
	b.Click(".pager a")
	b.Until(`location.search.includes("avant=") && document.readyState == "complete"`)
	if n := browsertest.Script[int](b, `document.querySelectorAll("tbody tr").length`); n != 41 {
		t.Errorf("the second page has %d lines", n) // 90, and one for signing in
	}
	b.Open("/journal?" + url.Values{"borne": {"XX-99"}}.Encode())
	b.Check("journal-vide")
	b.Open("/journal?jour=demain")
	b.Check("journal-erreur")
}

// On paper the page is there, and what is only for the screen isn't.
func TestPrinted(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.IT)
	b.Open("/journal")
	shown := func() string {
		return browsertest.Script[string](b, `[".side", ".skip", ".foot", ".filters", "h1", ".table"].filter((s) => document.querySelector(s).checkVisibility()).join(" ")`)
	}
	if got := shown(); got != ".side .skip .foot .filters h1 .table" {
		t.Errorf("on the screen there is %s", got)
	}
	b.Print()
	if got := shown(); got != "h1 .table" {
		t.Errorf("on paper there is %s", got)
	}
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.Mediator)
	b.Open("/nulle-part")
	b.Check("erreur-404")
	b.Open("/agents")
	if text := b.Text("main"); !strings.Contains(text, "le rôle «\u00a0Administration\u00a0»") {
		t.Errorf("the page doesn't say who may: %s", text)
	}
	b.Check("erreur-403")
	b = c.As(people.NoRole)
	b.Open("/")
	b.Check("erreur-sans-role")
}
