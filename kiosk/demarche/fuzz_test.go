package demarche_test

import (
	"strings"
	"testing"

	"parvis/kiosk/demarche"
)

// Whatever the bytes, the loader answers with a sound catalogue or with
// problems that name the file and a line.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(baseYAML))
	f.Add([]byte(withoutQuestions))
	f.Add([]byte(themesYAML))
	for _, s := range []string{"", "[", "a: &b *b", "? - {", "id: |\n", "questions: [{if: \"((((\"}]", "\xff", "- - - -", "---\n---\n", "a: !!x", "{}: {}", "\"\\x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := folder("base.yaml", string(data), "themes.yaml", themesYAML)
		if strings.HasPrefix(string(data), "themes") {
			fsys = folder("base.yaml", baseYAML, "themes.yaml", string(data))
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, p := range check(fsys, now) {
			if p.File == "" || p.Reason == "" || p.Line < 1 || p.Line > max(lines, 50) {
				t.Errorf("a problem without a place: %+v", p)
			}
		}
		c, _ := demarche.Load(fsys)
		for _, d := range c.Demarches {
			follow(t, d, func(q *demarche.Question) string { return q.Choices[len(q.Choices)-1].ID })
			d.Outcome(nil)
		}
	})
}
