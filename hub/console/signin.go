package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parvis/hub/people"
)

func (c *Console) signInRoutes() []route {
	return []route{
		{method: "GET", pattern: "/connexion", permission: anyone, handler: c.signInPage},
		{method: "POST", pattern: "/connexion", permission: anyone, handler: c.signInForm},
		{method: "GET", pattern: "/connexion/code", permission: anyone, handler: c.codePage},
		{method: "POST", pattern: "/connexion/code", permission: anyone, handler: c.codeForm},
		{method: "GET", pattern: "/connexion/service", permission: anyone, handler: c.beginSSO},
		{method: "GET", pattern: "/connexion/retour", permission: anyone, handler: c.finishSSO},
		{method: "POST", pattern: "/deconnexion", permission: anyone, handler: c.signOut},
		{method: "GET", pattern: people.LinkPath + "{token}", permission: anyone, handler: c.welcomePage},
		{method: "POST", pattern: people.LinkPath + "{token}", permission: anyone, handler: c.welcomeForm},
		{method: "GET", pattern: "/accessibilite", permission: anyone, handler: c.accessibilityPage},
	}
}

// signInView is what the page to sign in shows.
type signInView struct {
	Email, Next string
	SSO         string // what the button says; empty: there is none
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	next := r.URL.Query().Get("suite")
	if v.known() {
		return c.redirect(w, r, ownPath(next), "")
	}
	return c.drawSignIn(w, r, v, signInView{Next: next}, nil)
}

func (c *Console) drawSignIn(w http.ResponseWriter, r *http.Request, v *visitor, data signInView, wrong formErrors) error {
	s, err := c.People.Settings(r.Context())
	if err != nil {
		return err
	}
	if s.SSO.On() {
		data.SSO = "Continuer avec " + s.SSO.Label
		if s.SSO.Label == "" {
			data.SSO = "Continuer avec le compte de ma collectivité"
		}
	}
	return c.render(w, r, v, "signin", view{Title: "Connexion", Data: data, Errors: wrong})
}

func (c *Console) signInForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	data := signInView{Email: strings.TrimSpace(r.PostFormValue("email")), Next: r.PostFormValue("suite")}
	var wrong formErrors
	if data.Email == "" {
		wrong.add("email", "Indiquez votre adresse électronique.")
	}
	if r.PostFormValue("password") == "" {
		wrong.add("password", "Indiquez votre mot de passe.")
	}
	if len(wrong) > 0 {
		return c.drawSignIn(w, r, v, data, wrong)
	}
	p, err := c.People.SignIn(ctx, data.Email, r.PostFormValue("password"), v.Address)
	if errors.Is(err, people.ErrWrong) || errors.Is(err, people.ErrDisabled) {
		if err := c.auditRefusal(r, v, p, err); err != nil {
			return err
		}
	}
	if text := refusalOf(err); text != "" {
		wrong.add("email", text)
		return c.drawSignIn(w, r, v, data, wrong)
	}
	if err != nil {
		return err
	}
	if !p.Factor {
		if next := ownPath(data.Next); next != "/" {
			c.sessions.Put(ctx, keyNext, next)
		}
		return c.signIn(w, r, v, p.ID, people.ByPassword)
	}
	if err := c.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	c.sessions.Put(ctx, keyPending, p.ID)
	c.sessions.Put(ctx, keySince, c.Now().UTC().Format(time.RFC3339))
	c.sessions.Put(ctx, keyNext, ownPath(data.Next))
	return c.redirect(w, r, "/connexion/code", "")
}

// refusalOf gives the words for an error that the person can do something about.
func refusalOf(err error) string {
	soon := new(people.TooSoon)
	sso := new(people.SSOError)
	switch {
	case errors.As(err, &soon):
		return sentence(soon.Error())
	case errors.As(err, &sso):
		return sso.Text
	case errors.Is(err, people.ErrWrong):
		return "Adresse électronique ou mot de passe incorrect."
	case errors.Is(err, people.ErrDisabled):
		return sentence(people.ErrDisabled.Error())
	}
	return ""
}

// sentence gives a text a capital and a full stop.
func sentence(text string) string {
	r := []rune(text)
	return strings.ToUpper(string(r[:1])) + string(r[1:]) + "."
}

// auditRefusal notes a refused sign-in. What was typed for somebody unknown is
// not kept: it may be a password in the wrong field.
func (c *Console) auditRefusal(r *http.Request, v *visitor, p people.Person, err error) error {
	if p.ID == "" {
		p.Name = "Compte inconnu"
	}
	return c.People.Audit(r.Context(), people.Entry{Action: people.SignInFailed, Person: p.ID, Name: p.Name, Address: v.Address,
		Detail: map[string]string{"raison": err.Error()}})
}

// pending says who owes a code, or "".
func (c *Console) pending(r *http.Request) string {
	since, err := time.Parse(time.RFC3339, c.sessions.GetString(r.Context(), keySince))
	if err != nil || c.Now().Sub(since) > pendingFor {
		return ""
	}
	return c.sessions.GetString(r.Context(), keyPending)
}

func (c *Console) codePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if c.pending(r) == "" {
		return c.redirect(w, r, "/connexion", "")
	}
	return c.render(w, r, v, "code", view{Title: "Double authentification"})
}

func (c *Console) codeForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	id := c.pending(r)
	if id == "" {
		var wrong formErrors
		wrong.add("", "La vérification a pris trop de temps. Recommencez.")
		return c.drawSignIn(w, r, v, signInView{}, wrong)
	}
	recovered, err := c.People.CheckFactor(ctx, id, r.PostFormValue("code"), v.Address)
	var wrong formErrors
	if wrong.take(err) {
		p, err := c.People.Person(ctx, id)
		if err == nil {
			err = c.auditRefusal(r, v, p, errors.New("code incorrect"))
		}
		if err != nil {
			return err
		}
		return c.render(w, r, v, "code", view{Title: "Double authentification", Errors: wrong})
	}
	if err != nil {
		return err
	}
	if err := c.signIn(w, r, v, id, people.ByPassword); err != nil || !recovered {
		return err
	}
	return c.audit(r, v, people.Entry{Action: people.RecoveryUsed})
}

// take adds what is wrong with what somebody typed, or with how often, and
// reports whether that was the error.
func (e *formErrors) take(err error) bool {
	field := new(people.FieldError)
	soon := new(people.TooSoon)
	switch {
	case errors.As(err, &field):
		e.add(field.Field, field.Text)
	case errors.As(err, &soon):
		e.add("", sentence(soon.Error()))
	default:
		return false
	}
	return true
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if v.known() {
		if err := c.audit(r, v, people.Entry{Action: people.SignedOut}); err != nil {
			return err
		}
	}
	if err := c.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	return c.redirect(w, r, "/connexion", "")
}

// back is where the provider of single sign-on sends browsers.
func (c *Console) back() string { return c.url.Scheme + "://" + c.url.Host + "/connexion/retour" }

func (c *Console) beginSSO(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	next := ownPath(r.URL.Query().Get("suite"))
	flow, err := c.People.BeginSSO(ctx, c.back(), v.Address)
	if err != nil {
		return c.ssoFailed(w, r, v, next, err)
	}
	kept, err := json.Marshal(flow)
	if err != nil {
		return err
	}
	c.sessions.Put(ctx, keyFlow, string(kept))
	c.sessions.Put(ctx, keyNext, next)
	http.Redirect(w, r, flow.URL, http.StatusSeeOther)
	return nil
}

func (c *Console) finishSSO(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	var flow people.Flow
	if kept := c.sessions.PopString(ctx, keyFlow); kept != "" { // each answer counts once
		if err := json.Unmarshal([]byte(kept), &flow); err != nil {
			return err
		}
	}
	next := c.sessions.GetString(ctx, keyNext)
	a, err := c.People.FinishSSO(ctx, flow, c.back(), v.Address, r.URL.Query())
	if err != nil {
		if a.Person.ID != "" {
			if err := c.auditRefusal(r, v, a.Person, err); err != nil {
				return err
			}
		}
		return c.ssoFailed(w, r, v, next, err)
	}
	if err := c.auditArrival(r, v, a); err != nil {
		return err
	}
	return c.signIn(w, r, v, a.Person.ID, people.ByProvider)
}

func (c *Console) auditArrival(r *http.Request, v *visitor, a people.Arrival) error {
	e := people.Entry{Person: a.Person.ID, Name: a.Person.Name, Address: v.Address, Object: a.Person.Name}
	if a.Created {
		e.Action, e.Detail = people.PersonCreated, map[string]string{"par": "connexion unique", "rôle": a.Person.Role.Label()}
		return c.People.Audit(r.Context(), e)
	}
	if a.Before != a.Person.Role {
		e.Action, e.Detail = people.RoleChanged, map[string]string{"par": "connexion unique", "rôle": a.Before.Label() + " → " + a.Person.Role.Label()}
		return c.People.Audit(r.Context(), e)
	}
	return nil
}

func (c *Console) ssoFailed(w http.ResponseWriter, r *http.Request, v *visitor, next string, err error) error {
	text := refusalOf(err)
	if text == "" {
		return err
	}
	if sso := new(people.SSOError); errors.As(err, &sso) && sso.Err != nil {
		c.Log.WarnContext(r.Context(), "single sign-on", "err", sso.Err)
	}
	var wrong formErrors
	wrong.add("", text)
	return c.drawSignIn(w, r, v, signInView{Next: next}, wrong)
}

// welcomeView is what somebody sees who comes by a link.
type welcomeView struct {
	First       bool // the first administrator
	Name, Email string
	Path        string
}

var errLink = refuse(http.StatusNotFound, "Ce lien ne fonctionne plus", "Il a déjà servi, ou il a plus de 24 heures. Demandez-en un autre à l’administration de Parvis.")

func (c *Console) welcomePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	data, err := c.linked(r)
	if err != nil {
		return err
	}
	return c.drawWelcome(w, r, v, data, nil)
}

func (c *Console) drawWelcome(w http.ResponseWriter, r *http.Request, v *visitor, data welcomeView, wrong formErrors) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is a secret
	title := "Choisissez votre mot de passe"
	if data.First {
		title = "Créez le premier compte d’administration"
	}
	return c.render(w, r, v, "welcome", view{Title: title, Data: data, Errors: wrong, Bare: true})
}

func (c *Console) linked(r *http.Request) (welcomeView, error) {
	p, err := c.People.Linked(r.Context(), r.PathValue("token"))
	if errors.Is(err, people.ErrNotFound) {
		return welcomeView{}, errLink
	}
	return welcomeView{First: p.ID == "", Name: p.Name, Email: p.Email, Path: r.URL.Path}, err
}

func (c *Console) welcomeForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	data, err := c.linked(r)
	if err != nil {
		return err
	}
	if data.First {
		data.Name, data.Email = r.PostFormValue("name"), r.PostFormValue("email")
	}
	var wrong formErrors
	password := r.PostFormValue("password")
	if password != r.PostFormValue("again") {
		wrong.add("again", "Les deux mots de passe ne sont pas les mêmes.")
		return c.drawWelcome(w, r, v, data, wrong)
	}
	p, err := c.People.Accept(r.Context(), r.PathValue("token"), data.Name, data.Email, password)
	switch {
	case wrong.take(err):
		return c.drawWelcome(w, r, v, data, wrong)
	case errors.Is(err, people.ErrNotFound):
		return errLink
	case errors.Is(err, people.ErrDisabled):
		return refuse(http.StatusForbidden, "Compte suspendu", sentence(people.ErrDisabled.Error()))
	case err != nil:
		return err
	}
	action := people.PasswordChanged
	if data.First {
		action = people.PersonCreated
	}
	e := people.Entry{Action: action, Person: p.ID, Name: p.Name, Address: v.Address, Object: p.Name, Detail: map[string]string{"par": "lien"}}
	if err := c.People.Audit(r.Context(), e); err != nil {
		return err
	}
	// A link is as good as a password, not as a second factor.
	if p.Factor {
		return c.redirect(w, r, "/connexion", "Mot de passe enregistré. Connectez-vous.")
	}
	return c.signIn(w, r, v, p.ID, people.ByPassword)
}

func (c *Console) accessibilityPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.render(w, r, v, "accessibility", view{Title: "Déclaration d’accessibilité"})
}

// nextQuery carries the page that was asked for on to another address.
func nextQuery(next string) string {
	if next = ownPath(next); next == "/" {
		return ""
	}
	return "?" + url.Values{"suite": {next}}.Encode()
}
