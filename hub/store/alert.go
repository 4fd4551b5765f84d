package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// Watched is what alerts need to know of a borne: so little that a country's
// can be looked through every few seconds.
type Watched struct {
	ID       string
	Site     string // ID
	CertEnds time.Time
	Cloned   time.Time
	Seen     time.Time // zero: no report yet
	Address  string    // that the last report came from
}

// Watched lists all bornes that are not revoked, by ID.
func (s *Store) Watched(ctx context.Context) ([]Watched, error) {
	scan := func(row scanner) (w Watched, err error) {
		var ends, cloned, seen int64
		err = row.Scan(&w.ID, &w.Site, &ends, &cloned, &seen, &w.Address)
		w.CertEnds, w.Cloned, w.Seen = at(ends), at(cloned), at(seen)
		return w, err
	}
	bornes, err := all(ctx, s.read, scan, `SELECT b.id, b.site, b.cert_ends, b.cloned, COALESCE(t.seen, 0), COALESCE(t.address, '')
		FROM borne b LEFT JOIN borne_state t ON t.borne = b.id WHERE b.revoked = 0 ORDER BY b.id`)
	return bornes, s.explain(err)
}

// AlertScope is what the bornes of an alert have in common.
type AlertScope string

// The scopes.
const (
	ScopeBorne   AlertScope = "borne"   // it is about one
	ScopeNetwork AlertScope = "network" // they reach the hub from one address
	ScopeSite    AlertScope = "site"
	ScopeHub     AlertScope = "hub" // they are all there are
)

// Alert is something that is wrong, or was, and that somebody should know.
type Alert struct {
	ID      string // UUIDv7
	Key     string // of what is wrong; one alert of it is open at a time
	Fault   string
	Device  string // empty for the borne itself
	Scope   AlertScope
	Address string // with ScopeNetwork
	Began   time.Time
	Opened  time.Time
	Mended  time.Time // since when the fault is gone, perhaps not for good; zero while it lasts
	Ended   time.Time // zero while it is open
	Taken   time.Time // since when somebody sees to it; zero: nobody
	TakenBy string    // their name, as it was then
	Bornes  []AlertBorne
	Told    []AlertTold
}

// AlertBorne is one borne of an alert.
type AlertBorne struct {
	Borne string
	Site  string // ID
	Fell  time.Time
	Back  time.Time // zero while the fault lasts
}

// AlertTold is what one channel was told of an alert: Began and Ended are IDs
// of messages, "" for not yet, NothingToTell for never.
type AlertTold struct {
	Channel string
	Held    time.Time // since when it is kept back, in quiet hours; zero: it wasn't
	Began   string
	Ended   string
	Failed  bool // the message in Began was given up; read only
}

// NothingToTell stands in place of a message where none will come.
const NothingToTell = "-"

// AlertMessage is a message to one channel. It is made with the change that it
// tells of, and stays until it was sent, or given up.
type AlertMessage struct {
	ID      string
	Channel string
	Name    string // of the channel, as it was then
	Data    string // JSON
	Created time.Time
	Due     time.Time // not tried before
	Tries   int
	Sent    time.Time
	Failed  time.Time // when it was given up
	Error   string    // of the last try
}

// AlertChange is a step from one state of alerts to the next. It is made whole
// or not at all, and only by the hub that holds the lease.
type AlertChange struct {
	Lease, Holder string
	Now           time.Time
	Alerts        []Alert // new ones, or those whose Mended, Ended, bornes or told have changed
	Messages      []AlertMessage
}

// ErrLease says that another hub does this work now.
var ErrLease = errors.New("un autre hub s’en charge")

// ChangeAlerts makes a change, and tells every hub. Errors: ErrLease.
func (s *Store) ChangeAlerts(ctx context.Context, c AlertChange) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		held, err := one(ctx, tx, scanOne[int], `SELECT COUNT(*) FROM lease WHERE name = $1 AND holder = $2 AND ends > $3`,
			c.Lease, c.Holder, ms(c.Now))
		if err != nil {
			return nil, err
		}
		if held == 0 {
			return nil, ErrLease
		}
		var alerts, bornes, told [][]any
		for _, a := range c.Alerts {
			alerts = append(alerts, []any{a.ID, text(a.Key), text(a.Fault), text(a.Device), string(a.Scope), a.Address,
				ms(a.Began), ms(a.Opened), ms(a.Mended), ms(a.Ended), ms(a.Taken), text(a.TakenBy)})
			for _, b := range a.Bornes {
				bornes = append(bornes, []any{a.ID, b.Borne, b.Site, ms(b.Fell), ms(b.Back)})
			}
			for _, t := range a.Told {
				told = append(told, []any{a.ID, t.Channel, ms(t.Held), t.Began, t.Ended})
			}
		}
		// Alerts that end come first: their key may be wanted by one that opens.
		slices.SortStableFunc(alerts, func(a, b []any) int { return endsFirst(a[9].(int64)) - endsFirst(b[9].(int64)) })
		err = errors.Join(
			putRows(ctx, tx, `INSERT INTO alert (`+alertColumns+`) VALUES`,
				`ON CONFLICT (id) DO UPDATE SET mended = excluded.mended, ended = excluded.ended`, alerts),
			putRows(ctx, tx, `INSERT INTO alert_borne (alert, borne, site, fell, back) VALUES`,
				`ON CONFLICT (alert, borne) DO UPDATE SET back = excluded.back`, bornes),
			putRows(ctx, tx, `INSERT INTO alert_told (alert, channel, held, began, ended) VALUES`,
				`ON CONFLICT (alert, channel) DO UPDATE SET held = excluded.held, began = excluded.began, ended = excluded.ended`, told),
			putMessages(ctx, tx, c.Messages...))
		return []Event{{Topic: Alerted}}, err
	})
}

func putMessages(ctx context.Context, tx *sql.Tx, all ...AlertMessage) error {
	var rows [][]any
	for _, m := range all {
		rows = append(rows, []any{m.ID, m.Channel, text(m.Name), m.Data, ms(m.Created), ms(m.Due), m.Tries, ms(m.Sent), ms(m.Failed), text(m.Error)})
	}
	return putRows(ctx, tx, `INSERT INTO alert_message (`+messageColumns+`) VALUES`, `ON CONFLICT (id) DO NOTHING`, rows)
}

func endsFirst(ended int64) int {
	if ended > 0 {
		return 0
	}
	return 1
}

const alertColumns = `id, key, fault, device, scope, address, began, opened, mended, ended, taken, taken_by`

func scanAlert(row scanner) (a Alert, err error) {
	var began, opened, mended, ended, taken int64
	err = row.Scan(&a.ID, &a.Key, &a.Fault, &a.Device, &a.Scope, &a.Address, &began, &opened, &mended, &ended, &taken, &a.TakenBy)
	a.Began, a.Opened, a.Mended, a.Ended, a.Taken = at(began), at(opened), at(mended), at(ended), at(taken)
	return a, err
}

// OpenAlerts lists the alerts that are open, and those whose end somebody has
// yet to be told, oldest first.
func (s *Store) OpenAlerts(ctx context.Context) ([]Alert, error) {
	return s.alerts(ctx, `SELECT `+alertColumns+` FROM alert WHERE ended = 0
		OR id IN (SELECT alert FROM alert_told WHERE began <> '' AND ended = '') ORDER BY id`)
}

// Alerts lists those that are open, or those that have ended, newest first:
// limit at most, older than the one with the ID before; with "" from the newest on.
func (s *Store) Alerts(ctx context.Context, open bool, before string, limit int) ([]Alert, error) {
	which := `ended > 0`
	if open {
		which = `ended = 0`
	}
	query := `SELECT ` + alertColumns + ` FROM alert WHERE ` + which
	if before == "" {
		return s.alerts(ctx, query+` ORDER BY id DESC LIMIT $1`, max(0, limit))
	}
	return s.alerts(ctx, query+` AND id < $1 ORDER BY id DESC LIMIT $2`, before, max(0, limit))
}

// CountAlerts is how many alerts are open.
func (s *Store) CountAlerts(ctx context.Context) (int, error) {
	n, err := one(ctx, s.read, scanOne[int], `SELECT COUNT(*) FROM alert WHERE ended = 0`)
	return n, s.explain(err)
}

// alerts lists alerts with all that belongs to them.
func (s *Store) alerts(ctx context.Context, query string, args ...any) ([]Alert, error) {
	alerts, err := all(ctx, s.read, scanAlert, query, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	index := make(map[string]*Alert, len(alerts))
	ids := make([]string, len(alerts))
	for i := range alerts {
		ids[i], index[alerts[i].ID] = alerts[i].ID, &alerts[i]
	}
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		scanBorne := func(row scanner) (_ struct{}, err error) {
			var alert string
			var b AlertBorne
			var fell, back int64
			if err := row.Scan(&alert, &b.Borne, &b.Site, &fell, &back); err != nil {
				return struct{}{}, err
			}
			b.Fell, b.Back = at(fell), at(back)
			index[alert].Bornes = append(index[alert].Bornes, b)
			return struct{}{}, nil
		}
		if _, err := all(ctx, s.read, scanBorne, `SELECT alert, borne, site, fell, back FROM alert_borne
			WHERE alert IN `+in+` ORDER BY alert, borne`, args...); err != nil {
			return nil, s.explain(err)
		}
		scanTold := func(row scanner) (_ struct{}, err error) {
			var alert string
			var t AlertTold
			var held, failed int64
			if err := row.Scan(&alert, &t.Channel, &held, &t.Began, &t.Ended, &failed); err != nil {
				return struct{}{}, err
			}
			t.Held, t.Failed = at(held), failed > 0
			index[alert].Told = append(index[alert].Told, t)
			return struct{}{}, nil
		}
		if _, err := all(ctx, s.read, scanTold, `SELECT t.alert, t.channel, t.held, t.began, t.ended, COALESCE(m.failed, 0)
			FROM alert_told t LEFT JOIN alert_message m ON m.id = t.began
			WHERE t.alert IN `+in+` ORDER BY t.alert, t.channel`, args...); err != nil {
			return nil, s.explain(err)
		}
	}
	return alerts, nil
}

// TakeAlert notes that somebody sees to an alert; with an empty name, that
// nobody does. Errors: ErrNotFound for one that is not there or has ended.
func (s *Store) TakeAlert(ctx context.Context, alert, name string, now time.Time) error {
	if name == "" {
		now = time.Time{}
	}
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `UPDATE alert SET taken = $1, taken_by = $2 WHERE id = $3 AND ended = 0`, ms(now), text(name), alert))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return []Event{{Topic: Alerted}}, err
	})
}

const messageColumns = `id, channel, name, data, created, due, tries, sent, failed, error`

func scanMessage(row scanner) (m AlertMessage, err error) {
	var created, due, sent, failed int64
	err = row.Scan(&m.ID, &m.Channel, &m.Name, &m.Data, &created, &due, &m.Tries, &sent, &failed, &m.Error)
	m.Created, m.Due, m.Sent, m.Failed = at(created), at(due), at(sent), at(failed)
	return m, err
}

// DueMessages lists messages that wait to be sent, oldest first: limit at most
// of each channel, so that those of one that takes none are in nobody's way.
func (s *Store) DueMessages(ctx context.Context, now time.Time, limit int) ([]AlertMessage, error) {
	messages, err := all(ctx, s.read, scanMessage, `SELECT `+messageColumns+` FROM (
		SELECT `+messageColumns+`, ROW_NUMBER() OVER (PARTITION BY channel ORDER BY created, id) AS place
		FROM alert_message WHERE sent = 0 AND failed = 0 AND due <= $1) AS waiting
		WHERE place <= $2 ORDER BY created, id`, ms(now), limit)
	return messages, s.explain(err)
}

// ClaimMessage gives the caller a message to send until a time, and reports
// whether it is theirs: another hub may have been faster. After that time it
// is due again, unless EndMessage was called.
func (s *Store) ClaimMessage(ctx context.Context, m AlertMessage, until time.Time) (claimed bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, `UPDATE alert_message SET due = $1, tries = tries + 1
			WHERE id = $2 AND due = $3 AND tries = $4 AND sent = 0 AND failed = 0`, ms(until), m.ID, ms(m.Due), m.Tries))
		claimed = n == 1
		return nil, err
	})
	return claimed && err == nil, err
}

// EndMessage notes how a try to send a message went: Sent, Failed, Due and
// Error are kept.
func (s *Store) EndMessage(ctx context.Context, m AlertMessage) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `UPDATE alert_message SET sent = $1, failed = $2, due = $3, error = $4 WHERE id = $5 AND sent = 0`,
			ms(m.Sent), ms(m.Failed), ms(m.Due), text(m.Error), m.ID)
		return []Event{{Topic: Alerted}}, err
	})
}

// AlertMessages returns messages by their IDs.
func (s *Store) AlertMessages(ctx context.Context, ids []string) (map[string]AlertMessage, error) {
	found := make(map[string]AlertMessage, len(ids))
	for some := range slices.Chunk(ids, maxAtOnce) {
		in, args := among(some)
		messages, err := all(ctx, s.read, scanMessage, `SELECT `+messageColumns+` FROM alert_message WHERE id IN `+in, args...)
		if err != nil {
			return nil, s.explain(err)
		}
		for _, m := range messages {
			found[m.ID] = m
		}
	}
	return found, nil
}

// AlertRule is a rule as it is kept; package alerts knows what Data says.
type AlertRule struct {
	ID      string
	Created time.Time
	Data    string // JSON
}

// AlertRules lists the rules, oldest first.
func (s *Store) AlertRules(ctx context.Context) ([]AlertRule, error) {
	scan := func(row scanner) (r AlertRule, err error) {
		var created int64
		err = row.Scan(&r.ID, &created, &r.Data)
		r.Created = at(created)
		return r, err
	}
	rules, err := all(ctx, s.read, scan, `SELECT id, created, data FROM alert_rule ORDER BY created, id`)
	return rules, s.explain(err)
}

// PutAlertRule keeps a rule, new or changed.
func (s *Store) PutAlertRule(ctx context.Context, r AlertRule) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO alert_rule (id, created, data) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET data = excluded.data`, r.ID, ms(r.Created), text(r.Data))
		return nil, err
	})
}

// RemoveAlertRule removes a rule. Errors: ErrNotFound.
func (s *Store) RemoveAlertRule(ctx context.Context, id string) error {
	return s.removeByID(ctx, `DELETE FROM alert_rule WHERE id = $1`, id)
}

// AlertChannel is a channel as it is kept; package alerts knows what Data and
// Secret say.
type AlertChannel struct {
	ID      string
	Created time.Time
	Data    string // JSON
	Secret  []byte // sealed; empty: none
}

// AlertChannels lists the channels, oldest first.
func (s *Store) AlertChannels(ctx context.Context) ([]AlertChannel, error) {
	scan := func(row scanner) (c AlertChannel, err error) {
		var created int64
		err = row.Scan(&c.ID, &created, &c.Data, &c.Secret)
		c.Created = at(created)
		return c, err
	}
	channels, err := all(ctx, s.read, scan, `SELECT id, created, data, secret FROM alert_channel ORDER BY created, id`)
	return channels, s.explain(err)
}

// PutAlertChannel keeps a channel, new or changed.
func (s *Store) PutAlertChannel(ctx context.Context, c AlertChannel) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO alert_channel (id, created, data, secret) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET data = excluded.data, secret = excluded.secret`, c.ID, ms(c.Created), text(c.Data), blob(c.Secret))
		return nil, err
	})
}

// RemoveAlertChannel removes a channel. Errors: ErrNotFound.
func (s *Store) RemoveAlertChannel(ctx context.Context, id string) error {
	return s.removeByID(ctx, `DELETE FROM alert_channel WHERE id = $1`, id)
}

func (s *Store) removeByID(ctx context.Context, statement, id string) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		n, err := affected(tx.ExecContext(ctx, statement, id))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return nil, err
	})
}

// TidyAlerts forgets the alerts that ended before a time, and the messages
// made before it.
func (s *Store) TidyAlerts(ctx context.Context, before time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) ([]Event, error) {
		for _, statement := range []string{
			`DELETE FROM alert_told WHERE alert IN (SELECT id FROM alert WHERE ended > 0 AND ended < $1)`,
			`DELETE FROM alert_borne WHERE alert IN (SELECT id FROM alert WHERE ended > 0 AND ended < $1)`,
			`DELETE FROM alert WHERE ended > 0 AND ended < $1`,
			`DELETE FROM alert_message WHERE created < $1 AND (sent > 0 OR failed > 0)`,
		} {
			if _, err := tx.ExecContext(ctx, statement, ms(before)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
