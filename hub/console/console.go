// Package console is the hub's pages for agents, mediators and IT. The server
// draws them; scripts only keep them fresh, and every page works without.
package console

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"parvis/hub/access"
	"parvis/hub/alerts"
	"parvis/hub/callbacks"
	"parvis/hub/cards"
	"parvis/hub/packs"
	"parvis/hub/people"
	"parvis/hub/profiles"
	"parvis/hub/rollout"
	"parvis/hub/statistics"
	"parvis/hub/store"
)

// Options say what a console needs.
type Options struct {
	Store  *store.Store
	People *people.People
	// Alerts tell people what is wrong; without them there are no pages to say
	// whom and when.
	Alerts *alerts.Alerts
	// Profiles are the settings of bornes; without them there are no pages to
	// change them.
	Profiles *profiles.Profiles
	// Callbacks is the mediators' queue; without it there are no pages of it.
	Callbacks *callbacks.Queue
	// Names gives what bornes know by IDs its names: places and démarches; nil:
	// IDs are shown.
	Names func(context.Context) (packs.Names, error)
	// Cards knows telephone numbers by city cards; without it a request by card
	// shows the card's number.
	Cards *cards.List
	// URL is the address that people type: "https://parvis.ville.fr". Cookies
	// and headers are stricter with https.
	URL string
	// Fonts holds the AtkinsonHyperlegibleNext_*.ttf files; without it the
	// browser's own font serves.
	Fonts fs.FS
	// Guides holds the guides, README.md the first of them, with their pictures;
	// without it there is no help.
	Guides fs.FS
	// Proxies are the addresses whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	Now     func() time.Time // nil: time.Now
	Zone    *time.Location   // nil: Europe/Paris
	Log     *slog.Logger     // nil: slog.Default
	Version string
	// BornesURL is where bornes reach the hub, "parvis.ville.fr:443", and
	// Fingerprint that of its authority: codes for enrolment need both.
	BornesURL   string
	Fingerprint []byte
	// Offers lists the versions that can be rolled out; nil: there are none.
	Offers rollout.Catalogue
}

// Console answers the requests of people. It keeps nothing between two
// requests but what any other hub could work out: all lies in the store.
type Console struct {
	Options
	url      *url.URL
	sessions *scs.SessionManager
	pages    map[string]*page
	assets   *assets
	guides   map[string]guide // by path
	routes   []route
	handler  http.Handler
	stats    *statistics.Statistics
	tokens   *access.Tokens // of programs, which nobody signs in to

	// What open pages share: copies of what is in the store.
	feed    *feed
	streams streams
	figures figures
}

// New makes a console. Errors: an address that isn't one, pages that don't parse.
func New(o Options) (*Console, error) {
	if o.Store == nil || o.People == nil {
		return nil, errors.New("console: a store and people are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Offers == nil {
		o.Offers = func(context.Context, string) ([]rollout.Version, error) { return nil, nil }
	}
	if o.Zone == nil {
		paris, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
		o.Zone = paris
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("l’adresse de la console « %s » n’est pas de la forme https://parvis.ville.fr", o.URL)
	}
	c := &Console{Options: o, url: u, feed: newFeed(o.Store, o.Log)}
	c.sessions = c.newSessions()
	if c.assets, err = loadAssets(o.Fonts); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if c.pages, err = c.parsePages(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if c.guides, err = loadGuides(o.Guides); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.stats = statistics.New(o.Store, o.Zone)
	c.tokens = access.New(o.Store, o.Now, o.Zone)
	c.routes = c.allRoutes()
	if c.handler, err = c.serve(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return c, nil
}

// Handler answers every request for the console.
func (c *Console) Handler() http.Handler { return c.handler }

// secure reports whether people come by https.
func (c *Console) secure() bool { return c.url.Scheme == "https" }
