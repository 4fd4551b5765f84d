package callbacks_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/callback"
)

// traces are bytes that only one request has, by what they are.
func (h *hub) traces(id uuid.UUID) map[string][]byte {
	h.t.Helper()
	c, err := h.store.Callback(ctx, id)
	must(h.t, err)
	sealed, err := callbacks.Sealed(c)
	must(h.t, err)
	traces := map[string][]byte{"ID": []byte(id.String()), "key": c.Key, "hash": c.Same, "encrypted": c.Data[:64],
		"end of what is encrypted": c.Data[len(c.Data)-32:], "sealed": sealed[len(sealed)-64:], "number": []byte(phone[3:])}
	steps, err := h.store.CallbackSteps(ctx, id)
	must(h.t, err)
	for _, s := range steps {
		if len(s.Note) > 0 {
			traces["note "+s.Kind] = s.Note
		}
	}
	return traces
}

// found lists which traces are in a database's files.
func found(t *testing.T, dsn string, traces map[string][]byte) []string {
	t.Helper()
	var all []string
	for _, path := range storetest.Files(t, dsn) {
		data, err := os.ReadFile(path)
		must(t, err)
		for what, trace := range traces {
			if bytes.Contains(data, trace) && !slices.Contains(all, what) {
				all = append(all, what)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Of a request that is deleted no byte is left in the database's files; of
// others nothing is missing.
func TestPurge(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t)
			h := newHub(t, storetest.Open(t, dsn))
			must(t, h.store.SetSetting(ctx, "callbacks", `{"flood": 1000}`))
			// Among many, for what is deleted lies between others.
			var all []uuid.UUID
			for n := range 60 {
				r := h.request()
				r.Phone = fmt.Sprintf("+336123456%02d", n)
				all = append(all, h.take(r))
			}
			closed, forgotten, open := all[20], all[40], all[50]
			item, err := h.Attempt(ctx, anne, h.claim(anne, closed).Ref, callbacks.NoAnswer, "rappeler après le travail, demander Apolline")
			must(t, err)
			_, err = h.Close(ctx, anne, item.Ref, callbacks.Closing{Outcome: callbacks.Reached, Note: "tout est réglé avec Apolline"})
			must(t, err)
			h.claim(anne, forgotten)
			h.claim(anne, open)
			mine := h.traces(closed)
			before := found(t, dsn, mine)
			if want := []string{"ID", "encrypted", "end of what is encrypted", "hash", "key", "note no_answer", "note reached"}; !slices.Equal(before, want) {
				t.Fatalf("there is %q, want %q: does the test see the files?", before, want)
			}

			h.clock.Set(monday.Add(callbacks.KeepClosed - time.Hour))
			if n, err := h.Purge(ctx); n != 0 || err != nil {
				t.Fatalf("purged before its time: %d, %v", n, err)
			}
			h.clock.Set(monday.Add(callbacks.KeepClosed + time.Hour))
			n, err := h.Purge(ctx)
			must(t, err)
			storetest.Scrub(t, h.store)
			if left := found(t, dsn, mine); n != 1 || len(left) > 0 {
				t.Errorf("%d purged; %q is left", n, left)
			}
			if _, err := h.Item(ctx, closed); !errors.Is(err, callbacks.ErrGone) {
				t.Errorf("it is still there: %v", err)
			}
			if who, err := h.Look(ctx, anne, open); err != nil || who.Phone != "+33612345650" {
				t.Errorf("another one: %v", err)
			}

			// The legal bound is for all, also for those that nobody has closed.
			old := h.traces(forgotten)
			h.clock.Set(monday.AddDate(0, 12, 1))
			late := h.take(h.request())
			n, err = h.Purge(ctx)
			must(t, err)
			storetest.Scrub(t, h.store)
			if left := found(t, dsn, old); n != len(all)-1 || len(left) > 0 {
				t.Errorf("%d purged; %q is left", n, left)
			}
			if page := h.list(callbacks.Filter{View: callbacks.ToTake}); len(page.Items) != 1 || page.Items[0].ID != late {
				t.Errorf("left: %+v", page)
			}
		})
	}
}

// A purge that could not scrub the files does so the next time.
func TestScrubLater(t *testing.T) {
	t.Parallel()
	dsn := storetest.SQLite(t)
	h := newHub(t, storetest.Open(t, dsn))
	id := h.take(h.request())
	mine := h.traces(id)
	db, _ := storetest.Past(t, dsn)
	reader, err := db.Begin()
	must(t, err)
	must(t, reader.QueryRow(`SELECT count(*) FROM callback`).Scan(new(int))) // and goes on looking at it
	h.clock.Set(monday.AddDate(0, 12, 1))
	n, err := h.Purge(ctx)
	must(t, err)
	if left := found(t, dsn, mine); n != 1 || len(left) == 0 {
		t.Fatalf("%d purged, and nothing is left although a reader is in the way: the test proves nothing", n)
	}
	must(t, reader.Rollback())
	_, err = h.Purge(ctx)
	must(t, err)
	if left := found(t, dsn, mine); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// backup makes a backup and the file of keys, as the command does.
func (h *hub) backup() (backup, keys []byte) {
	h.t.Helper()
	var b, k bytes.Buffer
	to := []age.Recipient{h.key.Recipient()}
	must(h.t, h.store.Backup(ctx, &b, to))
	must(h.t, h.store.BackupKeys(ctx, &k, to))
	return b.Bytes(), k.Bytes()
}

// A request that was deleted comes back from no backup that was made before,
// and nothing can be read of it in one with all the keys that there are.
func TestBackupForgets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, again func() *store.Store, _ string) {
		h := newHub(t, again())
		deleted := h.take(h.request())
		h.clock.Set(monday.AddDate(0, 6, 0))
		r := h.request()
		r.Phone = "+33612345653"
		kept := h.take(r)
		_, err := h.AddNote(ctx, anne, h.claim(anne, kept).Ref, "à rappeler")
		must(t, err)
		mine := h.traces(deleted)
		old, early := h.backup()
		h.clock.Set(monday.AddDate(0, 12, 1))
		n, err := h.Purge(ctx)
		must(t, err)
		if n != 1 {
			t.Fatalf("%d purged", n)
		}
		came := h.take(h.request())
		_, keys := h.backup()

		for _, fresh := range storetest.Databases() {
			target := storetest.Open(t, fresh(t))
			lost, err := target.Restore(ctx, h.source(old, keys))
			must(t, err)
			restored := h.another(target)
			if _, err := restored.Item(ctx, deleted); lost != 1 || !errors.Is(err, callbacks.ErrGone) {
				t.Errorf("%d lost; the deleted one: %v", lost, err)
			}
			if _, err := restored.Item(ctx, came); !errors.Is(err, callbacks.ErrGone) {
				t.Errorf("one that came after the backup: %v", err)
			}
			who, err := restored.Look(ctx, anne, kept)
			if err != nil || who.Phone != "+33612345653" || who.History[1].Note != "à rappeler" {
				t.Errorf("the other: %v %+v", err, who.History)
			}
		}
		text := opened(t, h, old)
		for _, what := range []string{"key", "hash", "sealed", "number"} {
			if bytes.Contains(text, mine[what]) {
				t.Errorf("the old backup holds the %s", what)
			}
		}
		if !bytes.Contains(text, mine["encrypted"]) {
			t.Error("the old backup does not hold the request: the test proves nothing")
		}
		if text := opened(t, h, keys); bytes.Contains(text, mine["key"]) || !bytes.Contains(opened(t, h, early), mine["key"]) {
			t.Error("the file of keys still has that of a deleted request, or never had it")
		}
		// Without the keys nobody is told that all is well.
		if _, err := storetest.Open(t, storetest.SQLite(t)).Restore(ctx, h.source(old, nil)); !errors.Is(err, store.ErrNoKeys) {
			t.Errorf("without keys: %v", err)
		}
		src := h.source(old, nil)
		src.Keyless = true
		target := storetest.Open(t, storetest.SQLite(t))
		if lost, err := target.Restore(ctx, src); lost != 2 || err != nil {
			t.Errorf("knowingly without keys: %d, %v", lost, err)
		}
	})
}

func (h *hub) source(backup, keys []byte) store.Source {
	src := store.Source{Backup: bytes.NewReader(backup), Identities: []age.Identity{h.key.Identity()}}
	if keys != nil {
		src.Keys = bytes.NewReader(keys)
	}
	return src
}

// opened is all that the hub's key shows of a backup.
func opened(t *testing.T, h *hub, backup []byte) []byte {
	t.Helper()
	r, err := age.Decrypt(bytes.NewReader(backup), h.key.Identity())
	must(t, err)
	z, err := gzip.NewReader(r)
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	return text
}

// Requests of before labels, or with one that is damaged, are taken all the
// same, and so is what an older hub has left.
func TestUnlabelled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hub, _ func() *store.Store) {
		r := h.request()
		data, err := callback.Seal(r, h.to)
		must(t, err)
		label, person := callback.Split(data)
		damaged := bytes.Replace(data, label[len(label)-30:], make([]byte, 30), 1)
		for name, data := range map[string][]byte{"one seal": person, "a damaged label": damaged} {
			r.ID = uuid.Must(uuid.NewV7())
			fresh, err := h.Take(ctx, callbacks.Arrival{ID: r.ID, Borne: "MN-01", Code: r.Code, Created: monday, Data: data})
			must(t, err)
			item := h.item(r.ID)
			if !fresh || item.Labelled || item.Topic != "" || item.Deadline.IsZero() || item.Site != "neudorf" {
				t.Errorf("%s: %+v", name, item)
			}
			h.claim(anne, r.ID)
			if who, err := h.Look(ctx, anne, r.ID); err != nil || who.Phone != phone || who.Topic != r.Topic || len(who.Slots) != 1 {
				t.Errorf("%s: %+v, %v", name, who, err)
			}
		}
		// The label of one request on another.
		other := uuid.Must(uuid.NewV7())
		_, err = h.Take(ctx, callbacks.Arrival{ID: other, Borne: "MN-01", Code: r.Code, Created: monday, Data: data})
		must(t, err)
		if h.item(other).Labelled {
			t.Error("a label was taken for another's")
		}
		// What only another hub opens.
		stranger, err := age.GenerateX25519Identity()
		must(t, err)
		theirs, err := callback.Seal(r, []age.Recipient{stranger.Recipient()})
		must(t, err)
		foreign := uuid.Must(uuid.NewV7())
		_, err = h.Take(ctx, callbacks.Arrival{ID: foreign, Borne: "MN-01", Code: r.Code, Created: monday, Data: theirs})
		must(t, err)
		h.claim(anne, foreign)
		if _, err := h.Look(ctx, anne, foreign); !errors.Is(err, callbacks.ErrSealed) {
			t.Errorf("sealed to another: %v", err)
		}

		raw := h.request()
		data, err = callback.Seal(raw, h.to)
		must(t, err)
		_, err = h.store.PutCallback(ctx, store.Callback{ID: raw.ID, Borne: "ME-01", Code: raw.Code, Created: monday, Received: monday, Data: data})
		must(t, err)
		if _, err := h.Claim(ctx, bruno, raw.ID); !errors.Is(err, callbacks.ErrState) {
			t.Errorf("claimed while raw: %v", err)
		}
		if n, err := h.Adopt(ctx); n != 1 || err != nil {
			t.Errorf("adopted %d, %v", n, err)
		}
		h.claim(bruno, raw.ID)
		if who, err := h.Look(ctx, bruno, raw.ID); err != nil || who.Phone != phone || !h.item(raw.ID).Labelled {
			t.Errorf("adopted: %v", err)
		}
		if n, err := h.Adopt(ctx); n != 0 || err != nil {
			t.Errorf("adopted again: %d, %v", n, err)
		}
	})
}
