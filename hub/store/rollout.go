package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// RolledOut is the topic of events about rollouts; their ID is the rollout's.
const RolledOut Topic = "rollout"

// RolloutState is how a rollout is.
type RolloutState string

// The states of a rollout; those after RolloutPaused are the end of it.
const (
	RolloutRunning RolloutState = "running"
	RolloutPaused  RolloutState = "paused"  // nobody else gets the version for now
	RolloutStopped RolloutState = "stopped" // those who have the version keep it, the others stay as they were
	RolloutDone    RolloutState = "done"
	RolloutBack    RolloutState = "back" // all are wanted to have what they had before
)

// RolloutStage says which bornes get the version next.
type RolloutStage struct {
	Groups  []string `json:"groups,omitempty"`  // IDs of groups of sites
	Percent int      `json:"percent,omitempty"` // of the whole fleet
}

// Rollout is a version on its way to the fleet, or one that was.
type Rollout struct {
	ID        string // UUIDv7: a later one is greater
	Kind      string // link.KindPack or link.KindSoftware
	Version   string
	Stages    []RolloutStage
	Quiet     time.Duration // that a stage must be without a new fault before the next one
	Threshold int           // percent of a stage's bornes whose faults stop the rollout
	State     RolloutState
	Stage     int // in Stages
	// Settled is since when no borne of the stage is waited for, or, of one that
	// was stopped or taken back, since when those are set back that should be;
	// zero: not yet.
	Settled time.Time
	Created time.Time
	By      string    // who began it, as they were called then
	Note    string    // what they said of it
	Ended   time.Time // zero while it runs or is paused
	Why     string    // it is in this state, in French; may be empty
}

// RolloutBorneState is how far a borne has come in a rollout.
type RolloutBorneState string

// The states of a borne in a rollout.
const (
	BorneWaiting RolloutBorneState = "waiting" // it was told, and has not said yet what came of it
	BorneAbsent  RolloutBorneState = "absent"  // it was offline when it should have been told, and has been ever since
	BorneHas     RolloutBorneState = "has"     // it has the version, and is well
	BorneFailed  RolloutBorneState = "failed"  // it went back to what it had, and says why
	BorneSilent  RolloutBorneState = "silent"  // it was told, and then nothing was heard of it any more
	BorneWorse   RolloutBorneState = "worse"   // it has the version, and a fault that it had not before
	BorneLate    RolloutBorneState = "late"    // it talks, and has not taken the version in all the time it had
	BorneGone    RolloutBorneState = "gone"    // it was revoked
)

// RolloutBorne is a borne that a rollout has come to.
type RolloutBorne struct {
	Borne  string
	Stage  int
	Before string // version that it goes back to
	Given  time.Time
	State  RolloutBorneState
	Since  time.Time // it is in this state
	Why    string    // in French; may be empty
	Known  []string  // what was wrong with it before
	Back   time.Time // when it was set back to Before, in the state that it was in; zero: it wasn't
}

// RolloutEvent is a line in the history of a rollout.
type RolloutEvent struct {
	At   time.Time
	By   string // empty: the hub itself
	What string // in French
	Why  string // may be empty
}

// CreateRollout keeps a new rollout, which runs. Errors: ErrExists while
// another of the kind runs or is paused.
func (s *Store) CreateRollout(ctx context.Context, r Rollout, e RolloutEvent) error {
	stages, err := json.Marshal(r.Stages)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO rollout (`+rolloutColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9, $10, 0, '') ON CONFLICT DO NOTHING`,
			r.ID, r.Kind, text(r.Version), text(string(stages)), r.Quiet.Milliseconds(), r.Threshold, string(RolloutRunning),
			ms(r.Created), text(r.By), text(r.Note))
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return nil, errors.Join(err, ErrExists)
		}
		return []Event{{RolledOut, r.ID}}, putRolloutEvents(ctx, tx, r.ID, e)
	})
}

const rolloutColumns = `id, kind, version, stages, quiet, threshold, state, stage, settled, created, person, note, ended, why`

func scanRollout(row scanner) (r Rollout, err error) {
	var stages string
	var quiet, settled, created, ended int64
	err = row.Scan(&r.ID, &r.Kind, &r.Version, &stages, &quiet, &r.Threshold, &r.State, &r.Stage, &settled, &created, &r.By, &r.Note, &ended, &r.Why)
	if err != nil {
		return r, err
	}
	r.Quiet, r.Settled, r.Created, r.Ended = time.Duration(quiet)*time.Millisecond, at(settled), at(created), at(ended)
	if err := json.Unmarshal([]byte(stages), &r.Stages); err != nil {
		return r, fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	return r, nil
}

// Rollouts lists all rollouts, newest first.
func (s *Store) Rollouts(ctx context.Context) ([]Rollout, error) {
	rollouts, err := all(ctx, s.read, scanRollout, `SELECT `+rolloutColumns+` FROM rollout ORDER BY id DESC`)
	return rollouts, s.explain(err)
}

// Rollout returns one rollout. Errors: ErrNotFound.
func (s *Store) Rollout(ctx context.Context, id string) (Rollout, error) {
	r, err := one(ctx, s.read, scanRollout, `SELECT `+rolloutColumns+` FROM rollout WHERE id = $1`, id)
	return r, s.explain(err)
}

// RolloutBornes lists the bornes that a rollout has come to, by stage and ID.
func (s *Store) RolloutBornes(ctx context.Context, rollout string) ([]RolloutBorne, error) {
	scan := func(row scanner) (b RolloutBorne, err error) {
		var given, since, back int64
		var known string
		err = row.Scan(&b.Borne, &b.Stage, &b.Before, &given, &b.State, &since, &b.Why, &known, &back)
		b.Given, b.Since, b.Known, b.Back = at(given), at(since), strings.Fields(known), at(back)
		return b, err
	}
	bornes, err := all(ctx, s.read, scan, `SELECT borne, stage, before, given, state, since, why, known, back FROM rollout_borne
		WHERE rollout = $1`, rollout)
	slices.SortFunc(bornes, func(a, b RolloutBorne) int {
		if a.Stage != b.Stage {
			return a.Stage - b.Stage
		}
		return strings.Compare(a.Borne, b.Borne)
	})
	return bornes, s.explain(err)
}

// RolloutCount is how many bornes a rollout has come to are in one state.
type RolloutCount struct {
	Rollout string
	State   RolloutBorneState
	Bornes  int
}

// RolloutCounts counts the bornes of every rollout by state.
func (s *Store) RolloutCounts(ctx context.Context) ([]RolloutCount, error) {
	scan := func(row scanner) (c RolloutCount, err error) { return c, row.Scan(&c.Rollout, &c.State, &c.Bornes) }
	counts, err := all(ctx, s.read, scan, `SELECT rollout, state, COUNT(*) FROM rollout_borne GROUP BY rollout, state`)
	return counts, s.explain(err)
}

// RolloutEvents lists the history of a rollout, oldest first.
func (s *Store) RolloutEvents(ctx context.Context, rollout string) ([]RolloutEvent, error) {
	scan := func(row scanner) (e RolloutEvent, err error) {
		var when int64
		err = row.Scan(&when, &e.By, &e.What, &e.Why)
		e.At = at(when)
		return e, err
	}
	events, err := all(ctx, s.read, scan, `SELECT at, person, what, why FROM rollout_event WHERE rollout = $1 ORDER BY id`, rollout)
	return events, s.explain(err)
}

func putRolloutEvents(ctx context.Context, tx *sql.Tx, rollout string, events ...RolloutEvent) error {
	for _, e := range events {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO rollout_event (id, rollout, at, person, what, why) VALUES ($1, $2, $3, $4, $5, $6)`,
			id.String(), rollout, ms(e.At), text(e.By), text(e.What), text(e.Why))
		if err != nil {
			return err
		}
	}
	return nil
}

// SetRolloutState has somebody change the state of a rollout that is in one of
// some states, and tells every hub. Errors: ErrNotFound, and ErrRolloutState
// where it is in another state by now.
func (s *Store) SetRolloutState(ctx context.Context, id string, from []RolloutState, to RolloutState, e RolloutEvent) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		r, err := one(ctx, tx, scanRollout, `SELECT `+rolloutColumns+` FROM rollout WHERE id = $1`, id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(from, r.State) {
			return nil, ErrRolloutState
		}
		ended, settled := e.At, int64(0)
		if to == RolloutRunning || to == RolloutPaused {
			ended, settled = time.Time{}, ms(r.Settled)
		}
		_, err = tx.ExecContext(ctx, `UPDATE rollout SET state = $1, why = $2, ended = $3, settled = $4 WHERE id = $5`, string(to), text(e.Why), ms(ended), settled, id)
		if err != nil {
			return nil, err
		}
		return []Event{{RolledOut, id}}, putRolloutEvents(ctx, tx, id, e)
	})
}

// ErrRolloutState says that a rollout is not in a state in which this can be done.
var ErrRolloutState = errors.New("l’état du déploiement a changé entre-temps")
