package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"parvis/hub/access"
	"parvis/hub/people"
	"parvis/hub/store"
)

// agendaPath is where calendar programs read feeds, each by its secret token.
const agendaPath = "/agenda/"

// agendaRoutes are the calendar feeds, and the page that makes their addresses.
func (c *Console) agendaRoutes() []route {
	if c.Callbacks == nil {
		return nil
	}
	see, manage := people.CallbacksSee, people.CallbacksManage
	return []route{
		{method: "GET", pattern: agendaPath + "{token}", permission: anyone, handler: c.agenda, quiet: true},
		{method: "GET", pattern: "/rappels/agendas", permission: see, handler: c.agendasPage},
		{method: "POST", pattern: "/rappels/agendas/moi", permission: see, handler: c.makeOwnAgenda},
		{method: "POST", pattern: "/rappels/agendas/moi/arret", permission: see, handler: c.stopOwnAgenda},
		{method: "POST", pattern: "/rappels/agendas/sites", permission: manage, handler: c.makeSiteAgenda},
		{method: "POST", pattern: "/rappels/agendas/sites/{site}/arret", permission: manage, handler: c.stopSiteAgenda},
	}
}

const (
	// agendaKeeps is how long an appointment that is over stays in a feed.
	agendaKeeps = 30 * 24 * time.Hour
	// agendaEvery is how often a calendar program should read, as RFC 7986 has it.
	agendaEvery = "PT15M"
)

// agenda answers a calendar program.
func (c *Console) agenda(w http.ResponseWriter, r *http.Request, _ *visitor) error {
	secret, found := strings.CutSuffix(r.PathValue("token"), ".ics")
	if !found {
		return errNoPage
	}
	ctx := r.Context()
	t, err := c.tokens.Open(ctx, secret)
	if errors.Is(err, access.ErrUnknown) {
		return errNoPage
	}
	if err != nil {
		return err
	}
	name, err := c.agendaName(ctx, t)
	if err != nil {
		return err
	}
	person, site := t.Owner, ""
	if t.Kind == access.SiteFeed {
		person, site = "", t.Owner
	}
	items, err := c.Callbacks.AppointmentsOf(ctx, person, site, c.Now().Add(-agendaKeeps))
	if err != nil {
		return err
	}
	cal := c.calendarOf(items...)
	cal.SetName(name)
	cal.SetRefreshInterval(agendaEvery, ics.WithValue(string(ics.ValueDataTypeDuration)))
	cal.SetXPublishedTTL(agendaEvery)
	w.Header().Set("Cache-Control", "private, max-age=300")
	return writeCalendar(w, cal)
}

// agendaName is what a calendar program calls a feed. Who it is for must still
// be there, and be allowed to see the queue. Errors: errNoPage,
// store.ErrNotFound.
func (c *Console) agendaName(ctx context.Context, t access.Token) (string, error) {
	switch t.Kind {
	case access.PersonFeed:
		p, err := c.People.Person(ctx, t.Owner)
		if err == nil && !p.May(people.CallbacksSee) {
			err = errNoPage
		}
		return "Mes rappels (Parvis)", err
	case access.SiteFeed:
		site, err := c.Store.Site(ctx, t.Owner)
		return "Rappels, " + site.Name + " (Parvis)", err
	}
	return "", errNoPage
}

// agendaRow is a feed, without its address, which nobody knows any more.
type agendaRow struct {
	access.Token
	Name string // of the site
	Read string // when a program has read it last, in words
}

// agendasView is what the page about feeds shows.
type agendasView struct {
	Address string     // just made: shown this once
	Own     *agendaRow // nil: the visitor has none
	Manage  bool       // the visitor may make feeds of sites
	Sites   []store.Site
	Feeds   []agendaRow // of sites, by name
}

func (c *Console) agendasPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	ctx := r.Context()
	data := agendasView{Manage: v.may(people.CallbacksManage)}
	own, err := c.agendaOf(ctx, access.PersonFeed, v.ID)
	if err != nil {
		return err
	}
	if own != nil {
		data.Own = &agendaRow{Token: *own, Read: c.usedText(own.Used)}
	}
	if data.Manage {
		if err := c.addSiteAgendas(ctx, &data); err != nil {
			return err
		}
	}
	if data.Address, err = c.popOnce(ctx); err != nil {
		return err
	}
	return c.render(w, r, v, "callbackagendas", view{Title: "Rendez-vous dans un agenda", Data: data})
}

func (c *Console) addSiteAgendas(ctx context.Context, data *agendasView) (err error) {
	if data.Sites, err = c.Store.Sites(ctx); err != nil {
		return err
	}
	feeds, err := c.tokens.List(ctx, access.SiteFeed)
	if err != nil {
		return err
	}
	for _, s := range data.Sites {
		for _, t := range feeds {
			if t.Owner == s.ID {
				data.Feeds = append(data.Feeds, agendaRow{t, s.Name, c.usedText(t.Used)})
			}
		}
	}
	return nil
}

// agendaOf finds somebody's or some site's feed; nil: there is none.
func (c *Console) agendaOf(ctx context.Context, kind access.Kind, owner string) (*access.Token, error) {
	all, err := c.tokens.List(ctx, kind)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(t access.Token) bool { return t.Owner == owner })
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}

// usedText says on which day a token was used last.
func (c *Console) usedText(used string) string {
	at, err := time.ParseInLocation(time.DateOnly, used, c.Zone)
	if err != nil {
		return "jamais"
	}
	return day(at, c.Now().In(c.Zone))
}

func (c *Console) makeOwnAgenda(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.makeAgenda(w, r, v, access.PersonFeed, v.ID, v.Name)
}

func (c *Console) makeSiteAgenda(w http.ResponseWriter, r *http.Request, v *visitor) error {
	site, err := c.Store.Site(r.Context(), r.PostFormValue("site"))
	if err != nil {
		return err
	}
	return c.makeAgenda(w, r, v, access.SiteFeed, site.ID, site.Name)
}

// makeAgenda makes the address of a feed in place of the one before, and shows
// it once.
func (c *Console) makeAgenda(w http.ResponseWriter, r *http.Request, v *visitor, kind access.Kind, owner, name string) error {
	ctx := r.Context()
	if err := c.audit(r, v, people.Entry{Action: people.FeedMade, Object: name}); err != nil {
		return err
	}
	secret, err := c.tokens.Feed(ctx, kind, owner)
	if err != nil {
		return err
	}
	if err := c.putOnce(ctx, c.url.Scheme+"://"+c.url.Host+agendaPath+secret+".ics"); err != nil {
		return err
	}
	return c.redirect(w, r, "/rappels/agendas", "L’adresse de l’agenda est prête : "+name+". Celle d’avant, s’il y en avait une, ne marche plus.")
}

func (c *Console) stopOwnAgenda(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.stopAgenda(w, r, v, access.PersonFeed, v.ID, v.Name)
}

func (c *Console) stopSiteAgenda(w http.ResponseWriter, r *http.Request, v *visitor) error {
	site, err := c.Store.Site(r.Context(), r.PathValue("site"))
	if err != nil {
		return err
	}
	return c.stopAgenda(w, r, v, access.SiteFeed, site.ID, site.Name)
}

func (c *Console) stopAgenda(w http.ResponseWriter, r *http.Request, v *visitor, kind access.Kind, owner, name string) error {
	t, err := c.agendaOf(r.Context(), kind, owner)
	if err != nil {
		return err
	}
	if t != nil {
		if err := c.audit(r, v, people.Entry{Action: people.FeedStopped, Object: name}); err != nil {
			return err
		}
		if err := c.tokens.Revoke(r.Context(), t.ID); err != nil && !errors.Is(err, access.ErrUnknown) {
			return err
		}
	}
	return c.redirect(w, r, "/rappels/agendas", "L’adresse de l’agenda ne marche plus : "+name+".")
}
