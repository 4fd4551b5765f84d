package profiles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/profile"
)

// Layer says whose a layer is.
type Layer struct {
	Scope  store.ProfileScope
	Object string // ID of the group, site or borne; empty for the city
}

// world is all that profiles are made of, at one moment.
type world struct {
	revision int64
	sites    map[string]store.Site
	groups   map[string]store.Group
	bornes   []store.Watched
	layers   map[Layer]store.ProfileLayer // newest versions
	parsed   map[Layer]*profile.Parsed    // of those that aren't empty
	further  []profile.Further
	cache    map[string]*made // of bornes without a layer of their own, by site
}

// made is a borne's whole profile.
type made struct {
	merged *profile.Merged
	data   []byte
	file   link.File
	err    error // why it cannot be
}

func (p *Profiles) look(ctx context.Context) (*world, error) {
	w := &world{sites: map[string]store.Site{}, groups: map[string]store.Group{}, layers: map[Layer]store.ProfileLayer{},
		parsed: map[Layer]*profile.Parsed{}, further: p.Further, cache: map[string]*made{}}
	layers, err := p.Store.ProfileLayers(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := p.Store.Sites(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := p.Store.Groups(ctx)
	if err != nil {
		return nil, err
	}
	if w.bornes, err = p.Store.Watched(ctx); err != nil {
		return nil, err
	}
	for _, g := range groups {
		w.groups[g.ID] = g
	}
	for _, s := range sites {
		w.sites[s.ID] = s
	}
	for _, l := range layers {
		w.revision = max(w.revision, l.N)
		w.put(l)
	}
	return w, nil
}

// put lays a version of a layer in the place of the one before.
func (w *world) put(l store.ProfileLayer) {
	of := Layer{l.Scope, l.Object}
	w.layers[of] = l
	delete(w.parsed, of)
	if strings.TrimSpace(l.Text) != "" {
		w.parsed[of] = profile.ParseLayer(profile.Layer{Name: w.name(of), Data: []byte(l.Text)})
	}
}

// with is the world as it would be after a change.
func (w *world) with(change func(*world)) *world {
	next := *w
	next.sites, next.layers, next.parsed = maps.Clone(w.sites), maps.Clone(w.layers), maps.Clone(w.parsed)
	next.cache = map[string]*made{}
	change(&next)
	return &next
}

// name names a layer for people.
func (w *world) name(l Layer) string {
	switch l.Scope {
	case store.GroupProfile:
		return "Groupe " + cmpName(w.groups[l.Object].Name, l.Object)
	case store.SiteProfile:
		return "Site " + cmpName(w.sites[l.Object].Name, l.Object)
	case store.BorneProfile:
		return "Borne " + l.Object
	}
	return "Ville"
}

func cmpName(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// under lists the layers of a borne, from the city's down to its own.
func (w *world) under(b store.Watched) []Layer {
	site := w.sites[b.Site]
	layers := []Layer{{Scope: store.CityProfile}}
	if site.Group != "" {
		layers = append(layers, Layer{store.GroupProfile, site.Group})
	}
	return append(layers, Layer{store.SiteProfile, b.Site}, Layer{store.BorneProfile, b.ID})
}

// managed reports whether the hub makes a borne's profile: as soon as there is
// a layer for it, and from then on.
func (w *world) managed(b store.Watched, wanted map[string]link.Wanted) bool {
	if wanted[b.ID].Profile != nil {
		return true
	}
	for _, l := range w.under(b) {
		if w.parsed[l] != nil {
			return true
		}
	}
	return false
}

// make lays a borne's layers over each other, and checks the whole as the borne
// would.
func (w *world) make(b store.Watched) *made {
	own := w.parsed[Layer{store.BorneProfile, b.ID}] != nil
	if m := w.cache[b.Site]; m != nil && !own {
		return m
	}
	m := &made{merged: w.merge(b)}
	_, m.err = m.merged.Check(w.further...)
	if m.err == nil {
		m.data, m.err = m.merged.TOML()
	}
	if m.err == nil {
		sum := sha256.Sum256(m.data)
		m.file = link.File{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(m.data))}
	}
	if !own {
		w.cache[b.Site] = m
	}
	return m
}

// hubLayer is the name of what the hub itself says.
const hubLayer = "Hub"

func (w *world) merge(b store.Watched) *profile.Merged {
	site := w.sites[b.Site]
	base := fmt.Sprintf("[site]\nid = %s\nnom = %s\n", profile.Quote(site.ID), profile.Quote(site.Name))
	parsed := []*profile.Parsed{profile.ParseLayer(profile.Layer{Name: hubLayer, Data: []byte(base)})}
	for _, l := range w.under(b) {
		if p := w.parsed[l]; p != nil {
			parsed = append(parsed, p)
		}
	}
	return profile.MergeParsed(parsed...)
}

// reaches reports whether a layer is one of a borne's.
func (w *world) reaches(l Layer, b store.Watched) bool {
	switch l.Scope {
	case store.GroupProfile:
		return w.sites[b.Site].Group == l.Object
	case store.SiteProfile:
		return b.Site == l.Object
	case store.BorneProfile:
		return b.ID == l.Object
	}
	return true
}
