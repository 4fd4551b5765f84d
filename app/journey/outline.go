package journey

import (
	"slices"
	"strconv"
	"strings"

	"parvis/kiosk/fiche"
)

// part is a line of a fiche's contents: a situation or a chapter with parts of
// its own, or a chapter to read.
type part struct {
	path      string // of the contents: "/2/0"
	label     string // empty for what has no title of its own
	situation string // of the whole fiche that it holds under; empty for all
	parts     []*part
	sections  []int // indexes in the fiche
}

// outline makes the contents of a fiche's text. Sections without words are
// left out.
func outline(f *fiche.Fiche) *part {
	var body []int
	for i, s := range f.Sections {
		if s.Kind == fiche.Body && len(s.Blocks) > 0 {
			body = append(body, i)
		}
	}
	root := &part{sections: body}
	situation := func(i int) string { return "" }
	if hasSituations(f, body) {
		situation = func(i int) string { return firstCase(f, i) }
	}
	for _, run := range runs(body, situation) {
		chapters := chapters(f, run, situation(run[0]))
		switch name := situation(run[0]); {
		case name == "":
			root.parts = append(root.parts, chapters...)
		case len(chapters) == 1:
			chapters[0].label = name
			root.parts = append(root.parts, chapters[0])
		default:
			root.parts = append(root.parts, &part{label: name, situation: name, parts: chapters, sections: run})
		}
	}
	root.number()
	return root
}

func (p *part) number() {
	for i, k := range p.parts {
		k.path = p.path + "/" + strconv.Itoa(i)
		k.number()
	}
}

// hasSituations tells situations of the whole fiche, which hold chapters, from
// those within a chapter: each stands in one place, nothing stands between
// them, and one of them holds several chapters.
func hasSituations(f *fiche.Fiche, body []int) bool {
	first := slices.IndexFunc(body, func(i int) bool { return firstCase(f, i) != "" })
	if first < 0 {
		return false
	}
	last := len(body)
	for firstCase(f, body[last-1]) == "" {
		last--
	}
	seen, several := map[string]bool{}, false
	for _, run := range runs(body[first:last], func(i int) string { return firstCase(f, i) }) {
		name := firstCase(f, run[0])
		if name == "" || seen[name] {
			return false
		}
		seen[name] = true
		several = several || top(f, run[0]) != top(f, run[len(run)-1])
	}
	return several
}

// chapters makes a part of each chapter. One with chapters of its own has parts.
func chapters(f *fiche.Fiche, sections []int, situation string) []*part {
	var list []*part
	for _, run := range runs(sections, func(i int) string { return top(f, i) }) {
		p := &part{label: top(f, run[0]), situation: situation, sections: run}
		inner := runs(run, func(i int) string {
			return strings.Join(append(slices.Clone(f.Sections[i].Chapters), f.Sections[i].Title), "\n")
		})
		if len(inner) > 1 {
			for _, run := range inner {
				k := &part{situation: situation, sections: run}
				if s := f.Sections[run[0]]; len(s.Chapters) > 0 {
					k.label = s.Title
				}
				p.parts = append(p.parts, k)
			}
		}
		list = append(list, p)
	}
	return list
}

// top is the title of the chapter of the first order that a section lies in.
func top(f *fiche.Fiche, i int) string {
	if s := f.Sections[i]; len(s.Chapters) > 0 {
		return s.Chapters[0]
	}
	return f.Sections[i].Title
}

func firstCase(f *fiche.Fiche, i int) string {
	if cases := f.Sections[i].Cases; len(cases) > 0 {
		return cases[0]
	}
	return ""
}

// runs parts sections where what key says of them changes.
func runs(sections []int, key func(int) string) [][]int {
	var list [][]int
	for n, i := range sections {
		if n == 0 || key(i) != key(sections[n-1]) {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], i)
	}
	return list
}

// leaves are the chapters to read, in reading order.
func (p *part) leaves() []*part {
	if len(p.parts) == 0 && len(p.sections) > 0 {
		return []*part{p}
	}
	var list []*part
	for _, k := range p.parts {
		list = append(list, k.leaves()...)
	}
	return list
}

// sequence are the chapters that are read one after the other with p: those of
// its situation.
func (p *part) sequence(root *part) []*part {
	return slices.DeleteFunc(root.leaves(), func(k *part) bool { return k.situation != p.situation })
}

// at finds the part of a path.
func (p *part) at(path string) *part {
	if p.path == path {
		return p
	}
	for _, k := range p.parts {
		if found := k.at(path); found != nil {
			return found
		}
	}
	return nil
}

// leafOf finds the chapter that holds a section.
func (p *part) leafOf(section int) *part {
	for _, k := range p.leaves() {
		if slices.Contains(k.sections, section) {
			return k
		}
	}
	return nil
}

// common is the situation that all of a chapter holds under.
func (p *part) common(f *fiche.Fiche) []string {
	cases := f.Sections[p.sections[0]].Cases
	for _, i := range p.sections {
		for !within(f, i, cases) {
			cases = cases[:len(cases)-1]
		}
	}
	return cases
}

// own is the first section of a chapter that holds under its common situation;
// false where the resident has to choose one first.
func (p *part) own(f *fiche.Fiche) (int, bool) {
	n := slices.IndexFunc(p.sections, func(i int) bool { return len(f.Sections[i].Cases) == len(p.common(f)) })
	if n < 0 {
		return 0, false
	}
	return p.sections[n], true
}

// within says whether a section holds under a situation.
func within(f *fiche.Fiche, section int, cases []string) bool {
	own := f.Sections[section].Cases
	return len(own) >= len(cases) && slices.Equal(own[:len(cases)], cases)
}

// under are the sections around one of a chapter that hold under a situation.
func (p *part) under(f *fiche.Fiche, section int, cases []string) []int {
	n := slices.Index(p.sections, section)
	from, to := n, n
	for from > 0 && within(f, p.sections[from-1], cases) {
		from--
	}
	for to < len(p.sections) && within(f, p.sections[to], cases) {
		to++
	}
	return p.sections[from:to]
}

// leads says whether a page of the situation offers a section as a situation
// of its own: neither a later part of another one's text, nor within one that
// has text of its own.
func (p *part) leads(f *fiche.Fiche, section int, cases []string) bool {
	own := f.Sections[section].Cases
	for n := len(cases) + 1; n <= len(own); n++ {
		around := p.under(f, section, own[:n])
		first := slices.IndexFunc(around, func(i int) bool { return len(f.Sections[i].Cases) == n })
		if first >= 0 {
			return around[first] == section
		}
	}
	return false
}
