package profile

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// node is a value of a TOML file that knows where it stands.
type node struct {
	layer string // name of the file, or of the layer
	line  int    // from 1; 0 for what isn't written anywhere

	value  any              // string, int64, float64 or bool; nil for a list, a table, and a date, which no key takes
	table  map[string]*node // not nil for a table
	order  []string         // of the table's keys
	isList bool
	list   []*node

	closed bool // nothing can be added: an inline table, a list written with brackets
	head   bool // a table that has had its own [header]
}

func newTable(layer string, line int) *node {
	return &node{layer: layer, line: line, table: map[string]*node{}}
}

func (n *node) put(key string, v *node) {
	if n.table[key] == nil {
		n.order = append(n.order, key)
	}
	n.table[key] = v
}

func (n *node) remove(key string) {
	delete(n.table, key)
	n.order = slices.DeleteFunc(n.order, func(k string) bool { return k == key })
}

// document reads one file.
type document struct {
	name  string
	data  []byte
	p     unstable.Parser
	wrong Errors
}

// parse reads a file into a table. What was read before a mistake is there,
// whatever else is wrong.
func parse(name string, data []byte) (*node, Errors) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as Windows' editors write
	root := newTable(name, 1)
	d := &document{name: name, data: data}
	d.p.Reset(data)
	at := root
	for d.p.NextExpression() {
		e := d.p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			at = d.open(root, e)
		case unstable.KeyValue:
			d.set(at, e)
		}
	}
	var broken *unstable.ParserError
	switch err := d.p.Error(); {
	case errors.As(err, &broken):
		d.wrong = append(d.wrong, Problem{File: name, Line: d.lineOf(broken.Highlight), Text: inFrench(broken.Message)})
	case err != nil:
		d.wrong = append(d.wrong, Problem{File: name, Text: notTOML})
	case len(d.wrong) == 0:
		d.judge()
	}
	return root, d.wrong
}

// judge asks the whole decoder about what the parser alone lets through.
func (d *document) judge() {
	var whole map[string]any
	err := toml.Unmarshal(d.data, &whole)
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		d.wrong = append(d.wrong, Problem{File: d.name, Line: line, Text: inFrench(wrong.Error())})
	case err != nil:
		d.wrong = append(d.wrong, Problem{File: d.name, Text: inFrench(err.Error())})
	}
}

// lineOf is the line on which a part of the file begins.
func (d *document) lineOf(part []byte) int {
	r := d.p.Range(part)
	return 1 + bytes.Count(d.data[:r.Offset], []byte("\n"))
}

func (d *document) keys(e *unstable.Node) (keys []string, line int) {
	for it := e.Key(); it.Next(); {
		k := it.Node()
		if line == 0 {
			line = 1 + bytes.Count(d.data[:k.Raw.Offset], []byte("\n"))
		}
		keys = append(keys, string(k.Data))
	}
	return keys, line
}

// open goes to the table that a header names, and makes it.
func (d *document) open(at *node, e *unstable.Node) *node {
	keys, line := d.keys(e)
	for i, key := range keys {
		last := i == len(keys)-1
		next := at.table[key]
		switch {
		case next == nil && last && e.Kind == unstable.ArrayTable:
			next = &node{layer: d.name, line: line, isList: true}
			at.put(key, next)
		case next == nil:
			next = newTable(d.name, line)
			at.put(key, next)
		case next.closed, !next.isList && next.table == nil,
			last && (next.isList != (e.Kind == unstable.ArrayTable) || next.head):
			d.twice(keys[:i+1], line, next.line)
			return newTable(d.name, line) // what follows has no place, but may be looked at
		}
		if last && e.Kind == unstable.ArrayTable {
			entry := newTable(d.name, line)
			next.list = append(next.list, entry)
			return entry
		}
		if next.isList {
			next = next.list[len(next.list)-1]
		}
		next.head = next.head || last
		at = next
	}
	return at
}

// set keeps a key and its value, in a table or one that a dotted key names.
func (d *document) set(at *node, e *unstable.Node) {
	keys, line := d.keys(e)
	for _, key := range keys[:len(keys)-1] {
		next := at.table[key]
		if next == nil {
			next = newTable(d.name, line)
			at.put(key, next)
		}
		if next.table == nil || next.closed {
			d.twice(keys, line, next.line)
			return
		}
		at = next
	}
	key := keys[len(keys)-1]
	if before := at.table[key]; before != nil {
		d.twice(keys, line, before.line)
		return
	}
	at.put(key, d.value(e.Value(), line))
}

func (d *document) twice(keys []string, line, before int) {
	d.wrong = append(d.wrong, Problem{File: d.name, Line: line, Key: strings.Join(keys, "."),
		Text: "écrit deux fois ; la première est à la ligne " + strconv.Itoa(before)})
}

// value reads what stands after the equals sign.
func (d *document) value(e *unstable.Node, line int) *node {
	n := &node{layer: d.name, line: line}
	text := strings.ReplaceAll(string(e.Data), "_", "")
	switch e.Kind {
	case unstable.String:
		n.value = string(e.Data)
	case unstable.Bool:
		n.value = string(e.Data) == "true"
	case unstable.Integer:
		i, err := strconv.ParseInt(strings.TrimPrefix(text, "+"), 0, 64)
		n.value = i
		if err != nil { // too many digits: no key takes such a number
			n.value = math.Inf(1)
		}
	case unstable.Float:
		f, err := strconv.ParseFloat(text, 64)
		n.value = f
		if err != nil {
			n.value = math.Inf(1)
		}
	case unstable.Array:
		n.isList, n.closed = true, true
		for it := e.Children(); it.Next(); {
			child := d.value(it.Node(), line)
			child.closed = true
			n.list = append(n.list, child)
		}
	case unstable.InlineTable:
		n.table, n.closed = map[string]*node{}, false
		for it := e.Children(); it.Next(); {
			d.set(n, it.Node())
		}
		n.closed = true
	}
	return n
}

const notTOML = "cette ligne n’est pas du TOML : attendu une clé, « = » et une valeur, ou le nom d’une table entre crochets"

// inFrench says what is wrong with the syntax; the parser's own words are
// English, and name characters.
func inFrench(message string) string {
	for _, m := range []struct{ part, text string }{
		{"strings must be quoted", "un texte se met entre guillemets droits : \"…\""},
		{"at start of value", "la valeur est illisible : un texte se met entre guillemets droits : \"…\""},
		{"expected keyword", "la valeur est illisible : un texte se met entre guillemets droits : \"…\""},
		{"expected value", "il manque la valeur après « = »"},
		{"expected '='", "il manque « = » après la clé"},
		{"cannot have new lines", "le guillemet qui ferme le texte manque"},
		{"unterminated", "le guillemet qui ferme le texte manque"},
		{"not terminated", "les guillemets qui ferment le texte manquent"},
		{"escape", "une barre oblique inverse dans un texte se double : \\\\"},
		{"array is incomplete", "le crochet « ] » qui ferme la liste manque"},
		{"after array value", "dans une liste, il manque une virgule ou le crochet « ] » qui la ferme"},
		{"inline table", "l’accolade « } » qui ferme la table manque, ou une virgule"},
		{"close table name", "le crochet « ] » qui ferme le nom de la table manque"},
		{"close array table name", "les crochets « ]] » qui ferment le nom de la table manquent"},
		{"expected newline", "rien ne doit suivre sur cette ligne"},
		{"leading zeroes", "un nombre ne commence pas par 0 ; un numéro se met entre guillemets"},
		{"UTF-8", "le fichier n’est pas en UTF-8 : enregistrez-le dans ce codage"},
		{"already", "cette clé ou cette table est écrite deux fois"},
	} {
		if strings.Contains(message, m.part) {
			return m.text
		}
	}
	return notTOML
}
