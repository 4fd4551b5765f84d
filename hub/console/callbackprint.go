package console

import (
	"errors"
	"net/http"
	"time"

	"parvis/hub/callbacks"
)

// printedAtMost is how many requests of each list are printed.
const printedAtMost = 200

// printedList is the sheet for a day without network.
type printedList struct {
	Query         callbackQuery
	Mine, Waiting []printedRow
	Numbers       bool // those of Mine are shown
	More          int  // waiting ones that have no room
	Now           time.Time
	Day           string // of the week
	By            string
}

// printedRow is a line of the sheet.
type printedRow struct {
	callbackRow
	Number, FirstName string // only of those that the visitor holds
}

// NumbersURL is the sheet with numbers, and WithoutURL without.
func (p *printedList) NumbersURL() string {
	return "/rappels/imprimer" + p.Query.with("numeros", "oui")
}

// WithoutURL is described with NumbersURL.
func (p *printedList) WithoutURL() string { return "/rappels/imprimer" + p.Query.String() }

// BackURL is the list on the screen.
func (p *printedList) BackURL() string { return p.Query.FirstURL() }

// callbacksPrinted is a list to be printed. Numbers are on it only where they
// are asked for, of what the visitor holds; each is a look that the audit log
// tells.
func (c *Console) callbacksPrinted(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	q := readCallbackQuery(r.URL.Query())
	p := &printedList{Query: q, Numbers: r.URL.Query().Get("numeros") != "", Now: c.Now(), By: v.Name, Day: weekdays[c.Now().In(c.Zone).Weekday()]}
	f := callbacks.Filter{View: callbacks.Mine, Person: v.ID, Site: q.Site, Lang: q.Lang, Topic: q.Topic, Size: printedAtMost}
	mine, err := c.Callbacks.List(ctx, f)
	if err != nil {
		return err
	}
	for _, i := range mine.Items {
		row := printedRow{callbackRow: c.rowOf(i, v.ID)}
		if p.Numbers {
			who, err := c.Callbacks.Look(ctx, c.actor(v), i.ID)
			switch taken := new(callbacks.TakenError); {
			case errors.As(err, &taken), errors.Is(err, callbacks.ErrState), errors.Is(err, callbacks.ErrGone):
				continue // it is somebody else's by now
			case errors.Is(err, callbacks.ErrSealed):
				row.Number = "illisible"
			case err != nil:
				return err
			default:
				if row.Number, err = c.numberOf(ctx, who); err != nil {
					return err
				}
				row.FirstName = who.FirstName
			}
		}
		p.Mine = append(p.Mine, row)
	}
	f.View = callbacks.ToTake
	waiting, err := c.Callbacks.List(ctx, f)
	if err != nil {
		return err
	}
	for _, i := range waiting.Items {
		p.Waiting = append(p.Waiting, printedRow{callbackRow: c.rowOf(i, v.ID)})
	}
	p.More = waiting.Counts.Waiting - len(waiting.Items)
	return c.render(w, r, v, "callbacksprinted", view{Title: "Rappels à imprimer", Data: p})
}
