// Package fiche reads the official pages of Service-Public ("fiches", XML of
// the DILA, schemas 3.0 and later) into plain data that a borne can show and
// read aloud, in reading order. A Library is a folder of them with a search.
package fiche

import "time"

// Source is what a screen or a ticket that shows a fiche must name, with the
// fiche's URL and date.
const Source = "Service-Public.gouv.fr / DILA"

// Fiche is one official page.
type Fiche struct {
	ID       string // "F2883"
	Title    string
	Subject  string    // dc:subject: "Travail - Formation"
	Updated  time.Time // the day of its last change, midnight UTC
	Source   string    // Source
	URL      string    // the page on the web
	Sections []Section
}

// Definition returns the definition or the meaning of an abbreviation that a
// Link with this ID leads to.
func (f *Fiche) Definition(id string) (Definition, bool) {
	for _, s := range f.Sections {
		for _, b := range s.Blocks {
			if d, ok := b.(Definition); ok && id != "" && d.ID == id {
				return d, true
			}
		}
	}
	return Definition{}, false
}

// Kind says what part a section plays in its fiche.
type Kind string

// The text of a fiche, then what stands at its end, each with a title of ours.
const (
	Body       Kind = ""           // the text itself
	Help       Kind = "help"       // Office: who can help
	Online     Kind = "online"     // Service: online services and forms
	References Kind = "references" // Link: laws and decrees
	More       Kind = "more"       // Link: other sites
	Related    Kind = "related"    // Link: other fiches
	Glossary   Kind = "glossary"   // Definition
)

// Section is a part of a fiche that makes sense by itself. A chapter whose
// text depends on the situation makes several sections of the same title.
type Section struct {
	Kind     Kind
	Chapters []string // titles of the chapters it lies in, outermost first, without Title
	Title    string   // empty for what stands before the first chapter
	Cases    []string // the situations it holds under, outermost first; none: always
	Blocks   []Block
	Links    []Link // where words of the blocks lead; their Text stands in the blocks already
}

// Block is a Paragraph, Heading, List, Notice, Table, Picture, Office,
// Service, Link or Definition.
//
// A Text of several paragraphs has one a line; in it, the items of a list
// start with "– " or their number.
type Block interface {
	// texts returns all its words, in reading order.
	texts() []string
}

// Paragraph is plain text.
type Paragraph struct{ Text string }

// Heading is a title over the blocks that follow, within a section.
type Heading struct{ Text string }

// Style is how a List is drawn.
type Style string

// The styles of lists.
const (
	Bullets   Style = ""
	Numbered  Style = "numbered"
	Checklist Style = "checklist" // papers to bring
)

// List is a list of short texts.
type List struct {
	Style Style
	Items []string
}

// NoticeKind says why a notice stands out.
type NoticeKind string

// The kinds of notices.
const (
	Note    NoticeKind = "a_noter"
	Know    NoticeKind = "a_savoir"
	Beware  NoticeKind = "attention"
	Remind  NoticeKind = "rappel"
	Example NoticeKind = "exemple"
	Follow  NoticeKind = "consigne"
	Warning NoticeKind = "avertissement" // about the whole fiche: the law is changing
)

// Notice is a text that stands out. Its first word has no capital where the
// source runs on from the title ("À noter : les associations …").
type Notice struct {
	Kind        NoticeKind
	Title, Text string
}

// Table is a grid whose rows are all of one length; merged cells are repeated.
type Table struct {
	Title  string
	Header bool // the first row names the columns
	Rows   [][]string
}

// Picture is an image or a film that the borne doesn't have, in words.
type Picture struct {
	Title   string
	Caption string
	Text    string // what it says
	Alt     string // what it is for
	Credit  string
	URL     string // of a film
}

// Office is who to ask.
type Office struct {
	Title  string
	Text   string
	Source string // who answers for this address
	Local  string // the kind of local office, if it is one: "mairie", "mission_locale"
	URL    string
}

// Service is something to do online, or a form.
type Service struct {
	ID     string
	Kind   string // as in the source: "Téléservice", "Formulaire", "Simulateur" …
	Title  string
	Text   string
	Source string // who runs it
	Cerfa  string // number of the form: "10103*12"
	URL    string
}

// Link leads to another page: a fiche or a definition by its ID, a site by its
// URL, or both.
type Link struct {
	Text string
	Note string // what it is about, or whose it is
	ID   string
	URL  string
}

// Definition explains a term or an abbreviation.
type Definition struct {
	ID         string
	Term, Text string
}

func (b Paragraph) texts() []string  { return []string{b.Text} }
func (b Heading) texts() []string    { return []string{b.Text} }
func (b List) texts() []string       { return b.Items }
func (b Notice) texts() []string     { return []string{b.Title, b.Text} }
func (b Picture) texts() []string    { return []string{b.Title, b.Caption, b.Text, b.Alt, b.Credit} }
func (b Office) texts() []string     { return []string{b.Title, b.Text, b.Source} }
func (b Service) texts() []string    { return []string{b.Kind, b.Title, b.Text, b.Source} }
func (b Link) texts() []string       { return []string{b.Text, b.Note} }
func (b Definition) texts() []string { return []string{b.Term, b.Text} }

func (b Table) texts() []string {
	texts := []string{b.Title}
	for _, row := range b.Rows {
		texts = append(texts, row...)
	}
	return texts
}
