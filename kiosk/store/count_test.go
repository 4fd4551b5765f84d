package store_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"parvis/kiosk/store"
)

func TestCount(t *testing.T) {
	ctx := context.Background()
	s := MustOpen(t, t.TempDir())
	paris := time.FixedZone("CET", 3600)
	late := time.Date(2026, 11, 21, 0, 30, 0, 0, paris) // still the 20th in UTC
	for _, c := range []struct {
		day time.Time
		key string
		n   int
	}{
		{late, "visit", 1},
		{late.Add(10 * time.Hour), "visit", 2},
		{late, "demarche.carte-identite-passeport.done", 1},
		{late.AddDate(0, 0, 1), "missing.internet", 1},
		{late.AddDate(0, 0, 9), "visit", 1},
	} {
		if err := s.Count(ctx, c.day, c.key, c.n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Counts(ctx, late, late.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := []store.DayCount{
		{Day: "2026-11-21", Key: "demarche.carte-identite-passeport.done", N: 1},
		{Day: "2026-11-21", Key: "visit", N: 3},
		{Day: "2026-11-22", Key: "missing.internet", N: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("counts = %v, want %v", got, want)
	}
	if err := s.Count(ctx, late, "visit", 0); err == nil {
		t.Error("counted nothing without an error")
	}
}

func TestCountKey(t *testing.T) {
	s := MustOpen(t, t.TempDir())
	tests := []struct {
		key string
		ok  bool
	}{
		{"visit", true},
		{"leaving.yes", true},
		{"fiche.f1342", true},
		{"fiche.f100018", true},
		{"demarche.carte_grise.done", true},
		{strings.Repeat("a", 80), true},
		{strings.Repeat("a", 81), false},
		{"", false},
		{".", false},
		{"visit.", false},
		{"visit..done", false},
		{"Visit", false},
		{"visité", false},
		{"missing.parler à quelqu’un", false},
		{"tel.0612345652", false},
		{"tel-06-12-34-56-52", false},
		{"t0.t6.t1.t2.t3.t4.t5", false},
		{"a\x00", false},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			err := s.Count(context.Background(), time.Now(), tt.key, 1)
			if tt.ok && err != nil {
				t.Error(err)
			}
			if !tt.ok {
				if !errors.Is(err, store.ErrKey) {
					t.Fatalf("err = %v, want ErrKey", err)
				}
				if len(tt.key) > 5 && strings.Contains(err.Error(), tt.key) {
					t.Errorf("the refused key is repeated: %v", err)
				}
			}
		})
	}
}
