package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"parvis/kiosk/link"
)

// Sample sums up one hour of a borne.
type Sample struct {
	Hour    time.Time
	Reports int // 120 when all came
	Load    int // percent, the most
	Temp    int // °C, the most
	Disk    int // percent free, the least
}

// add sums up two parts of one hour.
func (s Sample) add(other Sample) Sample {
	return Sample{s.Hour, s.Reports + other.Reports, max(s.Load, other.Load), max(s.Temp, other.Temp), min(s.Disk, other.Disk)}
}

type sampleRow struct {
	borne string
	Sample
}

// count works a report into the hour under way. With the first report of the
// next hour it returns the one that is over, to be put among the others; also
// with that of an hour long before, for the one under way is then of a clock
// that was ahead.
func (st *state) count(in Incoming) (over sampleRow, ok bool) {
	hour := in.At.UTC().Truncate(time.Hour)
	r := in.Report
	if st.sample.Reports > 0 && (hour.After(st.sample.Hour) || st.sample.Hour.Sub(in.At) > link.MaxSkew) {
		over, ok = sampleRow{st.borne, st.sample}, true
	}
	if ok || st.sample.Reports == 0 {
		st.sample = Sample{hour, 1, r.Load, r.Temp, r.Disk}
		return over, ok
	}
	st.sample = st.sample.add(Sample{hour, 1, r.Load, r.Temp, r.Disk})
	return over, ok
}

const (
	putSample    = `INSERT INTO hour_sample (borne, hour, reports, load, temp, disk) VALUES`
	updateSample = `ON CONFLICT (borne, hour) DO UPDATE SET reports = hour_sample.reports + excluded.reports,
		load = CASE WHEN excluded.load > hour_sample.load THEN excluded.load ELSE hour_sample.load END,
		temp = CASE WHEN excluded.temp > hour_sample.temp THEN excluded.temp ELSE hour_sample.temp END,
		disk = CASE WHEN excluded.disk < hour_sample.disk THEN excluded.disk ELSE hour_sample.disk END`
)

func putSamples(ctx context.Context, tx *sql.Tx, samples []sampleRow) error {
	slices.SortFunc(samples, func(a, b sampleRow) int {
		if c := strings.Compare(a.borne, b.borne); c != 0 {
			return c
		}
		return a.Hour.Compare(b.Hour)
	})
	var rows [][]any
	for _, s := range samples {
		rows = append(rows, []any{s.borne, ms(s.Hour), s.Reports, s.Load, s.Temp, s.Disk})
	}
	return putRows(ctx, tx, putSample, updateSample, rows)
}

// moveSample puts a borne's hour under way among the others before its state goes.
func moveSample(ctx context.Context, tx *sql.Tx, borne string) error {
	samples, err := all(ctx, tx, scanSample, `SELECT hour, reports, load, temp, disk FROM borne_state
		WHERE borne = $1 AND reports > 0`, borne)
	if err != nil {
		return err
	}
	var rows []sampleRow
	for _, sample := range samples {
		rows = append(rows, sampleRow{borne, sample})
	}
	return putSamples(ctx, tx, rows)
}

func scanSample(row scanner) (s Sample, err error) {
	var hour int64
	err = row.Scan(&hour, &s.Reports, &s.Load, &s.Temp, &s.Disk)
	s.Hour = at(hour)
	return s, err
}

// Samples lists a borne's hours from one time on, oldest first, the hour under
// way included.
func (s *Store) Samples(ctx context.Context, borne string, from time.Time) ([]Sample, error) {
	parts, err := all(ctx, s.read, scanSample, `SELECT hour, reports, load, temp, disk FROM hour_sample
			WHERE borne = $1 AND hour >= $2
		UNION ALL SELECT hour, reports, load, temp, disk FROM borne_state
			WHERE borne = $1 AND hour >= $2 AND reports > 0
		ORDER BY hour`, borne, ms(from))
	if err != nil {
		return nil, s.explain(err)
	}
	var samples []Sample
	for _, part := range parts {
		if last := len(samples) - 1; last >= 0 && samples[last].Hour.Equal(part.Hour) {
			samples[last] = samples[last].add(part)
			continue
		}
		samples = append(samples, part)
	}
	return samples, nil
}

type dayCount struct {
	borne, day, key string
	n               int
}

func scanCount(row scanner) (c dayCount, err error) {
	return c, row.Scan(&c.borne, &c.day, &c.key, &c.n)
}

// Counts sums up a borne's counts of one key prefix ("visit" also gives
// "visit.h10") between two days ("2026-11-21"), both included: day → key → total.
// An empty prefix gives all.
func (s *Store) Counts(ctx context.Context, borne, prefix, from, to string) (map[string]map[string]int, error) {
	dotted := prefix + "."
	if prefix == "" {
		dotted = ""
	}
	counts, err := all(ctx, s.read, scanCount, `SELECT borne, day, key, n FROM day_count
		WHERE borne = $1 AND day >= $2 AND day <= $3 AND (key = $4 OR substr(key, 1, $5) = $6)`,
		borne, from, to, prefix, len([]rune(dotted)), dotted)
	if err != nil {
		return nil, s.explain(err)
	}
	days := make(map[string]map[string]int)
	for _, c := range counts {
		if days[c.day] == nil {
			days[c.day] = make(map[string]int)
		}
		days[c.day][c.key] = c.n
	}
	return days, nil
}
