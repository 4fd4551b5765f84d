package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// RolloutTarget is what rollouts need to know of a borne.
type RolloutTarget struct {
	ID       string
	Group    string // of its site; empty: none
	Seen     time.Time
	Wanted   link.Wanted
	Version  string         // of the program that it runs
	Content  string         // version of the pack in use
	Tag      string         // of the Wanted that it has dealt with
	Failures []link.Failure // that it tells of
	Faults   []FaultSpan    // of the borne itself, that last
}

// RolloutTargets lists all bornes that are not revoked, by ID.
func (s *Store) RolloutTargets(ctx context.Context) ([]RolloutTarget, error) {
	scan := func(row scanner) (t RolloutTarget, err error) {
		var seen int64
		var report []byte
		t.Wanted, err = scanWanted(row, &t.ID, &t.Group, &seen, &report)
		t.Seen = at(seen)
		if err != nil || report == nil {
			return t, err
		}
		var told struct { // the rest isn't looked at
			Version  string         `cbor:"ver"`
			Content  string         `cbor:"content"`
			Tag      string         `cbor:"tag"`
			Failures []link.Failure `cbor:"bad"`
		}
		err = decode(report, &told)
		t.Version, t.Content, t.Tag, t.Failures = told.Version, told.Content, told.Tag, told.Failures
		return t, err
	}
	targets, err := all(ctx, s.read, scan, `SELECT b.id, s.site_group, COALESCE(t.seen, 0), t.report,
		COALESCE(w.tag, ''), COALESCE(w.profile_sha256, ''), COALESCE(w.profile_size, 0), COALESCE(w.pack, ''), COALESCE(w.software, '')
		FROM borne b JOIN site s ON s.id = b.site LEFT JOIN borne_state t ON t.borne = b.id LEFT JOIN wanted w ON w.borne = b.id
		WHERE b.revoked = 0`)
	if err != nil {
		return nil, s.explain(err)
	}
	slices.SortFunc(targets, func(a, b RolloutTarget) int { return strings.Compare(a.ID, b.ID) })
	faults, err := s.OpenFaults(ctx)
	if err != nil {
		return nil, err
	}
	index := make(map[string]*RolloutTarget, len(targets))
	for i := range targets {
		index[targets[i].ID] = &targets[i]
	}
	for _, f := range faults {
		if t := index[f.Borne]; t != nil && f.Device == "" {
			t.Faults = append(t.Faults, f)
		}
	}
	return targets, nil
}

// NewestRollouts returns, for each borne that a rollout of a kind has come to
// and that was not set back, the ID of the newest one.
func (s *Store) NewestRollouts(ctx context.Context, kind string) (map[string]string, error) {
	type one struct{ borne, rollout string }
	scan := func(row scanner) (o one, err error) { return o, row.Scan(&o.borne, &o.rollout) }
	found, err := all(ctx, s.read, scan, `SELECT b.borne, MAX(b.rollout) FROM rollout_borne b JOIN rollout r ON r.id = b.rollout
		WHERE r.kind = $1 AND r.state <> $2 AND b.back = 0 GROUP BY b.borne`, kind, string(RolloutBack))
	if err != nil {
		return nil, s.explain(err)
	}
	newest := make(map[string]string, len(found))
	for _, o := range found {
		newest[o.borne] = o.rollout
	}
	return newest, nil
}

// RolloutStep is one step of a rollout. It is made whole or not at all, only by
// the hub that holds the lease, and only while the rollout is as the hub had
// found it.
type RolloutStep struct {
	Lease, Holder string
	Now           time.Time
	Found         Rollout // as the step was decided on
	Rollout       Rollout // as it is from now on: State, Stage, Settled, Ended and Why are kept
	Bornes        []RolloutBorne
	Give          []string          // bornes that are wanted to have the version
	Back          map[string]string // borne → version that it is wanted to have again, if it is still this one
	Events        []RolloutEvent
}

// StepRollout makes a step, and tells every hub. Errors: ErrLease,
// ErrRolloutState where somebody was faster, ErrNotFound.
func (s *Store) StepRollout(ctx context.Context, step RolloutStep) error {
	bornes := slices.AppendSeq(slices.Clone(step.Give), maps.Keys(step.Back))
	slices.Sort(bornes) // as want does
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		held, err := one(ctx, tx, scanOne[int], `SELECT COUNT(*) FROM lease WHERE name = $1 AND holder = $2 AND ends > $3`,
			step.Lease, step.Holder, ms(step.Now))
		if err != nil {
			return nil, err
		}
		if held == 0 {
			return nil, ErrLease
		}
		is, err := one(ctx, tx, scanRollout, `SELECT `+rolloutColumns+` FROM rollout WHERE id = $1`, step.Found.ID)
		if err != nil {
			return nil, err
		}
		if is.State != step.Found.State || is.Stage != step.Found.Stage {
			return nil, ErrRolloutState
		}
		r := step.Rollout
		_, err = tx.ExecContext(ctx, `UPDATE rollout SET state = $1, stage = $2, settled = $3, ended = $4, why = $5 WHERE id = $6`,
			string(r.State), r.Stage, ms(r.Settled), ms(r.Ended), text(r.Why), is.ID)
		if err != nil {
			return nil, err
		}
		if err := putRolloutBornes(ctx, tx, is.ID, step.Bornes); err != nil {
			return nil, err
		}
		events := []Event{{RolledOut, is.ID}}
		for _, borne := range bornes {
			changed, err := step.want(ctx, tx, is, borne)
			if err != nil {
				return nil, err
			}
			if changed {
				events = append(events, Event{Wants, borne})
			}
		}
		return events, putRolloutEvents(ctx, tx, is.ID, step.Events...)
	})
}

func putRolloutBornes(ctx context.Context, tx *sql.Tx, rollout string, bornes []RolloutBorne) error {
	var rows [][]any
	for _, b := range bornes {
		rows = append(rows, []any{rollout, b.Borne, b.Stage, text(b.Before), ms(b.Given), string(b.State), ms(b.Since), text(b.Why), text(strings.Join(b.Known, " ")), ms(b.Back)})
	}
	return putRows(ctx, tx, `INSERT INTO rollout_borne (rollout, borne, stage, before, given, state, since, why, known, back) VALUES`,
		`ON CONFLICT (rollout, borne) DO UPDATE SET state = excluded.state, since = excluded.since, why = excluded.why, back = excluded.back`, rows)
}

// want sets what a borne should have from now on, and reports whether that is
// another version than before.
func (step RolloutStep) want(ctx context.Context, tx *sql.Tx, r Rollout, borne string) (bool, error) {
	w, err := wantedOf(ctx, tx, borne)
	if err != nil {
		return false, err
	}
	version := &w.Pack
	if r.Kind == link.KindSoftware {
		version = &w.Software
	}
	before, back := step.Back[borne]
	switch {
	case back && *version != r.Version: // somebody has wanted something else since
		return false, nil
	case back:
		*version = before
	default:
		*version = r.Version
	}
	tag := tagOf(w)
	if tag == w.Tag {
		return false, nil
	}
	w.Tag = tag
	return true, putWanted(ctx, tx, borne, w)
}
