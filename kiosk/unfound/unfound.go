// Package unfound takes what residents searched for and did not find, so that a
// city learns what many lack and nothing of one of them. A borne makes each search
// plain, seals it to the hub and forgets it; only a hub can open it.
package unfound

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"filippo.io/age"
	"golang.org/x/text/unicode/norm"
)

// Where something can be searched for: the words of the counts of searches.
const (
	Places    = "places"   // the directory
	Demarches = "demarche" // the guided démarches
)

// Kinds are all of them.
func Kinds() []string { return []string{Demarches, Places} }

// Word is one search that found nothing. Text is as Plain makes it.
type Word struct {
	Kind string
	Text []byte
}

// Bounds of what is taken. Whoever types more writes a sentence, and digits may be
// somebody's number: in groups of two, too.
const (
	leastLetters = 3
	mostSigns    = 40
	mostDigits   = 2
)

// Plain brings what was typed to small letters without accents, with one space
// between words. It is nil where that is too short or too long, or may be a
// number or an address.
func Plain(typed string) []byte {
	plain := make([]byte, 0, 2*len(typed)+8)
	letters, signs, digits, gap := 0, 0, 0, false
	for _, r := range norm.NFKD.String(typed) {
		r = unicode.ToLower(r)
		text := string(r)
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case r == '@':
			return nil
		case unicode.IsNumber(r):
			digits++
		case r == 'œ':
			text = "oe"
		case r == 'æ':
			text = "ae"
		case r == 'ß':
			text = "ss"
		case !unicode.IsLetter(r) && !unicode.IsMark(r):
			gap = true
			continue
		}
		if gap && len(plain) > 0 {
			plain, signs = append(plain, ' '), signs+1
		}
		if unicode.IsLetter(r) {
			letters++
		}
		plain, signs, gap = append(plain, text...), signs+1, false
	}
	if letters < leastLetters || signs > mostSigns || digits > mostDigits {
		clear(plain)
		return nil
	}
	return plain
}

// block is what every search is filled up to in bytes before sealing, so that its
// length says nothing.
const block = 256

// Seal encrypts a search so that any one of the recipients can open it. The plain
// text is cleared before Seal returns.
func Seal(w Word, to []age.Recipient) ([]byte, error) {
	if len(w.Kind)+1+len(w.Text) > block {
		return nil, errors.New("seal a search: it is too long")
	}
	plain := bytes.Repeat([]byte{' '}, block) // which Plain leaves nowhere at an end
	defer clear(plain)
	n := copy(plain, w.Kind)
	plain[n] = '\n'
	copy(plain[n+1:], w.Text)
	var sealed bytes.Buffer
	out, err := age.Encrypt(&sealed, to...)
	if err == nil {
		_, err = out.Write(plain)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("seal a search: %w", err)
	}
	return sealed.Bytes(), nil
}

// ErrUnfit says that what was opened is no search as Plain makes one.
var ErrUnfit = errors.New("recherche illisible")

// Open decrypts what Seal made. It is the hub's side: a borne has no identity.
// Errors: ErrUnfit, which never repeats what is in it.
func Open(sealed []byte, ids ...age.Identity) (Word, error) {
	in, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return Word{}, fmt.Errorf("%w : %w", ErrUnfit, err)
	}
	plain, err := io.ReadAll(io.LimitReader(in, block+1))
	if err != nil || len(plain) != block {
		return Word{}, ErrUnfit
	}
	kind, text, ok := strings.Cut(strings.TrimRight(string(plain), " "), "\n")
	w := Word{Kind: kind, Text: Plain(text)}
	if !ok || !slices.Contains(Kinds(), kind) || text == "" || string(w.Text) != text {
		return Word{}, ErrUnfit
	}
	return w, nil
}
