package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"parvis/device"
)

// DeviceState is how one device was when it was last seen. Times are kept to
// the millisecond.
type DeviceState struct {
	Name string      `json:"name"` // the profile's, as "imprimante" or "lecteur-1"
	Kind device.Kind `json:"kind"`
	device.Status
	Since time.Time `json:"since"` // when its state or its fault last changed
	Seen  time.Time `json:"seen"`  // when this was reported; how old it may be is for the reader to judge
}

// DeviceFault is one fault of one device, from its beginning to its end.
type DeviceFault struct {
	Name  string       `json:"name"`
	Fault device.Fault `json:"fault"`
	Began time.Time    `json:"began"`
	Ended time.Time    `json:"ended,omitzero"` // zero while it lasts
}

// DeviceCount is how often a device did something on one calendar day.
type DeviceCount struct {
	Day  string `json:"day"` // 2026-11-21
	Name string `json:"name"`
	Key  string `json:"key"` // pages, cuts, reads, faults
	N    int    `json:"n"`
}

const (
	maxFaults      = 200 // that have ended
	maxCauseLength = 200 // letters
)

// ErrDevice says that a device's name, or a word about it, is not made of the
// program's own words.
var ErrDevice = errors.New("appareil refusé")

// PutDevice keeps how a device is, and follows its faults: one begins and is
// counted under the key "faults" when d first bears it, and ends when d bears
// another or none. The time of both is d.Since.
//
// A device that is starting, or of which nothing is known, neither begins nor
// ends a fault. So a fault that was there when the borne died goes on over the
// restart if it is still there then, and otherwise ends with the first report
// that says so: its end is never later than it is told.
//
// Errors: ErrDevice, ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) PutDevice(ctx context.Context, d DeviceState) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := s.putDevice(ctx, d); err != nil {
		return s.explain(err)
	}
	return nil
}

func (d DeviceState) check() error {
	words := []string{string(d.State), string(d.Paper), string(d.Media), string(d.Fault)}
	for _, word := range append([]string{d.Name, string(d.Kind)}, words...) {
		if word == "" {
			continue
		}
		if err := checkWords(ErrDevice, word); err != nil {
			return err
		}
	}
	if d.Name == "" || d.Kind == "" || d.Since.IsZero() || d.Seen.IsZero() {
		return fmt.Errorf("%w : sans nom, sans sorte ou sans date", ErrDevice)
	}
	return nil
}

func (s *Store) putDevice(ctx context.Context, d DeviceState) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	_, err = tx.ExecContext(ctx, `INSERT INTO device (name, kind, state, paper, media, fault, cause, since, seen)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, state = excluded.state, paper = excluded.paper,
			media = excluded.media, fault = excluded.fault, cause = excluded.cause,
			since = excluded.since, seen = excluded.seen`,
		d.Name, d.Kind, d.State, d.Paper, d.Media, d.Fault, cleanCause(d.Cause), d.Since.UnixMilli(), d.Seen.UnixMilli())
	if err != nil {
		return err
	}
	if d.Fault != device.None || d.State != device.Unknown && d.State != device.Starting {
		if err := followFault(ctx, tx, d); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func followFault(ctx context.Context, tx *sql.Tx, d DeviceState) error {
	if err := endFaults(ctx, tx, d.Name, d.Fault, d.Since); err != nil || d.Fault == device.None {
		return err
	}
	var lasts int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device_fault WHERE name = ? AND ended IS NULL`, d.Name).Scan(&lasts)
	if err != nil || lasts > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO device_fault (name, fault, began) VALUES (?, ?, ?)`,
		d.Name, d.Fault, d.Since.UnixMilli())
	if err != nil {
		return err
	}
	if err := countDevice(ctx, tx, d.Since, d.Name, "faults", 1); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM device_fault WHERE ended IS NOT NULL AND id NOT IN
		(SELECT id FROM device_fault WHERE ended IS NOT NULL ORDER BY id DESC LIMIT ?)`, maxFaults)
	return err
}

// endFaults ends the faults of a device, save one. A clock put back never
// makes a fault end before it began.
func endFaults(ctx context.Context, tx *sql.Tx, name string, save device.Fault, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE device_fault SET ended = max(began, ?)
		WHERE name = ? AND fault <> ? AND ended IS NULL`, at.UnixMilli(), name, save)
	return err
}

// Devices lists the devices by name.
func (s *Store) Devices(ctx context.Context) ([]DeviceState, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT name, kind, state, paper, media, fault, cause, since, seen
		FROM device ORDER BY name`)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []DeviceState
	for rows.Next() {
		var d DeviceState
		var since, seen int64
		err := rows.Scan(&d.Name, &d.Kind, &d.State, &d.Paper, &d.Media, &d.Fault, &d.Cause, &since, &seen)
		if err != nil {
			return nil, s.explain(err)
		}
		d.Since, d.Seen = time.UnixMilli(since).UTC(), time.UnixMilli(seen).UTC()
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// KeepDevices forgets every device that is not among names, and ends its
// faults at the time given: for the start, after the profile was changed.
func (s *Store) KeepDevices(ctx context.Context, names []string, at time.Time) error {
	all, err := s.Devices(ctx)
	if err != nil {
		return err
	}
	kept := make(map[string]bool)
	for _, name := range names {
		kept[name] = true
	}
	for _, d := range all {
		if kept[d.Name] {
			continue
		}
		if err := s.forgetDevice(ctx, d.Name, at); err != nil {
			return s.explain(err)
		}
	}
	return nil
}

func (s *Store) forgetDevice(ctx context.Context, name string, at time.Time) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, `DELETE FROM device WHERE name = ?`, name); err != nil {
		return err
	}
	if err := endFaults(ctx, tx, name, device.None, at); err != nil {
		return err
	}
	return tx.Commit()
}

// Faults lists the last faults, the newest first, limit at most. The last 200
// that have ended are kept, and every one that lasts.
func (s *Store) Faults(ctx context.Context, limit int) ([]DeviceFault, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT name, fault, began, ended FROM device_fault ORDER BY id DESC LIMIT ?`, max(0, limit))
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []DeviceFault
	for rows.Next() {
		var f DeviceFault
		var began int64
		var ended sql.NullInt64
		if err := rows.Scan(&f.Name, &f.Fault, &began, &ended); err != nil {
			return nil, s.explain(err)
		}
		f.Began = time.UnixMilli(began).UTC()
		if ended.Valid {
			f.Ended = time.UnixMilli(ended.Int64).UTC()
		}
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// CountDevice adds n to what a device did on the calendar day of day, in day's
// own time zone. Name and key have the grammar of Count's keys. Errors:
// ErrDevice, ErrKey, ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) CountDevice(ctx context.Context, day time.Time, name, key string, n int) error {
	if err := checkWords(ErrDevice, name); err != nil {
		return err
	}
	if err := checkWords(ErrKey, key); err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("comptage de %s de %s : %d n’est pas positif", key, name, n)
	}
	if err := countDevice(ctx, s.db, day, name, key, n); err != nil {
		return s.explain(err)
	}
	return nil
}

// execer is a database, or a transaction in it.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func countDevice(ctx context.Context, db execer, day time.Time, name, key string, n int) error {
	_, err := db.ExecContext(ctx, `INSERT INTO device_count (day, name, key, n) VALUES (?, ?, ?, ?)
		ON CONFLICT (day, name, key) DO UPDATE SET n = n + excluded.n`, day.Format(time.DateOnly), name, key, n)
	return err
}

// DeviceCounts lists what the devices did from one calendar day to another,
// both included, by day, name and key.
func (s *Store) DeviceCounts(ctx context.Context, from, to time.Time) ([]DeviceCount, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT day, name, key, n FROM device_count
		WHERE day BETWEEN ? AND ? ORDER BY day, name, key`, from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []DeviceCount
	for rows.Next() {
		var c DeviceCount
		if err := rows.Scan(&c.Day, &c.Name, &c.Key, &c.N); err != nil {
			return nil, s.explain(err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// A number this long may be a card's or a telephone's.
var longNumber = regexp.MustCompile(`[0-9A-Fa-f]{8,}`)

// cleanCause keeps an error's text to one short line without long numbers.
// Readers keep what they read out of their errors; this is a second fence.
func cleanCause(cause string) string {
	cause = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(cause, "?"))
	runes := []rune(longNumber.ReplaceAllString(cause, "…"))
	return string(runes[:min(len(runes), maxCauseLength)])
}
