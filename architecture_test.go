// Package parvis_test holds the checks that look at the whole module at once.
package parvis_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
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
		return within(to, "parvis/kiosk/link", "parvis/provisioning")
	case "cmd":
		return floor(to) != "cmd" || within(to, programOf(from))
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

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportRules(t *testing.T) {
	for _, p := range modulePackages(t) {
		for _, to := range p.Imports {
			switch {
			case within(to, "parvis") && !mayImport(p.ImportPath, to):
				t.Errorf("%s imports %s, which ARCHITECTURE.md forbids", p.ImportPath, to)
			case within(to, "fyne.io/fyne/v2") && !mayImportFyne(p.ImportPath):
				t.Errorf("%s imports %s: Fyne lives in app/view, app/theme and cmd/parvis only", p.ImportPath, to)
			}
		}
		// A test may reach for a simulator or shipped content, never for Fyne
		// or a higher floor.
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			switch {
			case within(to, "parvis") && !mayImport(p.ImportPath, to) && !within(to, "parvis/content"):
				t.Errorf("a test of %s imports %s, which ARCHITECTURE.md forbids", p.ImportPath, to)
			case within(to, "fyne.io/fyne/v2") && !mayImportFyne(p.ImportPath):
				t.Errorf("a test of %s imports %s", p.ImportPath, to)
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
		{"parvis/kiosk/link", "parvis/hub/api", false},
		{"parvis/cmd/parvis", "parvis/app/view", true},
		{"parvis/cmd/parvis", "parvis/cmd/parvis/internal/command", true},
		{"parvis/cmd/parvis", "parvis/cmd/parvis-hub", false},
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

// modulePackages lists every package of the module without building any.
func modulePackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags=x11,migrated_fynedo,sqlite_fts5",
		"-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 5 {
		t.Fatalf("go list found %d packages only", len(packages))
	}
	return packages
}
