package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/kiosk/callback"
)

// closedColumns head the file of what was closed.
var closedColumns = []string{"Demande", "Site", "Borne", "Sujet", "Langue", "Demandée le", "À appeler avant le", "Premier essai le", "Close le",
	"Issue", "Thèmes", "Autonomie", "Réorientée vers", "Essais"}

// closedPeriod reads from when to when; without days it is all that is kept.
func (c *Console) closedPeriod(q url.Values) (from, to time.Time, err error) {
	for key, into := range map[string]*time.Time{"du": &from, "au": &to} {
		text := q.Get(key)
		if text == "" {
			continue
		}
		if *into, err = time.ParseInLocation(time.DateOnly, text, c.Zone); err != nil {
			return from, to, refuse(http.StatusBadRequest, "Jour incompris", "Choisissez un jour du calendrier, par exemple 21/11/2026.")
		}
		if key == "au" {
			*into = into.AddDate(0, 0, 1) // the day itself counts
		}
	}
	return from, to, nil
}

// callbacksCSV gives what was closed in a period to a spreadsheet: nothing of
// any resident, no note, and no name of a colleague. The audit log has a line of
// it first.
func (c *Console) callbacksCSV(w http.ResponseWriter, r *http.Request, v *visitor) error {
	from, to, err := c.closedPeriod(r.URL.Query())
	if err != nil {
		return err
	}
	q := readCallbackQuery(r.URL.Query())
	var file bytes.Buffer // whole before anybody sees it: the log tells how much it is
	rows, err := c.writeClosed(r.Context(), &file, q, from, to)
	if err != nil {
		return err
	}
	detail := map[string]string{"période": periodText(from, to), "lignes": strconv.Itoa(rows)}
	for key, value := range map[string]string{"site": q.Site, "langue": q.Lang, "sujet": q.Topic} {
		if value != "" {
			detail[key] = value
		}
	}
	if err := c.audit(r, v, people.Entry{Action: people.CallbacksExported, Detail: detail}); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="rappels-parvis-`+c.Now().In(c.Zone).Format(time.DateOnly)+`.csv"`)
	if _, err := file.WriteTo(w); err != nil {
		return errAnswered
	}
	return nil
}

// periodText words a period for the audit log: "du 2026-11-01 au 2026-11-21".
// to is midnight after its last day.
func periodText(from, to time.Time) string {
	var words []string
	if !from.IsZero() {
		words = append(words, "du "+from.Format(time.DateOnly))
	}
	if !to.IsZero() {
		words = append(words, "au "+to.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	return cmp.Or(strings.Join(words, " "), "tout ce qui est gardé")
}

// writeClosed writes the file, and says how many requests are in it.
func (c *Console) writeClosed(ctx context.Context, file io.Writer, q callbackQuery, from, to time.Time) (rows int, err error) {
	if _, err := io.WriteString(file, "\ufeff"); err != nil {
		return 0, err
	}
	out := csv.NewWriter(file)
	out.Comma, out.UseCRLF = ';', true
	if err := out.Write(closedColumns); err != nil {
		return 0, err
	}
	f := callbacks.Filter{Site: q.Site, Lang: q.Lang, Topic: q.Topic}
	for {
		items, next, err := c.Callbacks.ClosedBetween(ctx, f, from, to)
		if err != nil {
			return 0, err
		}
		for _, i := range items {
			if err := out.Write(c.closedCells(i)); err != nil {
				return 0, err
			}
		}
		rows += len(items)
		if f.Page = next; f.Page == "" {
			out.Flush()
			return rows, out.Error()
		}
	}
}

func (c *Console) closedCells(i callbacks.Item) []string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(c.Zone).Format("2006-01-02 15:04")
	}
	var topics []string
	for _, key := range i.HelpedWith {
		topics = append(topics, callbacks.TopicLabel(key))
	}
	lang := ""
	if i.Labelled {
		lang = langName(i.Lang)
	}
	return cells(callback.FormatCode(i.Code), i.SiteName, i.Borne, callbacks.TopicLabel(i.Topic), lang, at(i.Created), at(i.Due), at(i.FirstTry), at(i.Closed),
		i.Outcome.Label(), strings.Join(topics, " | "), wordOf(callbacks.Autonomies(), i.Autonomy), wordOf(callbacks.Redirections(), i.SentTo), strconv.Itoa(i.Tries))
}
