package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

func (c *Console) alertRoutes() []route {
	return []route{
		{method: "GET", pattern: "/alertes", permission: people.AlertsSee, handler: c.alertsPage, menu: menu{title: "Alertes", icon: "bell"}},
		{method: "GET", pattern: "/direct/alertes", permission: people.AlertsSee, handler: c.alertsStream, quiet: true},
	}
}

// alertsView is what is wrong at this moment, by place.
type alertsView struct {
	Places               []alertPlace
	Faults, Found        int // of all pages: faults, and places that have any
	Page, Pages          int
	Critical             int
	AllPlaces, AllBornes int
}

// alertPlace is a site where something is wrong.
type alertPlace struct {
	Name   string
	Faults []alertLine
}

// alertLine is one fault.
type alertLine struct {
	Borne string
	faultCard
}

// placesShown is how many places a page lists.
const placesShown = 50

// alerts reads what is wrong at this moment: what bornes tell, and what only
// the hub can know.
func (c *Console) alerts(ctx context.Context, page int) (*alertsView, error) {
	heads, err := c.feed.fleet(ctx)
	if err != nil {
		return nil, err
	}
	open, err := c.Store.OpenFaults(ctx)
	if err != nil {
		return nil, err
	}
	return newAlerts(heads, open, page, c.Now()), nil
}

func newAlerts(heads []store.Head, open []store.FaultSpan, page int, now time.Time) *alertsView {
	told := map[string][]store.FaultSpan{}
	for _, f := range open {
		told[f.Borne] = append(told[f.Borne], f)
	}
	v := &alertsView{Page: page, AllBornes: len(heads)}
	site := ""
	var places []alertPlace
	for _, h := range heads {
		if h.Site.ID != site {
			site = h.Site.ID
			v.AllPlaces++
		}
		lines := linesOf(h, told[h.ID], now)
		if len(lines) == 0 {
			continue
		}
		if n := len(places); n == 0 || places[n-1].Name != h.Site.Name {
			places = append(places, alertPlace{Name: h.Site.Name})
		}
		place := &places[len(places)-1]
		place.Faults = append(place.Faults, lines...)
		v.Faults += len(lines)
		for _, l := range lines {
			if l.Critical {
				v.Critical++
			}
		}
	}
	// Places where something doesn't work come before those where it soon won't.
	slices.SortStableFunc(places, func(a, b alertPlace) int { return a.grade() - b.grade() })
	v.Found = len(places)
	v.Pages = max(1, (len(places)+placesShown-1)/placesShown)
	v.Page = min(max(1, page), v.Pages)
	from := (v.Page - 1) * placesShown
	v.Places = places[from:min(from+placesShown, len(places))]
	return v
}

func (p alertPlace) grade() int {
	if slices.ContainsFunc(p.Faults, func(l alertLine) bool { return l.Critical }) {
		return 0
	}
	return 1
}

// linesOf lists what is wrong with a borne, the graver first. Of one that is
// offline only that is said: what it told last may be over.
func linesOf(h store.Head, told []store.FaultSpan, now time.Time) []alertLine {
	var lines []alertLine
	b := store.Borne{ID: h.ID, Cloned: h.Cloned, Seen: h.Seen, CertEnds: h.CertEnds}
	for _, card := range hubCards(b, now) {
		lines = append(lines, alertLine{h.ID, card})
	}
	if !h.Offline(now) {
		for _, f := range told {
			if string(link.Explain(f.Fault).Severity) == warning || string(link.Explain(f.Fault).Severity) == critical {
				lines = append(lines, alertLine{h.ID, newCard(f.Fault, f.Device, f.Began)})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b alertLine) int {
		switch {
		case a.Critical == b.Critical:
			return 0
		case a.Critical:
			return -1
		}
		return 1
	})
	return lines
}

// Key tells the fault from others of the same borne.
func (l alertLine) Key() string { return slug(l.Device + " " + l.fault) }

// Before and After are the numbers of the pages around this one.
func (v *alertsView) Before() int { return v.Page - 1 }
func (v *alertsView) After() int  { return v.Page + 1 }

// PageURL is the address of another page.
func (v *alertsView) PageURL(page int) string {
	if page <= 1 {
		return "/alertes"
	}
	return "/alertes?" + url.Values{"page": {strconv.Itoa(page)}}.Encode()
}

// StreamURL keeps this page fresh.
func (v *alertsView) StreamURL() string { return fmt.Sprintf("/direct/alertes?page=%d", v.Page) }

func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return n
}

func (c *Console) alertsPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	a, err := c.alerts(r.Context(), pageOf(r))
	if err != nil {
		return err
	}
	return c.render(w, r, v, "alerts", view{Title: "Alertes", Data: a})
}

func (c *Console) alertsStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	page := pageOf(r)
	return c.stream(w, r, v, "", func(ctx context.Context) ([]section, error) {
		a, err := c.alerts(ctx, page)
		if err != nil {
			return nil, err
		}
		return c.drawSections("alerts", a, "alerts-sum", "alerts-list")
	})
}
