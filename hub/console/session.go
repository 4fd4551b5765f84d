package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"parvis/hub/people"
)

// What a session holds, beside what package people has named.
const (
	keyFlash   = "flash"   // a sentence for the next page
	keyNext    = "next"    // the page that was asked for before, while somebody signs in
	keyPending = "pending" // who has given a password, and owes a code
	keySince   = "since"   // when the password was given
	keyFlow    = "flow"    // single sign-on under way, JSON
	keyFactor  = "factor"  // the secret of a second factor that is being set up, sealed
	keyOnce    = "once"    // what the next page shows once, sealed
)

// newSessions makes what reads and writes the session cookie. The cookie lives
// as long as the browser runs; the store knows when the session ends.
func (c *Console) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store = c.People.Sessions()
	m.Codec = people.Codec{}
	m.HashTokenInStore = true
	m.Lifetime = people.SessionLife
	m.Cookie.Name = "parvis"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Persist = false
	if c.secure() {
		m.Cookie.Name = "__Host-parvis"
		m.Cookie.Secure = true
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		ctx, _ := m.Load(r.Context(), "") // without a token nothing is read
		c.fail(w, r.WithContext(ctx), nil, err)
	}
	return m
}

// visitor says who asks. Somebody who was shut out, or removed, is nobody.
func (c *Console) visitor(r *http.Request, quiet bool) (*visitor, error) {
	ctx := r.Context()
	v := &visitor{Address: c.address(r)}
	id := c.sessions.GetString(ctx, people.KeyPerson)
	if id == "" {
		return v, nil
	}
	p, err := c.People.Person(ctx, id)
	if errors.Is(err, people.ErrNotFound) || err == nil && !p.Disabled.IsZero() {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Person, v.Session = p, c.sessionID(ctx)
	if quiet {
		return v, nil
	}
	return v, c.People.Touch(ctx, v.Session)
}

// sessionID is the name that the store has for the session: scs's own hash of
// the token.
func (c *Console) sessionID(ctx context.Context) string {
	sum := sha256.Sum256([]byte(c.sessions.Token(ctx)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// signIn makes the browser somebody's: under a new token, so that one which
// another may have planted is worth nothing.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request, v *visitor, id, by string) error {
	ctx := r.Context()
	p, err := c.People.SignedIn(ctx, id, v.Address)
	if err != nil {
		return err
	}
	next := c.sessions.GetString(ctx, keyNext)
	if err := c.renewSession(r, p, v.Address, by); err != nil {
		return err
	}
	v.Person = p
	if err := c.audit(r, v, people.Entry{Action: people.SignedIn, Detail: map[string]string{"par": map[string]string{people.ByPassword: "mot de passe", people.ByProvider: "connexion unique"}[by]}}); err != nil {
		return err
	}
	return c.redirect(w, r, ownPath(next), "")
}

func (c *Console) renewSession(r *http.Request, p people.Person, address, by string) error {
	ctx := r.Context()
	if err := c.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	browser := []rune(strings.ToValidUTF8(r.UserAgent(), "?"))
	for key, value := range map[string]string{
		people.KeyPerson: p.ID, people.KeyNew: "1", people.KeyAddress: address, people.KeyBy: by,
		people.KeyBrowser: string(browser[:min(len(browser), 300)]),
	} {
		c.sessions.Put(ctx, key, value)
	}
	return nil
}

// askToSignIn asks who it is; the page remembers where somebody wanted to go.
func (c *Console) askToSignIn(w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/direct/") || r.Header.Get("HX-Request") != "" {
		// A script asks: it can't show a page to sign in.
		w.Header().Set("HX-Redirect", "/connexion")
		return refuse(http.StatusUnauthorized, "Votre session est terminée", "Connectez-vous de nouveau.")
	}
	to := "/connexion"
	if r.Method == http.MethodGet && r.URL.RequestURI() != "/" {
		to += "?" + url.Values{"suite": {r.URL.RequestURI()}}.Encode()
	}
	return c.redirect(w, r, to, "")
}

// ownPath is a page to go to if it is one of the console's, else the first one.
func ownPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") ||
		strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return path
}

// mustSetFactor reports whether the visitor's role asks for a second factor
// that isn't there. Single sign-on has its own.
func (c *Console) mustSetFactor(ctx context.Context, v *visitor) (bool, error) {
	if v.Factor || c.sessions.GetString(ctx, people.KeyBy) == people.ByProvider {
		return false, nil
	}
	s, err := c.People.Settings(ctx)
	return slices.Contains(s.FactorFor, v.Role), err
}

// putOnce keeps a text for the next page, which alone may show it.
func (c *Console) putOnce(ctx context.Context, text string) error {
	sealed, err := c.People.Seal(text)
	if err == nil {
		c.sessions.Put(ctx, keyOnce, sealed)
	}
	return err
}

// popOnce gives what putOnce has kept, or "".
func (c *Console) popOnce(ctx context.Context) (string, error) {
	sealed := c.sessions.PopString(ctx, keyOnce)
	if sealed == "" {
		return "", nil
	}
	return c.People.Open(sealed)
}

// pendingFor is how long a code may be asked for after the password.
const pendingFor = 10 * time.Minute
