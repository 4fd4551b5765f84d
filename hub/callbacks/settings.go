package callbacks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
	"time"
)

// Settings are what administrators choose for the queue.
type Settings struct {
	Hours  int `json:"hours"`  // working hours within which to call where no slot was chosen
	Tries  int `json:"tries"`  // after so many in vain, unreachable is proposed
	Months int `json:"months"` // the legal bound: what is older is deleted, closed or not
	Flood  int `json:"flood"`  // requests of one borne in ten minutes; the next has to wait

	// Channel is the alert channel by which deadlines are told, and whose mail
	// server sends text messages; empty: neither. Near is how many minutes of
	// working time before a deadline somebody is told. Duty is who, by
	// time.Weekday: the ID of a person, or empty for the channel's own addresses.
	Channel string    `json:"channel,omitempty"`
	Near    int       `json:"near"`
	Duty    [7]string `json:"duty"`
	// Gateway is the address that turns mails into text messages, with a place
	// for the number; empty: none are sent. Phone is the number that residents
	// may call, as people write it; empty: none.
	Gateway string `json:"gateway,omitempty"`
	Phone   string `json:"phone,omitempty"`
}

// usual are the settings until somebody chooses others.
var usual = Settings{Hours: 8, Tries: 3, Months: 12, Flood: 10, Near: 60}

// KeepClosed is how long a request is kept after it was closed.
const KeepClosed = 30 * 24 * time.Hour

const settingsKey = "callbacks"

// Settings returns what is chosen.
func (q *Queue) Settings(ctx context.Context) (Settings, error) {
	s := usual
	text, err := q.Store.Setting(ctx, settingsKey)
	if err != nil || text == "" {
		return s, err
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("callbacks: settings: %w", err)
	}
	return s, nil
}

// SetSettings changes them. Errors: FieldError.
func (q *Queue) SetSettings(ctx context.Context, s Settings) error {
	for _, f := range []struct {
		field           string
		is, least, most int
		message         string
	}{
		{"hours", s.Hours, 1, 80, "Donnez un nombre d’heures ouvrées, de %d à %d."},
		{"tries", s.Tries, 1, 20, "Donnez un nombre d’essais, de %d à %d."},
		{"months", s.Months, 1, 36, "Donnez un nombre de mois, de %d à %d."},
		{"flood", s.Flood, 3, 500, "Donnez un nombre de demandes, de %d à %d."},
		{"near", s.Near, 0, 600, "Donnez un nombre de minutes, de %d à %d."},
	} {
		if f.is < f.least || f.is > f.most {
			return wrong(f.field, f.message, f.least, f.most)
		}
	}
	if err := s.checkGateway(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return q.Store.SetSetting(ctx, settingsKey, string(text))
}

func (s Settings) checkGateway() error {
	if len(s.Phone) > 30 || strings.Trim(s.Phone, "+0123456789 .\u00a0\u202f") != "" {
		return wrong("phone", "Donnez un numéro de téléphone, comme 03 88 00 00 00.")
	}
	if s.Gateway == "" {
		return nil
	}
	if s.Channel == "" {
		return wrong("gateway", "Choisissez d’abord le canal dont le serveur envoie les SMS.")
	}
	filled := strings.NewReplacer(placeNational, "0612345678", placeInternational, "33612345678").Replace(s.Gateway)
	a, err := mail.ParseAddress(filled)
	if err != nil || a.Name != "" || filled == s.Gateway || a.Address != filled {
		return wrong("gateway", "Donnez l’adresse de la passerelle avec la place du numéro, comme %s@sms.exemple.fr.", placeNational)
	}
	return nil
}

// ProposeUnreachable reports whether a request has been tried often enough to
// be closed as unreachable.
func (s Settings) ProposeUnreachable(i Item) bool { return i.Tries >= s.Tries }

func (s Settings) hours() time.Duration { return time.Duration(s.Hours) * time.Hour }
