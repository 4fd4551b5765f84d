package enrol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// The files of a borne's identity. Each is whole or absent: it is written under
// another name, brought to the disk, and then takes its name.
const (
	identityFile = "identity.json" // key and certificate in one, so that they always fit together
	previousFile = "previous.json" // the identity before, should the newest not be readable
	nextKeyFile  = "next.key"      // what a certificate was, or is about to be, asked for
	unfinished   = ".new"          // ends the name of what is not whole yet
)

// folder is where a borne's identity lies: nobody but the agent may read it.
type folder string

func folderIn(dir string) folder { return folder(filepath.Join(dir, "identity")) }

func (f folder) file(name string) string { return filepath.Join(string(f), name) }

// create makes the folder where it is missing.
func (f folder) create() error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("dossier de l’identité : %w", err)
	}
	if err := syncFolder(filepath.Dir(string(f))); err != nil {
		return fmt.Errorf("dossier de l’identité : %w", err)
	}
	return nil
}

// check refuses a folder, or files in it, that others than the owner may read.
func (f folder) check() error {
	paths := []string{string(f), f.file(identityFile), f.file(previousFile), f.file(nextKeyFile)}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) && path != string(f) {
			continue
		}
		if err != nil {
			return fmt.Errorf("dossier de l’identité : %w", err)
		}
		if m := info.Mode().Perm(); m&0o077 != 0 {
			return fmt.Errorf("%s : d’autres utilisateurs peuvent lire l’identité de la borne (droits %04o). "+
				"Faites « chmod -R u=rwX,go= %s ». Si quelqu’un a pu la copier, révoquez la borne et enrôlez-la de nouveau", path, m, f)
		}
	}
	return nil
}

// lock keeps two programs from changing the identity at once; the kernel drops
// it when its holder dies.
func (f folder) lock() (release func() error, err error) {
	d, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("dossier de l’identité : %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		d.Close()
		return nil, fmt.Errorf("%s : un autre programme change l’identité de la borne en ce moment. Réessayez dans une minute (%w)", f, err)
	}
	return func() error {
		// Closing alone would not do: a program that is just being started has
		// the folder open too, for a moment.
		return errors.Join(syscall.Flock(int(d.Fd()), syscall.LOCK_UN), d.Close())
	}, nil
}

// write puts a file in place, whole, and returns when it is on the disk.
func (f folder) write(name string, data []byte) error {
	path := f.file(name)
	w, err := os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return err
	}
	return syncFolder(string(f))
}

// remove takes a file away, where it is there.
func (f folder) remove(name string) error {
	err := os.Remove(f.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncFolder(string(f)))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// nextKey gives the key to ask for a certificate with. For the same purpose it
// is the same until it is removed: when an answer was lost, asking again with
// the same key gives it again. A key made for anything else is never used.
func (f folder) nextKey(purpose string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(f.file(nextKeyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if block, _ := pem.Decode(data); block != nil && block.Headers[pemPurpose] == purpose {
		if key, err := parseKey(block.Bytes); err == nil {
			return key, nil
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{pemPurpose: purpose}, Bytes: der}
	return key, f.write(nextKeyFile, pem.EncodeToMemory(block))
}

const pemPurpose = "For"

// parseKey reads a P-256 key (PKCS #8, DER): a borne makes no other.
func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errDamaged // the parser's own words might show some of it
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errDamaged
	}
	return key, nil
}
