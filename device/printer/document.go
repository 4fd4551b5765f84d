// Package printer says what can be printed and what can go wrong, for printers
// of every make. A Document holds the meaning of a ticket; the packages below
// this one turn it into the bytes or pages of one kind of printer.
package printer

// Document is what one resident takes away, from top to bottom.
type Document struct {
	Lang   string // language of the text, such as "fr"
	Blocks []Block
}

// Block is one part of a document: Heading, Text, Bullet, Checkbox, Rule, QR,
// Code, Space or Cut.
type Block interface{ block() }

// Heading is a title. Level 1 is the strongest; levels beyond 3 print as 3.
type Heading struct {
	Level   int
	Text    string
	Centred bool
}

// Text is one paragraph. A line feed in it starts a new line.
type Text struct {
	Text    string
	Bold    bool
	Centred bool
}

// Bullet is one point of a list. Detail, if any, stands under the text.
type Bullet struct {
	Text   string
	Detail string
}

// Checkbox is one line of a list to tick with a pen. Detail, if any, stands
// under the text without a box of its own.
type Checkbox struct {
	Text   string
	Detail string
}

// Rule is a line across the paper.
type Rule struct{ Dashed bool }

// QR is a QR code, centred, as large as suits its data.
type QR struct{ Data string }

// Code is a short reference code in the largest letters that fit.
type Code struct{ Text string }

// Space is an empty stretch, in lines of text.
type Space struct{ Lines int }

// Cut ends a ticket: the paper is fed out and cut.
type Cut struct{}

func (Heading) block()  {}
func (Text) block()     {}
func (Bullet) block()   {}
func (Checkbox) block() {}
func (Rule) block()     {}
func (QR) block()       {}
func (Code) block()     {}
func (Space) block()    {}
func (Cut) block()      {}
