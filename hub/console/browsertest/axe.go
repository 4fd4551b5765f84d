package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"

	"parvis/packaging/npmtest"
)

// axeScript is axe-core, in the version that package-lock.json holds.
var axeScript = sync.OnceValues(func() (string, error) {
	home, err := npmtest.Install("hub/console/browsertest/testdata/axe")
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(home, "node_modules/axe-core/axe.min.js"))
	return string(b), err
})

// axe runs all of axe's rules on the page, those for a contrast of 7 included,
// and returns what it finds. It is handed in through the devtools protocol,
// which the Content-Security-Policy doesn't concern.
func (b *Browser) axe() string {
	b.t.Helper()
	script, err := axeScript()
	if err != nil {
		b.t.Fatal(err)
	}
	if !Script[bool](b, `"axe" in window`) { // the page is looked at in more than one size
		b.Do(chromedp.Evaluate[chromedp.Void](script))
	}
	answer := Script[string](b, `axe.run(document, {resultTypes: ["violations"], rules: {"color-contrast-enhanced": {enabled: true}}}).then((r) => JSON.stringify({rules: r.passes.length, found: r.violations}))`)
	var result struct {
		Rules int
		Found []struct {
			ID, Help string
			Nodes    []struct {
				HTML           string
				FailureSummary string
			}
		}
	}
	if err := json.Unmarshal([]byte(answer), &result); err != nil {
		b.t.Fatal(err)
	}
	if result.Rules < 10 {
		b.t.Fatalf("axe has looked at %d rules only", result.Rules)
	}
	var text strings.Builder
	for _, v := range result.Found {
		for _, n := range v.Nodes {
			fmt.Fprintf(&text, "%s (%s): %s\n%s\n", v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
	return text.String()
}
