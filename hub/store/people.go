package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Person is an account as it is kept; package people knows what it means.
type Person struct {
	ID              string // UUIDv7
	Email           string // in small letters
	Name            string
	Role            string
	Created         time.Time
	Disabled        time.Time // zero while the account may be used
	Seen            time.Time // the last sign-in; zero: none
	Hash            string    // of the password; empty: there is none
	Secret          []byte    // of one-time codes, sealed; empty: no second factor
	Issuer, Subject string    // of single sign-on; empty: not linked
}

const personColumns = `id, email, name, role, created, disabled, seen, hash, secret, issuer, subject`

func scanPerson(row scanner) (Person, error) {
	var p Person
	var created, disabled, seen int64
	err := row.Scan(&p.ID, &p.Email, &p.Name, &p.Role, &created, &disabled, &seen, &p.Hash, &p.Secret, &p.Issuer, &p.Subject)
	p.Created, p.Disabled, p.Seen = at(created), at(disabled), at(seen)
	return p, err
}

// CreatePerson keeps a new account. Errors: ErrExists for an address, or a
// subject of single sign-on, that has one.
func (s *Store) CreatePerson(ctx context.Context, p Person) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) { return nil, insertPerson(ctx, tx, p) })
}

func insertPerson(ctx context.Context, tx *sql.Tx, p Person) error {
	n, err := affected(tx.ExecContext(ctx, `INSERT INTO person (`+personColumns+`, step)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0) ON CONFLICT DO NOTHING`,
		p.ID, p.Email, p.Name, p.Role, ms(p.Created), ms(p.Disabled), ms(p.Seen), p.Hash, blob(p.Secret), p.Issuer, p.Subject))
	if err == nil && n == 0 {
		err = ErrExists
	}
	return err
}

// blob is never NULL.
func blob(b []byte) []byte { return append([]byte{}, b...) }

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Person returns an account. Errors: ErrNotFound.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	return s.person(ctx, `id = $1`, id)
}

// PersonByEmail returns the account with an address in small letters. Errors: ErrNotFound.
func (s *Store) PersonByEmail(ctx context.Context, email string) (Person, error) {
	return s.person(ctx, `email = $1`, email)
}

// PersonBySubject returns the account of somebody whom a provider of single
// sign-on knows. Errors: ErrNotFound.
func (s *Store) PersonBySubject(ctx context.Context, issuer, subject string) (Person, error) {
	return s.person(ctx, `issuer = $1 AND subject = $2 AND subject <> ''`, issuer, subject)
}

func (s *Store) person(ctx context.Context, where string, args ...any) (Person, error) {
	p, err := one(ctx, s.read, scanPerson, `SELECT `+personColumns+` FROM person WHERE `+where, args...)
	return p, s.explain(err)
}

// Persons lists all accounts by name.
func (s *Store) Persons(ctx context.Context) ([]Person, error) {
	list, err := all(ctx, s.read, scanPerson, `SELECT `+personColumns+` FROM person ORDER BY LOWER(name), id`)
	return list, s.explain(err)
}

// ChangePerson changes an account in one go: do gets it as it is, with how many
// other accounts of a role can sign in, and changes it. Nothing is kept when do
// fails, and do may be called again when others were in the way. Errors:
// ErrNotFound; ErrExists for an address or subject that another has.
func (s *Store) ChangePerson(ctx context.Context, id, role string, do func(p *Person, others int) error) (Person, error) {
	var p Person
	err := s.change(ctx, func(tx *sql.Tx) (_ []Event, err error) {
		if p, err = one(ctx, tx, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, id); err != nil {
			return nil, err
		}
		others, err := othersOf(ctx, tx, role, id)
		if err != nil {
			return nil, err
		}
		if err := do(&p, others); err != nil {
			return nil, err
		}
		return nil, updatePerson(ctx, tx, p)
	})
	return p, err
}

// othersOf counts who else has a role and a way to sign in.
func othersOf(ctx context.Context, tx *sql.Tx, role, id string) (int, error) {
	return one(ctx, tx, scanOne[int], `SELECT COUNT(*) FROM person
		WHERE role = $1 AND id <> $2 AND disabled = 0 AND (hash <> '' OR subject <> '')`, role, id)
}

func updatePerson(ctx context.Context, tx *sql.Tx, p Person) error {
	taken, err := one(ctx, tx, scanOne[int], `SELECT COUNT(*) FROM person
		WHERE id <> $1 AND (email = $2 OR subject <> '' AND issuer = $3 AND subject = $4)`, p.ID, p.Email, p.Issuer, p.Subject)
	if err != nil {
		return err
	}
	if taken > 0 {
		return ErrExists
	}
	_, err = tx.ExecContext(ctx, `UPDATE person SET email = $1, name = $2, role = $3, disabled = $4, seen = $5,
		hash = $6, secret = $7, issuer = $8, subject = $9 WHERE id = $10`,
		p.Email, p.Name, p.Role, ms(p.Disabled), ms(p.Seen), p.Hash, blob(p.Secret), p.Issuer, p.Subject, p.ID)
	return err
}

// RemovePerson takes an account away, with its sessions, links and calendar
// feed, if allow agrees: it is told as ChangePerson's do is. Errors: ErrNotFound.
func (s *Store) RemovePerson(ctx context.Context, id, role string, allow func(p Person, others int) error) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		p, err := one(ctx, tx, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, id)
		if err != nil {
			return nil, err
		}
		others, err := othersOf(ctx, tx, role, id)
		if err != nil {
			return nil, err
		}
		if err := allow(p, others); err != nil {
			return nil, err
		}
		if err := dropAccess(ctx, tx, "person", id); err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM person WHERE id = $1`, id)
		return nil, err
	})
}

// Link lets somebody in once, to choose a password.
type Link struct {
	Hash    []byte // SHA-256 of its token
	Person  string // empty: it makes the first administrator
	Expires time.Time
}

func scanLink(row scanner) (Link, error) {
	var l Link
	var person sql.NullString
	var expires int64
	err := row.Scan(&l.Hash, &person, &expires)
	l.Person, l.Expires = person.String, at(expires)
	return l, err
}

// PutLink keeps a link. A person's earlier links are worthless from then on.
// Errors: ErrExists for a first administrator's where there are persons already.
func (s *Store) PutLink(ctx context.Context, l Link) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if l.Person == "" {
			if err := nobodyYet(ctx, tx); err != nil {
				return nil, err
			}
		} else if _, err := tx.ExecContext(ctx, `DELETE FROM link WHERE person = $1`, l.Person); err != nil {
			return nil, err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO link (hash, person, expires) VALUES ($1, $2, $3)`,
			l.Hash, nullable(l.Person), ms(l.Expires))
		return nil, err
	})
}

func nobodyYet(ctx context.Context, tx *sql.Tx) error {
	n, err := one(ctx, tx, scanOne[int], `SELECT COUNT(*) FROM person`)
	if err == nil && n > 0 {
		err = ErrExists
	}
	return err
}

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

const linkQuery = `SELECT hash, person, expires FROM link WHERE hash = $1 AND expires > $2`

// Link returns a link that still opens at now. Errors: ErrNotFound.
func (s *Store) Link(ctx context.Context, hash []byte, now time.Time) (Link, error) {
	l, err := one(ctx, s.read, scanLink, linkQuery, hash, ms(now))
	return l, s.explain(err)
}

// UseLink uses a link up, and with it changes its person as do says; a first
// administrator's link makes what do fills in. All the person's links and
// sessions end. Errors: ErrNotFound for a link that is unknown, used or
// expired; ErrExists for an address that has an account.
func (s *Store) UseLink(ctx context.Context, hash []byte, now time.Time, do func(p *Person) error) (Person, error) {
	var p Person
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		l, err := one(ctx, tx, scanLink, linkQuery, hash, ms(now))
		if err != nil {
			return nil, err
		}
		if l.Person == "" {
			p, err = firstPerson(ctx, tx, do)
		} else {
			p, err = linkedPerson(ctx, tx, l.Person, do)
		}
		return nil, err
	})
	return p, err
}

func firstPerson(ctx context.Context, tx *sql.Tx, do func(p *Person) error) (p Person, err error) {
	if err := nobodyYet(ctx, tx); err != nil {
		return p, ErrNotFound // the link came too late
	}
	if err := do(&p); err != nil {
		return p, err
	}
	if err := insertPerson(ctx, tx, p); err != nil {
		return p, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM link WHERE person IS NULL`)
	return p, err
}

func linkedPerson(ctx context.Context, tx *sql.Tx, id string, do func(p *Person) error) (p Person, err error) {
	if p, err = one(ctx, tx, scanPerson, `SELECT `+personColumns+` FROM person WHERE id = $1`, id); err != nil {
		return p, err
	}
	if err := do(&p); err != nil {
		return p, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM link WHERE person = $1`, id)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM session WHERE person = $1`, id)
	}
	return p, errors.Join(err, updatePerson(ctx, tx, p))
}

// Invited lists the persons who have a link that still opens at now, and until when.
func (s *Store) Invited(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	links, err := all(ctx, s.read, scanLink, `SELECT hash, person, expires FROM link
		WHERE person IS NOT NULL AND expires > $1`, ms(now))
	until := map[string]time.Time{}
	for _, l := range links {
		until[l.Person] = l.Expires
	}
	return until, s.explain(err)
}
