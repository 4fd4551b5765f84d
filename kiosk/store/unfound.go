package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Unfound is a search that found nothing, which only the hub can open.
type Unfound struct {
	ID    uuid.UUID // the same ID is the same search
	Month string    // in which it was made: "2026-11"
	Data  []byte
}

// mostUnfound is how many searches wait at most: a borne that is long without its
// hub loses what comes later.
const mostUnfound = 500

// PutUnfound keeps a sealed search of a month for the hub. Once mostUnfound are
// waiting it is not kept, which is no error. Those of before the month before go:
// no hub has a use for them.
func (s *Store) PutUnfound(ctx context.Context, month string, data []byte) error {
	at, err := time.Parse("2006-01", month)
	if err != nil || len(data) == 0 {
		return errors.New("recherche sans mois ou sans contenu")
	}
	oldest := at.AddDate(0, -1, 0).Format("2006-01")
	if _, err := s.db.ExecContext(ctx, `DELETE FROM unfound WHERE month < ?`, oldest); err != nil {
		return s.explain(err)
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO unfound (id, month, data)
		SELECT ?, ?, ? WHERE (SELECT count(*) FROM unfound) < ?`, uuid.NewString(), month, data, mostUnfound)
	if err != nil {
		return s.explain(err)
	}
	return nil
}

// Unfound lists the searches that wait for the hub, in an order that says
// nothing.
func (s *Store) Unfound(ctx context.Context) ([]Unfound, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, month, data FROM unfound ORDER BY id`)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []Unfound
	for rows.Next() {
		var u Unfound
		if err := rows.Scan(&u.ID, &u.Month, &u.Data); err != nil {
			return nil, s.explain(err)
		}
		all = append(all, u)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// DeleteUnfound removes searches that the hub has taken or doesn't want. As with
// Delete, no byte of them is left unless it is ErrLocked.
func (s *Store) DeleteUnfound(ctx context.Context, ids ...uuid.UUID) error {
	for _, id := range ids {
		if _, err := s.db.ExecContext(ctx, `DELETE FROM unfound WHERE id = ?`, id.String()); err != nil {
			return s.explain(err)
		}
	}
	return s.emptyLog(ctx)
}

// DropUnfound removes all searches that wait, to make room.
func (s *Store) DropUnfound(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM unfound`); err != nil {
		return s.explain(err)
	}
	return s.emptyLog(ctx)
}
