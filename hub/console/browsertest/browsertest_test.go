package browsertest

import (
	"os"
	"strings"
	"testing"

	"parvis/hub/people"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// A judge who never finds anything is worth nothing.
func TestAxeFinds(t *testing.T) {
	b := Start(t).As(people.Reader)
	b.Open("/compte")
	if found := b.axe(); found != "" {
		t.Fatalf("as it is, axe finds %s", found)
	}
	Script[bool](b, `(() => {
		document.querySelector("main").insertAdjacentHTML("beforeend", '<input><p id="pale">pâle</p><p id="paler">moins pâle</p><img src="/static/favicon.svg">');
		const sheet = new CSSStyleSheet();
		sheet.replaceSync("#pale { color: #bbb; } #paler { color: #666; }");
		document.adoptedStyleSheets.push(sheet);
		return true;
	})()`)
	found := b.axe()
	for _, rule := range []string{"label", "color-contrast", "color-contrast-enhanced", "image-alt"} {
		if !strings.Contains(found, rule+" (") {
			t.Errorf("axe doesn't find %s: %s", rule, found)
		}
	}
	if wide := Script[string](b, tooWide); wide != "" {
		t.Errorf("too wide: %s", wide)
	}
	Script[bool](b, `(() => { document.querySelector("main").insertAdjacentHTML("beforeend", "<p>" + "a".repeat(400) + "</p>"); return true; })()`)
	if wide := Script[string](b, tooWide); wide == "" {
		t.Error("a long word isn't found")
	}
	// An inline script is refused, and the refusal noted.
	Script[bool](b, `(() => { const s = document.createElement("script"); s.textContent = "window.ran = true"; document.body.append(s); return true; })()`)
	if Script[bool](b, `window.ran === true`) {
		t.Error("an inline script has run")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !strings.Contains(strings.Join(b.troubles, "\n"), "Content Security Policy") {
		t.Errorf("the browser complains of %q only", b.troubles)
	}
}
