package console

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
)

func (c *Console) statisticsRoutes() []route {
	return []route{
		{method: "GET", pattern: "/statistiques", permission: people.StatsSee, handler: c.statisticsPage, menu: menu{title: "Statistiques", icon: "gauge"}},
		{method: "GET", pattern: "/statistiques/export.csv", permission: people.StatsSee, handler: c.statisticsCSV},
		{method: "GET", pattern: "/statistiques/rapport/{periode}", permission: people.StatsSee, handler: c.reportPage},
		{method: "GET", pattern: "/statistiques/donnees-ouvertes", permission: people.StatsManage, handler: c.openDataSettings},
		{method: "POST", pattern: "/statistiques/donnees-ouvertes", permission: people.StatsManage, handler: c.openDataForm},
		{method: "GET", pattern: "/donnees-ouvertes", permission: anyone, handler: c.openDataPage},
		{method: "GET", pattern: "/donnees-ouvertes/{file}", permission: anyone, handler: c.openDataFile},
	}
}

// statisticsView is what the page of statistics shows.
type statisticsView struct {
	Period   string // as in the address
	Name     string
	Kinds    []periodChoices
	Sites    []siteChoice
	Chosen   int // sites that were picked; 0: all
	Empty    bool
	Open     bool // the period is not over
	Compared string
	Cards    []statCard
	Tables   []statTable
	Export   string
	Report   string    // address of the report of the newest half-year; empty: there is none
	Next     time.Time // when the next month is closed
	Manage   bool      // the visitor may say what is open data
}

// periodChoices are the periods of one kind that can be picked.
type periodChoices struct {
	Title   string
	Choices []choice
}

// siteChoice is a site that can be picked.
type siteChoice struct {
	store.Site
	On bool
}

// asked is a question to the statistics, as an address puts it.
type statQuestion struct {
	period statistics.Period
	sites  []string
}

// readQuestion reads what is asked for; without a period it is the newest
// half-year of which something is told.
func (c *Console) readQuestion(r *http.Request) (statQuestion, error) {
	q := r.URL.Query()
	a := statQuestion{sites: q["site"]}
	if slices.Contains(a.sites, "") {
		a.sites = nil
	}
	text := q.Get("periode")
	if text == "" {
		begun, err := c.stats.Begun(r.Context(), statistics.HalfYear)
		if err != nil {
			return a, err
		}
		a.period = statistics.PeriodOf(statistics.HalfYear, c.Now().In(c.Zone))
		if len(begun) > 0 {
			a.period = begun[0]
		}
		return a, nil
	}
	p, err := statistics.ParsePeriod(text)
	if err != nil {
		return a, refuse(http.StatusBadRequest, "Période incomprise", "Choisissez une période dans la liste de la page des statistiques.")
	}
	a.period = p
	return a, nil
}

// figuresOf reads the figures asked for, and those of the period before where
// both are whole.
func (c *Console) figuresOf(r *http.Request, a statQuestion) (now statistics.Figures, before *statistics.Figures, err error) {
	ctx := r.Context()
	if err := c.stats.Close(ctx, c.Now()); err != nil {
		return now, nil, err
	}
	if now, err = c.stats.Figures(ctx, a.period, a.sites...); err != nil || !now.Complete() {
		return now, nil, err
	}
	old, err := c.stats.Figures(ctx, a.period.Before(), a.sites...)
	if err != nil || !old.Complete() || old.Total.Visits == 0 {
		return now, nil, err
	}
	return now, &old, nil
}

func (c *Console) statisticsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	if err := c.stats.Close(ctx, c.Now()); err != nil {
		return err
	}
	a, err := c.readQuestion(r)
	if err != nil {
		return err
	}
	now, before, err := c.figuresOf(r, a)
	if err != nil {
		return err
	}
	data := statisticsView{Period: a.period.String(), Name: periodName(a.period), Empty: now.Empty(), Open: !now.Complete(), Chosen: len(a.sites)}
	if data.Kinds, err = c.periodChoices(r, a.period); err != nil {
		return err
	}
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, s := range sites {
		data.Sites = append(data.Sites, siteChoice{s, slices.Contains(a.sites, s.ID)})
	}
	if before != nil {
		data.Compared = toPeriod(a.period.Before())
	}
	halves, err := c.stats.Begun(ctx, statistics.HalfYear)
	if err != nil {
		return err
	}
	if len(halves) > 0 {
		data.Report = "/statistiques/rapport/" + halves[0].String()
	}
	if a.period.Kind == statistics.HalfYear && !data.Empty {
		data.Report = "/statistiques/rapport/" + a.period.String()
	}
	data.Manage = v.may(people.StatsManage)
	data.Cards, data.Tables = statCards(now, before), onPage(statTables(now, before, c.names(ctx).Demarches))
	data.Export = "/statistiques/export.csv?" + a.query().Encode()
	data.Next = statistics.PeriodOf(statistics.Month, c.Now().In(c.Zone).Add(-statistics.Settle)).End(c.Zone).Add(statistics.Settle)
	return c.render(w, r, v, "statistics", view{Title: "Statistiques", Data: data})
}

func (a statQuestion) query() url.Values {
	q := url.Values{"periode": {a.period.String()}}
	for _, s := range a.sites {
		q.Add("site", s)
	}
	return q
}

// periodChoices lists the periods of which something is told, and the one asked for.
func (c *Console) periodChoices(r *http.Request, here statistics.Period) ([]periodChoices, error) {
	var all []periodChoices
	for _, kind := range []struct {
		kind  statistics.Kind
		title string
	}{{statistics.Year, "Années"}, {statistics.HalfYear, "Semestres"}, {statistics.Quarter, "Trimestres"}, {statistics.Month, "Mois"}} {
		periods, err := c.stats.Begun(r.Context(), kind.kind)
		if err != nil {
			return nil, err
		}
		if here.Kind == kind.kind && !slices.Contains(periods, here) {
			periods = append(periods, here)
		}
		list := periodChoices{Title: kind.title}
		for _, p := range periods {
			list.Choices = append(list.Choices, choice{p.String(), periodName(p)})
		}
		if len(list.Choices) > 0 {
			all = append(all, list)
		}
	}
	return all, nil
}

// periodName names a period: "novembre 2026", "4e trimestre 2026".
func periodName(p statistics.Period) string {
	nth := strconv.Itoa(p.N) + "e"
	if p.N == 1 {
		nth = "1er"
	}
	year := strconv.Itoa(p.Year)
	switch p.Kind {
	case statistics.Month:
		return months[p.N-1] + " " + year
	case statistics.Quarter:
		return nth + " trimestre " + year
	case statistics.HalfYear:
		return nth + " semestre " + year
	}
	return "année " + year
}

// toPeriod names a period that another one is compared to.
func toPeriod(p statistics.Period) string {
	switch p.Kind {
	case statistics.Month:
		return "à " + periodName(p)
	case statistics.Year:
		return "à l’" + periodName(p)
	}
	return "au " + periodName(p)
}

// statisticsCSV gives what the page shows to a spreadsheet, line by line.
func (c *Console) statisticsCSV(w http.ResponseWriter, r *http.Request, v *visitor) error {
	a, err := c.readQuestion(r)
	if err != nil {
		return err
	}
	now, before, err := c.figuresOf(r, a)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="statistiques-parvis-`+a.period.String()+`.csv"`)
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return errAnswered
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	out.Write([]string{"Période", "Tableau", "Ligne", "Colonne", "Valeur", "Période d’avant"}) //nolint:errcheck // told by Error
	for _, t := range statTables(now, before, c.names(r.Context()).Demarches) {
		for _, row := range t.Rows {
			for i, value := range row.Values {
				old := ""
				if i < len(row.Before) {
					old = row.Before[i].plain()
				}
				out.Write(cells(a.period.String(), t.Title, strings.ReplaceAll(cmp.Or(row.Line, row.Label), fixed, " "), t.Columns[i], value.plain(), old)) //nolint:errcheck // told by Error
			}
		}
	}
	out.Flush()
	if out.Error() != nil {
		return errAnswered
	}
	return nil
}
