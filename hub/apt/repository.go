// Package apt offers Debian packages to bornes and to IT's machines as an apt
// repository, signed by the hub's own OpenPGP key. It is made anew from the
// store whenever somebody asks, so that all hubs of a database serve the same.
package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"parvis/hub/seal"
	"parvis/hub/store"
)

// Repository is the apt repository of a hub.
type Repository struct {
	store           *store.Store
	signer          *signer
	now             func() time.Time
	armored, binary []byte // the public key
}

// Open opens the repository, and makes its signing key where there is none yet.
func Open(ctx context.Context, key *seal.Key, st *store.Store, now func() time.Time) (*Repository, error) {
	signer, err := openSigner(ctx, key, st)
	if err != nil {
		return nil, err
	}
	r := &Repository{store: st, signer: signer, now: now}
	if r.armored, err = signer.armored(); err != nil {
		return nil, err
	}
	r.binary, err = signer.public()
	return r, err
}

// Key is the public key that the repository is signed with, as text.
func (r *Repository) Key() []byte { return r.armored }

// Publish offers a package, a .deb, and tells what it is. The same one again
// changes nothing. Errors: ErrPackage, and store.ErrExists where its version has
// or had another content.
func (r *Repository) Publish(ctx context.Context, deb []byte) (store.Software, error) {
	c, err := readControl(deb)
	if err != nil {
		return store.Software{}, err
	}
	now := r.now()
	p := store.Software{Package: c.Package, Version: c.Version, Architecture: c.Architecture,
		SHA256: sumOf(deb), Size: int64(len(deb)), Control: c.Text, Added: now}
	if err := r.clash(ctx, p); err != nil {
		return p, err
	}
	if _, err := r.store.PutFile(ctx, deb, now); err != nil {
		return p, err
	}
	return p, r.store.PutSoftware(ctx, p)
}

// clash refuses a version that has another content before its file is kept.
func (r *Repository) clash(ctx context.Context, p store.Software) error {
	rows, err := r.store.Softwares(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Package == p.Package && row.Version == p.Version && row.Architecture == p.Architecture && row.SHA256 != p.SHA256 {
			return fmt.Errorf("%s %s (%s) : %w, avec un autre contenu ; donnez à celui-ci une autre version",
				p.Package, p.Version, p.Architecture, store.ErrExists)
		}
	}
	return nil
}

// File is one of the repository.
type File struct {
	io.ReadSeeker
	Type     string // of its content
	Modified time.Time
	Tag      string // SHA-256 of its content, in hexadecimal
}

// keptIndexes is how many former indexes are still found by their hash, for who
// has read InRelease a moment before the newest change.
const keptIndexes = 8

// File opens a file by its path, such as "dists/parvis/InRelease". Errors:
// store.ErrNotFound. It needs no closing.
func (r *Repository) File(ctx context.Context, name string) (*File, error) {
	switch name {
	case "parvis.asc":
		return made(r.armored, "application/pgp-keys", r.signer.entity.PrimaryKey.CreationTime), nil
	case "parvis.gpg":
		return made(r.binary, "application/pgp-keys", r.signer.entity.PrimaryKey.CreationTime), nil
	}
	rows, err := r.store.Softwares(ctx)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "pool/") {
		return r.pooled(ctx, rows, name)
	}
	under, ok := strings.CutPrefix(name, "dists/"+Suite+"/")
	if !ok {
		return nil, store.ErrNotFound
	}
	if folder, sum := path.Split(under); strings.HasSuffix(folder, "/by-hash/SHA256/") {
		return byHash(rows, strings.TrimSuffix(folder, "by-hash/SHA256/"), sum)
	}
	return r.dist(rows, under)
}

// pooled opens a package.
func (r *Repository) pooled(ctx context.Context, rows []store.Software, name string) (*File, error) {
	for _, row := range rows {
		if !row.Removed.IsZero() || poolPath(row) != name {
			continue
		}
		deb, err := r.store.File(ctx, row.SHA256)
		if err != nil {
			return nil, err
		}
		return &File{deb, "application/vnd.debian.binary-package", row.Added, row.SHA256}, nil
	}
	return nil, store.ErrNotFound
}

// dist opens a file of the index of now.
func (r *Repository) dist(rows []store.Software, name string) (*File, error) {
	at := r.now()
	date := at.Truncate(renewEvery)
	if times := changes(rows); len(times) > 0 && times[0].After(date) {
		date = times[0]
		if date.After(at) { // by the clock of another hub
			at = date
		}
	}
	x, err := indexAt(rows, at, date)
	if err != nil {
		return nil, err
	}
	kind := "text/plain; charset=utf-8"
	data, found := x.files[name]
	switch {
	case name == "Release":
		data = x.release()
	case name == "InRelease":
		data, err = r.signer.clear(x.release(), x.date)
	case name == "Release.gpg":
		data, err = r.signer.detached(x.release(), x.date)
	case !found:
		return nil, store.ErrNotFound
	case path.Ext(name) == ".gz":
		kind = "application/gzip"
	}
	if err != nil {
		return nil, fmt.Errorf("%s : %w", name, err)
	}
	// Without a time of its own: dates tell seconds, and two changes may come
	// within one.
	return made(data, kind, time.Time{}), nil
}

// byHash opens an index in a folder by its SHA-256, also one of a short while
// ago.
func byHash(rows []store.Software, folder, sum string) (*File, error) {
	times := append(changes(rows), time.Time{}) // and the one with nothing in it
	for _, at := range times[:min(keptIndexes, len(times))] {
		x, err := indexAt(rows, at, at)
		if err != nil {
			return nil, err
		}
		for name, data := range x.files {
			if path.Dir(name)+"/" == folder && sumOf(data) == sum {
				return made(data, "application/octet-stream", at), nil
			}
		}
	}
	return nil, store.ErrNotFound
}

func made(data []byte, kind string, at time.Time) *File {
	return &File{bytes.NewReader(data), kind, at, sumOf(data)}
}

// Handler serves the repository to people's machines, under a prefix such as
// "/apt/".
func (r *Repository) Handler(prefix string, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		f, err := r.File(req.Context(), strings.TrimPrefix(req.URL.Path, prefix))
		if errors.Is(err, store.ErrNotFound) {
			http.Error(w, "Le dépôt n’a pas ce fichier.", http.StatusNotFound)
			return
		}
		if err != nil {
			log.Error("request failed", "path", req.URL.Path, "error", err)
			http.Error(w, "Le dépôt est en panne ; réessayez plus tard.", http.StatusInternalServerError)
			return
		}
		f.Serve(w, req)
	})
}

// Serve answers a request with the file, or the part of it that is asked for.
func (f *File) Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("ETag", `"`+f.Tag+`"`)
	h.Set("Cache-Control", "no-cache") // may be kept, and is asked about each time
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", f.Modified, f)
}
