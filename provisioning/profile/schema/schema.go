// Package schema makes the JSON Schema of a profile, for editors, from the same
// tags that package profile reads a profile with. It stands apart so that a
// borne does not carry what only editors need.
package schema

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"parvis/provisioning/profile"
)

// Of is the JSON Schema (draft 2020-12) of a whole profile, or of a layer: one
// that may leave everything out, and take keys of the layers above away.
func Of(layer bool) ([]byte, error) {
	r := jsonschema.Reflector{FieldNameTag: "toml", RequiredFromJSONSchemaTags: true, DoNotReference: true, Anonymous: true}
	s := r.ReflectFromType(reflect.TypeFor[profile.Profile]())
	s.Title = "Profil d’une borne Parvis"
	s.Description = "Les réglages d’un site, en un fichier TOML."
	setDefaults(s, reflect.ValueOf(profile.Default()).Elem())
	if layer {
		s.Title, s.Description = "Couche de profil Parvis", "Une partie des réglages, commune à une ville, un groupe, un site, ou propre à une borne."
		asLayer(s)
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schéma : %w", err)
	}
	return append(data, '\n'), nil
}

// setDefaults says what a key is where it is left out.
func setDefaults(s *jsonschema.Schema, v reflect.Value) {
	for i := range v.NumField() {
		property, ok := s.Properties.Get(v.Type().Field(i).Tag.Get("toml"))
		switch field := v.Field(i); {
		case !ok:
		case field.Kind() == reflect.Struct:
			setDefaults(property, field)
		case !field.IsZero() && !(field.Kind() == reflect.Slice && field.Len() == 0):
			property.Default = field.Interface()
		}
	}
}

// asLayer makes every table one that may leave anything out, except in lists,
// whose entries are whole.
func asLayer(s *jsonschema.Schema) {
	s.Required = nil
	for at := s.Properties.Oldest(); at != nil; at = at.Next() {
		if at.Value.Properties != nil {
			at.Value.Required = nil
			for below := at.Value.Properties.Oldest(); below != nil; below = below.Next() {
				below.Value.Required = nil
			}
		}
	}
	keys := profile.Keys()
	words := make([]any, len(keys))
	for i, key := range keys {
		words[i] = key
	}
	s.Properties.Set("retirer", &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string", Enum: words},
		Description: "Clés et tables des couches du dessus dont celle-ci ne veut pas."})
}
