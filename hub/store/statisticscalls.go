package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// What is counted of requests to be called back: those whose first deadline was
// in a month, by whether somebody had tried by then, and those that were closed
// in it, by outcome.
const (
	CallInTime  = "call.in_time"
	CallLate    = "call.late"
	CallOutcome = "call.outcome." // and the outcome
)

// callFact is what a request adds to the counts.
type callFact struct {
	site                  string
	due, firstTry, closed int64
	outcome               string
}

const selectCallFact = `SELECT site, due, first_try, closed, outcome FROM callback `

func scanCallFact(row scanner) (f callFact, err error) {
	return f, row.Scan(&f.site, &f.due, &f.firstTry, &f.closed, &f.outcome)
}

// count adds the request to the counts of a month ("2026-11"), or of any month
// with an empty one. Months are those of UTC: deadlines lie in working hours.
func (f callFact) count(month string, counts map[SiteCount]int) {
	add := func(ms int64, key string) {
		m := at(ms).Format("2006-01")
		if f.site != "" && ms > 0 && (month == "" || month == m) {
			counts[SiteCount{Site: f.site, Day: m, Key: key}]++
		}
	}
	if f.firstTry > 0 && f.firstTry <= f.due {
		add(f.due, CallInTime)
	} else {
		add(f.due, CallLate)
	}
	if f.outcome != "" {
		add(f.closed, CallOutcome+f.outcome)
	}
}

// CallCounts counts the requests of a month by site, those that are deleted
// already included. Day is empty in what it returns.
func (s *Store) CallCounts(ctx context.Context, month time.Time) ([]SiteCount, error) {
	from := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	to, name := from.AddDate(0, 1, 0), from.Format("2006-01")
	facts, err := all(ctx, s.read, scanCallFact, selectCallFact+`WHERE due >= $1 AND due < $2 OR closed >= $1 AND closed < $2`, ms(from), ms(to))
	if err != nil {
		return nil, s.explain(err)
	}
	sum := map[SiteCount]int{}
	for _, f := range facts {
		f.count(name, sum)
	}
	gone, err := all(ctx, s.read, scanSiteCount, `SELECT site, month, key, n FROM callback_count WHERE month = $1`, name)
	if err != nil {
		return nil, s.explain(err)
	}
	for _, c := range gone {
		sum[SiteCount{Site: c.Site, Day: name, Key: c.Key}] += c.N
	}
	counts := make([]SiteCount, 0, len(sum))
	for c, n := range sum {
		counts = append(counts, SiteCount{Site: c.Site, Key: c.Key, N: n})
	}
	return counts, nil
}

// countCallbacks keeps of requests that are about to be deleted that they were.
func countCallbacks(ctx context.Context, tx *sql.Tx, ids []uuid.UUID) error {
	sum := map[SiteCount]int{}
	for _, id := range ids {
		facts, err := all(ctx, tx, scanCallFact, selectCallFact+`WHERE id = $1`, id.String())
		if err != nil {
			return err
		}
		for _, f := range facts {
			f.count("", sum)
		}
	}
	for c, n := range sum {
		_, err := tx.ExecContext(ctx, `INSERT INTO callback_count (site, month, key, n) VALUES ($1, $2, $3, $4)
			ON CONFLICT (month, site, key) DO UPDATE SET n = callback_count.n + excluded.n`, c.Site, c.Day, c.Key, n)
		if err != nil {
			return err
		}
	}
	return nil
}
