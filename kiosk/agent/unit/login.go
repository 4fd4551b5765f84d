package unit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// What can keep systemd or login1 from doing what is asked. Agents and IT read
// these, hence French.
var (
	// ErrBus says that there is no D-Bus, or that it went away.
	ErrBus = errors.New("D-Bus ne répond pas : vérifiez « systemctl status dbus »")
	// ErrUnknown says that systemd has no unit of this name.
	ErrUnknown = errors.New("service inconnu de systemd : installez le paquet parvis, puis « systemctl daemon-reload »")
	// ErrDenied says that polkit doesn't let this user do it.
	ErrDenied = errors.New("droit refusé : installez la règle /usr/share/polkit-1/rules.d/50-parvis.rules et lancez ce programme en tant que parvis-agent")
	// ErrFailed says that the service did not start.
	ErrFailed = errors.New("le service n’a pas démarré")
	// ErrInhibited says that a program of the borne keeps it from restarting.
	ErrInhibited = errors.New("redémarrage retenu")
)

const (
	login1     = "org.freedesktop.login1"
	login1Path = godbus.ObjectPath("/org/freedesktop/login1")
)

// loginAnswers is how long login1 may take to agree.
const loginAnswers = 15 * time.Second

// inhibitor is a program that holds something up, as login1 lists them.
type inhibitor struct {
	What, Who, Why, Mode string
	UID, PID             uint32
}

// Reboot restarts the machine. It returns as soon as login1 has agreed:
// ErrInhibited where a program holds the restart up, ErrDenied where polkit
// forbids it. An end of ctx once login1 has been told changes nothing: it comes
// of the restart itself, which stops this program too.
func (c *Conn) Reboot(ctx context.Context) error {
	const what = "redémarrer la machine"
	_, bus, err := c.open(ctx)
	if err != nil {
		return err
	}
	// go-systemd's login1 drops the error of Reboot, so it is asked directly.
	login := bus.Object(login1, login1Path)
	call := func(ctx context.Context, method string, into any, args ...any) error {
		c := login.CallWithContext(ctx, login1+".Manager."+method, 0, args...)
		if into == nil {
			return c.Err
		}
		return c.Store(into)
	}
	var held []inhibitor
	if err := call(ctx, "ListInhibitors", &held); err != nil {
		return explain(err, what)
	}
	for _, i := range held {
		if i.Mode == "block" && contains(i.What, "shutdown") {
			return fmt.Errorf("%w par %s (%s), processus %d. Attendez, ou arrêtez-le", ErrInhibited, i.Who, i.Why, i.PID)
		}
	}
	var can string
	if err := call(ctx, "CanReboot", &can); err != nil {
		return explain(err, what)
	}
	switch can {
	case "yes":
	case "na":
		return fmt.Errorf("%s : cette machine ne le permet pas", what)
	default: // "no", or "challenge": somebody would have to type a password
		return fmt.Errorf("%s : %w", what, ErrDenied)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s : %w", what, ctx.Err())
	}
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginAnswers)
	defer cancel()
	const interactive = false
	if err := call(told, "Reboot", nil, interactive); err != nil {
		return explain(err, what)
	}
	return nil
}

// contains tells whether a list such as "shutdown:sleep" holds a word.
func contains(list, word string) bool {
	return strings.Contains(":"+list+":", ":"+word+":")
}

// explain puts one of this package's errors in front of what the bus said.
func explain(err error, what string) error {
	kind := errorKind(err)
	if kind == nil {
		return fmt.Errorf("%s : %w", what, err)
	}
	return fmt.Errorf("%s : %w (%w)", what, kind, err)
}

func errorKind(err error) error {
	if errors.Is(err, godbus.ErrClosed) {
		return ErrBus
	}
	switch errorName(err) {
	case "org.freedesktop.DBus.Error.AccessDenied",
		"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
		"org.freedesktop.DBus.Error.AuthFailed":
		return ErrDenied
	case "org.freedesktop.systemd1.NoSuchUnit", "org.freedesktop.DBus.Error.UnknownObject":
		return ErrUnknown
	case "org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.NoReply",
		"org.freedesktop.DBus.Error.Disconnected":
		return ErrBus
	}
	return nil
}

// errorName is the D-Bus name of an error; empty for one that isn't of D-Bus.
func errorName(err error) string {
	var e godbus.Error
	if errors.As(err, &e) {
		return e.Name
	}
	var p *godbus.Error
	if errors.As(err, &p) {
		return p.Name
	}
	return ""
}
