package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"parvis/kiosk/agent/upgrade"
	"parvis/kiosk/link"
)

// Software brings the borne's package to another version: package upgrade.
type Software interface {
	// Installed is the version in place; empty where that can't be known.
	Installed() string
	// Begin has a version put in place, which ends this program:
	// upgrade.ErrNotNow where all is there and the moment is not good.
	Begin(ctx context.Context, version string) error
	// Last is how the last change ended.
	Last() (upgrade.Result, error)
}

const (
	// upgradeWithin is how long a change of version may take until something is
	// heard of it: it ends this program, as a rule.
	upgradeWithin = 45 * time.Minute
	upgradeEvery  = 2 * time.Second
)

// beganSetting is the version that was begun, and when the last change before
// had ended.
const beganSetting = "agent.upgrade"

type began struct {
	Version string    `json:"version"`
	Last    time.Time `json:"last"`
}

// errNotNow says that a new version waits for a better moment.
var errNotNow = errors.New("la nouvelle version attend la fermeture du site")

// upgradeTo brings the borne to a version of its package, if the moment is good.
func (a *Agent) upgradeTo(ctx, wish context.Context, version string) (changed bool, err error) {
	if f, err := a.failure(ctx, link.KindSoftware); err != nil || f.Version == version {
		if err == nil {
			err = refused(f)
		}
		return false, err
	}
	if a.o.Software == nil {
		return false, a.refuse(ctx, link.KindSoftware, version, errors.New("l’agent ne peut pas changer le programme de cette borne"))
	}
	underWay, err := a.underWay(ctx, version)
	if err != nil {
		return false, err
	}
	if a.o.Software.Installed() == version {
		if underWay { // it may yet be taken back
			return true, a.awaitUpgrade(ctx, version)
		}
		return false, nil
	}
	if a.pursuit.staged(version) && !a.MayStop() {
		return false, errNotNow
	}
	if err := a.beginUpgrade(ctx, wish, version); err != nil {
		return false, err
	}
	a.log.Info("changement de version du programme", "version", version)
	return true, a.awaitUpgrade(ctx, version)
}

func (a *Agent) beginUpgrade(ctx, wish context.Context, version string) error {
	last, err := a.o.Software.Last()
	if err != nil {
		return err
	}
	// Before it is begun: it may end this program at once.
	text, err := json.Marshal(began{version, last.At})
	if err != nil {
		return err
	}
	if err := a.o.Store.SetSetting(ctx, beganSetting, string(text)); err != nil {
		return err
	}
	err = a.o.Software.Begin(wish, version)
	if err == nil {
		return nil
	}
	if err := a.o.Store.SetSetting(ctx, beganSetting, ""); err != nil {
		return err
	}
	switch local := new(fs.PathError); {
	case errors.Is(err, upgrade.ErrNotNow):
		a.pursuit.stage(version)
		return errNotNow
	case errors.Is(err, upgrade.ErrUnfit):
		return a.refuse(ctx, link.KindSoftware, version, err)
	case errors.As(err, &local):
		return err
	}
	return a.away(err)
}

// awaitUpgrade waits for what comes of a change of version that has begun. As a
// rule this program is ended before.
func (a *Agent) awaitUpgrade(ctx context.Context, version string) error {
	for patience := time.Now().Add(upgradeWithin); time.Now().Before(patience); pause(ctx, upgradeEvery) {
		a.pulse.beat("wanted", pursueWithin)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if underWay, err := a.underWay(ctx, version); err != nil || !underWay {
			return err
		}
	}
	if err := a.o.Store.SetSetting(ctx, beganSetting, ""); err != nil || a.o.Software.Installed() == version {
		return err // somebody else may have put it in place
	}
	return fmt.Errorf("rien n’est dit du changement de version, après %d minutes", int(upgradeWithin.Minutes()))
}

// underWay tells whether the change to a version was begun, and how it ended is
// not known yet. ErrUnfit where it has failed.
func (a *Agent) underWay(ctx context.Context, version string) (bool, error) {
	text, err := a.o.Store.Setting(ctx, beganSetting)
	if err != nil || text == "" {
		return false, err
	}
	var b began
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return false, a.o.Store.SetSetting(ctx, beganSetting, "")
	}
	last, err := a.o.Software.Last()
	if err != nil || b.Version != version || last.To != version || last.At.Equal(b.Last) {
		return err == nil && b.Version == version, err
	}
	if last.State != link.Done { // what was refused stays so, whatever comes now
		err = a.refuse(ctx, link.KindSoftware, version, errors.New(last.Why))
	}
	return false, errors.Join(err, a.o.Store.SetSetting(ctx, beganSetting, ""))
}

// MayStop reports whether the borne may go out of service for some minutes:
// nobody is there, and the site is closed by the hub's time, or somebody has
// asked for it to be done now.
func (a *Agent) MayStop() bool {
	seen, err := a.senses.look(context.Background())
	if err != nil || seen.app == link.AppServing {
		return false
	}
	return a.pursuit.hurried() || a.o.Closed(a.clock.now())
}
