package api

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parvis/kiosk/link"
)

// problem is a refusal on its way to a borne: a problem document (RFC 9457),
// and what goes with it.
type problem struct {
	link.Problem
	retry time.Duration // when to try again; zero: not worth it
	allow string        // the methods there are, with 405
	close bool          // nothing more is wanted on this connection
	cause error         // for the log alone
}

// GetStatus and ContentType are what huma asks of an error.
func (p *problem) GetStatus() int { return p.Status }

func (p *problem) ContentType(ct string) string {
	switch ct {
	case typeJSON:
		return link.MediaProblemJSON
	case typeCBOR:
		return link.MediaProblemCBOR
	}
	return ct
}

func (p *problem) Unwrap() error { return p.cause }

// setHeaders writes what a problem says beside its document.
func (p *problem) setHeaders(set func(name, value string)) {
	if p.retry > 0 {
		set("Retry-After", strconv.Itoa(int((p.retry+time.Second-1)/time.Second)))
	}
	if p.allow != "" {
		set("Allow", p.allow)
	}
	if p.close {
		set("Connection", "close") // over HTTP/2 this becomes GOAWAY
	}
}

func newProblem(status int, kind, title, detail string) *problem {
	return &problem{Problem: link.Problem{Type: kind, Title: title, Status: status, Detail: detail}}
}

func invalid(format string, args ...any) *problem {
	return newProblem(http.StatusUnprocessableEntity, link.ProblemInvalid, "Message refusé", fmt.Sprintf(format, args...))
}

func malformed(detail string) *problem {
	return newProblem(http.StatusBadRequest, link.ProblemInvalid, "Message illisible", detail)
}

func tooLarge(limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, link.ProblemTooLarge, "Message trop gros",
		fmt.Sprintf("Au plus %d octets sont acceptés ici.", limit))
}

func wrongType() *problem {
	return newProblem(http.StatusUnsupportedMediaType, link.ProblemInvalid, "Format inconnu",
		"L’en-tête Content-Type doit dire application/cbor ou application/json.")
}

func wrongMethod(allow string) *problem {
	p := newProblem(http.StatusMethodNotAllowed, link.ProblemInvalid, "Méthode refusée", "Ici, le hub accepte : "+allow+".")
	p.allow = allow
	return p
}

func wrongVersion() *problem {
	return newProblem(http.StatusNotFound, link.ProblemVersion, "Version inconnue",
		"Ce hub parle la version "+link.Prefix[1:]+". Mettez à jour le hub, ou installez sur la borne la version d’avant.")
}

func unknown(detail string) *problem {
	return newProblem(http.StatusNotFound, link.ProblemUnknown, "Introuvable", detail)
}

func wrongClock(now time.Time) *problem {
	p := newProblem(http.StatusUnprocessableEntity, link.ProblemClock, "Heure fausse",
		fmt.Sprintf("La date du rapport est à plus de %d minutes de l’heure du hub.", int(link.MaxSkew/time.Minute)))
	p.Now = now.UnixMilli()
	return p
}

func replayed() *problem {
	return newProblem(http.StatusConflict, link.ProblemReplayed, "Rapport déjà reçu", "Le hub a déjà ce rapport : rien n’a été changé.")
}

func revoked() *problem {
	p := newProblem(http.StatusForbidden, link.ProblemRevoked, "Borne refusée",
		"Cette borne n’est pas, ou plus, admise. Enrôlez-la de nouveau avec un code du hub.")
	p.close = true
	return p
}

func expired() *problem {
	return newProblem(http.StatusUnauthorized, link.ProblemExpired, "Certificat périmé",
		"Le certificat de la borne est périmé : il ne sert plus qu’à en demander un autre.")
}

func noCertificate() *problem {
	p := newProblem(http.StatusUnauthorized, link.ProblemRevoked, "Certificat absent ou refusé",
		"Ce hub n’admet ici que les bornes qu’il a enrôlées.")
	p.close = true
	return p
}

// busy asks to try again after a while, and not everybody at once.
func busy(status int, detail string, least time.Duration) *problem {
	p := newProblem(status, link.ProblemBusy, "Hub occupé", detail)
	p.retry = least + rand.N(2*least)
	return p
}

func internal(cause error) *problem {
	p := newProblem(http.StatusInternalServerError, link.ProblemInternal, "Erreur du hub", "")
	p.cause = cause
	return p
}

// translate turns what huma itself refuses into a problem. It repeats nothing
// of what was sent.
func translate(limit int64, m *huma.ErrorModel) *problem {
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		return tooLarge(limit)
	case http.StatusUnsupportedMediaType:
		return wrongType()
	case http.StatusRequestTimeout:
		return newProblem(m.Status, link.ProblemInvalid, "Message incomplet", "Le message n’est pas arrivé en entier à temps, ou sa compression est abîmée.")
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		detail := "Le message est vide ou illisible."
		if len(m.Errors) > 0 && m.Errors[0].Location == "body" {
			detail = m.Errors[0].Message // made by the formats
		}
		return malformed(detail)
	}
	return internal(m)
}
