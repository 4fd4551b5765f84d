// Package store keeps what the hub knows, in SQLite for a city or PostgreSQL
// for a country. One schema and one text of SQL serve both: placeholders are
// $1, $2 … first named in that order, times are milliseconds since 1970, UTC,
// and every key is made by the program.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Store is an open database. It is safe for concurrent use, and any number of
// hubs may have the same PostgreSQL open.
type Store struct {
	db    *sql.DB // what writes goes here; on SQLite one connection
	read  *sql.DB // what only reads; on PostgreSQL the same as db
	pg    bool
	place string // of the database, for people: never with a password
	bus   *bus
	stop  func() // ends what tells the bus of other processes' events

	config *pgx.ConnConfig // of PostgreSQL, for the connection that listens
}

// Errors that callers act on.
var (
	ErrNotFound = errors.New("introuvable")
	ErrExists   = errors.New("existe déjà")
	ErrNewer    = errors.New("la base vient d’une version plus récente de Parvis")
)

// Open opens a database: "postgres://…", or the path of an SQLite file, which
// is made (0600) with its folder (0700) where it is missing. The schema is
// brought up to date; a newer one than this program knows is ErrNewer.
func Open(ctx context.Context, database string) (*Store, error) {
	s, err := connect(ctx, database)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(s.explain(err), s.Close())
	}
	if err := s.listen(ctx); err != nil {
		return nil, errors.Join(s.explain(err), s.Close())
	}
	return s, nil
}

// connect opens a database as it is, whatever its schema.
func connect(ctx context.Context, database string) (*Store, error) {
	s := &Store{bus: newBus(), stop: func() {}}
	switch {
	case database == "":
		return nil, errors.New("base de données : ni adresse « postgres://… » ni chemin d’un fichier")
	case strings.HasPrefix(database, "postgres://"), strings.HasPrefix(database, "postgresql://"):
		return s, s.openPostgres(ctx, database)
	case strings.Contains(database, "://"):
		scheme, _, _ := strings.Cut(database, "://")
		return nil, fmt.Errorf("base de données : « %s:// » n’est pas connu ; donnez « postgres://… » ou le chemin d’un fichier", scheme)
	}
	return s, s.openSQLite(ctx, database)
}

// listen begins to pass on the events of other processes.
func (s *Store) listen(ctx context.Context) error {
	if s.pg {
		return s.listenPostgres(ctx)
	}
	return s.watchFile(ctx)
}

// Close ends all use of the database, and closes the channels of Watch.
func (s *Store) Close() error {
	s.stop()
	s.bus.close()
	var err error
	if s.read != nil && s.read != s.db {
		err = s.read.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.explain(s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
}

// explain names the database and, where somebody has to act, says what to do.
// It never repeats a password, and leaves errors that callers act on as they are.
func (s *Store) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrExists):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && serverTrouble(err) == "":
		return err
	}
	what := fileTrouble(err)
	if s.pg {
		what = serverTrouble(err)
	}
	if what == "" {
		return fmt.Errorf("%s : %w", s.place, err)
	}
	return fmt.Errorf("%s : %s (%w)", s.place, what, err)
}
