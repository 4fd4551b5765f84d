package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Errand is a command of the hub that this borne has heard, until the hub has
// been told what became of it. The agent writes them and does most; the
// application does those that need the screen, the printer or the sound. Times
// are by the machine's own clock, right or wrong, and kept to the millisecond.
type Errand struct {
	ID       uuid.UUID
	Kind     string // of link.CommandKind
	Args     string // link.Args as JSON
	Created  time.Time
	Expires  time.Time // after that nobody wants it any more; zero: never
	ForApp   bool
	Began    bool   // somebody has begun it: after a restart it is never begun again
	State    string // of link.OutcomeState; empty while it is not ended
	Why      string
	FileType string
	File     []byte
}

// ErrErrand says that an errand, or its outcome, can't be kept: without an
// identifier, not made of the program's own words, or too long.
var ErrErrand = errors.New("commande du hub refusée")

// ErrManyErrands says that so many errands are open that no other is kept: a
// hub gone mad must not fill the disk on which residents' requests lie.
var ErrManyErrands = errors.New("trop de commandes du hub en cours")

const (
	maxErrands    = 200 // that are not forgotten
	maxForgotten  = 5000
	maxArgsLength = 4 << 10
	maxWhyLength  = 300     // letters, as in link.Outcome
	maxFileLength = 4 << 20 // link.MaxFile
	// A command that the hub repeats is known for this long after its end.
	rememberErrands = 31 * 24 * time.Hour
)

// AddErrand keeps an errand; one that is there already stays as it is. fresh
// says that it was not there. Errors: ErrErrand, ErrManyErrands, ErrFull,
// ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) AddErrand(ctx context.Context, e Errand) (fresh bool, err error) {
	if err := e.check(); err != nil {
		return false, err
	}
	var expires int64
	if !e.Expires.IsZero() {
		expires = e.Expires.UnixMilli()
	}
	result, err := s.db.ExecContext(ctx, `INSERT INTO errand
		(id, kind, args, created, expires, for_app, began, state, why, file_type, file)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM errand WHERE forgotten IS NULL) < ?
		ON CONFLICT (id) DO NOTHING`,
		e.ID.String(), e.Kind, e.Args, e.Created.UnixMilli(), expires, e.ForApp, e.Began,
		e.State, cutWhy(e.Why), e.FileType, e.File, maxErrands)
	if err != nil {
		return false, s.explain(err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return n > 0, err
	}
	var there bool
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM errand WHERE id = ?`, e.ID.String()).Scan(&there)
	switch {
	case err != nil:
		return false, s.explain(err)
	case !there:
		return false, ErrManyErrands
	}
	return false, nil
}

func (e Errand) check() error {
	if e.ID == uuid.Nil {
		return fmt.Errorf("%w : sans identifiant", ErrErrand)
	}
	if err := checkWords(ErrErrand, e.Kind); err != nil {
		return err
	}
	if len(e.Args) > maxArgsLength || !utf8.ValidString(e.Args) {
		return fmt.Errorf("%w : précisions de %d octets, au plus %d", ErrErrand, len(e.Args), maxArgsLength)
	}
	if e.State == "" {
		return nil
	}
	return checkOutcome(e.State, e.File)
}

func checkOutcome(state string, file []byte) error {
	if err := checkWords(ErrErrand, state); err != nil {
		return err
	}
	if len(file) > maxFileLength {
		return fmt.Errorf("%w : fichier de %d octets, au plus %d", ErrErrand, len(file), maxFileLength)
	}
	return nil
}

// cutWhy keeps an explanation as long as the hub takes it.
func cutWhy(why string) string {
	runes := []rune(why)
	return string(runes[:min(len(runes), maxWhyLength)])
}

// errandColumns are what scan reads.
const errandColumns = `id, kind, args, created, expires, for_app, began, state, why, file_type, file`

func (e *Errand) scan(scan func(...any) error) error {
	var created, expires int64
	err := scan(&e.ID, &e.Kind, &e.Args, &created, &expires, &e.ForApp, &e.Began, &e.State, &e.Why, &e.FileType, &e.File)
	e.Created = time.UnixMilli(created).UTC()
	if expires != 0 {
		e.Expires = time.UnixMilli(expires).UTC()
	}
	return err
}

// BeginErrand gives the oldest errand for the application (or for the agent)
// that nobody has begun, and marks it as begun: it is given once. ok is false
// when there is none. Looking costs one read of an index, and waits for nobody
// who writes; whether the errand is still wanted is for the caller to judge.
func (s *Store) BeginErrand(ctx context.Context, forApp bool) (e Errand, ok bool, err error) {
	const oldest = ` FROM errand WHERE for_app = ? AND began = 0 AND state = '' AND forgotten IS NULL ORDER BY num LIMIT 1`
	var num int64
	err = s.db.QueryRowContext(ctx, `SELECT num`+oldest, forApp).Scan(&num)
	if errors.Is(err, sql.ErrNoRows) {
		return Errand{}, false, nil
	}
	if err != nil {
		return Errand{}, false, s.explain(err)
	}
	tx, err := s.db.BeginTx(ctx, nil) // keeps others from beginning the same one
	if err != nil {
		return Errand{}, false, s.explain(err)
	}
	defer tx.Rollback() // does nothing after Commit
	err = e.scan(tx.QueryRowContext(ctx, `SELECT `+errandColumns+oldest, forApp).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Errand{}, false, nil // another was faster
	}
	if err != nil {
		return Errand{}, false, s.explain(err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE errand SET began = 1 WHERE id = ?`, e.ID.String()); err != nil {
		return Errand{}, false, s.explain(err)
	}
	if err := tx.Commit(); err != nil {
		return Errand{}, false, s.explain(err)
	}
	e.Began = true
	return e, true, nil
}

// EndErrand notes what became of an errand. The first end stands: ending it
// again, or ending one that isn't there, changes nothing and is no error. A
// why of over 300 letters is cut. Errors: ErrErrand, for no state or a file
// over 4 MB, ErrFull, ErrLocked, ErrReadOnly, ErrCorrupt.
func (s *Store) EndErrand(ctx context.Context, id uuid.UUID, state, why, fileType string, file []byte) error {
	if err := checkOutcome(state, file); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, `UPDATE errand SET began = 1, state = ?, why = ?, file_type = ?, file = ?
		WHERE id = ? AND state = '' AND forgotten IS NULL`, state, cutWhy(why), fileType, file, id.String())
	if err != nil {
		return s.explain(err)
	}
	return nil
}

// Errands lists the errands that are not forgotten, in the order they were heard.
func (s *Store) Errands(ctx context.Context) ([]Errand, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+errandColumns+` FROM errand WHERE forgotten IS NULL ORDER BY num`)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []Errand
	for rows.Next() {
		var e Errand
		if err := e.scan(rows.Scan); err != nil {
			return nil, s.explain(err)
		}
		all = append(all, e)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// ForgetErrand keeps of an errand only that it was done, so that hearing it
// again changes nothing; its file is overwritten, on the disk too. Of those done
// the last thousands of a month are known.
func (s *Store) ForgetErrand(ctx context.Context, id uuid.UUID, at time.Time) error {
	if err := s.forgetErrand(ctx, id, at); err != nil {
		return s.explain(err)
	}
	// What it held may stand in the log too. A reader that holds the log is no
	// reason to fail: the next one empties it.
	if err := s.emptyLog(ctx); err != nil && !errors.Is(err, ErrLocked) {
		return err
	}
	return nil
}

func (s *Store) forgetErrand(ctx context.Context, id uuid.UUID, at time.Time) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	_, err = tx.ExecContext(ctx, `UPDATE errand SET kind = '', args = '', why = '', file_type = '', file = NULL, forgotten = ?
		WHERE id = ? AND forgotten IS NULL`, at.UnixMilli(), id.String())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM errand WHERE forgotten < ?
		OR forgotten IS NOT NULL AND num <= (SELECT max(num) FROM errand) - ?`,
		at.Add(-rememberErrands).UnixMilli(), maxForgotten)
	if err != nil {
		return err
	}
	return tx.Commit()
}
