package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parvis/device"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Outside says what is told while nobody is there. The rest waits until
// somebody is, and is then told in one message if it still lasts.
type Outside string

// What is told outside the hours of presence.
const (
	OutsideCritical Outside = "critical" // only what keeps a borne from serving
	OutsideAll      Outside = "all"
	OutsideNothing  Outside = "nothing"
)

// Rule says what to tell whom, and when. Its zero value tells of nothing.
type Rule struct {
	ID   string `json:"-"`
	Name string
	On   bool
	// Faults are those that are meant, by name; none: by their severity.
	Faults []string `json:",omitempty"`
	// Severity is the least that is told of: device.Warning or device.Critical.
	Severity device.Severity
	// After is how long a fault must last, in minutes; Usual: what
	// link.Explain says of it.
	After int
	// Sites are the IDs of those that are meant; none: all.
	Sites []string `json:",omitempty"`
	// Channels are the IDs of those that are told; none: all.
	Channels []string `json:",omitempty"`
	Outside  Outside
}

// Usual stands for the time that each fault has for itself.
const Usual = -1

// BaseRule is the ID of the rule that is always there. It can be changed and
// switched off, but not removed.
const BaseRule = "base"

var base = Rule{ID: BaseRule, Name: "Toutes les pannes", On: true, Severity: device.Warning, After: Usual, Outside: OutsideCritical}

// Rules lists the rules, the one that is always there first.
func (a *Alerts) Rules(ctx context.Context) ([]Rule, error) {
	kept, err := a.Store.AlertRules(ctx)
	if err != nil {
		return nil, err
	}
	rules := []Rule{base}
	for _, k := range kept {
		r := Rule{}
		if err := json.Unmarshal([]byte(k.Data), &r); err != nil {
			return nil, fmt.Errorf("alerts: rule %s: %w", k.ID, err)
		}
		if r.ID = k.ID; r.ID == BaseRule {
			rules[0] = r
			continue
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// Rule returns one rule. Errors: store.ErrNotFound.
func (a *Alerts) Rule(ctx context.Context, id string) (Rule, error) {
	rules, err := a.Rules(ctx)
	if err != nil {
		return Rule{}, err
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, store.ErrNotFound
	}
	return rules[i], nil
}

// longest is the most minutes that a rule may wait: a week.
const longest = 7 * 24 * 60

// PutRule keeps a rule; one without an ID is new and gets one. Errors:
// FieldError.
func (a *Alerts) PutRule(ctx context.Context, r Rule) (Rule, error) {
	r.Name = strings.TrimSpace(r.Name)
	if n := utf8.RuneCountInString(r.Name); n == 0 || n > maxName {
		return r, wrong("name", "Donnez un nom à la règle, de %d lettres au plus.", maxName)
	}
	if r.Severity != device.Warning && r.Severity != device.Critical {
		return r, wrong("severity", "Choisissez la gravité des pannes.")
	}
	if r.After < Usual || r.After > longest {
		return r, wrong("after", "Donnez un nombre de minutes, de 0 à %d.", longest)
	}
	if !slices.Contains([]Outside{OutsideAll, OutsideCritical, OutsideNothing}, r.Outside) {
		return r, wrong("outside", "Choisissez ce qui est dit pendant les heures calmes.")
	}
	if r.ID == "" {
		r.ID = newID()
	}
	data, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	return r, a.Store.PutAlertRule(ctx, store.AlertRule{ID: r.ID, Created: a.Now(), Data: string(data)})
}

// RemoveRule removes a rule. Errors: store.ErrNotFound.
func (a *Alerts) RemoveRule(ctx context.Context, id string) error {
	if id == BaseRule {
		return errors.New("alerts: the base rule stays")
	}
	return a.Store.RemoveAlertRule(ctx, id)
}

// maxName is how many letters the name of a rule or channel may have.
const maxName = 80

// meant reports whether a rule is about a fault at any of some sites.
func (r Rule) meant(fault string, sites []string) bool {
	if !r.On {
		return false
	}
	if len(r.Faults) > 0 {
		if !slices.Contains(r.Faults, fault) {
			return false
		}
	} else if grade(link.Explain(fault).Severity) < grade(r.Severity) {
		return false
	}
	return len(r.Sites) == 0 || slices.ContainsFunc(sites, func(s string) bool { return slices.Contains(r.Sites, s) })
}

func grade(s device.Severity) int {
	return slices.Index([]device.Severity{device.Info, device.Warning, device.Critical}, s)
}

// after is how long a fault must last for the rule.
func (r Rule) after(fault string) time.Duration {
	if r.After == Usual {
		return link.Explain(fault).After
	}
	return time.Duration(r.After) * time.Minute
}

// quiet reports whether the rule keeps a fault back while nobody is there.
func (r Rule) quiet(fault string) bool {
	switch r.Outside {
	case OutsideAll:
		return false
	case OutsideCritical:
		return link.Explain(fault).Severity != device.Critical
	}
	return true
}

// tells reports whether the rule tells a channel.
func (r Rule) tells(channel string) bool {
	return len(r.Channels) == 0 || slices.Contains(r.Channels, channel)
}
