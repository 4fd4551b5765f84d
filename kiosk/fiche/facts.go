package fiche

import "strings"

// Fact is a line of a table told without columns.
type Fact struct {
	Label, Value string
	Head         bool // stands over the lines that follow
}

// Facts tells the table row by row, for where columns have no room or can't be
// heard: two columns as label and value; of more, the first over a line for
// each of the others, labelled with the name of its column. No cell is lost.
func (b Table) Facts() []Fact {
	rows := b.Rows
	if len(rows) == 0 {
		return nil
	}
	var names []string
	if b.Header && len(rows) > 1 && len(rows[0]) > 2 {
		names, rows = rows[0], rows[1:]
	}
	var facts []Fact
	for n, row := range rows {
		switch head := b.Header && names == nil && n == 0; {
		case allSame(row) && row[0] == "":
		case allSame(row):
			facts = append(facts, Fact{Label: row[0], Head: head || len(row) > 1})
		case len(row) == 2:
			facts = append(facts, Fact{Label: row[0], Value: row[1], Head: head})
		default:
			facts = append(facts, wide(names, row)...)
		}
	}
	return facts
}

// allSame says whether a row is one cell over all columns.
func allSame(row []string) bool {
	for _, cell := range row {
		if cell != row[0] {
			return false
		}
	}
	return true
}

// wide tells a row of three columns or more.
func wide(names, row []string) []Fact {
	name := func(column int) string {
		if names == nil {
			return ""
		}
		return names[column]
	}
	facts := []Fact{{Label: strings.Join(filled(name(0), row[0]), "\u00a0: "), Head: true}}
	if facts[0].Label == "" {
		facts = nil
	}
	for c := 1; c < len(row); c++ {
		switch {
		case row[c] == "" && name(c) == "":
		case name(c) == "":
			facts = append(facts, Fact{Label: row[c]})
		default:
			facts = append(facts, Fact{Label: name(c), Value: row[c]})
		}
	}
	return facts
}

func filled(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if t != "" {
			list = append(list, t)
		}
	}
	return list
}
