package place

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// Report counts what an import did. Read = Imported + Rejected.
type Report struct {
	Read     int `json:"read"`     // rows in the file
	Imported int `json:"imported"` // good rows: they are in the directory now
	Updated  int `json:"updated"`  // of these, rows that changed one already there
	Removed  int `json:"removed"`  // rows that vanished from their source
	Rejected int `json:"rejected"` // rows that break a rule
}

// Rejection tells one fault of one row; a row may have several.
type Rejection struct {
	File   string
	Line   int // of the file, where the row begins
	Field  string
	Reason string // French
}

func (r Rejection) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Field, r.Reason)
}

// Import reads a file of the national schema, v1 or v0, CSV or JSON. Good rows
// go in, faulty ones are told to reject; all in one transaction, which begins
// only when the file has been read through. Rows of a source that the file
// names and that are no longer in it are removed; a row that names no source
// counts by the file's base name. A faulty row leaves what is known of its place
// untouched. The error is about the file or the database: then nothing changed.
func (d *Directory) Import(ctx context.Context, r io.Reader, name string, reject func(Rejection)) (Report, error) {
	rows, report, err := readRows(r, name, reject)
	if err != nil {
		return Report{}, fmt.Errorf("%s : %w", name, err)
	}
	if err := d.write(ctx, rows, &report); err != nil {
		return Report{}, fmt.Errorf("%s : import annulé : %w", name, err)
	}
	return report, nil
}

// fileRows is what a file holds.
type fileRows struct {
	good    []row
	kept    map[string]bool // ids that are in the file, good or faulty
	origins map[string]bool // sources that the file speaks for
	file    string
}

func readRows(r io.Reader, name string, reject func(Rejection)) (*fileRows, Report, error) {
	var report Report
	out := &fileRows{kept: map[string]bool{}, origins: map[string]bool{}, file: filepath.Base(name)}
	seen := map[string]int{}
	err := readFile(r, func(v0 bool, rec record) {
		report.Read++
		faults := 0
		bad := func(field, reason string) {
			faults++
			if reject != nil {
				reject(Rejection{name, rec.line, field, reason})
			}
		}
		if rec.broken != "" {
			bad("ligne", rec.broken)
		}
		var values row
		if v0 {
			values = fromV0(rec.get, bad)
		} else {
			for i := range schema {
				values[i] = rec.get(schema[i].name)
			}
		}
		if rec.broken == "" {
			for i := range schema {
				f := schema[i]
				if v0 && f.maxRunes > 0 {
					f.maxRunes = v0Summary
				}
				if reason := f.check(values[i]); reason != "" {
					bad(f.name, reason)
				}
			}
		}
		id := values[fID]
		if first, twice := seen[id]; twice && faults == 0 {
			bad("id", fmt.Sprintf("identifiant déjà utilisé à la ligne %d", first))
		}
		out.kept[id] = true
		out.origins[values.origin(out.file)] = true
		if faults > 0 {
			report.Rejected++
			return
		}
		seen[id] = rec.line
		for i, v := range values {
			values[i] = strings.Clone(v) // let go of the whole record
		}
		out.good = append(out.good, values)
		report.Imported++
	})
	return out, report, err
}

func (r *row) origin(file string) string {
	if r[fSource] != "" {
		return r[fSource]
	}
	return "fichier:" + file
}

func (r *row) hash(origin string) []byte {
	h := sha256.New()
	for _, v := range r {
		io.WriteString(h, v)
		h.Write([]byte{0})
	}
	io.WriteString(h, origin)
	return h.Sum(nil)[:16]
}

// upsert names the columns in the order of the schema, after the worked-out
// ones.
var upsert = func() string {
	columns := []string{"origin", "hash", "mask", "words"}
	for _, f := range schema {
		columns = append(columns, f.name)
	}
	var sets []string
	for _, c := range columns {
		if c != "id" {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	return "INSERT INTO place (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) +
		") ON CONFLICT (id) DO UPDATE SET " + strings.Join(sets, ", ")
}()

func (d *Directory) write(ctx context.Context, rows *fileRows, report *Report) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	known, err := knownRows(ctx, tx)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, upsert)
	if err != nil {
		return err
	}
	defer insert.Close()
	changed := false
	args := make([]any, 4+fieldCount)
	for i := range rows.good {
		r := &rows.good[i]
		origin := r.origin(rows.file)
		hash := r.hash(origin)
		old, there := known[r[fID]]
		if there && old.hash == string(hash) {
			continue
		}
		if there {
			report.Updated++
		}
		changed = true
		derived := r.derive()
		args[0], args[1], args[2], args[3] = origin, hash, derived.mask, derived.words
		for f, v := range r {
			args[4+f] = v
			if schema[f].number {
				args[4+f] = nil
				if n, err := strconv.ParseFloat(v, 64); err == nil {
					args[4+f] = n
				}
			}
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("lieu %s : %w", r[fID], err)
		}
	}
	for id, old := range known {
		if !rows.origins[old.origin] || rows.kept[id] {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM place WHERE id = ?`, id); err != nil {
			return err
		}
		report.Removed++
		changed = true
	}
	if changed {
		if _, err := tx.ExecContext(ctx, `UPDATE place_state SET version = version + 1`); err != nil {
			return err
		}
	}
	return tx.Commit()
}

type knownRow struct{ origin, hash string }

func knownRows(ctx context.Context, tx *sql.Tx) (map[string]knownRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, origin, hash FROM place`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]knownRow{}
	for rows.Next() {
		var id string
		var k knownRow
		if err := rows.Scan(&id, &k.origin, &k.hash); err != nil {
			return nil, err
		}
		known[id] = k
	}
	return known, rows.Err()
}
