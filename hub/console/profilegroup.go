package console

import (
	"errors"
	"net/http"

	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/store"
)

// groupView is the page of a group of sites.
type groupView struct {
	ID, Name string // as it is
	Typed    string // the name as typed
	New      bool
	Layer    layerRow
	In       []store.Site
	Out      []groupedSite // sites that may be put into it
}

// groupedSite is a site with the name of the group that it would leave.
type groupedSite struct {
	store.Site
	GroupName string
}

func (c *Console) groupPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	data, err := c.group(r)
	if err != nil {
		return err
	}
	data.Typed = data.Name
	return c.showGroup(w, r, v, data, nil)
}

// group reads the group that an address means; newOne is for one to be made.
func (c *Console) group(r *http.Request) (groupView, error) {
	id := r.PathValue("group")
	if id == newOne {
		return groupView{New: true}, nil
	}
	tree, err := c.Profiles.Tree(r.Context())
	if err != nil {
		return groupView{}, err
	}
	g, found := tree.Group(id)
	if !found {
		return groupView{}, errNoPage
	}
	data := groupView{ID: id, Name: g.Group.Name, Layer: rowOf(g.Node)}
	for _, s := range tree.Sites {
		if s.Site.Group == id {
			data.In = append(data.In, s.Site)
			continue
		}
		other, _ := tree.Group(s.Site.Group)
		data.Out = append(data.Out, groupedSite{s.Site, other.Group.Name})
	}
	return data, nil
}

func (c *Console) showGroup(w http.ResponseWriter, r *http.Request, v *visitor, data groupView, mistakes formErrors) error {
	title := "Nouveau groupe de sites"
	if !data.New {
		title = "Groupe « " + data.Name + " »"
	}
	return c.render(w, r, v, "profilegroup", view{Title: title, Data: data, Errors: mistakes})
}

// saveGroup makes a group, or gives one another name.
func (c *Console) saveGroup(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	data, err := c.group(r)
	if err != nil {
		return err
	}
	data.Typed = oneLine(r.PostFormValue("nom"))
	var mistakes formErrors
	if mistake := nameMistake(data.Typed); mistake != "" {
		mistakes.add("nom", "Donnez un nom au groupe, de 80 lettres au plus : « Quartiers sud ».")
	} else if data.New {
		data.ID = slug(data.Typed)
		groups, err := c.Store.Groups(ctx)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if g.ID == data.ID {
				mistakes.add("nom", "Il y a déjà un groupe « "+g.Name+" ».")
			}
		}
		if data.ID == newOne || !siteIDs.MatchString(data.ID) {
			mistakes.add("nom", "Donnez un nom plus parlant, avec des lettres ou des chiffres.")
		}
	}
	if len(mistakes) > 0 {
		return c.showGroup(w, r, v, data, mistakes)
	}
	if err := c.audit(r, v, people.Entry{Action: people.GroupSaved, Object: data.Typed, Detail: map[string]string{"groupe": data.ID}}); err != nil {
		return err
	}
	if err := c.Store.PutGroup(ctx, store.Group{ID: data.ID, Name: data.Typed, Created: c.Now()}); err != nil {
		return err
	}
	return c.redirect(w, r, "/profils/groupes/"+data.ID, "Le groupe « "+data.Typed+" » est enregistré.")
}

func (c *Console) addToGroup(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.moveSite(w, r, v, r.PostFormValue("site"), r.PathValue("group"))
}

func (c *Console) takeFromGroup(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.moveSite(w, r, v, r.PathValue("site"), "")
}

// moveSite puts a site into a group or takes it out, from the group's page.
func (c *Console) moveSite(w http.ResponseWriter, r *http.Request, v *visitor, site, group string) error {
	data, err := c.group(r)
	if err != nil || data.New {
		return errors.Join(err, orNoPage(data.New))
	}
	data.Typed = data.Name
	name := ""
	for _, s := range data.In {
		if s.ID == site && group == "" {
			name = s.Name
		}
	}
	for _, s := range data.Out {
		if s.ID == site && group != "" {
			name = s.Name
		}
	}
	if name == "" {
		return c.showGroup(w, r, v, data, formErrors{{"site", "Choisissez un site dans la liste."}})
	}
	effect, err := c.Profiles.Move(r.Context(), site, group)
	var breaks profiles.BreaksError
	if errors.As(err, &breaks) {
		return c.showGroup(w, r, v, data, breakMistakes("site", breaks))
	}
	if err != nil {
		return err
	}
	detail := map[string]string{"site": name, "groupe": group}
	if err := c.audit(r, v, people.Entry{Action: people.GroupSaved, Object: data.Name, Detail: detail}); err != nil {
		return err
	}
	said := "« " + name + " » est dans le groupe. "
	if group == "" {
		said = "« " + name + " » n’est plus dans le groupe. "
	}
	return c.redirect(w, r, "/profils/groupes/"+data.ID, said+effectText(effect))
}

// orNoPage is the error of a page that is not there, where it isn't.
func orNoPage(missing bool) error {
	if missing {
		return errNoPage
	}
	return nil
}

func (c *Console) removeGroup(w http.ResponseWriter, r *http.Request, v *visitor) error {
	data, err := c.group(r)
	if err != nil || data.New {
		return errors.Join(err, orNoPage(data.New))
	}
	data.Typed = data.Name
	effect, err := c.Profiles.RemoveGroup(r.Context(), data.ID, v.Name)
	var breaks profiles.BreaksError
	if errors.As(err, &breaks) {
		return c.showGroup(w, r, v, data, breakMistakes("site", breaks))
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.GroupRemoved, Object: data.Name, Detail: map[string]string{"groupe": data.ID}}); err != nil {
		return err
	}
	return c.redirect(w, r, "/profils", "Le groupe « "+data.Name+" » est supprimé. "+effectText(effect))
}
