package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Message is what agents say to residents on every page of the borne.
type Message struct {
	Text  string
	Until time.Time // by the machine's own clock; zero: until it is taken away
}

// ErrMessage says that a message is too long or no text.
var ErrMessage = errors.New("message refusé")

const maxMessageLength = 200 // letters, as link.MaxMessage

// SetMessage keeps a message over restarts, in place of the one before; one
// without text takes it away.
func (s *Store) SetMessage(ctx context.Context, m Message) error {
	if n := utf8.RuneCountInString(m.Text); n > maxMessageLength || !utf8.ValidString(m.Text) {
		return fmt.Errorf("%w : un texte de %d lettres au plus, pas %d", ErrMessage, maxMessageLength, n)
	}
	var until int64
	if !m.Until.IsZero() {
		until = m.Until.UnixMilli()
	}
	var err error
	if m.Text == "" {
		_, err = s.db.ExecContext(ctx, `DELETE FROM message`)
	} else {
		_, err = s.db.ExecContext(ctx, `INSERT INTO message (one, text, until) VALUES (1, ?, ?)
			ON CONFLICT (one) DO UPDATE SET text = excluded.text, until = excluded.until`, m.Text, until)
	}
	if err != nil {
		return s.explain(err)
	}
	return nil
}

// Message returns the message last kept, even if its time is over; the zero
// Message when there is none.
func (s *Store) Message(ctx context.Context) (Message, error) {
	var m Message
	var until int64
	err := s.db.QueryRowContext(ctx, `SELECT text, until FROM message`).Scan(&m.Text, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return Message{}, nil
	}
	if err != nil {
		return Message{}, s.explain(err)
	}
	if until != 0 {
		m.Until = time.UnixMilli(until).UTC()
	}
	return m, nil
}
