package callbacks

import (
	"context"
	"errors"
)

// Purge deletes the requests that were closed 30 days ago, and all that are
// older than the legal bound, with their keys and notes; then what of them is
// left in the database's files. It says how many there were.
func (q *Queue) Purge(ctx context.Context) (n int, err error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return 0, err
	}
	now := q.Now()
	if n, err = q.Store.DropCallbacks(ctx, now.Add(-KeepClosed), now.AddDate(0, -settings.Months, 0)); err != nil {
		return n, err
	}
	done, err := q.Store.Scrub(ctx)
	if err == nil && !done {
		q.Log.WarnContext(ctx, "deleted requests to be called back may still lie in the database's log: readers were in the way")
	}
	return n, err
}

// Tidy does what has to be done every hour: it adopts what is raw, sees which
// bornes have calmed down, and purges.
func (q *Queue) Tidy(ctx context.Context) error {
	_, adopt := q.Adopt(ctx)
	calm := q.calm(ctx)
	_, purge := q.Purge(ctx)
	return errors.Join(adopt, calm, purge)
}
