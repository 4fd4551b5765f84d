package fiche

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Hit is a fiche found.
type Hit struct {
	ID, Title, Subject string
	InTitle            bool // all the words sought are in the title
}

// Search returns the fiches that have, for each of the words, one that starts
// with it; accents and case don't matter, nor do small words ("de", "la").
// Those with the words in their title come first, the shortest title leading.
// No words find all.
func (l *Library) Search(words string) []Hit {
	wanted := weighty(fold(words))
	found := l.index.find(wanted, len(l.entries))
	type ranked struct {
		*entry
		inTitle int
	}
	var hits []ranked
	for i := range l.entries {
		e := &l.entries[i]
		if found[i] == len(wanted) && e.ID != "" && l.byID[e.ID] == i {
			hits = append(hits, ranked{e, countPrefixed(e.title, wanted)})
		}
	}
	slices.SortFunc(hits, func(a, b ranked) int {
		if by := cmp.Compare(b.inTitle, a.inTitle); by != 0 {
			return by
		}
		if by := cmp.Compare(len(a.title), len(b.title)); by != 0 && a.inTitle == len(wanted) && len(wanted) > 0 {
			return by
		}
		return cmp.Or(slices.Compare(a.title, b.title), cmp.Compare(a.ID, b.ID))
	})
	result := make([]Hit, len(hits))
	for i, h := range hits {
		result[i] = h.Hit
		result[i].InTitle = len(wanted) > 0 && h.inTitle == len(wanted)
	}
	return result
}

// countPrefixed counts the prefixes that a word starts with.
func countPrefixed(words, prefixes []string) int {
	n := 0
	for _, p := range prefixes {
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, p) }) {
			n++
		}
	}
	return n
}

// index says which files hold each word.
type index struct {
	files map[string][]int32
	words []string // sorted
}

func (x *index) add(file int32, words []string) {
	for _, w := range words {
		if x.files[w] == nil {
			w = strings.Clone(w) // it is part of a text that need not stay
		}
		x.files[w] = append(x.files[w], file)
	}
}

func (x *index) sort() {
	x.words = make([]string, 0, len(x.files))
	for w, files := range x.files {
		x.words = append(x.words, w)
		x.files[w] = slices.Clip(files)
	}
	slices.Sort(x.words)
}

// find returns, for each of n files, how many of the prefixes it has, counting
// no further than the first it lacks.
func (x *index) find(prefixes []string, n int) []int {
	found := make([]int, n)
	for had, prefix := range prefixes {
		first, _ := slices.BinarySearch(x.words, prefix)
		for _, w := range x.words[first:] {
			if !strings.HasPrefix(w, prefix) {
				break
			}
			for _, file := range x.files[w] {
				if found[file] == had {
					found[file]++
				}
			}
		}
	}
	return found
}

// indexWords returns the folded words of a fiche, each once. What it says of
// other pages doesn't count.
func indexWords(f *Fiche) []string {
	words := fold(f.Title)
	for _, s := range f.Sections {
		if s.Kind == References || s.Kind == More || s.Kind == Related {
			continue
		}
		for _, t := range s.Chapters {
			words = append(words, fold(t)...)
		}
		words = append(words, fold(s.Title)...)
		for _, t := range s.Cases {
			words = append(words, fold(t)...)
		}
		for _, b := range s.Blocks {
			for _, t := range b.texts() {
				words = append(words, fold(t)...)
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// small words say nothing about what is sought; the single letters are what
// an apostrophe leaves: "l’", "d’".
var small = set("le", "la", "les", "un", "une", "de", "du", "des", "et", "ou", "en", "au", "aux", "a", "l", "d", "s", "n",
	"c", "j", "m", "t", "qu", "pour", "par", "sur", "dans", "avec", "mon", "ma", "mes")

// weighty leaves out small words, unless there are no others.
func weighty(words []string) []string {
	kept := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return small[w] })
	if len(kept) == 0 {
		return words
	}
	return kept
}

var ligatures = strings.NewReplacer("œ", "oe", "æ", "ae")

// fold parts a text into words without accents or capitals.
func fold(text string) []string {
	text = norm.NFKD.String(ligatures.Replace(strings.ToLower(text)))
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, text)
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
