package a4

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// direction tells which way a paragraph of a page runs, and what to set so that
// numbers and references in it stay in order. A paragraph in foreign letters
// alone, such as an address, keeps their direction.
func direction(text string, pageRTL bool) (string, bool) {
	left, right := letters(text)
	rtl := right && (pageRTL || !left)
	if rtl {
		text = numbers.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") })
		text = reference.ReplaceAllString(text, "\u200e$0")
	}
	return text, rtl
}

var (
	// numbers are groups of digits such as those of a telephone number. A plain
	// space between them would let the groups change places.
	numbers = regexp.MustCompile(`[0-9]+(?: [0-9]+)+`)
	// reference begins with digits and holds Latin letters, such as "042A".
	// After an Arabic letter its digits would go to the other side of its
	// letters; the mark before it says that it is Latin.
	reference = regexp.MustCompile(`\b[0-9][0-9./:_-]*\p{Latin}`)
)

// letters tells whether text has letters that run from left to right and such
// that run from right to left.
func letters(text string) (left, right bool) {
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			left = true
		case bidi.R, bidi.AL:
			right = true
		}
	}
	return left, right
}
