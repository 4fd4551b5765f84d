package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// mostKey is how large the hub's key for packages may be, in bytes.
const mostKey = 64 << 10

// NeedsKey reports whether root has no key of the hub's yet: the borne was
// enrolled at its glass.
func (u *Upgrader) NeedsKey() bool { return !slices.ContainsFunc(u.o.Keys, exists) }

// OfferKey fetches the hub's key over the borne's own line, and has root's half
// keep it where it has none. ErrUnfit where the hub has no packages.
func (u *Upgrader) OfferKey(ctx context.Context) error {
	var key bytes.Buffer
	if _, err := u.fetchSome(ctx, "parvis.asc", 0, mostKey, &key); err != nil {
		return err
	}
	path := filepath.Join(u.o.Dir, keyFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
		return err
	}
	if err := replace(path, key.Bytes(), agentsOwn); err != nil {
		return err
	}
	return u.o.Start(ctx)
}

// pinKey keeps the key that the agent offers, if there is one and root has none
// yet. Who has taken over the agent before that may offer another, and whoever
// does so later nothing.
func (r *Replacer) pinKey() error {
	offered, err := r.takeKey()
	if err != nil || offered == nil {
		return err
	}
	switch _, path, err := r.key(); {
	case err == nil:
		return fmt.Errorf("%s est là et reste", path)
	case !errors.Is(err, errNoKey):
		return err
	}
	all, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(offered))
	if err != nil {
		return err
	}
	if len(all) != 1 || all[0].PrivateKey != nil || bytes.Count(offered, []byte("-----BEGIN ")) != 1 {
		return errors.New("attendu : une clé publique et rien d’autre")
	}
	path := r.Keys[0]
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := replace(path, offered, 0o644); err != nil {
		return err
	}
	r.Log.Info("clé des paquets du hub gardée", "fichier", path, "empreinte", fmt.Sprintf("%X", all[0].PrimaryKey.Fingerprint))
	return syncFolder(filepath.Dir(path))
}

// takeKey reads the agent's offer and removes it; nil where there is none.
func (r *Replacer) takeKey() ([]byte, error) {
	folder, err := os.OpenRoot(r.Data)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	f, err := r.openAgents(folder, keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(err, folder.RemoveAll(keyFile))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostKey+1))
	if err := errors.Join(err, folder.Remove(keyFile)); err != nil {
		return nil, err
	}
	if len(data) > mostKey {
		return nil, fmt.Errorf("plus de %d octets", mostKey)
	}
	return data, nil
}

var errNoKey = errors.New("la clé des paquets du hub manque")

// key is the hub's key for packages, and where it lies: the ending tells apt its
// form. Errors: errNoKey.
func (r *Replacer) key() (data []byte, path string, err error) {
	for _, path := range r.Keys {
		data, err := os.ReadFile(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, path, err
		}
	}
	return nil, "", fmt.Errorf("%w : placez-la dans %s (sur le hub : /apt/parvis.asc)", errNoKey, strings.Join(r.Keys, " ou "))
}
