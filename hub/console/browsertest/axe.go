package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axeScript is axe-core, in the version that package-lock.json holds. It is
// fetched once and kept beside it.
var axeScript = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for filepath.Base(dir) != "console" && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	home := filepath.Join(dir, "browsertest/testdata/axe")
	script := filepath.Join(home, "node_modules/axe-core/axe.min.js")
	if _, err := os.Stat(script); err != nil {
		if err := install(home); err != nil {
			return "", err
		}
	}
	b, err := os.ReadFile(script)
	return string(b), err
})

// install does npm ci in a folder, aside at first: of two test programs, one
// may be interrupted.
func install(home string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("npm is not installed (Debian package npm)")
	}
	dir, err := os.MkdirTemp(home, ".install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("the packages of %s cannot be fetched from the npm registry: %w\n%s", home, err, out)
	}
	return os.Rename(filepath.Join(dir, "node_modules"), filepath.Join(home, "node_modules"))
}

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
