package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parvis/kiosk/store"
)

func TestSetting(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := MustOpen(t, dir)
	steps := []struct{ name, set, want string }{
		{"first", "1", "1"},
		{"again", "3 2026-11-21T14:30:00Z", "3 2026-11-21T14:30:00Z"},
		{"removed", "", ""},
		{"removed again", "", ""},
		{"longest", strings.Repeat("é", 100), strings.Repeat("é", 100)},
	}
	if got, err := s.Setting(ctx, "maintenance.tries"); got != "" || err != nil {
		t.Fatalf("before anything was set: %q, %v", got, err)
	}
	for _, st := range steps {
		if err := s.SetSetting(ctx, "maintenance.tries", st.set); err != nil {
			t.Fatalf("%s: %v", st.name, err)
		}
		// Another store sees what another process, or a restart, would.
		if got, err := MustOpen(t, dir).Setting(ctx, "maintenance.tries"); got != st.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", st.name, got, err, st.want)
		}
	}
	if got, err := s.Setting(ctx, "out_of_service"); got != "" || err != nil {
		t.Errorf("another key: %q, %v", got, err)
	}
}

func TestSettingRefuses(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	tests := []struct{ name, key, value string }{
		{"telephone number as a key", "tel.0612345652", "1"},
		{"sentence as a key", "mon secret", "1"},
		{"no key", "", "1"},
		{"too long", "notes", strings.Repeat("x", 201)},
		{"no text", "notes", "\xff\xfe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := s.SetSetting(context.Background(), tt.key, tt.value)
			if !errors.Is(err, store.ErrSetting) {
				t.Fatalf("err = %v, want ErrSetting", err)
			}
			if strings.Contains(err.Error(), tt.value+tt.value) || len(tt.key) > 5 && strings.Contains(err.Error(), tt.key) {
				t.Errorf("what was refused is repeated: %v", err)
			}
		})
	}
}
