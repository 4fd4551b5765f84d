package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

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
		{"longest", strings.Repeat("é", 1000), strings.Repeat("é", 1000)},
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
		{"too long", "notes", strings.Repeat("x", 2001)},
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

func TestRefusal(t *testing.T) {
	ctx := t.Context()
	s := MustOpen(t, t.TempDir())
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		name      string
		set, want store.Refusal
	}{
		{"none", store.Refusal{}, store.Refusal{}},
		{"first", store.Refusal{Version: "v2", Since: noon, Why: "level.yaml manque"}, store.Refusal{Version: "v2", Since: noon, Why: "level.yaml manque"}},
		{"the same later", store.Refusal{Version: "v2", Since: noon.Add(time.Hour), Why: "level.yaml manque"}, store.Refusal{Version: "v2", Since: noon, Why: "level.yaml manque"}},
		{"another", store.Refusal{Version: "v3", Since: noon.Add(time.Hour), Why: strings.Repeat("é", 400)},
			store.Refusal{Version: "v3", Since: noon.Add(time.Hour), Why: strings.Repeat("é", 300)}},
		{"no longer", store.Refusal{}, store.Refusal{}},
	} {
		if err := s.SetRefusal(ctx, store.ContentRefused, step.set); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got, err := s.Refusal(ctx, store.ContentRefused); err != nil || got != step.want {
			t.Errorf("%s: %+v, %v; want %+v", step.name, got, err, step.want)
		}
	}
	// What an older program has left is as good as none.
	if err := s.SetSetting(ctx, store.ProfileRefused, "2026-11-24T10:00:00Z"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetRefusal(ctx, store.ProfileRefused, store.Refusal{}); err != nil {
		t.Error(err)
	}
	if got, err := s.Refusal(ctx, store.ProfileRefused); err != nil || got != (store.Refusal{}) {
		t.Errorf("after an unreadable one: %+v, %v", got, err)
	}
}
