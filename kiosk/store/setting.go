package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"unicode/utf8"
)

const maxSettingLength = 2000 // bytes

// Settings through which the agent and the application know of each other.
const (
	// HubRecipient is the hub's public key, to which requests to be called back
	// are sealed beside the profile's: the agent keeps it after enrolment.
	HubRecipient = "hub.recipient"
	// HubSite is the name of the site that the borne was enrolled for.
	HubSite = "hub.site"
	// EnrolAsked is the invitation that somebody has typed at the borne: the
	// agent takes it away and enrols.
	EnrolAsked = "enrol.asked"
	// EnrolAnswer is what became of it, once EnrolAsked is away: EnrolDone, or in
	// French why not.
	EnrolAnswer = "enrol.answer"
	// HubContact is when the hub last took a report, by the borne's own clock
	// (RFC 3339). The agent keeps it once a minute at most.
	HubContact = "agent.contact"
	// HubRefused is the type of the problem for which the hub refuses the borne,
	// of link.Problem; not there while it doesn't.
	HubRefused = "agent.refused"
	// ContentRefused and ProfileRefused are the Refusal of the content and of the
	// profile that the hub has sent: the application keeps them, and removes them
	// when it can go by what the hub has sent again.
	ContentRefused = "content.refused"
	ProfileRefused = "profile.refused"
)

// EnrolDone is the EnrolAnswer of a borne that has its identity.
const EnrolDone = "fait"

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
// has to know again after a restart, such as being out of service: at most 2000
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
