package console

import (
	"net/http"
	"strings"

	"github.com/skip2/go-qrcode"

	"parvis/hub/people"
)

func (c *Console) accountRoutes() []route {
	return []route{
		{method: "GET", pattern: "/compte", permission: signedIn, handler: c.accountPage},
		{method: "POST", pattern: "/compte/mot-de-passe", permission: signedIn, handler: c.passwordForm},
		{method: "POST", pattern: "/compte/sessions", permission: signedIn, handler: c.sessionsForm},
		{method: "GET", pattern: "/compte/double-authentification", permission: signedIn, handler: c.factorPage},
		{method: "POST", pattern: "/compte/double-authentification", permission: signedIn, handler: c.factorForm},
		{method: "GET", pattern: "/compte/double-authentification/code.png", permission: signedIn, handler: c.factorPicture},
		{method: "POST", pattern: "/compte/double-authentification/codes", permission: signedIn, handler: c.recoveryForm},
		{method: "POST", pattern: "/compte/double-authentification/retirer", permission: signedIn, handler: c.removeFactorForm},
	}
}

// accountView is what the page of one's own account shows.
type accountView struct {
	Sessions  []sessionRow
	Proposed  bool // a second factor would be wise
	MinLength int
}

// sessionRow is one browser that the person is signed in with.
type sessionRow struct {
	people.Session
	Device string
	Here   bool
}

func (c *Console) accountPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.drawAccount(w, r, v, nil)
}

func (c *Console) drawAccount(w http.ResponseWriter, r *http.Request, v *visitor, wrong formErrors) error {
	list, err := c.People.SessionList(r.Context(), v.ID)
	if err != nil {
		return err
	}
	data := accountView{Proposed: v.Password && !v.Factor, MinLength: people.MinPassword}
	for _, s := range list {
		data.Sessions = append(data.Sessions, sessionRow{s, deviceName(s.Browser), s.ID == v.Session})
	}
	return c.render(w, r, v, "account", view{Title: "Mon compte", Data: data, Errors: wrong})
}

// deviceName says in words what browsers say of themselves, as far as it helps
// to tell one's own apart.
func deviceName(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := first("Edg/", "Edge", "Firefox/", "Firefox", "Chrome/", "Chrome", "Chromium/", "Chromium", "Safari/", "Safari")
	system := first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "Navigateur inconnu"
	case system == "":
		return browser
	case browser == "":
		return system
	}
	return browser + " sur " + system
}

func (c *Console) passwordForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	var wrong formErrors
	password := r.PostFormValue("password")
	if password != r.PostFormValue("again") {
		wrong.add("again", "Les deux nouveaux mots de passe ne sont pas les mêmes.")
		return c.drawAccount(w, r, v, wrong)
	}
	err := c.People.ChangePassword(r.Context(), v.ID, r.PostFormValue("old"), password, v.Session, v.Address)
	if wrong.take(err) {
		return c.drawAccount(w, r, v, wrong)
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.PasswordChanged}); err != nil {
		return err
	}
	by := c.sessions.GetString(r.Context(), people.KeyBy)
	if err := c.renewSession(r, v.Person, v.Address, by); err != nil {
		return err
	}
	return c.redirect(w, r, "/compte", "Mot de passe changé. Vos autres sessions sont fermées.")
}

func (c *Console) sessionsForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	id := r.PostFormValue("session")
	var err error
	if id == "" {
		err = c.People.EndSessions(ctx, v.ID, v.Session)
	} else {
		err = c.People.EndSession(ctx, v.ID, id)
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.SessionsEnded}); err != nil {
		return err
	}
	if id == "" {
		return c.redirect(w, r, "/compte", "Vos autres sessions sont fermées.")
	}
	return c.redirect(w, r, "/compte", "Session fermée.")
}

// factorView is what the page of the second factor shows.
type factorView struct {
	Secret   string   // in groups of four, to type; empty when a factor is set
	Recovery []string // just drawn: shown this once
	Left     int      // recovery codes not used yet
}

func (c *Console) factorPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.drawFactor(w, r, v, nil)
}

func (c *Console) drawFactor(w http.ResponseWriter, r *http.Request, v *visitor, wrong formErrors) error {
	ctx := r.Context()
	var data factorView
	var err error
	switch {
	case v.Factor:
		if data.Left, err = c.People.RecoveryLeft(ctx, v.ID); err != nil {
			return err
		}
		codes, err := c.popOnce(ctx)
		if err != nil {
			return err
		}
		data.Recovery = strings.Fields(codes)
	case v.Password:
		secret, err := c.newSecret(r)
		if err != nil {
			return err
		}
		data.Secret = groups(secret)
	}
	return c.render(w, r, v, "factor", view{Title: "Double authentification", Data: data, Errors: wrong})
}

// newSecret is the secret of the factor that is being set up in this session.
func (c *Console) newSecret(r *http.Request) (string, error) {
	ctx := r.Context()
	if sealed := c.sessions.GetString(ctx, keyFactor); sealed != "" {
		return c.People.Open(sealed)
	}
	secret := c.People.NewFactor()
	sealed, err := c.People.Seal(secret)
	if err == nil {
		c.sessions.Put(ctx, keyFactor, sealed)
	}
	return secret, err
}

// groups sets spaces, for who types what is shown.
func groups(secret string) string {
	var b strings.Builder
	for i, r := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (c *Console) factorPicture(w http.ResponseWriter, r *http.Request, v *visitor) error {
	sealed := c.sessions.GetString(r.Context(), keyFactor)
	if v.Factor || sealed == "" {
		return errNoPage
	}
	secret, err := c.People.Open(sealed)
	if err != nil {
		return err
	}
	png, err := qrcode.Encode(c.People.FactorURI(secret, v.Person), qrcode.Medium, 336)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	if _, err := w.Write(png); err != nil {
		return errAnswered
	}
	return nil
}

func (c *Console) factorForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	sealed := c.sessions.GetString(ctx, keyFactor)
	if v.Factor || !v.Password || sealed == "" {
		return c.redirect(w, r, "/compte/double-authentification", "")
	}
	secret, err := c.People.Open(sealed)
	if err != nil {
		return err
	}
	codes, err := c.People.SetFactor(ctx, v.ID, secret, r.PostFormValue("code"))
	var wrong formErrors
	if wrong.take(err) {
		return c.drawFactor(w, r, v, wrong)
	}
	if err != nil {
		return err
	}
	c.sessions.Remove(ctx, keyFactor)
	if err := c.People.EndSessions(ctx, v.ID, v.Session); err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.FactorSet}); err != nil {
		return err
	}
	return c.showRecovery(w, r, codes, "Double authentification activée.")
}

func (c *Console) showRecovery(w http.ResponseWriter, r *http.Request, codes []string, flash string) error {
	if err := c.putOnce(r.Context(), strings.Join(codes, " ")); err != nil {
		return err
	}
	return c.redirect(w, r, "/compte/double-authentification", flash)
}

func (c *Console) recoveryForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	codes, err := c.People.RenewRecovery(r.Context(), v.ID, r.PostFormValue("old"), v.Address)
	var wrong formErrors
	if wrong.take(err) {
		return c.drawFactor(w, r, v, wrong)
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.FactorSet, Detail: map[string]string{"quoi": "nouveaux codes de secours"}}); err != nil {
		return err
	}
	return c.showRecovery(w, r, codes, "Voici de nouveaux codes de secours. Les anciens ne servent plus.")
}

func (c *Console) removeFactorForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	err := c.People.RemoveFactor(r.Context(), v.ID, r.PostFormValue("old"), v.Address)
	var wrong formErrors
	if wrong.take(err) {
		return c.drawFactor(w, r, v, wrong)
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.FactorRemoved}); err != nil {
		return err
	}
	return c.redirect(w, r, "/compte", "Double authentification retirée.")
}
