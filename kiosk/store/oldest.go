package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/pressly/goose/v3"
)

// oldestSetting is the schema that a program must know at least to use the file.
// The migrations keep it. A borne that goes back to the program before, which
// knows fewer migrations, goes on with its file: a migration that such a program
// would trip over comes one release after the first program that doesn't.
const oldestSetting = "schema.oldest"

// ErrNewer says that the file was changed by a newer program in a way that this
// one would trip over.
var ErrNewer = errors.New("la base vient d’une version plus récente de Parvis")

// checkOldest refuses a file that this program, with its migrations, is too old for.
func (s *Store) checkOldest(ctx context.Context, migrations []*goose.Source) error {
	var oldest, known int64
	for _, m := range migrations {
		known = max(known, m.Version)
	}
	var there int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'setting'`).Scan(&there); err != nil || there == 0 {
		return err
	}
	err := s.db.QueryRowContext(ctx, `SELECT CAST(value AS INTEGER) FROM setting WHERE key = ?`, oldestSetting).Scan(&oldest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if oldest > known {
		return fmt.Errorf("%w, et celle-ci ne la lit pas (schéma %d, connu jusqu’à %d). Rien n’a été changé. "+
			"Installez la version la plus récente que cette borne a eue", ErrNewer, oldest, known)
	}
	return nil
}

// OpenReadOnly opens DIR/borne.sqlite to look at it: it makes and changes
// nothing, whatever its schema.
func OpenReadOnly(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("dossier de la borne : %w", err)
	}
	s := &Store{path: filepath.Join(dir, FileName)}
	s.db, err = sql.Open("sqlite3", "file:"+(&url.URL{Path: s.path}).EscapedPath()+"?mode=ro&_busy_timeout=2000")
	if err == nil {
		err = s.db.Ping()
	}
	if err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}
