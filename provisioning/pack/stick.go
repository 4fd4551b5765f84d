package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"

	"parvis/kiosk/link"
)

// StickFolder is where the packs lie on a stick: parvis/pack/ has the metadata,
// parvis/files/ the files by their hash, as at the hub.
const StickFolder = "parvis"

// UpdateFrom brings the newest pack that a stick has, under the same rules as
// Update: what is signed by whom, nothing older, nothing out of date. The borne
// must have asked the hub once. Errors: fs.ErrNotExist where the stick has no
// packs, ErrNoRoot, and Update's.
func (l *Local) UpdateFrom(ctx context.Context, stick fs.FS, check func(fs.FS) error) (version, folder string, err error) {
	if !l.mu.TryLock() {
		return "", "", ErrBusy
	}
	defer l.mu.Unlock()
	if _, err := fs.Stat(stick, path.Join(StickFolder, "pack", timestampFile)); err != nil {
		return "", "", err
	}
	fetch := fromStick(stick)
	targets, err := trust{l.trusted, l.Now()}.refresh(ctx, fetch, false)
	if err != nil {
		return "", "", err
	}
	for _, info := range infos(targets) {
		if _, err := fs.Stat(stick, path.Join(StickFolder, "files", info.Manifest)); errors.Is(err, fs.ErrNotExist) {
			continue // a stick need not have all that is signed
		}
		m, list, err := manifest(ctx, fetch, targets, info.Version)
		if err != nil {
			return info.Version, "", err
		}
		folder, err = l.install(ctx, fetch, m, list, check)
		return info.Version, folder, err
	}
	return "", "", fmt.Errorf("%w : la clé USB n’a aucune des versions signées", ErrUnknown)
}

// fromStick reads files as the hub would hand them out.
func fromStick(stick fs.FS) Fetch {
	return func(ctx context.Context, name string, from int64) (io.ReadCloser, int64, int64, error) {
		f, err := stick.Open(path.Join(StickFolder, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, 0, &link.Problem{Type: link.ProblemUnknown, Status: http.StatusNotFound}
		}
		if err != nil {
			return nil, 0, 0, err
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s : ce n’est pas un fichier", name)
		}
		at := int64(0)
		if s, ok := f.(io.Seeker); ok && err == nil && from > 0 {
			at, err = s.Seek(from, io.SeekStart)
		}
		if err != nil {
			return nil, 0, 0, errors.Join(err, f.Close())
		}
		return f, at, info.Size(), nil
	}
}

// Export writes one version to a stick or a folder, in its StickFolder, with the
// metadata given: as a repository's files that count now, signed for long enough,
// and all its roots. open opens a file by its hash.
func Export(dir string, files map[string][]byte, info Info, open func(sum string) (io.Reader, error)) error {
	to := filepath.Join(dir, StickFolder)
	for _, name := range []string{"pack", "files"} {
		if err := os.MkdirAll(filepath.Join(to, name), 0o755); err != nil {
			return err
		}
	}
	write := func(sum string) ([]byte, error) {
		r, err := open(sum)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		return data, writeFile(filepath.Join(to, "files", sum), data)
	}
	list, err := write(info.Manifest)
	if err != nil {
		return full(err)
	}
	m, err := ParseManifest(list, info.Version)
	if err != nil {
		return err
	}
	for sum, size := range m.Blobs() {
		// Of the length it should have, and spoilt: a stick that was pulled out.
		if holds(os.DirFS(to), path.Join("files", sum), File{Size: size, SHA256: sum}) {
			continue
		}
		if _, err := write(sum); err != nil {
			return full(err)
		}
	}
	// The timestamp last: without it a stick has no packs.
	for name, data := range files {
		if name != timestampFile {
			if err := writeFile(filepath.Join(to, "pack", name), data); err != nil {
				return full(err)
			}
		}
	}
	return full(writeFile(filepath.Join(to, "pack", timestampFile), files[timestampFile]))
}

// writeFile writes a file and has it on the stick, which may be pulled out.
func writeFile(name string, data []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
