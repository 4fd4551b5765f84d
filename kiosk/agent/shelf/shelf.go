// Package shelf keeps versions of something that a borne's application loads,
// side by side in one folder, with a link to the one in use and one to the last
// that has proved itself before. A power cut leaves each link as it was or as
// it was to be.
package shelf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The links. No version is called so: none begins with a dot, and "current" is
// nobody's.
const (
	Current  = "current"   // leads to the version in use, or on trial
	Previous = ".previous" // leads to the last good one before it
)

const newLink = ".switch" // what is about to become one of the links

// Shelf is a folder of versions. Version V lies at Dir/V and Ending.
type Shelf struct {
	Dir    string
	Ending string // of the names: ".toml", or none for folders
}

// Make makes the folder, for the application to look into, which may run as
// another user. That one may write where it lies: a link put in its place is
// not followed.
func (s Shelf) Make() error {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	parent, err := os.OpenRoot(filepath.Dir(s.Dir))
	if err != nil {
		return err
	}
	defer parent.Close()
	name := filepath.Base(s.Dir)
	if there, err := parent.Lstat(name); err != nil || !there.IsDir() {
		return errors.Join(err, fmt.Errorf("%s n’est pas un dossier", s.Dir))
	}
	return parent.Chmod(name, 0o755)
}

// Path is where a version lies.
func (s Shelf) Path(version string) string { return filepath.Join(s.Dir, version+s.Ending) }

// Version is the version that a link leads to, empty where there is no link or
// it leads elsewhere.
func (s Shelf) Version(link string) (string, error) {
	target, err := os.Readlink(filepath.Join(s.Dir, link))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	version, ok := strings.CutSuffix(target, s.Ending)
	if !ok || version == "" || strings.ContainsAny(version, `/\`) || strings.HasPrefix(version, ".") {
		return "", nil
	}
	return version, nil
}

// Point has a link lead to a version, or takes it away where that is empty. It
// is on the disk when Point returns, with all that was written before.
func (s Shelf) Point(link, version string) error {
	path := filepath.Join(s.Dir, link)
	if version == "" {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return s.Sync()
	}
	// What it leads to must be whole on the disk before the link is.
	if err := s.Sync(); err != nil {
		return err
	}
	if there, err := s.Version(link); err == nil && there == version {
		return nil
	}
	next := filepath.Join(s.Dir, newLink)
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	if err := os.Symlink(version+s.Ending, next); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return s.Sync()
}

// Sync brings the folder's file system onto the disk.
func (s Shelf) Sync() error {
	f, err := os.Open(s.Dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// Keep removes all files of the shelf's ending but those of these versions.
func (s Shelf) Keep(versions ...string) error {
	keep := make(map[string]bool)
	for _, v := range versions {
		keep[v+s.Ending] = true
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		ours := e.Type().IsRegular() && (strings.HasSuffix(e.Name(), s.Ending) || strings.HasPrefix(e.Name(), "."))
		if ours && !keep[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(s.Dir, e.Name())))
		}
	}
	return err
}
