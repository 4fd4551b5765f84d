package console

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parvis/hub/people"
)

func (c *Console) auditRoutes() []route {
	return []route{
		{method: "GET", pattern: "/journal", permission: people.AuditSee, handler: c.auditPage, menu: menu{title: "Journal", icon: "history"}},
		{method: "GET", pattern: "/journal/export.csv", permission: people.AuditSee, handler: c.auditCSV},
	}
}

// auditPageSize is how many lines a page shows.
const auditPageSize = 50

// auditView is what the page of the log shows.
type auditView struct {
	Lines                      []people.Entry
	Person, Action, Borne, Day string // what was asked for
	Filtered                   bool
	People                     []choice
	Actions                    []people.Action
	Older, Export, Newest      string // addresses
	Keep                       int    // days
}

// choice is an option of a list.
type choice struct{ Value, Label string }

// auditFilter reads what was asked for.
func (c *Console) auditFilter(q url.Values) (people.Filter, formErrors) {
	f := people.Filter{
		Person: q.Get("personne"), Action: people.Action(q.Get("action")),
		Borne: strings.TrimSpace(q.Get("borne")), Before: q.Get("avant"),
	}
	var wrong formErrors
	if day := q.Get("jour"); day != "" {
		from, err := time.ParseInLocation(time.DateOnly, day, c.Zone)
		if err != nil {
			wrong.add("jour", "Choisissez un jour du calendrier, par exemple 21/11/2026.")
		}
		f.From, f.To = from, from.AddDate(0, 0, 1)
	}
	return f, wrong
}

func (c *Console) auditPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	q := r.URL.Query()
	f, wrong := c.auditFilter(q)
	data := auditView{Person: f.Person, Action: string(f.Action), Borne: f.Borne, Day: q.Get("jour"),
		Actions: people.Actions(), Keep: int(people.KeepLog.Hours()) / 24}
	data.Filtered = data.Person+data.Action+data.Borne+data.Day != ""
	names, err := c.People.LogPeople(ctx)
	if err != nil {
		return err
	}
	for id, name := range names {
		data.People = append(data.People, choice{id, name})
	}
	slices.SortFunc(data.People, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)) })
	if len(wrong) == 0 {
		f.Limit = auditPageSize + 1
		if data.Lines, err = c.People.Log(ctx, f); err != nil {
			return err
		}
	}
	q.Del("avant")
	data.Export = "/journal/export.csv?" + q.Encode()
	if f.Before != "" {
		data.Newest = "/journal?" + q.Encode()
	}
	if len(data.Lines) > auditPageSize {
		data.Lines = data.Lines[:auditPageSize]
		q.Set("avant", data.Lines[auditPageSize-1].ID)
		data.Older = "/journal?" + q.Encode()
	}
	return c.render(w, r, v, "journal", view{Title: "Journal", Data: data, Errors: wrong})
}

// auditCSV gives the lines asked for to a spreadsheet, as French ones expect:
// semicolons, and a mark that says UTF-8.
func (c *Console) auditCSV(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	f, wrong := c.auditFilter(r.URL.Query())
	if len(wrong) > 0 {
		return refuse(http.StatusBadRequest, "Jour incompris", wrong[0].Text)
	}
	if err := c.audit(r, v, people.Entry{Action: people.AuditExported}); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="journal-parvis-`+c.Now().In(c.Zone).Format(time.DateOnly)+`.csv"`)
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return errAnswered
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	if err := out.Write([]string{"Date", "Heure", "Personne", "Action", "Borne", "Objet", "Détail", "Adresse"}); err != nil {
		return errAnswered
	}
	f.Limit = 1000
	for {
		lines, err := c.People.Log(ctx, f)
		if err != nil {
			return err
		}
		for _, l := range lines {
			at := l.At.In(c.Zone)
			if err := out.Write(cells(at.Format(time.DateOnly), at.Format(time.TimeOnly), l.Name, l.Action.Label(), l.Borne, l.Object, detailText(l.Detail), l.Address)); err != nil {
				return errAnswered
			}
		}
		out.Flush()
		if out.Error() != nil {
			return errAnswered
		}
		if len(lines) < f.Limit {
			return nil
		}
		f.Before = lines[len(lines)-1].ID
	}
}

func detailText(detail map[string]string) string {
	var parts []string
	for _, key := range sortedKeys(detail) {
		parts = append(parts, key+" : "+detail[key])
	}
	return strings.Join(parts, " ; ")
}

// cells makes texts safe for spreadsheets, which take what begins with one of
// these signs for a formula: an apostrophe in front makes it a text.
func cells(texts ...string) []string {
	for i, t := range texts {
		if strings.ContainsAny(firstLetter(t), "=+-@\t\r\n|%") || strings.ContainsAny(firstLetter(strings.TrimSpace(t)), "=+-@") {
			texts[i] = "'" + t
		}
	}
	return texts
}

func firstLetter(t string) string {
	for _, r := range t {
		return string(r)
	}
	return ""
}
