package people_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"parvis/hub/people"
	"parvis/hub/people/oidctest"
	"parvis/hub/store/storetest"
)

// back is where the hub of the tests would be.
const back = "http://127.0.0.1:9/connexion/retour"

// newSSO is a hub with single sign-on, on SQLite: nothing of it depends on the
// database but what the other tests look at.
func newSSO(t *testing.T, change func(*people.SSO)) (*hub, *oidctest.Provider) {
	t.Helper()
	t.Parallel()
	p := oidctest.Start(t, back)
	h := newHub(t, storetest.Open(t, storetest.SQLite(t)))
	h.mustFirst()
	sso := people.SSO{Issuer: p.Issuer, ClientID: oidctest.ClientID}
	if change != nil {
		change(&sso)
	}
	must(t, h.SetSSO(ctx, sso, oidctest.Secret))
	return h, p
}

// arrive signs somebody in; what comes back is changed before the hub gets it.
func arrive(h *hub, p *oidctest.Provider, subject string, change func(*people.Flow, url.Values)) (people.Arrival, error) {
	h.t.Helper()
	f, err := h.BeginSSO(ctx, back, desk)
	must(h.t, err)
	answer := p.SignIn(f.URL, subject)
	if change != nil {
		change(&f, answer)
	}
	return h.FinishSSO(ctx, f, back, desk, answer)
}

// wantSSO fails unless single sign-on failed with words for the person.
func wantSSO(t *testing.T, err error, words string) {
	t.Helper()
	e := new(people.SSOError)
	if !errors.As(err, &e) || !strings.Contains(e.Text, words) {
		t.Fatalf("the error is %v, want one that says %q", err, words)
	}
}

func TestSSONewcomer(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{
		"bruno": {"email": "Bruno@Ville.fr", "email_verified": true, "name": "Bruno Klein"},
		"chloé": {"email": "chloe@ville.fr", "given_name": "Chloé", "family_name": "Petit"},
		"nomad": {"name": "Nobody"},
	})
	a, err := arrive(h, p, "bruno", nil)
	must(t, err)
	if !a.Created || a.Person.Role != people.NoRole || a.Person.Email != "bruno@ville.fr" || a.Person.Name != "Bruno Klein" || !a.Person.Provider {
		t.Errorf("arrived: %+v", a)
	}
	if a.Person.May(people.FleetSee) {
		t.Error("a newcomer sees the fleet")
	}
	_, err = h.SetRole(ctx, a.Person.ID, people.Agent)
	must(t, err)
	again, err := arrive(h, p, "bruno", nil)
	must(t, err)
	if again.Created || again.Person.ID != a.Person.ID || again.Person.Role != people.Agent {
		t.Errorf("arrived again: %+v", again)
	}
	if a, err = arrive(h, p, "chloé", nil); err != nil || a.Person.Name != "Chloé Petit" {
		t.Errorf("arrived: %+v, %v", a, err)
	}
	_, err = arrive(h, p, "nomad", nil)
	wantSSO(t, err, "adresse électronique")
	// Such an account has no password.
	_, err = h.SignIn(ctx, "bruno@ville.fr", "", desk)
	want(t, err, people.ErrWrong)
}

func TestSSORefuses(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein"}})
	for name, tt := range map[string]struct {
		change func(*people.Flow, url.Values)
		says   string
	}{
		"state of another":     {func(f *people.Flow, _ url.Values) { f.State = "ANOTHER" }, "commencée dans ce navigateur"},
		"no state":             {func(f *people.Flow, a url.Values) { f.State = ""; a.Del("state") }, "commencée dans ce navigateur"},
		"nonce of another":     {func(f *people.Flow, _ url.Values) { f.Nonce = "ANOTHER" }, "vérifiée"},
		"verifier of another":  {func(f *people.Flow, _ url.Values) { f.Verifier = strings.Repeat("A", 52) }, "vérifiée"},
		"made-up code":         {func(_ *people.Flow, a url.Values) { a.Set("code", "made-up") }, "vérifiée"},
		"refused there":        {func(_ *people.Flow, a url.Values) { a.Set("error", "access_denied") }, "refusé"},
		"error of another":     {func(f *people.Flow, a url.Values) { a.Set("error", "access_denied"); f.State = "ANOTHER" }, "commencée dans ce navigateur"},
		"nothing came back":    {func(_ *people.Flow, a url.Values) { clear(a) }, "commencée dans ce navigateur"},
		"code without a state": {func(_ *people.Flow, a url.Values) { a.Del("state") }, "commencée dans ce navigateur"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := arrive(h, p, "bruno", tt.change)
			wantSSO(t, err, tt.says)
		})
	}
	// A code counts once.
	f, err := h.BeginSSO(ctx, back, desk)
	must(t, err)
	answer := p.SignIn(f.URL, "bruno")
	_, err = h.FinishSSO(ctx, f, back, desk, answer)
	must(t, err)
	_, err = h.FinishSSO(ctx, f, back, desk, answer)
	wantSSO(t, err, "vérifiée")
	// The secret is wrong.
	must(t, h.SetSSO(ctx, people.SSO{Issuer: p.Issuer, ClientID: oidctest.ClientID}, "another secret"))
	_, err = arrive(h, p, "bruno", nil)
	wantSSO(t, err, "vérifiée")
	if strings.Contains(err.Error(), "another secret") {
		t.Error("the error tells the secret")
	}
}

func TestSSOMeetsAccount(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{
		"unsure":  {"email": "anne@ville.fr", "email_verified": false, "name": "Eve"},
		"anne":    {"email": "anne@ville.fr", "email_verified": true, "name": "Anne Roth"},
		"another": {"email": "anne@ville.fr", "email_verified": true, "name": "Eve"},
	})
	_, err := arrive(h, p, "unsure", nil)
	wantSSO(t, err, "ne garantit pas")
	a, err := arrive(h, p, "anne", nil)
	must(t, err)
	if a.Created || a.Person.Role != people.Admin || !a.Person.Password || !a.Person.Provider {
		t.Errorf("arrived: %+v", a)
	}
	_, err = arrive(h, p, "another", nil)
	wantSSO(t, err, "a déjà votre adresse")
	// The password still opens.
	_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
	must(t, err)
}

func TestSSODisabled(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein"}})
	a, err := arrive(h, p, "bruno", nil)
	must(t, err)
	_, err = h.Disable(ctx, a.Person.ID)
	must(t, err)
	a, err = arrive(h, p, "bruno", nil)
	want(t, err, people.ErrDisabled)
	if a.Person.Name != "Bruno Klein" {
		t.Errorf("the log doesn't know who it was: %+v", a)
	}
}

func TestSSORoles(t *testing.T) {
	h, p := newSSO(t, func(s *people.SSO) {
		s.Claim = "groups"
		s.Roles = map[string]people.Role{"bornes": people.Agent, "dsi": people.IT, "parvis-admin": people.Admin}
	})
	account := func(groups any) map[string]oidctest.Account {
		return map[string]oidctest.Account{
			"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein", "groups": groups},
			"anne":  {"email": "anne@ville.fr", "email_verified": true, "name": "Anne Roth"},
		}
	}
	for _, tt := range []struct {
		groups any
		want   people.Role
	}{
		{[]string{"bornes"}, people.Agent},
		{[]string{"dsi", "bornes", "cantine"}, people.IT},
		{"parvis-admin", people.Admin},
		{[]string{"cantine"}, people.NoRole},
		{[]any{7, "bornes"}, people.Agent},
		{nil, people.NoRole},
	} {
		p.Accounts(account(tt.groups))
		a, err := arrive(h, p, "bruno", nil)
		must(t, err)
		if a.Person.Role != tt.want {
			t.Errorf("groups %v give %q", tt.groups, a.Person.Role)
		}
		if kept, err := h.Person(ctx, a.Person.ID); err != nil || kept.Role != tt.want {
			t.Errorf("kept is %q, %v", kept.Role, err)
		}
	}
	// The last administrator keeps the role, whatever the provider says.
	a, err := arrive(h, p, "anne", nil)
	must(t, err)
	if a.Person.Role != people.Admin {
		t.Errorf("the last administrator has become %q", a.Person.Role)
	}
}

func TestSSOProviderDown(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein"}})
	f, err := h.BeginSSO(ctx, back, desk)
	must(t, err)
	answer := p.SignIn(f.URL, "bruno")
	p.Stop()
	_, err = h.FinishSSO(ctx, f, back, desk, answer)
	wantSSO(t, err, "Réessayez")
	fresh, err := people.New(h.options()) // another hub, which hasn't asked yet
	must(t, err)
	_, err = fresh.BeginSSO(ctx, back, desk)
	wantSSO(t, err, "mot de passe Parvis")
	_, err = fresh.SignIn(ctx, "anne@ville.fr", good, desk)
	must(t, err)
}

func TestSSOSettings(t *testing.T) {
	h, p := newSSO(t, nil)
	good := people.SSO{Issuer: p.Issuer, ClientID: oidctest.ClientID}
	for _, tt := range []struct {
		field  string
		change func(*people.SSO)
	}{
		{"issuer", func(s *people.SSO) { s.Issuer = "http://sso.ville.fr" }},
		{"issuer", func(s *people.SSO) { s.Issuer = "sso.ville.fr" }},
		{"issuer", func(s *people.SSO) { s.Issuer = "http://127.0.0.1:9" }},
		{"issuer", func(s *people.SSO) { s.Issuer += "/realms/other" }},
		{"client", func(s *people.SSO) { s.ClientID = "" }},
		{"claim", func(s *people.SSO) { s.Roles = map[string]people.Role{"dsi": people.IT} }},
		{"default", func(s *people.SSO) { s.Default = "root" }},
	} {
		s := good
		tt.change(&s)
		wantField(t, h.SetSSO(ctx, s, ""), tt.field)
	}
	// An empty secret keeps the one for the same client, never for another's.
	must(t, h.SetSSO(ctx, good, ""))
	if has, err := h.HasSSOSecret(ctx); err != nil || !has {
		t.Errorf("the secret is gone: %v", err)
	}
	sealed, err := h.store.Secret(ctx, "signin.sso_secret")
	must(t, err)
	if strings.Contains(string(sealed), oidctest.Secret) {
		t.Error("the secret isn't sealed")
	}
	other := good
	other.ClientID = "other"
	must(t, h.SetSSO(ctx, other, ""))
	if has, err := h.HasSSOSecret(ctx); err != nil || has {
		t.Errorf("another client has the secret: %v", err)
	}
	must(t, h.SetSSO(ctx, people.SSO{}, ""))
	_, err = h.BeginSSO(ctx, back, desk)
	want(t, err, people.ErrNotFound)
}

func TestFactorFor(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		must(t, h.SetFactorFor(ctx, []people.Role{people.Admin, "made up", people.IT}))
		s, err := h.Settings(ctx)
		must(t, err)
		if len(s.FactorFor) != 2 || s.FactorFor[0] != people.IT || s.FactorFor[1] != people.Admin {
			t.Errorf("asked of %v", s.FactorFor)
		}
	})
}
