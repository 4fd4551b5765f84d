package escpos

import (
	"bytes"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// noBreak stands for a no-break space until lines are made, whatever the code
// page. It is a control character, which no text can hold.
const noBreak = 0x00

// page is a code page: the letters and signs that a printer has itself.
type page struct {
	chars  *charmap.Charmap
	bullet byte
}

// pages by their names in model files.
var pages = map[string]page{
	"cp1252": {charmap.Windows1252, 0x95},
	"cp858":  {charmap.CodePage858, 0xFA}, // has no bullet but a dot
}

// substitutes spells signs that a code page lacks and that do not decompose
// into ones it has, and the ligature of which French knows that it may be
// written in two letters.
var substitutes = map[rune]string{
	'\u2011': "-", '\u2010': "-", '\u2212': "-", '\u2015': "—", '\u2013': "-", '\u2014': "-",
	'\u2018': "'", '\u2019': "'", '\u201A': "'", '\u201C': "\"", '\u201D': "\"", '\u201E': "\"", '\u2039': "<", '\u203A': ">",
	'\u2026': "...", '\u2192': "->", '\u2190': "<-", '\u2264': "<=", '\u2265': ">=", '\u2260': "<>",
	'\u2713': "x", '\u2714': "x", '\u2022': "·", '\u25CF': "•", '\u25A0': "•", '\u20AC': "EUR",
	'\u0152': "OE", '\u0153': "oe",
}

// spell writes s in the code page. Line feeds stay; every other control
// character goes, so that no text can hold a command. A sign that the page lacks
// is written as another, or as "?". It reports whether every letter of s is
// there: no other letter stands for one.
func (p page) spell(s string) (text []byte, whole bool) {
	text, whole = make([]byte, 0, len(s)), true
	for _, r := range norm.NFC.String(s) {
		var ok bool
		text, ok = p.append(text, r)
		whole = whole && ok
	}
	return text, whole
}

func (p page) append(out []byte, r rune) ([]byte, bool) {
	switch {
	case r == '\n':
		return append(out, '\n'), true
	case r == '\t':
		return append(out, ' '), true
	case r == '\u00A0' || r == '\u202F' || r == '\u2007':
		return append(out, noBreak), true
	case r == '\u00AD' || unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
		return out, true
	case unicode.IsSpace(r):
		return append(out, ' '), true
	}
	if b, ok := p.chars.EncodeRune(r); ok && b >= ' ' {
		return append(out, b), true
	}
	if s, ok := substitutes[r]; ok {
		text, _ := p.spell(s)
		return append(out, text...), true
	}
	spelt, all := p.decompose(r)
	switch {
	case all:
		return append(out, spelt...), true
	case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
		return append(out, '?'), false
	case len(spelt) == 0:
		return append(out, '?'), true
	}
	return append(out, spelt...), true
}

// decompose spells a character by what it is made of, such as the "№" of "No",
// and reports whether all of it is there.
func (p page) decompose(r rune) (spelt []byte, all bool) {
	all = true
	for _, d := range norm.NFKD.String(string(r)) {
		b, ok := p.chars.EncodeRune(d)
		if ok = ok && b >= ' ' && !unicode.IsControl(d); ok {
			spelt = append(spelt, b)
		}
		all = all && ok
	}
	return spelt, all
}

// wrap breaks text into lines of at most cols characters: between words, else
// after a sign within a long word such as an address, else anywhere.
func wrap(text []byte, cols int) [][]byte {
	var lines [][]byte
	for paragraph := range bytes.SplitSeq(text, []byte{'\n'}) {
		var line []byte
		for word := range bytes.SplitSeq(paragraph, []byte{' '}) {
			switch {
			case len(word) == 0:
				continue
			case len(line) == 0:
				line = append(line, word...)
			case len(line)+1+len(word) <= cols:
				line = append(append(line, ' '), word...)
			default:
				lines = append(lines, line)
				line = append([]byte(nil), word...)
			}
			for len(line) > cols {
				n := breakAt(line, cols)
				lines = append(lines, line[:n])
				line = append([]byte(nil), line[n:]...)
			}
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		for i, c := range line {
			if c == noBreak {
				line[i] = ' '
			}
		}
	}
	return lines
}

// breakAt tells how much of a word longer than cols stays on its line.
func breakAt(word []byte, cols int) int {
	for i := cols; i > cols/2; i-- {
		if word[i-1] == noBreak || strings.IndexByte("/-_.?&=@", word[i-1]) >= 0 {
			return i
		}
	}
	return cols
}
