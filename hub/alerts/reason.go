package alerts

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
)

// failure is an error in words that IT can act on.
type failure struct {
	text  string
	cause error
}

func (e *failure) Error() string { return e.text }

func (e *failure) Unwrap() error { return e.cause }

// inFrench gives what went wrong on the way to a server words that IT can act
// on. What the server has said itself, and what nobody has thought of, stays as
// it is.
func inFrench(err error) error {
	if text := reason(err); text != "" {
		return &failure{text, err}
	}
	return err
}

func reason(err error) string {
	name := new(net.DNSError)
	other := new(x509.HostnameError)
	unknown := new(x509.UnknownAuthorityError)
	invalid := new(x509.CertificateInvalidError)
	var slow interface{ Timeout() bool }
	switch {
	case errors.Is(err, errAddress):
		return errAddress.Error()
	case errors.As(err, &name) && name.IsNotFound:
		return "aucun serveur ne porte le nom « " + name.Name + " » ; vérifiez-le"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connexion refusée ; vérifiez l’adresse et le port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "serveur injoignable ; vérifiez le réseau et le pare-feu du hub"
	case errors.As(err, unknown):
		return "son certificat vient d’une autorité que le hub ne connaît pas"
	case errors.As(err, other):
		return "son certificat est au nom d’un autre serveur"
	case errors.As(err, invalid):
		return "son certificat n’est pas valable ; il est peut-être périmé"
	case errors.As(err, &slow) && slow.Timeout():
		return "pas de réponse à temps ; vérifiez l’adresse, le port et le pare-feu"
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return "ce serveur ne connaît pas STARTTLS ; choisissez un autre chiffrement"
	case strings.Contains(err.Error(), "SMTP AUTH failed"):
		return "le serveur refuse le compte ou le mot de passe"
	}
	return ""
}
