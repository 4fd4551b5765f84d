package demarche_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parvis/kiosk/demarche"
)

const shipped = "../../content/demarches"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(demarche.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON turns YAML into what a JSON decoder would have read.
func asJSON(t *testing.T, source []byte) any {
	t.Helper()
	js, err := yaml.YAMLToJSON(source)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(js)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaAcceptsWhatIsShipped(t *testing.T) {
	schema := compileSchema(t)
	names, err := fs.Glob(os.DirFS(shipped), "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", shipped, err)
	}
	for _, name := range names {
		source, err := os.ReadFile(shipped + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, source)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(string(source), "# yaml-language-server: $schema=../../kiosk/demarche/schema.json\n") {
			t.Errorf("%s doesn't tell editors where its schema is", name)
		}
	}
}

func TestSchemaKnowsTheLoadersKeys(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Type                 string
			AdditionalProperties *bool
			Required             []string
			Properties           map[string]struct {
				Enum  []string
				Items struct{ Enum []string }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(demarche.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	known := demarche.KnownKeys()
	for name, def := range schema.Defs {
		if def.Type != "object" {
			continue
		}
		k, ok := known[name]
		if !ok {
			t.Errorf("the loader has no mapping for $defs/%s", name)
			continue
		}
		if def.AdditionalProperties == nil || *def.AdditionalProperties {
			t.Errorf("$defs/%s lets unknown keys pass", name)
		}
		same(t, name+" keys", slices.Collect(maps.Keys(def.Properties)), slices.Concat(k.Required, k.Optional))
		same(t, name+" required", def.Required, k.Required)
		for key, p := range def.Properties {
			if values := slices.Concat(p.Enum, p.Items.Enum); len(values) > 0 {
				same(t, name+"."+key+" values", values, demarche.KnownValues()[key])
			}
		}
	}
	for name := range known {
		if _, ok := schema.Defs[name]; !ok {
			t.Errorf("schema.json has no $defs/%s", name)
		}
	}
}

func same(t *testing.T, what string, schema, loader []string) {
	t.Helper()
	slices.Sort(schema)
	loader = slices.Sorted(slices.Values(loader))
	if !slices.Equal(schema, loader) {
		t.Errorf("%s: schema.json has %v, the loader has %v", what, schema, loader)
	}
}
