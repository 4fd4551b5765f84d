package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// CallbackDue is the deadline of an open request, which somebody may have to be
// told of.
type CallbackDue struct {
	ID       uuid.UUID
	Borne    string
	SiteName string
	State    CallbackState
	Deadline time.Time
	NearTold bool // somebody was told that it comes near
}

// untold is the condition under which a deadline has not been told of yet, or
// only that it came near.
const untold = `(state = 'waiting' OR state = 'claimed' OR state = 'appointment') AND deadline > 0 AND late_told <> deadline`

// UntoldCallbacks lists the open requests whose deadline is before a time, and
// of which nobody was told, or only that it came near: soonest first, limit at
// most.
func (s *Store) UntoldCallbacks(ctx context.Context, before time.Time, limit int) ([]CallbackDue, error) {
	found, err := all(ctx, s.read, func(row scanner) (d CallbackDue, err error) {
		var deadline, near int64
		err = row.Scan(&d.ID, &d.Borne, &d.SiteName, &d.State, &deadline, &near)
		d.Deadline, d.NearTold = at(deadline), near == deadline
		return d, err
	}, `SELECT c.id, c.borne, COALESCE(s.name, ''), c.state, c.deadline, c.near_told
		FROM callback c LEFT JOIN site s ON s.id = c.site WHERE c.id IN (SELECT id FROM callback WHERE `+untold+` AND deadline < $1
		ORDER BY deadline, id LIMIT $2) ORDER BY c.deadline, c.id`, ms(before), limit)
	return found, s.explain(err)
}

// TellCallbacks notes that somebody is told of deadlines, near or passed, and
// keeps the message in the same transaction. What another hub has noted in
// between is left out: write gets the rest, and makes no message of none.
func (s *Store) TellCallbacks(ctx context.Context, due []CallbackDue, late bool, write func([]CallbackDue) (AlertMessage, error)) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		query := `UPDATE callback SET near_told = deadline WHERE id = $1 AND deadline = $2 AND near_told <> deadline AND ` + untold
		if late {
			query = `UPDATE callback SET near_told = deadline, late_told = deadline WHERE id = $1 AND deadline = $2 AND ` + untold
		}
		var ours []CallbackDue
		for _, d := range due {
			result, err := tx.ExecContext(ctx, query, d.ID.String(), ms(d.Deadline))
			if err != nil {
				return nil, err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return nil, err
			}
			if n > 0 {
				ours = append(ours, d)
			}
		}
		if len(ours) == 0 {
			return nil, nil
		}
		m, err := write(ours)
		if err != nil {
			return nil, err
		}
		return []Event{{Topic: Alerted}}, putMessages(ctx, tx, m)
	})
}
