package store

import (
	"context"
	"database/sql"
	"time"

	"parvis/kiosk/link"
)

// Inventory is what a borne is made of.
type Inventory struct {
	Borne string
	At    time.Time // when it came
	link.Inventory
}

// PutInventory keeps what a borne has told, in the place of what it told before.
func (s *Store) PutInventory(ctx context.Context, i Inventory) error {
	data, err := encode(i.Inventory)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO inventory (borne, at, data) VALUES ($1, $2, $3)
			ON CONFLICT (borne) DO UPDATE SET at = excluded.at, data = excluded.data`, i.Borne, ms(i.At), data)
		return nil, err
	})
}

// Inventories are what the bornes have told, by borne.
func (s *Store) Inventories(ctx context.Context) (map[string]Inventory, error) {
	found, err := all(ctx, s.read, scanInventory, `SELECT borne, at, data FROM inventory`)
	if err != nil {
		return nil, s.explain(err)
	}
	told := make(map[string]Inventory, len(found))
	for _, i := range found {
		told[i.Borne] = i
	}
	return told, nil
}

// Inventory is what one borne has told. Errors: ErrNotFound.
func (s *Store) Inventory(ctx context.Context, borne string) (Inventory, error) {
	i, err := one(ctx, s.read, scanInventory, `SELECT borne, at, data FROM inventory WHERE borne = $1`, borne)
	return i, s.explain(err)
}

func scanInventory(row scanner) (i Inventory, err error) {
	var when int64
	var data []byte
	if err := row.Scan(&i.Borne, &when, &data); err != nil {
		return i, err
	}
	i.At = at(when)
	return i, decode(data, &i.Inventory)
}
