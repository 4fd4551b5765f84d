package store

import (
	"context"
	"strings"
	"time"
)

// deviceCounts starts the key of a device's count where it stands among others.
const deviceCounts = "device."

// UnsentCounts lists counts, of visits and of devices, that have grown since
// the hub last took them: limit at most, the oldest days first. N is the total
// of the day so far. A device's count has the key "device.imprimante.pages".
func (s *Store) UnsentCounts(ctx context.Context, limit int) ([]DayCount, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT day, key, n FROM day_count WHERE n > sent
		UNION ALL
		SELECT day, 'device.' || name || '.' || key, n FROM device_count WHERE n > sent
		ORDER BY 1, 2 LIMIT ?`, max(0, limit))
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var all []DayCount
	for rows.Next() {
		var c DayCount
		if err := rows.Scan(&c.Day, &c.Key, &c.N); err != nil {
			return nil, s.explain(err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return all, nil
}

// MarkSent notes that the hub has taken these totals. What was counted in the
// meantime stays unsent; an older total than the last changes nothing.
func (s *Store) MarkSent(ctx context.Context, counts []DayCount) error {
	if len(counts) == 0 {
		return nil
	}
	if err := s.markSent(ctx, counts); err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *Store) markSent(ctx context.Context, counts []DayCount) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, c := range counts {
		table, name := "day_count", "key"
		if strings.HasPrefix(c.Key, deviceCounts) {
			table, name = "device_count", "'device.' || name || '.' || key"
		}
		_, err := tx.ExecContext(ctx, `UPDATE `+table+` SET sent = max(sent, ?) WHERE day = ? AND `+name+` = ?`, c.N, c.Day, c.Key)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// DropCounts removes counts of days before a day: those that the hub has taken,
// and with all set the others too.
func (s *Store) DropCounts(ctx context.Context, before time.Time, all bool) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback() // does nothing after Commit
	for _, table := range []string{"day_count", "device_count"} {
		_, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE day < ? AND (? OR n <= sent)`, before.Format(time.DateOnly), all)
		if err != nil {
			return s.explain(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return s.explain(err)
	}
	return nil
}
