package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"parvis/content"
)

// The names in what we ship, and in a pack with a directory of places.
func TestPackNames(t *testing.T) {
	t.Parallel()
	names, err := packNames(content.FS)
	if err != nil || names.Demarches["impots"] != "Impôts" || len(names.Demarches) < 15 || len(names.Places) != 0 {
		t.Errorf("%+v, %v", names, err)
	}
	places, err := content.FS.ReadFile("demo/places.csv")
	if err != nil {
		t.Fatal(err)
	}
	dir := writeContent(t, map[string]string{"lieux.csv": string(places)})
	names, err = packNames(os.DirFS(dir))
	if err != nil || names.Place("demo-01") != "Mairie de quartier des Trois-Ponts, Strasbourg" || names.Places[0].Lat != 48.5734 || names.Places[0].Lon != 7.7521 {
		t.Errorf("%+v, %v", names.Places, err)
	}
	if _, err := packNames(fstest.MapFS{"lieux.csv": {Data: []byte("nom\n")}, "demarches/themes.yaml": {Data: []byte("themes: []\n")}}); err == nil || !strings.Contains(err.Error(), "lieux.csv") {
		t.Errorf("a directory that can't be read: %v", err)
	}
}
