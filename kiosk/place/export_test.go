package place

import "regexp"

// Rule is a field's rule as tests compare it with the schema's file.
type Rule struct {
	Name     string
	Required bool
	Pattern  *regexp.Regexp
	Values   []string
	MaxRunes int
	Number   bool
	Date     bool
}

// Rules lists the rules in force.
func Rules() []Rule {
	var out []Rule
	for _, f := range schema {
		out = append(out, Rule{f.name, f.required, f.pattern, f.values, f.maxRunes, f.number, f.date})
	}
	return out
}

// Stem and OneError let tests look at single steps.
var (
	Stem     = stem
	OneError = oneError
)
