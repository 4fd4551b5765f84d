// Package enrol gives a borne its identity: the one-time code that IT types,
// the borne's side, which asks for certificates and keeps them through power
// cuts, and the hub's side, which grants them.
package enrol

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// A code has 45 signs of five bits: two bits of version, the fingerprint, the
// secret, and three check signs.
const (
	codeVersion     = 1
	fingerprintSize = 16 // bytes, of the authority's 32
	secretSize      = 10 // bytes
	dataSigns       = 42
	checkSigns      = 3
	codeSigns       = dataSigns + checkSigns
	groupSigns      = 5
)

// alphabet is Crockford's base32: no I, L, O, which are read as 1, 1 and 0,
// and no U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ErrCode says that what was typed is not a code for enrolment.
var ErrCode = errors.New("code d’enrôlement incorrect")

// Code is good for enrolling one borne, once. It knows the hub by its
// authority, so that the secret is told to no other. It never prints itself
// but by Text.
type Code struct {
	fingerprint [fingerprintSize]byte
	secret      [secretSize]byte
}

// NewCode draws a code for the hub whose authority has this fingerprint.
func NewCode(authority [sha256.Size]byte) Code {
	var c Code
	copy(c.fingerprint[:], authority[:])
	rand.Read(c.secret[:]) // never fails
	return c
}

// Hash is the SHA-256 of the secret: what the hub keeps of a code.
func (c Code) Hash() []byte { return hashSecret(c.secret[:]) }

func hashSecret(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

// Format prints a code without its secret whatever the verb, so that no log
// can reveal it.
func (c Code) Format(f fmt.State, _ rune) { fmt.Fprint(f, "enrol.Code(…)") }

// LogValue logs a code without its secret.
func (c Code) LogValue() slog.Value { return slog.StringValue("enrol.Code(…)") }

// Text is the code as IT types it: nine groups of five signs.
func (c Code) Text() string {
	data := append(c.fingerprint[:], c.secret[:]...)
	var signs [codeSigns]byte
	bits, n := uint(codeVersion), 2 // n bits wait to be written
	i := 0
	for _, b := range data {
		bits, n = bits<<8|uint(b), n+8
		for ; n >= 5; n -= 5 {
			signs[i] = byte(bits >> (n - 5) & 31)
			i++
		}
	}
	addCheck(&signs)

	var text strings.Builder
	for i, s := range signs {
		if i > 0 && i%groupSigns == 0 {
			text.WriteByte('-')
		}
		text.WriteByte(alphabet[s])
	}
	return text.String()
}

// ParseCode reads a code as somebody typed it: spaces, dashes and small letters
// don't matter, O is 0, I and L are 1. It finds any one or two altered signs
// and any two neighbours swapped. Errors are ErrCode and what is wrong, in
// French; they never repeat the code.
func ParseCode(s string) (Code, error) {
	signs, err := readSigns(s)
	if err != nil {
		return Code{}, fmt.Errorf("%w : %w", ErrCode, err)
	}
	if err := check(&signs); err != nil {
		return Code{}, fmt.Errorf("%w : %w", ErrCode, err)
	}
	if v := signs[0] >> 3; v != codeVersion {
		return Code{}, fmt.Errorf("%w : il vient d’un hub plus récent. Mettez d’abord la borne à jour", ErrCode)
	}

	var data [fingerprintSize + secretSize]byte
	bits, n := uint(signs[0]&7), 3
	i := 0
	for _, sign := range signs[1:dataSigns] {
		bits, n = bits<<5|uint(sign), n+5
		if n >= 8 {
			n -= 8
			data[i] = byte(bits >> n)
			i++
		}
	}
	var c Code
	copy(c.fingerprint[:], data[:])
	copy(c.secret[:], data[fingerprintSize:])
	return c, nil
}

func readSigns(s string) (signs [codeSigns]byte, err error) {
	n := 0
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			continue
		}
		switch r = unicode.ToUpper(r); r {
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		v := strings.IndexRune(alphabet, r)
		if v < 0 {
			return signs, fmt.Errorf("%s n’existe dans aucun code", place(n))
		}
		if n < codeSigns {
			signs[n] = byte(v)
		}
		n++
	}
	switch {
	case n == 0:
		return signs, errors.New("il est vide")
	case n < codeSigns:
		return signs, fmt.Errorf("trop court, il a %d signes au lieu de %d", n, codeSigns)
	case n > codeSigns:
		return signs, fmt.Errorf("trop long, il a %d signes au lieu de %d", n, codeSigns)
	}
	return signs, nil
}

// place names a sign as somebody who looks at the code finds it.
func place(i int) string {
	if i >= codeSigns {
		return "un signe après la fin"
	}
	return fmt.Sprintf("le signe %d du groupe %d", i%groupSigns+1, i/groupSigns+1)
}
