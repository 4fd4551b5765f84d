package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CallbackStep is one thing that was done with a request.
type CallbackStep struct {
	ID       uuid.UUID // UUIDv7: in order of time
	Callback uuid.UUID
	At       time.Time
	Person   string
	Name     string // as it was then
	Kind     string
	Note     []byte // encrypted with the request's key; empty for none
}

// CallbackFilter says which requests are wanted; what is empty is not asked for.
type CallbackFilter struct {
	State  CallbackState // CallbackClaimed means those with an appointment too
	Holder string        // of claimed ones
	Site   string
	Lang   string
	Topic  string
	// After is the deadline and the ID of the last one seen; of closed ones, the
	// time of their closing.
	After   time.Time
	AfterID uuid.UUID
	Limit   int
}

const callbackColumns = `c.id, c.borne, c.code, c.created, c.received, c.state, c.revision, c.labelled, c.topic, c.lang,
	c.site, COALESCE(s.name, ''), c.place, c.by_text, c.by_card, c.slots, c.deadline, c.due, c.holder, COALESCE(p.name, ''), c.claimed,
	c.tries, c.first_try, c.next_try, c.appointment, c.closed, c.outcome, c.helped_with, c.autonomy, c.sent_to, c.sent_place`

const callbackNames = ` LEFT JOIN site s ON s.id = c.site LEFT JOIN person p ON p.id = c.holder `

func scanCallback(row scanner) (Callback, error) { return scanCallbackAnd(row) }

func scanCallbackAnd(row scanner, more ...any) (c Callback, err error) {
	var labelled, byText, byCard, created, received, deadline, due, claimed, first, next, appointment, closed int64
	var slots, helped string
	into := []any{&c.ID, &c.Borne, &c.Code, &created, &received, &c.State, &c.Revision, &labelled, &c.Topic, &c.Lang,
		&c.Site, &c.SiteName, &c.Place, &byText, &byCard, &slots, &deadline, &due, &c.Holder, &c.HolderName, &claimed,
		&c.Tries, &first, &next, &appointment, &closed, &c.Outcome, &helped, &c.Autonomy, &c.SentTo, &c.SentPlace}
	if err := row.Scan(append(into, more...)...); err != nil {
		return c, err
	}
	c.Labelled, c.ByText, c.ByCard = labelled != 0, byText != 0, byCard != 0
	c.Created, c.Received, c.Deadline, c.Due = at(created), at(received), at(deadline), at(due)
	c.Claimed, c.FirstTry, c.NextTry, c.Appointment, c.Closed = at(claimed), at(first), at(next), at(appointment), at(closed)
	c.HelpedWith = strings.Fields(helped)
	c.Slots, err = parseSpans(slots)
	return c, err
}

// where is the condition of a filter, and what stands for its placeholders.
func (f CallbackFilter) where() (string, []any) {
	var parts []string
	var args []any
	ask := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", placeholder(len(args)), 1)
		}
		parts = append(parts, condition)
	}
	// The words of the partial indexes: both databases recognise them.
	switch f.State {
	case CallbackClaimed:
		parts = append(parts, `(state = 'claimed' OR state = 'appointment')`)
	case CallbackClosed:
		parts = append(parts, `closed > 0`)
	default:
		parts = append(parts, `state = '`+string(f.State)+`'`)
	}
	for _, c := range []struct{ condition, value string }{
		{`holder = ?`, f.Holder}, {`site = ?`, f.Site}, {`lang = ?`, f.Lang}, {`topic = ?`, f.Topic},
	} {
		if c.value != "" {
			ask(c.condition, c.value)
		}
	}
	switch {
	case f.AfterID == uuid.Nil:
	case f.State == CallbackClosed:
		ask(`(closed, id) < (?, ?)`, ms(f.After), f.AfterID.String())
	default:
		ask(`(deadline, id) > (?, ?)`, ms(f.After), f.AfterID.String())
	}
	return strings.Join(parts, ` AND `), args
}

// Callbacks lists requests, the next deadline first; closed ones, the last
// closed first.
func (s *Store) Callbacks(ctx context.Context, f CallbackFilter) ([]Callback, error) {
	switch f.State {
	case CallbackRaw, CallbackWaiting, CallbackClaimed, CallbackAppointment, CallbackClosed:
	default:
		return nil, fmt.Errorf("demandes de rappel : état « %s » inconnu", f.State)
	}
	where, args := f.where()
	order := `deadline, id`
	if f.State == CallbackClosed {
		order = `closed DESC, id DESC`
	}
	// The index alone finds which, and only those are read.
	which := `SELECT id FROM callback WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ` + strconv.Itoa(f.Limit)
	found, err := all(ctx, s.read, scanCallback, `SELECT `+callbackColumns+` FROM callback c`+callbackNames+
		`WHERE c.id IN (`+which+`) ORDER BY c.`+strings.ReplaceAll(order, ", ", ", c."), args...)
	return found, s.explain(err)
}

// CountQueue is how many requests a filter finds, but no more than most.
func (s *Store) CountQueue(ctx context.Context, f CallbackFilter, most int) (int, error) {
	where, args := f.where()
	n, err := one(ctx, s.read, scanOne[int],
		`SELECT count(*) FROM (SELECT 1 FROM callback WHERE `+where+` LIMIT `+strconv.Itoa(most)+`) AS found`, args...)
	return n, s.explain(err)
}

// CallbackChoices lists the languages and the topics that open requests have.
func (s *Store) CallbackChoices(ctx context.Context) (langs, topics []string, err error) {
	scan := func(row scanner) (pair [2]string, err error) { return pair, row.Scan(&pair[0], &pair[1]) }
	// One look at all open requests finds both.
	pairs, err := all(ctx, s.read, scan, `SELECT DISTINCT lang, topic FROM callback WHERE state IN ('waiting', 'claimed', 'appointment')`)
	if err != nil {
		return nil, nil, s.explain(err)
	}
	for _, p := range pairs {
		langs, topics = append(langs, p[0]), append(topics, p[1])
	}
	return distinct(langs), distinct(topics), nil
}

// distinct sorts words, each of them once, without the empty one.
func distinct(words []string) []string {
	slices.Sort(words)
	return slices.DeleteFunc(slices.Compact(words), func(w string) bool { return w == "" })
}

const selectCallback = `SELECT ` + callbackColumns + `, c.data, COALESCE(k.key, $1), COALESCE(k.same, $1) FROM callback c` +
	callbackNames + `LEFT JOIN callback_key k ON k.id = c.id WHERE c.id = $2`

func callbackOf(ctx context.Context, db queryer, id uuid.UUID) (Callback, error) {
	return one(ctx, db, func(row scanner) (Callback, error) {
		var data, key, same []byte
		c, err := scanCallbackAnd(row, &data, &key, &same)
		c.Data, c.Key, c.Same = data, key, same
		return c, err
	}, selectCallback, []byte{}, id.String())
}

// Callback returns one request, with its data and its key. Errors: ErrNotFound.
func (s *Store) Callback(ctx context.Context, id uuid.UUID) (Callback, error) {
	c, err := callbackOf(ctx, s.read, id)
	return c, s.explain(err)
}

// CallbackSteps lists what was done with a request, in order.
func (s *Store) CallbackSteps(ctx context.Context, id uuid.UUID) ([]CallbackStep, error) {
	found, err := all(ctx, s.read, func(row scanner) (st CallbackStep, err error) {
		var when int64
		err = row.Scan(&st.ID, &st.Callback, &when, &st.Person, &st.Name, &st.Kind, &st.Note)
		st.At = at(when)
		return st, err
	}, `SELECT id, callback, at, person, name, kind, note FROM callback_step WHERE callback = $1 ORDER BY id`, id.String())
	return found, s.explain(err)
}

// CallbackTwin is a request of the same resident as another.
type CallbackTwin struct {
	Of, ID uuid.UUID
	Code   string
}

// CallbackTwins lists, for some requests, those of the same residents that were
// made within a time of them, before or after, oldest first.
func (s *Store) CallbackTwins(ctx context.Context, within time.Duration, ids ...uuid.UUID) ([]CallbackTwin, error) {
	var found []CallbackTwin
	scan := func(row scanner) (t CallbackTwin, err error) { return t, row.Scan(&t.Of, &t.ID, &t.Code) }
	for len(ids) > 0 {
		n := chunk(len(ids))
		var args []any
		for _, id := range ids[:n] {
			args = append(args, id.String())
		}
		some, err := all(ctx, s.read, scan, `SELECT a.id, b.id, b.code FROM callback a
			JOIN callback_key ka ON ka.id = a.id JOIN callback_key kb ON kb.same = ka.same AND kb.id <> ka.id
			JOIN callback b ON b.id = kb.id
			WHERE length(ka.same) > 0 AND b.created - a.created BETWEEN `+strconv.FormatInt(-within.Milliseconds(), 10)+
			` AND `+strconv.FormatInt(within.Milliseconds(), 10)+` AND a.id IN`+values(1, n)+`ORDER BY a.id, b.created, b.id`, args...)
		if err != nil {
			return nil, s.explain(err)
		}
		found, ids = append(found, some...), ids[n:]
	}
	return found, nil
}

// CallbackChange is what a transaction does with a request.
type CallbackChange struct {
	To    *Callback     // its new state, with whom and until when; nil: as it was
	Step  *CallbackStep // nil: none
	Audit *AuditLine    // nil: none
}

// errRaced says that somebody else has changed a request meanwhile.
var errRaced = errors.New("demande de rappel changée entre-temps")

// ChangeCallback changes a request in one transaction: do gets it as it is, with
// its data and key, and says what becomes of it. Where somebody else was faster,
// do is called again with what is then. Errors: ErrNotFound, and those of do.
func (s *Store) ChangeCallback(ctx context.Context, id uuid.UUID, do func(c Callback) (CallbackChange, error)) error {
	for attempt := 1; ; attempt++ {
		// The revision keeps two apart: a stricter level would only find more
		// conflicts.
		err := s.changeAt(ctx, sql.LevelReadCommitted, func(tx *sql.Tx) ([]Event, error) { return changeCallback(ctx, tx, id, do) })
		if !errors.Is(err, errRaced) || attempt == maxAttempts {
			return err
		}
	}
}

func changeCallback(ctx context.Context, tx *sql.Tx, id uuid.UUID, do func(c Callback) (CallbackChange, error)) ([]Event, error) {
	c, err := callbackOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	change, err := do(c)
	if err != nil {
		return nil, err
	}
	var events []Event
	if change.To != nil { // first, for others wait here
		to := *change.To
		to.ID, to.Revision = id, c.Revision+1
		if err := updateCallback(ctx, tx, to, c.Revision); err != nil {
			return nil, err
		}
		events = []Event{{Called, id.String()}}
	}
	if change.Audit != nil {
		if err := putAudit(ctx, tx, *change.Audit); err != nil {
			return nil, err
		}
	}
	if change.Step != nil {
		return events, putStep(ctx, tx, *change.Step)
	}
	return events, nil
}

func putStep(ctx context.Context, tx *sql.Tx, st CallbackStep) error {
	if st.Note == nil {
		st.Note = []byte{}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO callback_step (id, callback, at, person, name, kind, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, st.ID.String(), st.Callback.String(), ms(st.At), st.Person, text(st.Name), st.Kind, st.Note)
	return err
}

// updateCallback writes what changes while a request is worked on, if it is
// still at a revision.
func updateCallback(ctx context.Context, tx *sql.Tx, c Callback, revision int64) error {
	result, err := tx.ExecContext(ctx, `UPDATE callback SET state = $1, revision = $2, deadline = $3, holder = $4, claimed = $5, tries = $6,
		first_try = $7, next_try = $8, appointment = $9, closed = $10, outcome = $11, helped_with = $12, autonomy = $13,
		sent_to = $14, sent_place = $15 WHERE id = $16 AND revision = $17`,
		string(c.State), c.Revision, ms(c.Deadline), c.Holder, ms(c.Claimed), c.Tries,
		ms(c.FirstTry), ms(c.NextTry), ms(c.Appointment), ms(c.Closed), c.Outcome, strings.Join(c.HelpedWith, " "), c.Autonomy,
		c.SentTo, text(c.SentPlace), c.ID.String(), revision)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = errRaced
	}
	return err
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// packSpans writes spans as the column slots has them.
func packSpans(all []Span) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = fmt.Sprintf("%d-%d", ms(s.Start), ms(s.End))
	}
	return strings.Join(words, " ")
}

func parseSpans(text string) ([]Span, error) {
	var all []Span
	for word := range strings.FieldsSeq(text) {
		var from, to int64
		if _, err := fmt.Sscanf(word, "%d-%d", &from, &to); err != nil {
			return nil, fmt.Errorf("créneau « %s » : %w", word, err)
		}
		all = append(all, Span{at(from), at(to)})
	}
	return all, nil
}
