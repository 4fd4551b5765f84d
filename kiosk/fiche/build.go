package fiche

import (
	"fmt"
	"slices"
	"strings"
)

// notices are the elements that stand out, and their kinds.
var notices = map[string]NoticeKind{"ANoter": Note, "ASavoir": Know, "Attention": Beware, "Rappel": Remind,
	"Exemple": Example, "Consigne": Follow, "Avertissement": Warning}

// noticeTitles are the titles of notices that have none.
var noticeTitles = map[NoticeKind]string{Note: "À noter", Know: "À savoir", Beware: "Attention", Remind: "Rappel",
	Example: "Exemple", Follow: "Consigne", Warning: "Avertissement"}

// headings are the titles that no section or block takes as its own.
var headings = set("Titre", "TitreAlternatif", "TitreFlottant", "TitreChoix", "TitreRiche", "IntituleSiSelectionne")

// pictures, offices, services and links are the elements of each block.
var (
	pictures = set("Image", "ImageIllustration", "Infographie", "Video", "VideoIllustration")
	offices  = set("OuSAdresser", "OuSAdresserSupport", "QuiPeutMAider")
	services = set("ServiceEnLigne", "ServiceEnLigneAlternatif", "ServiceEnLigneAnnexe")
	links    = set("PourEnSavoirPlus", "Reference", "Fiche", "Dossier", "Actualite", "QuestionReponse", "CommentFaireSi",
		"FicheConnexe", "FicheLiee", "NoticeLiee", "LienWeb", "RessourceWeb", "Partenaire", "RefActualite", "FAQ")
)

// meta are the children of Publication that place it on the site. The page
// shows them around the text, not in it.
var meta = set("SurTitre", "Audience", "Canal", "Cible", "FilDAriane", "Theme", "SousThemePere", "DossierPere",
	"SousDossierPere", "RechercheGuideePere", "FichePrecedente", "FicheSuivante")

// endings are the children of Publication that make up its end.
var endings = map[string]Kind{"OuSAdresser": Help, "QuiPeutMAider": Help, "ServiceEnLigne": Online,
	"Reference": References, "PourEnSavoirPlus": More, "LienExterneCommente": More, "Partenaire": More,
	"VoirAussi": Related, "QuestionReponse": Related, "CommentFaireSi": Related, "FicheConnexe": Related, "FAQ": Related,
	"Definition": Glossary, "Abreviation": Glossary}

var endingTitles = map[Kind]string{Help: "Qui peut m’aider\u00a0?", Online: "Services en ligne et formulaires",
	References: "Textes de loi et références", More: "Pour en savoir plus", Related: "Voir aussi", Glossary: "Définitions"}

// known says whether an element makes a block or a section of its own.
func known(name string) bool {
	switch name {
	case "Paragraphe", "Liste", "Item", "Tableau", "Rangée", "Cellule", "Chapitre", "SousChapitre", "Situation", "Cas",
		"Definition", "Abreviation", "BlocCas", "Texte":
		return true
	}
	return notices[name] != "" || headings[name] || pictures[name] || offices[name] || services[name] || links[name]
}

// scope is where in a fiche a text stands.
type scope struct {
	chapters []string
	title    string
	cases    []string
	papers   bool // a chapter of papers to bring
}

// none is no section.
const none = -1

// builder makes the sections of a fiche.
type builder struct {
	fiche   *Fiche
	scope   scope
	current int    // index of the section that blocks go to, or none: the next opens one
	links   []Link // of the block being made
	linked  map[placed]bool
	endings map[Kind]int // index of each ending's section
}

// placed is a link in a section.
type placed struct {
	section int
	link    Link
}

func (b *builder) root(root *node) {
	n := &node{name: root.name, line: root.line}
	for _, k := range root.kids {
		if meta[k.name] || strings.HasPrefix(k.name, "dc:") {
			continue
		}
		if kind, ok := endings[k.name]; ok {
			b.blocks(n)
			n.kids = nil
			b.ending(kind, k)
			continue
		}
		n.kids = append(n.kids, k)
	}
	b.blocks(n)
}

// ending adds an element to the section of its kind.
func (b *builder) ending(kind Kind, k *node) {
	i, ok := b.endings[kind]
	if !ok {
		i = len(b.fiche.Sections)
		b.endings[kind] = i
		b.fiche.Sections = append(b.fiche.Sections, Section{Kind: kind, Title: endingTitles[kind]})
	}
	b.current = i
	b.blocks(&node{kids: []*node{k}})
	b.current = none
}

// open returns the index of the section that blocks go to.
func (b *builder) open() int {
	if b.current == none {
		b.current = len(b.fiche.Sections)
		b.fiche.Sections = append(b.fiche.Sections, Section{Chapters: b.scope.chapters, Title: b.scope.title, Cases: b.scope.cases})
	}
	return b.current
}

// add adds a block, unless it has no words.
func (b *builder) add(block Block) {
	if strings.Join(block.texts(), "") == "" {
		return
	}
	i := b.open()
	s := &b.fiche.Sections[i]
	s.Blocks = append(s.Blocks, block)
	for _, l := range b.links {
		if l.Text != "" && !b.linked[placed{i, l}] {
			b.linked[placed{i, l}] = true
			s.Links = append(s.Links, l)
		}
	}
	b.links = nil
}

// within builds what n holds in a scope of its own.
func (b *builder) within(n *node, inner scope) {
	outer := b.scope
	before := len(b.fiche.Sections)
	b.scope, b.current = inner, none
	b.blocks(n)
	if len(b.fiche.Sections) == before && n.child("Titre") != nil {
		b.open() // a title and nothing else
	}
	b.scope, b.current = outer, none
}

func (b *builder) chapter(n *node) {
	inner := b.scope
	inner.papers = inner.papers || n.get("type") == "pieces"
	if n.child("Titre") != nil {
		if inner.title != "" {
			inner.chapters = append(slices.Clone(inner.chapters), inner.title)
		}
		inner.title = b.title(n)
	}
	b.within(n, inner)
}

// situation is one of several that a resident can be in. One without a title
// gets its number.
func (b *builder) situation(n *node, number int) {
	inner := b.scope
	name := fmt.Sprintf("%s %d", n.name, number)
	if n.child("Titre") != nil {
		name = b.title(n)
	}
	inner.cases = append(slices.Clone(inner.cases), name)
	b.within(n, inner)
}

// title returns the title of a chapter or a situation.
func (b *builder) title(n *node) string {
	t := n.child("Titre")
	return strings.Join(b.lines(t, t.kids...), " ")
}

// lines flattens nodes, and keeps their links for the next block.
func (b *builder) lines(parent *node, kids ...*node) []string {
	f := flatten(parent, kids)
	b.links = append(b.links, f.links...)
	return f.lines
}

func (b *builder) text(parent *node, kids ...*node) string {
	return strings.Join(b.lines(parent, kids...), "\n")
}

// blocks adds the blocks that n holds.
func (b *builder) blocks(n *node) {
	mixed, number := mixed(n), 0
	for i := 0; i < len(n.kids); {
		first := i
		for i < len(n.kids) && isInline(mixed, n.kids[i]) {
			i++
		}
		if first < i {
			b.sentence(n, n.kids[first:i])
			continue
		}
		k := n.kids[i]
		i++
		switch {
		case k.name == "Situation" || k.name == "Cas":
			number++
			b.situation(k, number)
		case k.name == "Titre" && ownsTitle(n) && k == n.child("Titre"):
			// the title of the section
		default:
			b.block(k)
		}
	}
}

// ownsTitle says whether the title of n is that of its sections.
func ownsTitle(n *node) bool {
	return slices.Contains([]string{"Chapitre", "SousChapitre", "Situation", "Cas"}, n.name)
}

// sentence adds a run of text: a Link where it is nothing but one.
func (b *builder) sentence(parent *node, run []*node) {
	f := flatten(parent, run)
	text := strings.Join(f.lines, "\n")
	if len(f.links) == 1 && f.links[0].Text == text {
		b.add(f.links[0])
		return
	}
	b.links = append(b.links, f.links...)
	b.add(Paragraph{text})
}

// block adds one element, which is not inline.
func (b *builder) block(k *node) {
	switch {
	case unseen[k.name]:
	case k.name == "Chapitre" || k.name == "SousChapitre":
		b.chapter(k)
	case k.name == "Paragraphe":
		for _, line := range b.lines(k, k.kids...) {
			b.add(Paragraph{line})
		}
	case headings[k.name]:
		b.add(Heading{strings.Join(b.lines(k, k.kids...), " ")})
	case k.name == "Liste":
		b.list(k)
	case k.name == "Tableau":
		b.table(k)
	case notices[k.name] != "":
		b.notice(k)
	case pictures[k.name]:
		b.picture(k)
	case offices[k.name]:
		b.office(k)
	case services[k.name]:
		b.service(k)
	case links[k.name]:
		b.link(k)
	case k.name == "Definition" || k.name == "Abreviation":
		own, rest := part(k, "Titre")
		b.add(Definition{ID: k.get("ID"), Term: b.text(k, own...), Text: b.text(k, rest...)})
	default:
		b.blocks(k)
	}
}

// part parts the children of n into those of a name and the others.
func part(n *node, name string) (named, others []*node) {
	return partKids(n.kids, name)
}

func partKids(kids []*node, name string) (named, others []*node) {
	for _, k := range kids {
		if k.name == name {
			named = append(named, k)
		} else {
			others = append(others, k)
		}
	}
	return named, others
}

func (b *builder) list(n *node) {
	list := List{}
	switch {
	case n.get("type") == "caseACocher" || b.scope.papers:
		list.Style = Checklist
	case n.get("type") == "numero":
		list.Style = Numbered
	}
	items, others := part(n, "Item")
	b.blocks(&node{kids: others}) // not in the schema, yet not lost
	for _, item := range items {
		if t := b.text(item, item.kids...); t != "" {
			list.Items = append(list.Items, t)
		}
	}
	b.add(list)
}

func (b *builder) notice(n *node) {
	own, rest := part(n, "Titre")
	kind := notices[n.name]
	notice := Notice{Kind: kind, Title: strings.Join(b.lines(n, own...), " "), Text: b.text(n, rest...)}
	if notice.Title == "" && notice.Text == "" {
		return
	}
	if notice.Title == "" {
		notice.Title = noticeTitles[kind]
	}
	b.add(notice)
}

func (b *builder) picture(n *node) {
	own, rest := part(n, "Titre")
	legend, rest := partKids(rest, "Legende")
	alt, rest := partKids(rest, "TexteDeRemplacement")
	credit, rest := partKids(rest, "Credits")
	b.add(Picture{Title: b.text(n, own...), Caption: b.text(n, legend...), Text: b.text(n, rest...),
		Alt: b.text(n, alt...), Credit: b.text(n, credit...), URL: webAddress(n.get("URL"))})
}

func (b *builder) office(n *node) {
	own, rest := part(n, "Titre")
	source, rest := partKids(rest, "Source")
	o := Office{Title: b.text(n, own...), Text: b.text(n, rest...), Source: b.text(n, source...), URL: address(n)}
	if k := n.child("PivotLocal"); k != nil {
		o.Local = title(k)
	}
	b.add(o)
}

// service adds an online service, then the notices and services that belong
// to it.
func (b *builder) service(n *node) {
	own, rest := part(n, "Titre")
	source, rest := partKids(rest, "Source")
	notes, rest := partKids(rest, "NoticeLiee")
	annexes, rest := partKids(rest, "ServiceEnLigneAnnexe")
	s := Service{ID: n.get("ID"), Kind: n.get("type"), Title: b.text(n, own...), Text: b.text(n, rest...),
		Source: b.text(n, source...), Cerfa: n.get("numerocerfa"), URL: address(n)}
	if s.Title == "" {
		s.Title = s.Kind
	}
	b.add(s)
	b.blocks(&node{kids: append(notes, annexes...)})
}

func (b *builder) link(n *node) {
	own, rest := part(n, "Titre")
	text, note := b.lines(n, own...), b.lines(n, rest...)
	if len(text) == 0 && len(note) > 0 {
		text, note = note[:1], note[1:]
	}
	b.add(Link{Text: strings.Join(text, " "), Note: strings.Join(note, "\n"), ID: n.get("ID"), URL: address(n)})
}
