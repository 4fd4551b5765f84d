package rollout

import (
	"context"
	"slices"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// late sees to bornes that come when rollouts are done: those enrolled since
// get what the rollouts say, and those that were offline are followed.
func (e *Engine) late(ctx context.Context, all []store.Rollout) error {
	for _, kind := range []string{link.KindPack, link.KindSoftware} {
		var done []store.Rollout
		for _, r := range all {
			if r.Kind == kind && r.State == store.RolloutDone {
				done = append(done, r)
			}
		}
		if len(done) == 0 {
			continue
		}
		newest, err := e.Store.NewestRollouts(ctx, kind)
		if err != nil {
			return err
		}
		w, err := e.lookFor(ctx, done[0])
		if err != nil {
			return err
		}
		for _, step := range latecomers(done, newest, w.fleet, w.now, w.offered) {
			if err := e.keep(ctx, step); err != nil {
				return err
			}
		}
		if err := e.move(ctx, done[0]); err != nil {
			return err
		}
	}
	return nil
}

// latecomers gives to each borne the version of the newest rollout that is done
// and means it, unless a newer one has come to it: atOnce at most. newest are
// the newest rollouts that have come to bornes, by borne; done is of one kind,
// newest first.
func latecomers(done []store.Rollout, newest map[string]string, fleet []store.RolloutTarget, now time.Time, offered []string) []store.RolloutStep {
	decisions := make(map[string]*decision)
	left := atOnce
	for i := range fleet {
		t := &fleet[i]
		var meant []store.Rollout
		for _, r := range done {
			if stageOf(r, t) >= 0 {
				meant = append(meant, r)
			}
		}
		if len(meant) == 0 || newest[t.ID] >= meant[0].ID || left == 0 {
			continue
		}
		left--
		r := meant[0]
		back := before(r.Kind, t, offered)
		if len(meant) > 1 {
			back = meant[1].Version
		}
		if decisions[r.ID] == nil {
			decisions[r.ID] = newDecision(world{rollout: r, fleet: fleet, now: now})
		}
		decisions[r.ID].add(stageOf(r, t), t, back)
	}
	var steps []store.RolloutStep
	for _, r := range done {
		if d := decisions[r.ID]; d != nil {
			step, _ := d.done()
			steps = append(steps, step)
		}
	}
	return steps
}

// stageOf is the stage of a rollout that means a borne whenever it comes: by
// its group, or as one of the whole fleet; -1 where none does.
func stageOf(r store.Rollout, t *store.RolloutTarget) int {
	return slices.IndexFunc(r.Stages, func(s store.RolloutStage) bool {
		return s.Percent == 100 || t.Group != "" && slices.Contains(s.Groups, t.Group)
	})
}
