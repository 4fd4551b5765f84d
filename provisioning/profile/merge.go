package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Layer is a part of a profile that several bornes share: a city's, a group's,
// a site's, or one borne's own. Beside the keys of a profile it may have
//
//	retirer = ["imprimante_a4.file", "lecteurs"]
//
// for keys and tables of the layers above that are not to be.
type Layer struct {
	Name string // for people, "Ville" or "Site Mairie de Neudorf"
	Data []byte // TOML
}

// removed is the key of a layer that takes away what is above it.
const removed = "retirer"

// Value is one value of a merged profile, and where it comes from.
type Value struct {
	Key   string // as people read it, "site.nom" or "lecteurs n° 2: type"
	Text  string // as TOML has it
	Layer string // name
	Line  int    // in the layer
}

// Merged is a whole profile that was made from layers.
type Merged struct {
	doc   *node
	wrong Errors
}

// Merge lays layers over each other, the last on top. A key of a layer takes the
// place of the same key of those before it; a list, be it of tables, takes the
// whole place of theirs. A layer that cannot be read counts as far as it can.
func Merge(layers ...Layer) *Merged {
	parsed := make([]*Parsed, len(layers))
	for i, l := range layers {
		parsed[i] = ParseLayer(l)
	}
	return MergeParsed(parsed...)
}

// Parsed is a layer that was read, for merging it with many others. It is safe
// for concurrent use.
type Parsed struct {
	name  string
	doc   *node
	gone  []gone
	wrong Errors
}

// gone is a key that a layer takes away.
type gone struct {
	path string
	line int
}

// ParseLayer reads a layer.
func ParseLayer(l Layer) *Parsed {
	p := &Parsed{name: l.Name}
	p.doc, p.wrong = parse(l.Name, l.Data)
	list := p.doc.table[removed]
	if list == nil {
		return p
	}
	p.doc.remove(removed)
	for _, entry := range list.list {
		path, ok := entry.value.(string)
		if !ok || !exists(path) {
			p.wrong = append(p.wrong, Problem{l.Name, entry.line, removed, "attendu le nom d’une clé ou d’une table, comme \"imprimante_a4.file\"" + hint(path)})
			continue
		}
		p.gone = append(p.gone, gone{path, entry.line})
	}
	if !list.isList {
		p.wrong = append(p.wrong, Problem{l.Name, list.line, removed, "attendu une liste de textes : [\"imprimante_a4.file\", \"lecteurs\"]"})
	}
	return p
}

// exists reports whether a profile may have a key, or a table.
func exists(path string) bool { return slices.Contains(Keys(), path) }

func hint(path string) string {
	if like := Closest(path, Keys()); like != "" {
		return ", vouliez-vous « " + like + " » ?"
	}
	return ""
}

// Errors are those of the layer that do not depend on others, or nil: keys that
// don't exist, values that can't be.
func (p *Parsed) Errors(further ...Further) error {
	_, c := examine(p.doc, further)
	wrong := slices.Clone(p.wrong)
	for _, f := range c.faults {
		inList := strings.Contains(f.path, "[")
		if !f.whole && (inList || c.has(f.path)) {
			wrong = append(wrong, c.problem(f))
		}
	}
	return wrong.orNil()
}

// has reports whether a key is written.
func (c *checker) has(path string) bool {
	at := c.root
	for part := range strings.SplitSeq(path, ".") {
		if at = at.table[part]; at == nil {
			return false
		}
	}
	return true
}

// MergeParsed is Merge for layers that were read already.
func MergeParsed(layers ...*Parsed) *Merged {
	m := &Merged{doc: newTable("", 0)}
	for _, l := range layers {
		for _, g := range l.gone {
			take(m.doc, strings.Split(g.path, "."))
		}
		lay(m.doc, l.doc)
		m.wrong = append(m.wrong, l.wrong...)
		m.doc.layer = l.name
	}
	return m
}

func take(at *node, path []string) {
	for _, key := range path[:len(path)-1] {
		if at = at.table[key]; at == nil {
			return
		}
	}
	at.remove(path[len(path)-1])
}

// lay puts the keys of one table over those of another. Tables of what is laid
// are never changed: they may be laid elsewhere too.
func lay(under, over *node) {
	for _, key := range over.order {
		v := over.table[key]
		if v.table == nil {
			under.put(key, v)
			continue
		}
		below := under.table[key]
		if below == nil || below.table == nil {
			below = newTable(v.layer, v.line)
			under.put(key, below)
		}
		lay(below, v)
	}
}

// Check tells all that is wrong with the whole, as Parse would: an error names
// the layer and the line in it.
func (m *Merged) Check(further ...Further) (*Profile, error) {
	return check(m.doc, slices.Clone(m.wrong), further)
}

// TOML is the whole as one file. The same values always give the same bytes.
func (m *Merged) TOML() ([]byte, error) {
	if len(m.wrong) > 0 {
		return nil, m.wrong.orNil()
	}
	data, err := toml.Marshal(m.doc.plain())
	if err != nil {
		return nil, fmt.Errorf("profil : %w", err)
	}
	return append([]byte("# Fait par le hub. Ce qui est changé ici est perdu à la prochaine version.\n"), data...), nil
}

// plain is the value without where it comes from.
func (n *node) plain() any {
	switch {
	case n.table != nil:
		table := make(map[string]any, len(n.table))
		for key, v := range n.table {
			table[key] = v.plain()
		}
		return table
	case n.isList:
		list := make([]any, len(n.list))
		for i, v := range n.list {
			list[i] = v.plain()
		}
		return list
	}
	return n.value
}

// Values lists all values that are set, in the order of the guide.
func (m *Merged) Values() []Value {
	var values []Value
	m.doc.walk("", func(path string, n *node) {
		values = append(values, Value{Key: shown(path), Text: n.text(), Layer: n.layer, Line: n.line})
	})
	rank := map[string]int{}
	for i, key := range Keys() {
		rank[key] = i
	}
	slices.SortStableFunc(values, func(a, b Value) int { return rank[tableOf(a.Key)] - rank[tableOf(b.Key)] })
	return values
}

func tableOf(key string) string {
	return strings.FieldsFunc(key, func(r rune) bool { return r == '.' || r == ' ' })[0]
}

// walk visits the values, and the entries of lists of tables.
func (n *node) walk(path string, visit func(string, *node)) {
	switch {
	case n.table != nil:
		for _, key := range n.order {
			n.table[key].walk(join(path, key), visit)
		}
	case n.isList && len(n.list) > 0 && n.list[0].table != nil:
		for i, entry := range n.list {
			entry.walk(fmt.Sprintf("%s[%d]", path, i), visit)
		}
	default:
		visit(path, n)
	}
}

// text is the value as TOML has it, on one line.
func (n *node) text() string {
	switch v := n.value.(type) {
	case string:
		return Quote(v)
	case nil:
		entries := make([]string, len(n.list))
		for i, entry := range n.list {
			entries[i] = entry.text()
		}
		return "[" + strings.Join(entries, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// Quote writes a text as TOML does.
func Quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteRune('\\')
			out.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&out, `\u%04X`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// Problems are the single problems of an error of this package; one of another
// kind stands alone.
func Problems(err error) Errors {
	var all Errors
	switch {
	case err == nil:
		return nil
	case errors.As(err, &all):
		return all
	}
	return Errors{{Text: err.Error()}}
}
