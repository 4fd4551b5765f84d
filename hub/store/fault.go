package store

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// FaultSpan is one fault of a borne or of a device, from beginning to end.
type FaultSpan struct {
	Borne  string
	Device string // empty for the borne itself
	Fault  string
	Began  time.Time
	Ended  time.Time // zero while it lasts
}

// What a device's state is when nothing can be said of its fault: it is not
// known, or it is starting. The words are package device's.
const (
	stateUnknown  = ""
	stateStarting = "starting"
)

// openFault is a fault that lasts, as the state of a borne keeps it.
type openFault struct {
	_      struct{} `cbor:",toarray"`
	Device string
	Fault  string
}

// faultChange is the beginning of a fault, or the end.
type faultChange struct {
	borne string
	fault openFault
	at    time.Time
	ends  bool
}

// followFaults notes which faults a report has begun and ended. A device that
// is starting, or of which nothing is known, ends none.
func (st *state) followFaults(in Incoming) []faultChange {
	told := make(map[openFault]int64) // since, in seconds
	var lasting []openFault
	begin := func(f openFault, since int64) {
		if _, ok := told[f]; !ok {
			told[f] = since
			lasting = append(lasting, f)
		}
	}
	for _, f := range in.Report.Faults {
		begin(openFault{Fault: text(f.Fault)}, f.Since)
	}
	ended := make(map[string]int64) // device → since when it has been well
	for _, d := range in.Report.Devices {
		name := text(d.Name)
		switch {
		case d.Fault != "":
			begin(openFault{Device: name, Fault: text(string(d.Fault))}, d.Since)
		case d.State != stateUnknown && d.State != stateStarting:
			ended[name] = d.Since
		default:
			for _, f := range st.faults {
				if f.Device == name {
					begin(f, 0)
				}
			}
		}
	}
	var changes []faultChange
	for _, f := range st.faults {
		if _, ok := told[f]; !ok {
			changes = append(changes, faultChange{in.Borne, f, st.when(ended[f.Device], in.At), true})
		}
	}
	for _, f := range lasting {
		if !slices.Contains(st.faults, f) {
			changes = append(changes, faultChange{in.Borne, f, st.when(told[f], in.At), false})
		}
	}
	st.faults = lasting
	return changes
}

// when is a time that a borne tells, where it can be true: a clock that was
// years off must not make a fault older than the borne, nor begin it tomorrow.
func (st *state) when(seconds int64, now time.Time) time.Time {
	t := time.Unix(seconds, 0)
	if t.Before(st.enrolled) || t.After(now) {
		return now
	}
	return t
}

func (c faultChange) store(ctx context.Context, tx *sql.Tx) error {
	if c.ends {
		_, err := tx.ExecContext(ctx, `UPDATE fault SET ended = CASE WHEN began > $1 THEN began ELSE $1 END
			WHERE borne = $2 AND device = $3 AND fault = $4 AND ended = 0`,
			ms(c.at), c.borne, c.fault.Device, c.fault.Fault)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO fault (borne, device, fault, began, ended) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (borne, device, fault, began) DO UPDATE SET ended = 0`,
		c.borne, c.fault.Device, c.fault.Fault, ms(c.at))
	return err
}

const selectFault = `SELECT f.borne, f.device, f.fault, f.began, f.ended FROM fault f `

func scanFault(row scanner) (f FaultSpan, err error) {
	var began, ended int64
	err = row.Scan(&f.Borne, &f.Device, &f.Fault, &began, &ended)
	f.Began, f.Ended = at(began), at(ended)
	return f, err
}

// BeginFault notes a fault that the hub itself finds with a borne, unless it
// lasts already.
func (s *Store) BeginFault(ctx context.Context, borne, fault string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		open, err := one(ctx, tx, scanOne[int], `SELECT count(*) FROM fault WHERE borne = $1 AND device = '' AND fault = $2 AND ended = 0`, borne, fault)
		if err != nil || open > 0 {
			return nil, err
		}
		change := faultChange{borne: borne, fault: openFault{Fault: fault}, at: now}
		return []Event{{Reported, borne}}, change.store(ctx, tx)
	})
}

// EndFault ends what BeginFault began.
func (s *Store) EndFault(ctx context.Context, borne, fault string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		change := faultChange{borne: borne, fault: openFault{Fault: fault}, at: now, ends: true}
		return []Event{{Reported, borne}}, change.store(ctx, tx)
	})
}

// Faults lists the faults of a borne that last, and the last ones that ended,
// newest first: limit at most.
func (s *Store) Faults(ctx context.Context, borne string, limit int) ([]FaultSpan, error) {
	faults, err := all(ctx, s.read, scanFault, selectFault+`WHERE f.borne = $1
		ORDER BY CASE WHEN f.ended = 0 THEN 0 ELSE 1 END, f.began DESC, f.device, f.fault LIMIT $2`, borne, max(0, limit))
	return faults, s.explain(err)
}

// OpenFaults lists every fault that lasts, of every borne that is not revoked.
func (s *Store) OpenFaults(ctx context.Context) ([]FaultSpan, error) {
	faults, err := all(ctx, s.read, scanFault, selectFault+`JOIN borne b ON b.id = f.borne
		WHERE f.ended = 0 AND b.revoked = 0 ORDER BY f.began, f.borne, f.device, f.fault`)
	return faults, s.explain(err)
}
