package demarche

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// reader reads the values of one file and collects what is wrong with them.
type reader struct {
	file     string
	root     ast.Node // nil when the file isn't YAML
	styled   bool     // warn about style
	problems Problems
}

func (r *reader) fail(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Reason: fmt.Sprintf(format, args...)})
}

func (r *reader) warn(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Reason: fmt.Sprintf(format, args...), Warning: true})
}

// field is the value of a key and the line the key stands on. The zero field
// is a key that isn't there.
type field struct {
	name string
	line int
	node ast.Node
}

func (f field) there() bool { return f.line > 0 }

// document is the whole file, as a field.
func (r *reader) document() field { return field{"fichier", 1, r.root} }

// keys names what a mapping may hold.
type keys struct {
	required, optional []string
}

func (k keys) all() []string { return slices.Concat(k.required, k.optional) }

// object reads a mapping, and refuses keys it doesn't know, keys given twice
// and keys that are missing. It returns nil when f is no mapping.
func (r *reader) object(f field, k keys) map[string]field {
	values, ok := pairs(f.node)
	if !ok {
		r.fail(f.line, "%s : il faut des clés et des valeurs (%s)", f.name, strings.Join(k.all(), ", "))
		return nil
	}
	found := map[string]field{}
	for _, v := range values {
		line := lineOf(v.Key, f.line)
		name, ok := scalar(v.Key)
		switch {
		case !ok || !slices.Contains(k.all(), name):
			r.fail(line, "%s : clé inconnue « %s » (clés possibles : %s)", f.name, clip(name), strings.Join(k.all(), ", "))
		case found[name].there():
			r.fail(line, "%s : la clé « %s » est en double", f.name, name)
		default:
			found[name] = field{name, line, v.Value}
		}
	}
	for _, name := range k.required {
		if !found[name].there() {
			r.fail(f.line, "%s : « %s » manque", f.name, name)
		}
	}
	return found
}

// list reads a sequence; each of its fields bears the list's name.
func (r *reader) list(f field, low, high int) []field {
	if !f.there() {
		return nil
	}
	seq, ok := f.node.(*ast.SequenceNode)
	if !ok {
		r.fail(f.line, "%s : il faut une liste", f.name)
		return nil
	}
	if n := len(seq.Values); n < low || n > high {
		r.fail(f.line, "%s : il en faut de %d à %d, il y en a %d", f.name, low, high, n)
	}
	fields := make([]field, 0, len(seq.Values))
	for _, n := range seq.Values[:min(len(seq.Values), high)] {
		fields = append(fields, field{f.name, itemLine(n, f.line), n})
	}
	return fields
}

// str reads a string that isn't empty, and "" where the key is missing.
func (r *reader) str(f field) string {
	if !f.there() {
		return ""
	}
	s, ok := textual(f.node)
	if !ok {
		r.fail(f.line, "%s : il faut un texte, entre guillemets au besoin", f.name)
		return ""
	}
	s = strings.TrimSpace(s)
	if s == "" {
		r.fail(f.line, "%s : le texte est vide", f.name)
	}
	if i := strings.IndexFunc(s, isControl); i >= 0 {
		r.fail(f.line, "%s : le texte contient un caractère de commande", f.name)
		return ""
	}
	return s
}

func isControl(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }

// match reads a string that fits a pattern; want says it in French.
func (r *reader) match(f field, pattern *regexp.Regexp, want string) string {
	s := r.str(f)
	if s != "" && !pattern.MatchString(s) {
		r.fail(f.line, "%s : « %s » n’est pas valable (%s)", f.name, clip(s), want)
	}
	return s
}

// oneOf reads one of the values.
func (r *reader) oneOf(f field, values []string) string {
	s := r.str(f)
	if s != "" && !slices.Contains(values, s) {
		r.fail(f.line, "%s : « %s » n’existe pas (valeurs possibles : %s)", f.name, clip(s), strings.Join(values, ", "))
	}
	return s
}

// boolean reads true or false, and false where the key is missing.
func (r *reader) boolean(f field) bool {
	if !f.there() {
		return false
	}
	b, ok := f.node.(*ast.BoolNode)
	if !ok {
		r.fail(f.line, "%s : il faut true ou false", f.name)
		return false
	}
	return b.Value
}

// positive reads a whole number from 1.
func (r *reader) positive(f field) int {
	if !f.there() {
		return 0
	}
	s, _ := scalar(f.node)
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		r.fail(f.line, "%s : il faut un nombre entier à partir de 1", f.name)
		return 0
	}
	return n
}

// text reads a Text in all languages, and nil where the key is missing.
func (r *reader) text(f field) Text {
	if !f.there() {
		return nil
	}
	values, ok := pairs(f.node)
	if !ok {
		r.fail(f.line, "%s : il faut le texte dans chaque langue (%s)", f.name, strings.Join(Languages(), ", "))
		return nil
	}
	text := Text{}
	for _, v := range values {
		line := lineOf(v.Key, f.line)
		lang, ok := scalar(v.Key)
		if !ok || !slices.Contains(Languages(), lang) {
			r.fail(line, "%s : langue inconnue « %s » (langues : %s)", f.name, clip(lang), strings.Join(Languages(), ", "))
			continue
		}
		if _, twice := text[lang]; twice {
			r.fail(line, "%s : la langue « %s » est en double", f.name, lang)
			continue
		}
		text[lang] = r.str(field{f.name + "." + lang, line, v.Value})
		r.style(line, f.name, lang, text[lang])
	}
	for _, lang := range Languages() {
		if _, ok := text[lang]; !ok {
			r.fail(f.line, "%s : la langue « %s » manque", f.name, lang)
		}
	}
	return text
}

// pairs returns the keys and values of a mapping.
func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// textual returns the value of a string node, quoted, plain or block.
func textual(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		if s.Value != nil {
			return s.Value.Value, true
		}
	}
	return "", false
}

// scalar returns what is written, be it a string, a number or a boolean.
func scalar(n ast.Node) (string, bool) {
	if s, ok := textual(n); ok {
		return s, true
	}
	if s, ok := n.(ast.ScalarNode); ok && s.GetToken() != nil {
		return s.GetToken().Value, true
	}
	return "", false
}

// itemLine returns the line of a list's item: that of its first key, where it
// is a mapping.
func itemLine(n ast.Node, fallback int) int {
	if values, ok := pairs(n); ok && len(values) > 0 {
		return lineOf(values[0].Key, fallback)
	}
	return lineOf(n, fallback)
}

// clip keeps a message short whatever the file holds.
func clip(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
