package schema_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parvis/provisioning/profile"
)

var update = flag.Bool("update", false, "write the list of keys into docs/it/profil.md")

const (
	guide = "../../../docs/it/profil.md"
	begin = "à la fin. -->\n"
	end   = "<!-- fin -->"
)

// The guide for IT lists every key as the schema has it.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	_, tail, ends := strings.Cut(rest, end)
	if !found || !ends {
		t.Fatalf("%s has lost the marks around its list of keys", guide)
	}
	want := head + begin + listOfKeys(t) + end + tail
	if *update {
		if err := os.WriteFile(guide, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not what the schema says: run go test ./provisioning/profile/schema -update", guide)
	}
}

// Every example of TOML in the guide is taken as it stands there.
func TestGuideExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 14 {
		t.Fatalf("%d examples in the guide", len(examples))
	}
	for _, e := range examples {
		if err := profile.ParseLayer(profile.Layer{Name: "exemple", Data: []byte(e[1])}).Errors(); err != nil {
			t.Errorf("%v\n%s", err, e[1])
		}
	}
}

// listOfKeys is a chapter for each table: what it is for, an example with every
// key, and what each key takes.
func listOfKeys(t *testing.T) string {
	root := read(t, false)
	var out strings.Builder
	tables := []string{}
	for _, key := range profile.Keys() {
		if n, _ := root.at(key); isTable(n) {
			tables = append(tables, key)
		}
	}
	for _, table := range tables {
		n, _ := root.at(table)
		keys := keysOf(table)
		title := "[" + table + "]"
		if n.Items != nil {
			title = "[[" + table + "]]"
			n.Properties = n.Items.Properties
			n.Required = n.Items.Required
		}
		fmt.Fprintf(&out, "\n### `%s`\n\n%s\n", title, n.Description)
		if len(keys) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n```toml\n%s\n", title)
		for _, key := range keys {
			out.WriteString(key + " = " + example(n.Properties[key]) + "\n")
		}
		out.WriteString("```\n\n| Clé | Ce qu’elle dit | Valeurs | D’origine |\n| --- | --- | --- | --- |\n")
		for _, key := range keys {
			p := n.Properties[key]
			usual := "—"
			if p.Default != nil {
				usual = "`" + literal(p.Default) + "`"
			}
			if slices.Contains(n.Required, key) {
				usual = "à donner"
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", key, cell(p.Description), cell(values(p)), cell(usual))
		}
	}
	return out.String() + "\n"
}

func isTable(n tree) bool { return n.Properties != nil || n.Items != nil && n.Items.Properties != nil }

// keysOf lists the keys of a table that are no tables themselves.
func keysOf(table string) []string {
	var keys []string
	for _, key := range profile.Keys() {
		if below, is := strings.CutPrefix(key, table+"."); is && !strings.Contains(below, ".") && !hasBelow(key) {
			keys = append(keys, below)
		}
	}
	return keys
}

func hasBelow(key string) bool {
	return slices.ContainsFunc(profile.Keys(), func(k string) bool { return strings.HasPrefix(k, key+".") })
}

// cell keeps a text within its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// values says what a key takes.
func values(n tree) string {
	kind := map[string]string{"string": "texte", "integer": "nombre entier", "number": "nombre", "boolean": "`true` ou `false`", "array": "liste de textes"}[n.Type]
	var words []string
	for _, w := range n.Enum {
		if w != "" && w != 0.0 {
			words = append(words, "`"+literal(w)+"`")
		}
	}
	switch {
	case words != nil:
		return strings.Join(words, ", ")
	case n.Minimum != nil:
		return fmt.Sprintf("%s de %v à %v", kind, *n.Minimum, *n.Maximum)
	}
	return kind
}

func example(n tree) string {
	switch n.Type {
	case "array":
		return literal(n.Items.Examples)
	case "boolean":
		return "false"
	}
	return literal(n.Examples[0])
}

// literal is a value as TOML has it.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, "\r\n") { // shown as it is typed
			data, _ := json.Marshal(v)
			return string(data)
		}
		return profile.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var list []string
		for _, one := range v {
			list = append(list, literal(one))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprint(v)
}
