package typeset

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	"github.com/go-text/typesetting/font"
)

//go:embed fonts/*.ttf
var fontFiles embed.FS

// Weight is the thickness of a font.
type Weight int

// The weights there are.
const (
	Regular Weight = iota
	SemiBold
	Bold
)

// fontNames by weight, in the order in which a sign is looked for. The Arabic
// font is Debian's, of 2020: go-text 0.3.4 and 0.3.5 lose the joined forms of
// yeh and qaf in the newer one, which composes them of parts.
var fontNames = map[Weight][]string{
	Regular:  {"AtkinsonHyperlegibleNext_400Regular", "NotoSansArabic-Regular", "NotoSans_400Regular"},
	SemiBold: {"AtkinsonHyperlegibleNext_600SemiBold", "NotoSansArabic-Bold", "NotoSans_600SemiBold"},
	Bold:     {"AtkinsonHyperlegibleNext_700Bold", "NotoSansArabic-Bold", "NotoSans_600SemiBold"},
}

// Family is the faces of one weight. Each is parsed when a sign first needs it:
// a borne that shows French alone never holds the others. It belongs to one
// goroutine.
type Family struct {
	names []string
	faces []*font.Face
}

// FamilyOf returns the faces of a weight.
func FamilyOf(w Weight) *Family { return &Family{names: fontNames[w]} }

// MainFile returns the TrueType file of a weight's main face, for those who
// put the font itself into a document. The bytes are the caller's own.
func MainFile(w Weight) []byte { return mustRead(fontNames[w][0]) }

// Main is the face that gives lines their measure.
func (f *Family) Main() *font.Face { return f.face(0) }

// ResolveFace finds the first face that has a sign; it is what go-text's
// segmenter asks for.
func (f *Family) ResolveFace(r rune) *font.Face {
	for i := range f.names {
		face := f.face(i)
		if _, ok := face.NominalGlyph(r); ok {
			return face
		}
	}
	return f.Main()
}

func (f *Family) face(i int) *font.Face {
	if i < len(f.faces) {
		return f.faces[i]
	}
	name := f.names[i]
	face, err := font.ParseTTF(bytes.NewReader(mustRead(name)))
	if err != nil {
		panic(fmt.Sprintf("typeset: font %s: %v", name, err))
	}
	f.faces = append(f.faces, face)
	return face
}

func mustRead(name string) []byte {
	data, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
	if err != nil {
		panic(err) // the program was built without its fonts
	}
	return data
}

// Files are the font files, for who shows text by other means than pictures.
func Files() fs.FS {
	files, err := fs.Sub(fontFiles, "fonts")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return files
}
