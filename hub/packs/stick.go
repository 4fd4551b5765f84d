package packs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"parvis/provisioning/pack"
)

// Export writes a version, the newest where it is "", to a stick or a folder. A
// borne takes it for pack.StickValid from now on. Errors: ErrNone,
// pack.ErrUnknown, pack.ErrFull, store.ErrStale.
func (p *Packs) Export(ctx context.Context, dir, version string) (pack.Info, error) {
	s, err := p.load(ctx)
	if err != nil {
		return pack.Info{}, err
	}
	all := s.Packs()
	at := slices.IndexFunc(all, func(info pack.Info) bool { return version == "" || info.Version == version })
	if at < 0 {
		return pack.Info{}, fmt.Errorf("version %q : %w", version, pack.ErrUnknown)
	}
	// The stick's signatures last longer, and are followed at once by others:
	// what bornes get over the network lasts no longer than it did.
	if err := p.put(ctx, s, pack.StickValid); err != nil {
		return all[at], err
	}
	files, err := p.metadata(ctx, s)
	if err != nil {
		return all[at], err
	}
	if err := p.renew(ctx); err != nil {
		return all[at], err
	}
	return all[at], pack.Export(dir, files, all[at], func(sum string) (io.Reader, error) {
		data, err := p.file(ctx, sum)
		return bytes.NewReader(data), err
	})
}

// metadata reads what a borne needs, with every root.
func (p *Packs) metadata(ctx context.Context, s *state) (map[string][]byte, error) {
	names, err := p.store.PackFiles(ctx)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if _, kind, ok := numbered(name); slices.Contains(s.Current(), name) || ok && kind == "root.json" {
			if files[name], _, err = p.store.PackFile(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	for name, data := range s.Changed() { // another may have signed since
		if name != "root.json" {
			files[name] = data
		}
	}
	return files, nil
}
