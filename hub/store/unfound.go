package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
)

const unfoundTable = "unfound"

// Unfound is a search that found nothing, sealed to the hub.
type Unfound struct {
	ID    uuid.UUID
	Month string // "2026-11"
	Data  []byte
}

// mostUnfound is how many searches are kept of one site and month: more than
// residents make, and few enough that no borne can fill the database.
const mostUnfound = 5000

// PutUnfound keeps a search once, with the site of the borne that brought it and
// nothing else of that borne. One of a month whose figures are made, or beyond
// mostUnfound, is not kept, which is no error.
func (s *Store) PutUnfound(ctx context.Context, borne string, u Unfound) error {
	if _, err := time.Parse("2006-01", u.Month); err != nil || u.ID == uuid.Nil || len(u.Data) == 0 {
		return errors.New("recherche sans identifiant, sans mois ou sans contenu")
	}
	// A search that slips in while its month is closed goes with the next Drop.
	return s.changeAt(ctx, sql.LevelReadCommitted, func(tx *sql.Tx) ([]Event, error) {
		site, err := one(ctx, tx, scanOne[string], `SELECT site FROM borne WHERE id = $1`, borne)
		if err != nil {
			return nil, err
		}
		closed, err := one(ctx, tx, scanOne[int], `SELECT count(*) FROM statistic_period WHERE period = $1`, u.Month)
		if err != nil || closed > 0 {
			return nil, err
		}
		n, err := one(ctx, tx, scanOne[int], `SELECT count(*) FROM unfound WHERE month = $1 AND site = $2`, u.Month, site)
		if err != nil || n >= mostUnfound {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO unfound (id, month, site, data) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO NOTHING`, u.ID.String(), u.Month, site, u.Data)
		return nil, err
	})
}

// HasUnfound reports whether searches of a month are kept.
func (s *Store) HasUnfound(ctx context.Context, month string) (bool, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT count(*) FROM (SELECT 1 FROM unfound WHERE month = $1 LIMIT 1) AS found`, month)
	return n > 0, s.explain(err)
}

// EachUnfound calls do with every search of a month, and with its site.
func (s *Store) EachUnfound(ctx context.Context, month string, do func(site string, data []byte)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT site, data FROM unfound WHERE month = $1`, month)
	if err != nil {
		return s.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var site string
		var data []byte
		if err := rows.Scan(&site, &data); err != nil {
			return s.explain(err)
		}
		do(site, data)
	}
	return s.explain(rows.Err())
}

// DropUnfound deletes the searches of a month and of all before it, in small
// transactions. Bytes of them may be left until Scrub.
func (s *Store) DropUnfound(ctx context.Context, month string) error {
	for {
		var n int64
		err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
			result, err := tx.ExecContext(ctx, `DELETE FROM unfound WHERE id IN
				(SELECT id FROM unfound WHERE month <= $1 LIMIT 500)`, month)
			if err != nil {
				return nil, err
			}
			if n, err = result.RowsAffected(); err != nil || n == 0 {
				return nil, err
			}
			return nil, markScrub(ctx, tx)
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
