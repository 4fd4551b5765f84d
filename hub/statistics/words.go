package statistics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"parvis/hub/store"
	"parvis/kiosk/unfound"
)

// keyUnfound begins the keys of what residents searched for in vain, of a month and
// all sites: where they did, a dot and the words follow.
const keyUnfound = "unfound."

// mostWords is how many of them are told of a month: nobody reads more.
const mostWords = 200

// Unfound is a search that found nothing and that is told.
type Unfound struct {
	Kind string // where it was made: one of unfound.Kinds
	Text string // in small letters, without accents
	N    int    // on how many days and bornes it was made, rounded down
}

// releaseWords makes the figures of the searches of a month from how often each
// was made: "places.carte grise" → 7. Which of too many are told depends on nothing
// but what is told of them.
func (r rule) releaseWords(counts map[string]int) release {
	told := map[string]int{}
	for word, n := range counts {
		if n := r.show(n); n > 0 {
			told[word] = n
		}
	}
	words := slices.SortedFunc(maps.Keys(told), func(a, b string) int {
		return cmp.Or(cmp.Compare(told[b], told[a]), strings.Compare(a, b))
	})
	out := release{}
	for _, word := range words[:min(len(words), mostWords)] {
		out[cell{"", keyUnfound + word}] = told[word]
	}
	return out
}

// words opens the searches of a month, in memory, and makes their figures. told
// are those of its visits: what was searched for where few came does not count,
// nor does what can't be read.
func (s *Statistics) words(ctx context.Context, m Period, told release) (release, error) {
	counts := map[string]int{}
	err := s.store.EachUnfound(ctx, m.String(), func(site string, data []byte) {
		if told[cell{site, keyVisits}] == 0 {
			return
		}
		if w, err := unfound.Open(data, s.keys...); err == nil {
			counts[w.Kind+"."+string(w.Text)]++
		}
	})
	return safe.releaseWords(counts), err
}

// addWord adds a kept figure of a search to those of the period.
func (f *Figures) addWord(k store.Statistic) {
	kind, text, _ := strings.Cut(strings.TrimPrefix(k.Key, keyUnfound), ".")
	i := slices.IndexFunc(f.Unfound, func(u Unfound) bool { return u.Kind == kind && u.Text == text })
	if i < 0 {
		i = len(f.Unfound)
		f.Unfound = append(f.Unfound, Unfound{Kind: kind, Text: text})
	}
	f.Unfound[i].N += k.N
}

// sortWords puts the searches that were made most often first.
func (f *Figures) sortWords() {
	slices.SortFunc(f.Unfound, func(a, b Unfound) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Text, b.Text), strings.Compare(a.Kind, b.Kind))
	})
}
