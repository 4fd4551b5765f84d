package store

import "context"

// The setting that says whether the borne serves residents.
const (
	serviceKey = "service"
	serviceOff = "off"
)

// OutOfService reports whether staff have put the borne out of service.
func (s *Store) OutOfService(ctx context.Context) (bool, error) {
	word, err := s.Setting(ctx, serviceKey)
	return word == serviceOff, err
}

// SetOutOfService puts the borne out of service, or back.
func (s *Store) SetOutOfService(ctx context.Context, out bool) error {
	word := ""
	if out {
		word = serviceOff
	}
	return s.SetSetting(ctx, serviceKey, word)
}
