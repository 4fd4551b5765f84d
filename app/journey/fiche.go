package journey

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/device/printer"
	"parvis/kiosk/fiche"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// The steps of a fiche's pages:
//
//	demarche.fiches  Arg: the démarche
//	fiche            Arg: id
//	fiche.cases      Arg: id and the path of a part of its outline, "F1/0/2"
//	fiche.section    Arg: id; N: the section
//	fiche.definition Arg: id and the definition's, "F1/R2"
//	fiche.link       Arg: id and the section, "F1/3"; N: the block; or id alone for the fiche itself

// shelf names those of the fiches that the borne has.
func (j *Journey) shelf(ids []string) []fiche.Hit {
	library := j.Fiches.Load()
	if library == nil {
		return nil
	}
	var hits []fiche.Hit
	for _, id := range ids {
		if hit, ok := library.Find(id); ok {
			hits = append(hits, hit)
		}
	}
	return hits
}

// fiche reads the fiche of the step in sight. What follows the id in the
// step's Arg is rest.
func (j *Journey) fiche(v *visit.Visit) (f *fiche.Fiche, rest string, ok bool) {
	id, rest, _ := strings.Cut(v.Here().Arg, "/")
	if v.Fiche != nil && v.Fiche.ID == id {
		return v.Fiche, rest, true
	}
	library := j.Fiches.Load()
	if library == nil {
		return nil, "", false
	}
	if f, ok = library.Get(id); ok {
		v.Fiche = f // not to read its file at each touch; the wipe forgets it
	}
	return f, rest, ok
}

// ficheRow offers the fiches of an outcome; nothing when the borne has none.
func (j *Journey) ficheRow(ids []string, w *text.Words) []page.Choice {
	hits := j.shelf(ids)
	if len(hits) == 0 {
		return nil
	}
	row := page.Choice{ID: "fiches", Label: w.T("fiche.read", "Count", len(hits)), Icon: "license", Accent: page.Demarche}
	if len(hits) == 1 {
		row.Detail = hits[0].Title
	}
	return []page.Choice{row}
}

// openFiches opens the only fiche of an outcome, or the list of them.
func (j *Journey) openFiches(v *visit.Visit, ids []string) {
	switch hits := j.shelf(ids); len(hits) {
	case 0:
	case 1:
		j.openFiche(v, hits[0].ID)
	default:
		v.Go(visit.Step{Page: "demarche.fiches", Arg: v.Demarche})
	}
}

func (j *Journey) openFiche(v *visit.Visit, id string) {
	v.Go(visit.Step{Page: "fiche", Arg: id})
	j.Tally("fiche.shown")
}

func (j *Journey) fiches(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	d, a := j.current(v)
	var rows []page.Choice
	for _, hit := range j.shelf(d.Outcome(a).Fiches) {
		rows = append(rows, page.Choice{ID: "fiche:" + hit.ID, Label: hit.Title, Icon: "license", Accent: page.Demarche})
	}
	return page.Page{Accent: page.Demarche, Kicker: d.Title.In(w.Code), Title: w.T("fiche.which_fiche"), Blocks: []page.Block{page.Choices{Items: rows}}}
}

func (j *Journey) chooseFiches(_ context.Context, v *visit.Visit, id string) *Task {
	if id, ok := strings.CutPrefix(id, "fiche:"); ok {
		j.openFiche(v, id)
	}
	return nil
}

// ficheGone is shown when a visit stands on what a new library has no longer.
func ficheGone(w *text.Words) page.Page {
	return page.Page{Accent: page.Demarche, Kicker: w.T("fiche.kicker"), Title: w.T("fiche.gone"), Lead: w.T("fiche.gone_text")}
}

// fichePage is what the pages of a fiche have in common.
func fichePage(w *text.Words, title string, kicker ...string) page.Page {
	p := page.Page{Accent: page.Demarche, Kicker: strings.Join(append([]string{w.T("fiche.kicker")}, kicker...), " · "), Title: oneLine(title)}
	if w.Voice != "fr" {
		p.Content = "fr"
	}
	return p
}

// ficheSource names where a fiche comes from, as its licence asks.
func ficheSource(f *fiche.Fiche, w *text.Words) page.Text {
	return page.Text{Style: page.Small, Text: w.T("fiche.source", "Source", f.Source, "Date", w.FullDate(f.Updated)) + " · " + readable(f.URL)}
}

// contents lists the parts of a fiche, then who can help and what can be done online.
func (j *Journey) contents(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	f, _, ok := j.fiche(v)
	if !ok {
		return ficheGone(w)
	}
	p := fichePage(w, f.Title)
	p.Lead = w.T("fiche.updated", "Date", w.FullDate(f.Updated), "Source", f.Source)
	rows := partRows(f, outline(f).parts, w)
	for i, s := range f.Sections {
		switch s.Kind {
		case fiche.Help:
			rows = append(rows, page.Choice{ID: sectionID(i), Label: s.Title, Icon: "building-community", Accent: page.Demarche})
		case fiche.Online:
			rows = append(rows, page.Choice{ID: sectionID(i), Label: s.Title, Icon: "world", Accent: page.Demarche})
		}
	}
	rows = append(rows, page.Choice{ID: "phone", Label: w.T("fiche.phone"), Detail: readable(f.URL), Icon: "qrcode", Accent: page.Demarche})
	p.Blocks = []page.Block{page.Choices{Items: rows}}
	return p
}

func sectionID(i int) string { return "section:" + strconv.Itoa(i) }

// partRows are the rows of parts of an outline.
func partRows(f *fiche.Fiche, parts []*part, w *text.Words) []page.Choice {
	var rows []page.Choice
	for n, k := range parts {
		row := page.Choice{ID: "part:" + k.path, Label: k.label, Icon: "file-text", Accent: page.Demarche}
		switch {
		case k.label == "" && n == 0:
			row.Label = w.T("fiche.essential")
		case k.label == "":
			row.Label = w.T("fiche.also")
		case k.label == k.situation:
			row.Icon = "user"
		}
		cases := k.common(f)
		if k.situation != "" {
			cases = cases[1:] // the list is that of the situation
		}
		switch {
		case len(k.parts) > 0:
			row.Detail = w.T("fiche.parts", "Count", len(k.parts))
		case k.label == k.situation && k.label != "":
			row.Detail = top(f, k.sections[0])
		case len(cases) > 0:
			row.Detail = strings.Join(cases, " · ")
		default:
			if n := len(caseRows(f, k, k.sections, k.common(f))); n > 0 {
				row.Detail = w.T("fiche.cases", "Count", n)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// caseRows are the situations to choose from among sections of a chapter.
func caseRows(f *fiche.Fiche, chapter *part, sections []int, cases []string) []page.Choice {
	var rows []page.Choice
	for _, i := range sections {
		if chapter.leads(f, i, cases) {
			own := f.Sections[i].Cases[len(cases):]
			rows = append(rows, page.Choice{ID: sectionID(i), Label: own[len(own)-1], Detail: strings.Join(own[:len(own)-1], " · "), Icon: "user", Accent: page.Demarche})
		}
	}
	return rows
}

// step leads to a part of an outline.
func (p *part) step(f *fiche.Fiche) visit.Step {
	if len(p.parts) == 0 {
		if i, ok := p.own(f); ok {
			return visit.Step{Page: "fiche.section", Arg: f.ID, N: i}
		}
	}
	return visit.Step{Page: "fiche.cases", Arg: f.ID + p.path}
}

func (j *Journey) chooseContents(_ context.Context, v *visit.Visit, id string) *Task {
	f, _, ok := j.fiche(v)
	if !ok {
		return nil
	}
	if id == "phone" {
		v.Go(visit.Step{Page: "fiche.link", Arg: f.ID})
	}
	if path, ok := strings.CutPrefix(id, "part:"); ok {
		if p := outline(f).at(path); p != nil {
			v.Go(p.step(f))
		}
	}
	if n, ok := strings.CutPrefix(id, "section:"); ok {
		if i, err := strconv.Atoi(n); err == nil {
			v.Go(visit.Step{Page: "fiche.section", Arg: f.ID, N: i})
		}
	}
	return nil
}

// cases lists the parts of a chapter or of a situation, or the situations of a
// chapter that says nothing without one.
func (j *Journey) cases(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	f, path, ok := j.fiche(v)
	if !ok {
		return ficheGone(w)
	}
	root := outline(f)
	k := root.at("/" + path)
	if k == nil {
		return ficheGone(w)
	}
	if len(k.parts) > 0 {
		p := fichePage(w, k.label, oneLine(f.Title))
		if k.label != k.situation && k.situation != "" {
			p.Kicker += " · " + k.situation
		}
		p.Blocks = []page.Block{page.Choices{Items: partRows(f, k.parts, w)}, ficheSource(f, w)}
		return p
	}
	p := j.chapter(f, root, k, k.sections, k.common(f), w)
	p.Actions = turn(root, k, w)
	return p
}

func (j *Journey) chooseCases(ctx context.Context, v *visit.Visit, id string) *Task {
	f, path, ok := j.fiche(v)
	if !ok {
		return nil
	}
	root := outline(f)
	if k := root.at("/" + path); k != nil && j.turnFiche(v, f, root, k, id) {
		return nil
	}
	return j.chooseContents(ctx, v, id)
}

// section is one chapter, or one of its situations.
func (j *Journey) section(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	f, _, ok := j.fiche(v)
	n := v.Here().N
	if !ok || n >= len(f.Sections) {
		return ficheGone(w)
	}
	root := outline(f)
	k := root.leafOf(n)
	if k == nil { // who can help, what can be done online
		p := fichePage(w, f.Sections[n].Title)
		p.Blocks = append(mergeRows(j.ficheBlocks(f, n, w)), ficheSource(f, w))
		p.Actions = j.printAction(w, page.Demarche)
		return p
	}
	cases := f.Sections[n].Cases
	p := j.chapter(f, root, k, k.under(f, n, cases), cases, w)
	p.Actions = append(turn(root, k, w), j.printAction(w, page.Demarche)...)
	return p
}

// chapter is the page of sections of a chapter under a situation: their text,
// the situations to choose from where they stand, the words explained.
func (j *Journey) chapter(f *fiche.Fiche, root, k *part, sections []int, cases []string, w *text.Words) page.Page {
	s := f.Sections[sections[0]]
	title := s.Title
	if title == "" {
		title = f.Title
	}
	p := fichePage(w, title)
	if all := k.sequence(root); len(all) > 1 {
		p.Kicker += " · " + w.T("fiche.position", "N", slices.Index(all, k)+1, "Total", len(all))
	}
	p.Kicker = strings.Join(slices.Concat([]string{p.Kicker}, s.Chapters, cases), " · ")
	var explained []string
	for n := 0; n < len(sections); n++ {
		i := sections[n]
		if len(f.Sections[i].Cases) == len(cases) {
			p.Blocks = append(p.Blocks, j.ficheBlocks(f, i, w)...)
			p.Blocks = append(p.Blocks, wordsOf(f, i, &explained, w)...)
			continue
		}
		to := n
		for to < len(sections) && len(f.Sections[sections[to]].Cases) > len(cases) {
			to++
		}
		p.Blocks = append(p.Blocks, page.Choices{Label: w.T("fiche.which_case"), Items: caseRows(f, k, sections[n:to], cases)})
		n = to - 1
	}
	p.Blocks = append(mergeRows(p.Blocks), ficheSource(f, w))
	return p
}

// turn are the ways to the chapters before and after one.
func turn(root, k *part, w *text.Words) []page.Choice {
	all := k.sequence(root)
	if len(all) < 2 {
		return nil
	}
	before := page.Choice{ID: "previous", Label: w.T("fiche.previous"), Icon: "arrow-left"}
	after := page.Choice{ID: "next", Label: w.T("fiche.next"), Icon: "arrow-right"}
	if all[0] == k {
		before.Why = w.T("fiche.first")
	}
	if all[len(all)-1] == k {
		after.Why = w.T("fiche.last")
	}
	return []page.Choice{before, after}
}

// turnFiche goes to the chapter before or after one. Back then leads to where
// the first was opened from.
func (j *Journey) turnFiche(v *visit.Visit, f *fiche.Fiche, root, k *part, id string) bool {
	by := map[string]int{"previous": -1, "next": 1}[id]
	all := k.sequence(root)
	n := slices.Index(all, k) + by
	if by == 0 || n < 0 || n >= len(all) {
		return false
	}
	for len(v.Path) > 1 && reads(root, v.Path[len(v.Path)-2], f.ID) {
		v.Back()
	}
	v.Replace(all[n].step(f))
	return true
}

// reads says whether a step is a chapter of a fiche, rather than a list of them.
func reads(root *part, s visit.Step, id string) bool {
	of, path, _ := strings.Cut(s.Arg, "/")
	if of != id {
		return false
	}
	k := root.at("/" + path)
	return s.Page == "fiche.section" || s.Page == "fiche.cases" && k != nil && len(k.parts) == 0
}

func (j *Journey) chooseSection(ctx context.Context, v *visit.Visit, id string) *Task {
	f, _, ok := j.fiche(v)
	if !ok {
		return nil
	}
	if id == "print" {
		return j.startPrint(ctx, v)
	}
	if word, ok := strings.CutPrefix(id, "word:"); ok {
		v.Go(visit.Step{Page: "fiche.definition", Arg: f.ID + "/" + word})
		return nil
	}
	if place, ok := strings.CutPrefix(id, "link:"); ok {
		j.openLink(v, f, place)
		return nil
	}
	root := outline(f)
	if k := root.leafOf(v.Here().N); k != nil && j.turnFiche(v, f, root, k, id) {
		return nil
	}
	return j.chooseContents(ctx, v, id)
}

// ficheTicket is the ticket of the section in sight.
func (j *Journey) ficheTicket(v *visit.Visit, site ticket.Site, w *text.Words) printer.Document {
	f, _, ok := j.fiche(v)
	n := v.Here().N
	if !ok || n >= len(f.Sections) {
		return printer.Document{}
	}
	s := f.Sections[n]
	blocks := s.Blocks
	if k := outline(f).leafOf(n); k != nil {
		blocks = nil
		for _, i := range k.under(f, n, s.Cases) {
			if len(f.Sections[i].Cases) == len(s.Cases) {
				blocks = append(blocks, f.Sections[i].Blocks...)
			}
		}
	}
	return ticket.Fiche(site, j.Now(), f, s, blocks, w.Code, w.Sentence)
}
