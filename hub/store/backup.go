package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/fxamacker/cbor/v2"
)

// backupFormat is the version of what Backup writes: a sequence of CBOR items,
// compressed and sealed. First comes a backupHead, then every row of every
// table in backupParts, then a backupEnd.
const backupFormat = 1

type backupHead struct {
	Format   int     `cbor:"format"`
	Made     int64   `cbor:"made"`     // milliseconds since 1970, UTC
	Versions []int64 `cbor:"versions"` // of the schema: the migrations that were made
}

// backupPart is some rows of one table, or the end.
type backupPart struct {
	Table   string     `cbor:"table,omitempty"`
	Columns []string   `cbor:"columns,omitempty"`
	Rows    [][]any    `cbor:"rows,omitempty"`
	End     *backupEnd `cbor:"end,omitempty"`
}

// backupEnd tells a whole backup from one that was cut.
type backupEnd struct {
	Rows map[string]int64 `cbor:"rows"` // table → how many
	Sum  []byte           `cbor:"sum"`  // SHA-256 of all items before
}

const (
	partRows  = 500
	partBytes = 1 << 20 // of texts and data, about
)

// keyTable is what no backup holds but BackupKeys writes.
const keyTable = "callback_key"

// Backup writes all that the database holds at one moment, while it is used as
// always, so that only the recipients can read it: w can be anything, and the
// backup restored into either kind of database. It is not whole until Backup
// has returned nil. The keys of requests to be called back are not in it: call
// BackupKeys next. Nor are searches that found nothing, whose month is not told
// yet: those that few made must not outlive it.
func (s *Store) Backup(ctx context.Context, w io.Writer, recipients []age.Recipient) error {
	return s.backupTables(ctx, w, recipients, func(table string) bool { return table != keyTable && table != unfoundTable })
}

// BackupKeys writes the keys of the requests that the database holds, sealed as
// a backup is. Restore opens with the newest what any older backup holds of
// these requests, and of no others: one that was deleted has no key any more.
// So there must be one file of keys only, replaced each time.
func (s *Store) BackupKeys(ctx context.Context, w io.Writer, recipients []age.Recipient) error {
	return s.backupTables(ctx, w, recipients, func(table string) bool { return table == keyTable })
}

func (s *Store) backupTables(ctx context.Context, w io.Writer, recipients []age.Recipient, wanted func(table string) bool) error {
	if len(recipients) == 0 {
		return errors.New("sauvegarde sans destinataire : elle ne serait lisible par personne")
	}
	sealed, err := age.Encrypt(w, recipients...)
	if err != nil {
		return fmt.Errorf("sauvegarde : %w", err)
	}
	packed := gzip.NewWriter(sealed)
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(packed, sum), 64<<10)
	b := &backup{out: cbor.NewEncoder(buffered), flush: buffered.Flush, sum: sum, end: backupEnd{Rows: make(map[string]int64)}}
	if err := s.backup(ctx, b, wanted); err != nil {
		return s.explain(fmt.Errorf("sauvegarde : %w", err))
	}
	if err := errors.Join(packed.Close(), sealed.Close()); err != nil {
		return fmt.Errorf("sauvegarde : %w", err)
	}
	return nil
}

// backup is a backup that is being written.
type backup struct {
	out   *cbor.Encoder
	flush func() error
	sum   hash.Hash
	end   backupEnd
}

func (s *Store) backup(ctx context.Context, b *backup, wanted func(table string) bool) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{Isolation: s.snapshot(), ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // it has only read
	tables, err := s.tablesInOrder(ctx, tx)
	if err != nil {
		return err
	}
	versions, err := s.versions(ctx, tx)
	if err != nil {
		return err
	}
	if err := b.out.Encode(backupHead{backupFormat, time.Now().UnixMilli(), versions}); err != nil {
		return err
	}
	for _, table := range tables {
		if !wanted(table) {
			continue
		}
		if err := b.table(ctx, tx, table); err != nil {
			return fmt.Errorf("table %s : %w", table, err)
		}
	}
	if err := b.flush(); err != nil { // so that the sum is of all before
		return err
	}
	b.end.Sum = b.sum.Sum(nil)
	if err := b.out.Encode(backupPart{End: &b.end}); err != nil {
		return err
	}
	return b.flush()
}

// snapshot is the level at which a transaction sees one moment.
func (s *Store) snapshot() sql.IsolationLevel {
	if s.pg {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

func (b *backup) table(ctx context.Context, tx *sql.Tx, table string) error {
	rows, err := tx.QueryContext(ctx, `SELECT * FROM `+quote(table))
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	part, size := backupPart{Table: table, Columns: columns}, 0
	put := func() error {
		b.end.Rows[table] += int64(len(part.Rows))
		err := b.out.Encode(part)
		part.Rows, size = nil, 0
		return err
	}
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, column := range columns {
			n, err := weigh(&row[i])
			if err != nil {
				return fmt.Errorf("colonne %s : %w", column, err)
			}
			size += n
		}
		part.Rows = append(part.Rows, row)
		if len(part.Rows) == partRows || size > partBytes {
			if err := put(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return put() // also of an empty table: that it was there is told
}

// weigh checks that a value is one of those that both databases keep alike, and
// returns how many bytes it has beyond a number.
func weigh(value *any) (int, error) {
	switch v := (*value).(type) {
	case nil, int64:
		return 0, nil
	case string:
		*value = text(v) // SQLite takes what PostgreSQL would not
		return len(v), nil
	case []byte:
		return len(v), nil
	default:
		return 0, fmt.Errorf("valeur de type %T", v)
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// tablesInOrder lists the tables but goose's, each after those that it refers to.
func (s *Store) tablesInOrder(ctx context.Context, db queryer) ([]string, error) {
	names, err := s.tables(ctx, db)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == versionTable })
	query := `SELECT m.name, f."table" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	if s.pg {
		query = `SELECT c.relname, r.relname FROM pg_constraint k
			JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
			WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace`
	}
	type reference struct{ from, to string }
	scan := func(row scanner) (r reference, err error) { return r, row.Scan(&r.from, &r.to) }
	references, err := all(ctx, db, scan, query)
	if err != nil {
		return nil, err
	}
	var ordered []string
	for len(names) > 0 {
		i := slices.IndexFunc(names, func(name string) bool {
			return !slices.ContainsFunc(references, func(r reference) bool {
				return r.from == name && r.to != name && slices.Contains(names, r.to)
			})
		})
		if i < 0 {
			return nil, fmt.Errorf("tables qui se renvoient l’une à l’autre : %s", strings.Join(names, ", "))
		}
		ordered = append(ordered, names[i])
		names = slices.Delete(names, i, i+1)
	}
	return ordered, nil
}
