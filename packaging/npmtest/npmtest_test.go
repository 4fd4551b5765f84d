package npmtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// axe is a package without dependencies that our tests use anyway.
const axe = "../../hub/console/browsertest/testdata/axe"

// home gives a folder that asks for axe, with nothing fetched yet.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(axe, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func complete(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules/axe-core/axe.min.js")); err != nil {
		t.Error(err)
	}
}

// go test runs several test programs at once, and on a fresh machine each finds
// that nothing is there.
func TestManyAtOnce(t *testing.T) {
	dir := home(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := install(dir); err != nil {
				t.Error(err)
				return
			}
			complete(t, dir)
		})
	}
	all.Wait()
}

func TestInterruptedAndOld(t *testing.T) {
	dir := home(t)
	modules := filepath.Join(dir, "node_modules")
	// Left by an npm that was killed.
	if err := os.MkdirAll(filepath.Join(modules, "axe-core"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := install(dir); err != nil {
		t.Fatal(err)
	}
	complete(t, dir)

	// Of the same lock, nothing is fetched anew.
	sign := filepath.Join(modules, "sign")
	if err := os.WriteFile(sign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := install(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(sign); err != nil {
		t.Errorf("fetched anew: %v", err)
	}

	// Of another lock, all is.
	if err := os.WriteFile(filepath.Join(modules, ".made-of-package-lock.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := install(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(sign); err == nil {
		t.Error("what an old lock asked for is still there")
	}
	complete(t, dir)
}

func TestSaysWhatIsMissing(t *testing.T) {
	dir := home(t)
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	err := install(dir)
	if err == nil {
		t.Fatal("it works without node")
	}
	if got := err.Error(); got != "npm is not installed (Debian package npm)" && got != "node is not installed (Debian package nodejs)" {
		t.Error(got)
	}
}
