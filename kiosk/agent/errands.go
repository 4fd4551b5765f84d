package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

const (
	// errandsAnyway is how often errands are looked at, rung or not.
	errandsAnyway = time.Second
	// downApp is how long an application that doesn't run has to come back.
	downApp = 5 * time.Second
	// reboots is how long a machine may take to go down.
	reboots = 5 * time.Minute
)

// rebootSetting holds the errand and the start of the machine in which a
// restart was asked for.
const rebootSetting = "agent.reboot"

// outcome is what became of an errand.
type outcome struct {
	state link.OutcomeState
	why   string
	file  []byte // text/plain
}

func done(why string) outcome { return outcome{state: link.Done, why: why} }

func failed(format string, args ...any) outcome {
	return outcome{state: link.Failed, why: oneLine(fmt.Sprintf(format, args...))}
}

// oneLine keeps a text to what the hub takes as a reason: what another program
// has said may hold signs for a terminal.
func oneLine(text string) string {
	const most = 300
	space := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	runes := []rune(strings.Join(strings.FieldsFunc(text, space), " "))
	return string(runes[:min(len(runes), most)])
}

// recover deals with what was begun when the agent last ended. What does no
// harm twice is done again; the rest was interrupted.
func (a *Agent) recover(ctx context.Context) error {
	dealt, err := a.o.Store.Setting(ctx, TagSetting)
	if err != nil {
		return err
	}
	a.pursuit.deal(dealt)
	errands, err := a.o.Store.Errands(ctx)
	if err != nil {
		return err
	}
	for _, e := range errands {
		if !e.Began || e.State != "" || e.ForApp {
			continue
		}
		switch link.CommandKind(e.Kind) {
		case link.OutOfService, link.BackInService:
			a.begin(ctx, e)
		case link.Update:
			a.working.Go(func() {
				if o := a.update(ctx, true); ctx.Err() == nil {
					a.end(ctx, e, o)
				}
			})
		case link.RestartMachine:
			o, err := a.rebooted(ctx, e.ID)
			if err != nil {
				return err
			}
			a.working.Go(func() { a.end(ctx, e, o) })
		default:
			a.working.Go(func() { a.end(ctx, e, failed("Interrompue : l’agent de la borne s’est arrêté.")) })
		}
	}
	return nil
}

// obeying does the errands that are the agent's, and sees to it that those of
// the application come to an end.
func (a *Agent) obeying(ctx context.Context) {
	watched := make(map[uuid.UUID]time.Time)
	first := true
	for ctx.Err() == nil {
		a.pulse.beat("errands", time.Minute)
		for {
			e, ok, err := a.o.Store.BeginErrand(ctx, false)
			a.trouble(ctx, "commandes", err)
			if !ok {
				break
			}
			if late := !e.Expires.IsZero() && a.o.Now().After(e.Expires); late {
				a.working.Go(func() { a.end(ctx, e, outcome{state: link.Refused, why: tooLate}) })
				continue
			}
			a.begin(ctx, e)
		}
		rung := a.errands.wait(ctx, errandsAnyway)
		if rung || first || len(watched) > 0 {
			a.trouble(ctx, "commandes de l’application", a.endOverdue(ctx, watched))
		}
		first = false
	}
}

// begin does an errand beside the others: a restart doesn't wait for a pack.
func (a *Agent) begin(ctx context.Context, e store.Errand) {
	a.working.Go(func() {
		o := a.do(ctx, e)
		if ctx.Err() == nil {
			a.end(ctx, e, o)
		}
	})
}

// end keeps what became of an errand, as soon as the disk lets it.
func (a *Agent) end(ctx context.Context, e store.Errand, o outcome) {
	back := newBackoff()
	back.Reset()
	for ctx.Err() == nil {
		fileType := ""
		if len(o.file) > 0 {
			fileType = "text/plain"
		}
		err := a.o.Store.EndErrand(ctx, e.ID, string(o.state), o.why, fileType, o.file)
		a.trouble(ctx, "résultat d’une commande", err)
		if err == nil {
			a.log.Info("commande finie", "commande", e.ID, "sorte", e.Kind, "résultat", o.state, "pourquoi", o.why)
			a.ended.ring()
			return
		}
		if errors.Is(err, store.ErrFull) && len(o.file) > 0 {
			o = failed("Le disque de la borne est plein.")
			continue
		}
		pause(ctx, back.NextBackOff())
	}
}

func (a *Agent) do(ctx context.Context, e store.Errand) outcome {
	switch link.CommandKind(e.Kind) {
	case link.OutOfService, link.BackInService:
		if err := a.o.Store.SetOutOfService(ctx, link.CommandKind(e.Kind) == link.OutOfService); err != nil {
			return failed("%v.", err)
		}
		return done("")
	case link.RestartApp:
		return a.restartApp(ctx)
	case link.RestartMachine:
		return a.restartMachine(ctx, e.ID)
	case link.FetchLogs:
		return a.fetchLogs(ctx)
	case link.Update:
		return a.update(ctx, false)
	}
	return outcome{state: link.Refused, why: "Commande inconnue de cette version de la borne."}
}

// visitMayTake is how long a restart of the machine waits for somebody who uses
// the borne.
const visitMayTake = time.Minute

// awaitVisitEnd waits for the end of a visit, if there is one.
func (a *Agent) awaitVisitEnd(ctx context.Context) {
	for patience := time.Now().Add(visitMayTake); time.Now().Before(patience); {
		seen, err := a.senses.look(ctx)
		if err != nil || seen.app != link.AppServing {
			break
		}
		pause(ctx, time.Second)
	}
}

func (a *Agent) restartApp(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := a.o.Unit.Restart(ctx); err != nil {
		return failed("L’application n’a pas redémarré : %v.", err)
	}
	return done("")
}

// restartMachine keeps in which start of the machine it was asked for: only
// the next start can tell that it was done.
func (a *Agent) restartMachine(ctx context.Context, id uuid.UUID) outcome {
	if a.o.Reboot == nil {
		return outcome{state: link.Refused, why: "L’agent ne peut pas redémarrer cette machine."}
	}
	m, err := a.o.Machine()
	if m.BootID == "" {
		return failed("La machine n’a pas redémarré : %v.", err)
	}
	a.awaitVisitEnd(ctx)
	if err := a.o.Store.SetSetting(ctx, rebootSetting, id.String()+" "+m.BootID); err != nil {
		return failed("%v.", err)
	}
	if err := a.o.Reboot(ctx); err != nil {
		return failed("La machine n’a pas redémarré : %v.", err)
	}
	pause(ctx, reboots)
	return failed("La machine ne s’est pas arrêtée en %d minutes.", int(reboots.Minutes()))
}

// rebooted tells how a restart of the machine went that was begun in an earlier
// life of the agent.
func (a *Agent) rebooted(ctx context.Context, id uuid.UUID) (outcome, error) {
	asked, err := a.o.Store.Setting(ctx, rebootSetting)
	if err != nil {
		return outcome{}, err
	}
	errand, boot, _ := strings.Cut(asked, " ")
	m, err := a.o.Machine()
	if m.BootID == "" {
		return failed("La machine ne dit pas si elle a redémarré : %v.", err), nil
	}
	if errand == id.String() && boot != m.BootID {
		return done(""), nil
	}
	return failed("Interrompue : l’agent s’est arrêté, la machine n’a pas redémarré."), nil
}

// limits are how long the application has for what only it can do.
var limits = map[link.CommandKind]time.Duration{
	link.TestPrint:   90 * time.Second,
	link.Screenshot:  20 * time.Second,
	link.SetVolume:   20 * time.Second,
	link.ShowMessage: 20 * time.Second,
	link.RestartApp:  4 * time.Minute, // waits for the end of a visit, but not for ever
}

// endOverdue ends the application's errands that it doesn't end itself. since
// are those that are open, with when they were first seen so.
func (a *Agent) endOverdue(ctx context.Context, since map[uuid.UUID]time.Time) error {
	errands, err := a.o.Store.Errands(ctx)
	if err != nil {
		return err
	}
	open := make(map[uuid.UUID]store.Errand)
	for _, e := range errands {
		if e.ForApp && e.State == "" && !isLocal(e.ID) { // those have somebody who waits
			open[e.ID] = e
		}
	}
	maps.DeleteFunc(since, func(id uuid.UUID, _ time.Time) bool { _, still := open[id]; return !still })
	if len(open) == 0 {
		return nil
	}
	seen, err := a.senses.look(ctx)
	if err != nil {
		return err
	}
	for id, e := range open {
		if since[id].IsZero() {
			since[id] = time.Now()
		}
		limit := limits[link.CommandKind(e.Kind)]
		if seen.app == link.AppStopped {
			limit = downApp
		}
		if time.Since(since[id]) <= limit {
			continue
		}
		o := overdue(seen.app)
		if err := a.o.Store.EndErrand(ctx, id, string(o.state), o.why, "", nil); err != nil {
			return err
		}
		a.log.Warn("commande sans réponse de l’application", "commande", id, "sorte", e.Kind, "pourquoi", o.why)
		a.ended.ring()
	}
	return nil
}

func overdue(app link.AppState) outcome {
	switch app {
	case link.AppStopped:
		return failed("L’application de la borne est arrêtée.")
	case link.AppFrozen:
		return failed("L’écran de la borne est figé.")
	}
	return failed("L’application de la borne n’a pas répondu à temps.")
}
