package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/device"
	"parvis/hub/alerts"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// alertRuleRoutes are the pages that say what is told, and when.
func (c *Console) alertRuleRoutes() []route {
	if c.Alerts == nil {
		return nil
	}
	return []route{
		{method: "GET", pattern: "/alertes/reglages", permission: people.AlertsManage, handler: c.alertSettingsPage},
		{method: "POST", pattern: "/alertes/reglages/heures", permission: people.AlertsManage, handler: c.saveHours},
		{method: "GET", pattern: "/alertes/regles/{rule}", permission: people.AlertsManage, handler: c.rulePage},
		{method: "POST", pattern: "/alertes/regles/{rule}", permission: people.AlertsManage, handler: c.saveRule},
		{method: "POST", pattern: "/alertes/regles/{rule}/suppression", permission: people.AlertsManage, handler: c.removeRule},
	}
}

// newOne stands in an address for what doesn't exist yet.
const newOne = "nouvelle"

// alertSettingsView is what the page of settings shows.
type alertSettingsView struct {
	Rules    []ruleRow
	Channels []alerts.Channel
	Days     []dayRow
}

// ruleRow is a rule in words.
type ruleRow struct {
	alerts.Rule
	What, Where, Whom, When string
}

// dayRow is the hours of presence on one day of the week.
type dayRow struct {
	Number   int
	Name     string
	Here     bool
	From, To string
}

func (c *Console) alertSettingsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	h, err := c.Alerts.Hours(r.Context())
	if err != nil {
		return err
	}
	return c.showAlertSettings(w, r, v, dayRows(h), nil)
}

func (c *Console) showAlertSettings(w http.ResponseWriter, r *http.Request, v *visitor, days []dayRow, mistakes formErrors) error {
	ctx := r.Context()
	rules, err := c.Alerts.Rules(ctx)
	if err != nil {
		return err
	}
	data := alertSettingsView{Days: days}
	if data.Channels, err = c.Alerts.Channels(ctx); err != nil {
		return err
	}
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		data.Rules = append(data.Rules, inWords(rule, sites, data.Channels))
	}
	return c.render(w, r, v, "alertsettings", view{Title: "Réglages des alertes", Data: data, Errors: mistakes})
}

// inWords says what a rule does.
func inWords(rule alerts.Rule, sites []store.Site, channels []alerts.Channel) ruleRow {
	row := ruleRow{Rule: rule, What: "Toutes les pannes", Where: "Tous les sites", Whom: "Tous les canaux"}
	if rule.Severity == device.Critical {
		row.What = "Pannes qui empêchent de servir"
	}
	if len(rule.Faults) > 0 {
		var names []string
		for _, f := range rule.Faults {
			names = append(names, title(f))
		}
		row.What = few(names)
	}
	if rule.After != alerts.Usual {
		row.What += ", après " + span(time.Duration(rule.After)*time.Minute)
		if rule.After == 0 {
			row.What = strings.TrimSuffix(row.What, ", après "+span(0)) + ", tout de suite"
		}
	}
	if len(rule.Sites) > 0 {
		var names []string
		for _, s := range sites {
			if slices.Contains(rule.Sites, s.ID) {
				names = append(names, s.Name)
			}
		}
		row.Where = few(names)
	}
	if len(rule.Channels) > 0 {
		var names []string
		for _, ch := range channels {
			if slices.Contains(rule.Channels, ch.ID) {
				names = append(names, ch.Name)
			}
		}
		if row.Whom = few(names); row.Whom == "" {
			row.Whom = "Personne"
		}
	}
	row.When = outsideText(rule.Outside)
	return row
}

func outsideText(o alerts.Outside) string {
	switch o {
	case alerts.OutsideAll:
		return "À toute heure"
	case alerts.OutsideCritical:
		return "À toute heure ce qui empêche de servir, le reste aux heures de présence"
	}
	return "Aux heures de présence"
}

// week lists the days as people do.
var week = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

func dayRows(h alerts.Hours) []dayRow {
	var rows []dayRow
	for _, d := range week {
		row := dayRow{Number: int(d), Name: weekdays[d], Here: h[d].Here, From: timeOfDay(h[d].From), To: timeOfDay(h[d].To)}
		if !row.Here {
			row.From, row.To = "08:00", "18:00"
		}
		rows = append(rows, row)
	}
	return rows
}

func timeOfDay(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func (c *Console) saveHours(w http.ResponseWriter, r *http.Request, v *visitor) error {
	var h alerts.Hours
	var mistakes formErrors
	rows := dayRows(h)
	for i := range rows {
		row := &rows[i]
		n := strconv.Itoa(row.Number)
		row.Here, row.From, row.To = r.PostFormValue("present-"+n) != "", r.PostFormValue("de-"+n), r.PostFormValue("a-"+n)
		if !row.Here {
			continue
		}
		from, errFrom := time.Parse("15:04", row.From)
		to, errTo := time.Parse("15:04", row.To)
		if errFrom != nil || errTo != nil {
			mistakes.add("de-"+n, "Donnez deux heures pour "+row.Name+", comme 08:00 et 18:00.")
			continue
		}
		h[row.Number] = alerts.Day{Here: true, From: from.Hour()*60 + from.Minute(), To: to.Hour()*60 + to.Minute()}
	}
	if len(mistakes) > 0 {
		return c.showAlertSettings(w, r, v, rows, mistakes)
	}
	if err := c.Alerts.SetHours(r.Context(), h); err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.AlertSettings, Object: "heures de présence"}); err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/reglages", "Les heures de présence sont enregistrées.")
}

// ruleView is the form of a rule.
type ruleView struct {
	alerts.Rule
	Minutes  string // as typed
	ByName   bool   // faults are chosen one by one
	Fixed    bool   // it cannot be removed
	New      bool
	Groups   []faultGroup
	AllSites []choiceBox
	AllChans []choiceBox
}

// choiceBox is a box to tick.
type choiceBox struct {
	ID, Label string
	On        bool
}

// faultGroup is the faults of one gravity.
type faultGroup struct {
	Label string
	Boxes []choiceBox
}

func (c *Console) rulePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	rule := alerts.Rule{On: true, Severity: device.Warning, After: alerts.Usual, Outside: alerts.OutsideCritical}
	if id := r.PathValue("rule"); id != newOne {
		var err error
		if rule, err = c.Alerts.Rule(r.Context(), id); err != nil {
			return err
		}
	}
	minutes := ""
	if rule.After != alerts.Usual {
		minutes = strconv.Itoa(rule.After)
	}
	return c.showRule(w, r, v, ruleView{Rule: rule, Minutes: minutes, ByName: len(rule.Faults) > 0}, nil)
}

func (c *Console) showRule(w http.ResponseWriter, r *http.Request, v *visitor, form ruleView, mistakes formErrors) error {
	form.New, form.Fixed = r.PathValue("rule") == newOne, r.PathValue("rule") == alerts.BaseRule
	form.Groups = faultGroups(form.Faults)
	ctx := r.Context()
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, s := range sites {
		form.AllSites = append(form.AllSites, choiceBox{s.ID, s.Name, slices.Contains(form.Sites, s.ID)})
	}
	channels, err := c.Alerts.Channels(ctx)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		form.AllChans = append(form.AllChans, choiceBox{ch.ID, ch.Name, slices.Contains(form.Channels, ch.ID)})
	}
	title := "Règle « " + form.Name + " »"
	if form.New {
		title = "Nouvelle règle"
	}
	return c.render(w, r, v, "alertrule", view{Title: title, Data: form, Errors: mistakes})
}

// faultGroups lists all faults that there are, the graver first.
func faultGroups(chosen []string) []faultGroup {
	groups := []faultGroup{{Label: "Empêchent de servir"}, {Label: "Demandent un geste bientôt"}}
	add := func(fault string, severity device.Severity, title string) {
		box := choiceBox{fault, title, slices.Contains(chosen, fault)}
		switch severity {
		case device.Critical:
			groups[0].Boxes = append(groups[0].Boxes, box)
		case device.Warning:
			groups[1].Boxes = append(groups[1].Boxes, box)
		}
	}
	for _, f := range link.Faults() {
		add(f.Fault, f.Severity, f.Title)
	}
	for _, f := range device.Faults() {
		add(string(f.Fault), f.Severity, f.Title)
	}
	for _, g := range groups {
		slices.SortFunc(g.Boxes, func(a, b choiceBox) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	}
	return groups
}

func (c *Console) saveRule(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	form := ruleView{Minutes: strings.TrimSpace(r.PostFormValue("after")), ByName: r.PostFormValue("lesquelles") == "choisies"}
	form.Rule = alerts.Rule{Name: oneLine(r.PostFormValue("name")), On: r.PostFormValue("on") != "", Severity: device.Severity(r.PostFormValue("lesquelles")),
		After: alerts.Usual, Outside: alerts.Outside(r.PostFormValue("outside")), Sites: r.PostForm["site"], Channels: r.PostForm["canal"]}
	if id := r.PathValue("rule"); id != newOne {
		if _, err := c.Alerts.Rule(ctx, id); err != nil {
			return err
		}
		form.ID = id
	}
	var mistakes formErrors
	if form.ByName {
		form.Severity, form.Faults = device.Warning, r.PostForm["panne"]
		if len(form.Faults) == 0 {
			mistakes.add("severity", "Cochez au moins une panne, ou choisissez-les par gravité.")
		}
	}
	if form.Minutes != "" {
		n, err := strconv.Atoi(form.Minutes)
		if form.After = n; err != nil || n < 0 {
			mistakes.add("after", "Donnez un nombre de minutes, ou laissez vide.")
		}
	}
	if len(mistakes) > 0 {
		return c.showRule(w, r, v, form, mistakes)
	}
	saved, err := c.Alerts.PutRule(ctx, form.Rule)
	if field := new(alerts.FieldError); errors.As(err, &field) {
		return c.showRule(w, r, v, form, formErrors{{field.Field, field.Text}})
	}
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.RuleSaved, Object: saved.Name, Detail: map[string]string{"règle": saved.ID}}); err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/reglages", "La règle « "+saved.Name+" » est enregistrée.")
}

func (c *Console) removeRule(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	rule, err := c.ruleToRemove(ctx, r.PathValue("rule"))
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.RuleRemoved, Object: rule.Name, Detail: map[string]string{"règle": rule.ID}}); err != nil {
		return err
	}
	if err := c.Alerts.RemoveRule(ctx, rule.ID); err != nil {
		return err
	}
	return c.redirect(w, r, "/alertes/reglages", "La règle « "+rule.Name+" » est supprimée.")
}

func (c *Console) ruleToRemove(ctx context.Context, id string) (alerts.Rule, error) {
	if id == alerts.BaseRule {
		return alerts.Rule{}, refuse(http.StatusConflict, "Cette règle ne se supprime pas", "Vous pouvez la changer, ou l’arrêter.")
	}
	return c.Alerts.Rule(ctx, id)
}
