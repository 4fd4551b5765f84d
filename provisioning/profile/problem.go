package profile

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a profile.
type Problem struct {
	File string // or the name of the layer
	Line int    // from 1; 0 where nothing is written
	Key  string // as people read it, "ecran.largeur_mm" or "lecteurs n° 2: type"; may be empty
	Text string // in French: what is expected, and what may have been meant
}

// Error is « profil.toml:5: ecran.largeur_mm: de 150 à 2000 millimètres ».
func (p Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Key != "" {
		where += ": " + p.Key
	}
	return where + ": " + p.Text
}

// Errors is all that is wrong with a profile, in the order of its lines.
type Errors []Problem

// Error has a line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil is e in order, or no error where nothing is wrong.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	files := map[string]int{} // in the order of their first problem
	for _, p := range e {
		if _, seen := files[p.File]; !seen {
			files[p.File] = len(files)
		}
	}
	slices.SortStableFunc(e, func(a, b Problem) int {
		if a.File != b.File {
			return files[a.File] - files[b.File]
		}
		return a.Line - b.Line
	})
	return e
}

// oneOf lists what is allowed: « a », « b » ou « c ».
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return "« " + strings.Join(words, "") + " »"
	}
	return "« " + strings.Join(words[:last], " », « ") + " » ou « " + words[last] + " »"
}
