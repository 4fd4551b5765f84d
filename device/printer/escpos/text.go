package escpos

import (
	"bytes"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// noBreak is the no-break space of CP1252. It keeps words together while lines
// are made, and is printed as a plain space.
const noBreak = 0xA0

// substitutes spells characters that CP1252 lacks and that do not decompose
// into ones it has.
var substitutes = map[rune]string{
	'\u2011': "-", '\u2010': "-", '\u2212': "-", '\u2015': "—",
	'\u2192': "->", '\u2190': "<-", '\u2264': "<=", '\u2265': ">=", '\u2260': "<>",
	'\u2713': "x", '\u2714': "x", '\u25CF': "•", '\u25A0': "•",
	'\u0111': "d", '\u0110': "D", '\u0142': "l", '\u0141': "L", '\u0131': "i",
}

// cp1252 spells s in the printer's code page. Line feeds stay; every other
// control character goes, so that no text can hold a command. What the page
// lacks loses its accents, or becomes "?".
func cp1252(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range norm.NFC.String(s) {
		out = appendRune(out, r)
	}
	return out
}

func appendRune(out []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(out, '\n')
	case r == '\t':
		return append(out, ' ')
	case r == '\u00A0' || r == '\u202F' || r == '\u2007':
		return append(out, noBreak)
	case r == '\u00AD' || unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
		return out
	case unicode.IsSpace(r):
		return append(out, ' ')
	}
	if b, ok := charmap.Windows1252.EncodeRune(r); ok {
		return append(out, b)
	}
	if s, ok := substitutes[r]; ok {
		return append(out, cp1252(s)...)
	}
	found := false
	for _, d := range norm.NFKD.String(string(r)) {
		if unicode.Is(unicode.Mn, d) {
			continue
		}
		if b, ok := charmap.Windows1252.EncodeRune(d); ok && !unicode.IsControl(d) {
			out, found = append(out, b), true
		}
	}
	if !found && !unicode.Is(unicode.Mn, r) {
		out = append(out, '?')
	}
	return out
}

// wrap breaks text into lines of at most cols characters: between words, else
// after a sign within a long word such as an address, else anywhere.
func wrap(text []byte, cols int) [][]byte {
	var lines [][]byte
	for paragraph := range bytes.SplitSeq(text, []byte{'\n'}) {
		var line []byte
		for word := range bytes.FieldsFuncSeq(paragraph, func(r rune) bool { return r == ' ' }) {
			switch {
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
