package store

import (
	"context"
	"database/sql"
)

// Changes tells whether anybody has written to the file, this process or
// another. Asking costs one look at shared memory, and waits for nobody.
type Changes struct {
	s    *Store
	conn *sql.Conn // what it answers is a connection's own
	last int64
}

// Changes begins to watch; it is for one goroutine, and to be closed.
func (s *Store) Changes(ctx context.Context) (*Changes, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	return &Changes{s: s, conn: conn, last: -1}, nil
}

// Any reports whether there was a write since it was last asked; the first time
// it is true.
func (c *Changes) Any(ctx context.Context) (bool, error) {
	before := c.last
	if err := c.conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&c.last); err != nil {
		return false, c.s.explain(err)
	}
	return c.last != before, nil
}

// Close gives the connection back.
func (c *Changes) Close() error { return c.conn.Close() }
