// Package store is the borne's one SQLite file: its schema, the outbox of
// sealed callback requests, the anonymous counts, how the devices are and a few
// settings. Several processes may have it open at once; each may die at any
// moment without harm to it.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// FileName is the name of the database inside the borne's folder.
const FileName = "borne.sqlite"

// pragmas are set on every connection. A commit is on the disk when it
// returns, deleted bytes are overwritten, and nobody waits over two seconds
// for another process: a resident is standing in front of the screen.
const pragmas = "_busy_timeout=2000&_journal_mode=WAL&_synchronous=FULL" +
	"&_secure_delete=on&_foreign_keys=on&_txlock=immediate"

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string
}

// Open opens DIR/borne.sqlite, making the folder (0700), the file (0600) and
// its tables where they are missing. Where the folder lets its group write, the
// file does too (0660): the application and the agent may be two users of one
// group. It never deletes or replaces anything: a damaged file is ErrCorrupt, and
// one that a newer program has changed too far ErrNewer.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("dossier de la borne : %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dossier de la borne : %w", classify(err))
	}
	s := &Store{path: filepath.Join(dir, FileName)}
	if err := s.open(dir); err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}

func (s *Store) open(dir string) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	// SQLite gives its log files the permissions of the database, so the
	// database is made here, with ours.
	if err := create(s.path); err != nil {
		return err
	}
	dsn := "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?" + pragmas
	s.db, err = sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	if err := s.prepare(dir); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// lock keeps two starting processes from migrating at once; the kernel drops
// it when its holder dies.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("flock %s: %w", dir, err), f.Close())
	}
	return func() { f.Close() }, nil
}

// prepare checks the outbox and brings the schema up to date.
func (s *Store) prepare(dir string) error {
	if err := share(dir, s.path); err != nil {
		return err
	}
	ctx := context.Background()
	if err := s.check(ctx); err != nil {
		return err
	}
	// Reading has made the log files. They last while the store is open.
	for _, log := range []string{"-wal", "-shm"} {
		if err := share(dir, s.path+log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return s.migrate(ctx, files)
}

// migrate brings the schema up to date. One that a newer program has made may
// stay, where that program says so.
func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	// Migrations of different packages may be written in any order.
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	if err := s.checkOldest(ctx, p.ListSources()); err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// check reads the tables that the rest stands on. The places can be imported
// again and are not read through at every start.
func (s *Store) check(ctx context.Context) error {
	for _, table := range []string{"goose_db_version", "callback"} {
		var there int
		err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = ?`, table).Scan(&there)
		if err != nil {
			return err
		}
		if there == 0 {
			continue
		}
		var verdict string
		err = s.db.QueryRowContext(ctx, fmt.Sprintf(`PRAGMA quick_check('%s')`, table)).Scan(&verdict)
		if err != nil {
			return err
		}
		if verdict != "ok" {
			return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
		}
	}
	return nil
}

// DB gives other packages of kiosk their tables in the same file.
func (s *Store) DB() *sql.DB { return s.db }

// Close folds the log into the file and closes it.
func (s *Store) Close() error { return s.db.Close() }

// What can go wrong with the borne's disk. IT reads these, hence French.
var (
	// ErrFull says that the disk takes no more bytes: full, over its quota, or
	// failing to write.
	ErrFull = errors.New("le disque est plein ou n’accepte plus d’écriture")
	// ErrLocked says that another process held the database for over two
	// seconds. Trying again later may succeed.
	ErrLocked = errors.New("la base est occupée par un autre programme")
	// ErrReadOnly says that the file or its file system may not be written by
	// this user.
	ErrReadOnly = errors.New("la base est en lecture seule ou appartient à un autre utilisateur")
	// ErrCorrupt says that the file is not a sound SQLite database.
	ErrCorrupt = errors.New("la base est abîmée")
)

// explain names the file and, where somebody has to act, says what to do.
func (s *Store) explain(err error) error {
	err = classify(err)
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s : %w. Rien n’a été effacé. Arrêtez la borne, mettez de côté ce fichier et ceux "+
			"qui commencent par le même nom (ils contiennent peut-être des demandes de rappel), "+
			"puis relancez : une base neuve sera créée", s.path, err)
	}
	return fmt.Errorf("%s : %w", s.path, err)
}

// classify puts one of this package's errors in front of what SQLite or the
// system said.
func classify(err error) error {
	for _, known := range []error{ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt} {
		if errors.Is(err, known) {
			return err
		}
	}
	kind := systemKind(err)
	var e sqlite3.Error
	if kind == nil && errors.As(err, &e) {
		kind = sqliteKind(e)
	}
	if kind == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", kind, err)
}

func systemKind(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ErrFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return ErrReadOnly
	}
	return nil
}

func sqliteKind(e sqlite3.Error) error {
	if kind := systemKind(e.SystemErrno); kind != nil {
		return kind
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr:
		return ErrFull
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return ErrLocked
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return ErrReadOnly
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return ErrCorrupt
	}
	return nil
}
