package packs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/provisioning/pack"
)

// longest is how long a publication may take; after one that was cut off, the
// next waits as long.
const longest = 10 * time.Minute

// ErrPublishing says that somebody else is publishing.
var ErrPublishing = errors.New("une autre publication est en cours : recommencez quand elle est finie, dans dix minutes au plus")

// Publish keeps a folder's files and signs them as a version. The folder was
// checked. Errors: ErrNone, ErrPublishing, pack.ErrExists, pack.ErrWrongKey,
// pack.ErrUntrusted, store.ErrStale.
func (p *Packs) Publish(ctx context.Context, folder fs.FS, version string, publisher pack.Key) (m *pack.Manifest, err error) {
	// Alone, for one drops files that another may be about to use again.
	const lease = "packs.publish"
	holder := uuid.NewString()
	alone, err := p.store.Lease(ctx, lease, holder, p.now(), p.now().Add(longest))
	if err != nil {
		return nil, err
	}
	if !alone {
		return nil, ErrPublishing
	}
	defer func() {
		_, ended := p.store.Lease(context.WithoutCancel(ctx), lease, holder, p.now(), p.now())
		err = errors.Join(err, ended)
	}()
	return p.publish(ctx, folder, version, publisher)
}

func (p *Packs) publish(ctx context.Context, folder fs.FS, version string, publisher pack.Key) (*pack.Manifest, error) {
	s, err := p.load(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.Verify(); err != nil {
		return nil, err
	}
	m, err := pack.Build(folder, version, p.now())
	if err != nil {
		return nil, err
	}
	list, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	dropped, err := s.Add(m, list, publisher, p.now())
	if err != nil {
		return nil, err
	}
	if err := p.putFiles(ctx, folder, m, list); err != nil {
		return nil, err
	}
	if err := p.put(ctx, s, pack.TimestampValid); err != nil {
		return nil, err
	}
	if err := p.drop(ctx, s, dropped); err != nil {
		p.log.Warn("files of old packs stay", "error", err) // they are in nobody's way
	}
	return m, nil
}

// putFiles keeps what is listed, before anybody is told of it.
func (p *Packs) putFiles(ctx context.Context, folder fs.FS, m *pack.Manifest, list []byte) error {
	put := m.Blobs()
	for _, f := range m.Files {
		if put[f.SHA256] == 0 {
			continue
		}
		delete(put, f.SHA256)
		data, err := fs.ReadFile(folder, f.Path)
		if err != nil {
			return err
		}
		sum, err := p.store.PutFile(ctx, data, p.now())
		if err != nil {
			return fmt.Errorf("%s : %w", f.Path, err)
		}
		if sum != f.SHA256 {
			return fmt.Errorf("%s : le fichier a changé pendant la publication : recommencez", f.Path)
		}
	}
	_, err := p.store.PutFile(ctx, list, p.now())
	return err
}

// drop removes the files of versions that are signed no longer, but for those
// that others have.
func (p *Packs) drop(ctx context.Context, s *state, dropped []pack.Info) error {
	if len(dropped) == 0 {
		return nil
	}
	kept := map[string]bool{}
	for _, info := range s.Packs() {
		sums, err := p.filesOf(ctx, info)
		if err != nil {
			return err
		}
		for _, sum := range sums {
			kept[sum] = true
		}
	}
	var gone []string
	for _, info := range dropped {
		sums, err := p.filesOf(ctx, info)
		if errors.Is(err, store.ErrNotFound) {
			continue // somebody else has dropped it
		}
		if err != nil {
			return err
		}
		for _, sum := range sums {
			if !kept[sum] {
				gone = append(gone, sum)
			}
		}
	}
	return p.store.RemoveFiles(ctx, gone...)
}

// filesOf lists the files of a version by their hash, its manifest last.
func (p *Packs) filesOf(ctx context.Context, info pack.Info) ([]string, error) {
	data, err := p.file(ctx, info.Manifest)
	if err != nil {
		return nil, err
	}
	m, err := pack.ParseManifest(data, info.Version)
	if err != nil {
		return nil, err
	}
	var sums []string
	for sum := range m.Blobs() {
		sums = append(sums, sum)
	}
	return append(sums, info.Manifest), nil
}

func (p *Packs) file(ctx context.Context, sum string) ([]byte, error) {
	f, err := p.store.File(ctx, sum)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}
