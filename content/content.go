// Package content carries the démarches, the level test and the demo data
// that every Parvis program ships with.
package content

import "embed"

// FS holds demarches/*.yaml, demo/places.csv and level.yaml.
//
//go:embed demarches demo level.yaml
var FS embed.FS
