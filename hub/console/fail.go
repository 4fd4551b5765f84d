package console

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/store"
)

// refusal is an error with a page of its own.
type refusal struct {
	Status int
	Title  string
	Text   string // what happened, and what to do
}

func (e *refusal) Error() string { return e.Title + " : " + e.Text }

// refuse makes an error that the reader sees as it stands.
func refuse(status int, title, text string) error { return &refusal{status, title, text} }

// forbidden says that the visitor's role doesn't suffice, and whose would.
func forbidden(p people.Permission) error {
	var who []string
	for _, role := range people.Who(p) {
		who = append(who, "« "+role.Label()+" »")
	}
	text := "Demandez à l’administration de Parvis."
	if len(who) > 0 {
		need := "le rôle "
		if len(who) > 1 {
			need = "un de ces rôles : "
		}
		text = "Il faut " + need + strings.Join(who, ", ") + ". Si c’est votre travail, demandez à l’administration de Parvis de changer votre rôle."
	}
	return refuse(http.StatusForbidden, "Votre rôle ne permet pas d’ouvrir cette page", text)
}

var (
	errNoPage    = refuse(http.StatusNotFound, "Cette page n’existe pas", "L’adresse est peut-être mal copiée, ou ce qu’elle montrait a été supprimé.")
	errNoRole    = refuse(http.StatusForbidden, "Votre compte attend un rôle", "Votre connexion a réussi, mais l’administration de Parvis ne vous a pas encore donné de rôle. Prévenez-la, puis actualisez cette page.")
	errOtherSite = refuse(http.StatusForbidden, "Demande refusée", "Elle vient d’un autre site que Parvis. Rien n’a été changé. Ouvrez Parvis, puis recommencez depuis sa page.")
	errBadForm   = refuse(http.StatusBadRequest, "Formulaire illisible", "Ce que le navigateur a envoyé est incomplet ou trop long. Rien n’a été changé. Revenez à la page d’avant et recommencez.")
)

// errAnswered says that the answer is written already.
var errAnswered = errors.New("answered")

// fail draws the page of an error. What the reader can't mend gets a reference,
// under which the log says more.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v *visitor, err error) {
	e := new(refusal)
	switch {
	case errors.As(err, &e):
	case errors.Is(err, store.ErrNotFound):
		e = errNoPage.(*refusal)
	case r.Context().Err() != nil: // nobody reads the answer
		return
	default:
		ref := uuid.NewString()[:8]
		c.Log.ErrorContext(r.Context(), "console", "ref", ref, "method", r.Method, "path", loggedPath(r), "err", err)
		e = &refusal{http.StatusInternalServerError, "Parvis n’a pas pu répondre",
			fmt.Sprintf("Ce n’est pas de votre fait. Réessayez dans un instant. Si cela dure, donnez la référence %s à votre service informatique.", ref)}
	}
	if v == nil {
		v = &visitor{}
	}
	e = &refusal{e.Status, spaces.Replace(e.Title), spaces.Replace(e.Text)}
	p := view{Title: e.Title, Status: e.Status, Data: e}
	if err := c.render(w, r, v, "error", p); err != nil {
		c.Log.ErrorContext(r.Context(), "console", "page", "error", "err", err)
		http.Error(w, e.Title, e.Status)
	}
}

// loggedPath is the path of a request without a token, which lets its bearer in.
func loggedPath(r *http.Request) string {
	for _, secret := range []string{people.LinkPath, agendaPath} {
		if strings.HasPrefix(r.URL.Path, secret) {
			return secret + "…"
		}
	}
	return r.URL.Path
}
