package console_test

import (
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"parvis/hub/console/browsertest"
	"parvis/hub/people"
)

// Whoever has an account finds the guides in the menu; every page of them has
// its pictures, and every link leads to a chapter.
func TestGuides(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.Mediator)
	b.Open("/rappels")
	b.Click(`.menu a[href="/aide/"]`)
	gone(b, "/aide/")
	b.Check("aide")
	b.Click(`main a[href="agents/rappels.md"]`)
	gone(b, "/aide/agents/rappels.md")
	b.Check("aide-rappels")

	var open []string // pages to look at
	seen := map[string]bool{}
	follow := func(to string) {
		if !seen[to] {
			seen[to] = true
			open = append(open, to)
		}
	}
	pictures := 0
	for follow("/aide/"); len(open) > 0; open = open[1:] {
		b.Open(open[0])
		if dead := browsertest.Script[[]string](b, `[...document.querySelectorAll('.guide a[href^="#"]')].map(a => decodeURIComponent(a.hash.slice(1))).filter(id => !document.getElementById(id))`); len(dead) > 0 {
			t.Errorf("%s has no chapters %q", open[0], dead)
		}
		if dead := browsertest.Script[[]string](b, `[...document.querySelectorAll(".guide img")].filter(i => !i.naturalWidth || !i.alt).map(i => i.src)`); len(dead) > 0 {
			t.Errorf("%s lacks the pictures %q, or their words", open[0], dead)
		}
		pictures += browsertest.Script[int](b, `document.querySelectorAll(".guide img").length`)
		if title := b.Text("h1"); title == "" || len(browsertest.Script[[]string](b, `[...document.querySelectorAll("h1")].map(h => h.id)`)) != 1 {
			t.Errorf("%s has the title %q", open[0], title)
		}
		for _, to := range browsertest.Script[[]string](b, `[...document.querySelectorAll(".guide a")].filter(a => a.host == location.host).map(a => a.pathname)`) {
			follow(to)
		}
		b.Examine(open[0])
	}
	all, err := fs.Glob(os.DirFS("../../docs"), "*/*.md")
	must(t, err)
	for _, name := range all {
		if !seen["/aide/"+name] {
			t.Errorf("no guide leads to %s", name)
		}
	}
	if pictures < 25 {
		t.Errorf("%d pictures", pictures)
	}
	reader := c.SignedIn(people.Reader)
	for _, name := range []string{"agents/rien.md", "agents", "agents/", "docs.go", "it/images/", "it/images/rien.png"} {
		if status, body := c.Get(reader, "/aide/"+name); status != http.StatusNotFound || !strings.Contains(body, `<html lang="fr">`) {
			t.Errorf("/aide/%s: %d %s", name, status, body)
		}
	}
}
