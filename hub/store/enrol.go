package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// Token is a one-time code for enrolment, without its secret.
type Token struct {
	ID      string // UUIDv7
	Hash    []byte // SHA-256 of the secret
	Site    Site
	Borne   string // the ID that the borne will have
	By      string // who made it
	Created time.Time
	Expires time.Time
	Used    time.Time // zero: not yet
}

var borneID = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// CreateToken keeps a token; an empty Borne is filled with the next free ID of
// the site, such as "MN-01", and an empty ID with a new one; the token returned
// bears both. A borne that exists may be enrolled anew: that revokes nothing
// until it is done. Errors: ErrNotFound for a site that isn't there, ErrExists
// for a token whose ID or hash is taken.
func (s *Store) CreateToken(ctx context.Context, t Token) (Token, error) {
	if t.Borne != "" && !borneID.MatchString(t.Borne) {
		return Token{}, fmt.Errorf("borne « %s » : un identifiant a au plus 32 lettres sans accent, chiffres et « - »", t.Borne)
	}
	if len(t.Hash) == 0 || !t.Expires.After(t.Created) {
		return Token{}, errors.New("code d’enrôlement sans empreinte, ou périmé d’avance")
	}
	if t.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return Token{}, err
		}
		t.ID = id.String()
	}
	wanted := t.Borne
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		var err error
		t.Site, err = one(ctx, tx, scanSite, `SELECT id, name, site_group, created FROM site WHERE id = $1`, t.Site.ID)
		if err != nil {
			return nil, err
		}
		if t.Borne = wanted; wanted == "" {
			if t.Borne, err = nextID(ctx, tx, t.Site, t.Created); err != nil {
				return nil, err
			}
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO token (id, hash, site, borne, person, created, expires, used, key_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) ON CONFLICT DO NOTHING`,
			t.ID, t.Hash, t.Site.ID, t.Borne, text(t.By), ms(t.Created), ms(t.Expires), []byte{})
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return nil, errors.Join(err, ErrExists)
		}
		return []Event{{Topic: Fleet}}, nil
	})
	if err != nil {
		return Token{}, err
	}
	return t, nil
}

// nextID is the first number of a site's letters above all that bornes and
// living tokens have. An ID that was revoked is not given again by itself.
func nextID(ctx context.Context, tx *sql.Tx, site Site, now time.Time) (string, error) {
	letters := initials(site) + "-"
	taken, err := all(ctx, tx, scanOne[string], `SELECT id FROM borne WHERE substr(id, 1, $1) = $2
		UNION SELECT borne FROM token WHERE substr(borne, 1, $1) = $2 AND used = 0 AND expires > $3`,
		len(letters), letters, ms(now))
	if err != nil {
		return "", err
	}
	last := 0
	for _, id := range taken {
		if n, err := strconv.Atoi(strings.TrimPrefix(id, letters)); err == nil {
			last = max(last, n)
		}
	}
	return fmt.Sprintf("%s%02d", letters, last+1), nil
}

// initials are the first letters of the great words of a site's name, "MN" for
// "Mairie de Neudorf", and otherwise the first two of its ID.
func initials(site Site) string {
	var letters []rune
	words := strings.FieldsFunc(site.Name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	for _, word := range words {
		first := []rune(norm.NFD.String(word))[0]
		if first >= 'A' && first <= 'Z' && len(letters) < 4 {
			letters = append(letters, first)
		}
	}
	if len(letters) < 2 {
		return strings.ToUpper(strings.Trim(site.ID[:min(2, len(site.ID))], "-"))
	}
	return string(letters)
}

const selectToken = `SELECT t.id, t.hash, t.borne, t.person, t.created, t.expires, t.used, s.id, s.name, s.site_group, s.created
	FROM token t JOIN site s ON s.id = t.site `

func scanToken(row scanner) (t Token, err error) {
	var created, expires, used, siteCreated int64
	err = row.Scan(&t.ID, &t.Hash, &t.Borne, &t.By, &created, &expires, &used, &t.Site.ID, &t.Site.Name, &t.Site.Group, &siteCreated)
	t.Created, t.Expires, t.Used, t.Site.Created = at(created), at(expires), at(used), at(siteCreated)
	return t, err
}

// Tokens lists the tokens that are neither used nor expired at now, newest first.
func (s *Store) Tokens(ctx context.Context, now time.Time) ([]Token, error) {
	tokens, err := all(ctx, s.read, scanToken, selectToken+`WHERE t.used = 0 AND t.expires > $1
		ORDER BY t.created DESC, t.id DESC`, ms(now))
	return tokens, s.explain(err)
}

// WithdrawToken makes a token worthless. Errors: ErrNotFound.
func (s *Store) WithdrawToken(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		return []Event{{Topic: Fleet}}, mustAffect(tx.ExecContext(ctx, `DELETE FROM token WHERE id = $1`, id))
	})
}

// mustAffect is ErrNotFound for a statement that found no row.
func mustAffect(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// Certificate is what the hub notes of one it has issued.
type Certificate struct {
	Serial string
	Ends   time.Time
}

// Enrol makes a borne from a token, once: the token's hash, the SHA-256 of the
// public key, the serial and end of the certificate. With the same key again,
// while the token lives, it gives the same borne and notes the new serial.
// A borne that is there already is from then on the machine with this key: the
// certificates from before are worthless, and a revoked one is trusted again.
// Errors: ErrNotFound: the token is unknown, used by another key, expired at
// now or withdrawn, or has been used and the borne has changed since.
func (s *Store) Enrol(ctx context.Context, hash, key []byte, cert Certificate, now time.Time) (Borne, error) {
	if len(key) == 0 || cert.Serial == "" {
		return Borne{}, errors.New("enrôlement sans clé ou sans certificat")
	}
	var enrolled Borne
	err := s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		t, err := one(ctx, tx, scanToken, selectToken+`WHERE t.hash = $1 AND t.expires > $2`, hash, ms(now))
		if err != nil {
			return nil, err
		}
		events := []Event{{Topic: Fleet}, {Reported, t.Borne}}
		if t.Used.IsZero() {
			before, err := one(ctx, tx, scanOne[int], `SELECT count(*) FROM borne WHERE id = $1`, t.Borne)
			if err != nil {
				return nil, err
			}
			if before > 0 { // the machine before is shut out
				events = append(events, Event{Revoked, t.Borne})
			}
			if err := enrol(ctx, tx, t, key, cert, now); err != nil {
				return nil, err
			}
		} else if err := enrolAgain(ctx, tx, t, key, cert); err != nil {
			return nil, err
		}
		enrolled, err = one(ctx, tx, scanBorne, selectBorne+`WHERE b.id = $1`, t.Borne)
		return events, err
	})
	if err != nil {
		return Borne{}, err
	}
	return enrolled, nil
}

func enrol(ctx context.Context, tx *sql.Tx, t Token, key []byte, cert Certificate, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE token SET used = $1, key_hash = $2 WHERE id = $3`, ms(now), key, t.ID)
	if err != nil {
		return err
	}
	if err := endAll(ctx, tx, t.Borne, now); err != nil { // of the machine before, if there was one
		return err
	}
	if err := moveSample(ctx, tx, t.Borne); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM borne_state WHERE borne = $1`, t.Borne); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO borne (id, site, enrolled, revoked, key_hash, serial, serials, cert_ends, cloned)
		VALUES ($1, $2, $3, 0, $4, $5, $5, $6, 0)
		ON CONFLICT (id) DO UPDATE SET site = excluded.site, enrolled = excluded.enrolled, revoked = 0,
			key_hash = excluded.key_hash, serial = excluded.serial, serials = excluded.serials,
			cert_ends = excluded.cert_ends, cloned = 0`,
		t.Borne, t.Site.ID, ms(now), key, cert.Serial, ms(cert.Ends))
	return err
}

// enrolAgain is for a borne that has not heard the answer.
func enrolAgain(ctx context.Context, tx *sql.Tx, t Token, key []byte, cert Certificate) error {
	used, err := one(ctx, tx, scanOne[[]byte], `SELECT key_hash FROM token WHERE id = $1`, t.ID)
	if err != nil {
		return err
	}
	if !bytes.Equal(used, key) {
		return ErrNotFound
	}
	now, err := one(ctx, tx, scanOne[[]byte], `SELECT key_hash FROM borne WHERE id = $1 AND revoked = 0`, t.Borne)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, key) {
		return ErrNotFound
	}
	return addCertificate(ctx, tx, t.Borne, key, cert)
}

// Renew notes a borne's next certificate. The one before stays good until the
// next has come: the answer may have been lost. Errors: ErrNotFound for a borne
// that isn't there or is revoked.
func (s *Store) Renew(ctx context.Context, borne string, key []byte, cert Certificate, now time.Time) error {
	if len(key) == 0 || cert.Serial == "" {
		return errors.New("renouvellement sans clé ou sans certificat")
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		return []Event{{Reported, borne}}, addCertificate(ctx, tx, borne, key, cert)
	})
}

// maxSerials is how many certificates a borne may hold, as far as the hub
// knows. Each renewal whose answer is lost adds one.
const maxSerials = 16

func addCertificate(ctx context.Context, tx *sql.Tx, borne string, key []byte, cert Certificate) error {
	var serials, used string
	err := tx.QueryRowContext(ctx, `SELECT b.serials, COALESCE(t.used, '') FROM borne b
		LEFT JOIN borne_state t ON t.borne = b.id WHERE b.id = $1 AND b.revoked = 0`, borne).Scan(&serials, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	held := append(strings.Fields(serials), cert.Serial)
	for len(held) > maxSerials {
		// The one it comes with is the one it certainly has.
		oldest := slices.IndexFunc(held, func(serial string) bool { return serial != used })
		held = slices.Delete(held, oldest, oldest+1)
	}
	_, err = tx.ExecContext(ctx, `UPDATE borne SET key_hash = $1, serial = $2, serials = $3, cert_ends = $4 WHERE id = $5`,
		key, cert.Serial, strings.Join(held, " "), ms(cert.Ends), borne)
	return err
}
