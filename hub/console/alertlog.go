package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// alertLogRoutes are the pages about what was told.
func (c *Console) alertLogRoutes() []route {
	return []route{
		{method: "GET", pattern: "/alertes/journal", permission: people.AlertsSee, handler: c.alertLogPage},
		{method: "GET", pattern: "/direct/alertes/journal", permission: people.AlertsSee, handler: c.alertLogStream, quiet: true},
		{method: "POST", pattern: "/alertes/journal/{alert}/prise", permission: people.BorneCommand, handler: c.takeAlert},
		{method: "POST", pattern: "/alertes/journal/{alert}/rendue", permission: people.BorneCommand, handler: c.leaveAlert},
	}
}

// How many alerts a page of the log lists.
const (
	openShown  = 200
	endedShown = 40
)

// alertLogView is the alerts that are open, and those that have ended.
type alertLogView struct {
	Open, Ended []loggedAlert
	OpenCount   int
	Before      string // of the page shown; empty: the newest
	Older       string
	May         bool // the visitor may see to one
	Nobody      bool // there is no channel: nobody is told
}

// loggedAlert is an alert as the log shows it.
type loggedAlert struct {
	store.Alert
	Title, Tone, State string
	Places             string
	Names              string // of its bornes
	One                string // the borne, where there is one only
	Missing            int    // of several, not back
	Told               []toldLine
}

// toldLine is what became of one message.
type toldLine struct {
	Channel, Text, Tone string
	At                  time.Time
	Error               string
}

func (c *Console) alertLog(ctx context.Context, before string, may bool) (*alertLogView, error) {
	v := &alertLogView{Before: before, May: may}
	var open []store.Alert
	var err error
	if before == "" {
		if open, err = c.Store.Alerts(ctx, true, "", openShown); err != nil {
			return nil, err
		}
	}
	if v.OpenCount, err = c.Store.CountAlerts(ctx); err != nil {
		return nil, err
	}
	ended, err := c.Store.Alerts(ctx, false, before, endedShown+1)
	if err != nil {
		return nil, err
	}
	if len(ended) > endedShown {
		ended = ended[:endedShown]
		v.Older = "/alertes/journal?avant=" + ended[endedShown-1].ID
	}
	var ids []string
	for _, a := range slices.Concat(open, ended) {
		for _, t := range a.Told {
			ids = append(ids, t.Began, t.Ended)
		}
	}
	messages, err := c.Store.AlertMessages(ctx, ids)
	if err != nil {
		return nil, err
	}
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(sites))
	for _, s := range sites {
		names[s.ID] = s.Name
	}
	channels := map[string]string{}
	if c.Alerts != nil {
		all, err := c.Alerts.Channels(ctx)
		if err != nil {
			return nil, err
		}
		v.Nobody = len(all) == 0
		for _, ch := range all {
			channels[ch.ID] = ch.Name
		}
	}
	for _, a := range open {
		v.Open = append(v.Open, logged(a, names, channels, messages))
	}
	for _, a := range ended {
		v.Ended = append(v.Ended, logged(a, names, channels, messages))
	}
	return v, nil
}

// logged draws up an alert for the page.
func logged(a store.Alert, sites, channels map[string]string, messages map[string]store.AlertMessage) loggedAlert {
	l := loggedAlert{Alert: a, Title: title(a.Fault), Tone: toneWarn, State: "En cours"}
	if string(link.Explain(a.Fault).Severity) == critical {
		l.Tone = toneBad
	}
	switch {
	case !a.Ended.IsZero():
		l.State, l.Tone = "Finie", toneGood
	case !a.Mended.IsZero():
		l.State = "En voie de finir"
	}
	var places []string
	var bornes []string
	for _, b := range a.Bornes {
		bornes = append(bornes, b.Borne)
		if name := sites[b.Site]; !slices.Contains(places, name) {
			places = append(places, name)
		}
		if b.Back.IsZero() {
			l.Missing++
		}
	}
	l.Places, l.Names = few(places), few(bornes)
	if len(bornes) == 1 {
		l.One = bornes[0]
	} else if a.Scope == store.ScopeNetwork {
		l.Title = plural(len(bornes), "borne", "bornes") + " hors ligne" + fixed + ": réseau " + a.Address
	} else {
		l.Title = plural(len(bornes), "borne", "bornes") + " hors ligne"
	}
	for _, t := range a.Told {
		name := channels[t.Channel]
		for i, id := range []string{t.Began, t.Ended} {
			m, ok := messages[id]
			if !ok {
				continue
			}
			if name == "" {
				name = m.Name
			}
			what := [...]string{"du début", "de la fin"}[i]
			switch {
			case !m.Sent.IsZero():
				l.Told = append(l.Told, toldLine{m.Name, "Prévenu " + what, toneGood, m.Sent, m.Error})
			case !m.Failed.IsZero():
				l.Told = append(l.Told, toldLine{m.Name, "Message " + what + "" + fixed + ": envoi abandonné", toneBad, m.Failed, m.Error})
			case m.Error != "":
				l.Told = append(l.Told, toldLine{m.Name, "Message " + what + "" + fixed + ": nouvel essai prévu", toneWarn, m.Due, m.Error})
			default:
				l.Told = append(l.Told, toldLine{m.Name, "Message " + what + "" + fixed + ": envoi en cours", toneInfo, m.Created, ""})
			}
		}
		if t.Began == "" && !t.Held.IsZero() && a.Ended.IsZero() {
			l.Told = append(l.Told, toldLine{name, "Retenu pendant les heures calmes", toneInfo, t.Held, ""})
		}
	}
	return l
}

// few names the first of a list, and counts the others.
func few(names []string) string {
	const shown = 6
	text := ""
	for i, n := range names {
		if i == shown {
			return text + " et " + plural(len(names)-shown, "autre", "autres")
		}
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}

// Lasted is how long the fault was there.
func (l loggedAlert) Lasted() string { return span(l.Mended.Sub(l.Began)) }

// Several is how many bornes there are, where there are several.
func (l loggedAlert) Several() int { return len(l.Bornes) }

// span says how long something took: "12 min", "3 h", "2 j".
func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return number(max(1, int(d.Minutes()))) + fixed + "min"
	case d < 48*time.Hour:
		text := number(int(d.Hours())) + fixed + "h"
		if minutes := int(d.Minutes()) % 60; minutes > 0 {
			text += fixed + number(minutes) + fixed + "min"
		}
		return text
	}
	return number(int(d.Hours())/24) + fixed + "j"
}

func (c *Console) alertLogPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	log, err := c.alertLog(r.Context(), r.URL.Query().Get("avant"), v.may(people.BorneCommand))
	if err != nil {
		return err
	}
	return c.render(w, r, v, "alertlog", view{Title: "Journal des alertes", Data: log})
}

func (c *Console) alertLogStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.stream(w, r, v, "", func(ctx context.Context) ([]section, error) {
		log, err := c.alertLog(ctx, "", v.may(people.BorneCommand))
		if err != nil {
			return nil, err
		}
		return c.drawSections("alertlog", log, "alertlog-open", "alertlog-ended")
	})
}

func (c *Console) takeAlert(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.seeTo(w, r, v, v.Name, "prise en charge", "Vous vous occupez de cette alerte. Vos collègues le voient.")
}

func (c *Console) leaveAlert(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.seeTo(w, r, v, "", "rendue", "Plus personne ne s’occupe de cette alerte.")
}

func (c *Console) seeTo(w http.ResponseWriter, r *http.Request, v *visitor, name, what, flash string) error {
	id := r.PathValue("alert")
	err := c.Store.TakeAlert(r.Context(), id, name, c.Now())
	if errors.Is(err, store.ErrNotFound) {
		return c.redirect(w, r, "/alertes/journal", "Cette alerte est déjà finie.")
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.AlertTaken, Object: what, Detail: map[string]string{"alerte": id}}); err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/journal", flash)
}
