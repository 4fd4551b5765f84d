package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-sqlite3"
)

// Sealed is a request to be called back that only the hub can open.
type Sealed struct {
	ID      uuid.UUID // chosen by whoever made the request; the same ID is the same request
	Code    string    // on the resident's ticket; unique in the outbox
	Created time.Time // kept to the millisecond
	Data    []byte
	OnlyFor string // public key of the hub that alone can open it; empty where others can too, or where it isn't known
}

// ErrDuplicateCode says that another request in the outbox bears this code.
var ErrDuplicateCode = errors.New("ce numéro de demande est déjà pris")

// PutCallback keeps r in one transaction that is on the disk when it returns
// nil. Putting the same ID again succeeds and changes nothing. Errors:
// ErrDuplicateCode, ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) PutCallback(ctx context.Context, r Sealed) error {
	err := s.putCallback(ctx, r)
	var e sqlite3.Error
	if errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique {
		return ErrDuplicateCode
	}
	if err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *Store) putCallback(ctx context.Context, r Sealed) error {
	if r.ID == uuid.Nil || r.Code == "" || len(r.Data) == 0 {
		return errors.New("demande sans identifiant, sans numéro ou sans contenu")
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	var there int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM callback WHERE id = ?`, r.ID.String()).Scan(&there)
	if err != nil || there > 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO callback (id, code, created, data, only_for) VALUES (?, ?, ?, ?, ?)`,
		r.ID.String(), r.Code, r.Created.UnixMilli(), r.Data, r.OnlyFor)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// Outbox lists what waits for the hub, oldest first.
func (s *Store) Outbox(ctx context.Context) ([]Sealed, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, code, created, data, only_for FROM callback ORDER BY created, id`)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []Sealed
	for rows.Next() {
		var r Sealed
		var ms int64
		if err := rows.Scan(&r.ID, &r.Code, &ms, &r.Data, &r.OnlyFor); err != nil {
			return nil, s.explain(err)
		}
		r.Created = time.UnixMilli(ms).UTC()
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// Delete removes a request that the hub has taken, so that no byte of it is
// left in the database or its log. An ID that isn't there is no error.
// ErrLocked says that a reader still held the log: the request is out of the
// outbox, and calling Delete again empties the log.
func (s *Store) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM callback WHERE id = ?`, id.String()); err != nil {
		return s.explain(err)
	}
	return s.emptyLog(ctx)
}

func (s *Store) emptyLog(ctx context.Context) error {
	var busy, frames, moved sql.NullInt64
	err := s.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err != nil {
		return s.explain(err)
	}
	if busy.Int64 != 0 {
		return fmt.Errorf("%s : journal : %w", s.path, ErrLocked)
	}
	return nil
}
