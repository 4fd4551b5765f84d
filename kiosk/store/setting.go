package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"unicode/utf8"
)

const maxSettingLength = 200

// ErrSetting says that a setting's key is not made of the program's own words,
// or that its value is no short text.
var ErrSetting = errors.New("réglage refusé")

// Setting returns what SetSetting last kept under key, or "" when nothing is.
// Errors: ErrSetting, ErrLocked, ErrCorrupt.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	if err := checkWords(ErrSetting, key); err != nil {
		return "", err
	}
	var value string
	err := s.db.QueryRowContext(ctx, `SELECT value FROM setting WHERE key = ?`, key).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", s.explain(err)
	}
	return value, nil
}

// SetSetting keeps value under key; it is on the disk when SetSetting returns
// nil. An empty value removes the setting. It is for what the program itself
// has to know again after a restart, such as being out of service: at most 200
// bytes, and never what somebody typed. The key has the grammar of Count's.
// Errors: ErrSetting, ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	if err := checkWords(ErrSetting, key); err != nil {
		return err
	}
	if len(value) > maxSettingLength || !utf8.ValidString(value) {
		return fmt.Errorf("%w : %s : un texte de %d octets au plus, pas %d", ErrSetting, key, maxSettingLength, len(value))
	}
	var err error
	if value == "" {
		_, err = s.db.ExecContext(ctx, `DELETE FROM setting WHERE key = ?`, key)
	} else {
		_, err = s.db.ExecContext(ctx, `INSERT INTO setting (key, value) VALUES (?, ?)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	}
	if err != nil {
		return s.explain(err)
	}
	return nil
}
