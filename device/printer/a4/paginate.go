package a4

// bond is how firmly an atom holds to the one below it.
type bond int

const (
	loose   bond = iota
	soft         // on one page, unless that leaves too much of a page empty
	hard         // on one page, unless no page is large enough
	softMax = 0.4 * height
)

// atom is what is never split: a line, a code, a rule.
type atom struct {
	height float64
	gap    float64 // white above it, except at the top of a page
	bond   bond
	draw   func(p *pen, top float64)
}

// placed is an atom on a page, its top in points from the upper edge.
type placed struct {
	atom
	top float64
}

// paginate fills pages from the top.
func paginate(atoms []atom) [][]placed {
	var pages [][]placed
	var page []placed
	y := 0.0
	for len(atoms) > 0 {
		n := cluster(atoms)
		if len(page) > 0 && y+atoms[0].gap+extent(atoms[:n]) > height {
			pages, page, y = append(pages, page), nil, 0
		}
		for _, a := range atoms[:n] {
			if len(page) > 0 {
				y += a.gap
			}
			page = append(page, placed{a, margin + y})
			y += a.height
		}
		atoms = atoms[n:]
	}
	return append(pages, page)
}

// cluster tells how many of the first atoms go on one page.
func cluster(atoms []atom) int {
	n := run(atoms, soft)
	if extent(atoms[:n]) > softMax {
		n = run(atoms, hard)
	}
	for n > 1 && extent(atoms[:n]) > height {
		n--
	}
	return n
}

// run tells how many atoms hold together at least as firmly as b.
func run(atoms []atom, b bond) int {
	n := 1
	for n < len(atoms) && atoms[n-1].bond >= b {
		n++
	}
	return n
}

// extent is the height of atoms one below the other, without the gap above.
func extent(atoms []atom) float64 {
	h := atoms[0].height
	for _, a := range atoms[1:] {
		h += a.gap + a.height
	}
	return h
}
