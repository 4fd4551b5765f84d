package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a folder grants its group, and what its files then grant.
const (
	groupWrites = 0o070
	private     = 0o600
	shared      = 0o660
)

// errNotFile says that something else lies where the database's file should.
// Whoever may write into the folder may have put it there for root to open.
var errNotFile = errors.New("ce n’est pas un fichier ordinaire (un lien ?)")

// create makes the database where it is missing. One that is there is not
// opened: closing it would drop the locks that SQLite holds in this process.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, private)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		there, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !there.Mode().IsRegular():
			return fmt.Errorf("%s : %w", name, errNotFile)
		}
	}
	return nil
}

// share lets whoever may write into the folder write the file too: its user
// alone, or its group. SQLite makes its log files with the rights of the
// database, but with the group of the process. Only a file's owner can change
// it, and did when it opened the store.
func share(dir, path string) error {
	folder, err := os.Stat(dir)
	if err != nil {
		return err
	}
	// What is looked at is what is changed, whoever puts something else in its
	// place meanwhile. Closing such a descriptor drops no lock.
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var file unix.Stat_t
	if err := unix.Fstat(fd, &file); err != nil {
		return err
	}
	if file.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s : %w", path, errNotFile)
	}
	if file.Nlink > 1 {
		return nil // it is somebody else's file too, if only a backup's
	}
	chown := func(uid, gid int) error { return unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH) }
	want, me := folder.Sys().(*syscall.Stat_t), uint32(os.Geteuid())
	if me == 0 && file.Uid == 0 { // what root begins, the borne's own user goes on with
		if err := chown(int(want.Uid), int(want.Gid)); err != nil {
			return err
		}
	}
	if folder.Mode().Perm()&groupWrites != groupWrites || me != file.Uid && me != 0 {
		return nil
	}
	if file.Gid != want.Gid {
		// The folder's user need not be in its group: then the file is its own.
		if err := chown(-1, int(want.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	if os.FileMode(file.Mode).Perm()&shared == shared {
		return nil
	}
	return os.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), shared)
}
