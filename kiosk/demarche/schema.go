package demarche

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of a démarche's file and of
// themes.yaml, for editors that complete and check YAML while one types.
func Schema() string { return schema }
