package main

import (
	"io/fs"

	"parvis/cmd/internal/packcheck"
	"parvis/hub/packs"
	"parvis/kiosk/demarche"
	"parvis/kiosk/place"
)

// packNames reads the names of places and démarches in a pack.
func packNames(files fs.FS) (packs.Names, error) {
	names := packs.Names{Demarches: map[string]string{}}
	folder, err := fs.Sub(files, packcheck.Demarches)
	if err != nil {
		return names, err
	}
	known, err := demarche.Load(folder)
	if known == nil {
		return names, err
	}
	for _, d := range known.Demarches { // a faulty one is left out, as a borne does
		names.Demarches[d.ID] = d.Title.In("fr")
	}
	file := packcheck.Places(files)
	if file == "" {
		return names, nil
	}
	f, err := files.Open(file)
	if err != nil {
		return names, err
	}
	defer f.Close()
	all, err := place.List(f, file)
	for _, p := range all {
		at := packs.Place{ID: p.ID, Name: p.Name, Town: p.City}
		if p.Position != nil {
			at.Lat, at.Lon = p.Position.Lat, p.Position.Lon
		}
		names.Places = append(names.Places, at)
	}
	return names, err
}
