package profiles

import (
	"context"
	"slices"
	"strings"

	"parvis/hub/store"
)

// Tree is all layers, and what they are for.
type Tree struct {
	City   Node
	Groups []GroupNode
	Sites  []SiteNode
	Broken []Broken
}

// Node is a layer as it stands.
type Node struct {
	Layer
	Name   string             // « Ville », « Site Mairie de Neudorf »
	Newest store.ProfileLayer // its newest version; N is 0 where there never was one
}

// Empty reports whether the layer says nothing.
func (n Node) Empty() bool { return strings.TrimSpace(n.Newest.Text) == "" }

// GroupNode is a group of sites and its layer.
type GroupNode struct {
	Node
	store.Group
	Sites int // how many are in it
}

// SiteNode is a site, its layer, and those of its bornes.
type SiteNode struct {
	Node
	store.Site
	Bornes []Node
}

// Tree reads all layers. Groups and sites come by name, bornes by ID.
func (p *Profiles) Tree(ctx context.Context) (*Tree, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := p.Store.AllWanted(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := p.Store.Sites(ctx) // by name
	if err != nil {
		return nil, err
	}
	groups, err := p.Store.Groups(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tree{City: w.node(Layer{Scope: store.CityProfile}), Broken: w.broken(wanted)}
	for _, g := range groups {
		n := GroupNode{Node: w.node(Layer{store.GroupProfile, g.ID}), Group: g}
		for _, s := range sites {
			if s.Group == g.ID {
				n.Sites++
			}
		}
		t.Groups = append(t.Groups, n)
	}
	bornes := map[string][]Node{}
	for _, b := range w.bornes {
		bornes[b.Site] = append(bornes[b.Site], w.node(Layer{store.BorneProfile, b.ID}))
	}
	for _, s := range sites {
		t.Sites = append(t.Sites, SiteNode{Node: w.node(Layer{store.SiteProfile, s.ID}), Site: s, Bornes: bornes[s.ID]})
	}
	return t, nil
}

// Group finds a group of the tree.
func (t *Tree) Group(id string) (GroupNode, bool) {
	i := slices.IndexFunc(t.Groups, func(g GroupNode) bool { return g.Group.ID == id })
	if i < 0 {
		return GroupNode{}, false
	}
	return t.Groups[i], true
}

func (w *world) node(l Layer) Node { return Node{Layer: l, Name: w.name(l), Newest: w.layers[l]} }

// Node is one layer as it stands. Errors: store.ErrNotFound for a layer of
// something that isn't there.
func (p *Profiles) Node(ctx context.Context, l Layer) (Node, error) {
	w, err := p.look(ctx)
	if err != nil {
		return Node{}, err
	}
	return w.node(l), w.exists(l)
}
