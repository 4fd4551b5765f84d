package unfound_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/kiosk/unfound"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"Carte  Grise":                "carte grise",
		" l’Œuvre d’été ":             "l oeuvre d ete",
		"e\u0301tat civil":            "etat civil",
		"Straße":                      "strasse",
		"İstanbul":                    "istanbul",
		"بِطَاقَة":                    "بطاقة",
		"crèche 2":                    "creche 2",
		"caf":                         "caf",
		"16 à 20 ans":                 "",
		"ca":                          "",
		"a1b2":                        "",
		"":                            "",
		" - ’":                        "",
		"dupont 0612345678":           "",
		"dupont 06 12 34 56 78":       "",
		"dupont ٠٦١":                  "",
		"zoé@exemple":                 "",
		strings.Repeat("a", 40):       strings.Repeat("a", 40),
		strings.Repeat("a", 41):       "",
		strings.Repeat("é", 40):       strings.Repeat("e", 40),
		strings.Repeat("ab ", 14):     "",
		"<b>rien</b>":                 "b rien b",
		"=somme":                      "somme",
		"ligne\nsuivante":             "ligne suivante",
		"1 2 trois":                   "1 2 trois",
		"№ cinq \x00 vide \u202e fin": "no cinq vide fin",
	} {
		got := string(unfound.Plain(typed))
		if got != want {
			t.Errorf("%q becomes %q, not %q", typed, got, want)
		}
		if again := string(unfound.Plain(got)); again != got {
			t.Errorf("%q becomes another, %q", got, again)
		}
	}
}

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func seal(t *testing.T, kind, text string, to ...age.Recipient) []byte {
	t.Helper()
	sealed, err := unfound.Seal(unfound.Word{Kind: kind, Text: []byte(text)}, to)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// All have one size, and only the key opens them.
func TestSeal(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	size := 0
	for _, text := range []string{"caf", "carte grise", strings.Repeat("é", 40), strings.Repeat("字", 40)} {
		plain := string(unfound.Plain(text))
		for _, kind := range unfound.Kinds() {
			sealed := seal(t, kind, plain, key.Recipient())
			if size == 0 {
				size = len(sealed)
			}
			if len(sealed) != size || bytes.Contains(sealed, []byte(plain)) || bytes.Contains(sealed, []byte(kind)) {
				t.Errorf("%q has %d bytes, another %d", text, len(sealed), size)
			}
			if w, err := unfound.Open(sealed, key); err != nil || w.Kind != kind || string(w.Text) != plain {
				t.Errorf("%q opens as %q %q, %v", plain, w.Kind, w.Text, err)
			}
			if _, err := unfound.Open(sealed, newKey(t)); !errors.Is(err, unfound.ErrUnfit) {
				t.Errorf("another key: %v", err)
			}
		}
	}
	t.Logf("%d bytes", size)
	if _, err := unfound.Seal(unfound.Word{Kind: unfound.Places, Text: make([]byte, 300)}, []age.Recipient{key.Recipient()}); err == nil {
		t.Error("what doesn't fit is sealed")
	}
}

// A borne that was altered can't bring what no resident's search could be.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for _, w := range [][2]string{{"places", "Carte"}, {"places", "a b  c"}, {"places", "tel 0612345678"}, {"places", "<script>"}, {"elsewhere", "carte"}, {"", "carte"}, {"places", ""}, {"places", "x\nabc"}} {
		if got, err := unfound.Open(seal(t, w[0], w[1], key.Recipient()), key); !errors.Is(err, unfound.ErrUnfit) || strings.Contains(err.Error(), "0612") {
			t.Errorf("%q opens as %q: %v", w, got, err)
		}
	}
	sealed := seal(t, unfound.Places, "carte", key.Recipient())
	for _, data := range [][]byte{nil, sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0)} {
		if _, err := unfound.Open(data, key); !errors.Is(err, unfound.ErrUnfit) {
			t.Errorf("%d of %d bytes: %v", len(data), len(sealed), err)
		}
	}
	var long bytes.Buffer
	out, err := age.Encrypt(&long, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "places\ncarte%1000s", "")
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := unfound.Open(long.Bytes(), key); !errors.Is(err, unfound.ErrUnfit) {
		t.Errorf("one that is too long: %v", err)
	}
}

// What one borne takes: a search once a day, few of a visit, not very many of a
// day; with the month and nothing finer.
func TestDesk(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	var took []string
	d := unfound.Desk{Put: func(month string, sealed []byte) {
		w, err := unfound.Open(sealed, key)
		if err != nil {
			t.Error(err)
		}
		took = append(took, month+" "+w.Kind+" "+string(w.Text))
	}}
	day := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	take := func(want int, texts ...string) {
		t.Helper()
		var words []unfound.Word
		for _, text := range texts {
			words = append(words, unfound.Word{Kind: unfound.Places, Text: []byte(text)})
		}
		before := len(took)
		if err := d.Take(words, []age.Recipient{key.Recipient()}, day); err != nil {
			t.Fatal(err)
		}
		if n := len(took) - before; n != want {
			t.Errorf("of %.60q it takes %d, not %d", texts, n, want)
		}
	}
	take(1, "carte grise")
	if took[0] != "2026-11 places carte grise" {
		t.Errorf("it takes %q", took)
	}
	for range 5 { // the same person again and again
		take(0, "carte grise")
	}
	if err := d.Take([]unfound.Word{{Kind: unfound.Demarches, Text: []byte("carte grise")}}, []age.Recipient{key.Recipient()}, day); err != nil || len(took) != 2 {
		t.Errorf("elsewhere it is another search: %q, %v", took, err)
	}
	day = day.AddDate(0, 0, 1)
	take(1, "carte grise")
	take(5, "aaa", "bbb", "ccc", "ddd", "eee", "fff")
	for i := range 19 {
		var five []string
		for k := range 5 {
			five = append(five, fmt.Sprintf("mot %c%c", 'a'+i, 'a'+k))
		}
		take(min(5, 100-6-5*i), five...)
	}
	take(0, "le jour est plein")
	day = day.AddDate(0, 0, 1)
	take(1, "carte grise")
	if last := took[len(took)-1]; last != "2026-12 places carte grise" {
		t.Errorf("in December: %q", last)
	}
	if err := d.Take([]unfound.Word{{Kind: unfound.Places, Text: []byte("autre")}}, nil, day); err != nil || len(took) != 103 {
		t.Errorf("with no hub to seal to, %d are taken: %v", len(took), err)
	}
}
