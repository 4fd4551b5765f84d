package seal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// ErrNoKey says that there is no key file.
var ErrNoKey = errors.New("ce fichier n’existe pas")

// Load reads the key file. A file that others may read, or a folder that others
// may write to, is refused. Errors: ErrNoKey.
func Load(path string) (*Key, error) {
	k, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("clé du hub %s : %w", path, err)
	}
	return k, nil
}

// Open is Load, but makes the file (0600, in a folder 0700) where it is
// missing; of several hubs that do so at once, one makes it.
func Open(path string) (*Key, error) {
	k, err := Load(path)
	if !errors.Is(err, ErrNoKey) {
		return k, err
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("clé du hub %s : %w", path, err)
	}
	return Load(path)
}

func load(path string) (*Key, error) {
	if err := checkMode(path); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	id, err := parse(data)
	if err != nil {
		return nil, err
	}
	return &Key{path, id}, nil
}

// create writes a new key, whole and on the disk before it has its name. A key
// that another hub has put there in the meantime stays.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".cle-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintf(f, "# Clé du hub Parvis. Sans elle, ni la base ni ses sauvegardes ne s’ouvrent :\n"+
		"# gardez-en une copie en lieu sûr. Tous les hubs d’une même base ont la même.\n%s\n", id)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func checkMode(path string) error {
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if m := file.Mode().Perm(); m&0o077 != 0 {
		return fmt.Errorf("d’autres utilisateurs peuvent la lire (droits %04o). Faites « chmod 600 %s »", m, path)
	}
	if m := dir.Mode().Perm(); m&0o022 != 0 {
		return fmt.Errorf("d’autres utilisateurs peuvent la remplacer (droits %04o du dossier). Faites « chmod 700 %s »", m, filepath.Dir(path))
	}
	return nil
}

// parse finds the one key among comments. No error repeats what it read.
func parse(data []byte) (*age.X25519Identity, error) {
	var keys []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			keys = append(keys, line)
		}
	}
	if len(keys) == 1 {
		if id, err := age.ParseX25519Identity(keys[0]); err == nil {
			return id, nil
		}
	}
	return nil, errors.New("ce fichier n’est pas une clé de hub, ou il est abîmé (attendu : une ligne AGE-SECRET-KEY-1…). " +
		"Remettez la copie gardée en lieu sûr ; rien ne remplace une clé perdue")
}
