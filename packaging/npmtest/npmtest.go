// Package npmtest fetches programs of others from the npm registry: judges for
// our tests to be judged by.
package npmtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Install makes the node_modules of a folder, named from the module's root, what
// its package-lock.json says, unless it is so already, and gives the folder's
// path. Of several test programs that ask at once, one fetches and the others
// wait for it. The error says what is missing on this machine.
func Install(folder string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			home := filepath.Join(dir, folder)
			return home, install(home)
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("there is no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
}

func install(home string) error {
	for program, debian := range map[string]string{"node": "nodejs", "npm": "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed (Debian package %s)", program, debian)
		}
	}
	lock, err := os.Open(filepath.Join(home, "package-lock.json"))
	if err != nil {
		return err
	}
	defer lock.Close() // which gives up the lock, too
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return &fs.PathError{Op: "flock", Path: lock.Name(), Err: err}
	}
	wanted, err := io.ReadAll(lock)
	if err != nil {
		return err
	}
	// Written last: an install that was interrupted has none.
	mark := filepath.Join(home, "node_modules", ".made-of-package-lock.json")
	made, err := os.ReadFile(mark)
	if err == nil && bytes.Equal(made, wanted) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	npm.Dir = home
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("the packages of %s cannot be fetched from the npm registry: %w\n%s", home, err, out)
	}
	return os.WriteFile(mark, wanted, 0o600)
}
