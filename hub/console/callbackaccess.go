package console

import (
	"errors"
	"net/http"
	"slices"
	"unicode/utf8"

	"parvis/hub/access"
	"parvis/hub/people"
)

// accessRoutes are the page of the programs that may read the JSON API.
func (c *Console) accessRoutes() []route {
	if c.Callbacks == nil {
		return nil
	}
	manage := people.CallbacksManage
	return []route{
		{method: "GET", pattern: "/rappels/acces", permission: manage, handler: c.accessPage},
		{method: "POST", pattern: "/rappels/acces", permission: manage, handler: c.makeAccess},
		{method: "POST", pattern: "/rappels/acces/{access}/arret", permission: manage, handler: c.revokeAccess},
	}
}

// accessView is what the page shows.
type accessView struct {
	Secret string // just made: shown this once
	Name   string // as typed
	Base   string // of the API's addresses
	Rows   []accessRow
}

// accessRow is a program that may read.
type accessRow struct {
	access.Token
	Read string // when it has read last, in words
}

// ScopeText says what the program may read.
func (r accessRow) ScopeText() string {
	if r.Scope == access.Coop {
		return "Activités, pour la Coop"
	}
	return r.Scope
}

func (c *Console) accessPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.drawAccess(w, r, v, "", nil)
}

func (c *Console) drawAccess(w http.ResponseWriter, r *http.Request, v *visitor, name string, wrong formErrors) error {
	ctx := r.Context()
	all, err := c.tokens.List(ctx, access.Program)
	if err != nil {
		return err
	}
	data := accessView{Name: name, Base: c.url.Scheme + "://" + c.url.Host + "/api/coop"}
	for _, t := range all {
		data.Rows = append(data.Rows, accessRow{t, c.usedText(t.Used)})
	}
	if data.Secret, err = c.popOnce(ctx); err != nil {
		return err
	}
	return c.render(w, r, v, "callbackaccess", view{Title: "Accès des programmes", Data: data, Errors: wrong})
}

// makeAccess makes the token of a program, and shows it once.
func (c *Console) makeAccess(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	name := oneLine(r.PostFormValue("nom"))
	var wrong formErrors
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		wrong.add("nom", "Donnez un nom, pour savoir plus tard à quoi sert cet accès.")
	case n > maxName:
		wrong.add("nom", "Le nom a plus de "+number(maxName)+" lettres.")
	}
	if len(wrong) > 0 {
		return c.drawAccess(w, r, v, name, wrong)
	}
	if err := c.audit(r, v, people.Entry{Action: people.AccessMade, Object: name, Detail: map[string]string{"portée": access.Coop}}); err != nil {
		return err
	}
	secret, err := c.tokens.Program(ctx, name, access.Coop)
	if err != nil {
		return err
	}
	if err := c.putOnce(ctx, secret); err != nil {
		return err
	}
	return c.redirect(w, r, "/rappels/acces", "L’accès « "+name+" » est créé.")
}

func (c *Console) revokeAccess(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	all, err := c.tokens.List(ctx, access.Program)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t access.Token) bool { return t.ID == r.PathValue("access") })
	if i < 0 {
		return c.redirect(w, r, "/rappels/acces", "Cet accès était déjà révoqué.")
	}
	if err := c.audit(r, v, people.Entry{Action: people.AccessRevoked, Object: all[i].Name}); err != nil {
		return err
	}
	if err := c.tokens.Revoke(ctx, all[i].ID); err != nil && !errors.Is(err, access.ErrUnknown) {
		return err
	}
	return c.redirect(w, r, "/rappels/acces", "L’accès « "+all[i].Name+" » est révoqué : son jeton ne marche plus.")
}
