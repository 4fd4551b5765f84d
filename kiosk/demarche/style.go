package demarche

import (
	"regexp"
	"strings"
)

// maxFalcWords is how long a sentence of facile à lire should be at most.
const maxFalcWords = 15

var (
	sentenceEnd = regexp.MustCompile(`[.!?…]+(\s|$)`)
	bareSpace   = regexp.MustCompile(` [:;?!»]|« `)
	tightTime   = regexp.MustCompile(`\b[0-9]{1,2}h([0-9]{2})?\b`)
)

// style warns of what makes a text harder to read, in French texts.
func (r *reader) style(line int, name, lang, text string) {
	if !r.styled || lang == "en" {
		return
	}
	at := name + "." + lang
	if strings.Contains(text, "'") {
		r.warn(line, "%s : mettez l’apostrophe ’ au lieu de '", at)
	}
	if bareSpace.MatchString(text) {
		r.warn(line, "%s : mettez une espace insécable avant : ; ? ! » et après «", at)
	}
	if tightTime.MatchString(text) {
		r.warn(line, "%s : écrivez les heures ainsi : 14 h 30", at)
	}
	if lang != "falc" {
		return
	}
	for _, sentence := range sentenceEnd.Split(text, -1) {
		if n := words(sentence); n > maxFalcWords {
			r.warn(line, "%s : phrase de %d mots, plus que %d (« %s »)", at, n, maxFalcWords, clip(strings.TrimSpace(sentence)))
		}
	}
}

// words counts what has a letter or a digit; no-break spaces part words too.
func words(sentence string) int {
	n := 0
	for _, w := range strings.Fields(sentence) {
		if strings.IndexFunc(w, isWordRune) >= 0 {
			n++
		}
	}
	return n
}
