package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
)

func newKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	must(t, err)
	return key
}

func mustBackup(t testing.TB, s *store.Store, key *age.X25519Identity) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, s.Backup(ctx, &out, []age.Recipient{key.Recipient()}))
	return out.Bytes()
}

func mustBackupKeys(t testing.TB, s *store.Store, key *age.X25519Identity) []byte {
	t.Helper()
	var out bytes.Buffer
	must(t, s.BackupKeys(ctx, &out, []age.Recipient{key.Recipient()}))
	return out.Bytes()
}

func restore(s *store.Store, backup []byte, key *age.X25519Identity) error {
	_, err := s.Restore(ctx, store.Source{Backup: bytes.NewReader(backup), Identities: []age.Identity{key}})
	return err
}

func mustDump(t testing.TB, s *store.Store) map[string][]string {
	t.Helper()
	dump, err := store.Dump(ctx, s)
	must(t, err)
	return dump
}

// From each kind of database to each kind: every row of every table, and what
// the programs read of it.
func TestBackup(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for from, fresh := range storetest.Databases() {
		source := storetest.Open(t, fresh(t))
		fillGolden(t, source)
		queued := store.Callback{ID: newID(t), Borne: "MN-02", Code: "B042", Created: noon, Received: noon, Data: []byte{1},
			Key: []byte{2}, Same: []byte{3}, State: store.CallbackWaiting, Lang: "fr", Slots: []store.Span{{}, {Start: noon, End: noon.Add(time.Hour)}}}
		_, err := source.PutCallback(ctx, queued)
		must(t, err)
		must(t, store.Fill(ctx, source)) // the tables of the other parts
		want := mustDump(t, source)
		for table, rows := range want {
			if len(rows) == 0 {
				t.Errorf("%s is empty: the test proves nothing of it", table)
			}
		}
		want["unfound"] = nil // the one table that is in neither
		backup, keys := mustBackup(t, source, key), mustBackupKeys(t, source, key)
		for to, fresh := range storetest.Databases() {
			t.Run(from+" to "+to, func(t *testing.T) {
				target := storetest.Open(t, fresh(t))
				lost, err := target.Restore(ctx, store.Source{Backup: bytes.NewReader(backup), Keys: bytes.NewReader(keys), Identities: []age.Identity{key}})
				must(t, err)
				if lost != 0 {
					t.Errorf("%d requests lost", lost)
				}
				if got := mustDump(t, target); !reflect.DeepEqual(got, want) {
					t.Errorf("restored %v\nwant %v", got, want)
				}
				wantGolden(t, target)
			})
		}
	}
}

// Nothing of a backup lies open.
func TestBackupIsSealed(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	fillGolden(t, s)
	backup := mustBackup(t, s, newKey(t))
	for _, word := range []string{"Neudorf", "MN-01", "sealed", "borne"} {
		if bytes.Contains(backup, []byte(word)) {
			t.Errorf("it holds %q", word)
		}
	}
	if s.Backup(ctx, io.Discard, nil) == nil {
		t.Error("a backup that nobody could read")
	}
	if err := s.Backup(ctx, brokenWriter{}, []age.Recipient{newKey(t).Recipient()}); !errors.Is(err, errBroken) {
		t.Errorf("to a disk that is full: %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// A backup that is not whole is refused, whichever part is missing or altered;
// the database stays empty, and takes the whole one afterwards.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		key := newKey(t)
		source := storetest.Open(t, storetest.SQLite(t))
		fillGolden(t, source)
		// Data that doesn't shrink, over several of the seal's blocks.
		for i := range 20 {
			must(t, source.PutSecret(ctx, string(rune('a'+i)), bytes.Join([][]byte{keyOf(i), keyOf(i + 100), keyOf(i + 200)}, nil)))
		}
		backup := mustBackup(t, source, key)
		target := open()
		wantRefused := func(what string, backup []byte, key *age.X25519Identity, want error) {
			t.Helper()
			if err := restore(target, backup, key); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
			for table, rows := range mustDump(t, target) {
				if len(rows) > 0 {
					t.Fatalf("%s: %s holds %d rows", what, table, len(rows))
				}
			}
		}
		for cut := 1; cut < len(backup); cut += max(1, len(backup)/37) {
			wantRefused("cut", backup[:len(backup)-cut], key, store.ErrBackup)
		}
		for i := 0; i < len(backup); i += max(1, len(backup)/37) {
			altered := bytes.Clone(backup)
			altered[i] ^= 1
			if err := restore(target, altered, key); !errors.Is(err, store.ErrBackup) && !errors.Is(err, store.ErrBackupKey) {
				t.Errorf("byte %d of %d altered: %v", i, len(backup), err)
			}
		}
		wantRefused("nothing", nil, key, store.ErrBackup)
		wantRefused("another file", []byte(strings.Repeat("a letter to the mayor", 99)), key, store.ErrBackup)
		wantRefused("something after it", append(bytes.Clone(backup), 0), key, store.ErrBackup)
		wantRefused("another key", backup, newKey(t), store.ErrBackupKey)
		must(t, restore(target, backup, key))
		wantGolden(t, target)

		before := mustDump(t, target)
		if err := restore(target, backup, key); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("into a database that is not empty: %v", err)
		}
		if !reflect.DeepEqual(mustDump(t, target), before) {
			t.Error("a refused backup has changed the database")
		}
	})
}

func keyOf(i int) []byte { return bytes.Repeat(key(string(rune(i))), 64) }

// A backup shows one moment, while reports come in.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		source := open()
		mustEnrol(t, source, "MN-01", "MN-02")
		writing, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			for seq := uint64(1); ; seq++ {
				batch := []store.Incoming{report("MN-01", 1, seq, noon), report("MN-02", 1, seq, noon)}
				for i := range batch {
					batch[i].Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": int(seq)}}
				}
				if _, err := source.PutReports(writing, batch); err != nil {
					if writing.Err() != nil {
						err = nil
					}
					done <- err
					return
				}
				if seq == 5 {
					close(started)
				}
			}
		}()
		<-started
		key := newKey(t)
		var backups [][]byte
		for range 5 {
			backups = append(backups, mustBackup(t, source, key))
		}
		stop()
		must(t, <-done)
		last := uint64(0)
		for _, backup := range backups {
			target := storetest.Open(t, storetest.SQLite(t))
			must(t, restore(target, backup, key))
			seq := mustBorne(t, target, "MN-01").State.Seq
			if seq < last || seq < 5 {
				t.Errorf("report %d, after %d", seq, last)
			}
			last = seq
			for _, borne := range []string{"MN-01", "MN-02"} {
				counts, err := target.Counts(ctx, borne, "visit", "2026-11-21", "2026-11-21")
				must(t, err)
				if got := mustBorne(t, target, borne).State.Seq; got != seq || counts["2026-11-21"]["visit"] != int(seq) {
					t.Errorf("%s: report %d, %v; MN-01 is at %d", borne, got, counts, seq)
				}
			}
		}
	})
}

// A fleet's history goes through in parts.
func TestBackupMany(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	source := storetest.Open(t, storetest.SQLite(t))
	bornes := []string{"MN-01", "MN-02", "MN-03"}
	mustEnrolMany(t, source, bornes)
	for hour := range 700 {
		var batch []store.Incoming
		for _, borne := range bornes {
			batch = append(batch, report(borne, 1, uint64(hour+1), noon.Add(time.Duration(hour)*time.Hour)))
		}
		mustPut(t, source, batch...)
	}
	for range 4 {
		must(t, source.PutSecret(ctx, newID(t).String(), bytes.Repeat([]byte{7}, 1<<20)))
	}
	want := mustDump(t, source)
	target := storetest.Open(t, storetest.Postgres(t))
	must(t, restore(target, mustBackup(t, source, key), key))
	if got := mustDump(t, target); !reflect.DeepEqual(got, want) {
		t.Error("not the same")
	}
}

func TestTidy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		fillGolden(t, s)
		count := func() map[string]int {
			n := make(map[string]int)
			for table, rows := range mustDump(t, s) {
				n[table] = len(rows)
			}
			return n
		}
		before := count()
		must(t, s.Tidy(ctx, noon.AddDate(0, 0, 20)))
		delete(before, "lease") // it was over since yesterday
		if got := count(); got["lease"] != 0 {
			t.Errorf("leases: %d", got["lease"])
		} else if delete(got, "lease"); !reflect.DeepEqual(got, before) {
			t.Errorf("after three weeks %v, before %v", got, before)
		}

		must(t, s.ExpireCommands(ctx, noon.AddDate(0, 0, 21)))
		fine := report("MN-01", 7, 9, noon.AddDate(0, 0, 91))
		mustPut(t, s, fine) // ends the fault, 91 days on, and moves the hour
		must(t, s.Tidy(ctx, noon.AddDate(0, 0, 91)))
		if got := count(); got["hour_sample"] != 0 || got["fault"] != before["fault"] || got["command"] != before["command"] || got["token"] != 0 {
			t.Errorf("after 91 days: %v", got)
		}
		must(t, s.Tidy(ctx, noon.AddDate(0, 0, 402)))
		if got := count(); got["fault"] != before["fault"] || got["command"] != 1 || got["command_file"] != 0 {
			t.Errorf("after 402 days: %v", got)
		}
		must(t, s.Tidy(ctx, noon.AddDate(0, 0, 492)))
		got := count()
		if got["fault"] != 0 || got["command"] != 0 || got["day_count"] != before["day_count"] || got["callback"] != 1 || got["borne"] != 2 {
			t.Errorf("after 492 days: %v", got)
		}
	})
}
