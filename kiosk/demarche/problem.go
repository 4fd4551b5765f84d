package demarche

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong in a file, with a French reason for its author.
type Problem struct {
	File    string `json:"file"` // as named in the folder loaded
	Line    int    `json:"line"` // from 1
	Reason  string `json:"reason"`
	Warning bool   `json:"warning"` // worth mending, but no reason to refuse the file
}

func (p Problem) String() string {
	if p.Warning {
		return fmt.Sprintf("%s:%d: attention : %s", p.File, p.Line, p.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
}

// Problems is all that is wrong in a folder, by file and line.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Errors returns the problems that make a file refused.
func (ps Problems) Errors() Problems {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return p.Warning })
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
