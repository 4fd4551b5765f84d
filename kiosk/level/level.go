// Package level is the level test: five plain questions whose answers add up
// to one of the need profiles. It keeps nothing of what is answered.
package level

// Test is a loaded level test. It doesn't change, and is safe for concurrent use.
type Test struct {
	Questions []Question
	Profiles  []Profile // the one with the most help first
}

// Question is asked on a page of its own.
type Question struct {
	ID      string
	Text    Text
	Choices []Choice
}

// Choice is one answer to a question.
type Choice struct {
	ID     string
	Icon   string // Tabler outline icon
	Label  Text
	Detail Text           // nil where there is none
	Points map[string]int // by profile ID; from 1 to 9
}

// Profile is the kind of help that suits a resident.
type Profile struct {
	ID     string // "accompagnement", "formation", "coup_de_pouce"
	Icon   string // Tabler outline icon
	Title  Text
	Text   Text   // what the answers say about the resident
	Advice Text   // what to do next
	Topic  string // of a callback
	Query  Query
}

// Query says which places suit a profile, in the directory's keys: any one of
// the services, and any one of the support modes.
type Query struct {
	Services     []string
	SupportModes []string
}

// Text is a text by language: "fr", "falc", "en".
type Text map[string]string

// In returns the text in a language, or in French where it has none.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t["fr"]
}

// Profile returns the profile that got most points from the answers, a choice
// ID by question ID. Between equals it is the one listed first, which offers
// more help: too much help harms nobody. Unknown and missing answers count
// for nothing, so with no answer at all it is the first profile.
func (t *Test) Profile(answers map[string]string) *Profile {
	points := map[string]int{}
	for _, q := range t.Questions {
		for _, c := range q.Choices {
			if answers[q.ID] != c.ID {
				continue
			}
			for id, n := range c.Points {
				points[id] += n
			}
		}
	}
	return t.best(points)
}

func (t *Test) best(points map[string]int) *Profile {
	best := 0
	for i, p := range t.Profiles {
		if points[p.ID] > points[t.Profiles[best].ID] {
			best = i
		}
	}
	return &t.Profiles[best]
}
