package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"
)

// Manifest lists the files of a pack.
type Manifest struct {
	Version string    `json:"version"`
	Made    time.Time `json:"made"`
	Files   []File    `json:"files"` // by path
}

// File is one file of a pack. An empty one is in no need of being fetched.
type File struct {
	Path   string `json:"path"` // with slashes, inside the pack
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// errManifest says that a manifest is not what one may be.
var errManifest = errors.New("liste des fichiers refusée")

// Build lists a folder's files. Hidden files and folders, whose name begins
// with a dot, are left out. The error names the file.
func Build(folder fs.FS, version string, now time.Time) (*Manifest, error) {
	m := &Manifest{Version: version, Made: now.UTC().Truncate(time.Second), Files: []File{}}
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && d.Name()[0] == '.' && d.IsDir():
			return fs.SkipDir
		case d.IsDir(), d.Name()[0] == '.':
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s : ni un fichier ni un dossier (un lien ?) : remplacez-le par le fichier lui-même", name)
		}
		f := File{Path: name}
		f.SHA256, f.Size, err = sumOf(folder, name)
		m.Files = append(m.Files, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, m.check()
}

// sumOf reads a file for its SHA-256, in hexadecimal, and its size.
func sumOf(folder fs.FS, name string) (sum string, size int64, err error) {
	f, err := folder.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// Marshal writes the manifest as it is signed.
func (m *Manifest) Marshal() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", " ")
	if err == nil && len(data) > maxManifest {
		err = fmt.Errorf("%w : plus de %d Mio", errManifest, maxManifest>>20)
	}
	return data, err
}

// Size is what the files take, in bytes.
func (m *Manifest) Size() int64 {
	var all int64
	for _, f := range m.Files {
		all += f.Size
	}
	return all
}

// Blobs are the files to fetch, each contents once, with their size in bytes.
func (m *Manifest) Blobs() map[string]int64 {
	blobs := make(map[string]int64, len(m.Files))
	for _, f := range m.Files {
		if f.Size > 0 {
			blobs[f.SHA256] = f.Size
		}
	}
	return blobs
}

// ParseManifest reads the manifest of a version, and refuses what none may have.
func ParseManifest(data []byte, version string) (*Manifest, error) {
	m := new(Manifest)
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(m); err != nil {
		return nil, fmt.Errorf("%w : %w", errManifest, err)
	}
	if m.Version != version {
		return nil, fmt.Errorf("%w : elle est de la version %q", errManifest, m.Version)
	}
	return m, m.check()
}

var hashes = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check refuses what could come to lie outside the pack, or would be in its own
// way, and what is too much.
func (m *Manifest) check() error {
	if !ValidVersion(m.Version) {
		return fmt.Errorf("%w : version %q : 64 lettres sans accent, chiffres, « . », « _ » ou « - » au plus, la première une lettre ou un chiffre", errManifest, m.Version)
	}
	switch {
	case len(m.Files) == 0:
		return fmt.Errorf("%w : aucun fichier", errManifest)
	case len(m.Files) > maxFiles:
		return fmt.Errorf("%w : plus de %d fichiers", errManifest, maxFiles)
	}
	files, folders, sizes := map[string]bool{}, map[string]bool{}, map[string]int64{}
	var total int64
	for _, f := range m.Files {
		if err := f.check(); err != nil {
			return fmt.Errorf("%w : %q : %w", errManifest, f.Path, err)
		}
		if size, there := sizes[f.SHA256]; files[f.Path] || there && size != f.Size {
			return fmt.Errorf("%w : %q : s’y trouve deux fois", errManifest, f.Path)
		}
		files[f.Path], sizes[f.SHA256] = true, f.Size
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			folders[dir] = true
		}
		if total += f.Size; total > maxTotal {
			return fmt.Errorf("%w : plus de %d Mio", errManifest, maxTotal>>20)
		}
	}
	for dir := range folders {
		if files[dir] {
			return fmt.Errorf("%w : %q : un fichier et un dossier", errManifest, dir)
		}
	}
	return nil
}

func (f File) check() error {
	switch {
	case !fs.ValidPath(f.Path), f.Path == ".", strings.ContainsAny(f.Path, "\\\x00"):
		return errors.New("chemin refusé")
	case len(f.Path) > 1024:
		return errors.New("chemin trop long")
	case f.Size < 0, f.Size > MaxFile:
		return fmt.Errorf("plus de %d Mio", MaxFile>>20)
	case !hashes.MatchString(f.SHA256):
		return errors.New("empreinte SHA-256 illisible")
	}
	for part := range strings.SplitSeq(f.Path, "/") {
		if part[0] == '.' || len(part) > 255 {
			return errors.New("nom refusé")
		}
	}
	return nil
}
