package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the server that all tests of one program use.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Server is a PostgreSQL server of one's own, on a socket in a folder of its
// own: no port is taken. It sorts words as the French do, unlike SQLite, so that
// what depends on the order of a database shows.
type Server struct {
	bin      string // folder of the programs
	dir      string
	owner    *syscall.Credential // PostgreSQL refuses to run as root; nil: as who we are
	settings []string

	alive io.WriteCloser // the server stops when this is closed, by us or by the kernel
	ended chan struct{}
}

// fast are the settings of a server whose data need not outlive a power cut.
var fast = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}

// NewServer starts a server for one test, and ends it with the test. It does
// not wait for the disk, unless its settings say so: "fsync=on",
// "synchronous_commit=on".
func NewServer(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := newServer(slices.Concat(fast, settings)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop(t)
		if err := os.RemoveAll(s.dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newServer(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// Not TMPDIR: another user must get there, and a socket's path is short.
	dir, err := os.MkdirTemp("/tmp", "parvis-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, settings: settings}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// programs finds the folder of PostgreSQL's programs, which Debian keeps off PATH.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is missing: install the Debian package postgresql")
	}
	return filepath.Dir(path), nil
}

func (s *Server) init() error {
	if os.Getuid() == 0 {
		owner, err := unprivileged()
		if err != nil {
			return err
		}
		s.owner = owner
		if err := os.Chown(s.dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	cmd := exec.Command(filepath.Join(s.bin, "initdb"), "--no-sync", "--auth=trust", "--username=parvis",
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=fr-FR", "-D", s.data())
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.owner}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// unprivileged is the user postgres, or else nobody.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("neither a user postgres nor nobody to run PostgreSQL as")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// guard runs the server until its own standard input ends: that happens when
// the test program ends, even if it is killed. A server that was not stopped
// by a test also takes its folder with it.
const guard = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=300 -c shared_buffers=32MB $3 &
server=$!
read -r keep
kill -INT $server
wait $server
[ "$keep" = keep ] || { cd /; rm -rf "$2"; }`

func (s *Server) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	var settings strings.Builder
	for _, setting := range s.settings {
		settings.WriteString(" -c " + setting)
	}
	cmd := exec.Command("sh", "-c", guard, "sh", s.bin, s.dir, settings.String())
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true} // not the terminal's Ctrl-C
	if s.alive, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		cmd.Wait()
	}()
	return s.waitReady()
}

func (s *Server) waitReady() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, s.address("postgres"))
		if err == nil {
			err = conn.Close(ctx)
			cancel()
			return err
		}
		cancel()
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return errors.Join(fmt.Errorf("PostgreSQL does not start: %w\n%s", err, log), s.alive.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *Server) address(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("parvis"), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}}.Encode()}).String()
}

var databases atomic.Int64

// Database returns the address of a fresh, empty database, which is dropped at
// the end of the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	s.Exec(t, `CREATE DATABASE `+name)
	t.Cleanup(func() { s.Exec(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return s.address(name)
}

// Exec runs a statement as the server's administrator.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Stop ends the server, with all connections to it.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	fmt.Fprintln(s.alive, "keep") // fails when it has stopped already
	s.alive.Close()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		t.Error("PostgreSQL does not stop")
	}
}

// Start starts a server again that was stopped, with all it knew.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}
