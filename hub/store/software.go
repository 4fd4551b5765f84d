package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Software is a Debian package that the hub offers, or has offered.
type Software struct {
	Package      string
	Version      string
	Architecture string
	SHA256       string // of the .deb, in hexadecimal: see File
	Size         int64  // bytes
	Control      string // the control file inside
	Added        time.Time
	Removed      time.Time // zero while it is offered
}

// PutSoftware offers a package whose file PutFile has kept. What is offered
// already stays as it is; what was removed is offered again. Errors: ErrExists
// where the version has, or had, another file.
func (s *Store) PutSoftware(ctx context.Context, p Software) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		before, err := one(ctx, tx, scanSoftware, `SELECT `+softwareColumns+` FROM software
			WHERE package = $1 AND version = $2 AND architecture = $3`, p.Package, p.Version, p.Architecture)
		switch {
		case errors.Is(err, ErrNotFound):
			_, err = tx.ExecContext(ctx, `INSERT INTO software (`+softwareColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				p.Package, p.Version, p.Architecture, p.SHA256, p.Size, p.Control, ms(p.Added), ms(time.Time{}))
		case err != nil:
		case before.SHA256 != p.SHA256:
			err = fmt.Errorf("%s %s (%s) : %w, avec un autre contenu", p.Package, p.Version, p.Architecture, ErrExists)
		case !before.Removed.IsZero():
			_, err = tx.ExecContext(ctx, `UPDATE software SET added = $1, removed = $2
				WHERE package = $3 AND version = $4 AND architecture = $5`,
				ms(p.Added), ms(time.Time{}), p.Package, p.Version, p.Architecture)
		}
		return nil, err
	})
}

// RemoveSoftware stops offering a version of a package for every architecture,
// and then removes its files. Errors: ErrNotFound where none is offered.
func (s *Store) RemoveSoftware(ctx context.Context, name, version string, now time.Time) error {
	var sums []string
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		var err error
		sums, err = all(ctx, tx, scanOne[string], `SELECT sha256 FROM software WHERE package = $1 AND version = $2 AND removed = 0`, name, version)
		if err == nil && len(sums) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE software SET removed = $1 WHERE package = $2 AND version = $3 AND removed = 0`, ms(now), name, version)
		return nil, err
	})
	if err != nil {
		return err
	}
	return s.RemoveFiles(ctx, sums...)
}

// Softwares lists the packages that are offered and those that were, by
// package, the one added last first.
func (s *Store) Softwares(ctx context.Context) ([]Software, error) {
	found, err := all(ctx, s.read, scanSoftware, `SELECT `+softwareColumns+` FROM software
		ORDER BY package, added DESC, version DESC, architecture`)
	return found, s.explain(err)
}

const softwareColumns = `package, version, architecture, sha256, size, control, added, removed`

func scanSoftware(row scanner) (p Software, err error) {
	var added, removed int64
	err = row.Scan(&p.Package, &p.Version, &p.Architecture, &p.SHA256, &p.Size, &p.Control, &added, &removed)
	p.Added, p.Removed = at(added), at(removed)
	return p, err
}
