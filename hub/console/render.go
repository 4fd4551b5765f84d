package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// page is a parsed page: its own templates over the layout and the parts
// (files that begin with "_") that all pages share.
type page = template.Template

// view is what the layout draws.
type view struct {
	Title  string // of the page; "Parvis" is added
	Status int    // 0: 200
	Data   any    // for the page's own "main"
	Errors formErrors
	Bare   bool // without menu: before somebody has signed in

	// The rest is filled in by render.
	Menu    []menuItem
	Visitor *visitor
	Flash   string
	Path    string
	Version string
}

// parsePages reads templates/*.html: each defines "main", and may define parts
// of it for scripts to fetch again.
func (c *Console) parsePages() (map[string]*page, error) {
	base, err := template.New("layout").Funcs(c.funcs()).ParseFS(templateFiles, "templates/layout.html", "templates/_*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*page{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "_") {
			continue
		}
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if pages[name], err = t.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// render writes a whole page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, v *visitor, name string, p view) error {
	p.Title, p.Visitor, p.Path, p.Version = spaces.Replace(p.Title), v, r.URL.Path, c.Version
	p.Bare = p.Bare || !v.known()
	if !p.Bare {
		p.Menu = c.menuFor(r, v)
	}
	p.Flash = c.sessions.PopString(r.Context(), keyFlash)
	if len(p.Errors) > 0 && p.Status == 0 {
		p.Status = http.StatusUnprocessableEntity
	}
	return c.write(w, name, "layout.html", p.Status, p)
}

func (c *Console) write(w http.ResponseWriter, name, part string, status int, data any) error {
	t, ok := c.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %s", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status != 0 {
		w.WriteHeader(status)
	}
	_, err := b.WriteTo(w)
	if err != nil {
		return errAnswered // the reader has gone
	}
	return nil
}

// redirect sends the browser on after a form, with a sentence that the next
// page shows once; it may be empty.
func (c *Console) redirect(w http.ResponseWriter, r *http.Request, to, flash string) error {
	if flash != "" {
		c.sessions.Put(r.Context(), keyFlash, spaces.Replace(flash))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// formError is what is wrong with one field of a form.
type formError struct {
	Field string // the id of the field; the summary links to it
	Text  string
}

// formErrors are shown at the head of a form and at each field.
type formErrors []formError

// add notes that a field is wrong.
func (e *formErrors) add(field, text string) { *e = append(*e, formError{field, spaces.Replace(text)}) }

// For gives what is wrong with a field, or "".
func (e formErrors) For(field string) string {
	for _, f := range e {
		if f.Field == field {
			return f.Text
		}
	}
	return ""
}
