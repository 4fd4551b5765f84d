package alerts

import (
	"strings"
	"time"

	"parvis/device"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// judge is the fleet at one moment, and what was told of it before.
type judge struct {
	now      time.Time
	zone     *time.Location
	silence  bool // bornes that say nothing count as offline
	alerts   []store.Alert
	bornes   []store.Watched
	faults   []store.FaultSpan
	sites    map[string]string // names
	rules    []Rule
	channels []Channel
	hours    Hours

	byID    map[string]store.Watched
	changed map[string]bool // alerts, by ID
}

// decide works out the next state of all alerts, and what to tell.
func (j *judge) decide() store.AlertChange {
	j.byID = make(map[string]store.Watched, len(j.bornes))
	for _, b := range j.bornes {
		j.byID[b.ID] = b
	}
	j.changed = make(map[string]bool)
	wrong := j.wrong()
	for i := range j.alerts {
		switch a := &j.alerts[i]; {
		case !a.Ended.IsZero():
		case a.Fault == link.FaultOffline:
			j.followSilence(a)
		default:
			j.follow(a, wrong)
		}
	}
	j.open(wrong)
	if j.silence {
		j.openSilence()
	}
	messages := j.tell()
	change := store.AlertChange{Messages: messages}
	for _, a := range j.alerts {
		if j.changed[a.ID] {
			change.Alerts = append(change.Alerts, a)
		}
	}
	return change
}

func (j *judge) note(a *store.Alert) { j.changed[a.ID] = true }

func (j *judge) offline(b store.Watched) bool { return j.now.Sub(b.Seen) > link.Silence }

// certificateSoon is how long before its end a certificate is a fault.
const certificateSoon = 24 * time.Hour

// wrong lists the faults that last, by the key of their alert, but for silence.
func (j *judge) wrong() map[string]store.FaultSpan {
	all := make(map[string]store.FaultSpan)
	add := func(f store.FaultSpan) {
		key := strings.Join([]string{"fault", f.Borne, f.Device, f.Fault}, "/")
		all[key] = f
	}
	for _, b := range j.bornes {
		if !b.Cloned.IsZero() {
			add(store.FaultSpan{Borne: b.ID, Fault: link.FaultClone, Began: b.Cloned})
		}
		if soon := b.CertEnds.Add(-certificateSoon); soon.Before(j.now) {
			add(store.FaultSpan{Borne: b.ID, Fault: link.FaultCertificate, Began: soon})
		}
	}
	for _, f := range j.faults {
		if _, ok := j.byID[f.Borne]; ok {
			add(f)
		}
	}
	return all
}

// toldByBorne reports whether only the borne itself can say how a fault is.
func toldByBorne(fault string) bool {
	return fault != link.FaultClone && fault != link.FaultCertificate && fault != link.FaultFlood
}

// follow sees whether a fault still lasts.
func (j *judge) follow(a *store.Alert, wrong map[string]store.FaultSpan) {
	b, there := j.byID[a.Bornes[0].Borne]
	if !there { // shut out: nothing will be heard of it
		a.Bornes[0].Back, a.Mended, a.Ended = j.now, j.now, j.now
		j.note(a)
		return
	}
	if toldByBorne(a.Fault) && j.offline(b) {
		return // what it told last may be over
	}
	_, lasts := wrong[a.Key]
	switch {
	case lasts && !a.Mended.IsZero(): // it was never really away
		a.Mended, a.Bornes[0].Back = time.Time{}, time.Time{}
		j.note(a)
	case !lasts && a.Mended.IsZero():
		a.Mended, a.Bornes[0].Back = j.now, j.now
		j.note(a)
	case !lasts && j.now.Sub(a.Mended) >= settling:
		a.Ended = j.now
		j.note(a)
	}
}

// open opens alerts for what has lasted long enough.
func (j *judge) open(wrong map[string]store.FaultSpan) {
	known := make(map[string]bool)
	for _, a := range j.alerts {
		if a.Ended.IsZero() {
			known[a.Key] = true
		}
	}
	for key, f := range wrong {
		b := j.byID[f.Borne]
		if known[key] || toldByBorne(f.Fault) && j.offline(b) {
			continue
		}
		if after, tell := j.after(f.Fault, b.Site); !tell || j.now.Sub(f.Began) < after {
			continue
		}
		j.add(store.Alert{Key: key, Fault: f.Fault, Device: f.Device, Scope: store.ScopeBorne, Began: f.Began,
			Bornes: []store.AlertBorne{{Borne: b.ID, Site: b.Site, Fell: f.Began}}})
	}
}

func (j *judge) add(a store.Alert) {
	if a.ID == "" {
		a.ID = newID()
	}
	a.Opened = j.now
	j.alerts = append(j.alerts, a)
	j.note(&a)
}

// after is how long a fault must last before there is an alert: the shortest
// of the rules about it. Without any, it is opened all the same, for the
// console, unless it is nothing but news.
func (j *judge) after(fault, site string) (after time.Duration, open bool) {
	info := link.Explain(fault)
	after, open = info.After, info.Severity != device.Info
	first := true
	for _, r := range j.rules {
		if !r.meant(fault, []string{site}) {
			continue
		}
		if first || r.after(fault) < after {
			after = r.after(fault)
		}
		first, open = false, true
	}
	return after, open
}
