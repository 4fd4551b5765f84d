package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"parvis/hub/seal"
	"parvis/hub/store"
)

// base are the settings that say which hub is meant. Every command has them.
type base struct {
	Data     string `type:"path" env:"STATE_DIRECTORY" default:"hub" help:"Dossier du hub : sa clé, et sa base si c’est SQLite."`
	Database string `env:"PARVIS_DATABASE" placeholder:"URL" help:"Base PostgreSQL (postgres://…) ; sinon SQLite, dans le dossier du hub."`
}

// opened is the hub's store, with the key to what is sealed in it.
type opened struct {
	store *store.Store
	key   *seal.Key
}

// keyFile is the hub's own key. Without it nothing sealed in the database, nor
// a backup, can be read.
func (b base) keyFile() string { return filepath.Join(b.Data, "hub.key") }

// whichHub is what to do about a hub that isn't where a command looks.
const whichHub = "Donnez le dossier du hub (--data) et, avec PostgreSQL, sa base (--database) ; " +
	"un hub neuf se fait avec « parvis-hub serve »"

// open opens a hub that has been at work. It makes none: a command that looks
// in the wrong place would seem to have done its work.
func (b base) open(ctx context.Context) (*opened, error) {
	hub, err := b.openAny(ctx)
	if err != nil {
		return nil, err
	}
	err = hub.key.Check(ctx, hub.store)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("aucun hub n’a encore servi cette base. %s", whichHub)
	}
	if err != nil {
		return nil, errors.Join(err, hub.Close())
	}
	return hub, nil
}

// openAny opens the key that is there, and a database, be it a new one.
func (b base) openAny(ctx context.Context) (*opened, error) {
	key, err := seal.Load(b.keyFile()) // first, for the database is made where it is missing
	if errors.Is(err, seal.ErrNoKey) {
		err = fmt.Errorf("%w. %s. Si la clé est perdue, remettez la copie gardée en lieu sûr : rien d’autre ne la remplace", err, whichHub)
	}
	if err != nil {
		return nil, err
	}
	st, err := b.openStore(ctx)
	if err != nil {
		return nil, err
	}
	return &opened{st, key}, nil
}

// openNew opens a hub, and makes what is missing of one that is new.
func (b base) openNew(ctx context.Context) (*opened, error) {
	st, err := b.openStore(ctx)
	if err != nil {
		return nil, err
	}
	key, err := seal.OpenFor(ctx, st, b.keyFile())
	if errors.Is(err, seal.ErrNoKey) {
		err = fmt.Errorf("%w, et la base a des secrets qu’elle seule ouvre. "+
			"Copiez-y le fichier de clé d’un autre hub de cette base, ou la copie gardée en lieu sûr ; aucune autre n’est faite", err)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &opened{st, key}, nil
}

func (b base) openStore(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, cmp.Or(b.Database, filepath.Join(b.Data, "hub.sqlite")))
}

func (o *opened) Close() error { return o.store.Close() }
