package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// scrubKey is the setting that says that something was deleted of which bytes
// may still lie in the database's files. Its value is another each time, so that
// a hub that has scrubbed does not take away what another has marked meanwhile.
const scrubKey = "callbacks.scrub"

func markScrub(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, scrubKey, uuid.NewString())
	return err
}

// scrubbed are the tables that hold something of a request, or of a search.
var scrubbed = []string{"callback_key", "callback_step", "callback", unfoundTable}

// unsampled are the columns of which PostgreSQL would copy values into its
// statistics, where they would outlive their rows.
var unsampled = map[string][]string{
	"callback_key":  {"id", "key", "same"},
	"callback_step": {"id", "callback", "note"},
	"callback":      {"id", "code", "data"},
	unfoundTable:    {"id", "data"},
}

// keepUnsampled has PostgreSQL sample none of them. It changes nothing where
// that is so already.
func (s *Store) keepUnsampled(ctx context.Context) error {
	for table, columns := range unsampled {
		for _, column := range columns {
			sampled, err := one(ctx, s.db, scanOne[bool], `SELECT COALESCE(attstattarget, -1) <> 0 FROM pg_attribute
				WHERE attrelid = to_regclass($1) AND attname = $2`, table, column)
			if err != nil {
				return err
			}
			if !sampled {
				continue
			}
			if _, err := s.db.ExecContext(ctx, `ALTER TABLE `+quote(table)+` ALTER COLUMN `+quote(column)+` SET STATISTICS 0`); err != nil {
				return err
			}
		}
	}
	return nil
}

// DropCallbacks deletes the requests that were closed before a time, and all
// that came before another, with their keys and all that was noted of them. It
// does so in small transactions, and says how many there were. Bytes of them may
// be left until Scrub.
func (s *Store) DropCallbacks(ctx context.Context, closed, received time.Time) (n int, err error) {
	scan := func(row scanner) (id uuid.UUID, err error) { return id, row.Scan(&id) }
	for {
		var ids []uuid.UUID
		err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
			var err error
			ids, err = all(ctx, tx, scan, `SELECT id FROM callback WHERE closed > 0 AND closed < $1 ORDER BY closed LIMIT 64`, ms(closed))
			if err == nil && len(ids) == 0 {
				ids, err = all(ctx, tx, scan, `SELECT id FROM callback WHERE received < $1 ORDER BY received LIMIT 64`, ms(received))
			}
			if err != nil || len(ids) == 0 {
				return nil, err
			}
			if err := markScrub(ctx, tx); err != nil {
				return nil, err
			}
			return []Event{{Topic: Called}}, dropCallbacks(ctx, tx, ids)
		})
		if err != nil || len(ids) == 0 {
			return n, err
		}
		n += len(ids)
	}
}

func dropCallbacks(ctx context.Context, tx *sql.Tx, ids []uuid.UUID) error {
	if err := countCallbacks(ctx, tx, ids); err != nil {
		return err
	}
	for _, id := range ids {
		for _, statement := range []string{
			`DELETE FROM callback_key WHERE id = $1`,
			`DELETE FROM callback_step WHERE callback = $1`,
			`DELETE FROM callback WHERE id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, id.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Scrub removes from the database's files what was deleted of requests and of
// searches, if anything was since it last did. On PostgreSQL the tables are written
// anew, for which whoever uses them waits; what a server keeps apart from them, its
// journal and its copies, is not within reach. done is false where somebody
// still looked at what was deleted, as a backup that is being made does: call it
// again later.
func (s *Store) Scrub(ctx context.Context) (done bool, err error) {
	wanted, err := s.Setting(ctx, scrubKey)
	if err != nil || wanted == "" {
		return err == nil, err
	}
	scrub := s.scrubFile
	if s.pg {
		scrub = s.scrubServer
	}
	if done, err = scrub(ctx); err != nil || !done {
		return false, s.explain(err)
	}
	return true, s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM setting WHERE key = $1 AND value = $2`, scrubKey, wanted)
		return nil, err
	})
}

// scrubFile empties the log: in the file itself, things are overwritten as they
// are deleted.
func (s *Store) scrubFile(ctx context.Context) (done bool, err error) {
	var busy, frames, copied int
	err = s.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &copied)
	return busy == 0, err
}

// unseenWithin is how long transactions are waited for that may still see what
// was deleted: those of hubs are over in a moment.
const unseenWithin = 5 * time.Second

func (s *Store) scrubServer(ctx context.Context) (done bool, err error) {
	now, err := one(ctx, s.db, scanOne[int64], `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`)
	if err != nil {
		return false, err
	}
	for deadline := time.Now().Add(unseenWithin); ; {
		done, err := one(ctx, s.db, scanOne[bool], `SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1 AND NOT EXISTS (
			SELECT 1 FROM pg_stat_activity WHERE (datname = current_database() OR datname IS NULL) AND pid <> pg_backend_pid()
			AND age(backend_xmin) > age(($1 % 4294967296)::text::xid))`, now)
		if err != nil || !done && time.Now().After(deadline) {
			return false, err
		}
		// Also when done: a connection that is just being made does not show yet.
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if done {
			break
		}
	}
	for _, table := range scrubbed {
		if _, err := s.db.ExecContext(ctx, `VACUUM (FULL, ANALYZE) `+quote(table)); err != nil {
			return false, err
		}
	}
	return true, nil
}
