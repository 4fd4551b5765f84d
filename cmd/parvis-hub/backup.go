package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"parvis/hub/callbacks"
	"parvis/hub/store"
)

// keysName is the file of the requests' keys, beside the backups: one for all
// of them, so that none opens a request that has been deleted since.
const keysName = "rappels.cles"

type backupCmd struct {
	base
	File string `arg:"" type:"path" help:"Fichier à faire ; il ne doit pas exister. À côté, « rappels.cles » est remplacé : il ouvre les demandes de rappel de toutes les sauvegardes du dossier."`
}

// Run writes everything to a new file that only the hub's key opens, and the
// keys of the requests to be called back to theirs.
func (c *backupCmd) Run(rt *runtime) (err error) {
	hub, err := c.open(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	keys := filepath.Join(filepath.Dir(c.File), keysName)
	if err := hub.ownKeys(keys); err != nil {
		return err
	}
	queue, err := callbacks.New(rt.ctx, callbacks.Options{Store: hub.store, Key: hub.key, Now: rt.now})
	if err != nil {
		return err
	}
	if _, err := queue.Adopt(rt.ctx); err != nil { // what has no key yet could come back from the backup
		return err
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s existe déjà : choisissez un autre nom", c.File)
	} else if err != nil {
		return err
	}
	defer func() {
		if err != nil { // half a backup passes for a whole one
			os.Remove(c.File)
		}
	}()
	err = hub.store.Backup(rt.ctx, f, hub.recipients())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sauvegarde : %w", err)
	}
	// Last: a request that comes in between must have its key, not its row.
	if err := hub.writeKeys(rt.ctx, keys); err != nil {
		return fmt.Errorf("clés des rappels : %w", err)
	}
	fmt.Fprintf(rt.stdout, "Sauvegarde : %s\nClés des rappels : %s (gardez-les ensemble ; ne gardez aucune version plus ancienne de ce fichier)\n"+
		"Rien ne s’ouvre sans la clé du hub, %s : gardez une copie de cette clé ailleurs.\n", c.File, keys, c.keyFile())
	return nil
}

func (o *opened) recipients() []age.Recipient { return []age.Recipient{o.key.Recipient()} }

// ownKeys refuses to replace the keys of another hub's requests.
func (o *opened) ownKeys(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = age.Decrypt(f, o.key.Identity())
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return fmt.Errorf("%s contient les clés d’un autre hub : choisissez un autre dossier pour la sauvegarde", path)
	}
	return nil // damaged ones are worth nothing
}

// writeKeys replaces the file of keys, wholly or not at all.
func (o *opened) writeKeys(ctx context.Context, path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".rappels-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has its name
	err = o.store.BackupKeys(ctx, f, o.recipients())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

type restoreCmd struct {
	base
	File         string `arg:"" type:"existingfile" help:"Fichier fait par « parvis-hub backup » ; la clé du hub qui l’a fait doit être dans --data."`
	CallbackKeys string `type:"existingfile" placeholder:"FICHIER" help:"Clés des demandes de rappel ; sinon « rappels.cles », à côté de la sauvegarde."`
	NoCallbacks  bool   `help:"Reprendre sans les demandes de rappel dont la clé manque."`
}

// Run fills an empty database, SQLite or PostgreSQL, whichever the backup is from.
func (c *restoreCmd) Run(rt *runtime) error {
	hub, err := c.openAny(rt.ctx)
	if err != nil {
		return err
	}
	defer hub.Close()
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	keys, err := c.openKeys()
	if err != nil {
		return err
	}
	src := store.Source{Backup: f, Identities: []age.Identity{hub.key.Identity()}, Keyless: c.NoCallbacks}
	if keys != nil {
		defer keys.Close()
		src.Keys = keys
	}
	lost, err := hub.store.Restore(rt.ctx, src)
	if errors.Is(err, store.ErrNoKeys) {
		err = fmt.Errorf("%w. Donnez « %s » (--callback-keys), ou reprenez sans ces demandes (--no-callbacks) ; rien n’a été repris", err, keysName)
	}
	if err != nil {
		return fmt.Errorf("reprise de %s : %w", c.File, err)
	}
	fmt.Fprintln(rt.stdout, "La sauvegarde est reprise. Lancez le hub : « parvis-hub serve ».")
	switch {
	case lost == 1:
		fmt.Fprintln(rt.stdout, "Une demande de rappel n’a plus de clé : elle a été effacée depuis la sauvegarde et n’est pas reprise.")
	case lost > 1:
		fmt.Fprintf(rt.stdout, "%d demandes de rappel n’ont plus de clé : elles ont été effacées depuis la sauvegarde et ne sont pas reprises.\n", lost)
	}
	return nil
}

// openKeys opens the file of keys; nil where there is none.
func (c *restoreCmd) openKeys() (*os.File, error) {
	if c.CallbackKeys != "" {
		return os.Open(c.CallbackKeys)
	}
	f, err := os.Open(filepath.Join(filepath.Dir(c.File), keysName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}
