package upgrade

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// What the hub's repository is made of; see package apt of the hub.
const (
	releasePath = "dists/parvis/InRelease"
	indexPath   = "main/binary-" + runtime.GOARCH + "/Packages.gz"
)

// Bounds of what is fetched, in bytes, and how long a line may bring nothing.
const (
	mostIndex   = 8 << 20
	mostPackage = 512 << 20
	stalled     = 30 * time.Second
)

// target is a package in the repository's index.
type target struct {
	Version, Path, SHA256 string
	Size                  int64
}

// mirror brings the repository's index and a version, and the version that is
// installed where root's half has not kept it, into the borne's folder. Sums are
// checked so that a damaged download shows here; who signed is root's matter.
func (u *Upgrader) mirror(ctx context.Context, version string) error {
	release, err := u.fetchSmall(ctx, releasePath)
	if err != nil {
		return err
	}
	sum, err := indexSum(release)
	if err != nil {
		return err
	}
	index, err := u.fetchSmall(ctx, "dists/parvis/"+filepath.Dir(indexPath)+"/by-hash/SHA256/"+sum)
	if err != nil {
		return err
	}
	if sumOf(index) != sum {
		return errors.New("l’index des paquets est arrivé abîmé")
	}
	offered, err := parseIndex(index)
	if err != nil {
		return err
	}
	want, ok := find(offered, version)
	if !ok {
		return fmt.Errorf("%w : le hub ne l’offre pas pour %s", ErrUnfit, runtime.GOARCH)
	}
	targets := []target{want}
	if before, ok := find(offered, u.Installed()); ok && before != want && !exists(keptFile(before.Version)) {
		targets = append(targets, before) // to have a way back
	}
	for _, t := range targets {
		if err := u.fetchPackage(ctx, t); err != nil {
			return err
		}
	}
	if err := u.dropOthers(targets); err != nil {
		return err
	}
	// Last, so that an index that is there has its packages.
	for path, data := range map[string][]byte{releasePath: release, "dists/parvis/" + indexPath: index} {
		path = u.mirrored(path)
		if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
			return err
		}
		if err := replace(path, data, 0o660); err != nil {
			return err
		}
	}
	return nil
}

func (u *Upgrader) mirrored(path string) string { return filepath.Join(u.o.Dir, mirrorFolder, path) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// indexSum is the SHA-256 that a Release gives for the index.
func indexSum(release []byte) (string, error) {
	for line := range strings.Lines(string(release)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[2] == indexPath && len(fields[0]) == sha256.Size*2 {
			return fields[0], nil
		}
	}
	return "", fmt.Errorf("le dépôt du hub n’a pas de paquets pour %s", runtime.GOARCH)
}

// parseIndex lists the versions of the borne's package.
func parseIndex(index []byte) (found []target, err error) {
	plain, err := gzip.NewReader(bytes.NewReader(index))
	if err != nil {
		return nil, fmt.Errorf("index des paquets : %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, mostIndex))
	if err != nil {
		return nil, fmt.Errorf("index des paquets : %w", err)
	}
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		fields := make(map[string]string)
		for line := range strings.Lines(paragraph) {
			if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
				fields[name] = strings.TrimSpace(value)
			}
		}
		size, err := strconv.ParseInt(fields["Size"], 10, 64)
		if fields["Package"] != Package || err != nil || size <= 0 || size > mostPackage || !filepath.IsLocal(fields["Filename"]) {
			continue
		}
		found = append(found, target{fields["Version"], fields["Filename"], fields["SHA256"], size})
	}
	return found, nil
}

func find(all []target, version string) (target, bool) {
	for _, t := range all {
		if t.Version == version {
			return t, true
		}
	}
	return target{}, false
}

// fetchSmall fetches a file of the index whole.
func (u *Upgrader) fetchSmall(ctx context.Context, path string) ([]byte, error) {
	var data bytes.Buffer
	_, err := u.fetchSome(ctx, path, 0, mostIndex, &data)
	return data.Bytes(), err
}

// fetchPackage fetches a package, from where an earlier try broke off.
func (u *Upgrader) fetchPackage(ctx context.Context, t target) error {
	path := u.mirrored(t.Path)
	if sum, err := fileSum(path); err == nil && sum == t.SHA256 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o660)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := u.fetchRest(ctx, f, t); err != nil {
		return err
	}
	sum, err := fileSum(path + ".part")
	if err != nil {
		return err
	}
	if sum != t.SHA256 {
		return errors.Join(errors.New("le paquet est arrivé abîmé ; il sera repris du début"), os.Remove(path+".part"))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// fetchRest fetches what is missing, over as many connections as it takes, each
// of which has to bring something.
func (u *Upgrader) fetchRest(ctx context.Context, f *os.File, t target) error {
	for {
		have, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if have > t.Size {
			have = 0
			if err := f.Truncate(0); err != nil {
				return err
			}
		}
		if have == t.Size {
			return nil
		}
		got, err := u.fetchSome(ctx, t.Path, have, t.Size, f)
		if err != nil && got == 0 || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// fetchSome writes what one connection brings of a file, which is to end at
// most bytes at the latest, and tells how much that was.
func (u *Upgrader) fetchSome(ctx context.Context, path string, from, most int64, to io.Writer) (got int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(stalled, cancel)
	defer watch.Stop()
	body, at, size, err := u.o.Client.File(ctx, "/apt/"+url.PathEscape(path), from)
	var refusal *link.Problem
	if errors.As(err, &refusal) && refusal.Type == link.ProblemUnknown {
		return 0, fmt.Errorf("%w : le hub n’a pas le fichier %s", ErrUnfit, path)
	}
	if err != nil {
		return 0, err
	}
	defer body.Close()
	if at != from || size < 0 || size > most {
		return 0, fmt.Errorf("%s : le hub donne %d octets à partir de %d, attendu à partir de %d", path, size, at, from)
	}
	got, err = io.Copy(to, fed{io.LimitReader(body, size-at), watch})
	if err == nil && got < size-at {
		err = io.ErrUnexpectedEOF
	}
	return got, err
}

// fed reads on and puts the end off with each byte.
type fed struct {
	io.Reader
	watch *time.Timer
}

func (f fed) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if n > 0 {
		f.watch.Reset(stalled)
	}
	return n, err
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// dropOthers removes packages that are no longer of use, whole or in part.
func (u *Upgrader) dropOthers(keep []target) error {
	folders, err := filepath.Glob(u.mirrored("pool/*"))
	for _, folder := range folders {
		used := false
		for _, t := range keep {
			used = used || filepath.Dir(u.mirrored(t.Path)) == folder
		}
		if !used {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}
	return err
}
