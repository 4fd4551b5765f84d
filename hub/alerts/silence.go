package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// followSilence sees which bornes of an alert are back. Once half of them are,
// it waits for the others as long as for any fault that may come back; then
// the alert ends, and those that are still missing get one of their own.
func (j *judge) followSilence(a *store.Alert) {
	back, gone := 0, 0
	for i := range a.Bornes {
		m := &a.Bornes[i]
		b, there := j.byID[m.Borne]
		switch {
		case !there, !j.offline(b):
			if m.Back.IsZero() {
				m.Back = j.now
				if there { // its first report may be a while ago
					m.Back = later(m.Fell, minTime(j.now, b.Seen))
				}
				j.note(a)
			}
			if !there {
				gone++
			}
			back++
		case !m.Back.IsZero() && j.silence:
			m.Back = time.Time{}
			j.note(a)
		case !m.Back.IsZero():
			back++
		}
	}
	switch {
	case gone == len(a.Bornes): // all shut out
		a.Mended, a.Ended = j.now, j.now
		j.note(a)
	case 2*back < len(a.Bornes):
		if !a.Mended.IsZero() {
			a.Mended = time.Time{}
			j.note(a)
		}
	case a.Mended.IsZero():
		a.Mended = j.now
		j.note(a)
	case j.silence && j.now.Sub(a.Mended) >= settling:
		a.Ended = j.now
		j.note(a)
		if back < len(a.Bornes) {
			j.add(j.heir(*a))
		}
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// heir is the alert of those who are still missing when the others are back.
// Who was told of all was told of them.
func (j *judge) heir(a store.Alert) store.Alert {
	h := store.Alert{ID: newID(), Fault: a.Fault, Scope: a.Scope, Address: a.Address, Taken: a.Taken, TakenBy: a.TakenBy}
	h.Key = silenceKey(h.ID)
	for _, m := range a.Bornes {
		if m.Back.IsZero() {
			h.Bornes = append(h.Bornes, m)
		}
	}
	if h.Scope == store.ScopeHub || len(h.Bornes) == 1 {
		h.Scope, h.Address = j.common(h.Bornes)
	}
	h.Began = first(h.Bornes)
	for _, t := range a.Told {
		if t.Began != "" {
			h.Told = append(h.Told, store.AlertTold{Channel: t.Channel, Began: t.Began})
		}
	}
	return h
}

// silenceKey is the key of an alert of bornes that are offline. Its bornes
// tell it from others.
func silenceKey(alert string) string { return "offline/" + alert }

// joining is how long after an alert was opened another borne that falls
// silent in the same place is taken for part of it.
const joining = 10 * time.Minute

// openSilence opens alerts for bornes that have fallen silent: one for all of
// the hub, one for all behind an address, one for all of a site, or one each.
func (j *judge) openSilence() {
	known := make(map[string]bool)
	for _, a := range j.alerts {
		if a.Fault == link.FaultOffline && a.Ended.IsZero() {
			for _, m := range a.Bornes {
				known[m.Borne] = true
			}
		}
	}
	var fallen []store.Watched
	all := true
	for _, b := range j.bornes {
		switch {
		case b.Seen.IsZero(): // it was never there
		case !j.offline(b):
			all = false
		case !known[b.ID] && !j.join(b):
			fallen = append(fallen, b)
		}
	}
	groups := j.group(fallen, all)
	for _, g := range groups {
		a := store.Alert{ID: newID(), Fault: link.FaultOffline}
		a.Key = silenceKey(a.ID)
		for _, b := range g {
			a.Bornes = append(a.Bornes, store.AlertBorne{Borne: b.ID, Site: b.Site, Fell: b.Seen})
		}
		if a.Began = first(a.Bornes); j.now.Sub(a.Began) < link.Silence+gathering {
			continue // others may follow
		}
		if a.Scope, a.Address = j.common(a.Bornes); all && len(groups) == 1 && len(g) > 1 && a.Scope == store.ScopeBorne {
			a.Scope = store.ScopeHub
		}
		j.add(a)
	}
}

func first(bornes []store.AlertBorne) time.Time {
	return slices.MinFunc(bornes, func(a, b store.AlertBorne) int { return a.Fell.Compare(b.Fell) }).Fell
}

// join adds a borne to a fresh alert of the place where it stands.
func (j *judge) join(b store.Watched) bool {
	for i := range j.alerts {
		a := &j.alerts[i]
		if a.Fault != link.FaultOffline || !a.Ended.IsZero() || !a.Mended.IsZero() || j.now.Sub(a.Opened) > joining {
			continue
		}
		same := a.Scope == store.ScopeHub || a.Scope == store.ScopeNetwork && a.Address == b.Address ||
			a.Scope == store.ScopeSite && a.Bornes[0].Site == b.Site
		if same {
			a.Bornes = append(a.Bornes, store.AlertBorne{Borne: b.ID, Site: b.Site, Fell: b.Seen})
			j.note(a)
			return true
		}
	}
	return false
}

// group puts together what fell together.
func (j *judge) group(fallen []store.Watched, all bool) [][]store.Watched {
	if len(fallen) < 2 || all {
		return nonEmpty(fallen)
	}
	byAddress, rest := gather(fallen, func(b store.Watched) string { return b.Address })
	bySite, rest := gather(rest, func(b store.Watched) string { return b.Site })
	groups := append(byAddress, bySite...)
	for _, b := range rest {
		groups = append(groups, []store.Watched{b})
	}
	return groups
}

func nonEmpty(bornes []store.Watched) [][]store.Watched {
	if len(bornes) == 0 {
		return nil
	}
	return [][]store.Watched{bornes}
}

// gather finds those that share something, two or more; the rest stand alone.
func gather(bornes []store.Watched, what func(store.Watched) string) (groups [][]store.Watched, rest []store.Watched) {
	sorted := slices.Clone(bornes)
	slices.SortStableFunc(sorted, func(a, b store.Watched) int {
		return cmp.Or(strings.Compare(what(a), what(b)), strings.Compare(a.ID, b.ID))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && what(sorted[n]) == what(sorted[0]) {
			n++
		}
		if n > 1 && what(sorted[0]) != "" {
			groups = append(groups, sorted[:n:n])
		} else {
			rest = append(rest, sorted[:n]...)
		}
		sorted = sorted[n:]
	}
	return groups, rest
}

// common is what some bornes share: an address, or a site.
func (j *judge) common(bornes []store.AlertBorne) (store.AlertScope, string) {
	if len(bornes) < 2 {
		return store.ScopeBorne, ""
	}
	address, site := j.byID[bornes[0].Borne].Address, bornes[0].Site
	oneAddress, oneSite := address != "", true
	for _, b := range bornes {
		oneAddress = oneAddress && j.byID[b.Borne].Address == address
		oneSite = oneSite && b.Site == site
	}
	switch {
	case oneAddress:
		return store.ScopeNetwork, address
	case oneSite:
		return store.ScopeSite, ""
	}
	return store.ScopeBorne, ""
}
