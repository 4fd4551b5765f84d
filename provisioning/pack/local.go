package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	newFolder   = ".new"   // what is being put together
	partsFolder = ".parts" // what has been fetched of a version, whole or begun
	listFile    = ".pack.json"
)

// Local are the packs on a borne, and what it trusts. It is safe for
// concurrent use.
type Local struct {
	// Now is the time that expiry is measured by; time.Now unless set.
	Now func() time.Time

	dir     string
	trusted string
	mu      sync.Mutex // held while a pack is brought or dropped
}

// Open opens the folder of packs, where version V is dir/V; it is made, for
// all to read, where it is missing. What the borne trusts lies in identity/pack.
func Open(dir, identity string) (*Local, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// Who may write beside it must not have another folder changed.
	parent, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	name := filepath.Base(dir)
	if there, err := parent.Lstat(name); err != nil || !there.IsDir() {
		return nil, errors.Join(err, fmt.Errorf("%s n’est pas un dossier", dir))
	}
	return &Local{dir: dir, trusted: filepath.Join(identity, "pack"), Now: time.Now}, parent.Chmod(name, 0o755)
}

// Pin has the borne trust the hub's root keys from now on, unless it trusts
// some: packs from a stick are taken then. It is for a line that is known to be
// the hub's own. Errors: ErrUnknown while the hub has no keys.
func (l *Local) Pin(ctx context.Context, fetch Fetch) error {
	return trust{l.trusted, l.Now()}.pin(ctx, fetch)
}

// Update brings the pack of a version from the hub, as far as it isn't there,
// goes on where an earlier Update broke off, and calls check with the pack
// before it counts. Folder is where it is then, whole. Until then nothing is
// seen of it, whatever happens. Errors: ErrUntrusted, ErrExpired, ErrUnknown,
// ErrCheck, ErrFull, ErrBusy, and the network's.
func (l *Local) Update(ctx context.Context, fetch Fetch, version string, check func(fs.FS) error) (folder string, err error) {
	if !l.mu.TryLock() {
		return "", ErrBusy
	}
	defer l.mu.Unlock()
	targets, err := trust{l.trusted, l.Now()}.refresh(ctx, fetch, true)
	if err != nil {
		return "", err
	}
	m, list, err := manifest(ctx, fetch, targets, version)
	if err != nil {
		return "", err
	}
	return l.install(ctx, fetch, m, list, check)
}

func (l *Local) install(ctx context.Context, fetch Fetch, m *Manifest, list []byte, check func(fs.FS) error) (folder string, err error) {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	folder = filepath.Join(l.dir, m.Version)
	a := &assembly{root: root, dir: l.dir, manifest: m, list: list, fetch: fetch}
	if intact(os.DirFS(folder), m, list) {
		if err := checked(check, folder); err != nil {
			return "", err
		}
		return folder, a.sweep() // the power may have gone just before
	}
	if err := a.do(ctx, check); err != nil {
		return "", errors.Join(err, a.tidy(err))
	}
	return folder, nil
}

func checked(check func(fs.FS) error, folder string) error {
	if err := check(os.DirFS(folder)); err != nil {
		return fmt.Errorf("%w : %w", ErrCheck, err)
	}
	return nil
}

// intact reports whether a folder is the pack of a manifest, with all its
// files as they were signed and nothing else.
func intact(folder fs.FS, m *Manifest, list []byte) bool {
	if there, err := fs.ReadFile(folder, listFile); err != nil || string(there) != string(list) {
		return false
	}
	n := 0
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil || n != len(m.Files)+1 {
		return false
	}
	return !slices.ContainsFunc(m.Files, func(f File) bool { return !holds(folder, f.Path, f) })
}

// holds reports whether a file has the contents that f is to have.
func holds(folder fs.FS, name string, f File) bool {
	if info, err := fs.Lstat(folder, name); err != nil || !info.Mode().IsRegular() || info.Size() != f.Size {
		return false
	}
	sum, size, err := sumOf(folder, name)
	return err == nil && size == f.Size && (size == 0 || sum == f.SHA256)
}

// Keep drops all packs but those of these versions, and what was begun to be
// fetched. Errors: ErrBusy while a pack is being brought; nothing is dropped.
func (l *Local) Keep(versions ...string) error {
	if !l.mu.TryLock() {
		return ErrBusy
	}
	defer l.mu.Unlock()
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		ours := e.Name() == newFolder || e.Name() == partsFolder || e.IsDir() && !strings.HasPrefix(e.Name(), ".")
		if ours && !slices.Contains(versions, e.Name()) {
			err = errors.Join(err, root.RemoveAll(e.Name()))
		}
	}
	return err
}
