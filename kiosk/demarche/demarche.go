// Package demarche holds the guided public procedures a borne can take a
// resident through: the model, the loader that refuses broken files, and the
// engine that picks the next question and the outcome. A démarche is one YAML
// file whose branches are CEL conditions, compiled once when it is loaded.
package demarche

import (
	"cmp"
	"slices"
	"time"
)

// Languages lists the languages that every Text of a démarche is written in:
// French, facile à lire, English.
func Languages() []string { return []string{"fr", "falc", "en"} }

// Text is one sentence or label by language code.
type Text map[string]string

// In returns the text in lang, or in French where lang has none.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t["fr"]
}

// Catalogue is a set of démarches, safe for concurrent use once loaded.
type Catalogue struct {
	Themes    []Theme     // in the order of themes.yaml
	Demarches []*Demarche // by rank, most asked for first
}

// Theme gathers démarches under one tile.
type Theme struct {
	ID    string
	Icon  string // Tabler outline icon
	Label Text
}

// Get returns the démarche with this id, or nil.
func (c *Catalogue) Get(id string) *Demarche {
	for _, d := range c.Demarches {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// Popular returns the n most asked for démarches, or all when there are fewer.
func (c *Catalogue) Popular(n int) []*Demarche {
	return slices.Clone(c.Demarches[:min(max(n, 0), len(c.Demarches))])
}

// ByTheme returns the démarches of a theme, most asked for first.
func (c *Catalogue) ByTheme(id string) []*Demarche {
	var found []*Demarche
	for _, d := range c.Demarches {
		if d.Theme == id {
			found = append(found, d)
		}
	}
	return found
}

func (c *Catalogue) sort() {
	slices.SortFunc(c.Demarches, func(a, b *Demarche) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
	})
}

// Demarche is one guided procedure, safe for concurrent use once loaded.
type Demarche struct {
	ID      string
	Theme   string    // a Theme's ID
	Icon    string    // Tabler outline icon
	Rank    int       // 1 is the most asked for
	Topic   string    // administrative topic key, for the callback
	Checked time.Time // day the facts were checked, midnight UTC
	Sources []Source
	Title   Text
	Summary Text
	Fiches  []string // ids of official Service-Public fiches

	questions []Question
	bring     []conditional[Item]
	cost      []conditional[Fact]
	delay     []conditional[Fact]
	advice    []conditional[Item]
	where     []conditional[Where]
	online    []conditional[Link]

	index    map[string]int // question ID to its place in questions
	relevant []packed       // see relevance
	longest  map[state]int  // questions still to come on the longest path
	paths    int
	words    map[string]indexed // by language, for Search
}

// Source is where the facts of a démarche come from.
type Source struct {
	Title Text
	URL   string
}

// Question is one screen's question.
type Question struct {
	ID      string
	Text    Text
	Help    Text // nil when there is none
	Choices []Choice

	when *condition
	line int
}

// Choice is one answer to a question.
type Choice struct {
	ID     string
	Icon   string // Tabler outline icon
	Label  Text
	Detail Text // nil when there is none

	when *condition
	line int
}

// Item is a thing to bring, or a piece of advice.
type Item struct {
	Text   Text
	Detail Text   // nil when there is none
	Icon   string // Tabler outline icon, may be empty
}

// Fact is a cost or a delay.
type Fact struct {
	Title  Text
	Detail Text // nil when there is none
	Verify bool // may have changed since Checked: show "à vérifier" and the source
}

// Where is somewhere to go.
type Where struct {
	Text   Text
	Detail Text   // nil when there is none
	Query  *Query // which places of the directory help here; nil when none
}

// Query picks places from the directory. Services and Programmes hold the
// national schema's values in lower snake case.
type Query struct {
	Text       string
	Services   []string
	Programmes []string
}

// Link is an address to do the démarche online.
type Link struct {
	Text Text
	URL  string // https
}

// Outcome is what a resident needs to know once every question is answered.
type Outcome struct {
	Bring  []Item
	Cost   []Fact
	Delay  []Fact
	Advice []Item
	Where  []Where
	Online []Link
	Fiches []string
}

// conditional is a part of a démarche that shows when its condition holds.
type conditional[T any] struct {
	value T
	when  *condition
	line  int
}
