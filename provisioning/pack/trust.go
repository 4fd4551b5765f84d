package pack

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"parvis/kiosk/link"
)

const (
	rootFile      = "root.json"
	timestampFile = "timestamp.json"
	snapshotFile  = "snapshot.json"
	targetsFile   = "targets.json"

	maxRotations   = 256         // of the root, followed at once
	metadataWithin = time.Minute // for one file to come, and longer
	slowest        = 4 << 10     // at so many bytes a second
)

// trust is the metadata that a borne trusts, in a folder: the root says whose
// signatures count, the others are what the borne has seen last, so that
// nothing older is ever taken.
type trust struct {
	dir string
	now time.Time
}

// client follows the workflow of the specification, TUF 1.0.31, part 5, with
// what one fetch brings.
type client struct {
	trust
	fetch Fetch
	set   *trustedmetadata.TrustedMetadata
}

// refresh learns what is signed now. Where pin is set, the first root that is
// ever fetched is trusted from then on: over a line that is known to be the
// hub's own.
func (t trust) refresh(ctx context.Context, fetch Fetch, pin bool) (targets *metadata.TargetsType, err error) {
	// A key that was stolen may sign what the library stumbles over.
	defer func() {
		if p := recover(); p != nil {
			targets, err = nil, fmt.Errorf("%w : signatures mal formées (%v)", ErrUntrusted, p)
		}
	}()
	c := client{trust: t, fetch: fetch}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return c.root(ctx, pin) }, c.newerRoots, c.timestamp, c.snapshot, c.targets,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return &c.set.Targets[metadata.TARGETS].Signed, nil
}

// pin has the borne trust the hub's root, unless it trusts one.
func (t trust) pin(ctx context.Context, fetch Fetch) error {
	c := client{trust: t, fetch: fetch}
	return c.root(ctx, true)
}

func (c *client) root(ctx context.Context, pin bool) error {
	data, err := os.ReadFile(filepath.Join(c.dir, rootFile))
	switch {
	case err == nil:
		if c.set, err = trustedmetadata.New(data); err != nil {
			return fmt.Errorf("%s est abîmé (%w). Supprimez-le : la borne reprendra les clés du hub à la prochaine liaison",
				filepath.Join(c.dir, rootFile), err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case !pin:
		return ErrNoRoot
	default:
		if data, err = c.get(ctx, "1."+rootFile, maxRoot); err != nil {
			return err
		}
		if c.set, err = trustedmetadata.New(data); err != nil {
			return refused("1."+rootFile, err)
		}
		if err := c.keep(rootFile, data); err != nil {
			return err
		}
	}
	c.set.RefTime = c.now
	return nil
}

func (c *client) newerRoots(ctx context.Context) error {
	for range maxRotations {
		name := fmt.Sprintf("%d.%s", c.set.Root.Signed.Version+1, rootFile)
		data, err := c.get(ctx, name, maxRoot)
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := c.set.UpdateRoot(data); err != nil {
			return refused(name, err)
		}
		if err := c.keep(rootFile, data); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) timestamp(ctx context.Context) error {
	if c.set.Root.Signed.IsExpired(c.now) {
		return expired(rootFile, c.set.Root.Signed.Expires)
	}
	if old, err := os.ReadFile(filepath.Join(c.dir, timestampFile)); err == nil {
		c.set.UpdateTimestamp(old) // one that is out of date, or of a former key, is no loss: it only keeps older ones out
	}
	data, err := c.get(ctx, timestampFile, maxTimestamp)
	if err != nil {
		return err
	}
	_, err = c.set.UpdateTimestamp(data)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) { // the one it has seen last
		data, err = nil, nil
	}
	if c.set.Timestamp != nil && c.set.Timestamp.Signed.IsExpired(c.now) && (err == nil || errors.Is(err, &metadata.ErrExpiredMetadata{})) {
		return expired(timestampFile, c.set.Timestamp.Signed.Expires)
	}
	if err != nil {
		return refused(timestampFile, err)
	}
	if c.set.Timestamp.Signed.Meta[snapshotFile] == nil {
		return fmt.Errorf("%w : %s ne nomme pas %s", ErrUntrusted, timestampFile, snapshotFile)
	}
	if data == nil {
		return nil
	}
	return c.keep(timestampFile, data)
}

func (c *client) snapshot(ctx context.Context) error {
	if old, err := os.ReadFile(filepath.Join(c.dir, snapshotFile)); err == nil {
		if _, err := c.set.UpdateSnapshot(old, true); err == nil {
			return nil
		}
	}
	name := fmt.Sprintf("%d.%s", c.set.Timestamp.Signed.Meta[snapshotFile].Version, snapshotFile)
	data, err := c.get(ctx, name, maxSnapshot)
	if err != nil {
		return err
	}
	if _, err := c.set.UpdateSnapshot(data, false); err != nil {
		return refused(name, err)
	}
	return c.keep(snapshotFile, data)
}

func (c *client) targets(ctx context.Context) error {
	if old, err := os.ReadFile(filepath.Join(c.dir, targetsFile)); err == nil {
		if _, err := c.set.UpdateTargets(old); err == nil {
			return nil
		}
	}
	meta := c.set.Snapshot.Signed.Meta[targetsFile]
	if meta == nil {
		return fmt.Errorf("%w : %s ne nomme pas %s", ErrUntrusted, snapshotFile, targetsFile)
	}
	name := fmt.Sprintf("%d.%s", meta.Version, targetsFile)
	data, err := c.get(ctx, name, maxTargets)
	if err != nil {
		return err
	}
	if _, err := c.set.UpdateTargets(data); err != nil {
		return refused(name, err)
	}
	return c.keep(targetsFile, data)
}

func (c *client) get(ctx context.Context, name string, most int64) ([]byte, error) {
	return get(ctx, c.fetch, "/pack/"+name, most)
}

// get fetches a small file, of at most so many bytes.
func get(ctx context.Context, fetch Fetch, path string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataWithin+time.Duration(most/slowest)*time.Second)
	defer cancel()
	body, at, size, err := fetch(ctx, path, 0)
	if err != nil {
		return nil, explain(path, err)
	}
	defer body.Close()
	if at != 0 || size > most {
		return nil, fmt.Errorf("%w : %s : %d octets annoncés, %d au plus", ErrUntrusted, path, size, most)
	}
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s : %w", path, err)
	case int64(len(data)) > most:
		return nil, fmt.Errorf("%w : %s : plus de %d octets", ErrUntrusted, path, most)
	case int64(len(data)) < size:
		return nil, fmt.Errorf("%s : %w", path, io.ErrUnexpectedEOF)
	}
	return data, nil
}

// explain names what could not be fetched.
func explain(path string, err error) error {
	var p *link.Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		return fmt.Errorf("%w : %s", ErrUnknown, path)
	}
	return fmt.Errorf("%s : %w", path, err)
}

// refused says in French why metadata is not taken.
func refused(name string, err error) error {
	why := "altéré"
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return fmt.Errorf("%w : %s n’est plus valable ; l’horloge de la borne est-elle à l’heure ?", ErrExpired, name)
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		why = "pas signé par les clés que cette borne connaît"
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		why = "plus ancien que ce que cette borne a déjà vu, ou mélangé"
	}
	return fmt.Errorf("%w : %s : %s (%w)", ErrUntrusted, name, why, err)
}

func expired(name string, since time.Time) error {
	return fmt.Errorf("%w : %s ne vaut plus depuis le %s ; l’horloge de la borne est-elle à l’heure ?", ErrExpired, name, since.Local().Format("02/01/2006 15:04"))
}

// keep writes metadata so that a power cut leaves the former or this one.
func (t trust) keep(name string, data []byte) error {
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(t.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(t.dir, name))
	}
	if err != nil {
		return full(errors.Join(err, os.Remove(f.Name())))
	}
	return syncFolder(t.dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// manifest fetches the signed list of a version's files.
func manifest(ctx context.Context, fetch Fetch, targets *metadata.TargetsType, version string) (*Manifest, []byte, error) {
	t := targets.Targets[target(version)]
	if t == nil || !ValidVersion(version) {
		return nil, nil, fmt.Errorf("%w : la version %q n’est pas, ou plus, signée", ErrUnknown, version)
	}
	sum, there := t.Hashes["sha256"]
	if !there || t.Length <= 0 || t.Length > maxManifest {
		return nil, nil, fmt.Errorf("%w : la liste des fichiers de %s n’a ni taille ni empreinte utilisables", ErrUntrusted, version)
	}
	data, err := get(ctx, fetch, "/files/"+hex.EncodeToString(sum), t.Length)
	if err != nil {
		return nil, nil, err
	}
	if err := t.VerifyLengthHashes(data); err != nil {
		return nil, nil, refused("la liste des fichiers de "+version, err)
	}
	m, err := ParseManifest(data, version)
	if err != nil {
		return nil, nil, fmt.Errorf("%w : %w", ErrUntrusted, err)
	}
	return m, data, nil
}
