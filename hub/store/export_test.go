package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EnrolMany puts a fleet into the database as Enrol does one borne, in one
// transaction. The serial is "1-" and the ID.
func EnrolMany(ctx context.Context, s *Store, site Site, bornes []string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, borne := range bornes {
			t := Token{ID: borne, Site: site, Borne: borne}
			if err := enrol(ctx, tx, t, []byte(borne), Certificate{Serial: "1-" + borne, Ends: now.AddDate(0, 0, 14)}, now); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}

// Connect opens a database without bringing its schema up to date.
var Connect = connect

// Versions lists the migrations that this program knows.
func Versions(s *Store) ([]int64, error) {
	p, err := s.migrator()
	if err != nil {
		return nil, err
	}
	var versions []int64
	for _, source := range p.ListSources() {
		versions = append(versions, source.Version)
	}
	return versions, nil
}

// Apply makes one migration.
func Apply(ctx context.Context, s *Store, version int64) error {
	p, err := s.migrator()
	if err != nil {
		return err
	}
	_, err = p.ApplyVersion(ctx, version, true)
	return err
}

// DB gives a test what the store writes through.
func DB(s *Store) *sql.DB { return s.db }

// Readers gives a test what the store reads through.
func Readers(s *Store) *sql.DB { return s.read }

// Column is one of a table, with its type in small letters.
type Column struct{ Name, Type string }

// Columns lists those of a table.
func Columns(ctx context.Context, s *Store, table string) ([]Column, error) {
	query := `SELECT name, lower(type) FROM pragma_table_info($1) ORDER BY cid`
	if s.pg {
		query = `SELECT column_name, data_type FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`
	}
	scan := func(row scanner) (c Column, err error) { return c, row.Scan(&c.Name, &c.Type) }
	return all(ctx, s.db, scan, query, table)
}

// Tables lists all but goose's, each after those that it refers to.
func Tables(ctx context.Context, s *Store) ([]string, error) { return s.tablesInOrder(ctx, s.db) }

// Fill puts one row into every table that has none. All texts are "x", all
// numbers 1, all data one byte, so that every reference finds its row.
func Fill(ctx context.Context, s *Store) error {
	tables, err := Tables(ctx, s)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, table := range tables {
			n, err := one(ctx, tx, scanOne[int], `SELECT count(*) FROM `+quote(table))
			if err != nil {
				return nil, err
			}
			if n > 0 {
				continue
			}
			if err := fillTable(ctx, tx, table); err != nil {
				return nil, fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil, nil
	})
}

func fillTable(ctx context.Context, tx *sql.Tx, table string) error {
	rows, err := tx.QueryContext(ctx, `SELECT * FROM `+quote(table)+` LIMIT 0`)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	var names []string
	var row []any
	for _, column := range types {
		names = append(names, quote(column.Name()))
		switch column.DatabaseTypeName() {
		case "BIGINT", "INT8":
			row = append(row, int64(1))
		case "BYTEA":
			row = append(row, []byte{1})
		default:
			row = append(row, "x")
		}
	}
	rows.Close()
	return putRows(ctx, tx, `INSERT INTO `+quote(table)+` (`+strings.Join(names, ", ")+`) VALUES`, ``, [][]any{row})
}

// Dump writes every row of every table as a line, by table, in order.
func Dump(ctx context.Context, s *Store) (map[string][]string, error) {
	tables, err := Tables(ctx, s)
	if err != nil {
		return nil, err
	}
	dump := make(map[string][]string)
	for _, table := range tables {
		names, err := columns(ctx, s.db, table)
		if err != nil {
			return nil, err
		}
		scan := func(row scanner) (string, error) {
			values, into := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			err := row.Scan(into...)
			line := ""
			for i, name := range names {
				line += fmt.Sprintf("%s=%T:%v ", name, values[i], values[i])
			}
			return line, err
		}
		lines, err := all(ctx, s.db, scan, `SELECT * FROM `+quote(table))
		if err != nil {
			return nil, err
		}
		slices.Sort(lines)
		dump[table] = lines
	}
	return dump, nil
}

// MostUnfound is how many searches of a site and month are kept.
const MostUnfound = mostUnfound

// FillUnfound keeps as many searches as there may be, less one.
func FillUnfound(ctx context.Context, s *Store, month, site string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		rows := make([][]any, mostUnfound-1)
		for i := range rows {
			rows[i] = []any{fmt.Sprint(i), month, site, []byte{1}}
		}
		return nil, putRows(ctx, tx, `INSERT INTO unfound (id, month, site, data) VALUES`, ``, rows)
	})
}
