package typeset

import (
	"regexp"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
)

// RightToLeft tells whether a language, by its BCP 47 tag such as "ar", is
// written from right to left. What is no tag, such as "falc", is not.
func RightToLeft(lang string) bool {
	tag, err := language.Parse(lang)
	if err != nil {
		return false
	}
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg":
		return true
	}
	return false
}

// Directed tells which way a text of one paragraph runs on a page, and what to
// set so that numbers and references in it stay in order. Text in foreign
// letters alone, such as an address, keeps their direction, and so does a number
// alone; a span of two, such as opening hours, runs as the page does.
func Directed(text string, pageRTL bool) (string, bool) {
	left, right := letters(text)
	rtl := right && (pageRTL || !left)
	if !left && !right && strings.Contains(text, "–") {
		rtl = pageRTL
	}
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
