package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parvis/hub/statistics"
)

// reportView is what the report for the steering group shows.
type reportView struct {
	Name, Compared string
	Made           time.Time
	Open, Empty    bool
	Sites          int
	Cards          []statCard
	Summary        []string
	Tables         []statTable
}

// reportPage draws the report of a half-year, made to be printed.
func (c *Console) reportPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p, err := statistics.ParsePeriod(r.PathValue("periode"))
	if err != nil || p.Kind != statistics.HalfYear {
		return errNoPage
	}
	now, before, err := c.figuresOf(r, statQuestion{period: p})
	if err != nil {
		return err
	}
	data := reportView{Name: periodName(p), Made: c.Now(), Open: !now.Complete(), Empty: now.Empty(), Sites: len(now.Sites),
		Cards: statCards(now, before), Summary: summary(now, before), Tables: onPage(statTables(now, before, c.names(r.Context()).Demarches))}
	if before != nil {
		data.Compared = toPeriod(p.Before())
	}
	return c.render(w, r, v, "statisticsreport", view{Title: "Rapport du " + data.Name, Data: data})
}

// summary says in sentences what matters most.
func summary(now statistics.Figures, before *statistics.Figures) []string {
	if now.Empty() {
		return nil
	}
	t := now.Total
	lines := []string{fmt.Sprintf("Les bornes de %s ont reçu %s.", plural(len(now.Sites), "site", "sites"), plural(t.Visits, "visite", "visites"))}
	if before != nil {
		if ch := change(t.Visits, before.Total.Visits); ch == "stable" {
			lines[0] = strings.TrimSuffix(lines[0], ".") + ", autant que la période d’avant."
		} else if ch != "—" {
			lines[0] = strings.TrimSuffix(lines[0], ".") + " (" + ch + " par rapport à la période d’avant)."
		}
	}
	if begun := t.Done + t.Left; begun >= 20 {
		lines = append(lines, fmt.Sprintf("Sur %s dont la fin est connue, %s ont été menées au bout, soit %d%s%%.",
			plural(begun, "démarche guidée", "démarches guidées"), number(t.Done), 100*t.Done/begun, fixed))
	}
	first := func(prefix string, names map[string]string, text string) {
		if all := now.Family(prefix, ""); len(all) > 0 {
			lines = append(lines, fmt.Sprintf(text, named(names, all[0].Key), number(all[0].N)))
		}
	}
	first("missing.", missingNames, "Ce qui a manqué le plus : « %s », cité %s fois.")
	if len(now.Unfound) > 0 {
		lines = append(lines, fmt.Sprintf("Ce qui a été le plus cherché sans être trouvé : « %s », %s fois.", now.Unfound[0].Text, number(now.Unfound[0].N)))
	}
	first("language.", languageNames, "Après le français, la langue la plus choisie est « %s » : %s visites.")
	first("aid.", aidNames, "L’aide la plus utilisée est « %s » : %s visites.")
	return lines
}
