package store

import (
	"context"
	"database/sql"
	"time"
)

// SiteCount is one count of one site: of one day, or of the days asked for.
type SiteCount struct {
	Site string
	Day  string // "2026-11-21"; empty where days are summed up
	Key  string
	N    int
}

func scanSiteCount(row scanner) (c SiteCount, err error) {
	return c, row.Scan(&c.Site, &c.Day, &c.Key, &c.N)
}

// SiteCounts sums up what the bornes of each site have counted from one day to
// another, both included, by key. What devices count is left out.
func (s *Store) SiteCounts(ctx context.Context, from, to string) ([]SiteCount, error) {
	counts, err := all(ctx, s.read, scanSiteCount, `SELECT b.site, '', c.key, SUM(c.n)
		FROM borne b CROSS JOIN day_count c -- SQLite keeps this order
		WHERE c.borne = b.id AND c.day >= $1 AND c.day <= $2 AND substr(c.key, 1, 7) <> 'device.' GROUP BY b.site, c.key`, from, to)
	return counts, s.explain(err)
}

// SiteDays sums up one count of the bornes of each site by day, from one day to
// another, both included.
func (s *Store) SiteDays(ctx context.Context, key, from, to string) ([]SiteCount, error) {
	counts, err := all(ctx, s.read, scanSiteCount, `SELECT b.site, c.day, c.key, SUM(c.n)
		FROM borne b CROSS JOIN day_count c -- SQLite keeps this order
		WHERE c.borne = b.id AND c.day >= $1 AND c.day <= $2 AND c.key = $3 GROUP BY b.site, c.day, c.key`, from, to, key)
	return counts, s.explain(err)
}

// FirstCount is the first day ("2026-11-21") that any borne has counted on;
// empty when none has counted anything.
func (s *Store) FirstCount(ctx context.Context) (string, error) {
	day, err := one(ctx, s.read, scanOne[sql.NullString], `SELECT MIN(first) FROM
		(SELECT (SELECT MIN(c.day) FROM day_count c WHERE c.borne = b.id) AS first FROM borne b) f`)
	return day.String, s.explain(err)
}

// SiteFault is one fault and the site of its borne.
type SiteFault struct {
	Site string
	FaultSpan
}

// FaultsBetween lists the faults of all bornes that lasted at some time between
// two, by borne and beginning.
func (s *Store) FaultsBetween(ctx context.Context, from, to time.Time) ([]SiteFault, error) {
	scan := func(row scanner) (f SiteFault, err error) {
		var began, ended int64
		err = row.Scan(&f.Site, &f.Borne, &f.Device, &f.Fault, &began, &ended)
		f.Began, f.Ended = at(began), at(ended)
		return f, err
	}
	faults, err := all(ctx, s.read, scan, `SELECT b.site, f.borne, f.device, f.fault, f.began, f.ended
		FROM fault f JOIN borne b ON b.id = f.borne WHERE f.began < $1 AND (f.ended = 0 OR f.ended >= $2)
		ORDER BY f.borne, f.began`, ms(to), ms(from))
	return faults, s.explain(err)
}

// PresenceSince is from when on Presence knows all hours.
func PresenceSince(now time.Time) time.Time { return now.Add(-keepSamples) }

// SitePresence is how much of some hours the bornes of a site were heard of.
type SitePresence struct {
	Site  string
	Heard int // hours with at least one report
	Due   int // hours in which a report was due
}

// Presence tells for each site how many of its bornes' hours between two times
// passed with a report, and how many should have: all from a borne's enrolment
// to its revocation.
func (s *Store) Presence(ctx context.Context, from, to time.Time) ([]SitePresence, error) {
	scan := func(row scanner) (p SitePresence, err error) {
		return p, row.Scan(&p.Site, &p.Heard, &p.Due)
	}
	const hour = int64(time.Hour / time.Millisecond)
	found, err := all(ctx, s.read, scan, `SELECT b.site, CAST(SUM(b.heard) AS BIGINT), CAST(SUM(b.due) AS BIGINT) FROM
		(SELECT site, (SELECT COUNT(*) FROM hour_sample h WHERE h.borne = borne.id AND h.hour >= $1 AND h.hour < $2) AS heard,
			((CASE WHEN revoked > 0 AND revoked < $2 THEN revoked ELSE $2 END) -
			 (CASE WHEN enrolled > $1 THEN enrolled ELSE $1 END)) / $3 AS due
		 FROM borne WHERE enrolled < $2 AND (revoked = 0 OR revoked > $1)) b
		GROUP BY b.site`, ms(from), ms(to), hour)
	return found, s.explain(err)
}

// Statistic is one figure that may be told.
type Statistic struct {
	Period string
	Site   string // empty for all
	Key    string
	N      int
}

// PutStatistics keeps the figures of a period, once: of two hubs that close it
// at the same time, the second changes nothing.
func (s *Store) PutStatistics(ctx context.Context, period string, figures []Statistic, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO statistic_period (period, closed) VALUES ($1, $2)
			ON CONFLICT (period) DO NOTHING`, period, ms(now))
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return nil, err
		}
		rows := make([][]any, len(figures))
		for i, f := range figures {
			rows[i] = []any{period, f.Site, f.Key, f.N}
		}
		return nil, putRows(ctx, tx, `INSERT INTO statistic (period, site, key, n) VALUES`, ``, rows)
	})
}

// ClosedPeriods lists the periods whose figures are kept, in order.
func (s *Store) ClosedPeriods(ctx context.Context) ([]string, error) {
	periods, err := all(ctx, s.read, scanOne[string], `SELECT period FROM statistic_period ORDER BY period`)
	return periods, s.explain(err)
}

// Statistics lists the figures of some periods.
func (s *Store) Statistics(ctx context.Context, periods ...string) ([]Statistic, error) {
	if len(periods) == 0 {
		return nil, nil
	}
	in, args := among(periods)
	scan := func(row scanner) (f Statistic, err error) {
		return f, row.Scan(&f.Period, &f.Site, &f.Key, &f.N)
	}
	figures, err := all(ctx, s.read, scan, `SELECT period, site, key, n FROM statistic WHERE period IN `+in+`
		ORDER BY period, site, key`, args...)
	return figures, s.explain(err)
}
