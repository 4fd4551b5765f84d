package demarche

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// indexed is the words of a démarche in one language, folded.
type indexed struct {
	title, summary []string
}

func (d *Demarche) indexWords() {
	d.words = map[string]indexed{}
	for _, lang := range Languages() {
		d.words[lang] = indexed{fold(d.Title[lang]), fold(d.Summary[lang])}
	}
}

// Search returns the démarches whose title or summary, in lang, has a word
// that starts with each word of text; accents and case don't matter. Those
// with all the words in their title come first, then the most asked for. An
// empty text finds all.
func (c *Catalogue) Search(text, lang string) []*Demarche {
	wanted := fold(text)
	var inTitle, inSummary []*Demarche
	for _, d := range c.Demarches {
		words, ok := d.words[lang]
		if !ok {
			words = d.words["fr"]
		}
		switch {
		case hasAll(words.title, wanted):
			inTitle = append(inTitle, d)
		case hasAll(slices.Concat(words.title, words.summary), wanted):
			inSummary = append(inSummary, d)
		}
	}
	return append(inTitle, inSummary...)
}

func hasAll(words, prefixes []string) bool {
	for _, prefix := range prefixes {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, prefix) }) {
			return false
		}
	}
	return true
}

// elided are the French words that an apostrophe shortens: "l’", "qu’". They
// say nothing about what is sought.
var elided = []string{"l", "d", "s", "n", "c", "j", "m", "t", "qu"}

// fold splits a text into words without accents or capitals.
func fold(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'œ':
			b.WriteString("oe")
		case r == 'æ':
			b.WriteString("ae")
		case r == '\'' || r == '’':
			b.WriteString("’ ")
		case isWordRune(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	var words []string
	for _, w := range strings.Fields(b.String()) {
		bare, short := strings.CutSuffix(w, "’")
		if bare == "" || short && slices.Contains(elided, bare) {
			continue
		}
		words = append(words, bare)
	}
	return words
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
