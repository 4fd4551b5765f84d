package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/store"
)

// profileRoutes are the pages of bornes' profiles and of groups of sites.
func (c *Console) profileRoutes() []route {
	if c.Profiles == nil {
		return nil
	}
	const layer = "/profils/couches/{scope}/{object}"
	return []route{
		{method: "GET", pattern: "/profils", permission: people.ProfilesManage, handler: c.profilesPage, menu: menu{title: "Profils", icon: "settings"}},
		{method: "GET", pattern: layer, permission: people.ProfilesManage, handler: c.layerPage},
		{method: "POST", pattern: layer, permission: people.ProfilesManage, handler: c.saveLayer},
		{method: "GET", pattern: layer + "/versions/{n}", permission: people.ProfilesManage, handler: c.layerVersionPage},
		{method: "POST", pattern: layer + "/versions/{n}/reprise", permission: people.ProfilesManage, handler: c.undoLayer},
		{method: "GET", pattern: "/profils/bornes/{id}", permission: people.ProfilesManage, handler: c.mergedPage},
		{method: "GET", pattern: "/profils/bornes/{id}/profil.toml", permission: people.ProfilesManage, handler: c.mergedFile},
		{method: "GET", pattern: "/profils/groupes/{group}", permission: people.ProfilesManage, handler: c.groupPage},
		{method: "POST", pattern: "/profils/groupes/{group}", permission: people.ProfilesManage, handler: c.saveGroup},
		{method: "POST", pattern: "/profils/groupes/{group}/sites", permission: people.ProfilesManage, handler: c.addToGroup},
		{method: "POST", pattern: "/profils/groupes/{group}/sites/{site}/retrait", permission: people.ProfilesManage, handler: c.takeFromGroup},
		{method: "POST", pattern: "/profils/groupes/{group}/suppression", permission: people.ProfilesManage, handler: c.removeGroup},
	}
}

// scopeWords are the scopes as addresses have them.
var scopeWords = map[string]store.ProfileScope{
	"ville": store.CityProfile, "groupe": store.GroupProfile, "site": store.SiteProfile, "borne": store.BorneProfile,
}

// wholeCity stands in an address for the object of the city's layer.
const wholeCity = "toutes"

// layerPath is the address of a layer's page.
func layerPath(l profiles.Layer) string {
	for word, scope := range scopeWords {
		if scope == l.Scope {
			object := l.Object
			if scope == store.CityProfile {
				object = wholeCity
			}
			return "/profils/couches/" + word + "/" + object
		}
	}
	return ""
}

// profilesView is what the page of all layers shows.
type profilesView struct {
	City    layerRow
	Groups  []siteGroupRow
	Sites   []siteRow
	Search  string
	More    int // sites that the search finds beyond those listed
	AnySite bool
	Broken  []brokenRow
}

// layerRow is one layer in a list.
type layerRow struct {
	profiles.Node
	Path string
}

func rowOf(n profiles.Node) layerRow { return layerRow{n, layerPath(n.Layer)} }

// siteGroupRow is a group with its layer.
type siteGroupRow struct {
	Layer layerRow
	store.Group
	Sites int
}

// siteRow is a site with its layer and its bornes.
type siteRow struct {
	Layer layerRow
	store.Site
	GroupName string
	Bornes    []layerRow
}

// brokenRow is a borne that keeps an older profile.
type brokenRow struct {
	Borne string
	Lines []string
}

// profileSitesShown is how many sites the page lists; the search finds the others.
const profileSitesShown = 50

func (c *Console) profilesPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	tree, err := c.Profiles.Tree(r.Context())
	if err != nil {
		return err
	}
	data := profilesView{City: rowOf(tree.City), Search: strings.TrimSpace(r.URL.Query().Get("q")), AnySite: len(tree.Sites) > 0}
	names := map[string]string{}
	for _, g := range tree.Groups {
		names[g.Group.ID] = g.Group.Name
		data.Groups = append(data.Groups, siteGroupRow{rowOf(g.Node), g.Group, g.Sites})
	}
	words := strings.Fields(fold(data.Search))
	for _, s := range tree.Sites {
		row := siteRow{Layer: rowOf(s.Node), Site: s.Site, GroupName: names[s.Site.Group]}
		text := s.Site.Name + " " + s.Site.ID + " " + row.GroupName
		for _, b := range s.Bornes {
			row.Bornes = append(row.Bornes, rowOf(b))
			text += " " + b.Object
		}
		text = fold(text)
		switch {
		case slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }):
		case len(data.Sites) == profileSitesShown:
			data.More++
		default:
			data.Sites = append(data.Sites, row)
		}
	}
	for _, b := range tree.Broken[:min(len(tree.Broken), brokenShown)] {
		data.Broken = append(data.Broken, brokenRow{b.Borne, problemLines(b.Err)})
	}
	return c.render(w, r, v, "profiles", view{Title: "Profils", Data: data})
}

// brokenShown is how many bornes are named that a change would break, or that
// are broken.
const brokenShown = 5

// layerOf is the layer that an address means.
func layerOf(r *http.Request) (profiles.Layer, error) {
	scope, known := scopeWords[r.PathValue("scope")]
	l := profiles.Layer{Scope: scope, Object: r.PathValue("object")}
	if scope == store.CityProfile {
		known = l.Object == wholeCity
		l.Object = ""
	}
	if !known {
		return l, errNoPage
	}
	return l, nil
}

func (c *Console) layerNode(ctx context.Context, r *http.Request) (profiles.Node, error) {
	l, err := layerOf(r)
	if err != nil {
		return profiles.Node{}, err
	}
	return c.Profiles.Node(ctx, l)
}
