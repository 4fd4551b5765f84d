package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// packHead is the file that every change of the packs' metadata changes.
const packHead = "timestamp.json"

// ErrStale says that something was changed by somebody else meanwhile.
var ErrStale = errors.New("quelqu’un d’autre a changé les contenus au même moment : recommencez")

// PackFile returns a file of the packs' signed metadata, and when it was kept.
// Errors: ErrNotFound.
func (s *Store) PackFile(ctx context.Context, name string) (data []byte, added time.Time, err error) {
	f, err := one(ctx, s.read, func(row scanner) (f struct {
		data  []byte
		added int64
	}, err error) {
		return f, row.Scan(&f.data, &f.added)
	}, `SELECT data, added FROM pack_file WHERE name = $1`, name)
	return f.data, at(f.added), s.explain(err)
}

// PackFiles lists the names of the files that are kept.
func (s *Store) PackFiles(ctx context.Context) ([]string, error) {
	names, err := all(ctx, s.read, scanOne[string], `SELECT name FROM pack_file ORDER BY name`)
	return names, s.explain(err)
}

// PutPackFiles keeps files of the packs' metadata, timestamp.json among them,
// and drops others, all at once. It does so only while timestamp.json is what
// before says, nil for none: of two who change it one does. Errors: ErrStale.
func (s *Store) PutPackFiles(ctx context.Context, before []byte, files map[string][]byte, drop []string, now time.Time) error {
	if files[packHead] == nil {
		return fmt.Errorf("packs: no %s", packHead)
	}
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		there, err := one(ctx, tx, scanOne[[]byte], `SELECT data FROM pack_file WHERE name = $1`, packHead)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if !bytes.Equal(there, before) {
			return nil, ErrStale
		}
		for _, name := range drop {
			if _, err := tx.ExecContext(ctx, `DELETE FROM pack_file WHERE name = $1`, name); err != nil {
				return nil, err
			}
		}
		for name, data := range files {
			_, err := tx.ExecContext(ctx, `INSERT INTO pack_file (name, data, added) VALUES ($1, $2, $3)
				ON CONFLICT (name) DO UPDATE SET data = excluded.data, added = excluded.added`, name, data, ms(now))
			if err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if errors.Is(err, ErrStale) {
		return ErrStale // the database has no part in it
	}
	return err
}
