package rollout

import (
	"context"
	"fmt"
	"strings"

	"parvis/hub/store"
)

// Tally is how the bornes of a stage, or of a rollout, fare.
type Tally struct {
	Waiting, Has, Failed, Silent, Worse, Late, Absent, Gone int
	Back                                                    int // of all these, set back to what they had before
}

func (t *Tally) add(state store.RolloutBorneState, n int) {
	switch state {
	case store.BorneWaiting:
		t.Waiting += n
	case store.BorneHas:
		t.Has += n
	case store.BorneFailed:
		t.Failed += n
	case store.BorneSilent:
		t.Silent += n
	case store.BorneWorse:
		t.Worse += n
	case store.BorneLate:
		t.Late += n
	case store.BorneAbsent:
		t.Absent += n
	case store.BorneGone:
		t.Gone += n
	}
}

// Count counts the bornes that a rollout has come to, by stage.
func Count(r store.Rollout, bornes []store.RolloutBorne) []Tally {
	all := make([]Tally, len(r.Stages))
	for _, b := range bornes {
		t := &all[b.Stage]
		t.add(b.State, 1)
		if !b.Back.IsZero() {
			t.Back++
		}
	}
	return all
}

// Tallies counts the bornes of every rollout, by its ID; Back is left out.
func Tallies(ctx context.Context, s *store.Store) (map[string]Tally, error) {
	counts, err := s.RolloutCounts(ctx)
	all := make(map[string]Tally)
	for _, c := range counts {
		t := all[c.Rollout]
		t.add(c.State, c.Bornes)
		all[c.Rollout] = t
	}
	return all, err
}

// Faulty reports whether a borne in a state counts towards the threshold.
func Faulty(s store.RolloutBorneState) bool {
	return s == store.BorneFailed || s == store.BorneSilent || s == store.BorneWorse || s == store.BorneLate
}

// Faults is how many bornes fare badly.
func (t Tally) Faults() int { return t.Failed + t.Silent + t.Worse + t.Late }

// Told is how many bornes were there to hear of the version: those that have
// been offline all the time, or were revoked, say nothing of it.
func (t Tally) Told() int { return t.Waiting + t.Has + t.Faults() }

// All is how many bornes there are.
func (t Tally) All() int { return t.Told() + t.Absent + t.Gone }

// Share is how many percent of those told fare badly, rounded down.
func (t Tally) Share() int {
	if t.Told() == 0 {
		return 0
	}
	return 100 * t.Faults() / t.Told()
}

// over reports whether a threshold is reached: never without any fault.
func (t Tally) over(threshold int) bool {
	return t.Faults() > 0 && 100*t.Faults() >= threshold*t.Told()
}

// text says how a stage has ended.
func (t Tally) text() string {
	parts := []string{bornes(t.Has, "borne a la version", "bornes ont la version")}
	if n := t.Faults(); n > 0 {
		parts = append(parts, bornes(n, "en échec", "en échec"))
	}
	if t.Absent > 0 {
		parts = append(parts, bornes(t.Absent, "hors ligne depuis le début", "hors ligne depuis le début"))
	}
	return strings.Join(parts, ", ") + "."
}

func bornes(n int, one, many string) string {
	if n < 2 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
