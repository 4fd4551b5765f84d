package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

// Settings of what the hub wants, for this program over restarts and for IT.
const (
	// WantedSetting is the link.Wanted that the hub told last, as JSON.
	WantedSetting = "agent.wanted"
	// TagSetting is the tag of the one that the borne has dealt with.
	TagSetting = "agent.tag"
	// StickSetting is the version of a pack that has come on a USB stick and is
	// to be put in use.
	StickSetting = "agent.stick"
)

const (
	// pursueWithin is how long the loop may be busy with one thing: a pack may
	// take a day to come.
	pursueWithin = 26 * time.Hour
	updateWithin = 24 * time.Hour
	// wantedAnyway is how often it is seen whether there is something to do.
	wantedAnyway = 2 * time.Second
	// A visit that keeps a change back is looked after this often, and the hour
	// when it does.
	visitEvery = 5 * time.Second
	hourEvery  = time.Minute
)

// pursuing works towards what the hub wants the borne to have.
func (a *Agent) pursuing(ctx context.Context) {
	a.resumed(ctx)
	w := waits{network: newBackoff(), other: slowBackoff()}
	w.reset()
	var next time.Time
	for ctx.Err() == nil {
		a.pulse.beat("wanted", pursueWithin)
		a.takeStick(ctx)
		if a.pursuit.due() && a.line.is(lineUp) && !time.Now().Before(next) {
			next = time.Now().Add(w.after(a.pass(ctx), a.pursuit.hurried()))
			continue
		}
		if a.wanted.wait(ctx, wantedAnyway) {
			next = time.Time{}
		}
	}
}

// waits are how long the agent waits until it tries again.
type waits struct{ network, other *backoff.ExponentialBackOff }

func (w waits) reset() {
	w.network.Reset()
	w.other.Reset()
}

// after is the wait after a pass that ended with err.
func (w waits) after(err error, hurry bool) time.Duration {
	switch p := problemOf(err); {
	case err == nil, errors.Is(err, errOther):
		w.reset()
		return 0
	case errors.Is(err, errAway) && p != nil:
		return max(p.RetryAfter, w.network.NextBackOff())
	case errors.Is(err, errAway):
		return w.network.NextBackOff()
	case errors.Is(err, errNotNow) && hurry:
		return visitEvery
	case errors.Is(err, errNotNow):
		return hourEvery
	}
	return w.other.NextBackOff()
}

// slowBackoff grows from half a minute to an hour, for what only people mend.
func slowBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: 30 * time.Second, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Hour}
}

// resumed ends what an earlier life of the agent has begun, as soon as the disk
// lets it.
func (a *Agent) resumed(ctx context.Context) {
	back := newBackoff()
	back.Reset()
	for ctx.Err() == nil {
		a.pulse.beat("wanted", pursueWithin)
		err := a.resume(ctx)
		if err == nil || errors.Is(err, ErrUnfit) || isFor(err, errNoApp, errCutOff) {
			return
		}
		a.trouble(ctx, "essai en cours", err)
		pause(ctx, back.NextBackOff())
	}
}

// pass asks what is wanted and does what is missing. Errors: errAway, errNotNow,
// errOther, and others that may pass.
func (a *Agent) pass(ctx context.Context) error {
	orders := a.pursuit.waiting()
	w, err := a.o.Client.Wanted(ctx)
	if err != nil {
		err = a.away(err)
		a.pursuit.end(orders, verdict{err: err}, errors.Is(err, errAway))
		return err
	}
	wish, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a.pursuit.begin(w.Tag, cancel)
	changed, unfit, left := a.pursue(ctx, wish, w)
	if left == nil {
		left = a.deal(ctx, w.Tag)
	}
	again := left != nil && (ctx.Err() != nil || isFor(left, errOther, errNotNow, errAway))
	a.pursuit.end(orders, verdict{changed, errors.Join(unfit, left)}, again)
	return left
}

func isFor(err error, targets ...error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// deal keeps that the borne has dealt with what bears this tag.
func (a *Agent) deal(ctx context.Context, tag string) error {
	if err := a.o.Store.SetSetting(ctx, TagSetting, tag); err != nil {
		return err
	}
	a.pursuit.deal(tag)
	a.report.ring()
	return nil
}

// pursue does what is missing of w. unfit is what the borne won't go on with,
// left why some of the rest is not there yet.
func (a *Agent) pursue(ctx, wish context.Context, w link.Wanted) (changed bool, unfit, left error) {
	if text, err := json.Marshal(w); err == nil {
		a.trouble(ctx, "réglages de la borne", a.o.Store.SetSetting(ctx, WantedSetting, string(text)))
	}
	versions := map[string]string{link.KindPack: w.Pack, link.KindSoftware: w.Software}
	if w.Profile != nil {
		versions[link.KindProfile] = w.Profile.SHA256
	}
	for _, kind := range kindsWanted {
		version := versions[kind]
		if err := a.pardon(ctx, kind, version); err != nil {
			return changed, unfit, err
		}
		if version == "" { // the borne keeps what it has
			a.pursuit.fail(kind, version, nil)
			continue
		}
		did, err := a.have(ctx, wish, kind, w)
		changed = changed || did
		switch {
		case ctx.Err() != nil:
			return changed, unfit, ctx.Err()
		case wish.Err() != nil:
			return changed, unfit, context.Cause(wish)
		case errors.Is(err, ErrUnfit):
			a.pursuit.fail(kind, version, nil)
			unfit = errors.Join(unfit, err)
		case err == nil || isFor(err, errNotNow, errAway):
			a.pursuit.fail(kind, version, nil)
			left = errors.Join(left, err)
		default:
			a.trouble(ctx, "version voulue par le hub : "+kind, err)
			if a.pursuit.fail(kind, version, err) {
				a.report.ring()
			}
			left = errors.Join(left, err)
		}
		if err == nil {
			a.refused.forget("version voulue par le hub : " + kind)
		}
	}
	return changed, unfit, left
}

// have has the borne go over to what w says of one kind.
func (a *Agent) have(ctx, wish context.Context, kind string, w link.Wanted) (changed bool, err error) {
	switch kind {
	case link.KindProfile:
		c, err := a.profileChange(*w.Profile)
		if err != nil {
			return false, a.refuse(ctx, kind, w.Profile.SHA256, err)
		}
		return a.adopt(ctx, wish, c)
	case link.KindPack:
		return a.adopt(ctx, wish, a.packChange(w.Pack))
	default:
		return a.upgradeTo(ctx, wish, w.Software)
	}
}

// takeStick puts a pack in use that has come on a USB stick. The hub's next
// wish counts again.
func (a *Agent) takeStick(ctx context.Context) {
	version, err := a.o.Store.Setting(ctx, StickSetting)
	if err != nil || version == "" {
		a.trouble(ctx, "lot de contenus d’une clé USB", err)
		return
	}
	there := func(context.Context) error {
		_, err := os.Stat(a.shelf(link.KindPack).Path(version))
		return err
	}
	_, err = a.adopt(ctx, ctx, change{kind: link.KindPack, version: version, name: version, bring: there})
	if ctx.Err() != nil {
		return
	}
	a.trouble(ctx, "lot de contenus d’une clé USB", err)
	if err == nil || isFor(err, ErrUnfit, os.ErrNotExist) {
		a.trouble(ctx, "réglages de la borne", a.o.Store.SetSetting(ctx, StickSetting, ""))
	}
}

// update is the command to bring what is wanted at once.
func (a *Agent) update(ctx context.Context, again bool) outcome {
	order := a.pursuit.order()
	a.wanted.ring()
	late := time.NewTimer(updateWithin)
	defer late.Stop()
	select {
	case v := <-order:
		switch {
		case v.err != nil:
			return failed("%s.", strings.TrimSuffix(strings.ReplaceAll(v.err.Error(), "\n", " ; "), "."))
		case v.changed || again:
			return done("")
		}
		return done("Rien de nouveau.")
	case <-late.C:
		return failed("Pas arrivé en %d heures. La borne continue d’elle-même.", int(updateWithin.Hours()))
	case <-ctx.Done():
		return failed("Interrompue.") // nobody hears it: it is begun again
	}
}

// Wanted is what the hub last wanted the borne to have, and the tag of what it
// has dealt with.
func Wanted(ctx context.Context, st *store.Store) (w link.Wanted, dealt string, err error) {
	text, err := st.Setting(ctx, WantedSetting)
	if err != nil {
		return w, "", err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			return w, "", fmt.Errorf("%s : %w", WantedSetting, err)
		}
	}
	dealt, err = st.Setting(ctx, TagSetting)
	return w, dealt, err
}
