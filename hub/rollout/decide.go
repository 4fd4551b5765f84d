package rollout

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// world is a rollout and the fleet at one moment: all that a decision needs.
type world struct {
	rollout store.Rollout
	bornes  []store.RolloutBorne // that it has come to
	fleet   []store.RolloutTarget
	now     time.Time
	// silence says that the hub has listened for so long that a borne of which
	// nothing was heard is silent, and not merely unheard.
	silence bool
	// offered are the versions that a borne can be sent back to although nobody
	// has asked for them before.
	offered []string
}

// atOnce is how many bornes one step tells something new: a step is one
// transaction, and all that are told come for their files.
const atOnce = 500

// decide works out what happens next. More steps may be due at once: see more.
func decide(w world) (step store.RolloutStep, more bool) {
	d := newDecision(w)
	d.follow()
	switch d.step.Rollout.State {
	case store.RolloutRunning:
		if !d.stopAtThreshold() {
			d.goOn()
		}
	case store.RolloutPaused:
		d.stopAtThreshold()
	}
	switch d.step.Rollout.State {
	case store.RolloutStopped:
		d.takeBack(func(b *store.RolloutBorne) bool { return b.State != store.BorneHas && b.State != store.BorneWorse })
	case store.RolloutBack:
		d.takeBack(func(*store.RolloutBorne) bool { return true })
	}
	return d.done()
}

// decision is one that is being worked out.
type decision struct {
	world
	step    store.RolloutStep
	targets map[string]*store.RolloutTarget
	rows    map[string]*store.RolloutBorne
	changed map[string]bool // rows, by borne
	left    int             // how many bornes may still be told something
	more    bool
}

func newDecision(w world) *decision {
	d := &decision{world: w, left: atOnce, changed: make(map[string]bool),
		targets: make(map[string]*store.RolloutTarget, len(w.fleet)), rows: make(map[string]*store.RolloutBorne, len(w.bornes))}
	d.step = store.RolloutStep{Now: w.now, Found: w.rollout, Rollout: w.rollout, Back: make(map[string]string)}
	for i := range w.fleet {
		d.targets[w.fleet[i].ID] = &w.fleet[i]
	}
	d.bornes = append(make([]store.RolloutBorne, 0, len(w.bornes)+atOnce), w.bornes...) // rows never move
	for i := range d.bornes {
		d.rows[d.bornes[i].Borne] = &d.bornes[i]
	}
	return d
}

func (d *decision) done() (store.RolloutStep, bool) {
	for _, borne := range slices.Sorted(maps.Keys(d.changed)) {
		d.step.Bornes = append(d.step.Bornes, *d.rows[borne])
	}
	return d.step, d.more
}

// follow notes how far each borne has come.
func (d *decision) follow() {
	for i := range d.bornes {
		b := &d.bornes[i]
		if !b.Back.IsZero() {
			continue
		}
		state, why := store.BorneGone, ""
		if t := d.targets[b.Borne]; t != nil {
			state, why = d.judge(b, t)
		}
		if state == b.State && why == b.Why {
			continue
		}
		if state != b.State {
			b.Since = d.now
		}
		b.State, b.Why = state, why
		d.changed[b.Borne] = true
	}
}

// judge says how far a borne has come, and why it has come no further.
func (d *decision) judge(b *store.RolloutBorne, t *store.RolloutTarget) (store.RolloutBorneState, string) {
	heard := t.Seen.After(b.Given)
	if b.State == store.BorneAbsent && !heard {
		return store.BorneAbsent, ""
	}
	if silent := d.now.Sub(t.Seen); silent > link.Silence {
		if d.silence && silent > link.Silence+grace(d.rollout.Kind) {
			return store.BorneSilent, ""
		}
		return b.State, b.Why // it may be starting anew
	}
	if inUse(d.rollout.Kind, t) == d.rollout.Version {
		if faults := d.newFaults(b, t); len(faults) > 0 {
			return store.BorneWorse, strings.Join(faults, ", ")
		}
		return store.BorneHas, ""
	}
	if why, told := d.failure(b, t); heard && told {
		return store.BorneFailed, why
	}
	waits := b.Since
	if b.State != store.BorneWaiting {
		waits = d.now
	}
	if b.State == store.BorneLate || d.now.Sub(waits) >= patience(d.rollout.Kind) {
		return store.BorneLate, ""
	}
	return store.BorneWaiting, ""
}

// knownFailure stands among what was wrong with a borne before for a failure of
// the very version: it has been tried before.
const knownFailure = "!failure"

// failure is what a borne says of why it doesn't go on with the version. One
// that it told before it was given the version counts once it has looked again.
func (d *decision) failure(b *store.RolloutBorne, t *store.RolloutTarget) (why string, told bool) {
	f, told := failureOf(d.rollout, t)
	if told && slices.Contains(b.Known, knownFailure) && t.Tag != t.Wanted.Tag {
		return "", false
	}
	return f, told
}

func failureOf(r store.Rollout, t *store.RolloutTarget) (why string, told bool) {
	for _, f := range t.Failures {
		if f.Kind == r.Kind && f.Version == r.Version {
			return f.Why, true
		}
	}
	return "", false
}

// newFaults names the faults that a borne did not have before, and that have
// lasted as long as it takes for anybody to be told of them.
func (d *decision) newFaults(b *store.RolloutBorne, t *store.RolloutTarget) []string {
	var names []string
	for _, f := range t.Faults {
		if f.Fault == link.FaultFlood { // says something of people, and nothing of what the borne got
			continue
		}
		info := link.Explain(f.Fault)
		if f.Began.After(b.Given) && !slices.Contains(b.Known, f.Fault) && d.now.Sub(f.Began) >= max(info.After, passing) {
			names = append(names, info.Title)
		}
	}
	return names
}

// stopAtThreshold stops the rollout where too many bornes of a stage fare badly.
func (d *decision) stopAtThreshold() bool {
	for i, t := range Count(d.rollout, d.bornes) {
		if !t.over(d.rollout.Threshold) {
			continue
		}
		why := fmt.Sprintf("Étape %d : %s sur %d (%d\u00a0%%), seuil %d\u00a0%%.", i+1, bornes(t.Faults(), "borne en échec", "bornes en échec"), t.Told(), t.Share(), d.rollout.Threshold)
		d.end(store.RolloutStopped, why)
		d.note("Arrêté par le hub", why)
		return true
	}
	return false
}

func (d *decision) end(state store.RolloutState, why string) {
	r := &d.step.Rollout
	r.State, r.Why, r.Ended, r.Settled = state, why, d.now, time.Time{}
}

func (d *decision) note(what, why string) {
	d.step.Events = append(d.step.Events, store.RolloutEvent{At: d.now, What: what, Why: why})
}

// goOn gives the version to the bornes of the stage, and goes on to the next
// stage when this one has been quiet for long enough.
func (d *decision) goOn() {
	r := &d.step.Rollout
	d.give()
	if d.more {
		return // not all of the stage have been told
	}
	t := Count(*r, d.bornes)[r.Stage]
	last := r.Stage == len(r.Stages)-1
	switch {
	case t.All() == 0: // nobody is in it who has not been told before
		d.next(last, "Personne de plus dans cette étape.")
	case r.Settled.IsZero():
		// Nobody knows who is there before the hub has listened for a while, and
		// a stage in which nobody is there shows nothing: only the last one,
		// after which nobody comes, ends without.
		if d.silence && t.Waiting == 0 && (t.Told() > 0 || last) {
			r.Settled = d.now
		}
	}
	if r.State == store.RolloutRunning && !r.Settled.IsZero() && d.now.Sub(d.quietSince()) >= r.Quiet {
		d.next(last, t.text())
	}
}

// next ends the stage.
func (d *decision) next(last bool, why string) {
	r := &d.step.Rollout
	if last {
		d.end(store.RolloutDone, why)
		d.note("Terminé", why)
		return
	}
	r.Stage++
	r.Settled = time.Time{}
	d.note(fmt.Sprintf("Étape %d", r.Stage+1), why)
	d.more = true
}

// quietSince is since when there was no new fault in the stage.
func (d *decision) quietSince() time.Time {
	since := d.step.Rollout.Settled
	for _, b := range d.bornes {
		if Faulty(b.State) && b.Stage == d.rollout.Stage && b.Since.After(since) {
			since = b.Since
		}
	}
	return since
}

// give tells the bornes of this stage and of those before that have not been told.
func (d *decision) give() {
	r := d.rollout
	for stage := 0; stage <= r.Stage; stage++ {
		for _, borne := range pick(r.ID, r.Stages[stage], d.fleet) {
			if d.rows[borne] != nil {
				continue
			}
			if d.left == 0 {
				d.more = true
				return
			}
			d.left--
			d.add(stage, d.targets[borne], before(r.Kind, d.targets[borne], d.offered))
		}
	}
}

// add has the rollout come to a borne.
func (d *decision) add(stage int, t *store.RolloutTarget, before string) {
	b := store.RolloutBorne{Borne: t.ID, Stage: stage, Before: before, Given: d.now, State: store.BorneWaiting, Since: d.now}
	if d.now.Sub(t.Seen) > link.Silence {
		b.State = store.BorneAbsent
	}
	for _, f := range t.Faults {
		b.Known = append(b.Known, f.Fault)
	}
	if _, told := failureOf(d.rollout, t); told {
		b.Known = append(b.Known, knownFailure)
	}
	d.bornes = append(d.bornes, b)
	d.rows[t.ID] = &d.bornes[len(d.bornes)-1]
	d.changed[t.ID] = true
	d.step.Give = append(d.step.Give, t.ID)
}

// takeBack has bornes wanted to have what they had before, those as well that
// were revoked: another machine may take their place.
func (d *decision) takeBack(which func(*store.RolloutBorne) bool) {
	for i := range d.bornes {
		b := &d.bornes[i]
		if !b.Back.IsZero() || !which(b) {
			continue
		}
		if d.left == 0 {
			d.more = true
			return
		}
		d.left--
		d.step.Back[b.Borne] = b.Before
		b.Back = d.now
		d.changed[b.Borne] = true
	}
	d.step.Rollout.Settled = d.now
}

// pick lists the bornes of a stage. Each rollout has its own order of all
// bornes, of which a percentage takes the first: a greater one takes them and
// others, and any one takes at least one.
func pick(rollout string, stage store.RolloutStage, fleet []store.RolloutTarget) []string {
	var picked, all []string
	for _, t := range fleet {
		if t.Group != "" && slices.Contains(stage.Groups, t.Group) {
			picked = append(picked, t.ID)
		}
		all = append(all, t.ID)
	}
	if stage.Percent == 0 {
		return picked
	}
	place := make(map[string][sha256.Size]byte, len(all))
	for _, borne := range all {
		place[borne] = sha256.Sum256([]byte(rollout + " " + borne))
	}
	slices.SortFunc(all, func(a, b string) int {
		x, y := place[a], place[b]
		return slices.Compare(x[:], y[:])
	})
	n := (len(all)*stage.Percent + 99) / 100
	return append(picked, all[:n]...)
}

// inUse is the version of a kind that a borne says it has.
func inUse(kind string, t *store.RolloutTarget) string {
	if kind == link.KindSoftware {
		return t.Version
	}
	return t.Content
}

// before is the version that a borne goes back to. Where nothing is wanted of it,
// it would stay with the new one: so it is the one that it has, if the hub
// offers that.
func before(kind string, t *store.RolloutTarget, offered []string) string {
	wanted := t.Wanted.Pack
	if kind == link.KindSoftware {
		wanted = t.Wanted.Software
	}
	if has := inUse(kind, t); wanted == "" && slices.Contains(offered, has) {
		return has
	}
	return wanted
}
