package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// The hub tells again what has not been ended. While that is all it has to
// say, it is asked this seldom.
const (
	leastPause = time.Second
	mostPause  = 5 * time.Second
)

// listening hears the hub's commands through a request that the hub holds open.
func (a *Agent) listening(ctx context.Context) {
	back := newBackoff()
	back.Reset()
	rest := leastPause
	for ctx.Err() == nil {
		a.pulse.beat("commands", link.Wait+5*time.Minute)
		if !a.line.await(ctx, time.Minute) {
			continue
		}
		began := time.Now()
		heard, err := a.o.Client.Commands(ctx, link.Wait)
		switch p := problemOf(err); {
		case err == nil:
			back.Reset()
			a.clock.learn(heard.Now)
			none := len(heard.Commands) == 0
			switch {
			case a.record(ctx, heard.Commands):
				rest = leastPause
			case none && time.Since(began) > link.Wait-time.Minute: // the wait is over
			case none: // the hub is about to end: its bornes must not all come at once
				pause(ctx, scatter(spread))
			default:
				a.told.wait(ctx, rest)
				rest = min(2*rest, mostPause)
			}
		case ctx.Err() != nil, errors.Is(err, link.ErrReconnected):
		case p != nil && !standing(p):
			pause(ctx, max(p.RetryAfter, back.NextBackOff()))
		default:
			a.line.suspect()
			pause(ctx, back.NextBackOff())
		}
	}
}

// record keeps commands on the disk before anything is done about them, and
// tells whether one was new.
func (a *Agent) record(ctx context.Context, commands []link.Command) (fresh bool) {
	for _, c := range commands {
		if c.ID == uuid.Nil || isLocal(c.ID) {
			continue // no command has such an ID
		}
		e, err := a.errand(ctx, c)
		if err != nil {
			a.log.Error("commande incompréhensible", "commande", c.ID, "erreur", err)
			continue
		}
		first, err := a.o.Store.AddErrand(ctx, e)
		a.trouble(ctx, "commande non notée", err)
		if first {
			fresh = true
			a.log.Info("commande reçue", "commande", c.ID, "sorte", e.Kind)
		}
	}
	if fresh {
		a.errands.ring()
		a.ended.ring()
	}
	return fresh
}

// errand is a command as the borne keeps it. One that the borne won't do is
// ended from the beginning.
func (a *Agent) errand(ctx context.Context, c link.Command) (store.Errand, error) {
	args, err := json.Marshal(c.Args)
	if err != nil {
		return store.Errand{}, err
	}
	e := store.Errand{ID: c.ID, Kind: string(c.Kind), Args: string(args), Created: a.o.Now(), ForApp: a.forApp(ctx, c.Kind)}
	why := refusal(c)
	if c.Expires > 0 {
		expires := time.UnixMilli(c.Expires)
		e.Expires = a.clock.spoil(expires)
		if a.clock.now().After(expires) {
			why = tooLate
		}
	}
	if why != "" {
		e.State, e.Why, e.Began = string(link.Refused), why, true
	}
	if !known(c.Kind) {
		e.Kind, e.Args = "unknown", "{}" // whatever it was, it isn't a word of ours
	}
	return e, nil
}

const tooLate = "Trop tard : la commande n’était plus attendue."

var kinds = []link.CommandKind{link.RestartApp, link.RestartMachine, link.TestPrint, link.SetVolume, link.ShowMessage,
	link.OutOfService, link.BackInService, link.Screenshot, link.FetchLogs, link.Update}

func known(kind link.CommandKind) bool { return slices.Contains(kinds, kind) }

// forApp tells what needs the screen, the printer or the sound, which only the
// application has. It also restarts itself, where there is no systemd, and
// amid a visit, of which it takes leave.
func (a *Agent) forApp(ctx context.Context, kind link.CommandKind) bool {
	switch kind {
	case link.TestPrint, link.SetVolume, link.ShowMessage, link.Screenshot:
		return true
	case link.RestartApp:
		if a.o.Unit == nil {
			return true
		}
		seen, err := a.senses.look(ctx)
		return err == nil && seen.app == link.AppServing
	}
	return false
}

// refusal is why a command makes no sense, or "".
func refusal(c link.Command) string {
	switch {
	case !known(c.Kind):
		return "Commande inconnue de cette version de la borne."
	case c.Kind == link.SetVolume && (c.Args.Level < 1 || c.Args.Level > 8):
		return "Le volume va de 1 à 8."
	case c.Kind == link.ShowMessage && !isMessage(c.Args.Text):
		return "Le message est trop long, ou n’est pas une seule ligne de texte."
	case c.Kind == link.ShowMessage && c.Args.Minutes < 0:
		return "La durée du message est négative."
	}
	return ""
}

func isMessage(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= link.MaxMessage &&
		!strings.ContainsFunc(text, unicode.IsControl)
}
