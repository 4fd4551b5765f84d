package packs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"parvis/hub/packs"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
	"parvis/provisioning/pack"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// desk is a hub, and who publishes with it.
type desk struct {
	*packs.Packs
	t         *testing.T
	store     *store.Store
	sealed    *seal.Key
	now       time.Time
	roots     []pack.Key
	publisher pack.Key
}

func each(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{t: t, store: storetest.Open(t, fresh(t)), now: noon}
			var err error
			if d.sealed, err = seal.Open(filepath.Join(t.TempDir(), "key", "hub.key")); err != nil {
				t.Fatal(err)
			}
			d.Packs = d.another()
			test(t, d)
		})
	}
}

// another is a second hub on the same database.
func (d *desk) another() *packs.Packs {
	return packs.New(d.store, d.sealed, func() time.Time { return d.now }, slog.New(slog.NewTextHandler(d.t.Output(), nil)))
}

func (d *desk) create() {
	d.t.Helper()
	for range 3 {
		d.roots = append(d.roots, mustKey(d.t))
	}
	d.publisher = mustKey(d.t)
	if err := d.Create(d.t.Context(), d.roots, 2, d.publisher); err != nil {
		d.t.Fatal(err)
	}
}

func mustKey(t testing.TB) pack.Key {
	t.Helper()
	k, err := pack.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (d *desk) publish(version string, folder fs.FS) *pack.Manifest {
	d.t.Helper()
	d.now = d.now.Add(time.Minute)
	m, err := d.Publish(d.t.Context(), folder, version, d.publisher)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d *desk) status() packs.Status {
	d.t.Helper()
	s, err := d.Status(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// fetch hands out what is in the database, as the hub's API does.
func (d *desk) fetch(ctx context.Context, path string, from int64) (io.ReadCloser, int64, int64, error) {
	var data []byte
	var err error
	if name, ok := strings.CutPrefix(path, "/pack/"); ok {
		data, _, err = d.store.PackFile(ctx, name)
	} else {
		var f *store.FileReader
		if f, err = d.store.File(ctx, strings.TrimPrefix(path, "/files/")); err == nil {
			data, err = io.ReadAll(f)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = &link.Problem{Status: http.StatusNotFound}
	}
	if err != nil {
		return nil, 0, 0, err
	}
	return io.NopCloser(strings.NewReader(string(data[from:]))), from, int64(len(data)), nil
}

// borne makes a borne that takes packs.
func (d *desk) borne() *pack.Local {
	d.t.Helper()
	dir := d.t.TempDir()
	l, err := pack.Open(filepath.Join(dir, "content"), filepath.Join(dir, "identity"))
	if err != nil {
		d.t.Fatal(err)
	}
	l.Now = func() time.Time { return d.now }
	return l
}

func take(t *testing.T, d *desk, l *pack.Local, version string) error {
	t.Helper()
	_, err := l.Update(t.Context(), d.fetch, version, func(fs.FS) error { return nil })
	return err
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v; wanted %v", err, want)
	}
}

func folder(files ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return all
}

func TestPublish(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		if _, err := d.Publish(t.Context(), folder("a", "1"), "v1", mustKey(t)); !errors.Is(err, packs.ErrNone) {
			t.Errorf("without keys: %v", err)
		}
		if all, err := d.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		if err := d.Renew(t.Context()); err != nil {
			t.Errorf("nothing to renew: %v", err)
		}
		d.create()
		wantError(t, d.Create(t.Context(), d.roots, 2, d.publisher), packs.ErrKeys)
		d.publish("v1", folder("level.yaml", "1", "a/b", "same"))
		d.publish("v2", folder("level.yaml", "2", "a/b", "same", "a/empty", ""))
		l := d.borne()
		for _, version := range []string{"v1", "v2"} {
			if err := take(t, d, l, version); err != nil {
				t.Fatalf("%s: %v", version, err)
			}
		}
		_, err := d.Publish(t.Context(), folder("a", "1"), "v2", d.publisher)
		wantError(t, err, pack.ErrExists)
		_, err = d.Publish(t.Context(), folder("a", "1"), "v3", d.roots[0])
		wantError(t, err, pack.ErrWrongKey)
		if _, err := d.Publish(t.Context(), folder(), "v3", d.publisher); err == nil {
			t.Error("a pack of nothing")
		}
		if _, err := d.Publish(t.Context(), folder("a", "1"), "../v3", d.publisher); err == nil {
			t.Error("a version that is a path")
		}
		all, err := d.List(t.Context())
		if err != nil || len(all) != 2 || all[0].Version != "v2" || all[0].Files != 3 || all[0].Size != 5 {
			t.Errorf("%+v, %v", all, err)
		}
		// The hub's key lies sealed.
		for _, k := range d.status().Keys {
			data, err := d.store.Secret(t.Context(), "pack.online."+k.Number())
			if k.Role == pack.RoleOnline && (err != nil || strings.Contains(string(data), "PRIVATE")) {
				t.Errorf("the hub's key: %q, %v", data, err)
			}
		}
	})
}

// Of two who publish at once, one is told to wait: what he uses again might be
// dropped by the other.
func TestPublishAlone(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		other := d.another()
		files := watched{folder("a", "1"), func() {
			_, err := other.Publish(t.Context(), folder("b", "1"), "v2", d.publisher)
			wantError(t, err, packs.ErrPublishing)
		}}
		d.publish("v1", files)
		d.publish("v2", folder("b", "1"))
	})
}

// watched calls a function when its first file is opened.
type watched struct {
	fs.FS
	opened func()
}

func (w watched) Open(name string) (fs.File, error) {
	if name == "a" {
		w.opened()
	}
	return w.FS.Open(name)
}

// Files that only versions which are signed no longer have go; others stay.
func TestOldFilesGo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		first := d.publish("v0", folder("own", "v0", "shared", "shared"))
		for i := range pack.Kept {
			d.publish(fmt.Sprint("v", i+1), folder("own", fmt.Sprint("v", i+1), "shared", "shared"))
		}
		for _, f := range first.Files {
			_, err := d.store.File(t.Context(), f.SHA256)
			if gone := errors.Is(err, store.ErrNotFound); gone != (f.Path == "own") {
				t.Errorf("%s: %v", f.Path, err)
			}
		}
		names, err := d.store.PackFiles(t.Context())
		if err != nil || len(names) > 2+1+2*4 {
			t.Errorf("metadata piles up: %v, %v", names, err)
		}
		if err := take(t, d, d.borne(), "v1"); err != nil {
			t.Error(err)
		}
	})
}

// Every hub renews, and they don't get in each other's way; what is fresh is
// left alone.
func TestRenew(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.publish("v1", folder("a", "1"))
		l := d.borne()
		if err := take(t, d, l, "v1"); err != nil {
			t.Fatal(err)
		}
		head := func() string {
			data, _, err := d.store.PackFile(t.Context(), "timestamp.json")
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		before := head()
		d.now = d.now.Add(23 * time.Hour)
		if err := d.Renew(t.Context()); err != nil || head() != before {
			t.Errorf("renewed within a day: %v", err)
		}
		for day := range 30 { // nobody publishes, and nothing gets out of date
			d.now = d.now.Add(25 * time.Hour)
			var wait sync.WaitGroup
			for range 3 {
				hub := d.another()
				wait.Go(func() {
					if err := hub.Renew(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if ends := d.status().Hub; !ends.Equal(d.now.Add(pack.TimestampValid)) {
				t.Fatalf("day %d: ends %v", day, ends)
			}
		}
		if err := take(t, d, l, "v1"); err != nil {
			t.Error(err)
		}
		// A clock that was ahead does not leave signatures that last for ever.
		d.now = d.now.AddDate(-1, 0, 0)
		if err := d.Renew(t.Context()); err != nil || !d.status().Hub.Equal(d.now.Add(pack.TimestampValid)) {
			t.Errorf("ends %v, %v", d.status().Hub, err)
		}
	})
}

// A hub whose database was lost goes on with last week's, and bornes with it.
func TestRestoredDatabase(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.publish("v1", folder("a", "1"))
		saved := map[string][]byte{}
		names, err := d.store.PackFiles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if saved[name], _, err = d.store.PackFile(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		l := d.borne()
		for range 3 {
			d.now = d.now.Add(25 * time.Hour)
			if err := d.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.publish(d.now.Format("v0102"), folder("a", "2"))
		}
		if err := take(t, d, l, "v1"); err != nil {
			t.Fatal(err)
		}
		head, _, err := d.store.PackFile(t.Context(), "timestamp.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.store.PutPackFiles(t.Context(), head, saved, nil, d.now); err != nil {
			t.Fatal(err)
		}
		wantError(t, take(t, d, l, "v1"), pack.ErrUntrusted)
		d.publish("v9", folder("a", "9"))
		if err := take(t, d, l, "v9"); err != nil {
			t.Errorf("it has published again: %v", err)
		}
	})
}

func TestServe(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.now = d.now.Add(3 * 24 * time.Hour)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Serve(ctx) }()
		deadline := time.Now().Add(20 * time.Second)
		for !d.status().Hub.Equal(d.now.Add(pack.TimestampValid)) {
			if time.Now().After(deadline) {
				t.Fatal("not renewed")
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRotate(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.publish("v1", folder("a", "1"))
		l := d.borne()
		if err := take(t, d, l, "v1"); err != nil {
			t.Fatal(err)
		}
		var online string
		for _, k := range d.status().Keys {
			if k.Role == pack.RoleOnline {
				online = k.Number()
			}
		}
		var fresh []packs.Fresh
		save := func(keys []packs.Fresh) error { fresh = keys; return nil }
		err := d.Rotate(t.Context(), d.roots[:1], []string{online}, save)
		wantError(t, err, pack.ErrFewKeys)
		full := errors.New("the stick is full")
		err = d.Rotate(t.Context(), d.roots[:2], []string{d.publisher.Number()}, func([]packs.Fresh) error { return full })
		wantError(t, err, full)
		d.publish("v2", folder("a", "2")) // so the key counts still
		err = d.Rotate(t.Context(), d.roots[:2], []string{d.publisher.Number(), online, d.roots[2].Number()}, save)
		if err != nil || len(fresh) != 2 || fresh[0].Role != pack.RolePublisher || fresh[1].Role != pack.RoleRoot {
			t.Fatalf("%+v, %v", fresh, err)
		}
		for _, k := range d.status().Keys {
			if n := k.Number(); n == online || n == d.publisher.Number() || n == d.roots[2].Number() {
				t.Errorf("%s %s counts still", k.Role, n)
			}
		}
		d.publisher = fresh[0].Key
		d.publish("v3", folder("a", "3"))
		d.now = d.now.Add(2 * 24 * time.Hour)
		if err := d.Renew(t.Context()); err != nil {
			t.Error(err)
		}
		if err := take(t, d, l, "v3"); err != nil {
			t.Error(err)
		}
	})
}

// What somebody has put into the database is not signed along with what is new.
func TestAlteredDatabase(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.publish("v1", folder("a", "1"))
		head, _, err := d.store.PackFile(t.Context(), "timestamp.json")
		if err != nil {
			t.Fatal(err)
		}
		names, err := d.store.PackFiles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		newest := "" // the versions have as many digits
		for _, name := range names {
			if strings.HasSuffix(name, "targets.json") {
				newest = max(newest, name)
			}
		}
		list, _, err := d.store.PackFile(t.Context(), newest)
		if err != nil {
			t.Fatal(err)
		}
		forged := strings.Replace(string(list), "packs/v1.json", "packs/v0.json", 1)
		err = d.store.PutPackFiles(t.Context(), head, map[string][]byte{"timestamp.json": head, newest: []byte(forged)}, nil, d.now)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Publish(t.Context(), folder("a", "2"), "v2", d.publisher)
		wantError(t, err, pack.ErrUntrusted)
		wantError(t, d.Rotate(t.Context(), d.roots, nil, nil), pack.ErrUntrusted)
	})
}

func TestExport(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.create()
		d.publish("v1", folder("a", "1"))
		d.publish("v2", folder("a", "2"))
		l := d.borne()
		if err := l.Pin(t.Context(), d.fetch); err != nil {
			t.Fatal(err)
		}
		if err := d.Rotate(t.Context(), d.roots, nil, func([]packs.Fresh) error { return nil }); err != nil {
			t.Fatal(err)
		}
		stick := t.TempDir()
		_, err := d.Export(t.Context(), stick, "v9")
		wantError(t, err, pack.ErrUnknown)
		if info, err := d.Export(t.Context(), stick, ""); err != nil || info.Version != "v2" {
			t.Fatalf("%+v, %v", info, err)
		}
		if ends := d.status().Hub; !ends.Equal(d.now.Add(pack.TimestampValid)) {
			t.Errorf("over the network signatures last until %v now", ends)
		}
		d.now = d.now.Add(pack.StickValid - time.Hour)
		version, _, err := l.UpdateFrom(t.Context(), os.DirFS(stick), func(fs.FS) error { return nil })
		if err != nil || version != "v2" {
			t.Errorf("%s, %v", version, err)
		}
		if err := d.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := take(t, d, l, "v1"); err != nil { // newer than the stick
			t.Error(err)
		}
	})
}
