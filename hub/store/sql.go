package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// queryer is a database, or a transaction in it.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is one row.
type scanner interface{ Scan(dest ...any) error }

// all lists what a query finds.
func all[T any](ctx context.Context, db queryer, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

// one returns what a query finds first, or ErrNotFound.
func one[T any](ctx context.Context, db queryer, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	found, err := scan(db.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return found, err
}

func scanOne[T any](row scanner) (v T, err error) { return v, row.Scan(&v) }

// change does something in one transaction and, once it is on the disk, tells
// every hub of the events that do returns. Nothing else happens in between, as
// far as do can see. On PostgreSQL do is called again when another transaction
// was in the way: it must not change anything but the database and what it
// sets anew each time. Inside do, everything goes through tx: on SQLite there
// is one connection for all that writes, so s.db would wait for itself.
func (s *Store) change(ctx context.Context, do func(tx *sql.Tx) ([]Event, error)) error {
	return s.changeAt(ctx, sql.LevelSerializable, do)
}

func (s *Store) changeAt(ctx context.Context, level sql.IsolationLevel, do func(tx *sql.Tx) ([]Event, error)) error {
	if !s.pg {
		level = sql.LevelDefault // SQLite has one, the strictest
	}
	for attempt := 1; ; attempt++ {
		err := s.tryChange(ctx, level, do)
		if err == nil || !mayRetry(err) || attempt == maxAttempts {
			return s.explain(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(time.Duration(min(attempt, 10)) * 10 * time.Millisecond)):
		}
	}
}

// maxAttempts is how often a transaction is tried that others get in the way
// of. Each time at least one of them was done.
const maxAttempts = 60

func (s *Store) tryChange(ctx context.Context, level sql.IsolationLevel, do func(tx *sql.Tx) ([]Event, error)) error {
	tx, err := s.begin(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	events, err := do(tx)
	if err != nil {
		return err
	}
	if s.pg {
		if err := notify(ctx, tx, events); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if !s.pg {
		s.bus.publish(events...)
	}
	return nil
}

// begin begins a transaction. After PostgreSQL was restarted, connections in
// the pool may be dead; nothing was done yet, so the next one is tried.
func (s *Store) begin(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error) {
	for attempt := 0; ; attempt++ {
		tx, err := s.db.BeginTx(ctx, options)
		if err == nil || !s.pg || cannotConnect(err) || ctx.Err() != nil || attempt == maxConns {
			return tx, err
		}
	}
}

// putRows inserts rows of equal width, many with one statement: head is up to
// VALUES, tail what follows. The statements have 1, 2, 4 … 64 rows, so that few
// texts are used and the database remembers their plans.
func putRows(ctx context.Context, tx *sql.Tx, head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		n := chunk(len(rows))
		var args []any
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := tx.ExecContext(ctx, head+values(n, len(rows[0]))+tail, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// chunk is the greatest power of two, 64 at most, that is not over n.
func chunk(n int) int {
	c := 64
	for c > n {
		c /= 2
	}
	return c
}

// values is " ($1,$2),($3,$4) " for two rows of two.
func values(rows, width int) string {
	var b strings.Builder
	for i := range rows * width {
		switch {
		case i == 0:
			b.WriteString(" (")
		case i%width == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		b.WriteString(placeholder(i + 1))
	}
	b.WriteString(") ")
	return b.String()
}

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// ms is a time as the database keeps it, 0 for the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is a time as the database has kept it.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// text makes a word that a borne sent fit for every database: PostgreSQL takes
// neither zero bytes nor broken UTF-8, and would refuse a whole batch for one.
func text(word string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(word, "?"), "\x00", "?")
}
