package store_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/provisioning/ca"
)

func TestOpenSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "état 100%?#", "hub", "hub.sqlite")
	s := storetest.Open(t, path)
	must(t, s.SetSetting(ctx, "a", "b"))

	info, err := os.Stat(filepath.Dir(path))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v", info.Mode())
	}
	for _, ending := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + ending)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", info.Name(), info.Mode())
		}
	}
	for name, db := range map[string]map[string]string{
		"writer": {"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1", "query_only": "0"},
		"reader": {"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1", "query_only": "1"},
	} {
		pool := store.DB(s)
		if name == "reader" {
			pool = store.Readers(s)
		}
		for pragma, want := range db {
			var got string
			must(t, pool.QueryRow("PRAGMA "+pragma).Scan(&got))
			if got != want {
				t.Errorf("%s: PRAGMA %s = %s, want %s", name, pragma, got, want)
			}
		}
	}
}

// What is opened again holds what was put there.
func TestOpenAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, _ func() *store.Store, dsn string) {
		s, err := store.Open(ctx, dsn)
		must(t, err)
		must(t, s.Ping(ctx))
		must(t, s.SetSetting(ctx, "a", "b"))
		must(t, s.Close())
		if got, err := storetest.Open(t, dsn).Setting(ctx, "a"); err != nil || got != "b" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// Hubs that start at the same moment on an empty database all come up, and
// agree on what is made once.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, _ func() *store.Store, dsn string) {
		secrets := make([]string, 4)
		var group sync.WaitGroup
		start := make(chan struct{})
		for i := range secrets {
			group.Go(func() {
				<-start
				s, err := store.Open(ctx, dsn)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				secret, err := s.PutSecretOnce(ctx, "ca", []byte{byte('a' + i)})
				if err != nil {
					t.Error(err)
				}
				secrets[i] = string(secret)
			})
		}
		close(start)
		group.Wait()
		for _, secret := range secrets {
			if secret == "" || secret != secrets[0] {
				t.Errorf("secrets: %q", secrets)
			}
		}
	})
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	// wantError opens a database that can't be opened: the error says where and
	// what to do, in French, and never holds the password.
	wantError := func(t *testing.T, dsn string, words ...string) {
		t.Helper()
		s, err := store.Open(ctx, dsn)
		if err == nil {
			s.Close()
			t.Fatal("it opens")
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q holds the password", err)
		}
	}
	t.Run("nothing", func(t *testing.T) { wantError(t, "", "ni adresse") })
	t.Run("scheme", func(t *testing.T) { wantError(t, "mysql://u:hunter2@h/b", "mysql://", "postgres://") })
	t.Run("folder", func(t *testing.T) { wantError(t, t.TempDir(), "dossier") })
	t.Run("no database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "hub.sqlite")
		must(t, os.WriteFile(path, []byte(strings.Repeat("This is a letter to the mayor. ", 200)), 0o600))
		wantError(t, path, path, "n’est pas une base")
	})
	t.Run("not ours", func(t *testing.T) {
		dir := t.TempDir()
		must(t, os.Chmod(dir, 0o555))
		asNobody(t, func() { wantError(t, filepath.Join(dir, "hub.sqlite"), dir, "ne peut pas être écrit") })
	})
	t.Run("malformed", func(t *testing.T) {
		for _, dsn := range []string{"postgres://u:hunter2@h:port/b", "postgres://u:hunter2%zz@h/b", "postgres://u:hunt er2@h/b", "postgres://u:hunter2@h/b?sslmode=perhaps"} {
			wantError(t, dsn, "postgres://utilisateur:motdepasse@machine")
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		wantError(t, "postgres://u:hunter2@127.0.0.1:1/b?sslmode=disable", "127.0.0.1:1", "« b »", "ne répond pas")
	})
	t.Run("no such file", func(t *testing.T) {
		wantError(t, "postgres://u:hunter2@127.0.0.1:1/b?sslmode=verify-full&sslrootcert=/nowhere/ca.crt", "/nowhere/ca.crt", "ne peut pas être lu")
	})
	t.Run("strange certificate", func(t *testing.T) {
		wantError(t, "postgres://u:hunter2@"+strangeServer(t)+"/b?sslmode=verify-full", "le certificat du serveur", "sslrootcert")
	})

	server := storetest.NewServer(t)
	dsn := server.Database(t)
	u, err := url.Parse(dsn)
	must(t, err)
	dir := u.Query().Get("host")
	server.Exec(t, `CREATE ROLE secretary LOGIN PASSWORD 'hunter2'`)
	server.Exec(t, `COPY (VALUES ('local all secretary scram-sha-256'), ('local all stranger reject'), ('local all all trust'))
		TO '`+dir+`/data/pg_hba.conf'`)
	server.Exec(t, `SELECT pg_reload_conf()`)
	as := func(user *url.Userinfo, database string) string {
		other := *u
		other.User = user
		if database != "" {
			other.Path = "/" + database
		}
		return other.String()
	}
	t.Run("wrong password", func(t *testing.T) {
		wantError(t, as(url.UserPassword("secretary", "hunter3"), ""), dir, "mot de passe ou utilisateur refusé")
	})
	t.Run("refused", func(t *testing.T) { wantError(t, as(url.User("stranger"), ""), "pg_hba.conf") })
	t.Run("no such database", func(t *testing.T) { wantError(t, as(u.User, "nowhere"), "« nowhere »", "n’existe pas") })
	t.Run("may not write", func(t *testing.T) {
		wantError(t, as(url.UserPassword("secretary", "hunter2"), ""), "n’a pas le droit", "OWNER")
	})
}

// strangeServer begins to speak as PostgreSQL does over TLS, with a certificate
// that nobody knows.
func strangeServer(t *testing.T) string {
	t.Helper()
	authority, err := ca.New(time.Now())
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(conn, make([]byte, 8)); err == nil { // SSLRequest
				io.WriteString(conn, "S")
				tls.Server(conn, authority.ServerTLS(time.Now)).Handshake() // the client hangs up
			}
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// What a hub has locked does not stay locked for long after it has died, be it
// so suddenly that the server hears nothing of it.
func TestDeadHub(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	dead, alive := storetest.Open(t, dsn), storetest.Open(t, dsn)
	mustEnrol(t, alive, "MN-01")
	tx, err := store.DB(dead).Begin()
	must(t, err)
	defer tx.Rollback() // there is nothing left of it
	_, err = tx.Exec(`UPDATE borne SET cloned = 0`)
	must(t, err)
	within, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	must(t, alive.Revoke(within, "MN-01", noon))
}

// asNobody does something with the rights of an ordinary user on files.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		do()
		return
	}
	runtime.LockOSThread() // rights on files belong to a thread
	defer runtime.UnlockOSThread()
	must(t, syscall.Setfsuid(65534))
	defer func() { must(t, syscall.Setfsuid(0)) }()
	do()
}

func TestErrNewer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, dsn string) {
		s := open()
		_, err := store.DB(s).Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
		must(t, err)
		must(t, s.Close())
		if _, err := store.Open(context.Background(), dsn); !errors.Is(err, store.ErrNewer) {
			t.Errorf("a newer schema: %v", err)
		}
	})
}
