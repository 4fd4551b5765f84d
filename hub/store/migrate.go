package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose notes which migrations were made.
const versionTable = "goose_db_version"

// migrate brings the schema up to date. Of several hubs that start at once on
// one database, one does it and the others wait.
func (s *Store) migrate(ctx context.Context) error {
	p, err := s.migrator()
	if err != nil {
		return err
	}
	if !s.pg {
		unlock, err := lockFolder(s.place)
		if err != nil {
			return err
		}
		defer unlock()
	}
	if err := s.checkNewer(ctx, p); err != nil {
		return err
	}
	if err := s.up(ctx, p); err != nil {
		return err
	}
	return s.checkNewer(ctx, p) // a newer hub may have been the one that was waited for
}

func (s *Store) up(ctx context.Context, p *goose.Provider) error {
	if _, err := p.Up(ctx); err != nil || !s.pg {
		return err
	}
	return s.keepUnsampled(ctx)
}

func (s *Store) migrator() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true), // migrations of different parts may be written in any order
	}
	dialect := goose.DialectSQLite3
	if s.pg {
		dialect = goose.DialectPostgres
		session, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // once a second, five minutes long
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(session))
	}
	return goose.NewProvider(dialect, s.db, files, options...)
}

// checkNewer refuses a database that a newer program has changed.
func (s *Store) checkNewer(ctx context.Context, p *goose.Provider) error {
	made, err := s.versions(ctx, s.db)
	if err != nil {
		return err
	}
	return checkKnown(p, made)
}

// checkKnown refuses versions that this program has no migration for.
func checkKnown(p *goose.Provider, made []int64) error {
	for _, version := range made {
		known := slices.ContainsFunc(p.ListSources(), func(source *goose.Source) bool { return source.Version == version })
		if !known {
			return fmt.Errorf("%w (schéma %d) : installez cette version ou une plus récente", ErrNewer, version)
		}
	}
	return nil
}

// versions lists the migrations that were made, in the order of their numbers.
func (s *Store) versions(ctx context.Context, db queryer) ([]int64, error) {
	tables, err := s.tables(ctx, db)
	if err != nil || !slices.Contains(tables, versionTable) {
		return nil, err
	}
	return all(ctx, db, scanOne[int64], `SELECT version_id FROM goose_db_version
		WHERE is_applied AND version_id > 0 ORDER BY version_id`)
}

// tables lists all tables, goose's own included, by name.
func (s *Store) tables(ctx context.Context, db queryer) ([]string, error) {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`
	if s.pg {
		query = `SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`
	}
	names, err := all(ctx, db, scanOne[string], query)
	slices.Sort(names) // servers sort by their own language
	return names, err
}
