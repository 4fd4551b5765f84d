package fiche

import (
	"strconv"
	"strings"
)

// What a table may hold at most: columns, of which the last takes what is over,
// and rows that one cell covers.
const (
	maxColumns = 20
	maxSpan    = 50
)

func (b *builder) table(n *node) {
	rows, rest := part(n, "Rangée")
	t := Table{}
	var others []*node
	for _, k := range rest {
		if t.Title == "" && (k.name == "Titre" || k.name == "TitreRiche") {
			t.Title = strings.Join(b.lines(k, k.kids...), " ")
			continue
		}
		others = append(others, k)
	}
	b.blocks(&node{kids: others})
	g := grid{}
	for i, row := range rows {
		g.begin()
		for _, k := range row.kids {
			if k.name != "" || strings.Trim(k.text, white) != "" {
				g.cell(b.text(k, content(k)...), span(k, "fusionHorizontale", maxColumns), span(k, "fusionVerticale", maxSpan))
			}
		}
		g.end()
		t.Header = t.Header || i == 0 && row.get("type") == "header"
	}
	t.Rows = g.square()
	b.add(t)
}

// content is what a cell holds: a text is its own content.
func content(k *node) []*node {
	if k.name == "" {
		return []*node{k}
	}
	return k.kids
}

// span is how many columns or rows a cell covers.
func span(cell *node, attr string, most int) int {
	n, err := strconv.Atoi(cell.get(attr))
	if err != nil {
		return 1
	}
	return min(max(n, 1), most)
}

// grid lays out the cells of a table, some of which cover several columns or
// rows.
type grid struct {
	rows  [][]string
	over  []string // cells of the last row that are beyond the last column
	above [maxColumns]struct {
		text string
		rows int // how many more rows it covers
	}
}

func (g *grid) begin() {
	g.rows = append(g.rows, nil)
	g.fill()
}

// fill repeats the cells above that cover the next columns.
func (g *grid) fill() {
	row := &g.rows[len(g.rows)-1]
	for len(*row) < maxColumns && g.above[len(*row)].rows > 0 {
		above := &g.above[len(*row)]
		above.rows--
		*row = append(*row, above.text)
	}
}

func (g *grid) cell(text string, columns, rows int) {
	row := &g.rows[len(g.rows)-1]
	if len(*row) == maxColumns {
		g.over = append(g.over, text)
		return
	}
	for ; columns > 0 && len(*row) < maxColumns; columns-- {
		g.above[len(*row)].text, g.above[len(*row)].rows = text, rows-1
		*row = append(*row, text)
	}
	g.fill()
}

func (g *grid) end() {
	row := g.rows[len(g.rows)-1]
	if len(row) == 0 {
		g.rows = g.rows[:len(g.rows)-1]
	}
	if len(g.over) > 0 {
		row[maxColumns-1] += "\n" + strings.Join(g.over, "\n")
		g.over = nil
	}
}

// square returns the rows, all of one length.
func (g *grid) square() [][]string {
	width := 0
	for _, row := range g.rows {
		width = max(width, len(row))
	}
	for i, row := range g.rows {
		g.rows[i] = append(row, make([]string, width-len(row))...)
	}
	return g.rows
}
