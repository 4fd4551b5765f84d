package fiche

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a fiche may hold at most. The largest real ones are far below.
const (
	maxBytes = 4 << 20
	maxNodes = 200_000 // elements and texts
	maxDepth = 100
)

const dublinCore = "http://purl.org/dc/elements/1.1/"

// node is an element with its children, or a text.
type node struct {
	name string // "Chapitre", "dc:title"; empty for a text
	text string
	attr []xml.Attr
	kids []*node
	line int
}

func (n *node) get(attr string) string {
	for _, a := range n.attr {
		if a.Name.Local == attr && a.Name.Space == "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// child returns the first child of one of these names, or nil.
func (n *node) child(names ...string) *node {
	for _, name := range names {
		for _, k := range n.kids {
			if k.name == name {
				return k
			}
		}
	}
	return nil
}

// readTree reads one XML document, token by token. It follows no entity and no
// reference. Its errors are Problems.
func readTree(r io.Reader) (*node, error) {
	dec := xml.NewDecoder(io.LimitReader(r, maxBytes+1))
	dec.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("encodage « %s » : seul UTF-8 est lu", charset)
	}
	top := &node{}
	stack := []*node{top}
	for nodes := 0; ; {
		token, err := dec.Token()
		line, _ := dec.InputPos()
		if dec.InputOffset() > maxBytes {
			return nil, Problem{Line: line, Reason: "la fiche dépasse 4 Mio"}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, Problem{Line: line, Reason: malformed(err)}
		}
		in := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if in == top && len(top.kids) > 0 {
				return nil, Problem{Line: line, Reason: fmt.Sprintf("un second document commence ici (élément %s)", t.Name.Local)}
			}
			if len(stack) > maxDepth {
				return nil, Problem{Line: line, Reason: fmt.Sprintf("plus de %d éléments emboîtés", maxDepth)}
			}
			n := &node{name: t.Name.Local, attr: t.Attr, line: line}
			if t.Name.Space == dublinCore || t.Name.Space == "dc" {
				n.name = "dc:" + n.name
			}
			in.kids = append(in.kids, n)
			stack = append(stack, n)
			nodes++
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if in == top {
				if strings.Trim(string(t), " \t\n\r\ufeff") != "" {
					return nil, Problem{Line: line, Reason: "texte hors de l’élément Publication"}
				}
				continue
			}
			in.kids = append(in.kids, &node{text: string(t), line: line})
			nodes++
		}
		if nodes > maxNodes {
			return nil, Problem{Line: line, Reason: fmt.Sprintf("plus de %d éléments", maxNodes)}
		}
	}
	if len(top.kids) == 0 {
		return nil, Problem{Line: 1, Reason: "le fichier est vide"}
	}
	return top.kids[0], nil
}

// malformed says in French why a document is not XML, with the decoder's own
// words where there are none.
func malformed(err error) string {
	var syntax *xml.SyntaxError
	if !errors.As(err, &syntax) {
		return err.Error()
	}
	var open, closed string
	switch {
	case syntax.Msg == "unexpected EOF":
		return "le fichier s’arrête avant sa fin"
	case syntax.Msg == "invalid UTF-8":
		return "le fichier n’est pas en UTF-8"
	case scan(syntax.Msg, "element <%s closed by </%s", &open, &closed):
		return fmt.Sprintf("l’élément %s est fermé par %s", strings.TrimSuffix(open, ">"), strings.TrimSuffix(closed, ">"))
	case strings.HasPrefix(syntax.Msg, "unexpected end element"):
		return "une balise de fin n’a pas de début : " + strings.TrimPrefix(syntax.Msg, "unexpected end element ")
	case strings.HasPrefix(syntax.Msg, "invalid character entity"):
		return "entité inconnue : " + strings.TrimPrefix(syntax.Msg, "invalid character entity ")
	}
	return "XML mal formé : " + syntax.Msg
}

func scan(s, format string, into ...any) bool {
	n, err := fmt.Sscanf(s, format, into...)
	return err == nil && n == len(into)
}
