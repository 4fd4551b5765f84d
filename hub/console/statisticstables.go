package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/hub/statistics"
	"parvis/kiosk/unfound"
)

// statCard is one figure at the head of the page.
type statCard struct {
	Value, Label, Change string
}

// statTable is a table of figures, and perhaps the chart above it.
type statTable struct {
	ID, Title string
	Note      string
	First     string   // heads the labels
	Columns   []string // head the values
	Rows      []statRow
	Compared  bool         // rows have the period before
	Chart     *columnChart // nil: each row has a bar of its own
}

// statRow is one line of a table.
type statRow struct {
	Label  string
	Short  string // under the chart; empty: Label
	Line   string // in a file, where Label stands twice; empty: Label
	Values []statValue
	Before []statValue // as many, or none
	Bar    string      // width of its bar, in percent; for tables without chart
}

// Change says how the first value has changed.
func (r statRow) Change() string {
	if len(r.Before) == 0 {
		return ""
	}
	return change(r.Values[0].N, r.Before[0].N)
}

// statValue is a number of residents, which is "moins de 5" where it is nothing,
// or one of something else.
type statValue struct {
	N    int
	Unit string // of what does not count residents: "h", "%", or "pannes"
	Word string // instead of a number
}

// Text writes a value for people.
func (v statValue) Text() string {
	switch {
	case v.Word != "":
		return v.Word
	case v.Unit == unitUnknown:
		return "—"
	case v.Unit == unitCount:
		return number(v.N)
	case v.Unit != "":
		return number(v.N) + fixed + v.Unit
	case v.N == 0:
		return "moins de 5"
	}
	return number(v.N)
}

// plain writes a value for spreadsheets: empty where it is not told.
func (v statValue) plain() string {
	if v.Word != "" {
		return v.Word
	}
	if v.Unit == unitUnknown || v.Unit == "" && v.N == 0 {
		return ""
	}
	return strconv.Itoa(v.N)
}

// Units that aren't written: of what is counted exactly, and of what nobody knows.
const (
	unitCount   = "unités"
	unitUnknown = "inconnu"
)

func residents(n ...int) []statValue {
	values := make([]statValue, len(n))
	for i, v := range n {
		values[i].N = v
	}
	return values
}

// residentsText writes how many residents did something, of what may be told.
func residentsText(n int) string { return statValue{N: n}.Text() }

// change says by how much a figure has changed, where that can be said of
// figures that are rounded to 5.
func change(now, before int) string {
	const enough = 20
	switch {
	case now < enough || before < enough:
		return "—"
	case now == before:
		return "stable"
	}
	percent := (200*(now-before)/before + map[bool]int{true: 1, false: -1}[now > before]) / 2
	if percent == 0 {
		return "stable"
	}
	sign := "+"
	if percent < 0 {
		sign, percent = "−", -percent
	}
	return sign + number(percent) + fixed + "%"
}

func statCards(now statistics.Figures, before *statistics.Figures) []statCard {
	t := now.Total
	cards := []statCard{
		{Value: residentsText(t.Visits), Label: "visites"},
		{Value: residentsText(t.Done), Label: "démarches guidées jusqu’au bout"},
		{Value: residentsText(t.Left), Label: "démarches quittées en route"},
		{Value: silentShare(t), Label: "du temps sans nouvelles des bornes"},
	}
	if before != nil {
		b := before.Total
		for i, n := range [][2]int{{t.Visits, b.Visits}, {t.Done, b.Done}, {t.Left, b.Left}} {
			cards[i].Change = change(n[0], n[1])
		}
	}
	return cards
}

// silentShare is how much of the time that was due bornes were not heard of.
func silentShare(c statistics.Counts) string {
	if c.Due == 0 {
		return "—"
	}
	tenths := int(1000 * c.Silent.Hours() / c.Due.Hours())
	return fmt.Sprintf("%d,%d%s%%", tenths/10, tenths%10, fixed)
}

// statTables are all tables of figures, in the order of the page, with démarches
// by their names.
func statTables(now statistics.Figures, before *statistics.Figures, demarches map[string]string) []statTable {
	if now.Empty() {
		return nil
	}
	old := statistics.Figures{}
	if before != nil {
		old = *before
	}
	compared := before != nil
	var tables []statTable
	if len(now.Months) > 1 {
		tables = append(tables, monthTable(now, old, compared))
	}
	tables = append(tables, dayTable(now, old, compared), hourTable(now, old, compared), siteTable(now, old, compared), callTable(now, old, compared))
	tables = append(tables, detailTables(now, old, compared, demarches)...)
	tables = append(tables, unfoundTable(now))
	tables = append(tables, serviceTable(now))
	return slices.DeleteFunc(tables, func(t statTable) bool { return len(t.Rows) == 0 })
}

func monthTable(now, old statistics.Figures, compared bool) statTable {
	t := statTable{ID: "mois", Title: "Visites par mois", First: "Mois", Columns: []string{"Visites", "Démarches menées au bout", "Démarches quittées"}, Compared: compared}
	for i, m := range now.Months {
		if m.Open {
			continue
		}
		row := statRow{Label: months[m.Month.N-1], Values: residents(m.Visits, m.Done, m.Left)}
		if compared {
			b := old.Months[i]
			row.Before = residents(b.Visits, b.Done, b.Left)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Chart = newColumns(t.Rows, "mois")
	return t
}

func dayTable(now, old statistics.Figures, compared bool) statTable {
	t := statTable{ID: "jours", Title: "Visites par jour de la semaine", First: "Jour", Columns: []string{"Visites"}, Compared: compared}
	if now.Period.Kind == statistics.Month {
		t.Title, t.Compared = "Visites par jour", false // the same date is another weekday
	}
	for i, d := range now.Days {
		row := statRow{Label: weekdays[d.Week], Values: residents(d.Visits)}
		if d.Date > 0 {
			row.Label, row.Short = weekdays[d.Week]+fixed+strconv.Itoa(d.Date), strconv.Itoa(d.Date)
		}
		if t.Compared {
			row.Before = residents(old.Days[i].Visits)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = withheldNote(now.DaysWithheld, "jours")
	t.Chart = newColumns(t.Rows, "jour")
	return t
}

func withheldNote(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("Sans %s où trop de %s ont moins de 5 visites. Le total est donc plus bas que celui des visites.", plural(n, "mois d’un site", "mois de sites"), what)
}

func hourTable(now, old statistics.Figures, compared bool) statTable {
	t := statTable{ID: "heures", Title: "Visites par heure", First: "Heure", Columns: []string{"Visites"}, Compared: compared,
		Note: withheldNote(now.HoursWithheld, "heures")}
	from, to := firstHour, lastHour
	for h := range 24 {
		if now.Hours[h]+old.Hours[h] > 0 {
			from, to = min(from, h), max(to, h)
		}
	}
	for h := from; h <= to; h++ {
		row := statRow{Label: strconv.Itoa(h) + fixed + "h", Values: residents(now.Hours[h])}
		if compared {
			row.Before = residents(old.Hours[h])
		}
		t.Rows = append(t.Rows, row)
	}
	t.Chart = newColumns(t.Rows, "heure")
	return t
}

func siteTable(now, old statistics.Figures, compared bool) statTable {
	t := statTable{ID: "sites", Title: "Par site", First: "Site", Columns: []string{"Visites", "Démarches menées au bout", "Démarches quittées"}, Compared: compared}
	for _, s := range now.Sites {
		row := statRow{Label: s.Site.Name, Values: residents(s.Visits, s.Done, s.Left)}
		if compared {
			i := slices.IndexFunc(old.Sites, func(o statistics.SiteFigures) bool { return o.Site.ID == s.Site.ID })
			b := statistics.Counts{}
			if i >= 0 {
				b = old.Sites[i].Counts
			}
			row.Before = residents(b.Visits, b.Done, b.Left)
		}
		t.Rows = append(t.Rows, row)
	}
	slices.SortStableFunc(t.Rows, func(a, b statRow) int { return b.Values[0].N - a.Values[0].N })
	t.bars()
	return t
}

// Small reports whether two such tables fit beside each other.
func (t statTable) Small() bool { return t.Chart == nil && len(t.Columns) == 1 }

// callTable tells of the requests to be called back that had a deadline.
func callTable(now, old statistics.Figures, compared bool) statTable {
	t := statTable{ID: "rappels", Title: "Demandes de rappel", First: "Site", Columns: []string{"Appelées dans le délai", "Délai dépassé"}, Compared: compared}
	for _, s := range now.Sites {
		if s.CallsInTime+s.CallsLate == 0 {
			continue
		}
		row := statRow{Label: s.Site.Name, Values: residents(s.CallsInTime, s.CallsLate)}
		if compared {
			b := statistics.Counts{}
			if i := slices.IndexFunc(old.Sites, func(o statistics.SiteFigures) bool { return o.Site.ID == s.Site.ID }); i >= 0 {
				b = old.Sites[i].Counts
			}
			row.Before = residents(b.CallsInTime, b.CallsLate)
		}
		t.Rows = append(t.Rows, row)
	}
	slices.SortStableFunc(t.Rows, func(a, b statRow) int { return b.Values[0].N - a.Values[0].N })
	t.bars()
	return t
}

// bars gives each row a bar as long as its first value is large.
func (t *statTable) bars() {
	most := 1
	for _, r := range t.Rows {
		most = max(most, r.Values[0].N)
	}
	for i, r := range t.Rows {
		t.Rows[i].Bar = coordinate(100 * float64(r.Values[0].N) / float64(most))
	}
}

// searchNames are where something is searched for.
var searchNames = map[string]string{unfound.Places: "Lieux", unfound.Demarches: "Démarches"}

// unfoundTable lists what residents searched for in vain.
func unfoundTable(now statistics.Figures) statTable {
	t := statTable{ID: "introuvables", Title: "Ce que les habitants ont cherché sans le trouver", First: "Recherche", Columns: []string{"Fois", "Où"},
		Note: "Une même recherche compte une fois par jour et par borne, pour tous les sites ensemble. Celles qui reviennent moins de 5 fois dans le mois sont effacées sans que personne les ait lues."}
	for _, u := range now.Unfound {
		where := named(searchNames, u.Kind)
		t.Rows = append(t.Rows, statRow{Label: u.Text, Line: u.Text + " (" + strings.ToLower(where) + ")", Values: []statValue{{N: u.N}, {Word: where}}})
	}
	t.bars()
	return t
}

// mostOnPage is how many searches a page shows: all are in the file.
const mostOnPage = 30

// onPage leaves out of tables what only a file has room for.
func onPage(tables []statTable) []statTable {
	for i, t := range tables {
		if t.ID == "introuvables" && len(t.Rows) > mostOnPage {
			tables[i].Rows = t.Rows[:mostOnPage]
			tables[i].Note = fmt.Sprintf("Les %d plus fréquentes ; l’export CSV les a toutes. %s", mostOnPage, t.Note)
		}
	}
	return tables
}

func serviceTable(now statistics.Figures) statTable {
	t := statTable{ID: "service", Title: "État des bornes", First: "Site", Columns: []string{"Pannes", "Temps en panne", "Temps sans nouvelles"},
		Note: "Ces chiffres comptent des machines, pas des personnes : ils sont exacts. Une borne éteinte la nuit est sans nouvelles elle aussi."}
	hours := func(d time.Duration) statValue { return statValue{N: int(d.Round(time.Hour).Hours()), Unit: "h"} }
	silent := func(s statistics.SiteFigures) statValue {
		if s.Due == 0 {
			return statValue{Unit: unitUnknown}
		}
		return hours(s.Silent)
	}
	for _, s := range now.Sites {
		t.Rows = append(t.Rows, statRow{Label: s.Site.Name, Values: []statValue{{N: s.Faults, Unit: unitCount}, hours(s.Trouble), silent(s)}})
	}
	slices.SortStableFunc(t.Rows, func(a, b statRow) int { return b.Values[1].N - a.Values[1].N })
	t.bars()
	return t
}

// columnChart is a chart of columns, in the units of its drawing; each with the
// period before beside it where that is known.
type columnChart struct {
	Columns []chartColumn
	Summary string
	Labels  []string
	Most    int // the top of the chart
	Compare bool
}

// chartColumn is one rectangle.
type chartColumn struct {
	X, Y, Width, Height string
	Old                 bool // of the period before
}

const (
	columnsWidth  = 720
	columnsHeight = 160
)

// newColumns draws the first values of rows. what names a row, in the singular.
func newColumns(rows []statRow, what string) *columnChart {
	c := &columnChart{}
	most, best, total := 1, -1, 0
	for i, r := range rows {
		n := r.Values[0].N
		total += n
		if n > 0 && (best < 0 || n > rows[best].Values[0].N) {
			best = i
		}
		most = max(most, n)
		if len(r.Before) > 0 {
			c.Compare = true
			most = max(most, r.Before[0].N)
		}
	}
	slot := float64(columnsWidth) / float64(max(1, len(rows)))
	width := slot * .72
	for i, r := range rows {
		c.Labels = append(c.Labels, cmp.Or(r.Short, r.Label))
		x := float64(i)*slot + slot*.14
		put := func(n int, x, width float64, old bool) {
			if n == 0 {
				return
			}
			h := float64(n) * columnsHeight / float64(most)
			c.Columns = append(c.Columns, chartColumn{coordinate(x), coordinate(columnsHeight - h), coordinate(width), coordinate(h), old})
		}
		if c.Compare {
			put(r.Before[0].N, x, width*.45, true)
			put(r.Values[0].N, x+width*.5, width*.5, false)
			continue
		}
		put(r.Values[0].N, x, width, false)
	}
	c.Most, c.Summary = most, "Aucun chiffre à montrer."
	if best >= 0 {
		label := strings.ReplaceAll(rows[best].Label, fixed, " ")
		c.Summary = fmt.Sprintf("%s en tout ; %s avec le plus de visites : %s, %s.", plural(total, "visite", "visites"), what, label, number(rows[best].Values[0].N))
	}
	return c
}
