package packs_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"parvis/hub/packs"
)

// The names are those of the newest pack, and of what bornes have until there is
// one. A version is read once.
func TestDirectory(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		var read []string // what there was to be read
		names := func(files fs.FS) (packs.Names, error) {
			text, err := fs.ReadFile(files, "lieux.csv")
			if err != nil {
				return packs.Names{}, err
			}
			demarches, err := fs.Glob(files, "demarches/*.yaml")
			read = append(read, string(text))
			return packs.Names{Places: []packs.Place{{ID: "ml", Name: string(text), Town: "Strasbourg"}}, Demarches: map[string]string{"demarches": demarches[0]}}, err
		}
		folder := func(place string) fstest.MapFS {
			return fstest.MapFS{"lieux.csv": {Data: []byte(place)}, "demarches/impots.yaml": {Data: []byte("id: impots")},
				"demarches/vide.yaml": {}, "fiches/F1.xml": {Data: []byte("<Publication/>")}}
		}
		directory, err := packs.NewDirectory(d.Packs, folder("livrée"), names)
		if err != nil {
			t.Fatal(err)
		}
		want := func(place string, reads int) {
			t.Helper()
			n, err := directory.Names(t.Context())
			if err != nil || n.Place("ml") != place+", Strasbourg" || n.Demarches["demarches"] != "demarches/impots.yaml" || len(read) != reads {
				t.Errorf("%+v, %v, read %q; want %s", n, err, read, place)
			}
		}
		want("livrée", 1)
		d.create()
		want("livrée", 1)
		d.publish("2026-11", folder("Malraux"))
		want("Malraux", 2)
		want("Malraux", 2)
		if err := d.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("Malraux", 2)
		d.publish("2026-12", folder("Olympe de Gouges"))
		want("Olympe de Gouges", 3)
		n, err := directory.Names(t.Context())
		if err != nil || n.Place("fermé") != "fermé" || n.Place("") != "" || (packs.Place{Name: "Ici"}).Label() != "Ici" {
			t.Errorf("%+v, %v", n, err)
		}
		d.publish("2027-01", fstest.MapFS{"demarches/impots.yaml": {Data: []byte("id: impots")}})
		if n, err := directory.Names(t.Context()); !errors.Is(err, fs.ErrNotExist) || n.Place("ml") != "Olympe de Gouges, Strasbourg" {
			t.Errorf("a pack that can't be read: %+v, %v", n, err)
		}
		want("Olympe de Gouges", 3)
	})
}
