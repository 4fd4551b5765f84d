package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parvis/provisioning/profile"
	"parvis/provisioning/profile/schema"
)

// compiled is the schema as an editor reads it.
func compiled(t testing.TB, layer bool) *jsonschema.Schema {
	t.Helper()
	text, err := schema.Of(layer)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("profil.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("profil.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accepts reports whether the schema takes a file; false for what isn't TOML.
func accepts(s *jsonschema.Schema, text string) bool {
	var doc map[string]any
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		return false
	}
	return s.Validate(doc) == nil
}

const site = "[site]\nid = \"a\"\nnom = \"Mairie\"\n"

// What check takes, the schema takes; what the schema refuses, check refuses.
// Whether the schema sees a mistake is said of each: it knows keys, types,
// words and ranges, and nothing of what two keys say together.
func TestAgreement(t *testing.T) {
	t.Parallel()
	s := compiled(t, false)
	demo, err := os.ReadFile("../../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		right = iota
		wrong // both see it
		deep  // check alone does
	)
	for text, want := range map[string]int{
		string(demo):                       right,
		site:                               right,
		site + "latitude = 48\n":           right,
		"[site]\nnom = \"Mairie\"\n":       wrong,
		"":                                 wrong,
		"site = 3\n":                       wrong,
		site + "latitude = 91.0\n":         wrong,
		site + "latitude = \"48\"\n":       wrong,
		site + "langues = []\n":            wrong,
		site + "langues = \"fr\"\n":        wrong,
		site + "langues = [1]\n":           wrong,
		site + "code_postal = \"6710\"\n":  wrong,
		site + "region = \"alsace\"\n":     wrong,
		site + "region = \"\"\n":           right,
		site + "[site.plus]\n":             wrong,
		site + "[ecran]\ndiagonal = 32\n":  wrong,
		site + "[ecran]\ndiagonale = 32\n": right,
		site + "[ecran]\ndiagonale = 3\n":  wrong,
		site + "[ecran]\ndiagonale = 32\nlargeur_mm = 200\n":                         deep,
		site + "[ecran]\norientation = \"paysage\"\n":                                right,
		site + "[ecran]\norientation = \"couche\"\n":                                 wrong,
		site + "[ecran]\norientation = \"paysage\"\nlargeur_px = 9\nhauteur_px=10\n": deep,
		site + "[ecran]\nlargeur_px = 0\n":                                           wrong,
		site + "[ecran]\nlargeur_px = 1080.5\n":                                      wrong,
		site + "[ecran]\nhauteur_sol_mm = 700\n":                                     right,
		site + "[reseau]\nproxy = \"proxy:3128\"\n":                                  deep,
		site + "[reseau]\ndns = [\"192.0.2.300\"]\n":                                 deep,
		site + "[wifi]\nnom = \"a\"\nmot_de_passe = \"bienvenue\"\n":                 right,
		site + "[wifi]\nnom = \"a\"\n":                                               deep,
		site + "[wifi]\nsecurite = \"wep\"\n":                                        wrong,
		site + "[contacts.accueil]\ntelephone = \"03 53 01 00 00\"\n":                right,
		site + "[contacts.accueil]\ntelephone = \"l’accueil\"\n":                     wrong,
		site + "[contacts.maire]\nnom = \"a\"\n":                                     wrong,
		site + "[imprimante]\nvitesse = 0\n":                                         wrong,
		site + "[imprimante]\nport = \"http://x\"\n":                                 deep,
		site + "[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\nvitesse = 0\n":     right,
		site + "[[lecteurs]]\ntype = \"nfc\"\nport = \"/dev/a\"\n":                   wrong,
		site + "[[lecteurs]]\nport = \"/dev/a\"\n":                                   wrong,
		site + "[[lecteurs]]\ntype = \"rfid\"\n":                                     deep,
		site + "[lecteurs]\ntype = \"rfid\"\n":                                       wrong,
		site + "lecteurs = [{type = \"pcsc\"}]\n[son]\nvolume = 3\n":                 wrong, // site.lecteurs
		"lecteurs = [{type = \"pcsc\"}]\n" + site:                                    right,
		site + "[son]\nvolume = 9\n":                                                 wrong,
		site + "[son]\nvolume = true\n":                                              wrong,
		site + "[cartes]\ncle = \"secret\"\n":                                        wrong,
		site + "[[badges]]\nrole = \"agent\"\n":                                      wrong,
		site + "[maintenance]\ncode = \"2468\"\n":                                    deep,
		site + "[agent]\ncapture = 1979-05-27\n":                                     wrong,
		"retirer = [\"son\"]\n" + site:                                               wrong,
	} {
		_, err := profile.Parse("profil.toml", []byte(text))
		if (err == nil) != (want == right) {
			t.Errorf("check says %v of\n%s", err, text)
		}
		if got := accepts(s, text); got != (want != wrong) {
			t.Errorf("the schema accepts: %v\n%s", got, text)
		}
	}
}

// A layer may leave everything out, and take keys away.
func TestLayerSchema(t *testing.T) {
	t.Parallel()
	s := compiled(t, true)
	for text, want := range map[string]bool{
		"": true, "[site]\nnom = \"Mairie\"\n": true, "retirer = [\"imprimante_a4.file\", \"lecteurs\"]\n": true,
		"retirer = [\"imprimante_a5\"]\n": false, "retirer = \"son\"\n": false, "[[lecteurs]]\nport = \"/dev/a\"\n": false, "[son]\nvolum = 3\n": false,
	} {
		if got := accepts(s, text); got != want {
			t.Errorf("the schema accepts: %v\n%s", got, text)
		}
		if err := profile.ParseLayer(profile.Layer{Name: "Ville", Data: []byte(text)}).Errors(); (err == nil) != want {
			t.Errorf("check says %v of\n%s", err, text)
		}
	}
}

// tree is a schema as the guide and the tests below walk it.
type tree struct {
	Type        string
	Description string
	Properties  map[string]tree
	Items       *tree
	Examples    []any
	Enum        []any
	Default     any
	Minimum     *float64
	Maximum     *float64
	Required    []string
}

func read(t testing.TB, layer bool) tree {
	t.Helper()
	text, err := schema.Of(layer)
	if err != nil {
		t.Fatal(err)
	}
	var root tree
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// at finds a key's part of the schema.
func (n tree) at(key string) (tree, bool) {
	for part := range strings.SplitSeq(key, ".") {
		if n.Items != nil {
			n = *n.Items
		}
		next, there := n.Properties[part]
		if !there {
			return tree{}, false
		}
		n = next
	}
	return n, true
}

// Every key has a description, and an example that check takes.
func TestEveryKeyIsDescribed(t *testing.T) {
	t.Parallel()
	root := read(t, false)
	for _, key := range profile.Keys() {
		n, there := root.at(key)
		switch {
		case !there:
			t.Errorf("%s isn't in the schema", key)
		case n.Description == "" || !strings.HasSuffix(n.Description, "."):
			t.Errorf("%s is described as %q", key, n.Description)
		case n.Type == "" || (n.Type == "string" || n.Type == "integer" || n.Type == "number") && len(n.Examples) == 0:
			t.Errorf("%s: type %q, examples %v", key, n.Type, n.Examples)
		}
	}
	if n := reflect.TypeFor[profile.Profile]().NumField(); len(root.Properties) != n {
		t.Errorf("%d tables in the schema, %d in a profile", len(root.Properties), n)
	}
	for _, key := range profile.Keys() {
		n, _ := root.at(key)
		for _, example := range n.Examples {
			text, err := toml.Marshal(nested(key, example))
			if err != nil {
				t.Fatal(err)
			}
			err = profile.ParseLayer(profile.Layer{Name: "x", Data: text}).Errors()
			for _, p := range profile.Problems(err) {
				if strings.HasSuffix(p.Key, lastOf(key)) {
					t.Errorf("the example of %s: %v\n%s", key, p, text)
				}
			}
		}
	}
}

func lastOf(key string) string { return key[strings.LastIndex(key, ".")+1:] }

// nested is a document in which one key has a value; JSON's whole numbers are
// whole in TOML too.
func nested(key string, value any) any {
	if f, ok := value.(float64); ok && f == float64(int64(f)) {
		value = int64(f)
	}
	at := reflect.TypeFor[profile.Profile]()
	parts := strings.Split(key, ".")
	var wrap func(t reflect.Type, parts []string) any
	wrap = func(t reflect.Type, parts []string) any {
		if len(parts) == 0 {
			return value
		}
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("toml") != parts[0] {
				continue
			}
			if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
				return map[string]any{parts[0]: []any{wrap(f.Type.Elem(), parts[1:])}}
			}
			return map[string]any{parts[0]: wrap(f.Type, parts[1:])}
		}
		panic(fmt.Sprintf("there is no %s", key))
	}
	return wrap(at, parts)
}
