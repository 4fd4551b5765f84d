// Package parvis_test holds the checks that look at the whole module at once.
package parvis_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floor is the part of the house that a package belongs to: the first element
// of its path inside the module, as ARCHITECTURE.md names them.
func floor(pkg string) string {
	path, _ := strings.CutPrefix(pkg, "parvis/")
	first, _, _ := strings.Cut(path, "/")
	return first
}

// within reports whether pkg is root or lies under it.
func within(pkg string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return pkg == root || strings.HasPrefix(pkg, root+"/")
	})
}

// mayImport are the rules of "Who may import whom". A package may import its
// own floor; content is data that any program may embed.
func mayImport(from, to string) bool {
	if floor(from) == floor(to) && floor(from) != "cmd" {
		return true
	}
	switch floor(from) {
	case "device":
		return false
	case "kiosk":
		return floor(to) == "device"
	case "app":
		return floor(to) == "kiosk" || floor(to) == "device"
	case "provisioning":
		return within(to, "parvis/kiosk/link")
	case "hub":
		// What bornes say is made of the words of package device; its drivers
		// stay out of a hub. It opens what they seal, and counts in the same
		// working hours.
		return to == "parvis/device" || to == "parvis/kiosk/callback" || to == "parvis/kiosk/unfound" || to == "parvis/kiosk/hours" ||
			within(to, "parvis/kiosk/link", "parvis/provisioning")
	case "cmd":
		return floor(to) != "cmd" || within(to, programOf(from)) || within(to, "parvis/cmd/internal")
	case "e2e": // drives the programs from outside; reads what they leave
		return floor(to) != "cmd" && floor(to) != "app"
	}
	return false
}

// programOf is the folder of the program that a package under cmd serves.
func programOf(pkg string) string {
	parts := strings.SplitN(pkg, "/", 4)
	return strings.Join(parts[:min(3, len(parts))], "/")
}

func mayImportFyne(pkg string) bool {
	return within(pkg, "parvis/app/view", "parvis/app/theme") || pkg == "parvis/cmd/parvis"
}

func TestImportRules(t *testing.T) {
	for _, f := range sourceFiles(t) {
		for _, to := range f.imports {
			// A test may reach for the content we ship and for judges from npm, and
			// that content's own tests for what reads it; never for Fyne or a higher
			// floor.
			content := within(to, "parvis/content", "parvis/packaging/npmtest") || floor(f.pkg) == "content" && floor(to) == "kiosk"
			switch {
			case within(to, "parvis") && !mayImport(f.pkg, to) && !(f.test && content):
				t.Errorf("%s imports %s, which ARCHITECTURE.md forbids", f.path, to)
			case within(to, "fyne.io/fyne/v2") && !mayImportFyne(f.pkg):
				t.Errorf("%s imports %s: Fyne lives in app/view, app/theme and cmd/parvis only", f.path, to)
			}
		}
	}
}

// The rules are only worth something if they can be broken.
func TestRulesForbid(t *testing.T) {
	tests := []struct {
		from, to string
		want     bool
	}{
		{"parvis/device/printer/escpos", "parvis/device/printer", true},
		{"parvis/device/printer", "parvis/kiosk/ticket", false},
		{"parvis/kiosk/ticket", "parvis/device/printer", true},
		{"parvis/kiosk/place", "parvis/app/page", false},
		{"parvis/app/journey", "parvis/kiosk/place", true},
		{"parvis/app/journey", "parvis/provisioning/profile", false},
		{"parvis/provisioning/profile", "parvis/kiosk/link", true},
		{"parvis/provisioning/profile", "parvis/kiosk/place", false},
		{"parvis/hub/api", "parvis/provisioning/enrol", true},
		{"parvis/hub/api", "parvis/kiosk/store", false},
		{"parvis/hub/callbacks", "parvis/kiosk/callback", true},
		{"parvis/hub/callbacks", "parvis/kiosk/hours", true},
		{"parvis/hub/statistics", "parvis/kiosk/unfound", true},
		{"parvis/hub/store", "parvis/device", true},
		{"parvis/hub/store", "parvis/device/printer", false},
		{"parvis/kiosk/link", "parvis/hub/api", false},
		{"parvis/cmd/parvis", "parvis/app/view", true},
		{"parvis/cmd/parvis", "parvis/cmd/parvis/internal/command", true},
		{"parvis/cmd/parvis", "parvis/cmd/parvis-hub", false},
		{"parvis/cmd/parvis-hub", "parvis/cmd/internal/french", true},
		{"parvis/cmd/parvis-hub", "parvis/cmd/parvis/internal/command", false},
		{"parvis/app/page", "parvis/cmd/parvis", false},
	}
	for _, tt := range tests {
		if got := mayImport(tt.from, tt.to); got != tt.want {
			t.Errorf("mayImport(%s, %s) = %v", tt.from, tt.to, got)
		}
	}
	for pkg, want := range map[string]bool{
		"parvis/app/view": true, "parvis/app/viewer": false, "parvis/cmd/parvis": true,
		"parvis/cmd/parvis/internal/command": false, "parvis/app/page": false,
	} {
		if got := mayImportFyne(pkg); got != want {
			t.Errorf("mayImportFyne(%s) = %v", pkg, got)
		}
	}
}

type sourceFile struct {
	path, pkg string
	test      bool
	imports   []string
}

// sourceFiles reads the imports of every Go file, whatever its build tags. It
// reads them itself: go test then knows that a changed file asks for a new run.
func sourceFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || name == "run"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := sourceFile{path: name, pkg: path.Join("parvis", filepath.ToSlash(filepath.Dir(name))), test: strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(filepath.ToSlash(name)), "test")}
		for _, i := range parsed.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			f.imports = append(f.imports, to)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("%d Go files only: is this the root of the module?", len(files))
	}
	return files
}
