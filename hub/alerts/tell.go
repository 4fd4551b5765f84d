package alerts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// oneByOne is how many things a channel is told at once in messages of their
// own; more come in one message.
const oneByOne = 5

// news is something that a channel is to be told of an alert.
type news struct {
	alert int // in j.alerts
	ends  bool
	held  bool // it has waited for somebody to be there
}

// tell makes the messages that are due, and notes what is kept back.
func (j *judge) tell() []store.AlertMessage {
	j.settle()
	var messages []store.AlertMessage
	for _, c := range j.channels {
		if !c.On {
			continue
		}
		all := j.newsFor(c.ID)
		held := 0
		for _, n := range all {
			if n.held {
				held++
			}
		}
		if held > 1 || len(all) > oneByOne {
			messages = append(messages, j.message(c, all))
			continue
		}
		for _, n := range all {
			messages = append(messages, j.message(c, []news{n}))
		}
	}
	return messages
}

// settle notes where nothing is to be told of an end: the channel is gone, or
// it never heard of the beginning.
func (j *judge) settle() {
	on := make(map[string]bool)
	for _, c := range j.channels {
		on[c.ID] = c.On
	}
	for i := range j.alerts {
		a := &j.alerts[i]
		for k := range a.Told {
			t := &a.Told[k]
			if !a.Ended.IsZero() && t.Began != "" && t.Ended == "" && (t.Failed || !on[t.Channel]) {
				t.Ended = store.NothingToTell
				j.note(a)
			}
		}
	}
}

// newsFor lists what a channel is to be told now.
func (j *judge) newsFor(channel string) []news {
	var all []news
	for i := range j.alerts {
		a := &j.alerts[i]
		t := told(a, channel)
		switch {
		case a.Ended.IsZero() && a.Mended.IsZero() && (t == nil || t.Began == ""):
			meant, now := j.permits(a, channel, true)
			switch {
			case now:
				all = append(all, news{i, false, t != nil})
			case meant && t == nil:
				a.Told = append(a.Told, store.AlertTold{Channel: channel, Held: j.now})
				j.note(a)
			}
		case !a.Ended.IsZero() && t != nil && t.Began != "" && t.Ended == "":
			// A rule that is gone keeps nothing back.
			if meant, now := j.permits(a, channel, false); now || !meant {
				all = append(all, news{i, true, j.now.Sub(a.Ended) > 2*every})
			}
		}
	}
	return all
}

func told(a *store.Alert, channel string) *store.AlertTold {
	i := slices.IndexFunc(a.Told, func(t store.AlertTold) bool { return t.Channel == channel })
	if i < 0 {
		return nil
	}
	return &a.Told[i]
}

// permits reports whether any rule means an alert for a channel, and whether
// one of them lets it be told at this hour.
func (j *judge) permits(a *store.Alert, channel string, begins bool) (meant, now bool) {
	var sites []string
	for _, m := range a.Bornes {
		sites = append(sites, m.Site)
	}
	here := j.hours.Here(j.now.In(j.zone))
	for _, r := range j.rules {
		if !r.meant(a.Fault, sites) || !r.tells(channel) || begins && j.now.Sub(a.Began) < r.after(a.Fault) {
			continue
		}
		meant = true
		now = now || here || !r.quiet(a.Fault)
	}
	return meant, now
}

// space is where the IDs of messages come from.
var space = uuid.MustParse("7a0e4d0c-58c1-4f83-9c39-2f6f6b9f0c11")

// message makes one message of some news. The same news to the same channel
// always give the same ID.
func (j *judge) message(c Channel, all []news) store.AlertMessage {
	var content Message
	parts := []string{c.ID}
	for _, n := range all {
		a := &j.alerts[n.alert]
		content.Items = append(content.Items, j.item(*a, n.ends))
		kind := "begin"
		if n.ends {
			kind = "end"
		}
		parts = append(parts, a.ID+" "+kind)
	}
	slices.Sort(parts[1:])
	id := uuid.NewSHA1(space, []byte(strings.Join(parts, "\n"))).String()
	for _, n := range all {
		a := &j.alerts[n.alert]
		t := told(a, c.ID)
		if t == nil {
			a.Told = append(a.Told, store.AlertTold{Channel: c.ID})
			t = &a.Told[len(a.Told)-1]
		}
		if n.ends {
			t.Ended = id
		} else {
			t.Began = id
		}
		j.note(a)
	}
	data, err := json.Marshal(content)
	if err != nil {
		panic(err) // it is made of texts and times
	}
	return store.AlertMessage{ID: id, Channel: c.ID, Name: c.Name, Data: string(data), Created: j.now, Due: j.now}
}

// item is what a message says of one alert.
func (j *judge) item(a store.Alert, ends bool) Item {
	info := link.Explain(a.Fault)
	i := Item{Alert: a.ID, Event: Begins, Fault: a.Fault, Title: info.Title, Severity: info.Severity, Do: info.Do,
		Device: a.Device, Scope: a.Scope, Address: a.Address, Began: a.Began.UTC().Truncate(time.Second)}
	if ends {
		i.Event, i.Ended = Ends, a.Mended.UTC().Truncate(time.Second)
	}
	i.Removed = ends
	for _, m := range a.Bornes {
		place := j.sites[m.Site]
		if place == "" {
			place = m.Site
		}
		i.Bornes = append(i.Bornes, Place{m.Borne, place})
		_, there := j.byID[m.Borne]
		i.Removed = i.Removed && !there
		if ends && m.Back.IsZero() {
			i.Missing = append(i.Missing, Place{m.Borne, place})
		}
	}
	return i
}
