package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
)

// CallbackState is where a request to be called back stands.
type CallbackState string

// The states.
const (
	CallbackRaw         CallbackState = "raw"         // as the borne sealed it: no hub has read its label yet
	CallbackWaiting     CallbackState = "waiting"     // nobody has taken it
	CallbackClaimed     CallbackState = "claimed"     // its holder calls
	CallbackAppointment CallbackState = "appointment" // its holder calls at an agreed time
	CallbackClosed      CallbackState = "closed"
)

// Callback is a request to be called back, sealed, with what is known of it
// without opening it.
type Callback struct {
	ID       uuid.UUID
	Borne    string
	Code     string
	Created  time.Time // by the borne
	Received time.Time
	Data     []byte // as the borne sealed it, encrypted once more unless State is raw; only where one request is asked for

	// Key is the request's own: Data, and the notes of its steps, are encrypted
	// with it. Same tells whose it is to those of the same resident. Both are
	// gone for good with the request, and are in no backup.
	Key, Same []byte

	State    CallbackState
	Revision int64 // one more with each change
	Labelled bool  // its label could be read: without, Topic, Lang and Slots are not known
	Topic    string
	Lang     string
	Site     string // ID, of the borne's site when it came
	SiteName string // only read
	Place    string // ID of the place that was asked to call; empty for any
	ByText   bool
	ByCard   bool
	Slots    []Span

	Deadline    time.Time // of the next call
	Due         time.Time // the first deadline it had
	Holder      string    // ID of a person; empty for none
	HolderName  string    // only read
	Claimed     time.Time
	Tries       int
	FirstTry    time.Time
	NextTry     time.Time
	Appointment time.Time
	Closed      time.Time

	Outcome    string
	HelpedWith []string // topics
	Autonomy   string
	SentTo     string // kind of place
	SentPlace  string
}

// Span is a stretch of time; the zero Span is any time.
type Span struct{ Start, End time.Time }

// PutCallback keeps a request once, on the disk when it returns, and tells
// every hub. One without a key is kept raw. fresh says that it was not there
// before.
func (s *Store) PutCallback(ctx context.Context, c Callback) (fresh bool, err error) {
	if c.ID == uuid.Nil || c.Borne == "" || len(c.Data) == 0 {
		return false, errors.New("demande de rappel sans identifiant, sans borne ou sans contenu")
	}
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		result, err := tx.ExecContext(ctx, `INSERT INTO callback (id, borne, code, created, received, data)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
			c.ID.String(), c.Borne, text(c.Code), ms(c.Created), ms(c.Received), c.Data)
		if err != nil {
			return nil, err
		}
		n, err := result.RowsAffected()
		if fresh = n == 1; !fresh || err != nil {
			return nil, err
		}
		events := []Event{{Received, c.Borne}}
		if len(c.Key) > 0 {
			events = append(events, Event{Called, c.ID.String()})
			err = enqueue(ctx, tx, c)
		}
		return events, err
	})
	return fresh && err == nil, err
}

// Adopt gives a request that was kept raw its key and its place in the queue,
// unless another hub has done so. ok says whether it did.
func (s *Store) Adopt(ctx context.Context, c Callback) (ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		state, err := one(ctx, tx, scanOne[CallbackState], `SELECT state FROM callback WHERE id = $1`, c.ID.String())
		if ok = err == nil && state == CallbackRaw; !ok {
			if errors.Is(err, ErrNotFound) {
				err = nil
			}
			return nil, err
		}
		if err := markScrub(ctx, tx); err != nil { // of what it was encrypted less
			return nil, err
		}
		return []Event{{Called, c.ID.String()}}, enqueue(ctx, tx, c)
	})
	return ok && err == nil, err
}

// enqueue puts a request that is there into the queue.
func enqueue(ctx context.Context, tx *sql.Tx, c Callback) error {
	_, err := tx.ExecContext(ctx, `UPDATE callback SET data = $1, labelled = $2, topic = $3, lang = $4, place = $5,
		by_text = $6, by_card = $7, slots = $8, due = $9, site = COALESCE((SELECT site FROM borne WHERE id = $10), $11)
		WHERE id = $12`,
		c.Data, bit(c.Labelled), text(c.Topic), text(c.Lang), text(c.Place), bit(c.ByText), bit(c.ByCard), packSpans(c.Slots),
		ms(c.Due), c.Borne, text(c.Site), c.ID.String())
	if err != nil {
		return err
	}
	if c.Same == nil {
		c.Same = []byte{}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO callback_key (id, key, same) VALUES ($1, $2, $3)`, c.ID.String(), c.Key, c.Same)
	if err != nil {
		return err
	}
	return updateCallback(ctx, tx, c, c.Revision)
}

// RawCallbacks lists requests that no hub has put into the queue yet, with
// their data: limit at most.
func (s *Store) RawCallbacks(ctx context.Context, limit int) ([]Callback, error) {
	found, err := all(ctx, s.read, func(row scanner) (c Callback, err error) {
		var created, received int64
		err = row.Scan(&c.ID, &c.Borne, &c.Code, &created, &received, &c.Data)
		c.Created, c.Received, c.State = at(created), at(received), CallbackRaw
		return c, err
	}, `SELECT id, borne, code, created, received, data FROM callback WHERE state = 'raw' ORDER BY deadline, id LIMIT $1`, limit)
	return found, s.explain(err)
}

// HasCallback reports whether a request is there.
func (s *Store) HasCallback(ctx context.Context, id uuid.UUID) (bool, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT count(*) FROM callback WHERE id = $1`, id.String())
	return n > 0, s.explain(err)
}

// LatestCallbacks lists when the last requests of a borne came, of those that
// came since a time and were made since another, newest first: limit at most.
func (s *Store) LatestCallbacks(ctx context.Context, borne string, received, created time.Time, limit int) ([]time.Time, error) {
	scan := func(row scanner) (time.Time, error) {
		var when int64
		err := row.Scan(&when)
		return at(when), err
	}
	found, err := all(ctx, s.read, scan, `SELECT received FROM callback WHERE borne = $1 AND received > $2 AND created > $3
		ORDER BY received DESC LIMIT $4`, borne, ms(received), ms(created), limit)
	return found, s.explain(err)
}

// CallbackIDs lists the requests of a borne, or of all with an empty borne.
func (s *Store) CallbackIDs(ctx context.Context, borne string) ([]uuid.UUID, error) {
	scan := func(row scanner) (id uuid.UUID, err error) { return id, row.Scan(&id) }
	query, args := `SELECT id FROM callback ORDER BY id`, []any(nil)
	if borne != "" {
		query, args = `SELECT id FROM callback WHERE borne = $1 ORDER BY id`, []any{borne}
	}
	ids, err := all(ctx, s.read, scan, query, args...)
	return ids, s.explain(err)
}

// CountCallbacks is how many requests the hub holds.
func (s *Store) CountCallbacks(ctx context.Context) (int, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT count(*) FROM callback`)
	return n, s.explain(err)
}
