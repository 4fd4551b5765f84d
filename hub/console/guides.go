package console

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// guide is a guide as a page.
type guide struct {
	Title string
	HTML  template.HTML
}

// loadGuides draws the guides, by their paths. They are our own: what they hold
// of HTML is drawn as it is.
func loadGuides(files fs.FS) (map[string]guide, error) {
	if files == nil {
		return nil, nil
	}
	md := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()), goldmark.WithRendererOptions(html.WithUnsafe()))
	guides := map[string]guide{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".md" {
			return err
		}
		source, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		doc := md.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(chapters{}))))
		first, ok := doc.FirstChild().(*ast.Heading)
		if !ok {
			return fmt.Errorf("%s has no title", name)
		}
		var page bytes.Buffer
		if err := md.Renderer().Render(&page, source, doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		guides[name] = guide{Title: string(first.Lines().Value(source)), HTML: template.HTML(page.String())}
		return nil
	})
	return guides, err
}

// chapters names the chapters of a guide as forges do, so that a link to one
// leads to it here and there.
type chapters struct{}

func (chapters) Generate(title []byte, _ ast.NodeKind) []byte {
	return []byte(strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, string(title)))
}

func (chapters) Put([]byte) {}

func (c *Console) guideRoutes() []route {
	if c.Guides == nil {
		return nil
	}
	return []route{
		{method: "GET", pattern: "/aide/{$}", permission: signedIn, handler: c.guidePage, menu: menu{title: "Aide", icon: "help-circle", below: "/aide/"}},
		{method: "GET", pattern: "/aide/{guide...}", permission: signedIn, handler: c.guidePage},
	}
}

// guidePage shows a guide, or a picture of one.
func (c *Console) guidePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	name := r.PathValue("guide")
	if path.Ext(name) == ".png" {
		if _, err := fs.Stat(c.Guides, name); err != nil {
			return errNoPage
		}
		http.ServeFileFS(w, r, c.Guides, name)
		return nil
	}
	if name == "" {
		name = "README.md"
	}
	g, ok := c.guides[name]
	if !ok {
		return errNoPage
	}
	return c.render(w, r, v, "guide", view{Title: g.Title, Data: g})
}
