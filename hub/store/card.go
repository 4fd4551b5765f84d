package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
)

// PutCards keeps a list of cards in place of the one before, wholly or not at
// all: by the mark of each card's number, who holds it, sealed.
func (s *Store) PutCards(ctx context.Context, cards map[string][]byte) error {
	rows := make([][]any, 0, len(cards))
	for _, mark := range slices.Sorted(maps.Keys(cards)) {
		rows = append(rows, []any{[]byte(mark), cards[mark]})
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM card`); err != nil {
			return nil, err
		}
		return nil, putRows(ctx, tx, `INSERT INTO card (mark, data) VALUES`, "", rows)
	})
}

// Card returns who holds the card of a mark, sealed. Errors: ErrNotFound.
func (s *Store) Card(ctx context.Context, mark []byte) ([]byte, error) {
	data, err := one(ctx, s.read, scanOne[[]byte], `SELECT data FROM card WHERE mark = $1`, mark)
	return data, s.explain(err)
}

// CountCards is how many cards the hub knows.
func (s *Store) CountCards(ctx context.Context) (int, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT count(*) FROM card`)
	return n, s.explain(err)
}
