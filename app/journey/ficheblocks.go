package journey

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"parvis/app/page"
	"parvis/app/text"
	"parvis/kiosk/fiche"
	"parvis/kiosk/visit"
)

// What one block of a page holds at most, so that the largest text still goes
// over several screens: signs of a text, of a value beside its label, and of a
// word in a pill.
const (
	blockSigns = 320
	valueSigns = 40
	pillSigns  = 28
)

// codeBytes is how long an address may be for a code that a telephone reads on
// the smallest place a code has on the glass.
const codeBytes = 300

// ficheBlocks are the blocks of a section.
func (j *Journey) ficheBlocks(f *fiche.Fiche, section int, w *text.Words) []page.Block {
	var list []page.Block
	for n, block := range f.Sections[section].Blocks {
		id := "link:" + strconv.Itoa(section) + ":" + strconv.Itoa(n)
		switch b := block.(type) {
		case fiche.Paragraph:
			list = append(list, paragraphs(page.Body, b.Text)...)
		case fiche.Heading:
			list = append(list, paragraphs(page.Head, b.Text)...)
		case fiche.List:
			list = append(list, listBlocks(b)...)
		case fiche.Notice:
			list = append(list, j.noticeBlocks(b, w)...)
		case fiche.Table:
			list = append(list, tableBlocks(b)...)
		case fiche.Picture:
			list = append(list, pictureBlocks(b, id, f, w)...)
		case fiche.Office:
			list = append(list, linkBlocks(link{id, "building-community", b.Title, b.Text, []string{b.Source}, b.URL}, f, w)...)
		case fiche.Service:
			kind := []string{b.Kind}
			if b.Cerfa != "" {
				kind = append(kind, w.T("fiche.form", "Number", b.Cerfa))
			}
			list = append(list, linkBlocks(link{id, "world", b.Title, b.Text, append(kind, b.Source), b.URL}, f, w)...)
		case fiche.Link:
			if len(j.shelf([]string{b.ID})) > 0 {
				list = append(list, page.Choices{Items: []page.Choice{{ID: id, Label: oneLine(b.Text), Detail: oneLine(b.Note), Icon: "license", Accent: page.Demarche}}})
				continue
			}
			list = append(list, linkBlocks(link{id, "world", b.Text, "", []string{b.Note}, b.URL}, f, w)...)
		case fiche.Definition:
			list = append(list, paragraphs(page.Head, b.Term)...)
			list = append(list, paragraphs(page.Body, b.Text)...)
		}
	}
	return list
}

func paragraphs(style page.Style, s string) []page.Block {
	var list []page.Block
	for _, line := range textLines(s) {
		for _, part := range pieces(line) {
			list = append(list, page.Text{Style: style, Text: part})
		}
	}
	return list
}

func listBlocks(l fiche.List) []page.Block {
	if l.Style == fiche.Checklist {
		var items []page.Item
		for _, item := range l.Items {
			lines := textLines(item)
			items = append(items, page.Item{Text: lines[0], Detail: strings.Join(lines[1:], " ")})
		}
		return []page.Block{page.Checklist{Items: items}}
	}
	var list []page.Block
	for n, item := range l.Items {
		mark := "• "
		if l.Style == fiche.Numbered {
			mark = strconv.Itoa(n+1) + ". "
		}
		list = append(list, paragraphs(page.Body, mark+item)...)
	}
	return list
}

// noticeBlocks is a notice, in several boxes where it is long.
func (j *Journey) noticeBlocks(b fiche.Notice, w *text.Words) []page.Block {
	kind := "fiche.notice_" + string(b.Kind)
	n := page.Notice{Accent: page.Demarche, Icon: "info-circle", Title: w.T(kind)}
	if b.Kind == fiche.Beware || b.Kind == fiche.Warning {
		n.Accent, n.Icon = page.Callback, "alert-triangle"
	}
	if title := oneLine(b.Title); title != "" && strings.TrimRight(title, "\u00a0 :!") != j.Texts.In("fr").T(kind) {
		n.Title += "\u00a0: " + title
	}
	boxes := []page.Block{n}
	for i, part := range pieces(upperFirst(oneLine(b.Text))) {
		n.Text = part
		if i > 0 {
			n.Title = w.T("fiche.continued", "Title", w.T(kind))
			boxes = append(boxes, n)
			continue
		}
		boxes[0] = n
	}
	return boxes
}

func tableBlocks(b fiche.Table) []page.Block {
	list := paragraphs(page.Head, b.Title)
	var lines []page.Line
	for _, f := range b.Facts() {
		line := page.Line{Label: oneLine(f.Label), Value: oneLine(f.Value), Strong: f.Head}
		if utf8.RuneCountInString(line.Value) <= valueSigns || line.Label == "" {
			lines = append(lines, line)
			continue
		}
		lines = append(lines, page.Line{Label: line.Label + "\u00a0:", Strong: f.Head}, page.Line{Label: line.Value, Strong: f.Head})
	}
	if len(lines) > 0 {
		list = append(list, page.Table{Lines: lines})
	}
	return list
}

// pictureBlocks tells a picture, which the borne doesn't have, in words.
func pictureBlocks(b fiche.Picture, id string, f *fiche.Fiche, w *text.Words) []page.Block {
	list := paragraphs(page.Head, b.Title)
	for _, s := range []string{b.Caption, b.Text, b.Alt} {
		list = append(list, paragraphs(page.Body, s)...)
	}
	list = append(list, paragraphs(page.Small, b.Credit)...)
	if b.URL != "" {
		list = append(list, page.Choices{Items: []page.Choice{{ID: id, Label: w.T("fiche.film"), Detail: shortAddress(code(f, b.URL)), Icon: "qrcode", Accent: page.Demarche}}})
	}
	return list
}

// link is something that leads out of a fiche.
type link struct {
	id, icon, title, text string
	about                 []string // what it is and whose
	url                   string
}

// linkBlocks say what a link is, and offer its code where it has an address.
func linkBlocks(l link, f *fiche.Fiche, w *text.Words) []page.Block {
	about := joined(l.about...)
	row := page.Choice{ID: l.id, Label: oneLine(l.title), Icon: "qrcode", Accent: page.Demarche}
	if l.url != "" {
		row.Detail = joined(about, shortAddress(code(f, l.url)))
	}
	if l.url != "" && l.text == "" && l.title != "" {
		return []page.Block{page.Choices{Items: []page.Choice{row}}}
	}
	n := page.Notice{Accent: page.Demarche, Icon: l.icon, Title: oneLine(l.title), Text: about}
	list := []page.Block{n}
	for i, part := range pieces(joined(oneLine(l.text), about)) {
		n.Text = part
		if i > 0 {
			n.Title = w.T("fiche.continued", "Title", oneLine(l.title))
			list = append(list, n)
			continue
		}
		list[0] = n
	}
	if l.url != "" {
		row.Label, row.Detail = w.T("fiche.open"), joined(oneLine(l.title), shortAddress(code(f, l.url)))
		list = append(list, page.Choices{Items: []page.Choice{row}})
	}
	return list
}

// mergeRows makes one list of rows that follow one another.
func mergeRows(blocks []page.Block) []page.Block {
	var list []page.Block
	for _, b := range blocks {
		rows, ok := b.(page.Choices)
		if n := len(list) - 1; ok && n >= 0 && rows.Shape == page.Rows && rows.Label == "" {
			if last, ok := list[n].(page.Choices); ok && last.Shape == page.Rows && last.Label == "" {
				last.Items = slices.Concat(last.Items, rows.Items)
				list[n] = last
				continue
			}
		}
		list = append(list, b)
	}
	return list
}

// joined makes one text of several, without the empty ones.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" }), " · ")
}

// wordsOf offers the definitions that a section's words lead to, each once a page.
func wordsOf(f *fiche.Fiche, section int, explained *[]string, w *text.Words) []page.Block {
	pills, rows := page.Choices{Shape: page.Chips}, page.Choices{}
	for _, l := range f.Sections[section].Links {
		if _, ok := f.Definition(l.ID); !ok || slices.Contains(*explained, l.ID) {
			continue
		}
		*explained = append(*explained, l.ID)
		c := page.Choice{ID: "word:" + l.ID, Label: w.T("fiche.what_is", "Word", upperFirst(oneLine(l.Text)))}
		if utf8.RuneCountInString(l.Text) <= pillSigns {
			pills.Items = append(pills.Items, c)
			continue
		}
		c.Icon, c.Accent = "help", page.Demarche
		rows.Items = append(rows.Items, c)
	}
	var list []page.Block
	for some := range slices.Chunk(pills.Items, 4) {
		list = append(list, page.Choices{Shape: page.Chips, Items: some})
	}
	if len(rows.Items) > 0 {
		list = append(list, rows)
	}
	return list
}

func (j *Journey) definition(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	f, id, ok := j.fiche(v)
	if !ok {
		return ficheGone(w)
	}
	d, ok := f.Definition(id)
	if !ok {
		return ficheGone(w)
	}
	p := fichePage(w, d.Term)
	p.Blocks = append(paragraphs(page.Body, d.Text), ficheSource(f, w))
	return p
}

// openLink opens the page of a link, "section:block": the fiche it leads to, if
// the borne has it, or its code.
func (j *Journey) openLink(v *visit.Visit, f *fiche.Fiche, place string) {
	section, block, _ := strings.Cut(place, ":")
	n, err := strconv.Atoi(block)
	if err != nil {
		return
	}
	b, ok := blockAt(f, section, n)
	if !ok {
		return
	}
	if l, ok := b.(fiche.Link); ok && len(j.shelf([]string{l.ID})) > 0 {
		j.openFiche(v, l.ID)
		return
	}
	v.Go(visit.Step{Page: "fiche.link", Arg: f.ID + "/" + section, N: n})
}

func blockAt(f *fiche.Fiche, section string, n int) (fiche.Block, bool) {
	i, err := strconv.Atoi(section)
	if err != nil || i < 0 || i >= len(f.Sections) || n < 0 || n >= len(f.Sections[i].Blocks) {
		return nil, false
	}
	return f.Sections[i].Blocks[n], true
}

// ficheLink shows an address as a code for the resident's own telephone.
func (j *Journey) ficheLink(_ context.Context, v *visit.Visit) page.Page {
	w := j.words(v)
	f, section, ok := j.fiche(v)
	if !ok {
		return ficheGone(w)
	}
	title, url := f.Title, f.URL
	if section != "" {
		b, ok := blockAt(f, section, v.Here().N)
		if !ok {
			return ficheGone(w)
		}
		switch b := b.(type) {
		case fiche.Office:
			title, url = b.Title, b.URL
		case fiche.Service:
			title, url = b.Title, b.URL
		case fiche.Link:
			title, url = b.Text, b.URL
		case fiche.Picture:
			title, url = b.Title, b.URL
		}
	}
	if title == "" {
		title = f.Title
	}
	p := fichePage(w, title)
	p.Lead = w.T("demarche.scan")
	url = code(f, url)
	p.Blocks = []page.Block{page.QR{Data: url, Caption: shortAddress(url)}}
	return p
}

// code is an address that a code can hold: that of the fiche, which leads to
// all others, for one that is too long.
func code(f *fiche.Fiche, url string) string {
	if url == "" || len(url) > codeBytes {
		return f.URL
	}
	return url
}

// shortAddress is an address to read: of a long one, the site.
func shortAddress(url string) string {
	s := strings.TrimPrefix(readable(url), "http://")
	if utf8.RuneCountInString(s) > 60 {
		s, _, _ = strings.Cut(s, "/")
	}
	return s
}

// textLines are the paragraphs of a text, one at least.
func textLines(s string) []string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) })
	if len(lines) == 0 {
		return []string{""}
	}
	return lines
}

func oneLine(s string) string { return strings.Join(textLines(s), " ") }

// pieces parts a text at the ends of sentences, or else between words, into
// texts that a block can hold.
func pieces(s string) []string {
	var list []string
	for utf8.RuneCountInString(s) > blockSigns {
		most := len(string([]rune(s)[:blockSigns]))
		cut := 0
		for _, end := range []string{". ", "? ", "! ", "; ", " – ", " "} {
			if cut = strings.LastIndex(s[:most], end); cut > most/3 {
				cut += len(strings.TrimRight(end, " –"))
				break
			}
		}
		if cut <= 0 {
			cut = most
		}
		list = append(list, strings.TrimSpace(s[:cut]))
		s = strings.TrimSpace(s[cut:])
	}
	if s != "" {
		list = append(list, s)
	}
	return list
}
