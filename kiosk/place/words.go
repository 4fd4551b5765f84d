package place

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold brings a text to lower case without accents: "Médiathèque" becomes
// "mediatheque", "Œuvres" "oeuvres".
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	s = strings.ToLower(s)
	if ascii {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ß':
			b.WriteString("ss")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isBreak(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
}

// words parts a text into folded words.
func words(s string) []string { return strings.FieldsFunc(fold(s), isBreak) }

// small words say nothing about a place.
var small = map[string]bool{"de": true, "du": true, "des": true, "la": true, "le": true, "les": true, "un": true, "une": true,
	"et": true, "ou": true, "en": true, "au": true, "aux": true, "pour": true, "par": true, "sur": true, "dans": true, "avec": true,
	"ce": true, "ces": true, "se": true, "ma": true, "mon": true, "mes": true}

// weighs says whether a word is worth finding.
func weighs(w string) bool {
	return !small[w] && (len(w) > 1 || w[0] >= '0' && w[0] <= '9')
}

// stem cuts a folded word's ending, so that "numériques", "municipaux" and
// "médiatrice" meet "numérique", "municipal" and "médiateur". It is light on
// purpose: two words of one stem are nearly always the same word.
func stem(w string) string {
	if len(w) < 5 {
		if len(w) == 4 && w[3] == 's' {
			return w[:3]
		}
		return w
	}
	switch {
	case strings.HasSuffix(w, "eaux"):
		return w[:len(w)-1]
	case strings.HasSuffix(w, "aux"):
		return w[:len(w)-2] + "l"
	case w[len(w)-1] == 's' || w[len(w)-1] == 'x':
		w = w[:len(w)-1]
	}
	switch {
	case len(w) >= 8 && strings.HasSuffix(w, "trice"):
		return w[:len(w)-4]
	case len(w) >= 7 && strings.HasSuffix(w, "teur"):
		return w[:len(w)-3]
	case len(w) >= 7 && strings.HasSuffix(w, "euse"):
		return w[:len(w)-2]
	case len(w) >= 6 && strings.HasSuffix(w, "er"):
		w = w[:len(w)-2]
	default:
		w = strings.TrimRight(w, "e")
	}
	if n := len(w); n > 4 && w[n-1] == w[n-2] {
		w = w[:n-1]
	}
	return w
}

// oneError says whether b is a with one letter wrong, missing, too many or
// swapped with its neighbour. Both are folded, so bytes do for letters.
func oneError(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return true
	}
	return a[i+1:] == b[i+1:] ||
		i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
