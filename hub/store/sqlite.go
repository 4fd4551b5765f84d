package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// pragmas are set on every connection. A commit is on the disk when it
// returns, deleted bytes are overwritten, and another process (a backup, a
// command of IT's) is waited for.
const pragmas = "_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL" +
	"&_secure_delete=on&_foreign_keys=on&_stmt_cache_size=128"

// openSQLite opens one connection that writes and a few that read: writers
// then queue in this program, fairly, instead of knocking at a locked file.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("base de données : %w", err)
	}
	s.place = path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return s.explain(err)
	}
	// SQLite gives its log files the permissions of the database, so the
	// database is made here, with ours.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return s.explain(err)
	}
	if err := f.Close(); err != nil {
		return s.explain(err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
	if s.db, err = sql.Open("sqlite3", dsn+"&_txlock=immediate"); err != nil {
		return s.explain(err)
	}
	s.db.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite3", dsn+"&_query_only=on"); err != nil {
		return errors.Join(s.explain(err), s.Close())
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	// The writer first: it is the one that may turn the file into a WAL one.
	for _, db := range []*sql.DB{s.db, s.read} {
		if err := db.PingContext(ctx); err != nil {
			return errors.Join(s.explain(err), s.Close())
		}
	}
	return nil
}

// lockFolder keeps two starting processes from migrating at once; the kernel
// drops the lock when its holder dies.
func lockFolder(path string) (unlock func() error, err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("flock %s: %w", dir.Name(), err), dir.Close())
	}
	return dir.Close, nil
}

// watchFile raises Event{} when another process has changed the file, as IT's
// commands do beside a hub that runs.
func (s *Store) watchFile(ctx context.Context) error {
	// The version is that of what others did: it stays with this connection's
	// own commits, and all of this process's go through this connection.
	version := func(ctx context.Context) (v int64, err error) {
		return v, s.db.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&v)
	}
	last, err := version(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if v, err := version(ctx); err == nil && v != last {
				last = v
				s.bus.publish(Event{})
			}
		}
	}()
	return nil
}

// What can go wrong with a file, for the words of explain.
func fileTrouble(err error) string {
	kind := systemTrouble(err)
	var e sqlite3.Error
	if kind == "" && errors.As(err, &e) {
		if kind = systemTrouble(e.SystemErrno); kind == "" {
			kind = sqliteTrouble(e)
		}
	}
	return kind
}

const (
	readOnly = "le fichier ou son dossier ne peut pas être écrit par cet utilisateur : vérifiez à qui il appartient"
	full     = "le disque est plein ou n’accepte plus d’écriture : faites de la place"
)

func systemTrouble(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return readOnly
	case errors.Is(err, syscall.EISDIR):
		return "c’est un dossier : donnez le chemin d’un fichier"
	}
	return ""
}

func sqliteTrouble(e sqlite3.Error) string {
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr:
		return full
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "la base est occupée par un autre programme depuis plus de dix secondes"
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
		return readOnly
	case sqlite3.ErrCorrupt:
		return "la base est abîmée : arrêtez le hub, mettez le fichier de côté et restaurez une sauvegarde (« parvis-hub restore »)"
	case sqlite3.ErrNotADB:
		return "ce fichier n’est pas une base de Parvis"
	}
	return ""
}
