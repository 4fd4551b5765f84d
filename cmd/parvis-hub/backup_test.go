package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/seal"
	"parvis/hub/store"
	"parvis/kiosk/callback"
)

// A request that was deleted after a backup is not in what is restored from it,
// and without the file of keys nothing is lost unsaid.
func TestBackupOfCallbacks(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, dsn, dir string) {
		s, err := store.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		key, err := seal.Load(filepath.Join(dir, "hub.key"))
		if err != nil {
			t.Fatal(err)
		}
		old, kept := putRaw(t, s, key, time.Now().AddDate(0, -11, 0)), putRaw(t, s, key, time.Now())
		folder := t.TempDir()
		backup, keys := filepath.Join(folder, "lundi"), filepath.Join(folder, "rappels.cles")
		mustDo(t, "backup", backup, "--data", dir, "--database", dsn)
		if info, err := os.Stat(keys); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}

		later := func() time.Time { return time.Now().AddDate(0, 2, 0) }
		queue, err := callbacks.New(t.Context(), callbacks.Options{Store: s, Key: key, Now: later})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := queue.Purge(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d purged, %v", n, err)
		}
		mustDo(t, "backup", filepath.Join(folder, "mardi"), "--data", dir, "--database", dsn)
		if left, err := os.ReadDir(folder); err != nil || len(left) != 3 {
			t.Errorf("in the folder: %v, %v", left, err)
		}

		fresh := newData(t, dir)
		if out := mustDo(t, "restore", backup, "--data", fresh); !strings.Contains(out, "Une demande de rappel n’a plus de clé") {
			t.Errorf("it says %q", out)
		}
		restored, err := store.Open(t.Context(), filepath.Join(fresh, "hub.sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		defer restored.Close()
		if ids, err := restored.CallbackIDs(t.Context(), ""); err != nil || len(ids) != 1 || ids[0] != kept {
			t.Errorf("restored %v, %v; want %s, without %s", ids, err, kept, old)
		}

		if err := os.Rename(keys, keys+".ailleurs"); err != nil {
			t.Fatal(err)
		}
		_, err = do(t.Context(), "restore", backup, "--data", newData(t, dir))
		wantError(t, err, store.ErrNoKeys, "--callback-keys")
		mustDo(t, "restore", backup, "--data", newData(t, dir), "--callback-keys", keys+".ailleurs")
		mustDo(t, "restore", backup, "--data", newData(t, dir), "--no-callbacks")

		// Another hub's keys are not overwritten.
		if err := os.Rename(keys+".ailleurs", keys); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(t.TempDir(), "other")
		used(t, filepath.Join(other, "hub.sqlite"), other)
		_, err = do(t.Context(), "backup", filepath.Join(folder, "ailleurs"), "--data", other)
		wantError(t, err, nil, "un autre dossier")
		wantMissing(t, filepath.Join(folder, "ailleurs"))
	})
}

// putRaw keeps a request as a hub of before the queue did.
func putRaw(t *testing.T, s *store.Store, key *seal.Key, received time.Time) uuid.UUID {
	t.Helper()
	id, err := key.CallbackIdentity(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r := callback.New(received)
	r.Topic, r.Phone, r.Lang, r.Site, r.Slots, r.Consent = "logement", "+33612345652", "fr", "mairie", []callback.Slot{{}}, true
	data, err := callback.Seal(r, []age.Recipient{id.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.PutCallback(t.Context(), store.Callback{ID: r.ID, Borne: "MN-01", Code: r.Code, Created: received, Received: received, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// newData is a folder with a hub's key and no database.
func newData(t *testing.T, of string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hub")
	key, err := os.ReadFile(filepath.Join(of, "hub.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hub.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
