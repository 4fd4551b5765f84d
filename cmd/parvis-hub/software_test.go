package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parvis/hub/apt"
	"parvis/hub/store"
)

func TestSoftware(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	if err := os.MkdirAll(filepath.Join(root, "DEBIAN"), 0o755); err != nil {
		t.Fatal(err)
	}
	control := "Package: parvis-borne\nVersion: 1.5.0\nArchitecture: amd64\nMaintainer: Ville <it@ville.fr>\nDescription: essai\n"
	if err := os.WriteFile(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(t.TempDir(), "parvis-borne_1.5.0_amd64.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, deb).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb (Debian package dpkg): %v\n%s", err, out)
	}
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		hub := []string{"--data", dir, "--database", dsn}
		for range 2 {
			if out := mustDo(t, append([]string{"software", "publish", deb}, hub...)...); !strings.Contains(out, "parvis-borne 1.5.0 (amd64) est à disposition") {
				t.Errorf("publish: %s", out)
			}
		}
		if out := mustDo(t, append([]string{"software", "list"}, hub...)...); strings.Count(out, "1.5.0") != 1 {
			t.Errorf("list:\n%s", out)
		}
		_, err := do(t.Context(), append([]string{"software", "publish", filepath.Join(root, "DEBIAN/control")}, hub...)...)
		wantError(t, err, apt.ErrPackage, "ce n’est pas un fichier .deb")
		_, err = do(t.Context(), append([]string{"software", "remove", "parvis-borne", "1.4.0"}, hub...)...)
		wantError(t, err, nil, "software list")
		mustDo(t, append([]string{"software", "remove", "parvis-borne", "1.5.0"}, hub...)...)
		if out := mustDo(t, append([]string{"software", "list"}, hub...)...); strings.Contains(out, "1.5.0") {
			t.Errorf("list after removal:\n%s", out)
		}
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if all, err := s.Softwares(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("what was there is forgotten: %+v, %v", all, err)
		}
	})
}
