package console

import (
	"context"
	"crypto/sha256"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/provisioning/enrol"
)

func (c *Console) enrolRoutes() []route {
	return []route{
		{method: "GET", pattern: "/mise-en-service", permission: people.EnrolManage, handler: c.enrolPage, menu: menu{title: "Mise en service", icon: "shield-lock"}},
		{method: "POST", pattern: "/mise-en-service/codes", permission: people.EnrolManage, handler: c.createCode},
		{method: "POST", pattern: "/mise-en-service/codes/{token}/retrait", permission: people.EnrolManage, handler: c.withdrawCode},
		{method: "POST", pattern: "/mise-en-service/sites/{site}", permission: people.EnrolManage, handler: c.renameSite},
	}
}

// codeLife is how long a one-time code is good.
const codeLife = 24 * time.Hour

// enrolView is what the page of enrolment shows.
type enrolView struct {
	Codes  []codeRow
	Sites  []store.Site // all, to choose from
	Listed []store.Site // those that the search finds, the first of them
	More   int          // how many it finds beyond
	Form   enrolForm
	fleetView
	Bornes []enrolledRow
}

// codeRow is a code that waits for its borne, without its secret.
type codeRow struct {
	store.Token
	Maker string
}

// enrolledRow is a borne with its certificate.
type enrolledRow struct {
	store.Head
	State condition
	Soon  bool // the certificate ends within a day
}

// enrolForm is what somebody typed to make a code.
type enrolForm struct {
	Which           string // "existant" or "nouveau"
	Site            string // ID of one that is there
	NewName, NewID  string
	Borne           string
	RenameID, Named string // of the form that renames a site
}

// enrolment reads what the page shows.
func (c *Console) enrolment(ctx context.Context, q fleetQuery, form enrolForm) (*enrolView, error) {
	now := c.Now()
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := c.Store.Tokens(ctx, now)
	if err != nil {
		return nil, err
	}
	if form.Which == "" {
		if form.Which = "existant"; len(sites) == 0 {
			form.Which = "nouveau"
		}
	}
	v := &enrolView{Sites: sites, Form: form, fleetView: fleetView{Query: q}}
	v.Listed, v.More = listSites(sites, q.Search, form.RenameID)
	names := map[string]string{}
	for _, t := range tokens {
		by, err := c.nameOf(ctx, t.By, names)
		if err != nil {
			return nil, err
		}
		v.Codes = append(v.Codes, codeRow{t, by})
	}
	heads, err := c.feed.fleet(ctx)
	if err != nil {
		return nil, err
	}
	list, sums := entries(heads, now)
	v.Sums = sums
	for _, e := range v.page(q.pick(list)) {
		v.Bornes = append(v.Bornes, enrolledRow{e.Head, e.condition, e.CertEnds.Sub(now) < certificateSoon})
	}
	return v, nil
}

// sitesShown is how many sites the page lists; the search finds the others.
const sitesShown = 20

// listSites finds the sites that a search asks for, and always the one that is
// being renamed.
func listSites(sites []store.Site, search, renamed string) (listed []store.Site, more int) {
	words := strings.Fields(fold(search))
	for _, site := range sites {
		text := fold(site.Name + " " + site.ID)
		lacks := func(word string) bool { return !strings.Contains(text, word) }
		switch {
		case site.ID == renamed:
			listed = append(listed, site)
		case slices.ContainsFunc(words, lacks):
		case len(listed) >= sitesShown:
			more++
		default:
			listed = append(listed, site)
		}
	}
	return listed, more
}

// enrolQuery is a query whose pages are those of enrolment.
func enrolQuery(r *http.Request) fleetQuery {
	q := readQuery(r.URL.Query())
	return fleetQuery{path: "/mise-en-service", Search: q.Search, Page: q.Page}
}

func (c *Console) enrolPage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.showEnrolment(w, r, v, enrolForm{}, nil)
}

func (c *Console) showEnrolment(w http.ResponseWriter, r *http.Request, v *visitor, form enrolForm, mistakes formErrors) error {
	e, err := c.enrolment(r.Context(), enrolQuery(r), form)
	if err != nil {
		return err
	}
	return c.render(w, r, v, "enrolment", view{Title: "Mise en service", Data: e, Errors: mistakes})
}

var (
	siteIDs  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	borneIDs = regexp.MustCompile(`^[A-Z0-9]([A-Z0-9-]{0,30}[A-Z0-9])?$`)
)

// maxName is how many letters the name of a site may have.
const maxName = 80

// createCode makes a code and shows it, this once.
func (c *Console) createCode(w http.ResponseWriter, r *http.Request, v *visitor) error {
	if c.BornesURL == "" || len(c.Fingerprint) != sha256.Size {
		return errors.New("the console was not given the bornes' address and the authority's fingerprint")
	}
	form := enrolForm{
		Which: r.PostFormValue("quel"), Site: r.PostFormValue("site"),
		NewName: oneLine(r.PostFormValue("nom")), NewID: strings.TrimSpace(r.PostFormValue("identifiant")),
		Borne: strings.ToUpper(strings.TrimSpace(r.PostFormValue("borne"))),
	}
	ctx := r.Context()
	site, fresh, mistakes, err := c.siteOf(ctx, form)
	if err != nil {
		return err
	}
	if form.Borne != "" && !borneIDs.MatchString(form.Borne) {
		mistakes.add("enrol-borne", "L’identifiant de la borne a au plus 32 signes"+fixed+": lettres sans accent, chiffres et « - ».")
	}
	if len(mistakes) > 0 {
		return c.showEnrolment(w, r, v, form, mistakes)
	}
	now := c.Now()
	if fresh {
		site.Created = now
		if err := c.audit(r, v, people.Entry{Action: people.SiteSaved, Object: site.Name, Detail: map[string]string{"site": site.ID}}); err != nil {
			return err
		}
		if err := c.Store.PutSite(ctx, site); err != nil {
			return err
		}
	}
	code := enrol.NewCode([sha256.Size]byte(c.Fingerprint))
	t, err := c.Store.CreateToken(ctx, store.Token{Hash: code.Hash(), Site: site, Borne: form.Borne, By: v.ID, Created: now, Expires: now.Add(codeLife)})
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.TokenCreated, Borne: t.Borne, Object: site.Name, Detail: map[string]string{"code": t.ID}}); err != nil {
		return errors.Join(err, c.Store.WithdrawToken(ctx, t.ID)) // nobody has seen it
	}
	shown := c.showCode(t, code)
	if shown.QR, err = qrSVG(shown.Line); err != nil {
		return err
	}
	if b, err := c.Store.Borne(ctx, t.Borne); err == nil {
		shown.Replaces = b.Revoked.IsZero()
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.render(w, r, v, "newcode", view{Title: "Code pour " + t.Borne, Data: shown})
}

// siteOf finds the site that the form names, or makes a new one of it.
func (c *Console) siteOf(ctx context.Context, f enrolForm) (site store.Site, fresh bool, mistakes formErrors, err error) {
	sites, err := c.Store.Sites(ctx)
	if err != nil {
		return site, false, nil, err
	}
	byID := func(id string) int { return slices.IndexFunc(sites, func(s store.Site) bool { return s.ID == id }) }
	if f.Which != "nouveau" {
		i := byID(f.Site)
		if i < 0 {
			mistakes.add("enrol-site", "Choisissez le site où la borne sera installée.")
			return site, false, mistakes, nil
		}
		return sites[i], false, nil, nil
	}
	site = store.Site{ID: f.NewID, Name: f.NewName}
	if mistake := nameMistake(f.NewName); mistake != "" {
		mistakes.add("enrol-nom", mistake)
	}
	if site.ID == "" {
		site.ID = slug(f.NewName)
	}
	switch {
	case site.Name != "" && !siteIDs.MatchString(site.ID):
		mistakes.add("enrol-identifiant", "L’identifiant du site est fait de lettres minuscules sans accent, de chiffres et de « - », 63 au plus.")
	case byID(site.ID) >= 0:
		mistakes.add("enrol-identifiant", "Le site « "+sites[byID(site.ID)].Name+" » a déjà l’identifiant « "+site.ID+" ». Choisissez-le dans la liste, ou donnez un autre identifiant.")
	}
	return site, true, mistakes, nil
}

func nameMistake(name string) string {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "Donnez le nom du site, comme les habitants le connaissent."
	case n > maxName:
		return "Le nom du site a " + strconv.Itoa(n) + " lettres" + narrow + "; il en faut " + strconv.Itoa(maxName) + " au plus."
	}
	return ""
}

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug proposes the ID of a site by its name: "Mairie de la Meinau" gives
// "mairie-de-la-meinau".
func slug(name string) string {
	s := notInSlug.ReplaceAllString(fold(name), "-")
	return strings.Trim(s[:min(len(s), 60)], "-")
}

// codeView is a code at the only moment that it is shown.
type codeView struct {
	store.Token
	Groups   []string
	Line     string       // what IT types on a machine with Debian
	Hub      string       // where bornes reach it, as somebody types it
	FileName string       // of the file for a USB stick
	File     template.URL // that file itself, so that the secret is in no address
	QR       template.HTML
	Replaces bool // the borne exists, and another machine will be it
}

// showCode is the code in each form that a borne takes it in.
func (c *Console) showCode(t store.Token, code enrol.Code) codeView {
	invitation := enrol.Invitation{Hub: strings.TrimPrefix(c.BornesURL, "https://"), Code: code}
	return codeView{
		Token: t, Groups: strings.Split(code.Text(), "-"), Hub: invitation.Hub,
		Line:     "curl -fsSL " + strings.TrimSuffix(c.URL, "/") + "/borne | sudo sh -s " + code.Text(),
		FileName: enrol.InvitationFile,
		File:     template.URL("data:text/plain;charset=utf-8," + url.PathEscape(invitation.Text()+"\n")),
	}
}

// qrSVG draws a text as a QR code inside the page: as a picture it would need
// an address, and the secret must not be in any.
func qrSVG(text string) (template.HTML, error) {
	qr, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return "", err
	}
	bitmap := qr.Bitmap()
	var b strings.Builder
	size := strconv.Itoa(len(bitmap))
	b.WriteString(`<svg class="qr-code" role="img" aria-label="Code QR de la commande" viewBox="0 0 ` + size + ` ` + size + `" shape-rendering="crispEdges"><path d="`)
	for y, row := range bitmap {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h" + strconv.Itoa(run) + "v1h-" + strconv.Itoa(run) + "z")
			x += run
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil
}

func (c *Console) withdrawCode(w http.ResponseWriter, r *http.Request, v *visitor) error {
	id := r.PathValue("token")
	tokens, err := c.Store.Tokens(r.Context(), c.Now())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tokens, func(t store.Token) bool { return t.ID == id })
	if i < 0 {
		return c.redirect(w, r, "/mise-en-service", "Ce code ne valait déjà plus"+fixed+": il a été utilisé, retiré, ou il est périmé.")
	}
	t := tokens[i]
	if err := c.audit(r, v, people.Entry{Action: people.TokenWithdrawn, Borne: t.Borne, Object: t.Site.Name, Detail: map[string]string{"code": t.ID}}); err != nil {
		return err
	}
	if err := c.Store.WithdrawToken(r.Context(), id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.redirect(w, r, "/mise-en-service", "Le code pour "+t.Borne+" est retiré.")
}

func (c *Console) renameSite(w http.ResponseWriter, r *http.Request, v *visitor) error {
	sites, err := c.Store.Sites(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sites, func(s store.Site) bool { return s.ID == r.PathValue("site") })
	if i < 0 {
		return errNoPage
	}
	site, name := sites[i], oneLine(r.PostFormValue("nom"))
	if mistake := nameMistake(name); mistake != "" {
		return c.showEnrolment(w, r, v, enrolForm{RenameID: site.ID, Named: name}, formErrors{{"nom-" + site.ID, mistake}})
	}
	err = c.audit(r, v, people.Entry{Action: people.SiteSaved, Object: name, Detail: map[string]string{"site": site.ID, "avant": site.Name}})
	if err != nil {
		return err
	}
	site.Name = name
	if err := c.Store.PutSite(r.Context(), site); err != nil {
		return err
	}
	return c.redirect(w, r, "/mise-en-service", "Le site « "+name+" » est enregistré.")
}
