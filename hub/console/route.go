package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parvis/hub/people"
)

// route is one thing that can be asked for. All of them stand in one table;
// menu, permissions and tests are made from it.
type route struct {
	method, pattern string
	permission      people.Permission // or anyone, or signedIn
	handler         handler
	menu            menu // zero: not in the menu
	// quiet routes are asked for by scripts: they don't count as somebody
	// being there, so that a page left open doesn't keep its session alive.
	quiet bool
}

// menu is a route's item in the menu.
type menu struct {
	title string
	icon  string // a file of static/icons, without .svg
	below string // pages whose path begins so belong to the item too
	// count is a number beside the title, as text; empty for none.
	count func(context.Context) (string, error)
}

// Permissions that no role is asked for.
const (
	anyone   people.Permission = "anyone"    // nobody needs to sign in
	signedIn people.Permission = "signed in" // any account, whatever its role
)

// handler answers one route. A page for the error that it returns is drawn in
// one place: see fail.
type handler func(w http.ResponseWriter, r *http.Request, v *visitor) error

// visitor is who asks.
type visitor struct {
	people.Person        // zero for somebody who isn't signed in
	Address       string // where from, without port
	Session       string // the session's ID; empty when there is none
}

func (v *visitor) known() bool { return v.ID != "" }

// may reports whether the visitor may use a route.
func (v *visitor) may(p people.Permission) bool {
	switch p {
	case anyone:
		return true
	case signedIn:
		return v.known()
	}
	return v.known() && v.May(p)
}

// allRoutes is the table. Items appear in the menu in this order.
func (c *Console) allRoutes() []route {
	return slices.Concat(
		c.fleetRoutes(),
		c.statisticsRoutes(),
		c.inventoryRoutes(),
		c.alertLogRoutes(),
		c.profileRoutes(),
		c.alertRuleRoutes(),
		c.alertChannelRoutes(),
		c.rolloutRoutes(),
		c.agentRoutes(),
		c.auditRoutes(),
		c.guideRoutes(),
		c.accountRoutes(),
		c.signInRoutes(),
		c.settingsRoutes(),
		c.staticRoutes(),
	)
}

// serve puts the table behind all that holds for every request.
func (c *Console) serve() (http.Handler, error) {
	mux := http.NewServeMux()
	for _, rt := range c.routes {
		if rt.handler == nil || rt.permission == "" {
			return nil, fmt.Errorf("%s %s has no handler or no permission", rt.method, rt.pattern)
		}
		mux.Handle(rt.method+" "+rt.pattern, c.answer(rt))
	}
	mux.Handle("/", c.answer(route{permission: anyone, handler: func(http.ResponseWriter, *http.Request, *visitor) error {
		return errNoPage
	}}))
	origins := http.NewCrossOriginProtection()
	if err := origins.AddTrustedOrigin(c.url.Scheme + "://" + c.url.Host); err != nil {
		return nil, err
	}
	// A request that another site's page has sent gets a page like other errors.
	origins.SetDenyHandler(c.answer(route{permission: anyone, quiet: true, handler: func(http.ResponseWriter, *http.Request, *visitor) error {
		return errOtherSite
	}}))
	return c.headers(origins.Handler(mux)), nil
}

// answer does for one route what all have in common: who asks, whether they
// may, and what becomes of an error. Nothing else looks at permissions.
func (c *Console) answer(rt route) http.Handler {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := c.visitor(r, rt.quiet)
		if err == nil {
			err = c.admit(w, r, v, rt)
		}
		if err != nil && !errors.Is(err, errAnswered) {
			c.fail(w, r, v, err)
		}
	})
	return c.sessions.LoadAndSave(next)
}

func (c *Console) admit(w http.ResponseWriter, r *http.Request, v *visitor, rt route) error {
	switch {
	case rt.permission == anyone:
	case !v.known():
		return c.askToSignIn(w, r)
	case rt.permission != signedIn && v.Role == people.NoRole:
		return errNoRole
	case !v.may(rt.permission):
		return forbidden(rt.permission)
	case rt.permission != signedIn:
		if must, err := c.mustSetFactor(r.Context(), v); err != nil || must {
			return errors.Join(err, c.redirect(w, r, "/compte/double-authentification", "Votre rôle demande une double authentification : mettez-la en place pour continuer."))
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return errBadForm
		}
	}
	return rt.handler(w, r, v)
}

// maxForm is the most bytes that a form may have.
const maxForm = 256 << 10

// menuItem is what the layout draws of a menu.
type menuItem struct {
	Title, Icon, Path string
	Here              bool
	Counts            bool   // it has a number
	Count             string // the number; empty for none
}

// menuFor gives the items that a visitor may use.
func (c *Console) menuFor(r *http.Request, v *visitor) []menuItem {
	var items []menuItem
	for _, rt := range c.routes {
		if rt.menu.title == "" || !v.may(rt.permission) {
			continue
		}
		path := strings.TrimSuffix(rt.pattern, "{$}")
		here := r.URL.Path == path || path != "/" && strings.HasPrefix(r.URL.Path, path+"/") ||
			rt.menu.below != "" && strings.HasPrefix(r.URL.Path, rt.menu.below)
		item := menuItem{Title: rt.menu.title, Icon: rt.menu.icon, Path: path, Here: here, Counts: rt.menu.count != nil}
		if item.Counts {
			var err error
			if item.Count, err = rt.menu.count(r.Context()); err != nil { // the page itself will say what is wrong
				c.Log.WarnContext(r.Context(), "console: the menu has no number", "item", item.Title, "err", err)
			}
		}
		items = append(items, item)
	}
	return items
}

// audit notes what the visitor did or saw. Every handler that changes or
// reveals something calls it, before it shows what it reveals.
func (c *Console) audit(r *http.Request, v *visitor, e people.Entry) error {
	e.Person, e.Name, e.Address = v.ID, v.Name, v.Address
	return c.People.Audit(r.Context(), e)
}
