package profile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/provisioning/profile"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profil.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDemoProfile(t *testing.T) {
	p, err := profile.Load("../../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	if p.Site.Name != "Mairie de quartier" || p.Site.Region != "alsace-moselle" || p.Printer.Port != "run/printer" || len(p.Callback.Recipients) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestDefaults(t *testing.T) {
	p, err := profile.Load(write(t, "[site]\nid = \"a\"\nnom = \"Mairie\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Screen.Width != 1080 || p.Screen.WidthMM != 398 || p.Printer.Port != "" || p.Printer.Baud != 19200 || p.Site.Region != "metropole" || p.Sound.Output != "haut-parleur" {
		t.Errorf("%+v", p)
	}
}

// An error names the file, the line and the key, and says what to do.
func TestErrors(t *testing.T) {
	const site = "[site]\nid = \"a\"\nnom = \"Mairie\"\n"
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key":    {site + "[ecran]\ndiagonale = 32\n", "profil.toml:5: ecran.diagonale"},
		"unknown table":  {site + "[lecteur]\nport = \"x\"\n", "lecteur"},
		"syntax":         {site + "langues = [\"fr\"\n", "profil.toml:"},
		"wrong type":     {site + "latitude = \"nord\"\n", "latitude"},
		"no id":          {"[site]\nnom = \"Mairie\"\n", "site.id"},
		"no name":        {"[site]\nid = \"a\"\n", "site.nom"},
		"off the earth":  {site + "latitude = 91.0\n", "site.latitude"},
		"no language":    {site + "langues = []\n", "site.langues"},
		"tiny screen":    {site + "[ecran]\nlargeur_mm = 20\n", "ecran.largeur_mm"},
		"no pixels":      {site + "[ecran]\nlargeur_px = 0\n", "ecran.largeur_px"},
		"endless bounce": {site + "[ecran]\nrebond_ms = 9000\n", "ecran.rebond_ms"},
		"unknown output": {site + "[son]\nsortie = \"radio\"\n", "son.sortie"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := profile.Load(write(t, tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := profile.Load("/nowhere/profil.toml"); err == nil || !strings.Contains(err.Error(), "/nowhere/profil.toml") {
		t.Errorf("a missing file gives %v", err)
	}
}

// Another number of pixels keeps the size of each.
func TestResize(t *testing.T) {
	s := profile.Screen{Width: 1080, Height: 1920, WidthMM: 398}
	if err := s.Resize("1920x1080"); err != nil {
		t.Fatal(err)
	}
	if s.Width != 1920 || s.Height != 1080 || s.WidthMM < 707 || s.WidthMM > 708 {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{"", "1920", "x", "0x0", "axb", "-1080x1920"} {
		if err := s.Resize(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
