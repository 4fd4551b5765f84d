package packs

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"parvis/provisioning/pack"
)

// Names are what a pack calls what bornes know by IDs.
type Names struct {
	Places    []Place
	Demarches map[string]string // ID → title in French
}

// Place is a place of the directory.
type Place struct {
	ID, Name, Town string
	Lat, Lon       float64 // degrees; both 0: unknown
}

// Place names a place: "Médiathèque Malraux, Strasbourg"; an ID that the pack
// doesn't have, or a text, stays as it is.
func (n Names) Place(id string) string {
	for _, p := range n.Places {
		if p.ID == id {
			return p.Label()
		}
	}
	return id
}

// Label is how a place stands in a list.
func (p Place) Label() string {
	if p.Town == "" {
		return p.Name
	}
	return p.Name + ", " + p.Town
}

// Directory gives the names in the newest pack of a hub. What a version holds
// never changes: it is read once, and kept until there is a newer one.
type Directory struct {
	packs *Packs
	read  func(fs.FS) (Names, error)

	mu    sync.Mutex
	of    string // the manifest that names were read from
	names Names
}

// NewDirectory makes the directory of a hub's packs. read finds the names in the
// files of one, and in shipped, the content that bornes have until there is any.
func NewDirectory(p *Packs, shipped fs.FS, read func(fs.FS) (Names, error)) (*Directory, error) {
	names, err := read(shipped)
	if err != nil {
		return nil, err
	}
	return &Directory{packs: p, read: read, names: names}, nil
}

// Names gives the names of the newest pack. Where they can't be found in it, the
// error says so once, and the names before stay.
func (d *Directory) Names(ctx context.Context) (Names, error) {
	all, err := d.packs.List(ctx)
	if err != nil {
		return Names{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(all) == 0 || all[0].Manifest == d.of {
		return d.names, nil
	}
	files, err := d.packs.named(ctx, all[0])
	if err != nil {
		return d.names, err
	}
	d.of = all[0].Manifest
	names, err := d.read(files)
	if err != nil {
		return d.names, fmt.Errorf("contenus %s : %w", all[0].Version, err)
	}
	d.names = names
	return names, nil
}

// named gives the files of a version in which names stand: places and démarches.
func (p *Packs) named(ctx context.Context, info pack.Info) (fs.FS, error) {
	data, err := p.file(ctx, info.Manifest)
	if err != nil {
		return nil, err
	}
	m, err := pack.ParseManifest(data, info.Version)
	if err != nil {
		return nil, err
	}
	// An archive in memory is a file system.
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, f := range m.Files {
		if dir := path.Dir(f.Path); dir != "demarches" && f.Path != "lieux.csv" && f.Path != "lieux.json" {
			continue
		}
		var text []byte // an empty one is not kept
		if f.Size > 0 {
			if text, err = p.file(ctx, f.SHA256); err != nil {
				return nil, err
			}
		}
		in, err := w.CreateHeader(&zip.FileHeader{Name: f.Path, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := in.Write(text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
}
