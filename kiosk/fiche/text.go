package fiche

import (
	"fmt"
	"strings"
)

// inline are the elements that stand within a sentence.
var inline = set("Valeur", "Indice", "Exposant", "Tel", "LienExterne", "LienInterne", "LienIntra", "LienRessource",
	"MathTex", "Citation", "MiseEnEvidence", "Expression", "TermeEtranger", "Date", "Variable")

// unseen are the elements that a reader of the page never sees.
var unseen = set("Condition", "affecteVrai", "affecteFaux", "PivotLocal", "Colonne", "Affichage", "FranceConnect")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// mixed says whether the elements that n holds run on with its text.
func mixed(n *node) bool {
	if n.name == "Paragraphe" || inline[n.name] {
		return true
	}
	for _, k := range n.kids {
		if strings.Trim(k.text, white) != "" {
			return true
		}
	}
	return false
}

// isInline says whether k is part of a sentence. An unknown element is where
// its parent is mixed.
func isInline(mixed bool, k *node) bool {
	return k.name == "" || inline[k.name] || mixed && !known(k.name)
}

// flat turns nodes into lines of text, one a paragraph, and notes the links.
type flat struct {
	lines  []string
	links  []Link
	plain  bool // links are not wanted, or this is the text of one
	line   strings.Builder
	bullet string // what the next line starts with
}

func flatten(parent *node, kids []*node) *flat {
	f := &flat{}
	f.walk(parent, kids)
	f.end()
	return f
}

func (f *flat) walk(parent *node, kids []*node) {
	mixed, number := mixed(parent), 0
	for _, k := range kids {
		switch {
		case k.name == "":
			f.line.WriteString(k.text)
		case unseen[k.name]:
		case isInline(mixed, k):
			f.inline(k)
		case k.name == "Item":
			number++
			f.end()
			f.bullet = "– "
			if parent.get("type") == "numero" {
				f.bullet = fmt.Sprintf("%d. ", number)
			}
			f.walk(k, k.kids)
			f.end()
			f.bullet = ""
		default:
			f.end()
			if url := address(k); url != "" && !f.plain {
				f.link(k, Link{Text: title(k), ID: k.get("ID"), URL: url})
			} else {
				f.walk(k, k.kids)
			}
			f.end()
		}
	}
}

func (f *flat) inline(k *node) {
	if k.name == "Exposant" && len(k.kids) == 1 && strings.Trim(k.kids[0].text, digits) == "" {
		f.line.WriteString(raised.Replace(k.kids[0].text)) // "10³ m²", not "103 m2"
		return
	}
	url := webAddress(k.get("URL"))
	id := k.get("LienPublication") + k.get("LienID")
	if f.plain || id == "" && url == "" {
		f.walk(k, k.kids)
		return
	}
	f.link(k, Link{Text: plainText(k), ID: id, URL: url})
}

// link notes a link and walks what it holds; no link counts within another.
func (f *flat) link(k *node, link Link) {
	f.links = append(f.links, link)
	f.plain = true
	f.walk(k, k.kids)
	f.plain = false
}

func (f *flat) end() {
	if t := collapse(f.line.String()); t != "" {
		f.lines = append(f.lines, f.bullet+t)
		f.bullet = ""
	}
	f.line.Reset()
}

const digits = "0123456789"

var raised = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

// white is the white space that a web page folds. No-break spaces are not.
const white = " \t\n\r"

// collapse folds white space as a web page does. It also takes out what files
// that were indented for the eye have around punctuation: a line feed and
// blanks between a link and its comma.
func collapse(s string) string {
	var b strings.Builder
	var last rune
	gap, indented := false, false
	for _, r := range strings.TrimSpace(s) {
		if strings.ContainsRune(white, r) {
			gap = true
			indented = indented || r == '\n'
			continue
		}
		if gap && !(indented && (strings.ContainsRune(".,)]…", r) || strings.ContainsRune("([’'\u00a0", last))) {
			b.WriteByte(' ')
		}
		gap, indented = false, false
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// webAddress returns an address that can be opened elsewhere, or "".
func webAddress(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}

// address returns where an element leads, itself or by what it holds.
func address(n *node) string {
	if url := webAddress(n.get("URL")); url != "" {
		return url
	}
	if k := n.child("LienWeb", "RessourceWeb"); k != nil {
		return webAddress(k.get("URL"))
	}
	return ""
}

// title returns the title of an element in one line, or its whole text where
// it has none.
func title(n *node) string {
	if k := n.child("Titre"); k != nil {
		return plainText(k)
	}
	return plainText(n)
}

// plainText returns the text of an element in one line.
func plainText(n *node) string {
	f := &flat{plain: true}
	f.walk(n, n.kids)
	f.end()
	return strings.Join(f.lines, " ")
}
