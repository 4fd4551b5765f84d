package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// AuditLine is one thing that somebody did or saw.
type AuditLine struct {
	ID      string // UUIDv7: in order of time
	At      time.Time
	Person  string // empty: nobody who is known
	Name    string // as it was then
	Action  string
	Borne   string
	Object  string
	Detail  string // JSON
	Address string
}

// AuditFilter says which lines are wanted; what is empty is not asked for.
type AuditFilter struct {
	Person, Action, Borne string
	From, To              time.Time // To is not included
	Before                string    // only lines older than the one with this ID
	Limit                 int       // 0: all
}

const auditColumns = `id, at, person, name, action, borne, object, detail, address`

func scanAudit(row scanner) (AuditLine, error) {
	var l AuditLine
	var when int64
	err := row.Scan(&l.ID, &when, &l.Person, &l.Name, &l.Action, &l.Borne, &l.Object, &l.Detail, &l.Address)
	l.At = at(when)
	return l, err
}

// PutAudit adds a line to the audit log. Lines are never changed.
func (s *Store) PutAudit(ctx context.Context, l AuditLine) error {
	return s.changeAt(ctx, sql.LevelReadCommitted, func(tx *sql.Tx) ([]Event, error) {
		return nil, putAudit(ctx, tx, l)
	})
}

func putAudit(ctx context.Context, tx *sql.Tx, l AuditLine) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		l.ID, ms(l.At), l.Person, text(l.Name), l.Action, text(l.Borne), text(l.Object), l.Detail, text(l.Address))
	return err
}

// Audit lists lines of the audit log, newest first.
func (s *Store) Audit(ctx context.Context, f AuditFilter) ([]AuditLine, error) {
	var where []string
	var args []any
	ask := func(condition string, value any) {
		args = append(args, value)
		where = append(where, condition+" "+placeholder(len(args)))
	}
	for _, c := range []struct{ condition, value string }{
		{"person =", f.Person}, {"action =", f.Action}, {"borne =", f.Borne}, {"id <", f.Before},
	} {
		if c.value != "" {
			ask(c.condition, c.value)
		}
	}
	if !f.From.IsZero() {
		ask("at >=", ms(f.From))
	}
	if !f.To.IsZero() {
		ask("at <", ms(f.To))
	}
	query := `SELECT ` + auditColumns + ` FROM audit`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	query += ` ORDER BY id DESC`
	if f.Limit > 0 {
		query += fmt.Sprintf(` LIMIT %d`, f.Limit)
	}
	lines, err := all(ctx, s.read, scanAudit, query, args...)
	return lines, s.explain(err)
}

// AuditPeople lists who has lines in the audit log: ID and last name.
func (s *Store) AuditPeople(ctx context.Context) (map[string]string, error) {
	type pair struct{ id, name string }
	pairs, err := all(ctx, s.read, func(row scanner) (p pair, err error) { return p, row.Scan(&p.id, &p.name) },
		`SELECT person, MAX(name) FROM audit WHERE person <> '' GROUP BY person`)
	names := map[string]string{}
	for _, p := range pairs {
		names[p.id] = p.name
	}
	return names, s.explain(err)
}
