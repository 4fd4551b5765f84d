package enrol_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"parvis/provisioning/enrol"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func newCode() enrol.Code { return enrol.NewCode(sha256.Sum256([]byte("an authority"))) }

func TestCode(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		c := newCode()
		text := c.Text()
		if len(text) != 53 || strings.Count(text, "-") != 8 {
			t.Fatalf("%q is not nine groups of five", text)
		}
		got, err := enrol.ParseCode(text)
		if err != nil || got != c {
			t.Fatalf("%s reads as another code: %v", text, err)
		}
		if seen[string(c.Hash())] {
			t.Fatal("the same secret twice")
		}
		seen[string(c.Hash())] = true
	}
}

// The hand writes a code in many ways.
func TestCodeAsTyped(t *testing.T) {
	t.Parallel()
	for range 100 {
		c := newCode()
		text := c.Text()
		for _, typed := range []string{
			strings.ToLower(text),
			strings.ReplaceAll(text, "-", ""),
			strings.ReplaceAll(text, "-", " "),
			strings.ReplaceAll(text, "-", "\u00a0–\u202f"),
			"  " + text + "\r\n",
			strings.NewReplacer("0", "O", "1", "I").Replace(text),
			strings.NewReplacer("0", "o", "1", "l").Replace(text),
		} {
			if got, err := enrol.ParseCode(typed); err != nil || got != c {
				t.Fatalf("%q: %v", typed, err)
			}
		}
	}
}

// Every single altered sign is found, and told where it is; every two
// neighbours that are swapped are found; so are any two altered signs.
func TestCodeAltered(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(newCode().Text(), "-", "")
	for i := range text {
		for _, other := range crockford {
			if text[i] == byte(other) {
				continue
			}
			_, err := enrol.ParseCode(text[:i] + string(other) + text[i+1:])
			want := fmt.Sprintf("le signe %d du groupe %d semble faux", i%5+1, i/5+1)
			if !errors.Is(err, enrol.ErrCode) || !strings.Contains(err.Error(), want) {
				t.Errorf("sign %d altered: %v", i, err)
			}
		}
	}
	for range 100 {
		text := strings.ReplaceAll(newCode().Text(), "-", "")
		for i := range len(text) - 1 {
			if text[i] == text[i+1] {
				continue
			}
			_, err := enrol.ParseCode(text[:i] + text[i+1:i+2] + text[i:i+1] + text[i+2:])
			if !errors.Is(err, enrol.ErrCode) || !strings.Contains(err.Error(), "inversés") {
				t.Errorf("signs %d and %d swapped: %v", i, i+1, err)
			}
		}
	}
	for i := range text {
		for j := range i {
			for a := byte(1); a < 32; a++ {
				for b := byte(1); b < 32; b += 3 {
					signs := []byte(text)
					signs[i] = crockford[strings.IndexByte(crockford, signs[i])^int(a)]
					signs[j] = crockford[strings.IndexByte(crockford, signs[j])^int(b)]
					if _, err := enrol.ParseCode(string(signs)); err == nil {
						t.Fatalf("signs %d and %d altered: accepted", i, j)
					}
				}
			}
		}
	}
}

func TestCodeErrors(t *testing.T) {
	t.Parallel()
	text := newCode().Text()
	future := strings.Repeat("0", 45) // version 0, and the sums are right
	tests := []struct{ name, typed, want string }{
		{"empty", " - ", "vide"},
		{"short", text[:len(text)-1], "44 signes au lieu de 45"},
		{"long", text + "0", "46 signes au lieu de 45"},
		{"letter U", "U" + text[1:], "le signe 1 du groupe 1 n’existe dans aucun code"},
		{"accent", text[:6] + "é" + text[7:], "le signe 1 du groupe 2 n’existe dans aucun code"},
		{"after the end", text + "!", "un signe après la fin"},
		{"not UTF-8", "\xff" + text[1:], "le signe 1 du groupe 1"},
		{"other version", future, "plus récent"},
	}
	for _, tt := range tests {
		_, err := enrol.ParseCode(tt.typed)
		if !errors.Is(err, enrol.ErrCode) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A code that lands in a log says nothing.
func TestCodeSecret(t *testing.T) {
	t.Parallel()
	c := newCode()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, c); got != "enrol.Code(…)" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(newCode().Text())
	f.Add("O0O0O-iiiii")
	f.Add(strings.Repeat("0", 45))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := enrol.ParseCode(s)
		if err != nil {
			if !errors.Is(err, enrol.ErrCode) {
				t.Fatalf("%v is not ErrCode", err)
			}
			return
		}
		if again, err := enrol.ParseCode(c.Text()); err != nil || again != c {
			t.Fatalf("%q reads, but %q does not: %v", s, c.Text(), err)
		}
	})
}
