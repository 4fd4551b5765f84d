package pack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// reserve is how many bytes of the disk a pack leaves free: what residents
// entrust to the borne comes first.
const reserve = 64 << 20

// assembly puts one pack together, beside those that are there.
type assembly struct {
	root     *os.Root // of all packs
	dir      string   // the same
	manifest *Manifest
	list     []byte // the manifest as it was signed
	fetch    Fetch

	at map[string]string // where each contents lies, in root, by its hash
}

func (a *assembly) do(ctx context.Context, check func(fs.FS) error) error {
	if err := a.root.RemoveAll(newFolder); err != nil {
		return err
	}
	if err := a.root.Mkdir(partsFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return full(err)
	}
	if err := a.dropParts(); err != nil {
		return err
	}
	a.lookAround()
	if err := a.room(); err != nil {
		return err
	}
	for sum, size := range a.manifest.Blobs() {
		if a.at[sum] != "" {
			continue
		}
		part := path.Join(partsFolder, sum)
		if err := a.download(ctx, part, sum, size); err != nil {
			return err
		}
		a.at[sum] = part
	}
	if err := a.gather(); err != nil {
		return err
	}
	if err := checked(check, filepath.Join(a.dir, newFolder)); err != nil {
		return err
	}
	return a.reveal()
}

// tidy removes what a failed attempt has left. What was fetched stays for the
// next, unless it is of no use or in the way.
func (a *assembly) tidy(failure error) error {
	err := a.root.RemoveAll(newFolder)
	if errors.Is(failure, ErrFull) || errors.Is(failure, ErrCheck) {
		err = errors.Join(err, a.root.RemoveAll(partsFolder))
	}
	return err
}

// dropParts removes what was fetched for another version.
func (a *assembly) dropParts() error {
	blobs := a.manifest.Blobs()
	parts, err := fs.ReadDir(a.root.FS(), partsFolder)
	for _, part := range parts {
		if _, wanted := blobs[part.Name()]; !wanted {
			err = errors.Join(err, a.root.RemoveAll(path.Join(partsFolder, part.Name())))
		}
	}
	return err
}

// lookAround finds the contents that other versions have. What their lists say
// is not believed: each file is read.
func (a *assembly) lookAround() {
	a.at = make(map[string]string)
	wanted := a.manifest.Blobs()
	entries, _ := fs.ReadDir(a.root.FS(), ".") // what is not found is fetched
	for _, e := range entries {
		if !e.IsDir() || !ValidVersion(e.Name()) {
			continue
		}
		var other Manifest
		data, err := fs.ReadFile(a.root.FS(), path.Join(e.Name(), listFile))
		if err != nil || json.Unmarshal(data, &other) != nil || other.check() != nil {
			continue
		}
		for _, f := range other.Files {
			name := path.Join(e.Name(), f.Path)
			if size, use := wanted[f.SHA256]; use && size == f.Size && a.at[f.SHA256] == "" && holds(a.root.FS(), name, f) {
				a.at[f.SHA256] = name
			}
		}
	}
}

// room refuses a pack that the disk has no room for, before anything of it is
// fetched.
func (a *assembly) room() error {
	var missing int64
	for sum, size := range a.manifest.Blobs() {
		if a.at[sum] != "" {
			continue
		}
		missing += size
		if part, err := a.root.Stat(path.Join(partsFolder, sum)); err == nil {
			missing -= min(part.Size(), size)
		}
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(a.dir, &disk); err != nil {
		return fmt.Errorf("%s : %w", a.dir, err)
	}
	if free := int64(disk.Bavail) * disk.Bsize; missing > 0 && missing+reserve > free {
		return fmt.Errorf("%w : il manque %d Mio pour les contenus %s (%d Mio libres, dont %d restent réservés)",
			ErrFull, (missing+reserve-free)>>20+1, a.manifest.Version, free>>20, reserve>>20)
	}
	return nil
}

// gather makes the folder of the pack, by links to what lies beside it.
func (a *assembly) gather() error {
	if err := a.root.Mkdir(newFolder, 0o755); err != nil {
		return full(err)
	}
	if err := a.root.Chmod(newFolder, 0o755); err != nil { // whatever the umask
		return err
	}
	for _, f := range a.manifest.Files {
		if err := a.put(f); err != nil {
			return full(err)
		}
	}
	return full(errors.Join(
		a.root.WriteFile(path.Join(newFolder, listFile), a.list, 0o644),
		a.root.Chmod(path.Join(newFolder, listFile), 0o644)))
}

func (a *assembly) put(f File) error {
	if err := a.makeFolders(path.Dir(f.Path)); err != nil {
		return err
	}
	name := path.Join(newFolder, f.Path)
	var err error
	switch {
	case f.Size == 0:
		err = a.root.WriteFile(name, nil, 0o644)
	case a.root.Link(a.at[f.SHA256], name) != nil: // a file system without links
		err = a.copy(a.at[f.SHA256], name)
	}
	return errors.Join(err, a.root.Chmod(name, 0o644))
}

func (a *assembly) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	at := newFolder
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		err := a.root.Mkdir(at, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err := errors.Join(err, a.root.Chmod(at, 0o755)); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembly) copy(from, to string) error {
	in, err := a.root.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// reveal gives the folder its name, once all of it is on the disk. A folder of
// that name, which is not as it was signed, changes places with it.
func (a *assembly) reveal() error {
	top, err := a.root.Open(".")
	if err != nil {
		return err
	}
	defer top.Close()
	fd := int(top.Fd())
	if err := unix.Syncfs(fd); err != nil {
		return full(err)
	}
	err = unix.Renameat2(fd, newFolder, fd, a.manifest.Version, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EEXIST) {
		err = unix.Renameat2(fd, newFolder, fd, a.manifest.Version, unix.RENAME_EXCHANGE)
	}
	if err != nil {
		return full(&fs.PathError{Op: "rename", Path: filepath.Join(a.dir, a.manifest.Version), Err: err})
	}
	if err := top.Sync(); err != nil {
		return full(err)
	}
	return a.sweep()
}

// sweep removes what a pack was put together from.
func (a *assembly) sweep() error {
	return errors.Join(a.root.RemoveAll(newFolder), a.root.RemoveAll(partsFolder))
}

// full makes ErrFull of a disk that has no room.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w : %w", ErrFull, err)
	}
	return err
}
