package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DayCount is how often something happened on one calendar day.
type DayCount struct {
	Day string `json:"day"` // 2026-11-21
	Key string `json:"key"`
	N   int    `json:"n"`
}

const (
	maxKeyLength = 80
	maxKeyDigits = 6 // enough for the number of a fiche or a postcode, too few for a telephone number
)

// ErrKey says that a count's key is not made of the program's own words.
var ErrKey = errors.New("clé de comptage refusée")

// Count adds n to the count of key on the calendar day of day, in day's own
// time zone. What was counted is on the disk when it returns.
//
// A key is one or more words joined by dots, the general one first: "visit",
// "demarche.carte-identite-passeport.done", "leaving.yes",
// "missing.internet", "level.formation". A word starts with a letter a–z and
// goes on with a–z, 0–9, "_" and "-". A key has at most 80 signs and six
// digits, so that neither a sentence nor a telephone number gets in: ErrKey.
func (s *Store) Count(ctx context.Context, day time.Time, key string, n int) error {
	if err := checkWords(ErrKey, key); err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("comptage de %s : %d n’est pas positif", key, n)
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO day_count (day, key, n) VALUES (?, ?, ?)
		ON CONFLICT (day, key) DO UPDATE SET n = n + excluded.n`, day.Format(time.DateOnly), key, n)
	if err != nil {
		return s.explain(err)
	}
	return nil
}

// Counts lists the counts from one calendar day to another, both included, by
// day and key.
func (s *Store) Counts(ctx context.Context, from, to time.Time) ([]DayCount, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT day, key, n FROM day_count
		WHERE day BETWEEN ? AND ? ORDER BY day, key`, from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []DayCount
	for rows.Next() {
		var c DayCount
		if err := rows.Scan(&c.Day, &c.Key, &c.N); err != nil {
			return nil, s.explain(err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// checkWords refuses what is not words of the program joined by dots, as Count
// describes them. It never repeats them in its error: whatever was passed by
// mistake must not end up in a log.
func checkWords(refused error, key string) error {
	if key == "" || len(key) > maxKeyLength {
		return fmt.Errorf("%w : 1 à %d signes, pas %d", refused, maxKeyLength, len(key))
	}
	digits, wordStart := 0, true
	for i := range len(key) {
		c := key[i]
		letter := 'a' <= c && c <= 'z'
		digit := '0' <= c && c <= '9'
		switch {
		case wordStart && !letter:
			return fmt.Errorf("%w : signe %d : un mot commence par une lettre minuscule sans accent", refused, i+1)
		case digit:
			digits++
		case !letter && c != '.' && c != '_' && c != '-':
			return fmt.Errorf("%w : signe %d : seulement a-z, 0-9, « . », « _ », « - »", refused, i+1)
		}
		wordStart = c == '.'
	}
	if wordStart {
		return fmt.Errorf("%w : un point à la fin", refused)
	}
	if digits > maxKeyDigits {
		return fmt.Errorf("%w : %d chiffres au plus", refused, maxKeyDigits)
	}
	return nil
}
