package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Service is root's half as systemd knows it.
const Service = "parvis-reseau.service"

// Status is what root's half says, until the machine is switched off.
type Status struct {
	// Wanted is the Settings.ID that it has last dealt with, InForce that of what
	// the machine goes by.
	Wanted  string `json:"wanted"`
	InForce string `json:"inForce"`
	// Trial names the try of Wanted that waits for the hub to be reached.
	Trial string `json:"trial,omitempty"`
	// Refused is what was taken back because the hub was not reached with it.
	Refused string `json:"refused,omitempty"`
	// Failure is what of Wanted this machine could not take, in French.
	Failure string `json:"failure,omitempty"`
}

// StateDir is where root's half says what it does, and StatusFile in what.
const (
	StateDir   = "/run/parvis-reseau"
	StatusFile = "etat.json"
)

// Word is what the agent's half says to root's.
type Word struct {
	// Enrolled says that the hub is to be reached with whatever changes. A borne
	// that has no hub yet has nothing to lose.
	Enrolled bool `json:"enrolled"`
	// Reached is the Status.Trial amid which the hub has answered a report.
	Reached string `json:"reached,omitempty"`
}

// The files through which a borne's settings come, in its folder. They may be
// forged by whoever has taken over the agent, though not by the application.
const (
	folder   = "reseau"
	wordFile = folder + "/agent.json"
	// StickFile is the table [reseau] that a stick has brought, before there was a
	// hub.
	StickFile = folder + "/cle.toml"
)

// MostFile is the most bytes that a file with settings may have: a profile.
const MostFile = 1 << 20

// ReadAgents reads a file that nobody but the agent can have written, of a folder
// that is the application's too: nothing outside of it is reached through it.
// fs.ErrNotExist where there is none.
func ReadAgents(dir, path string, agent uint32) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe holds nobody up
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.Mode().IsRegular() || owner != agent && owner != 0 || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s n’est pas de l’agent, ou pas de lui seul", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, MostFile+1))
	if err == nil && len(data) > MostFile {
		err = fmt.Errorf("%s : plus de %d octets", path, MostFile)
	}
	return data, err
}

// ReadWord reads what the agent says; nothing where it has said nothing.
func ReadWord(dir string, agent uint32) (w Word, err error) {
	data, err := ReadAgents(dir, wordFile, agent)
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal(data, &w)
}

// ReadStatus reads what root's half says in a folder; the zero Status where it has
// said nothing since the machine was switched on.
func ReadStatus(dir string) (s Status, err error) {
	data, err := os.ReadFile(filepath.Join(dir, StatusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(data, &s)
}

// replace writes a file and puts it in the place of the one before; it is on the
// disk when replace returns.
func replace(path string, data []byte, mode fs.FileMode) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()) // whatever the umask
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
