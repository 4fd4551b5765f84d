package chaos

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	hubStore "parvis/hub/store"
	"parvis/kiosk/callback"
	borneStore "parvis/kiosk/store"
)

// The days between which everything is counted.
const firstDay, lastDay = "2000-01-01", "2100-01-01"

// unrest lists what is still under way: once all is mended it must end.
func (c *town) unrest(ctx context.Context) ([]string, error) {
	var open []string
	bornes, err := c.store.Bornes(ctx)
	if err != nil {
		return nil, err
	}
	for _, seen := range bornes {
		if !seen.Seen.After(c.mended) {
			open = append(open, seen.ID+" has not come back")
		}
	}
	for _, b := range c.bornes {
		if b.win == nil && !b.app.done() {
			open = append(open, b.id+" has residents who wait")
		}
		outbox, err := b.store.Outbox(ctx)
		if err != nil {
			return nil, err
		}
		if len(outbox) > 0 {
			open = append(open, fmt.Sprintf("%s has %d requests in its outbox", b.id, len(outbox)))
		}
		here, there, err := c.counts(ctx, b)
		if err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(here, there) {
			open = append(open, fmt.Sprintf("%s counts %v, its hub %v", b.id, here, there))
		}
	}
	orders, err := c.orders.open(ctx)
	return append(open, orders...), err
}

// counts are a borne's counts as it knows them itself, and as the hub does.
func (c *town) counts(ctx context.Context, b *borne) (here, there map[string]map[string]int, err error) {
	from, err := time.Parse(time.DateOnly, firstDay)
	if err != nil {
		return nil, nil, err
	}
	to, err := time.Parse(time.DateOnly, lastDay)
	if err != nil {
		return nil, nil, err
	}
	here = make(map[string]map[string]int)
	add := func(day, key string, n int) {
		if here[day] == nil {
			here[day] = make(map[string]int)
		}
		here[day][key] = n
	}
	visits, err := b.store.Counts(ctx, from, to)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range visits {
		add(n.Day, n.Key, n.N)
	}
	devices, err := b.store.DeviceCounts(ctx, from, to)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range devices {
		add(n.Day, "device."+n.Name+"."+n.Key, n.N)
	}
	there, err = c.store.Counts(ctx, b.id, "", firstDay, lastDay)
	return here, there, err
}

// delivered is a request as it lies in the hub's database, looked at past the
// hub's own code.
type delivered struct {
	id                uuid.UUID
	borne, code       string
	created, received time.Time
	data              []byte
}

func (c *town) delivered(ctx context.Context) ([]delivered, error) {
	driver, name := "pgx", c.database
	if c.postgres == nil {
		driver, name = "sqlite3", "file:"+c.database+"?mode=ro"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if c.postgres == nil {
		var verdict string
		if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
			return nil, fmt.Errorf("the hub's database: %s %w", verdict, err)
		}
	}
	rows, err := db.QueryContext(ctx, `SELECT c.id, c.borne, c.code, c.created, c.received, c.data, c.state, k.key
		FROM callback c LEFT JOIN callback_key k ON k.id = c.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []delivered
	for rows.Next() {
		var d delivered
		var created, received int64
		c := hubStore.Callback{}
		if err := rows.Scan(&d.id, &d.borne, &d.code, &created, &received, &c.Data, &c.State, &c.Key); err != nil {
			return nil, err
		}
		c.ID = d.id
		if d.data, err = callbacks.Sealed(c); err != nil {
			return nil, fmt.Errorf("the request %s: %w", d.id, err)
		}
		d.created, d.received = time.UnixMilli(created), time.UnixMilli(received)
		all = append(all, d)
	}
	return all, rows.Err()
}

// judge tells what is wrong with the town once it is at rest.
func (c *town) judge(ctx context.Context) ([]string, error) {
	wrong, err := c.orders.judge(ctx)
	if err != nil {
		return nil, err
	}
	bornes, err := c.store.Bornes(ctx)
	if err != nil {
		return nil, err
	}
	if len(bornes) != len(c.bornes) {
		wrong = append(wrong, fmt.Sprintf("the hub has %d bornes of %d", len(bornes), len(c.bornes)))
	}
	for _, b := range bornes {
		if !b.Cloned.IsZero() {
			wrong = append(wrong, fmt.Sprintf("%s passes for two machines since %v", b.ID, b.Cloned))
		}
	}
	for _, b := range c.bornes {
		if err := sound(ctx, b.store); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", b.id, err))
		}
	}
	return c.judgeRequests(ctx, wrong)
}

func (c *town) judgeRequests(ctx context.Context, wrong []string) ([]string, error) {
	identity, err := c.key.CallbackIdentity(ctx, c.store)
	if err != nil {
		return nil, err
	}
	all, err := c.delivered(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[string]int) // by telephone number
	for _, d := range all {
		r, err := callback.Unseal(d.data, identity)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("the request %s of %s: %v", d.id, d.borne, err))
			continue
		}
		found[r.Phone]++
		if fault := c.compare(d, r); fault != "" {
			wrong = append(wrong, fmt.Sprintf("the request %s of %s (%s) %s", d.id, d.borne, r.Phone, fault))
		}
		c.late = max(c.late, c.lateness(d))
	}
	for phone, times := range found {
		if times > 1 {
			wrong = append(wrong, fmt.Sprintf("the request of %s is there %d times", phone, times))
		}
	}
	for _, b := range c.bornes {
		for phone, r := range b.made() {
			c.made++
			if r.sure {
				c.confirmed++
			}
			if r.sure && found[phone] == 0 {
				wrong = append(wrong, fmt.Sprintf("the request %s of %s at %s was confirmed and is lost", r.id, phone, b.id))
			}
		}
	}
	c.kept = len(all)
	return wrong, nil
}

// compare tells what is wrong with a request that the hub has, or "".
func (c *town) compare(d delivered, r callback.Request) string {
	i := slices.IndexFunc(c.bornes, func(b *borne) bool { return b.id == d.borne })
	if i < 0 {
		return "comes from a borne that isn't there"
	}
	made, ok := c.bornes[i].made()[r.Phone]
	switch {
	case !ok:
		return "was made by nobody"
	case r.ID != d.id || r.Code != d.code:
		return "bears another number or code inside"
	case made.id != uuid.Nil && made.id != r.ID, made.code != "" && made.code != r.Code:
		return "bears another number or code than on the borne"
	case r.Topic != topic || r.Lang != "fr" || r.Site != site || !r.Consent || len(r.Slots) != 1 || !r.Slots[0].Any():
		return "is not what the resident has asked for"
	case r.Validate() != nil:
		return r.Validate().Error()
	}
	return ""
}

// lateness is how long a request was on the way, where the borne's clock tells.
func (c *town) lateness(d delivered) time.Duration {
	i := slices.IndexFunc(c.bornes, func(b *borne) bool { return b.id == d.borne })
	if i < 0 || c.bornes[i].win != nil { // a window has a clock of its own
		return 0
	}
	return d.received.Sub(d.created)
}

// sound reports whether a borne's database is whole.
func sound(ctx context.Context, st *borneStore.Store) error {
	var verdict string
	err := st.DB().QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = fmt.Errorf("the database: %s", verdict)
	}
	return err
}
