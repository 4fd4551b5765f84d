package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
)

// fleetRoutes are the pages about bornes.
func (c *Console) fleetRoutes() []route {
	return slices.Concat([]route{
		{method: "GET", pattern: "/{$}", permission: people.FleetSee, handler: c.fleetPage, menu: menu{title: "Bornes", icon: "device-desktop", below: "/bornes/"}},
		{method: "GET", pattern: "/direct/bornes", permission: people.FleetSee, handler: c.fleetStream, quiet: true},
	}, c.callbackRoutes(), c.agendaRoutes(), c.accessRoutes(), c.borneRoutes(), c.commandRoutes(), c.alertRoutes(), c.enrolRoutes())
}

// pageSize is how many bornes a page lists.
const pageSize = 50

// fleetQuery says which bornes a page lists, and how.
type fleetQuery struct {
	Only   string // of the chips; empty: all
	Search string
	Sort   string // a column; empty: by place
	Down   bool   // from the end
	Page   int    // from 1
	path   string // of the page; empty: "/"
}

// The chips, and the columns that the list can be sorted by.
const (
	onlyAttention = "a-voir"
	onlyOffline   = "hors-ligne"
	sortID        = "borne"
	sortState     = "etat"
	sortSeen      = "vue"
)

// maxSearch is how many letters of a search count.
const maxSearch = 80

// readQuery takes from an address what makes sense.
func readQuery(q url.Values) fleetQuery {
	f := fleetQuery{Page: 1}
	if only := q.Get("liste"); only == onlyAttention || only == onlyOffline {
		f.Only = only
	}
	if s := q.Get("tri"); s == sortID || s == sortState || s == sortSeen {
		f.Sort = s
	}
	f.Down = q.Get("sens") == "inverse"
	f.Search = strings.TrimSpace(q.Get("q"))
	if letters := []rune(f.Search); len(letters) > maxSearch {
		f.Search = string(letters[:maxSearch])
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		f.Page = max(1, n)
	}
	return f
}

// String is the part of the address from "?" on; empty for the list as it begins.
func (f fleetQuery) String() string {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("liste", f.Only)
	set("q", f.Search)
	set("tri", f.Sort)
	if f.Down {
		q.Set("sens", "inverse")
	}
	if f.Page > 1 {
		q.Set("page", strconv.Itoa(f.Page))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func (f fleetQuery) address() string { return cmp.Or(f.path, "/") + f.String() }

// OnlyURL is the address of the list of a chip.
func (f fleetQuery) OnlyURL(only string) string { f.Only, f.Page = only, 1; return f.address() }

// PageURL is the address of another page of the list.
func (f fleetQuery) PageURL(page int) string { f.Page = page; return f.address() }

// WithoutSearch is the address of the list without its search.
func (f fleetQuery) WithoutSearch() string { f.Search, f.Page = "", 1; return f.address() }

// Refresh is the address of this page.
func (f fleetQuery) Refresh() string { return f.address() }

// SortURL sorts by a column, or the other way round where it is sorted so already.
func (f fleetQuery) SortURL(column string) string {
	f.Down = f.Sort == column && !f.Down
	f.Sort, f.Page = column, 1
	return f.address()
}

// Sorted is the aria-sort of a column.
func (f fleetQuery) Sorted(column string) string {
	switch {
	case f.Sort != column:
		return "none"
	case f.Down:
		return "descending"
	}
	return "ascending"
}

// StreamURL keeps this list fresh.
func (f fleetQuery) StreamURL() string { return "/direct/bornes" + f.String() }

// fleetView is what the page of the fleet shows.
type fleetView struct {
	Query  fleetQuery
	Sums   fleetSums
	Rows   []fleetRow
	Enrols bool // the visitor may put bornes into service
	// Found is how many bornes the query finds, on all pages.
	Found, From, To, Pages int
}

// fleetSums are the tiles and the chips.
type fleetSums struct {
	All, Serving, Attention, Offline, LowPaper int
	// OfflineFor is for how long, in a word; empty when nobody knows.
	OfflineFor string
	// Visits are those of today, a sum of what may be told of each borne;
	// Callbacks are rounded as they are.
	Visits, Callbacks int
}

// VisitsText and CallbacksText write them.
func (s fleetSums) VisitsText() string { return residentsText(s.Visits) }

// CallbacksText is described with VisitsText.
func (s fleetSums) CallbacksText() string { return residentsText(s.Callbacks) }

// fleetRow is a line of the table.
type fleetRow struct {
	Borne           string
	Place           string
	State           condition
	Printer, Reader string // "?": nobody knows
	Seen            time.Time
	Visits          string // of today: "moins de 5"
	Bars            []bar  // nil where no breakdown may be told
	Summary         string // of the bars, in words
}

// entry is a borne while the list is made.
type entry struct {
	store.Head
	condition
}

// entries judges all bornes, and sums up.
func entries(heads []store.Head, now time.Time) ([]entry, fleetSums) {
	list := make([]entry, len(heads))
	sums := fleetSums{All: len(heads)}
	var silent time.Time // since when the one is that has been for longest
	for i, h := range heads {
		e := entry{h, judge(h, now)}
		list[i] = e
		if e.Serving {
			sums.Serving++
		}
		if e.Attention {
			sums.Attention++
		}
		if e.condition.Offline {
			sums.Offline++
			if !h.Seen.IsZero() && (silent.IsZero() || h.Seen.Before(silent)) {
				silent = h.Seen
			}
		}
		if e.LowPaper && !e.condition.Offline {
			sums.LowPaper++
		}
	}
	if !silent.IsZero() {
		sums.OfflineFor = strings.TrimPrefix(ago(silent, now), "il y a ")
	}
	return list, sums
}

// pick keeps the entries that a query asks for, in its order. They come by
// place and ID, and stay so where they are equal otherwise.
func (f fleetQuery) pick(list []entry) []entry {
	words := strings.Fields(fold(f.Search))
	list = slices.DeleteFunc(list, func(e entry) bool {
		switch {
		case f.Only == onlyAttention && !e.Attention, f.Only == onlyOffline && !e.condition.Offline:
			return true
		case len(words) == 0:
			return false
		}
		text := fold(e.Site.Name + " " + e.ID)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
	if compare := f.compare(); compare != nil {
		slices.SortStableFunc(list, compare)
	} else if f.Down {
		slices.Reverse(list)
	}
	return list
}

func (f fleetQuery) compare() func(a, b entry) int {
	var compare func(a, b entry) int
	switch f.Sort {
	case sortID:
		compare = func(a, b entry) int { return strings.Compare(a.ID, b.ID) }
	case sortState:
		compare = func(a, b entry) int { return a.rank - b.rank }
	case sortSeen: // the freshest first: that is the least time ago
		compare = func(a, b entry) int { return b.Seen.Compare(a.Seen) }
	default:
		return nil
	}
	if f.Down {
		return func(a, b entry) int { return compare(b, a) }
	}
	return compare
}

// fold makes a text easy to find: no capitals, no accents, one kind of apostrophe.
func fold(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		plain = plain && s[i] < 0x80
	}
	if plain {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '’':
			return '\''
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// page cuts out a page; a page after the last is the last.
func (v *fleetView) page(list []entry) []entry {
	v.Found = len(list)
	v.Pages = max(1, (len(list)+pageSize-1)/pageSize)
	v.Query.Page = min(v.Query.Page, v.Pages)
	from := (v.Query.Page - 1) * pageSize
	list = list[from:min(from+pageSize, len(list))]
	if len(list) > 0 {
		v.From, v.To = from+1, from+len(list)
	}
	return list
}

// fleet reads what the page of the fleet shows.
func (c *Console) fleet(ctx context.Context, q fleetQuery) (*fleetView, error) {
	heads, err := c.feed.fleet(ctx)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	list, sums := entries(heads, now)
	v := &fleetView{Query: q, Sums: sums}
	shown := v.page(q.pick(list))
	if v.Sums.Visits, v.Sums.Callbacks, err = c.figures.read(ctx, c.Store, now.In(c.Zone)); err != nil {
		return nil, err
	}
	ids := make([]string, len(shown))
	for i, e := range shown {
		ids[i] = e.ID
	}
	bornes, err := c.Store.BornesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	today := now.In(c.Zone)
	visits, err := c.Store.VisitsOf(ctx, today.Format(time.DateOnly), ids)
	if err != nil {
		return nil, err
	}
	for _, e := range shown {
		v.Rows = append(v.Rows, newRow(e, bornes[e.ID], statistics.LiveOf(visits[e.ID], today.Hour()), today.Hour()))
	}
	return v, nil
}

func newRow(e entry, b store.Borne, visits statistics.Live, hour int) fleetRow {
	drawn := newBars(visits, hour)
	row := fleetRow{
		Borne: e.ID, Place: e.Site.Name, State: e.condition, Printer: "?", Reader: "?", Seen: b.Seen,
		Visits: residentsText(visits.Visits), Bars: drawn.Bars, Summary: drawn.Summary,
	}
	if !e.condition.Offline {
		row.Printer, row.Reader = printers(b), readers(b)
	}
	return row
}

// figures are the sums that cost the more, the larger the fleet is. They are
// read again at most as often as keeps their cost to a small part of the time.
type figures struct {
	mu                sync.Mutex
	until             time.Time
	hour              string
	visits, callbacks int
}

// figuresShare is how many times as long as they took the figures hold.
const figuresShare = 20

func (f *figures) read(ctx context.Context, s *store.Store, now time.Time) (visits, callbacks int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hour := now.Format("2006-01-02 15")
	began := time.Now()
	if f.hour == hour && began.Before(f.until) {
		return f.visits, f.callbacks, nil
	}
	if f.visits, err = s.VisitsOn(ctx, now.Format(time.DateOnly), now.Hour(), statistics.Step); err != nil {
		return 0, 0, err
	}
	all, err := s.CountCallbacks(ctx)
	if err != nil {
		return 0, 0, err
	}
	f.callbacks = statistics.Told(all)
	f.hour, f.until = hour, time.Now().Add(figuresShare*time.Since(began))
	return f.visits, f.callbacks, nil
}

func (c *Console) fleetPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	f, err := c.fleet(r.Context(), readQuery(r.URL.Query()))
	if err != nil {
		return err
	}
	f.Enrols = v.may(people.EnrolManage)
	return c.render(w, r, v, "fleet", view{Title: "Bornes", Data: f})
}

func (c *Console) fleetStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	q := readQuery(r.URL.Query())
	return c.stream(w, r, v, "", func(ctx context.Context) ([]section, error) {
		f, err := c.fleet(ctx, q)
		if err != nil {
			return nil, err
		}
		f.Enrols = v.may(people.EnrolManage)
		return c.fleetSections(f)
	})
}

// fleetSections draws what changes on the page of the fleet.
func (c *Console) fleetSections(f *fleetView) ([]section, error) {
	sections, err := c.drawSections("fleet", f, "fleet-chips", "fleet-tiles", "fleet-found", "fleet-none")
	if err != nil {
		return nil, err
	}
	rows, err := rowSections(c, "fleet", "fleet", f.Rows)
	return append(sections, rows...), err
}

// Element is the ID of the row in the page.
func (r fleetRow) Element() string { return "borne-" + r.Borne }

// Before and After are the numbers of the pages around this one.
func (v *fleetView) Before() int { return v.Query.Page - 1 }
func (v *fleetView) After() int  { return v.Query.Page + 1 }
