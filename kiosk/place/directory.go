package place

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"parvis/kiosk/hours"
)

// Directory answers searches over the places in a database. It is safe for
// concurrent use, and sees what another process imports at the next call.
type Directory struct {
	db     *sql.DB
	region hours.Region

	mu    sync.Mutex // held while the index is read or replaced
	index *index
}

// Open reads what searches look at into memory. The database has the tables of
// kiosk/store and stays the caller's to close.
func Open(ctx context.Context, db *sql.DB, region hours.Region) (*Directory, error) {
	d := &Directory{db: db, region: region}
	if err := d.renew(ctx); err != nil {
		return nil, fmt.Errorf("annuaire des lieux : %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(ctx); err != nil {
		return nil, fmt.Errorf("annuaire des lieux : %w", err)
	}
	return d, nil
}

// Len is how many places the directory held when it was last looked at.
func (d *Directory) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.index.entries)
}

// renew works out the search columns anew where another program wrote them.
func (d *Directory) renew(ctx context.Context) error {
	var have int
	if err := d.db.QueryRowContext(ctx, `SELECT layout FROM place_state`).Scan(&have); err != nil {
		return err
	}
	if have == layout {
		return nil
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	type change struct {
		num int64
		derived
	}
	var changes []change
	rows, err := tx.QueryContext(ctx, `SELECT num, `+columns+` FROM place`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var num int64
		r, err := scanRow(rows, &num)
		if err != nil {
			return err
		}
		changes = append(changes, change{num, r.derive()})
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, c := range changes {
		if _, err := tx.ExecContext(ctx, `UPDATE place SET mask = ?, words = ? WHERE num = ?`, c.mask, c.words, c.num); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE place_state SET layout = ?, version = version + 1`, layout); err != nil {
		return err
	}
	return tx.Commit()
}

// refresh loads the index again if the places have changed. d.mu is held.
func (d *Directory) refresh(ctx context.Context) error {
	var version int64
	if err := d.db.QueryRowContext(ctx, `SELECT version FROM place_state`).Scan(&version); err != nil {
		return err
	}
	if d.index != nil && d.index.version == version {
		return nil
	}
	ix, err := load(ctx, d.db)
	if err != nil {
		return err
	}
	d.index = ix
	return nil
}

// columns are the fields in the order of the schema.
var columns = func() string {
	var names []string
	for _, f := range schema {
		if f.number {
			// SQLite would give 48.5 as "48.5" only if asked for text.
			names = append(names, "coalesce(CAST("+f.name+" AS TEXT), '')")
			continue
		}
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}()

// scanRow reads the columns, after others where there are any.
func scanRow(rows *sql.Rows, before ...any) (*row, error) {
	var r row
	into := before
	for i := range r {
		into = append(into, &r[i])
	}
	return &r, rows.Scan(into...)
}

// Get gives one place; ErrNotFound if there is none of that id.
func (d *Directory) Get(ctx context.Context, id string) (Place, error) {
	r, err := d.row(ctx, id)
	if err != nil {
		return Place{}, err
	}
	return r.place(), nil
}

func (d *Directory) row(ctx context.Context, id string) (*row, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT `+columns+` FROM place WHERE id = ?`, id)
	if err != nil {
		return nil, fmt.Errorf("lieu %s : %w", id, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, fmt.Errorf("lieu %s : %w", id, errors.Join(rows.Err(), ErrNotFound))
	}
	r, err := scanRow(rows)
	if err != nil {
		return nil, fmt.Errorf("lieu %s : %w", id, err)
	}
	return r, nil
}

// Schedule gives the schedule of an opening_hours string, kept ready where it
// is one of the directory's. The error says in French why it can't be read.
func (d *Directory) Schedule(s string) (*hours.Schedule, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t, ok := d.index.timetables[s]; ok {
		return t.schedule(d.region)
	}
	return hours.Parse(s, d.region)
}

// timetable is one distinct opening_hours string. Many places share one, and
// most are never asked: it is parsed when first needed.
type timetable struct {
	text   string
	parsed bool
	sch    *hours.Schedule
	err    error

	round uint64 // the search that worked out state
	state hours.State
}

func (t *timetable) schedule(r hours.Region) (*hours.Schedule, error) {
	if !t.parsed {
		t.parsed = true
		t.sch, t.err = hours.Parse(t.text, r)
	}
	return t.sch, t.err
}

// at gives the state at the moment of one search.
func (t *timetable) at(round uint64, at time.Time, r hours.Region) hours.State {
	if t == nil || at.IsZero() {
		return hours.State{}
	}
	if t.round == round {
		return t.state
	}
	t.round, t.state = round, hours.State{}
	if s, err := t.schedule(r); err == nil {
		t.state = s.State(at)
	}
	return t.state
}

// vector is a position as a point on the unit sphere: the straight line between
// two of them grows with the way over the ground, and needs no trigonometry.
type vector struct{ x, y, z float64 }

func (p Point) vector() vector {
	lat, lon := p.Lat*math.Pi/180, p.Lon*math.Pi/180
	return vector{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
}

// chord2 is the square of the straight line between two positions.
func (v vector) chord2(w vector) float64 {
	x, y, z := v.x-w.x, v.y-w.y, v.z-w.z
	return x*x + y*y + z*z
}

const earthRadius = 6_371_000 // metres

func metres(chord2 float64) float64 {
	return 2 * earthRadius * math.Asin(min(1, math.Sqrt(chord2)/2))
}

// walk is the time on foot: 4.5 km an hour, the pace of somebody in no hurry,
// over a way 1.3 times as long as the straight line, as is usual in towns. It is
// rounded up to a minute.
func walk(metres float64) time.Duration {
	minutes := math.Ceil(metres * 1.3 / 4500 * 60)
	return time.Duration(max(1, minutes)) * time.Minute
}
