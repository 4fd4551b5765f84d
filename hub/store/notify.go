package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
)

const (
	channel    = "parvis"
	maxPayload = 7900 // bytes; PostgreSQL takes less than 8000
)

// notify has PostgreSQL tell all hubs of events when tx is committed: a few
// notifications for many events.
func notify(ctx context.Context, tx *sql.Tx, events []Event) error {
	for _, payload := range payloads(events) {
		if _, err := tx.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, payload); err != nil {
			return err
		}
	}
	return nil
}

// payloads writes events as "topic id id …", those of one topic together.
func payloads(events []Event) []string {
	var all []string
	open := make(map[Topic]int) // topic → its last payload
	told := make(map[Event]bool)
	for _, e := range events {
		if told[e] {
			continue
		}
		told[e] = true
		i, ok := open[e.Topic]
		if !ok || len(all[i])+1+len(e.ID) > maxPayload {
			i = len(all)
			open[e.Topic] = i
			all = append(all, string(e.Topic))
		}
		all[i] += " " + e.ID
	}
	return all
}

// parsePayload reads what payloads has written.
func parsePayload(payload string) []Event {
	topic, ids, _ := strings.Cut(payload, " ")
	var events []Event
	for id := range strings.SplitSeq(ids, " ") {
		events = append(events, Event{Topic(topic), id})
	}
	return events
}

// listenPostgres hears on a connection of its own what all hubs tell, this one
// included.
func (s *Store) listenPostgres(ctx context.Context) error {
	conn, err := s.listener(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for conn != nil {
			s.hear(ctx, conn)
			if conn = s.listenAgain(ctx); conn != nil {
				s.bus.publish(Event{}) // nobody knows what was told meanwhile
			}
		}
	}()
	return nil
}

func (s *Store) listener(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// listenAgain tries for as long as it takes; nil when ctx has ended.
func (s *Store) listenAgain(ctx context.Context) *pgx.Conn {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 100*time.Millisecond, 10*time.Second
	for {
		if ctx.Err() != nil {
			return nil
		}
		if conn, err := s.listener(ctx); err == nil {
			return conn
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait.NextBackOff()):
		}
	}
}

// quiet is how long nothing may be heard before the connection is tried: a
// server that has lost its power says no goodbye.
const quiet = 15 * time.Second

// hear passes on what the other hubs tell, until the connection breaks or ctx
// ends, and closes it.
func (s *Store) hear(ctx context.Context, conn *pgx.Conn) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn.Close(ctx)
	}()
	for {
		wait, cancel := context.WithTimeout(ctx, quiet)
		n, err := conn.WaitForNotification(wait)
		late := wait.Err() != nil
		cancel()
		switch {
		case err == nil:
			s.bus.publish(parsePayload(n.Payload)...)
		case ctx.Err() != nil || !late:
			return
		default:
			ping, cancel := context.WithTimeout(ctx, quiet)
			err := conn.Ping(ping)
			cancel()
			if err != nil {
				return
			}
		}
	}
}
