package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// order is a command that the pages offer.
type order struct {
	path       string // under /bornes/{id}/
	kind       link.CommandKind
	permission people.Permission
	title      string // of the button, and in the list
	given      string // what the next page says
	life       time.Duration
	// warning, where there is one, is what somebody reads and confirms first,
	// on a page of its own.
	warning string
	args    func(*Console, *http.Request) (link.Args, formErrors, error)
}

// How long a command waits for a borne that doesn't come: what is for the
// moment, and what should hold from then on.
const (
	shortLife = 10 * time.Minute
	longLife  = 24 * time.Hour
)

var orders = []order{
	{path: "capture", kind: link.Screenshot, permission: people.BorneScreenshot, title: "Capture d’écran", given: "Capture demandée.", life: shortLife},
	{path: "relance", kind: link.RestartApp, permission: people.BorneCommand, title: "Relancer l’application", given: "Relance demandée.", life: shortLife,
		warning: "L’application s’arrête et repart en quelques secondes. Si quelqu’un se sert de la borne, sa visite est perdue."},
	{path: "redemarrage", kind: link.RestartMachine, permission: people.BorneMaintain, title: "Redémarrer la machine", given: "Redémarrage demandé.", life: shortLife,
		warning: "La machine redémarre : la borne ne sert personne pendant une à deux minutes. Si quelqu’un s’en sert, sa visite est perdue."},
	{path: "essai", kind: link.TestPrint, permission: people.BorneCommand, title: "Ticket d’essai", given: "Ticket d’essai demandé.", life: shortLife},
	{path: "volume", kind: link.SetVolume, permission: people.BorneCommand, title: "Volume", given: "Volume demandé.", life: longLife, args: (*Console).volume},
	{path: "message", kind: link.ShowMessage, permission: people.BorneMessage, title: "Message à l’écran", given: "Message envoyé.", life: shortLife, args: (*Console).message},
	{path: "hors-service", kind: link.OutOfService, permission: people.BorneCommand, title: "Hors service", given: "Mise hors service demandée.", life: longLife,
		warning: "L’écran dira que la borne est fermée, et personne ne pourra s’en servir jusqu’à sa remise en service."},
	{path: "en-service", kind: link.BackInService, permission: people.BorneCommand, title: "Remettre en service", given: "Remise en service demandée.", life: longLife},
	{path: "journaux", kind: link.FetchLogs, permission: people.BorneLogs, title: "Journaux de la dernière heure", given: "Journaux demandés.", life: shortLife},
	{path: "mise-a-jour", kind: link.Update, permission: people.BorneMaintain, title: "Mise à jour immédiate", given: "Mise à jour demandée.", life: shortLife, args: (*Console).update},
}

// commandRoutes are one route a command, so that each has its permission in
// the table, and what else is done to a borne.
func (c *Console) commandRoutes() []route {
	var routes []route
	for _, o := range orders {
		routes = append(routes, route{method: "POST", pattern: "/bornes/{id}/" + o.path, permission: o.permission, handler: c.give(o)})
		if o.warning != "" {
			routes = append(routes, route{method: "GET", pattern: "/bornes/{id}/" + o.path, permission: o.permission, handler: c.confirmOrder(o)})
		}
	}
	return append(routes,
		route{method: "GET", pattern: "/bornes/{id}/revocation", permission: people.EnrolManage, handler: c.confirmRevoke},
		route{method: "POST", pattern: "/bornes/{id}/revocation", permission: people.EnrolManage, handler: c.revoke},
		route{method: "POST", pattern: "/bornes/{id}/double-identite", permission: people.EnrolManage, handler: c.clearClone},
	)
}

// give answers the form of a command.
func (c *Console) give(o order) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) error {
		ctx := r.Context()
		b, err := c.Store.Borne(ctx, r.PathValue("id"))
		if err != nil {
			return err
		}
		if !b.Revoked.IsZero() {
			return refuse(http.StatusConflict, "Cette borne est révoquée", "Elle ne reçoit plus aucune commande. Pour qu’elle serve de nouveau, enrôlez-la depuis « Mise en service ».")
		}
		var args link.Args
		if o.args != nil {
			var mistakes formErrors
			if args, mistakes, err = o.args(c, r); err != nil {
				return err
			}
			if len(mistakes) > 0 {
				return c.borneAgain(w, r, v, b.ID, mistakes)
			}
		}
		page := "/bornes/" + b.ID
		if waits, err := c.underWay(ctx, b.ID, o.kind, args); err != nil {
			return err
		} else if waits { // a second press of a button is no second command
			return c.redirect(w, r, page, "Cette commande est déjà en route.")
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		err = c.audit(r, v, people.Entry{Action: people.CommandGiven, Borne: b.ID, Object: commandTitle(o.kind, args), Detail: map[string]string{"commande": id.String()}})
		if err != nil {
			return err
		}
		now := c.Now()
		err = c.Store.PutCommand(ctx, store.Command{
			Command: link.Command{ID: id, Kind: o.kind, Args: args, Expires: now.Add(o.life).UnixMilli()},
			Borne:   b.ID, By: v.ID, Created: now, State: store.Waiting,
		})
		if err != nil {
			return err
		}
		flash := o.given
		if o.kind == link.ShowMessage && args.Text == "" {
			flash = "Retrait du message demandé."
		}
		if b.Offline(now) {
			flash += " La borne est hors ligne" + fixed + ": elle l’exécutera si elle revient d’ici " + lasting(o.life) + "."
		}
		return c.redirect(w, r, page, flash)
	}
}

// underWay reports whether the same command waits for the borne already.
func (c *Console) underWay(ctx context.Context, borne string, kind link.CommandKind, args link.Args) (bool, error) {
	given, err := c.Store.Commands(ctx, borne, commandsShown)
	if err != nil {
		return false, err
	}
	now := c.Now().UnixMilli()
	for _, g := range given {
		if g.Kind == kind && g.Args == args && g.Ended.IsZero() && g.Expires > now {
			return true, nil
		}
	}
	return false, nil
}

func (c *Console) volume(r *http.Request) (link.Args, formErrors, error) {
	n, err := strconv.Atoi(r.PostFormValue("niveau"))
	if err != nil || n < 1 || n > 8 {
		return link.Args{}, formErrors{{"volume-niveau", "Choisissez un volume de 1 à 8."}}, nil
	}
	return link.Args{Level: n}, nil, nil
}

// longestMessage is how many minutes a message may stand at most; 0 is until
// it is taken away.
const longestMessage = 24 * 60

func (c *Console) message(r *http.Request) (link.Args, formErrors, error) {
	if r.PostFormValue("retirer") != "" {
		return link.Args{}, nil, nil
	}
	var mistakes formErrors
	text := oneLine(r.PostFormValue("texte"))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		mistakes.add("message-texte", "Écrivez le message à afficher.")
	case n > link.MaxMessage:
		mistakes.add("message-texte", fmt.Sprintf("Le message a %d lettres ; il en faut %d au plus.", n, link.MaxMessage))
	}
	minutes, err := strconv.Atoi(r.PostFormValue("minutes"))
	if err != nil || minutes < 0 || minutes > longestMessage {
		mistakes.add("message-minutes", "Choisissez combien de temps le message reste à l’écran.")
	}
	return link.Args{Text: text, Minutes: minutes}, mistakes, nil
}

// oneLine makes what somebody typed fit for one line of a screen: what isn't
// seen goes, and what breaks the line becomes a space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f':
			return ' '
		case !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
}

// update is refused for a borne that has all that it is wanted to have.
func (c *Console) update(r *http.Request) (link.Args, formErrors, error) {
	b, err := c.Store.Borne(r.Context(), r.PathValue("id"))
	if err != nil {
		return link.Args{}, nil, err
	}
	w, err := c.Store.Wanted(r.Context(), b.ID)
	if err == nil && !behind(b, w) {
		err = refuse(http.StatusConflict, "Rien à mettre à jour", "La borne a tout ce que le hub lui demande d’avoir.")
	}
	return link.Args{}, nil, err
}

// borneAgain shows the page of the borne with what was wrong in a form.
func (c *Console) borneAgain(w http.ResponseWriter, r *http.Request, v *visitor, id string, mistakes formErrors) error {
	b, err := c.borne(r.Context(), id, v)
	if err != nil {
		return err
	}
	b.Typed = oneLine(r.PostFormValue("texte"))
	return c.render(w, r, v, "borne", view{Title: b.Site.Name + " · " + b.ID, Data: b, Errors: mistakes})
}

// confirmView is a page that asks once more.
type confirmView struct {
	store.Borne
	Title, Warning, Button string
	Serving                bool // somebody is at the borne at this moment
}

// confirm asks once more; disturbs says that it would cost a resident the visit.
func (c *Console) confirm(w http.ResponseWriter, r *http.Request, v *visitor, title, warning, button string, disturbs bool) error {
	b, err := c.Store.Borne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	data := confirmView{Borne: b, Title: title, Warning: warning, Button: button,
		Serving: disturbs && b.State.App == link.AppServing && !b.Offline(c.Now())}
	return c.render(w, r, v, "confirm", view{Title: title + " – " + b.ID, Data: data})
}

func (c *Console) confirmOrder(o order) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) error {
		return c.confirm(w, r, v, o.title, o.warning, o.title, true)
	}
}

func (c *Console) confirmRevoke(w http.ResponseWriter, r *http.Request, v *visitor) error {
	return c.confirm(w, r, v, "Révoquer la borne", "La borne perd son identité en moins de 30 secondes : elle n’enverra plus rien au hub et n’en recevra plus rien. "+
		"L’écran continue de servir les habitants. Pour la reprendre, il faudra un nouveau code de mise en service.", "Révoquer", false)
}

func (c *Console) revoke(w http.ResponseWriter, r *http.Request, v *visitor) error {
	b, err := c.Store.Borne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.BorneRevoked, Borne: b.ID, Object: b.Site.Name}); err != nil {
		return err
	}
	if err := c.Store.Revoke(r.Context(), b.ID, c.Now()); err != nil {
		return err
	}
	return c.redirect(w, r, "/bornes/"+b.ID, "La borne "+b.ID+" est révoquée.")
}

func (c *Console) clearClone(w http.ResponseWriter, r *http.Request, v *visitor) error {
	b, err := c.Store.Borne(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := c.audit(r, v, people.Entry{Action: people.CloneDealtWith, Borne: b.ID, Object: b.Site.Name}); err != nil {
		return err
	}
	if err := c.Store.SetCloned(r.Context(), b.ID, time.Time{}); err != nil {
		return err
	}
	return c.redirect(w, r, "/bornes/"+b.ID, "L’alerte est close. Elle revient si deux machines se présentent encore.")
}

// commandRow is a line of the list of commands.
type commandRow struct {
	ID          string
	Title, By   string
	Created     time.Time
	State, Tone string
	Why         string
	Ended       time.Time
	Picture     bool // it has brought one
	Log         bool
	Under       bool // under way
}

// commandTitle names a command with what belongs to it.
func commandTitle(kind link.CommandKind, args link.Args) string {
	title := string(kind)
	for _, o := range orders {
		if o.kind == kind {
			title = o.title
		}
	}
	switch kind {
	case link.SetVolume:
		return title + " " + strconv.Itoa(args.Level)
	case link.ShowMessage:
		if args.Text == "" {
			return "Retirer le message à l’écran"
		}
		return title + fixed + ": « " + args.Text + " »"
	}
	return title
}

// commandState says in a badge how far a command has come.
func commandState(s store.CommandState) (text, tone string) {
	switch s {
	case store.Waiting:
		return "En attente", toneInfo
	case store.Sent:
		return "Transmise", toneInfo
	case store.Done:
		return "Faite", toneGood
	case store.Refused:
		return "Refusée", toneWarn
	case store.Failed:
		return "Échouée", toneBad
	case store.Expired:
		return "Périmée", toneOff
	}
	return string(s), ""
}

func (c *Console) readCommands(ctx context.Context, v *borneView, _ time.Time) error {
	given, err := c.Store.Commands(ctx, v.ID, commandsShown)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, g := range given {
		by, err := c.nameOf(ctx, g.By, names)
		if err != nil {
			return err
		}
		row := commandRow{ID: g.ID.String(), Title: commandTitle(g.Kind, g.Args), By: by, Created: g.Created, Why: g.Why, Ended: g.Ended, Under: g.Ended.IsZero()}
		row.State, row.Tone = commandState(g.State)
		row.Picture = g.HasFile && g.Kind == link.Screenshot && v.Visitor.may(people.BorneScreenshot)
		row.Log = g.HasFile && g.Kind == link.FetchLogs && v.Visitor.may(people.BorneLogs)
		v.Commands = append(v.Commands, row)
		if v.Said == "" && !row.Under {
			v.Said = row.Title + fixed + ": " + row.State + ". " + row.Why
		}
	}
	if v.Visitor.may(people.BorneScreenshot) {
		last, err := c.Store.LastScreenshot(ctx, v.ID)
		if err == nil {
			v.Screenshot = &last
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// nameOf names who gave a command: a person, or what IT's tools call themselves.
func (c *Console) nameOf(ctx context.Context, id string, known map[string]string) (string, error) {
	if name, ok := known[id]; ok {
		return name, nil
	}
	p, err := c.People.Person(ctx, id)
	switch {
	case err == nil:
		known[id] = p.Name
	case !errors.Is(err, store.ErrNotFound):
		return "", err
	case uuid.Validate(id) == nil:
		known[id] = "Compte supprimé"
	default:
		known[id] = id
	}
	return known[id], nil
}
