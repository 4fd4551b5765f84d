package console

import (
	"net/http"
	"slices"
	"strings"

	"parvis/hub/people"
)

func (c *Console) settingsRoutes() []route {
	return []route{
		{method: "GET", pattern: "/reglages/connexion", permission: people.SettingsManage, handler: c.settingsPage},
		{method: "POST", pattern: "/reglages/connexion/double-authentification", permission: people.SettingsManage, handler: c.factorForForm},
		{method: "POST", pattern: "/reglages/connexion/service", permission: people.SettingsManage, handler: c.ssoForm},
		{method: "POST", pattern: "/reglages/connexion/service/arreter", permission: people.SettingsManage, handler: c.stopSSOForm},
	}
}

// settingsView is what the page of signing in shows.
type settingsView struct {
	FactorFor []roleChoice
	SSO       people.SSO // as it is, or as it was typed
	On        bool       // single sign-on is set up
	Secret    bool       // one is kept
	Groups    []groupRow
	Roles     []people.Role
	Back      string
}

type roleChoice struct {
	Role people.Role
	On   bool
}

// groupRow is the groups that give one role.
type groupRow struct {
	Role   people.Role
	Groups string // with commas between
}

func (c *Console) settingsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	s, err := c.People.Settings(r.Context())
	if err != nil {
		return err
	}
	return c.drawSettings(w, r, v, s.SSO, nil)
}

func (c *Console) drawSettings(w http.ResponseWriter, r *http.Request, v *visitor, sso people.SSO, wrong formErrors) error {
	s, err := c.People.Settings(r.Context())
	if err != nil {
		return err
	}
	secret, err := c.People.HasSSOSecret(r.Context())
	if err != nil {
		return err
	}
	data := settingsView{SSO: sso, On: s.SSO.On(), Secret: secret, Roles: people.Roles(), Back: c.back()}
	for _, role := range people.Roles() {
		data.FactorFor = append(data.FactorFor, roleChoice{role, slices.Contains(s.FactorFor, role)})
		var groups []string
		for group, of := range sso.Roles {
			if of == role {
				groups = append(groups, group)
			}
		}
		slices.Sort(groups)
		data.Groups = append(data.Groups, groupRow{role, strings.Join(groups, ", ")})
	}
	return c.render(w, r, v, "settings", view{Title: "Réglages de connexion", Data: data, Errors: wrong})
}

func (c *Console) factorForForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	var roles []people.Role
	var labels []string
	for _, role := range people.Roles() {
		if slices.Contains(r.PostForm["role"], string(role)) {
			roles, labels = append(roles, role), append(labels, role.Label())
		}
	}
	if err := c.People.SetFactorFor(r.Context(), roles); err != nil {
		return err
	}
	e := people.Entry{Action: people.SettingsChanged, Object: "double authentification", Detail: map[string]string{"exigée pour": strings.Join(labels, ", ")}}
	if err := c.audit(r, v, e); err != nil {
		return err
	}
	return c.redirect(w, r, "/reglages/connexion", "Réglage enregistré.")
}

func (c *Console) ssoForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	sso := people.SSO{
		Issuer: field("issuer"), ClientID: field("client"), Label: field("label"),
		Claim: field("claim"), Default: people.Role(field("default")), Roles: map[string]people.Role{},
	}
	var wrong formErrors
	for _, role := range people.Roles() {
		for group := range strings.SplitSeq(field("groups-"+string(role)), ",") {
			if group = strings.TrimSpace(group); group == "" {
				continue
			}
			if other, ok := sso.Roles[group]; ok && other != role {
				wrong.add("groups-"+string(role), "Le groupe « "+group+" » donne déjà le rôle « "+other.Label()+" ».")
			}
			sso.Roles[group] = role
		}
	}
	if len(wrong) > 0 {
		return c.drawSettings(w, r, v, sso, wrong)
	}
	err := c.People.SetSSO(r.Context(), sso, field("secret"))
	if wrong.take(err) {
		return c.drawSettings(w, r, v, sso, wrong)
	}
	if err != nil {
		return err
	}
	e := people.Entry{Action: people.SettingsChanged, Object: "connexion unique", Detail: ssoDetail(sso)}
	if err := c.audit(r, v, e); err != nil {
		return err
	}
	return c.redirect(w, r, "/reglages/connexion", "La connexion unique est en place. Essayez-la dans une fenêtre privée.")
}

// ssoDetail is what the log says of single sign-on: who vouches for people, and
// who gets which role.
func ssoDetail(s people.SSO) map[string]string {
	detail := map[string]string{"fournisseur": s.Issuer, "identifiant": s.ClientID, "rôle par défaut": s.Default.Label()}
	if s.Claim != "" {
		detail["attribut"] = s.Claim
	}
	var groups []string
	for group, role := range s.Roles {
		groups = append(groups, group+" → "+role.Label())
	}
	if slices.Sort(groups); len(groups) > 0 {
		detail["groupes"] = strings.Join(groups, ", ")
	}
	return detail
}

func (c *Console) stopSSOForm(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if err := c.People.SetSSO(r.Context(), people.SSO{}, ""); err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.SettingsChanged, Object: "connexion unique", Detail: map[string]string{"état": "arrêtée"}}); err != nil {
		return err
	}
	return c.redirect(w, r, "/reglages/connexion", "La connexion unique est arrêtée. Chacun se connecte avec son mot de passe Parvis.")
}
