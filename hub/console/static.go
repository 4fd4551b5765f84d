package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// assets are the files that pages use, by name below /static/.
type assets struct {
	files map[string][]byte
	sums  map[string]string // short hashes: a new file has a new address
}

// fontNames are the fonts that the style sheet names.
var fontNames = []string{
	"AtkinsonHyperlegibleNext_400Regular.ttf",
	"AtkinsonHyperlegibleNext_600SemiBold.ttf",
	"AtkinsonHyperlegibleNext_700Bold.ttf",
}

func loadAssets(fonts fs.FS) (*assets, error) {
	a := &assets{files: map[string][]byte{}, sums: map[string]string{}}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(staticFiles, name)
		a.put(strings.TrimPrefix(name, "static/"), b)
		return err
	})
	if err != nil {
		return nil, err
	}
	if fonts == nil {
		return a, nil
	}
	for _, name := range fontNames {
		b, err := fs.ReadFile(fonts, name)
		if err != nil {
			return nil, err
		}
		a.put("fonts/"+name, b)
	}
	return a, nil
}

func (a *assets) put(name string, b []byte) {
	sum := sha256.Sum256(b)
	a.files[name], a.sums[name] = b, hex.EncodeToString(sum[:6])
}

// path is the address of a file.
func (a *assets) path(name string) string { return "/static/" + name + "?v=" + a.sums[name] }

// icon is the drawing of an icon, to stand inside a page in the colour of the
// text beside it. It says nothing to those who can't see it.
func (a *assets) icon(name string) (template.HTML, error) {
	b, ok := a.files["icons/"+name+".svg"]
	if !ok {
		return "", fmt.Errorf("there is no icon %s", name)
	}
	return template.HTML(b), nil
}

func (c *Console) staticRoutes() []route {
	return []route{{method: "GET", pattern: "/static/{name...}", permission: anyone, handler: c.static, quiet: true}}
}

func (c *Console) static(w http.ResponseWriter, r *http.Request, _ *visitor) error {
	name := r.PathValue("name")
	b, ok := c.assets.files[name]
	if !ok {
		return errNoPage
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == c.assets.sums[name] {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if _, err := w.Write(b); err != nil {
		return errAnswered
	}
	return nil
}
