package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/hub/store"
)

// callbackRoutes are the mediators' pages: requests to be called back.
func (c *Console) callbackRoutes() []route {
	if c.Callbacks == nil {
		return nil
	}
	see, manage := people.CallbacksSee, people.CallbacksManage
	return []route{
		{method: "GET", pattern: "/rappels", permission: see, handler: c.callbacksPage, menu: menu{title: "Rappels", icon: "phone-call", count: c.waitingCallbacks}},
		{method: "GET", pattern: "/direct/rappels", permission: see, handler: c.callbacksStream, quiet: true},
		{method: "GET", pattern: "/rappels/imprimer", permission: see, handler: c.callbacksPrinted},
		{method: "GET", pattern: "/rappels/export.csv", permission: see, handler: c.callbacksCSV},
		{method: "GET", pattern: "/rappels/reglages", permission: manage, handler: c.callbackSettingsPage},
		{method: "POST", pattern: "/rappels/reglages", permission: manage, handler: c.saveCallbackSettings},
		{method: "GET", pattern: "/rappels/{id}", permission: see, handler: c.callbackPage},
		{method: "GET", pattern: "/direct/rappels/{id}", permission: see, handler: c.callbackStream, quiet: true},
		{method: "GET", pattern: "/rappels/{id}/rendez-vous.ics", permission: see, handler: c.callbackCalendar},
		{method: "POST", pattern: "/rappels/{id}/prise", permission: see, handler: c.claimCallback},
		{method: "POST", pattern: "/rappels/{id}/suite", permission: see, handler: c.workOnCallback},
		{method: "POST", pattern: "/rappels/{id}/sms", permission: see, handler: c.textCallback},
		{method: "POST", pattern: "/rappels/{id}/passage", permission: see, handler: c.handOverCallback},
		{method: "POST", pattern: "/rappels/{id}/retour", permission: see, handler: c.releaseCallback},
		{method: "POST", pattern: "/rappels/{id}/reouverture", permission: see, handler: c.reopenCallback},
	}
}

// callbackViews are the lists, as addresses and as callbacks name them.
var callbackViews = []struct {
	address string
	view    callbacks.View
}{
	{"moi", callbacks.Mine}, {"rendez-vous", callbacks.Appointments}, {"a-prendre", callbacks.ToTake}, {"pris", callbacks.Taken}, {"termines", callbacks.Finished},
}

// callbackQuery says which requests a page lists.
type callbackQuery struct {
	View              callbacks.View
	Site, Lang, Topic string
	Page              string
}

// maxKey is how many letters the words of a filter have at most.
const maxKey = 100

// readCallbackQuery takes from an address what makes sense; without a list it
// is empty.
func readCallbackQuery(q url.Values) callbackQuery {
	word := func(key string) string {
		if text := q.Get(key); len(text) <= maxKey {
			return text
		}
		return ""
	}
	f := callbackQuery{Site: word("site"), Lang: word("langue"), Topic: word("sujet"), Page: word("page")}
	for _, v := range callbackViews {
		if q.Get("vue") == v.address {
			f.View = v.view
		}
	}
	return f
}

// String is the part of the address from "?" on.
func (f callbackQuery) String() string { return f.with("", "") }

// with is the same with something more in it.
func (f callbackQuery) with(key, value string) string {
	q := url.Values{}
	for _, p := range [][2]string{{"vue", f.Word()}, {"site", f.Site}, {"langue", f.Lang}, {"sujet", f.Topic}, {"page", f.Page}, {key, value}} {
		if p[1] != "" {
			q.Set(p[0], p[1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Word is what addresses call the list.
func (f callbackQuery) Word() string {
	for _, v := range callbackViews {
		if f.View == v.view {
			return v.address
		}
	}
	return ""
}

// ViewURL is the address of another list, with the same filters.
func (f callbackQuery) ViewURL(word string) string {
	g := readCallbackQuery(url.Values{"vue": {word}})
	f.View, f.Page = g.View, ""
	return "/rappels" + f.String()
}

// NextURL is the address of the page after this one, and FirstURL that of the
// first.
func (f callbackQuery) NextURL(page string) string { f.Page = page; return "/rappels" + f.String() }
func (f callbackQuery) FirstURL() string           { f.Page = ""; return "/rappels" + f.String() }

// Plain is the address of the list without filters.
func (f callbackQuery) Plain() string { return "/rappels" + callbackQuery{View: f.View}.String() }

// Filtered reports whether anything but the list is asked for.
func (f callbackQuery) Filtered() bool { return f.Site+f.Lang+f.Topic != "" }

// callbackList is what a page of the queue shows.
type callbackList struct {
	Query                callbackQuery
	Rows                 []callbackRow
	Counts               callbacks.Counts
	Next                 string // Filter.Page of what follows; empty: nothing
	Sites, Langs, Topics []choice
	One                  *oneCallback // the request beside the list; nil: none
	Duty                 string       // who is on duty today; empty: nobody in particular
	OnDuty               bool         // the visitor is
	Manages              bool         // the visitor may change the settings
}

// callbackList reads a page of the queue. Without a view it is the visitor's
// own requests, or those to be taken where there are none.
func (c *Console) callbackList(ctx context.Context, v *visitor, q callbackQuery, here string) (*callbackList, error) {
	f := callbacks.Filter{View: q.View, Person: v.ID, Site: q.Site, Lang: q.Lang, Topic: q.Topic, Page: q.Page}
	if f.View == "" {
		mine := store.CallbackFilter{State: callbacks.Claimed, Holder: v.ID, Site: q.Site, Lang: q.Lang, Topic: q.Topic}
		n, err := c.Store.CountQueue(ctx, mine, 1)
		if err != nil {
			return nil, err
		}
		if f.View = callbacks.ToTake; n > 0 {
			f.View = callbacks.Mine
		}
		q.View = f.View
	}
	page, err := c.Callbacks.List(ctx, f)
	if wrong := new(callbacks.FieldError); errors.As(err, &wrong) {
		return nil, errNoPage
	}
	if err != nil {
		return nil, err
	}
	l := &callbackList{Query: q, Counts: page.Counts, Next: page.Next, Manages: v.may(people.CallbacksManage)}
	for _, i := range page.Items {
		r := c.rowOf(i, v.ID)
		r.Link, r.Here = "/rappels/"+i.ID.String()+q.String(), i.ID.String() == here
		l.Rows = append(l.Rows, r)
	}
	return l, nil
}

// addChoices fills in who is on duty and what the filters offer; what is asked
// for is among it.
func (c *Console) addChoices(ctx context.Context, v *visitor, l *callbackList) error {
	duty, err := c.Callbacks.OnDuty(ctx)
	if err != nil {
		return err
	}
	l.Duty, l.OnDuty = duty.Name, duty.ID == v.ID
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, s := range sites {
		l.Sites = append(l.Sites, choice{s.ID, s.Name})
	}
	found, err := c.Callbacks.Choices(ctx)
	if err != nil {
		return err
	}
	l.Langs, l.Topics = choicesOf(found.Langs, l.Query.Lang, langName), choicesOf(found.Topics, l.Query.Topic, callbacks.TopicLabel)
	return nil
}

func choicesOf(keys []string, chosen string, name func(string) string) []choice {
	if chosen != "" && !slices.Contains(keys, chosen) {
		keys = append(keys, chosen)
	}
	var all []choice
	for _, key := range keys {
		all = append(all, choice{key, name(key)})
	}
	slices.SortFunc(all, func(a, b choice) int { return strings.Compare(fold(a.Label), fold(b.Label)) })
	return all
}

// Title heads the page.
func (l *callbackList) Title() string {
	if l.Query.View == callbacks.Finished {
		return "Rappels terminés"
	}
	return "Rappels à faire"
}

// Count writes how many requests a list has.
func (l *callbackList) Count(n int) string {
	if n >= callbacks.MostCounted {
		return number(n) + " et plus"
	}
	return number(n)
}

// PrintURL is the sheet of this list for a day without network.
func (l *callbackList) PrintURL() string {
	q := l.Query
	q.View, q.Page = "", ""
	return "/rappels/imprimer" + q.String()
}

// Refresh is the address of this page, and StreamURL keeps it fresh.
func (l *callbackList) Refresh() string {
	if l.One != nil {
		return "/rappels/" + l.One.ID.String() + l.Query.String()
	}
	return "/rappels" + l.Query.String()
}

// StreamURL is described with Refresh.
func (l *callbackList) StreamURL() string {
	switch {
	case l.One == nil:
		return "/direct/rappels" + l.Query.String()
	case l.One.Works:
		return "/direct/rappels/" + l.One.ID.String() + l.Query.with("formulaire", "oui")
	}
	return "/direct/rappels/" + l.One.ID.String() + l.Query.String()
}

func (c *Console) callbacksPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	l, err := c.callbackList(r.Context(), v, readCallbackQuery(r.URL.Query()), "")
	if err != nil {
		return err
	}
	if err := c.addChoices(r.Context(), v, l); err != nil {
		return err
	}
	return c.render(w, r, v, "callbacks", view{Title: l.Title(), Data: l})
}

func (c *Console) callbacksStream(w http.ResponseWriter, r *http.Request, v *visitor) error {
	q := readCallbackQuery(r.URL.Query())
	return c.stream(w, r, v, calledPages, func(ctx context.Context) ([]section, error) {
		l, err := c.callbackList(ctx, v, q, "")
		if err != nil {
			return nil, err
		}
		sections, err := c.callbackSections("callbacks", l)
		if err != nil {
			return nil, err
		}
		return c.withMenu(ctx, "callbacks", sections)
	})
}

// mostInMenu is how far the menu counts.
const mostInMenu = 100

// waitingCallbacks is how many requests nobody has taken, for the menu.
func (c *Console) waitingCallbacks(ctx context.Context) (string, error) {
	n, err := c.Store.CountQueue(ctx, store.CallbackFilter{State: callbacks.Waiting}, mostInMenu)
	switch {
	case err != nil || n == 0:
		return "", err
	case n == mostInMenu:
		return number(n-1) + "+", nil
	}
	return number(n), nil
}

// withMenu adds the number in the menu to what changes on a page.
func (c *Console) withMenu(ctx context.Context, page string, sections []section) ([]section, error) {
	count, err := c.waitingCallbacks(ctx)
	if err != nil {
		return nil, err
	}
	html, err := c.part(page, "menu-count", count)
	return append(sections, section{ID: "menu-rappels", HTML: html}), err
}

// callbackSections draws what changes of a list.
func (c *Console) callbackSections(page string, l *callbackList) ([]section, error) {
	sections, err := c.drawSections(page, l, "callback-views", "callback-none", "callback-pages")
	if err != nil {
		return nil, err
	}
	rows, err := rowSections(c, page, "callback", l.Rows)
	return append(sections, rows...), err
}
