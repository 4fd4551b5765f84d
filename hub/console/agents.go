package console

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"parvis/hub/people"
)

func (c *Console) agentRoutes() []route {
	post := func(path string, h handler) route {
		return route{method: "POST", pattern: "/agents/{id}" + path, permission: people.PeopleManage, handler: h}
	}
	return []route{
		{method: "GET", pattern: "/agents", permission: people.PeopleManage, handler: c.agentsPage, menu: menu{title: "Agents", icon: "users", below: "/reglages/"}},
		{method: "GET", pattern: "/agents/nouveau", permission: people.PeopleManage, handler: c.newAgentPage},
		{method: "POST", pattern: "/agents", permission: people.PeopleManage, handler: c.newAgentForm},
		{method: "GET", pattern: "/agents/{id}", permission: people.PeopleManage, handler: c.agentPage},
		post("", c.agentForm),
		post("/lien", c.linkForm),
		post("/double-authentification", c.resetFactorForm),
		post("/suspendre", c.disableForm),
		post("/retablir", c.enableForm),
		{method: "GET", pattern: "/agents/{id}/supprimer", permission: people.PeopleManage, handler: c.removePage},
		post("/supprimer", c.removeForm),
	}
}

// agentRow is a line of the list.
type agentRow struct {
	people.Person
	State, Kind string // a word, and the colour of its badge
	You         bool
}

// agentsView is what the list shows.
type agentsView struct {
	Rows    []agentRow
	Waiting int // accounts without a role
	Asked   bool
}

func (c *Console) agentsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	list, err := c.People.List(ctx)
	if err != nil {
		return err
	}
	open, err := c.People.Invitations(ctx)
	if err != nil {
		return err
	}
	s, err := c.People.Settings(ctx)
	if err != nil {
		return err
	}
	data := agentsView{Asked: len(s.FactorFor) > 0}
	for _, p := range list {
		if p.Role == people.NoRole && p.Disabled.IsZero() {
			data.Waiting++
		}
		data.Rows = append(data.Rows, agentRowOf(p, open[p.ID], p.ID == v.ID))
	}
	// Who waits for a role comes first.
	slices.SortStableFunc(data.Rows, func(a, b agentRow) int {
		switch waitsA, waitsB := a.Role == people.NoRole, b.Role == people.NoRole; {
		case waitsA == waitsB:
			return 0
		case waitsA:
			return -1
		}
		return 1
	})
	return c.render(w, r, v, "agents", view{Title: "Agents", Data: data})
}

func agentRowOf(p people.Person, invited time.Time, you bool) agentRow {
	row := agentRow{Person: p, State: "Actif", Kind: "good", You: you}
	switch {
	case !p.Disabled.IsZero():
		row.State, row.Kind = "Suspendu", "off"
	case p.Invited() && invited.IsZero():
		row.State, row.Kind = "Invitation expirée", "bad"
	case p.Invited():
		row.State, row.Kind = "Invité", "info"
	case p.Role == people.NoRole:
		row.State, row.Kind = "Attend un rôle", "bad"
	}
	return row
}

// agentView is what the page of one account shows.
type agentView struct {
	agentRow
	Roles   []people.Role
	Link    string    // just made: shown this once
	Open    time.Time // until when a link works; zero: none
	Last    bool      // the last administrator
	Sent    bool      // the form was: show what was typed
	Name    string
	Email   string
	Role    people.Role
	Decided bool // the provider of single sign-on gives the role
}

func (c *Console) newAgentPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.drawNewAgent(w, r, v, agentView{}, nil)
}

func (c *Console) drawNewAgent(w http.ResponseWriter, r *http.Request, v *visitor, data agentView, wrong formErrors) error {
	data.Roles = people.Roles()
	return c.render(w, r, v, "agent-new", view{Title: "Inviter quelqu’un", Data: data, Errors: wrong})
}

func (c *Console) newAgentForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	data := agentView{Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Role: people.Role(r.PostFormValue("role"))}
	p, err := c.People.Create(ctx, data.Name, data.Email, data.Role)
	var wrong formErrors
	if wrong.take(err) {
		return c.drawNewAgent(w, r, v, data, wrong)
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.PersonCreated, Object: p.Name, Detail: map[string]string{"rôle": p.Role.Label()}}); err != nil {
		return err
	}
	return c.invite(w, r, v, p)
}

// invite makes a link, and shows it once on the page of the account.
func (c *Console) invite(w http.ResponseWriter, r *http.Request, v *visitor, p people.Person) error {
	path, err := c.People.Invite(r.Context(), p.ID)
	if err != nil {
		return err
	}
	if err := c.putOnce(r.Context(), c.url.Scheme+"://"+c.url.Host+path); err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.PersonInvited, Object: p.Name}); err != nil {
		return err
	}
	return c.redirect(w, r, "/agents/"+p.ID, "Lien prêt : transmettez-le à "+p.Name+".")
}

func (c *Console) agentPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p, err := c.People.Person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.drawAgent(w, r, v, p, agentView{Name: p.Name, Email: p.Email, Role: p.Role}, nil)
}

func (c *Console) drawAgent(w http.ResponseWriter, r *http.Request, v *visitor, p people.Person, data agentView, wrong formErrors) error {
	ctx := r.Context()
	open, err := c.People.Invitations(ctx)
	if err != nil {
		return err
	}
	s, err := c.People.Settings(ctx)
	if err != nil {
		return err
	}
	link, err := c.popOnce(ctx)
	if err != nil {
		return err
	}
	data.agentRow = agentRowOf(p, open[p.ID], p.ID == v.ID)
	data.Roles, data.Open, data.Link = people.Roles(), open[p.ID], link
	data.Decided = p.Provider && s.SSO.Claim != ""
	return c.render(w, r, v, "agent", view{Title: p.Name, Data: data, Errors: wrong})
}

func (c *Console) agentForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	p, err := c.People.Person(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	data := agentView{Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Role: people.Role(r.PostFormValue("role"))}
	var wrong formErrors
	if data.Role != p.Role {
		changed, err := c.People.SetRole(ctx, p.ID, data.Role)
		if errors.Is(err, people.ErrLastAdmin) {
			wrong.add("role", lastAdminText)
		} else if !wrong.take(err) && err != nil {
			return err
		} else if err == nil {
			err = c.audit(r, v, people.Entry{Action: people.RoleChanged, Object: p.Name, Detail: map[string]string{"rôle": p.Role.Label() + " → " + changed.Role.Label()}})
		}
		if len(wrong) > 0 {
			return c.drawAgent(w, r, v, p, data, wrong)
		}
		if err != nil {
			return err
		}
	}
	if data.Name != p.Name || data.Email != p.Email {
		renamed, err := c.People.Rename(ctx, p.ID, data.Name, data.Email)
		if wrong.take(err) {
			return c.drawAgent(w, r, v, p, data, wrong)
		}
		if err == nil {
			err = c.audit(r, v, people.Entry{Action: people.PersonRenamed, Object: renamed.Name, Detail: map[string]string{"avant": p.Name + ", " + p.Email, "après": renamed.Name + ", " + renamed.Email}})
		}
		if err != nil {
			return err
		}
	}
	return c.redirect(w, r, "/agents/"+p.ID, "Compte enregistré.")
}

const lastAdminText = "C’est le dernier compte d’administration qui puisse se connecter. Donnez d’abord ce rôle à quelqu’un d’autre."

var errLastAdmin = refuse(http.StatusConflict, "Dernier compte d’administration", lastAdminText)

// change does something to the account in the path, notes it, and goes on.
func (c *Console) change(w http.ResponseWriter, r *http.Request, v *visitor, action people.Action, do func(id string) error, to, flash string) error {
	p, err := c.People.Person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	err = do(p.ID)
	if errors.Is(err, people.ErrLastAdmin) {
		return errLastAdmin
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: action, Object: p.Name}); err != nil {
		return err
	}
	if to == "" {
		to = "/agents/" + p.ID
	}
	return c.redirect(w, r, to, flash)
}

func (c *Console) linkForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p, err := c.People.Person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.invite(w, r, v, p)
}

func (c *Console) resetFactorForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.change(w, r, v, people.FactorRemoved, func(id string) error { return c.People.ResetFactor(r.Context(), id) },
		"", "Double authentification retirée.")
}

func (c *Console) disableForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.change(w, r, v, people.PersonDisabled, func(id string) error {
		_, err := c.People.Disable(r.Context(), id)
		return err
	}, "", "Compte suspendu : ses sessions sont fermées.")
}

func (c *Console) enableForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.change(w, r, v, people.PersonEnabled, func(id string) error {
		_, err := c.People.Enable(r.Context(), id)
		return err
	}, "", "Compte rétabli.")
}

func (c *Console) removePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p, err := c.People.Person(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.render(w, r, v, "agent-remove", view{Title: "Supprimer le compte de " + p.Name, Data: p})
}

func (c *Console) removeForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.change(w, r, v, people.PersonRemoved, func(id string) error { return c.People.Remove(r.Context(), id) },
		"/agents", "Compte supprimé.")
}
