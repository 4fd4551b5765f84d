package siteprofile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/app/journey"
	"parvis/cmd/parvis/internal/siteprofile"
	"parvis/kiosk/agent/shelf"
	"parvis/kiosk/ticket"
	"parvis/provisioning/profile"
)

const good = "[site]\nid = \"demo\"\nnom = \"Mairie\"\n"

func TestAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                       "",
		"adresse = \"1 place de la Fontaine\"\n": "1 place de la Fontaine",
		"code_postal = \"67000\"\ncommune = \"Ville\"\n":                                       "67000 Ville",
		"adresse = \"1 place de la Fontaine\"\ncode_postal = \"67000\"\ncommune = \"Ville\"\n": "1 place de la Fontaine, 67000 Ville",
	} {
		p, err := profile.Parse("profil.toml", []byte(good+text))
		if err != nil {
			t.Fatal(err)
		}
		if site, err := siteprofile.Site(p); err != nil || site.Address != want {
			t.Errorf("%q: %q, %v", text, site.Address, err)
		}
	}
}

// A borne goes by the hub's profile where it can start with it, else by the last
// good one, else by its own.
func TestFind(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	own := filepath.Join(data, "profil.toml")
	s := siteprofile.Shelf(data)
	if err := s.Make(); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := siteprofile.Find(data, own); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing at all: %v", err)
	}
	write(own, good)
	for _, step := range []struct {
		name, current, previous, text string // text is what the current one says
		version, refused, why         string
	}{
		{"its own", "", "", "", "", "", ""},
		{"the hub's", "a", "", good, "a", "", ""},
		{"the hub's is no TOML", "b", "a", "[site", "a", "b", "b.toml:1"},
		{"a printer that nobody knows", "c", "a", good + "[imprimante]\nport = \"/dev/usb/lp0\"\nmodele = \"rotative\"\n", "a", "c", "modele"},
		{"hours that nobody can read", "d", "a", good + "ouverture = \"le lundi\"\n", "a", "d", "ouverture"},
		{"a language that isn't there", "e", "a", good + "langues = [\"fr\", \"tlh\"]\n", "a", "e", "tlh"},
		{"a link to nowhere, and none before", "f", "", "", "", "f", "f.toml"},
	} {
		if step.text != "" {
			write(s.Path(step.current), step.text)
		}
		if err := errors.Join(s.Point(shelf.Current, step.current), s.Point(shelf.Previous, step.previous)); err != nil {
			t.Fatal(err)
		}
		f, err := siteprofile.Find(data, own)
		if err != nil || f.Profile == nil || f.Profile.Site.Name != "Mairie" || f.Version != step.version {
			t.Fatalf("%s: %+v, %v", step.name, f, err)
		}
		if f.Refused.Version != step.refused || !strings.Contains(f.Refused.Why, step.why) || strings.Contains(f.Refused.Why, data) {
			t.Errorf("%s: refused %+v", step.name, f.Refused)
		}
		if any, err := f.News(data); any || err != nil {
			t.Errorf("%s: news %t, %v", step.name, any, err)
		}
	}
	// Something else is put in place while the borne runs.
	f, err := siteprofile.Find(data, own)
	if err != nil {
		t.Fatal(err)
	}
	for version, wrong := range map[string]bool{"a": false, "c": true, "": false} {
		if err := s.Point(shelf.Current, version); err != nil {
			t.Fatal(err)
		}
		any, err := f.News(data)
		if want := version != ""; any != want || (err != nil) != wrong {
			t.Errorf("%q: news %t, %v", version, any, err)
		}
	}
	if err := errors.Join(s.Point(shelf.Current, ""), s.Point(shelf.Previous, "")); err != nil {
		t.Fatal(err)
	}
	write(own, "[site")
	if _, err := siteprofile.Find(data, own); err == nil || !strings.Contains(err.Error(), own) {
		t.Errorf("its own is none, nor is there another: %v", err)
	}
}

// Whom residents and staff may turn to, and the Wi-Fi, come from the profile.
func TestSiteOfContacts(t *testing.T) {
	t.Parallel()
	p, err := profile.Parse("profil.toml", []byte(good+"[contacts.accueil]\ntelephone = \"03 53 01 00 00\"\ncourriel = \"accueil@ville.fr\"\n"+
		"[contacts.mediation]\nnom = \"Amal\"\n[contacts.informatique]\nnom = \"Assistance\"\ntelephone = \"03 53 01 00 99\"\n"+
		"[wifi]\nnom = \"Public\"\nmot_de_passe = \"bienvenue\"\nconsigne = \"Acceptez.\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	site, err := siteprofile.Site(p)
	if err != nil || site.Phone != "03 53 01 00 00" || site.Desk.Email != "accueil@ville.fr" || site.Mediator.Name != "Amal" ||
		site.IT != (journey.Contact{Name: "Assistance", Phone: "03 53 01 00 99"}) || site.Wifi != (ticket.Wifi{Name: "Public", Password: "bienvenue", Note: "Acceptez."}) {
		t.Errorf("%+v, %v", site, err)
	}
	p.Site.Phone = "03 53 01 00 01"
	if site, err = siteprofile.Site(p); err != nil || site.Phone != "03 53 01 00 01" {
		t.Errorf("the house's own number: %q, %v", site.Phone, err)
	}
}
