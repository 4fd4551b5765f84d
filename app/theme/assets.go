package theme

import (
	"bytes"
	"embed"
	"fmt"
	"sync"

	"github.com/go-text/typesetting/font"
)

//go:embed fonts/*.ttf
var fontFiles embed.FS

//go:embed icons/*.svg
var iconFiles embed.FS

// Weight is the thickness of a font.
type Weight int

// The weights the borne uses.
const (
	Regular Weight = iota
	SemiBold
	Bold
)

// fontNames by weight, in the order in which a sign is looked for.
var fontNames = map[Weight][]string{
	Regular:  {"AtkinsonHyperlegibleNext_400Regular", "NotoSansArabic_400Regular", "NotoSans_400Regular"},
	SemiBold: {"AtkinsonHyperlegibleNext_600SemiBold", "NotoSansArabic_600SemiBold", "NotoSans_600SemiBold"},
	Bold:     {"AtkinsonHyperlegibleNext_700Bold", "NotoSansArabic_700Bold", "NotoSans_600SemiBold"},
}

// Faces returns the faces of a weight: the Latin one first, then those for
// signs it does not have. They are parsed once, and not safe for concurrent use.
func Faces(w Weight) []*font.Face { return faces[w]() }

var faces = func() map[Weight]func() []*font.Face {
	m := map[Weight]func() []*font.Face{}
	for w, names := range fontNames {
		m[w] = sync.OnceValue(func() []*font.Face {
			var list []*font.Face
			for _, name := range names {
				data, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
				if err != nil {
					panic(err) // the program was built without its fonts
				}
				face, err := font.ParseTTF(bytes.NewReader(data))
				if err != nil {
					panic(fmt.Sprintf("theme: font %s: %v", name, err))
				}
				list = append(list, face)
			}
			return list
		})
	}
	return m
}()

// Icon returns the SVG of a Tabler outline icon; ok is false when the borne
// does not carry it.
func Icon(name string) (svg []byte, ok bool) {
	svg, err := iconFiles.ReadFile("icons/" + name + ".svg")
	return svg, err == nil
}
