package store_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// Every migration is made on a database with a row in each table, from the
// first schema on: no row goes, and no value changes.
func TestMigrations(t *testing.T) {
	t.Parallel()
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t)
			s, err := store.Connect(ctx, dsn)
			must(t, err)
			defer s.Close()
			// A connection of PostgreSQL that has seen a table as it was before a
			// migration refuses to show it once.
			store.DB(s).SetMaxIdleConns(0)
			versions, err := store.Versions(s)
			must(t, err)
			if len(versions) < 2 || versions[0] != 1 {
				t.Fatalf("migrations: %v", versions)
			}
			before := make(map[string][]string)
			for _, version := range versions {
				must(t, store.Apply(ctx, s, version))
				after, err := store.Dump(ctx, s)
				must(t, err)
				for table, rows := range after {
					if _, old := before[table]; !old && len(rows) > 0 {
						t.Errorf("migration %d puts rows into %s: a backup could not be restored", version, table)
					}
				}
				wantKept(t, version, before, after)
				must(t, store.Fill(ctx, s))
				before, err = store.Dump(ctx, s)
				must(t, err)
				for table, rows := range before {
					if len(rows) != 1 {
						t.Errorf("after migration %d %s has %d rows", version, table, len(rows))
					}
				}
			}
			after, err := store.Dump(ctx, storetest.Open(t, dsn))
			must(t, err)
			if !reflect.DeepEqual(before, after) {
				t.Error("opening the newest schema changes it")
			}
		})
	}
}

// dropped are the tables that a migration takes away with what is in them.
var dropped = map[int64][]string{5: {"content", "content_piece"}}

func wantKept(t *testing.T, version int64, before, after map[string][]string) {
	t.Helper()
	for table, rows := range before {
		if _, there := after[table]; !there && slices.Contains(dropped[version], table) {
			continue
		}
		if len(after[table]) != len(rows) || len(rows) == 0 {
			t.Errorf("migration %d: %s had %d rows, and has %d", version, table, len(rows), len(after[table]))
			continue
		}
		for _, value := range strings.Fields(rows[0]) { // column=type:value
			if !strings.Contains(after[table][0], value+" ") {
				t.Errorf("migration %d: %s had %s, and has %s", version, table, value, after[table][0])
			}
		}
	}
}

// Only three types are kept alike by both databases and by a backup.
func TestColumnTypes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		tables, err := store.Tables(ctx, s)
		must(t, err)
		for _, table := range tables {
			columns, err := store.Columns(ctx, s, table)
			must(t, err)
			if len(columns) == 0 {
				t.Errorf("%s has no columns: does the test still see them?", table)
			}
			for _, column := range columns {
				if !slices.Contains([]string{"text", "bigint", "bytea"}, column.Type) {
					t.Errorf("%s.%s is of type %s, not TEXT, BIGINT or BYTEA", table, column.Name, column.Type)
				}
			}
		}
	})
}

// testdata/schema1.backup was made by the first schema's own code, and is never
// made anew: cities have such files. See testdata/README.
func TestFirstSchema(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s := open()
		restoreGolden(t, s)
		wantGolden(t, s)
	})
}

func restoreGolden(t *testing.T, s *store.Store) {
	t.Helper()
	identities, err := os.Open("testdata/schema1.key")
	must(t, err)
	defer identities.Close()
	key, err := age.ParseIdentities(identities)
	must(t, err)
	backup, err := os.Open("testdata/schema1.backup")
	must(t, err)
	defer backup.Close()
	_, err = s.Restore(ctx, store.Source{Backup: backup, Identities: key})
	must(t, err)
}

// fillGolden puts into a database what testdata/schema1.backup holds.
func fillGolden(t *testing.T, s *store.Store) {
	t.Helper()
	mustEnrol(t, s, "MN-01", "MN-02")
	must(t, s.Renew(ctx, "MN-01", key("next"), certificate("2-MN-01"), noon))
	in := report("MN-01", 7, 3, noon)
	in.Report.Devices = []link.Device{{Name: "imprimante", Kind: "ticket_printer", State: "user_error",
		Paper: "out", Fault: "no_paper", Since: noon.Unix()}}
	in.Report.Counts = map[string]map[string]int{"2026-11-21": {"visit": 12, "visit.h09": 12}}
	later := report("MN-01", 7, 4, noon.Add(time.Hour))
	later.Report.Devices = in.Report.Devices
	mustPut(t, s, in, later)
	must(t, s.SetCloned(ctx, "MN-02", noon))
	must(t, s.Revoke(ctx, "MN-02", noon))
	mustToken(t, s, "unused", "MN-03")
	for i, id := range []string{"019aa600-0000-7000-8000-000000000001", "019aa600-0000-7000-8000-000000000002"} {
		c := command(t, "MN-01", link.Screenshot, noon.Add(time.Duration(i)*time.Second))
		must(t, c.ID.UnmarshalText([]byte(id)))
		c.Args.Text = "é"
		must(t, s.PutCommand(ctx, c))
		if i == 0 {
			must(t, s.EndCommand(ctx, "MN-01", c.ID, link.Outcome{State: link.Done, FileType: "image/png", File: []byte{0, 255}}, noon))
		}
	}
	callback := store.Callback{Borne: "MN-01", Code: "A042", Created: noon, Received: noon, Data: []byte("sealed")}
	must(t, callback.ID.UnmarshalText([]byte("019aa600-0000-7000-8000-000000000003")))
	_, err := s.PutCallback(ctx, callback)
	must(t, err)
	must(t, s.PutSecret(ctx, "ca", []byte{1, 0, 2}))
	must(t, s.SetSetting(ctx, "mail", "hub@exemple.fr"))
	_, err = s.Lease(ctx, "alerts", "a", noon, noon.Add(time.Minute))
	must(t, err)
}

func wantGolden(t *testing.T, s *store.Store) {
	t.Helper()
	b := mustBorne(t, s, "MN-01")
	if b.Site.Name != "Mairie de Neudorf" || b.Serial != "2-MN-01" || b.Used != "1-MN-01" || !b.Seen.Equal(noon.Add(time.Hour)) ||
		b.State.Version != "1.4.0" || len(b.State.Devices) != 1 || b.State.Devices[0].Fault != "no_paper" {
		t.Errorf("MN-01: %+v", b)
	}
	if b := mustBorne(t, s, "MN-02"); !b.Revoked.Equal(noon) || !b.Cloned.Equal(noon) || !b.Seen.IsZero() {
		t.Errorf("MN-02: %+v", b)
	}
	id, err := s.Identity(ctx, "MN-01")
	must(t, err)
	if !id.Trusts("1-MN-01") || !id.Trusts("2-MN-01") {
		t.Errorf("identity: %+v", id)
	}
	if taken := mustPut(t, s, report("MN-01", 7, 4, noon)); !taken[0].Replayed {
		t.Errorf("the last report again: %+v", taken)
	}
	faults, err := s.OpenFaults(ctx)
	must(t, err)
	if len(faults) != 1 || faults[0] != (store.FaultSpan{Borne: "MN-01", Device: "imprimante", Fault: "no_paper", Began: noon}) {
		t.Errorf("faults: %+v", faults)
	}
	samples, err := s.Samples(ctx, "MN-01", noon)
	must(t, err)
	if len(samples) != 2 || samples[0] != (store.Sample{Hour: noon, Reports: 1, Load: 12, Temp: 48, Disk: 61}) {
		t.Errorf("samples: %+v", samples)
	}
	visits, err := s.VisitsOf(ctx, "2026-11-21", []string{"MN-01"})
	must(t, err)
	if visits["MN-01"][9] != 12 {
		t.Errorf("visits: %v", visits)
	}
	tokens, err := s.Tokens(ctx, noon)
	must(t, err)
	if len(tokens) != 1 || tokens[0].Borne != "MN-03" || !slices.Equal(tokens[0].Hash, key("unused")) {
		t.Errorf("tokens: %+v", tokens)
	}
	commands, err := s.Commands(ctx, "MN-01", 10)
	must(t, err)
	if len(commands) != 2 || commands[0].State != store.Waiting || commands[0].Args.Text != "é" || !commands[1].HasFile {
		t.Errorf("commands: %+v", commands)
	}
	if _, data, err := s.CommandFile(ctx, "MN-01", commands[1].ID); err != nil || !slices.Equal(data, []byte{0, 255}) {
		t.Errorf("file: %v, %v", data, err)
	}
	if ids, err := s.CallbackIDs(ctx, "MN-01"); err != nil || len(ids) != 1 {
		t.Errorf("callbacks: %v, %v", ids, err)
	}
	if secret, err := s.Secret(ctx, "ca"); err != nil || !slices.Equal(secret, []byte{1, 0, 2}) {
		t.Errorf("secret: %v, %v", secret, err)
	}
	if value, err := s.Setting(ctx, "mail"); err != nil || value != "hub@exemple.fr" {
		t.Errorf("setting: %q, %v", value, err)
	}
	if held, err := s.Lease(ctx, "alerts", "b", noon, noon.Add(time.Minute)); err != nil || held {
		t.Errorf("the lease is not held any more: %v, %v", held, err)
	}
}
