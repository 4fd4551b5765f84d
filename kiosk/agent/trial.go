package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/agent/health"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// How long the application has, once nobody is at the borne.
const (
	obeyWithin  = time.Minute     // to restart when it is asked to
	startWithin = 2 * time.Minute // to give a first sign of life
	wellWithin  = 2 * time.Minute // to be well, from then on
	wellFor     = 10 * time.Second
	tellWithin  = 5 * time.Second // to tell what it refuses
	hubWithin   = 5 * time.Minute // to reach the hub, where the profile is another
	hubAgain    = time.Hour       // until a profile is tried again that kept from that
	mostTries   = 3               // starts of the agent, or of the machine, amid one trial
	trialEvery  = 500 * time.Millisecond
)

// trialSetting is the trial under way, over restarts.
const trialSetting = "agent.trial"

// ErrUnfit says that a version is of no use to this borne: it is not tried
// again until another has been wanted.
var ErrUnfit = errors.New("inutilisable")

var (
	errOther = errors.New("le hub veut autre chose à présent")
	// errNoApp says that nothing can be told of a version, for want of an
	// application that runs.
	errNoApp = errors.New("l’application ne redémarre pas : la version n’a pas pu être essayée")
	// errCutOff says that the hub was not reached with a profile, which may be the
	// profile's fault or the hub's.
	errCutOff = errors.New("avec ce profil, le hub n’est plus joint : celui d’avant est remis, un nouvel essai vient plus tard")
)

// change is a version of something that the application loads, on its way into
// use.
type change struct {
	kind    string // of link.Failure, as is version
	version string
	name    string // on its shelf
	// bring puts it on the shelf, whole and checked: ErrUnfit where it can't be used.
	bring func(ctx context.Context) error
}

// trial is a version that the application is to show that it works with. It is
// kept before anything changes, and until it is sure which version stays.
type trial struct {
	Kind    string `json:"kind"`
	Version string `json:"version"`
	Name    string `json:"name"`
	// Good is the name of the version to go back to; empty for the borne's own.
	Good string `json:"good"`
	// Errand asks the application to restart.
	Errand uuid.UUID `json:"errand"`
	// PID and Started are of the application that runs with what was before.
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Well    bool      `json:"well"` // that one did its work
	Tries   int       `json:"tries"`
	CutOff  bool      `json:"cutOff,omitempty"` // it is on its way back: errCutOff
}

func newErrand() uuid.UUID { return uuid.NewSHA1(uuid.New(), []byte("application")) } // see isLocal

func (a *Agent) shelf(kind string) shelf.Shelf {
	if kind == link.KindProfile {
		return shelf.Shelf{Dir: a.o.Profiles, Ending: ".toml"}
	}
	return shelf.Shelf{Dir: a.o.Content}
}

// uses is the version of a kind that the application goes by.
func uses(a store.Alive, kind string) string {
	if kind == link.KindProfile {
		return a.Profile
	}
	return a.Content
}

// adopt has the borne go over to a version, or stay as it is. Errors: ErrUnfit,
// also where that has been found out before; errOther when wish ends; others
// may pass. wish is over when the hub wants something else.
func (a *Agent) adopt(ctx, wish context.Context, c change) (changed bool, err error) {
	if f, err := a.failure(ctx, c.kind); err != nil || f.Version == c.version {
		if err == nil {
			err = refused(f)
		}
		return false, err
	}
	if a.cutOff.version == c.version && time.Since(a.cutOff.at) < hubAgain && !a.pursuit.hurried() {
		return false, errCutOff
	}
	s := a.shelf(c.kind)
	if err := s.Make(); err != nil {
		return false, err
	}
	current, err := s.Version(shelf.Current)
	if err != nil || current == c.name {
		return false, err
	}
	if err := c.bring(wish); err != nil {
		if errors.Is(err, ErrUnfit) {
			return false, a.refuse(ctx, c.kind, c.version, err)
		}
		return false, err
	}
	alive, err := a.o.Store.Alive(ctx)
	if err != nil {
		return false, err
	}
	seen, err := a.senses.look(ctx)
	if err != nil {
		return false, err
	}
	t := trial{Kind: c.kind, Version: c.version, Name: c.name, Good: current, Errand: newErrand(),
		PID: alive.PID, Started: alive.Started, Well: health.Well(seen.app)}
	if err := a.keepTrial(ctx, t); err != nil {
		return false, err
	}
	if err := errors.Join(s.Point(shelf.Previous, t.Good), s.Point(shelf.Current, t.Name)); err != nil {
		return false, errors.Join(err, a.withdraw(ctx, t))
	}
	a.log.Info("version à l’essai", "sorte", c.kind, "version", c.name)
	a.rewire(ctx, t)
	return true, a.conclude(ctx, wish, t)
}

// resume concludes a trial that an earlier life of the agent has begun.
func (a *Agent) resume(ctx context.Context) error {
	t, err := a.trial(ctx)
	if err != nil || t.Kind == "" {
		return err
	}
	return a.conclude(ctx, ctx, t)
}

func (a *Agent) trial(ctx context.Context) (t trial, err error) {
	text, err := a.o.Store.Setting(ctx, trialSetting)
	if err != nil || text == "" {
		return t, err
	}
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		a.log.Error("essai en cours illisible : abandonné", "erreur", err)
		return trial{}, a.o.Store.SetSetting(ctx, trialSetting, "")
	}
	return t, nil
}

func (a *Agent) keepTrial(ctx context.Context, t trial) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return a.o.Store.SetSetting(ctx, trialSetting, string(text))
}

// conclude watches a trial and acts on what comes of it.
func (a *Agent) conclude(ctx, wish context.Context, t trial) error {
	f, err := a.failure(ctx, t.Kind)
	if err != nil {
		return err
	}
	current, err := a.shelf(t.Kind).Version(shelf.Current)
	if err != nil {
		return err
	}
	switch {
	case f.Version == t.Version: // it was on its way back
		return a.goBack(ctx, t, errors.New(f.Why))
	case t.CutOff:
		return a.retreat(ctx, t)
	case current != t.Name: // it was not in place yet
		return a.withdraw(ctx, t)
	}
	if t.Tries++; t.Tries > mostTries {
		return a.goBack(ctx, t, fmt.Errorf("la borne s’est arrêtée %d fois pendant l’essai", mostTries))
	}
	if err := a.keepTrial(ctx, t); err != nil {
		return err
	}
	switch err := a.watchTrial(ctx, wish, &t); {
	case err == nil:
		return a.accept(ctx, t)
	case ctx.Err() != nil:
		return ctx.Err() // the next life of the agent goes on with it
	case errors.Is(err, ErrUnfit):
		return a.goBack(ctx, t, err)
	case errors.Is(err, errCutOff):
		return a.retreat(ctx, t)
	default:
		return errors.Join(err, a.withdraw(ctx, t))
	}
}

// watchTrial waits until the application is well with the version on trial:
// nil. ErrUnfit where that doesn't come, errNoApp and others where it can't be
// told, errOther where the hub wants something else before it has restarted.
func (a *Agent) watchTrial(ctx, wish context.Context, t *trial) error {
	for range mostTries {
		if err := a.awaitRestart(ctx, wish, *t); err != nil {
			return err
		}
		stale, err := a.awaitWell(ctx, *t)
		if err != nil {
			return err
		}
		if stale.PID == 0 {
			return a.awaitHub(ctx, *t)
		}
		// It had started just before the switch. Once more.
		a.forgetErrand(ctx, t.Errand)
		t.PID, t.Started, t.Errand = stale.PID, stale.Started, newErrand()
		if err := a.keepTrial(ctx, *t); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w : l’application redémarre sans la prendre", ErrUnfit)
}

// before is the application that runs with what was before.
func (t trial) before() store.Alive { return store.Alive{PID: t.PID, Started: t.Started} }

// awaitRestart has the application restart between two visits, and waits until
// another runs.
func (a *Agent) awaitRestart(ctx, wish context.Context, t trial) error {
	_, err := a.o.Store.AddErrand(ctx, store.Errand{ID: t.Errand, Kind: string(link.Update), Args: "{}", Created: a.o.Now(), ForApp: true})
	if err != nil {
		return err
	}
	tick := time.NewTicker(trialEvery)
	defer tick.Stop()
	quiet := time.Now() // since when nobody is there
	forced := false
	for {
		a.pulse.beat("wanted", pursueWithin)
		alive, err := a.o.Store.Alive(ctx)
		if err != nil {
			return err
		}
		if alive.PID != 0 && !health.Same(alive, t.before()) {
			return nil
		}
		if why, ended, err := a.errandFailed(ctx, t.Errand); err != nil || ended {
			if err == nil {
				err = fmt.Errorf("%w : %s", ErrUnfit, why)
			}
			return err
		}
		seen, err := a.senses.look(ctx)
		if err != nil {
			return err
		}
		if seen.app == link.AppServing {
			quiet = time.Now()
		}
		switch waited := time.Since(quiet); {
		case waited > startWithin && t.Well && (forced || !health.Well(seen.app)):
			return fmt.Errorf("%w : l’application n’a pas démarré avec elle", ErrUnfit)
		case waited > startWithin:
			return errNoApp
		case waited > obeyWithin && a.o.Unit != nil && !forced:
			forced = true
			a.forgetErrand(ctx, t.Errand) // nobody is to restart once more
			if o := a.restartApp(ctx); o.state != link.Done {
				a.log.Warn("application non relancée", "pourquoi", o.why)
			}
			quiet = time.Now().Add(-obeyWithin)
		}
		select {
		case <-tick.C:
		case <-wish.Done():
			return context.Cause(wish)
		}
	}
}

// awaitWell waits until an application that has restarted is well. stale is one
// that has started with what was before, unless its PID is 0.
func (a *Agent) awaitWell(ctx context.Context, t trial) (stale store.Alive, err error) {
	errStale := errors.New("démarrée avec la version d’avant")
	within, cancel := context.WithTimeout(ctx, wellWithin)
	defer cancel()
	err = health.Await(within, a.o.Store.Alive, t.before(), a.wellFor, func(now store.Alive) error {
		if uses(now, t.Kind) == t.Name {
			return nil
		}
		stale = now
		return errStale
	})
	switch {
	case err == nil:
		return store.Alive{}, nil
	case ctx.Err() != nil:
		return store.Alive{}, ctx.Err()
	case !errors.Is(err, errStale):
		return store.Alive{}, fmt.Errorf("%w : %w", ErrUnfit, err)
	}
	for patience := time.Now().Add(tellWithin); time.Now().Before(patience); pause(ctx, trialEvery) {
		r, err := a.o.Store.Refusal(ctx, refusalKeys[t.Kind])
		if err != nil {
			return store.Alive{}, err
		}
		if r.Version == t.Name {
			return store.Alive{}, fmt.Errorf("%w : %s", ErrUnfit, r.Why)
		}
	}
	return stale, ctx.Err()
}

// awaitHub waits until the hub answers over the network as a profile has set it:
// errCutOff where that doesn't come.
func (a *Agent) awaitHub(ctx context.Context, t trial) error {
	if t.Kind != link.KindProfile {
		return nil
	}
	a.rewire(ctx, t)
	a.pulse.beat("wanted", pursueWithin)
	if a.line.await(ctx, hubWithin) || a.line.is(lineRefused) { // refused, it is reached
		if a.o.Network != nil && a.o.Network.CutOff() { // but with what was before
			return errCutOff
		}
		return nil
	}
	return errors.Join(errCutOff, ctx.Err())
}

// rewire has the machine's network follow the profile in place, and the line to
// the hub made anew, where a change of version may have changed the way there.
func (a *Agent) rewire(ctx context.Context, t trial) {
	if t.Kind != link.KindProfile {
		return
	}
	if a.o.Network != nil {
		a.trouble(ctx, "réseau de la machine", a.o.Network.Follow(ctx))
	}
	a.line.suspect()
	a.o.Client.Reconnect()
}

// refusalKeys are the settings by which the application says that it doesn't go
// by what is in place.
var refusalKeys = map[string]string{link.KindProfile: store.ProfileRefused, link.KindPack: store.ContentRefused}

// errandFailed tells whether the application would not restart, and why.
func (a *Agent) errandFailed(ctx context.Context, id uuid.UUID) (why string, failed bool, err error) {
	all, err := a.o.Store.Errands(ctx)
	if err != nil {
		return "", false, err
	}
	i := slices.IndexFunc(all, func(e store.Errand) bool { return e.ID == id })
	if i < 0 || all[i].State == "" || all[i].State == string(link.Done) {
		return "", false, nil
	}
	return all[i].Why, true, nil
}

func (a *Agent) forgetErrand(ctx context.Context, id uuid.UUID) {
	a.trouble(ctx, "commande finie, non oubliée", a.o.Store.ForgetErrand(ctx, id, a.o.Now()))
}

// accept ends a trial that went well.
func (a *Agent) accept(ctx context.Context, t trial) error {
	a.log.Info("version en service", "sorte", t.Kind, "version", t.Name)
	a.trouble(ctx, "anciennes versions", a.keepVersions(t.Kind))
	return a.endTrial(ctx, t)
}

// goBack ends a trial that went wrong: that comes onto the disk first.
func (a *Agent) goBack(ctx context.Context, t trial, why error) error {
	unfit := a.refuse(ctx, t.Kind, t.Version, why)
	s := a.shelf(t.Kind)
	if err := s.Point(shelf.Current, t.Good); err != nil {
		return err
	}
	a.rewire(ctx, t)
	if err := a.restartWith(ctx, t); err != nil {
		return err
	}
	a.trouble(ctx, "anciennes versions", a.keepVersions(t.Kind))
	return errors.Join(unfit, a.endTrial(ctx, t))
}

// retreat ends a trial with which the hub was not reached. That may have been an
// outage, so the version is not refused.
func (a *Agent) retreat(ctx context.Context, t trial) error {
	t.CutOff = true
	if err := a.keepTrial(ctx, t); err != nil {
		return err
	}
	if err := a.shelf(t.Kind).Point(shelf.Current, t.Good); err != nil {
		return err
	}
	a.log.Warn("version retirée", "sorte", t.Kind, "version", t.Name, "pourquoi", errCutOff)
	a.rewire(ctx, t)
	if err := a.restartWith(ctx, t); err != nil {
		return err
	}
	a.cutOff.version, a.cutOff.at = t.Version, time.Now()
	return errors.Join(errCutOff, a.endTrial(ctx, t))
}

// withdraw ends a trial of which nothing has come.
func (a *Agent) withdraw(ctx context.Context, t trial) error {
	if err := a.shelf(t.Kind).Point(shelf.Current, t.Good); err != nil {
		return err
	}
	a.rewire(ctx, t)
	return a.endTrial(ctx, t)
}

func (a *Agent) endTrial(ctx context.Context, t trial) error {
	a.forgetErrand(ctx, t.Errand)
	a.report.ring()
	return a.o.Store.SetSetting(ctx, trialSetting, "")
}

// restartWith has the application come back with what it had before, unless it
// goes by that already or will when systemd has it start again.
func (a *Agent) restartWith(ctx context.Context, t trial) error {
	alive, err := a.o.Store.Alive(ctx)
	if err != nil || uses(alive, t.Kind) != t.Name {
		return err
	}
	seen, err := a.senses.look(ctx)
	if err != nil {
		return err
	}
	if a.o.Unit != nil && seen.app != link.AppServing {
		if o := a.restartApp(ctx); o.state != link.Done {
			a.log.Warn("application non relancée", "pourquoi", o.why)
		}
		return nil
	}
	_, err = a.o.Store.AddErrand(ctx, store.Errand{ID: newErrand(), Kind: string(link.Update), Args: "{}", Created: a.o.Now(), ForApp: true})
	return err
}

// keepVersions drops what is neither in use nor the last good one before.
func (a *Agent) keepVersions(kind string) error {
	s := a.shelf(kind)
	current, err := s.Version(shelf.Current)
	if err != nil {
		return err
	}
	previous, err := s.Version(shelf.Previous)
	if err != nil {
		return err
	}
	if kind == link.KindPack {
		return a.o.KeepPacks(current, previous)
	}
	return s.Keep(current, previous)
}
