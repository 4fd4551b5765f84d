package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"parvis/kiosk/link"
)

// Site is a house that bornes stand in.
type Site struct {
	ID      string // "neudorf": a–z, 0–9 and "-"
	Name    string // "Mairie de Neudorf"
	Group   string // the group's ID, or empty; PutSite leaves it as it is
	Created time.Time
}

var siteID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// PutSite makes a site, or gives one another name.
func (s *Store) PutSite(ctx context.Context, site Site) error {
	if !siteID.MatchString(site.ID) {
		return fmt.Errorf("site « %s » : un identifiant est fait de lettres minuscules sans accent, de chiffres et de « - »", site.ID)
	}
	if strings.TrimSpace(site.Name) == "" {
		return fmt.Errorf("site « %s » : il lui faut un nom", site.ID)
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO site (id, name, created) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name`, site.ID, text(site.Name), ms(site.Created))
		return []Event{{Topic: Fleet}}, err
	})
}

// Site returns a site. Errors: ErrNotFound.
func (s *Store) Site(ctx context.Context, id string) (Site, error) {
	site, err := one(ctx, s.read, scanSite, `SELECT id, name, site_group, created FROM site WHERE id = $1`, id)
	return site, s.explain(err)
}

// Sites lists the sites by name.
func (s *Store) Sites(ctx context.Context) ([]Site, error) {
	sites, err := all(ctx, s.read, scanSite, `SELECT id, name, site_group, created FROM site`)
	if err != nil {
		return nil, s.explain(err)
	}
	sortByName(sites, func(site Site) (name, id string) { return site.Name, site.ID })
	return sites, nil
}

// sortByName sorts as French does: databases sort by the language of their server.
func sortByName[T any](list []T, of func(T) (name, id string)) {
	french := collate.New(language.French)
	slices.SortFunc(list, func(a, b T) int {
		nameA, idA := of(a)
		nameB, idB := of(b)
		return cmp.Or(french.CompareString(nameA, nameB), strings.Compare(idA, idB))
	})
}

func scanSite(row scanner) (site Site, err error) {
	var created int64
	err = row.Scan(&site.ID, &site.Name, &site.Group, &created)
	site.Created = at(created)
	return site, err
}

// Borne is one terminal: who it is, and how it was when it last reported.
type Borne struct {
	ID       string // "MN-01"
	Site     Site
	Enrolled time.Time
	Revoked  time.Time // zero while it is trusted

	Serial   string      // of its newest certificate, in hexadecimal
	Used     string      // serial of the certificate it last came with; once the newest has come, it stays that
	CertEnds time.Time   // of the newest
	Cloned   time.Time   // when two machines were last seen under its identity; zero: never, or dealt with
	Seen     time.Time   // when its last report came; zero: none yet
	Address  string      // the last report came from, without port: the network's, behind a router
	State    link.Report // without its counts, for which see Counts
}

// Offline reports whether the borne has said nothing for longer than link.Silence.
func (b Borne) Offline(now time.Time) bool { return now.Sub(b.Seen) > link.Silence }

const selectBorne = `SELECT b.id, b.enrolled, b.revoked, b.serial, b.cert_ends, b.cloned,
	s.id, s.name, s.site_group, s.created, t.used, t.seen, t.address, t.report
	FROM borne b JOIN site s ON s.id = b.site LEFT JOIN borne_state t ON t.borne = b.id `

func scanBorne(row scanner) (b Borne, err error) {
	var enrolled, revoked, certEnds, cloned, created int64
	var used, address sql.NullString
	var seen sql.NullInt64
	var report []byte
	err = row.Scan(&b.ID, &enrolled, &revoked, &b.Serial, &certEnds, &cloned,
		&b.Site.ID, &b.Site.Name, &b.Site.Group, &created, &used, &seen, &address, &report)
	if err != nil {
		return b, err
	}
	b.Enrolled, b.Revoked, b.CertEnds, b.Cloned = at(enrolled), at(revoked), at(certEnds), at(cloned)
	b.Site.Created, b.Used, b.Seen, b.Address = at(created), used.String, at(seen.Int64), address.String
	if report != nil {
		err = decode(report, &b.State)
	}
	return b, err
}

// Bornes lists all bornes that are not revoked, by site and ID.
func (s *Store) Bornes(ctx context.Context) ([]Borne, error) {
	sites, err := s.Sites(ctx)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int)
	for i, site := range sites {
		place[site.ID] = i
	}
	bornes, err := all(ctx, s.read, scanBorne, selectBorne+`WHERE b.revoked = 0`)
	if err != nil {
		return nil, s.explain(err)
	}
	slices.SortFunc(bornes, func(a, b Borne) int {
		if c := place[a.Site.ID] - place[b.Site.ID]; c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return bornes, nil
}

// Borne returns one borne, revoked or not. Errors: ErrNotFound.
func (s *Store) Borne(ctx context.Context, id string) (Borne, error) {
	b, err := one(ctx, s.read, scanBorne, selectBorne+`WHERE b.id = $1`, id)
	return b, s.explain(err)
}

// Identity is what the hub checks at each request of a borne: small and fast.
type Identity struct {
	Borne   string
	Serial  string // of its newest certificate
	Revoked bool
	// Serials are those of the certificates that the borne may hold, the newest
	// last: an answer with a new one may have been lost on the way. Those from
	// before it was last enrolled are not among them.
	Serials []string
}

// Trusts reports whether a borne that comes with the certificate of a serial
// is let in: it is not revoked, and the certificate was made since it was last
// enrolled.
func (i Identity) Trusts(serial string) bool {
	return !i.Revoked && slices.Contains(i.Serials, serial)
}

const selectIdentity = `SELECT id, serial, serials, revoked FROM borne WHERE id `

// Identity returns who a borne is. Errors: ErrNotFound.
func (s *Store) Identity(ctx context.Context, borne string) (Identity, error) {
	i, err := one(ctx, s.read, scanIdentity, selectIdentity+`= $1`, borne)
	return i, s.explain(err)
}

// Identities returns who some bornes are, by their IDs, without those that are
// not there.
func (s *Store) Identities(ctx context.Context, ids []string) (map[string]Identity, error) {
	found := make(map[string]Identity, len(ids))
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		identities, err := all(ctx, s.read, scanIdentity, selectIdentity+`IN `+in, args...)
		if err != nil {
			return nil, s.explain(err)
		}
		for _, i := range identities {
			found[i.Borne] = i
		}
	}
	return found, nil
}

func scanIdentity(row scanner) (i Identity, err error) {
	var serials string
	var revoked int64
	err = row.Scan(&i.Borne, &i.Serial, &serials, &revoked)
	i.Serials, i.Revoked = strings.Fields(serials), revoked != 0
	return i, err
}

// Revoke shuts a borne out for good, and tells every hub: its faults end, and
// so do the commands it has not taken. Errors: ErrNotFound.
func (s *Store) Revoke(ctx context.Context, borne string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `UPDATE borne SET revoked = $1 WHERE id = $2 AND revoked = 0`, ms(now), borne)
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil {
			return nil, err
		} else if n == 0 { // revoked already, or not there
			_, err := one(ctx, tx, scanOne[string], `SELECT id FROM borne WHERE id = $1`, borne)
			return nil, err
		}
		if err := endAll(ctx, tx, borne, now); err != nil {
			return nil, err
		}
		return []Event{{Revoked, borne}, {Ended, borne}, {Topic: Fleet}}, nil
	})
}

// endAll ends the faults and the commands of a machine that is no longer ours.
func endAll(ctx context.Context, tx *sql.Tx, borne string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE fault SET ended = CASE WHEN began > $1 THEN began ELSE $1 END
		WHERE borne = $2 AND ended = 0`, ms(now), borne)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE command SET state = $1, why = $2, ended = $3
		WHERE borne = $4 AND ended = 0`, string(Expired), "La borne a été révoquée ou remplacée.", ms(now), borne)
	if err != nil {
		return err
	}
	none, err := encode([]openFault{})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE borne_state SET faults = $1 WHERE borne = $2`, none, borne)
	return err
}

// SetCloned notes that two machines use the identity of a borne, or, with the
// zero time, that it was dealt with: what was seen of them is then forgotten.
// A time before the one that is there changes nothing.
func (s *Store) SetCloned(ctx context.Context, borne string, at time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		if !at.IsZero() {
			return []Event{{Reported, borne}}, noteCloned(ctx, tx, borne, at)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE borne SET cloned = 0 WHERE id = $1`, borne); err != nil {
			return nil, err
		}
		state, err := one(ctx, tx, scanOne[[]byte], `SELECT runs FROM borne_state WHERE borne = $1`, borne)
		if errors.Is(err, ErrNotFound) {
			return []Event{{Reported, borne}}, nil
		}
		if err != nil {
			return nil, err
		}
		var runs runs
		if err := decode(state, &runs); err != nil {
			return nil, err
		}
		for i := range runs {
			runs[i].Returns = 0
		}
		if state, err = encode(runs); err != nil {
			return nil, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE borne_state SET runs = $1 WHERE borne = $2`, state, borne)
		return []Event{{Reported, borne}}, err
	})
}

func noteCloned(ctx context.Context, tx *sql.Tx, borne string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE borne SET cloned = $1 WHERE id = $2 AND cloned < $1`, ms(at), borne)
	return err
}
