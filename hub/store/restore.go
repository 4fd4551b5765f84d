package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	"filippo.io/age"
	"github.com/fxamacker/cbor/v2"
)

// Errors of Restore that callers tell apart.
var (
	// ErrNotEmpty says that the database holds something already.
	ErrNotEmpty = errors.New("la base contient déjà des données : restaurez dans une base neuve")
	// ErrBackup says that a backup is cut, altered, or none.
	ErrBackup = errors.New("la sauvegarde est incomplète, abîmée, ou n’en est pas une : rien n’a été restauré")
	// ErrBackupKey says that a backup is sealed to another key.
	ErrBackupKey = errors.New("la sauvegarde est chiffrée pour une autre clé : il faut le fichier de clé du hub qui l’a faite")
	// ErrNoKeys says that a backup holds requests to be called back, and that
	// their keys are not there.
	ErrNoKeys = errors.New("la sauvegarde contient des demandes de rappel, mais le fichier de leurs clés manque")
)

// Source is what a database is restored from.
type Source struct {
	Backup     io.Reader
	Keys       io.Reader // what BackupKeys wrote last; nil: it is not there
	Identities []age.Identity
	// Keyless leaves out, where Keys is nil, the requests that need one.
	Keyless bool
}

// Restore fills an empty database from a backup of either kind of database,
// wholly or not at all. A backup of an older Parvis is brought up to date.
// Requests to be called back that have no key any more are left out: they were
// deleted since, and lost says how many. Errors: ErrNotEmpty, ErrBackup,
// ErrBackupKey, ErrNoKeys, ErrNewer.
func (s *Store) Restore(ctx context.Context, src Source) (lost int, err error) {
	from, err := openBackup(src.Backup, src.Identities)
	if err != nil {
		return 0, err
	}
	var keys *opened
	if src.Keys != nil {
		if keys, err = openBackup(src.Keys, src.Identities); err != nil {
			return 0, fmt.Errorf("clés des rappels : %w", err)
		}
	}
	if err := s.mustBeEmpty(ctx); err != nil {
		return 0, s.explain(err)
	}
	p, err := s.migrator()
	if err != nil {
		return 0, s.explain(err)
	}
	if err := checkKnown(p, from.head.Versions); err != nil {
		return 0, err
	}
	if err := s.schemaOf(ctx, from.head.Versions); err != nil {
		return 0, s.explain(err)
	}
	// One try: the backup is read once.
	err = s.tryChange(ctx, sql.LevelDefault, func(tx *sql.Tx) ([]Event, error) {
		if err := s.restore(ctx, tx, from); err != nil {
			return nil, err
		}
		if lost, err = s.restoreKeys(ctx, tx, keys); lost > 0 && keys == nil && !src.Keyless {
			return nil, fmt.Errorf("%w (%d)", ErrNoKeys, lost)
		}
		return []Event{{}}, err
	})
	errUp := s.up(ctx, p) // also after a failure: the database goes on empty, and up to date
	if errors.Is(err, ErrBackup) || errors.Is(err, ErrNoKeys) {
		return 0, err
	}
	return lost, s.explain(errors.Join(err, errUp))
}

// restoreKeys gives requests their keys back, and removes those that have none:
// they were deleted after the backup was made.
func (s *Store) restoreKeys(ctx context.Context, tx *sql.Tx, keys *opened) (lost int, err error) {
	tables, err := s.tables(ctx, tx)
	if err != nil || !slices.Contains(tables, keyTable) { // of before there were keys
		return 0, err
	}
	if keys != nil {
		if err := s.restore(ctx, tx, keys); err != nil {
			return 0, fmt.Errorf("clés des rappels : %w", err)
		}
	}
	const dead = ` FROM callback WHERE state <> 'raw' AND id NOT IN (SELECT id FROM callback_key)`
	if lost, err = one(ctx, tx, scanOne[int], `SELECT count(*)`+dead); err != nil {
		return 0, err
	}
	for _, statement := range []string{
		`DELETE FROM callback_step WHERE callback IN (SELECT id` + dead + `)`,
		`DELETE` + dead,
		`DELETE FROM callback_key WHERE id NOT IN (SELECT id FROM callback)`, // came after the backup
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	return lost, nil
}

// signed reads numbers as the databases have them.
var signed, _ = cbor.DecOptions{IntDec: cbor.IntDecConvertSignedOrFail}.DecMode() // fails for unknown options only

// opened is a backup that is being read.
type opened struct {
	head backupHead
	in   *cbor.Decoder
	sum  hash.Hash // of all items before the last
}

func openBackup(r io.Reader, identities []age.Identity) (*opened, error) {
	sealed, err := age.Decrypt(r, identities...)
	var wrongKey *age.NoIdentityMatchError
	if errors.As(err, &wrongKey) {
		return nil, ErrBackupKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrBackup, err)
	}
	packed, err := gzip.NewReader(bufio.NewReaderSize(sealed, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrBackup, err)
	}
	from := &opened{in: cbor.NewDecoder(packed), sum: sha256.New()}
	if err := from.next(&from.head); err != nil {
		return nil, err
	}
	if from.head.Format != backupFormat {
		return nil, fmt.Errorf("%w : format %d", ErrNewer, from.head.Format)
	}
	return from, nil
}

// next reads one item and adds it to the sum, unless it is the end.
func (o *opened) next(into any) error {
	var raw cbor.RawMessage
	err := o.in.Decode(&raw)
	if err == nil {
		err = signed.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrBackup, err)
	}
	if part, ok := into.(*backupPart); !ok || part.End == nil {
		o.sum.Write(raw)
	}
	return nil
}

// mustBeEmpty refuses a database in which somebody has kept anything.
func (s *Store) mustBeEmpty(ctx context.Context) error {
	tables, err := s.tablesInOrder(ctx, s.db)
	if err != nil {
		return err
	}
	for _, table := range tables {
		n, err := one(ctx, s.db, scanOne[int64], `SELECT count(*) FROM (SELECT 1 FROM `+quote(table)+` LIMIT 1) AS found`)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%w (table %s)", ErrNotEmpty, table)
		}
	}
	return nil
}

// schemaOf makes the schema of an empty database that of a backup, so that the
// migrations that the backup has not seen are made on its rows.
func (s *Store) schemaOf(ctx context.Context, versions []int64) error {
	made, err := s.versions(ctx, s.db)
	if err != nil || slices.Equal(made, versions) {
		return err
	}
	tables, err := s.tablesInOrder(ctx, s.db)
	if err != nil {
		return err
	}
	slices.Reverse(tables) // what refers goes before what is referred to
	for _, table := range append(tables, versionTable) {
		if _, err := s.db.ExecContext(ctx, `DROP TABLE `+quote(table)); err != nil {
			return err
		}
	}
	p, err := s.migrator()
	if err != nil {
		return err
	}
	for _, version := range versions {
		if _, err := p.ApplyVersion(ctx, version, true); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) restore(ctx context.Context, tx *sql.Tx, from *opened) error {
	tables, err := s.tables(ctx, tx)
	if err != nil {
		return err
	}
	counts := make(map[string]int64)
	for {
		var part backupPart
		if err := from.next(&part); err != nil {
			return err
		}
		if part.End != nil {
			return from.check(part.End, counts)
		}
		if !slices.Contains(tables, part.Table) || part.Table == versionTable {
			return fmt.Errorf("%w (table inconnue)", ErrBackup)
		}
		if err := restorePart(ctx, tx, part); err != nil {
			return fmt.Errorf("table %s : %w", part.Table, err)
		}
		counts[part.Table] += int64(len(part.Rows))
	}
}

func restorePart(ctx context.Context, tx *sql.Tx, part backupPart) error {
	known, err := columns(ctx, tx, part.Table)
	if err != nil {
		return err
	}
	head := `INSERT INTO ` + quote(part.Table) + ` (`
	for i, column := range part.Columns {
		if !slices.Contains(known, column) {
			return fmt.Errorf("%w (colonne inconnue)", ErrBackup)
		}
		if i > 0 {
			head += ", "
		}
		head += quote(column)
	}
	for _, row := range part.Rows {
		if len(row) != len(part.Columns) {
			return fmt.Errorf("%w (ligne de %d valeurs au lieu de %d)", ErrBackup, len(row), len(part.Columns))
		}
	}
	return putRows(ctx, tx, head+`) VALUES`, ``, part.Rows)
}

func columns(ctx context.Context, db queryer, table string) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM `+quote(table)+` LIMIT 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// check makes sure that all was there that was written, and nothing else.
func (o *opened) check(end *backupEnd, counts map[string]int64) error {
	if !maps.Equal(end.Rows, counts) {
		return fmt.Errorf("%w (nombre de lignes)", ErrBackup)
	}
	if !bytes.Equal(end.Sum, o.sum.Sum(nil)) {
		return fmt.Errorf("%w (somme de contrôle)", ErrBackup)
	}
	var more cbor.RawMessage
	if err := o.in.Decode(&more); !errors.Is(err, io.EOF) { // reads to the end, and so checks its seal
		return fmt.Errorf("%w (suite inattendue)", ErrBackup)
	}
	return nil
}
