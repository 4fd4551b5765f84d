package store

import (
	"context"
	"database/sql"
	"time"
)

// How long what is over is kept. Counts are kept for good.
const (
	keepSamples  = 90 * 24 * time.Hour
	keepFaults   = 400 * 24 * time.Hour
	keepCommands = 400 * 24 * time.Hour
	keepTokens   = 30 * 24 * time.Hour // after their end
)

// Tidy removes what is older than it is of use: hourly samples after 90 days,
// faults and commands 400 days after they ended, codes for enrolment 30 days
// after their end. It does so in small transactions, so that reports need not
// wait; called again after a failure it goes on.
func (s *Store) Tidy(ctx context.Context, now time.Time) error {
	bornes, err := all(ctx, s.read, scanOne[string], `SELECT id FROM borne ORDER BY id`)
	if err != nil {
		return s.explain(err)
	}
	const atOnce = 100
	for len(bornes) > 0 {
		n := min(atOnce, len(bornes))
		err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) { return nil, tidyBornes(ctx, tx, bornes[:n], now) })
		if err != nil {
			return err
		}
		bornes = bornes[n:]
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `DELETE FROM token WHERE expires < $1`, ms(now.Add(-keepTokens)))
		if err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM lease WHERE ends < $1`, ms(now.Add(-24*time.Hour)))
		return nil, err
	})
}

func tidyBornes(ctx context.Context, tx *sql.Tx, bornes []string, now time.Time) error {
	for _, borne := range bornes {
		_, err := tx.ExecContext(ctx, `DELETE FROM hour_sample WHERE borne = $1 AND hour < $2`, borne, ms(now.Add(-keepSamples)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM fault WHERE borne = $1 AND ended > 0 AND ended < $2`,
			borne, ms(now.Add(-keepFaults)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM command_file WHERE command IN (
			SELECT id FROM command WHERE borne = $1 AND ended > 0 AND ended < $2)`, borne, ms(now.Add(-keepCommands)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM command WHERE borne = $1 AND ended > 0 AND ended < $2`,
			borne, ms(now.Add(-keepCommands)))
		if err != nil {
			return err
		}
	}
	return nil
}
