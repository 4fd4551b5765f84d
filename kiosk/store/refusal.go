package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Refusal says that the application doesn't go by something that the hub has
// sent, and goes by what it had before.
type Refusal struct {
	Version string    `json:"version"`
	Since   time.Time `json:"since"` // by the machine's own clock
	Why     string    `json:"why"`   // for IT staff, in French; cut to 300 letters
}

// Refusal returns what SetRefusal last kept under key: the zero Refusal where
// nothing is refused.
func (s *Store) Refusal(ctx context.Context, key string) (Refusal, error) {
	var r Refusal
	text, err := s.Setting(ctx, key)
	if err != nil || text == "" {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("%s : %w", key, err)
	}
	return r, nil
}

// SetRefusal keeps a refusal under a setting's key; the zero Refusal takes it
// away. One of the same version stands since the first.
func (s *Store) SetRefusal(ctx context.Context, key string, r Refusal) error {
	before, err := s.Refusal(ctx, key)
	if err != nil {
		before = Refusal{} // unreadable: as good as none
	}
	if r == (Refusal{}) {
		if err == nil && before == r {
			return nil
		}
		return s.SetSetting(ctx, key, "")
	}
	if r.Version == before.Version && !before.Since.IsZero() {
		r.Since = before.Since
	}
	r.Why = cutWhy(r.Why)
	if r == before {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.SetSetting(ctx, key, string(text))
}
