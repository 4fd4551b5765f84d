package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// Head is what a list of many bornes needs of each: so little that tens of
// thousands can be looked through at once.
type Head struct {
	ID       string
	Site     Site
	Revoked  time.Time // zero while it is trusted
	CertEnds time.Time
	Cloned   time.Time
	Seen     time.Time // zero: no report yet
	App      link.AppState
	Faults   []string // that last, of the borne and its devices, the oldest first
	Updating bool     // it has been told to update itself at once, and has not ended that
}

// Offline reports whether the borne has said nothing for longer than link.Silence.
func (h Head) Offline(now time.Time) bool { return now.Sub(h.Seen) > link.Silence }

// Heads lists all bornes that are not revoked, by site and ID. With IDs it
// lists those among these, in no order.
func (s *Store) Heads(ctx context.Context, ids ...string) ([]Head, error) {
	sites, err := s.Sites(ctx)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(sites))
	for i, site := range sites {
		place[site.ID] = i
	}
	if len(ids) == 0 {
		heads, err := s.heads(ctx, sites, place, "")
		slices.SortFunc(heads, func(a, b Head) int {
			if c := place[a.Site.ID] - place[b.Site.ID]; c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		})
		return heads, s.explain(err)
	}
	var found []Head
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		heads, err := s.heads(ctx, sites, place, in, args...)
		if err != nil {
			return nil, s.explain(err)
		}
		found = append(found, heads...)
	}
	return found, nil
}

// heads reads the heads of all bornes, or of those in a list of placeholders.
func (s *Store) heads(ctx context.Context, sites []Site, place map[string]int, in string, args ...any) ([]Head, error) {
	which := func(column string) string {
		if in == "" {
			return ""
		}
		return ` AND ` + column + ` IN ` + in
	}
	scan := func(row scanner) (h Head, err error) {
		var site string
		var certEnds, cloned, seen int64
		var report []byte
		if err := row.Scan(&h.ID, &site, &certEnds, &cloned, &seen, &report); err != nil {
			return h, err
		}
		if i, ok := place[site]; ok { // a site that came this moment has no name yet
			h.Site = sites[i]
		}
		h.CertEnds, h.Cloned, h.Seen = at(certEnds), at(cloned), at(seen)
		if report == nil {
			return h, nil
		}
		var app struct { // the rest isn't looked at
			App link.AppState `cbor:"app"`
		}
		err = decode(report, &app)
		h.App = app.App
		return h, err
	}
	heads, err := all(ctx, s.read, scan, `SELECT b.id, b.site, b.cert_ends, b.cloned, COALESCE(t.seen, 0), t.report
		FROM borne b LEFT JOIN borne_state t ON t.borne = b.id WHERE b.revoked = 0`+which(`b.id`), args...)
	if err != nil {
		return nil, err
	}
	index := make(map[string]*Head, len(heads))
	for i := range heads {
		index[heads[i].ID] = &heads[i]
	}
	faults, err := all(ctx, s.read, scanFault, selectFault+`WHERE f.ended = 0`+which(`f.borne`)+` ORDER BY f.began, f.device, f.fault`, args...)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		if h := index[f.Borne]; h != nil && !slices.Contains(h.Faults, f.Fault) {
			h.Faults = append(h.Faults, f.Fault)
		}
	}
	updating, err := all(ctx, s.read, scanOne[string], `SELECT borne FROM command
		WHERE ended = 0 AND kind = 'update'`+which(`borne`), args...)
	for _, id := range updating {
		if h := index[id]; h != nil {
			h.Updating = true
		}
	}
	return heads, err
}

// maxAtOnce is how many bornes one statement asks for.
const maxAtOnce = 64

// among writes a list for IN. Its length is a power of two, so that few texts
// are used and the database remembers their plans; the last ID fills it up.
func among(ids []string) (in string, args []any) {
	size := 1
	for size < len(ids) {
		size *= 2
	}
	for i := range size {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	return strings.TrimSpace(values(1, size)), args
}

// BornesByID returns some bornes, revoked or not, by their IDs.
func (s *Store) BornesByID(ctx context.Context, ids []string) (map[string]Borne, error) {
	found := make(map[string]Borne, len(ids))
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		bornes, err := all(ctx, s.read, scanBorne, selectBorne+`WHERE b.id IN `+in, args...)
		if err != nil {
			return nil, s.explain(err)
		}
		for _, b := range bornes {
			found[b.ID] = b
		}
	}
	return found, nil
}

// VisitsOf gives for some bornes the visits of one day ("2026-11-21"), by hour
// of the borne's clock.
func (s *Store) VisitsOf(ctx context.Context, day string, ids []string) (map[string][24]int, error) {
	visits := make(map[string][24]int, len(ids))
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		// The first placeholders are those of the list.
		counts, err := all(ctx, s.read, scanCount, `SELECT borne, day, key, n FROM day_count
			WHERE borne IN `+in+` AND day = `+placeholder(len(args)+1)+` AND key LIKE 'visit.h%'`, append(args, day)...)
		if err != nil {
			return nil, s.explain(err)
		}
		for _, c := range counts {
			hour, err := strconv.Atoi(strings.TrimPrefix(c.key, "visit.h"))
			if err != nil || hour < 0 || hour > 23 {
				continue
			}
			hours := visits[c.borne]
			hours[hour] += c.n
			visits[c.borne] = hours
		}
	}
	return visits, nil
}

// VisitsOn sums up the visits of all bornes on one day ("2026-11-21") that began
// before an hour of the day, of each borne only whole multiples of step.
func (s *Store) VisitsOn(ctx context.Context, day string, hour, step int) (int, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT CAST(COALESCE(SUM(n - n % $1), 0) AS BIGINT) FROM
		(SELECT CAST(SUM(n) AS BIGINT) AS n FROM day_count
		 WHERE day = $2 AND substr(key, 1, 7) = 'visit.h' AND substr(key, 8) < $3 GROUP BY borne) b`,
		step, day, fmt.Sprintf("%02d", hour))
	return n, s.explain(err)
}
