package callback

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"
)

// alphabet leaves out every sign that looks like another one on paper or in
// handwriting: 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V (V stays). It has 23 signs, a
// prime, which is what lets the check sign catch all that it promises.
const alphabet = "34679ACDEFGHJKMNPRTVWXY"

const codeLength = 6

// ErrCode says that what was typed is not the code of a request.
var ErrCode = errors.New("numéro de demande incorrect")

// NewCode draws a code: five random signs and a check sign, in capitals
// without a space. There are 23⁵, over six million; a code is made unique by
// whoever keeps it.
func NewCode() string {
	code := make([]byte, codeLength)
	sum := 0
	for i := range codeLength - 1 {
		v, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // crypto/rand.Reader never fails
		}
		code[i] = alphabet[v.Int64()]
		sum += weight(i) * int(v.Int64())
	}
	check := (len(alphabet) - sum%len(alphabet)) % len(alphabet)
	code[codeLength-1] = alphabet[check]
	return string(code)
}

// weight gives each sign another factor, none of them a multiple of 23: a
// changed sign, or any two signs swapped, always changes the sum modulo 23.
func weight(i int) int { return codeLength - i }

// CheckCode reads a code as somebody typed it (small letters and spaces don't
// matter) and returns it as NewCode wrote it. Errors are ErrCode and the
// reason.
func CheckCode(s string) (string, error) {
	var code strings.Builder
	sum, n := 0, 0
	for _, r := range strings.ToUpper(s) {
		if unicode.IsSpace(r) || r == '-' {
			continue
		}
		v := strings.IndexRune(alphabet, r)
		if v < 0 {
			return "", fmt.Errorf("%w : le signe %q n’y figure jamais", ErrCode, r)
		}
		if n == codeLength {
			return "", fmt.Errorf("%w : plus de %d signes", ErrCode, codeLength)
		}
		sum += weight(n) * v
		code.WriteRune(r)
		n++
	}
	if n < codeLength {
		return "", fmt.Errorf("%w : %d signes au lieu de %d", ErrCode, n, codeLength)
	}
	if sum%len(alphabet) != 0 {
		return "", fmt.Errorf("%w : un signe est faux ou deux sont inversés", ErrCode)
	}
	return code.String(), nil
}

// FormatCode sets a code in two groups to be read out: "K7M 4HE".
func FormatCode(code string) string {
	if len(code) != codeLength {
		return code
	}
	return code[:codeLength/2] + " " + code[codeLength/2:]
}
