package pcsc

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

// answer is an answer to reset (ISO 7816-3), taken apart as far as it matters.
type answer struct {
	// wireless is the form that part 3 of PC/SC lays down for cards without
	// contacts, whose answers the reader makes up.
	wireless   bool
	historical []byte
}

// parseATR takes an answer to reset apart. It is false for what is none.
func parseATR(atr []byte) (answer, bool) {
	const least, most = 2, 33
	if len(atr) < least || len(atr) > most || atr[0] != 0x3B && atr[0] != 0x3F {
		return answer{}, false
	}
	t0 := atr[1]
	rest := atr[2:]
	var protocols []byte // TD1, TD2 …
	check := false
	for y := t0 >> 4; ; {
		n := 0 // of TA, TB and TC, before TD
		for _, bit := range []byte{1, 2, 4} {
			if y&bit != 0 {
				n++
			}
		}
		if len(rest) < n {
			return answer{}, false
		}
		rest = rest[n:]
		if y&8 == 0 {
			break
		}
		if len(rest) == 0 {
			return answer{}, false
		}
		td := rest[0]
		rest = rest[1:]
		protocols = append(protocols, td)
		check = check || td&0x0F != 0 // a checksum unless T=0 alone
		y = td >> 4
	}
	k := int(t0 & 0x0F)
	if len(rest) < k {
		return answer{}, false
	}
	a := answer{
		wireless:   atr[0] == 0x3B && t0>>4 == 8 && slices.Equal(protocols, []byte{0x80, 0x01}),
		historical: rest[:k],
	}
	if !check {
		return a, true // some cards put a needless checksum here
	}
	var sum byte
	for _, b := range atr[1:] {
		sum ^= b
	}
	return a, len(rest) == k+1 && sum == 0
}

// contactless tells whether a card has no contacts: its answer has the form
// that readers give it, and its reader is not named for contacts. Whatever is
// in doubt has contacts, and is then left alone.
func contactless(atr []byte, name string) bool {
	a, ok := parseATR(atr)
	words := strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return !unicode.IsLetter(r) })
	return ok && a.wireless && !slices.ContainsFunc(words, func(w string) bool {
		return w == "CONTACT" || w == "ICC" || w == "SAM"
	})
}

// storage is what the historical bytes of memory cards begin with, in part 3
// of PC/SC: the standard of the card and its name follow.
var storage = []byte{0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06}

// tag is how a contactless card may hold a message.
type tag int

const (
	noTag    tag = iota
	typeTwo      // pages of memory
	typeFour     // files
)

// tagOf guesses from the answer which kind of tag a contactless card may be.
func tagOf(atr []byte) tag {
	a, ok := parseATR(atr)
	if !ok {
		return noTag
	}
	name, memory := bytes.CutPrefix(a.historical, storage)
	if !memory {
		return typeFour
	}
	// Cards of these names open their memory only with a key.
	const classic1K, classic4K, mini = 0x0001, 0x0002, 0x0026
	if len(name) < 3 || slices.Contains([]int{classic1K, classic4K, mini}, int(name[1])<<8|int(name[2])) {
		return noTag
	}
	return typeTwo
}
