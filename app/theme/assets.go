package theme

import "embed"

//go:embed icons/*.svg
var iconFiles embed.FS

// Icon returns the SVG of a Tabler outline icon; ok is false when the borne
// does not carry it.
func Icon(name string) (svg []byte, ok bool) {
	svg, err := iconFiles.ReadFile("icons/" + name + ".svg")
	return svg, err == nil
}
