package profiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parvis/hub/store"
	"parvis/kiosk/link"
	"parvis/provisioning/profile"
)

// Change is a new text for a layer.
type Change struct {
	Layer
	Text string // TOML; empty takes the layer away
	Why  string
	By   string // name
	// Base is the number of the version that Text was made from, 0 for none: a
	// version that came in between is not overwritten.
	Base int64
}

// Effect is what a change does to bornes.
type Effect struct {
	Changed []string // IDs of the bornes whose profile becomes another
	First   []string // of those, the ones that had a file of their own until now
}

// Broken is a borne whose layers make no profile that it could start with.
type Broken struct {
	Borne string
	Err   error // profile.Errors, mostly
}

// BreaksError says that a change is refused for the bornes that it would break.
type BreaksError []Broken

// shownBroken is how many bornes an error names.
const shownBroken = 5

func (e BreaksError) Error() string {
	var lines []string
	for i, b := range e {
		if i == shownBroken {
			lines = append(lines, fmt.Sprintf("et %d autres bornes", len(e)-shownBroken))
			break
		}
		lines = append(lines, fmt.Sprintf("borne %s :\n%v", b.Borne, b.Err))
	}
	return "rien n’est changé, car ces bornes ne pourraient plus démarrer :\n" + strings.Join(lines, "\n")
}

// Errors that callers act on.
var (
	// ErrOutdated says that a version was made after the one that a change
	// starts from.
	ErrOutdated = errors.New("quelqu’un d’autre a changé cette couche entre-temps : relisez-la, puis recommencez")
	// ErrSame says that a text is the one that is there.
	ErrSame = errors.New("ce texte est celui qui est en place")
)

// Try tells what a change would do, and changes nothing. Errors: those of Save.
func (p *Profiles) Try(ctx context.Context, c Change) (*Effect, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	return p.try(ctx, w, c)
}

func (p *Profiles) try(ctx context.Context, w *world, c Change) (*Effect, error) {
	if err := w.exists(c.Layer); err != nil {
		return nil, err
	}
	switch now := w.layers[c.Layer]; {
	case now.N != c.Base:
		return nil, ErrOutdated
	case now.Text == c.Text:
		return nil, ErrSame
	}
	parsed := profile.ParseLayer(profile.Layer{Name: w.name(c.Layer), Data: []byte(c.Text)})
	if err := parsed.Errors(p.Further...); err != nil {
		return nil, err
	}
	next := w.with(func(w *world) { w.put(store.ProfileLayer{Scope: c.Scope, Object: c.Object, Text: c.Text}) })
	return p.compare(ctx, w, next, func(b store.Watched) bool { return w.reaches(c.Layer, b) })
}

// exists is ErrNotFound for a layer of something that isn't there.
func (w *world) exists(l Layer) error {
	found := false
	switch l.Scope {
	case store.CityProfile:
		found = l.Object == ""
	case store.GroupProfile:
		_, found = w.groups[l.Object]
	case store.SiteProfile:
		_, found = w.sites[l.Object]
	case store.BorneProfile:
		found = slices.ContainsFunc(w.bornes, func(b store.Watched) bool { return b.ID == l.Object })
	}
	if !found {
		return store.ErrNotFound
	}
	return nil
}

// compare tells what becomes of bornes. Those that could not start with the
// layers as they are don't hold a change up.
func (p *Profiles) compare(ctx context.Context, before, after *world, concerns func(store.Watched) bool) (*Effect, error) {
	wanted, err := p.Store.AllWanted(ctx)
	if err != nil {
		return nil, err
	}
	var e Effect
	var breaks BreaksError
	for _, b := range before.bornes {
		if !concerns(b) || !after.managed(b, wanted) {
			continue
		}
		now := after.make(b)
		if now.err != nil {
			if !before.managed(b, wanted) || before.make(b).err == nil {
				breaks = append(breaks, Broken{b.ID, now.err})
			}
			continue
		}
		switch has := wanted[b.ID].Profile; {
		case has == nil:
			e.First = append(e.First, b.ID)
			e.Changed = append(e.Changed, b.ID)
		case *has != now.file:
			e.Changed = append(e.Changed, b.ID)
		}
	}
	if breaks != nil {
		return nil, breaks
	}
	return &e, nil
}

// tries is how often a change is checked anew because other layers were changed
// meanwhile.
const tries = 20

// atHand is how many bornes' profiles Save sets itself; whoever saves waits for
// it, some milliseconds for each.
const atHand = 500

// Save makes a change, and sets the profiles that bornes should have from then
// on; those of a great fleet Serve sets after it. Errors: profile.Errors about the text, BreaksError, ErrOutdated, ErrSame,
// and store.ErrNotFound for a layer of something that isn't there.
func (p *Profiles) Save(ctx context.Context, c Change) (*Effect, error) {
	for try := 1; ; try++ {
		w, err := p.look(ctx)
		if err != nil {
			return nil, err
		}
		effect, err := p.try(ctx, w, c)
		if err != nil {
			return nil, err
		}
		_, err = p.Store.PutProfileLayer(ctx, store.ProfileLayer{Scope: c.Scope, Object: c.Object, Text: c.Text,
			By: c.By, Why: c.Why, Made: p.Now()}, w.revision)
		if errors.Is(err, store.ErrChanged) && try < tries {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(effect.Changed) > atHand {
			return effect, nil
		}
		return effect, p.Refresh(ctx)
	}
}

// Move puts a site into a group, or with an empty one into none. Errors:
// BreaksError, store.ErrNotFound.
func (p *Profiles) Move(ctx context.Context, site, group string) (*Effect, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	if _, there := w.sites[site]; !there {
		return nil, store.ErrNotFound
	}
	effect, err := p.regroup(ctx, w, group, func(s store.Site) bool { return s.ID == site })
	if err != nil {
		return nil, err
	}
	if err := p.Store.SetSiteGroup(ctx, site, group); err != nil {
		return nil, err
	}
	return effect, p.Refresh(ctx)
}

// RemoveGroup removes a group; its sites are then of none. Its layer goes with
// it. Errors: BreaksError, store.ErrNotFound.
func (p *Profiles) RemoveGroup(ctx context.Context, group, by string) (*Effect, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	effect, err := p.regroup(ctx, w, "", func(s store.Site) bool { return s.Group == group })
	if err != nil {
		return nil, err
	}
	if err := p.Store.RemoveGroup(ctx, group); err != nil {
		return nil, err
	}
	if of := (Layer{store.GroupProfile, group}); w.parsed[of] != nil {
		if err := p.takeAway(ctx, of, by, "Le groupe est supprimé."); err != nil {
			return nil, err
		}
	}
	return effect, p.Refresh(ctx)
}

// takeAway empties a layer that is no borne's any more.
func (p *Profiles) takeAway(ctx context.Context, l Layer, by, why string) error {
	for try := 1; ; try++ {
		seen, err := p.Store.ProfileRevision(ctx)
		if err != nil {
			return err
		}
		gone := store.ProfileLayer{Scope: l.Scope, Object: l.Object, By: by, Why: why, Made: p.Now()}
		if _, err = p.Store.PutProfileLayer(ctx, gone, seen); !errors.Is(err, store.ErrChanged) || try == tries {
			return err
		}
	}
}

// regroup tells what becomes of bornes whose sites go into another group.
func (p *Profiles) regroup(ctx context.Context, w *world, group string, moves func(store.Site) bool) (*Effect, error) {
	next := w.with(func(w *world) {
		for id, s := range w.sites {
			if moves(s) {
				s.Group = group
				w.sites[id] = s
			}
		}
	})
	return p.compare(ctx, w, next, func(b store.Watched) bool { return moves(w.sites[b.Site]) })
}

// Whole is a borne's profile as its layers make it.
type Whole struct {
	Merged *profile.Merged
	Err    error  // what is wrong with it, profile.Errors mostly; nil where nothing is
	Layers []Node // those that it may have, from the city's down to its own
}

// Whole makes a borne's profile. Errors: store.ErrNotFound.
func (p *Profiles) Whole(ctx context.Context, borne string) (*Whole, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(w.bornes, func(b store.Watched) bool { return b.ID == borne })
	if i < 0 {
		return nil, store.ErrNotFound
	}
	made := w.make(w.bornes[i])
	whole := &Whole{Merged: made.merged, Err: made.err}
	for _, l := range w.under(w.bornes[i]) {
		whole.Layers = append(whole.Layers, w.node(l))
	}
	return whole, nil
}

// Broken lists the bornes that keep an older profile because their layers make
// none that they could start with.
func (p *Profiles) Broken(ctx context.Context) ([]Broken, error) {
	w, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	wanted, err := p.Store.AllWanted(ctx)
	if err != nil {
		return nil, err
	}
	return w.broken(wanted), nil
}

func (w *world) broken(wanted map[string]link.Wanted) []Broken {
	var all []Broken
	for _, b := range w.bornes {
		if w.managed(b, wanted) {
			if err := w.make(b).err; err != nil {
				all = append(all, Broken{b.ID, err})
			}
		}
	}
	return all
}
