package profile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"parvis/provisioning/profile"
)

func layers(texts ...string) []profile.Layer {
	names := []string{"Ville", "Groupe", "Site", "Borne"}
	var all []profile.Layer
	for i, text := range texts {
		all = append(all, profile.Layer{Name: names[i], Data: []byte(text)})
	}
	return all
}

// The lowest layer that has a key decides; a list is taken whole; each value
// knows where it comes from.
func TestMerge(t *testing.T) {
	m := profile.Merge(layers(
		"[son]\nvolume = 5\nsortie = \"casque\"\n[site]\nlangues = [\"fr\", \"en\"]\n[[lecteurs]]\ntype = \"pcsc\"\n[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n[imprimante_a4]\nfile = \"ipp://localhost/printers/A4\"\n",
		"son.volume = 6\n",
		"[site]\nid = \"a\"\nnom = \"Mairie\"\nlangues = [\"fr\"]\n",
		"retirer = [\"imprimante_a4\", \"son.sortie\"]\n[[lecteurs]]\ntype = \"code\"\nport = \"/dev/b\"\n[son]\nvolume = 7\n",
	)...)
	p, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	if p.Sound.Volume != 7 || p.Sound.Output != "haut-parleur" || p.Office.Queue != "" || fmt.Sprint(p.Site.Languages) != "[fr]" {
		t.Errorf("%+v", p)
	}
	if len(p.Readers) != 1 || p.Readers[0].Type != "code" {
		t.Errorf("readers %+v", p.Readers)
	}
	var got []string
	for _, v := range m.Values() {
		got = append(got, fmt.Sprintf("%s %s %s:%d", v.Key, v.Text, v.Layer, v.Line))
	}
	want := []string{`site.langues ["fr"] Site:4`, `site.id "a" Site:2`, `site.nom "Mairie" Site:3`,
		`lecteurs n° 1: type "code" Borne:3`, `lecteurs n° 1: port "/dev/b" Borne:4`, `son.volume 7 Borne:6`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("values\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The whole is the same whatever it was made of, and reads as the same profile.
func TestMergedFile(t *testing.T) {
	one, err := profile.Merge(layers("[site]\nid = \"a\"\nnom = \"L’\\\"Étoile\\\"\"\n[son]\nvolume = 4\n[ecran]\ndiagonale = 31.5\n")...).TOML()
	if err != nil {
		t.Fatal(err)
	}
	two, err := profile.Merge(layers("[ecran]\ndiagonale = 31.5\n", "[son]\nvolume = 4\n", "# un commentaire\nsite = {nom = 'L’\"Étoile\"', id = 'a'}\n")...).TOML()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Errorf("%s\nis not\n%s", one, two)
	}
	p, err := profile.Parse("profil.toml", one)
	if err != nil || p.Site.Name != "L’\"Étoile\"" || p.Sound.Volume != 4 {
		t.Errorf("%+v, %v\n%s", p, err, one)
	}
}

// An error of the whole names the layer and the line in it.
func TestMergedErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		layers []profile.Layer
		want   string
	}{
		"too little":           {layers("[son]\nvolume = 4\n", "", "[site]\nid = \"a\"\n"), "Site:1: site.nom: à donner"},
		"nothing":              {layers("", ""), "Groupe: site.id: donnez un identifiant"},
		"layers that clash":    {layers("[imprimante]\nport = \"/dev/a\"\n", "", "[site]\nid = \"a\"\nnom = \"b\"\n\n[[lecteurs]]\ntype = \"rfid\"\nport = \"/dev/a\"\n"), "Site:7: lecteurs n° 1: port: ce port est déjà"},
		"a layer that is none": {layers("[son\n", "", "[site]\nid = \"a\"\nnom = \"b\"\n"), "Ville:1: le crochet"},
		"nothing to take away": {layers("retirer = [\"imprimante_a5\"]\n[site]\nid = \"a\"\nnom = \"b\"\n"), "Ville:1: retirer: attendu le nom d’une clé ou d’une table, comme \"imprimante_a4.file\", vouliez-vous « imprimante_a4 » ?"},
	} {
		_, err := profile.Merge(tc.layers...).Check()
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "\u00a0", " "), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

// Of a layer alone only that is told which no other layer can mend.
func TestLayerAlone(t *testing.T) {
	for text, want := range map[string]string{
		"[son]\nvolume = 4\n":                            "",
		"[ecran]\norientation = \"paysage\"\n":           "",
		"[site]\nnom = \"a\"\n":                          "",
		"[wifi]\nmot_de_passe = \"bienvenue\"\n":         "",
		"[[badges]]\nrole = \"agent\"\n":                 "Ville:1: badges n° 1: empreinte",
		"[[lecteurs]]\ntype = \"rfid\"\n":                "Ville:1: lecteurs n° 1: port",
		"[[lecteurs]]\nport = \"a\"\n":                   "Ville:1: lecteurs n° 1: type",
		"[reseau]\npasserelle = \"192.0.2.1\"\n":         "",
		"[wifi]\nmot_de_passe = \"court\"\n":             "Ville:2: wifi.mot_de_passe",
		"[son]\nvolum = 4\n":                             "Ville:2: « son.volum »",
		"retirer = [\"lecteurs\"]\n[son]\nvolume = 40\n": "Ville:3: son.volume",
	} {
		err := profile.ParseLayer(profile.Layer{Name: "Ville", Data: []byte(text)}).Errors()
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), "\u00a0", " ")
		}
		if !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
