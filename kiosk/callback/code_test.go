package callback_test

import (
	"errors"
	"strings"
	"testing"

	"parvis/kiosk/callback"
)

func TestNewCode(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		code := callback.NewCode()
		if got, err := callback.CheckCode(code); err != nil || got != code {
			t.Fatalf("CheckCode(%q) = %q, %v", code, got, err)
		}
		if strings.ContainsAny(code, "0OQ1IL2Z5S8BU") {
			t.Fatalf("%s has a look-alike", code)
		}
		seen[code] = true
	}
	if len(seen) < 1990 { // 23⁵ codes: one twin in 2,000 is already rare
		t.Errorf("only %d different codes in 2000", len(seen))
	}
}

// Every wrong sign at every place, and every swap of two signs, for a
// thousand codes.
func TestCheckCodeCatches(t *testing.T) {
	const signs = "34679ACDEFGHJKMNPRTVWXY"
	for range 1000 {
		code := callback.NewCode()
		for i := range len(code) {
			for _, r := range signs {
				wrong := code[:i] + string(r) + code[i+1:]
				if _, err := callback.CheckCode(wrong); wrong != code && err == nil {
					t.Fatalf("%s for %s goes unnoticed", wrong, code)
				}
			}
			for j := range i {
				b := []byte(code)
				b[i], b[j] = b[j], b[i]
				if _, err := callback.CheckCode(string(b)); string(b) != code && err == nil {
					t.Fatalf("%s for %s goes unnoticed", b, code)
				}
			}
		}
	}
}

func TestCheckCode(t *testing.T) {
	code := callback.NewCode()
	tests := []struct {
		name, typed string
		ok          bool
	}{
		{"as printed", callback.FormatCode(code), true},
		{"small letters", strings.ToLower(code), true},
		{"no-break space and dash", code[:2] + "\u00a0" + code[2:4] + "-" + code[4:], true},
		{"nothing", "", false},
		{"five signs", code[:5], false},
		{"seven signs", code + "3", false},
		{"a sign we don't use", code[:5] + "O", false},
		{"not UTF-8", code[:5] + "\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := callback.CheckCode(tt.typed)
			if tt.ok && (err != nil || got != code) {
				t.Errorf("CheckCode(%q) = %q, %v", tt.typed, got, err)
			}
			if !tt.ok && !errors.Is(err, callback.ErrCode) {
				t.Errorf("CheckCode(%q): err = %v", tt.typed, err)
			}
		})
	}
}

func TestFormatCode(t *testing.T) {
	if got := callback.FormatCode("K7M4HE"); got != "K7M 4HE" {
		t.Errorf("got %q", got)
	}
	if got := callback.FormatCode("K7M"); got != "K7M" {
		t.Errorf("got %q", got)
	}
}
