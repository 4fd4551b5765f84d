package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// Incoming is a report as it came.
type Incoming struct {
	Borne   string
	Serial  string // of the certificate it came with
	Address string
	At      time.Time // by the hub's clock
	Report  link.Report
}

// Taken says what became of a report.
type Taken struct {
	Replayed bool   // it was there already: nothing was stored
	Cloned   bool   // a run that another had followed has come back, for the second time, or an older certificate has
	Tag      string // of what the borne should have; see Wanted
	Refused  bool   // the borne is unknown, revoked, or came with a certificate from before its enrolment: nothing was stored
}

// PutReports stores many reports in one transaction: the state, the faults'
// beginnings and ends, the counts, one sample an hour for the charts. It
// returns what became of each, in order.
//
// Two machines under one identity show in two ways: a run of the agent goes on
// although another has followed it, or a report comes with an older certificate
// although the newest has been used. Of a run that comes back for the first
// time only the counts are stored: its report may have been long on the way.
func (s *Store) PutReports(ctx context.Context, reports []Incoming) ([]Taken, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	var taken []Taken
	// Two hubs that store reports of the same borne at once meet at its row,
	// and one tries again; a stricter level would see conflicts where none are.
	err := s.changeAt(ctx, sql.LevelRepeatableRead, func(tx *sql.Tx) ([]Event, error) {
		b, err := loadBatch(ctx, tx, reports)
		if err != nil {
			return nil, err
		}
		taken = make([]Taken, len(reports))
		for i, report := range reports {
			if taken[i], err = b.take(report); err != nil {
				return nil, err
			}
		}
		return b.store(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// batch is what a transaction of PutReports will write.
type batch struct {
	states  map[string]*state
	faults  []faultChange
	counts  map[countKey]int
	samples []sampleRow
}

type countKey struct{ borne, day, key string }

// state is a row of borne_state, and what is needed of the borne's.
type state struct {
	borne    string
	enrolled time.Time
	revoked  bool
	serial   string
	serials  []string
	tag      string

	seen    time.Time
	address string
	used    string
	runs    runs
	faults  []openFault
	report  link.Report
	sample  Sample

	changed bool
	cloned  time.Time
}

const selectState = `SELECT b.id, b.enrolled, b.revoked, b.serial, b.serials,
	t.seen, t.address, t.used, t.runs, t.faults, t.report, t.hour, t.reports, t.load, t.temp, t.disk, COALESCE(w.tag, '')
	FROM borne b LEFT JOIN borne_state t ON t.borne = b.id LEFT JOIN wanted w ON w.borne = b.id WHERE b.id IN`

func loadBatch(ctx context.Context, tx *sql.Tx, reports []Incoming) (*batch, error) {
	b := &batch{states: make(map[string]*state), counts: make(map[countKey]int)}
	var ids []any
	for _, report := range reports {
		if _, ok := b.states[report.Borne]; !ok {
			b.states[report.Borne] = nil
			ids = append(ids, text(report.Borne))
		}
	}
	for len(ids) > 0 {
		n := chunk(len(ids))
		found, err := all(ctx, tx, scanState, selectState+values(1, n), ids[:n]...)
		if err != nil {
			return nil, err
		}
		for _, st := range found {
			b.states[st.borne] = st
		}
		ids = ids[n:]
	}
	return b, nil
}

func scanState(row scanner) (*state, error) {
	st := new(state)
	var enrolled, revoked int64
	var serials string
	var address, used sql.NullString
	var seen, hour, reports, load, temp, disk sql.NullInt64
	var runs, faults, report []byte
	err := row.Scan(&st.borne, &enrolled, &revoked, &st.serial, &serials,
		&seen, &address, &used, &runs, &faults, &report, &hour, &reports, &load, &temp, &disk, &st.tag)
	if err != nil {
		return nil, err
	}
	st.enrolled, st.revoked, st.serials = at(enrolled), revoked != 0, strings.Fields(serials)
	if !seen.Valid { // its first report
		return st, nil
	}
	st.seen, st.address, st.used = at(seen.Int64), address.String, used.String
	st.sample = Sample{at(hour.Int64), int(reports.Int64), int(load.Int64), int(temp.Int64), int(disk.Int64)}
	return st, errors.Join(decode(runs, &st.runs), decode(faults, &st.faults), decode(report, &st.report))
}

// take works one report into the batch.
func (b *batch) take(in Incoming) (Taken, error) {
	st := b.states[in.Borne]
	if st == nil || st.revoked || !slices.Contains(st.serials, in.Serial) {
		return Taken{Refused: true}, nil
	}
	found := st.runs.take(in.Report.Run, in.Report.Seq)
	if found == replayed {
		return Taken{Replayed: true, Tag: st.tag}, nil
	}
	st.changed = true
	for day, counts := range in.Report.Counts {
		for key, n := range counts {
			k := countKey{in.Borne, text(day), text(key)}
			b.counts[k] = max(n, b.counts[k])
		}
	}
	older := st.used == st.serial && in.Serial != st.serial
	if found == late && !older {
		return Taken{Tag: st.tag}, nil
	}
	if !older { // else used stays as it is, so that the next one is seen as well
		st.used = in.Serial
	}
	taken := Taken{Cloned: found == cloned || older, Tag: st.tag}
	if taken.Cloned {
		st.cloned = in.At
	}
	b.faults = append(b.faults, st.followFaults(in)...)
	if row, ok := st.count(in); ok {
		b.samples = append(b.samples, row)
	}
	// The clocks of two hubs differ a little; one that was far ahead was wrong.
	if in.At.After(st.seen) || st.seen.Sub(in.At) > link.MaxSkew {
		st.seen = in.At
	}
	st.address, st.report = text(in.Address), in.Report
	return taken, nil
}

const (
	putState = `INSERT INTO borne_state
		(borne, seen, address, used, runs, faults, report, hour, reports, load, temp, disk) VALUES`
	updateState = `ON CONFLICT (borne) DO UPDATE SET seen = excluded.seen, address = excluded.address,
		used = excluded.used, runs = excluded.runs, faults = excluded.faults, report = excluded.report,
		hour = excluded.hour, reports = excluded.reports, load = excluded.load, temp = excluded.temp, disk = excluded.disk`
	putCount    = `INSERT INTO day_count (borne, day, key, n) VALUES`
	updateCount = `ON CONFLICT (borne, day, key) DO UPDATE SET n = excluded.n WHERE day_count.n < excluded.n`
)

// store writes the batch, in the order of the bornes: two hubs that do the same
// at once then wait for each other in one direction.
func (b *batch) store(ctx context.Context, tx *sql.Tx) ([]Event, error) {
	var events []Event
	var states [][]any
	for _, st := range b.changed() {
		events = append(events, Event{Reported, st.borne})
		row, err := st.row()
		if err != nil {
			return nil, err
		}
		states = append(states, row)
	}
	if err := putRows(ctx, tx, putState, updateState, states); err != nil {
		return nil, err
	}
	if err := putRows(ctx, tx, putCount, updateCount, b.countRows()); err != nil {
		return nil, err
	}
	if err := putSamples(ctx, tx, b.samples); err != nil {
		return nil, err
	}
	for _, change := range b.faults {
		if err := change.store(ctx, tx); err != nil {
			return nil, err
		}
	}
	for _, st := range b.changed() {
		if st.cloned.IsZero() {
			continue
		}
		if err := noteCloned(ctx, tx, st.borne, st.cloned); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// changed lists the states that something was taken into, by borne.
func (b *batch) changed() []*state {
	var changed []*state
	for _, st := range b.states {
		if st != nil && st.changed {
			changed = append(changed, st)
		}
	}
	slices.SortFunc(changed, func(a, b *state) int { return strings.Compare(a.borne, b.borne) })
	return changed
}

func (st *state) row() ([]any, error) {
	report := st.report
	report.Counts = nil // they stand in day_count
	r, err := encode(report)
	runs, err2 := encode(st.runs)
	faults, err3 := encode(st.faults)
	return []any{st.borne, ms(st.seen), st.address, st.used, runs, faults, r, ms(st.sample.Hour),
		st.sample.Reports, st.sample.Load, st.sample.Temp, st.sample.Disk}, errors.Join(err, err2, err3)
}

func (b *batch) countRows() [][]any {
	var rows [][]any
	for k, n := range b.counts {
		rows = append(rows, []any{k.borne, k.day, k.key, n})
	}
	slices.SortFunc(rows, func(a, b []any) int {
		for i := range 3 {
			if c := strings.Compare(a[i].(string), b[i].(string)); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}
