package callbacks

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
)

// Arrival is a request as a borne hands it over.
type Arrival struct {
	ID      uuid.UUID
	Borne   string
	Code    string
	Created time.Time
	Data    []byte // sealed
}

// FloodError says that a borne has handed over so many requests that the next
// has to wait. The borne keeps it.
type FloodError struct{ RetryAfter time.Duration }

func (e *FloodError) Error() string {
	return fmt.Sprintf("trop de demandes de rappel de cette borne : la suite dans %v", e.RetryAfter)
}

// floodWithin is the time in which a borne may hand over Settings.Flood requests.
const floodWithin = 10 * time.Minute

// Take keeps a request once: on the disk, with a key of its own, and in its
// place in the queue when Take returns. fresh says that it was not there before.
// Errors: FloodError.
func (q *Queue) Take(ctx context.Context, a Arrival) (fresh bool, err error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return false, err
	}
	now := q.Now()
	if err := q.flood(ctx, a, settings, now); err != nil {
		return false, err
	}
	c, err := q.enter(ctx, store.Callback{ID: a.ID, Borne: a.Borne, Code: a.Code, Created: a.Created, Received: now, Data: a.Data}, settings)
	if err != nil {
		return false, err
	}
	return q.Store.PutCallback(ctx, c)
}

// flood refuses a request where too many like it have just come. Those that
// were made long ago, and come at once because the line was down, are no flood.
func (q *Queue) flood(ctx context.Context, a Arrival, settings Settings, now time.Time) error {
	latest, err := q.Store.LatestCallbacks(ctx, a.Borne, now.Add(-floodWithin), a.Created.Add(-floodWithin), settings.Flood)
	if err != nil || len(latest) < settings.Flood {
		return err
	}
	if there, err := q.Store.HasCallback(ctx, a.ID); err != nil || there {
		return err
	}
	if err := q.Store.BeginFault(ctx, a.Borne, link.FaultFlood, now); err != nil {
		return err
	}
	return &FloodError{max(time.Second, latest[len(latest)-1].Add(floodWithin).Sub(now))}
}

// calm ends the faults of bornes that flood the hub no more.
func (q *Queue) calm(ctx context.Context) error {
	settings, err := q.Settings(ctx)
	if err != nil {
		return err
	}
	faults, err := q.Store.OpenFaults(ctx)
	if err != nil {
		return err
	}
	now := q.Now()
	for _, f := range faults {
		if f.Fault != link.FaultFlood || now.Sub(f.Began) < floodWithin {
			continue
		}
		latest, err := q.Store.LatestCallbacks(ctx, f.Borne, now.Add(-floodWithin), time.Time{}, settings.Flood)
		if err != nil {
			return err
		}
		if len(latest) < settings.Flood {
			if err := q.Store.EndFault(ctx, f.Borne, link.FaultFlood, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter gives a raw request its key and its place in the queue.
func (q *Queue) enter(ctx context.Context, c store.Callback, settings Settings) (store.Callback, error) {
	label, err := callback.UnsealLabel(c.Data, q.identity)
	if err == nil && label.ID == c.ID {
		_, c.Data = callback.Split(c.Data) // the label has told what it had to
		c.Labelled, c.Topic, c.Lang, c.Site, c.Place = true, label.Topic, label.Lang, label.Site, label.PlaceID
		c.ByText, c.ByCard, c.Same = label.Text, label.ByCard, q.mark(label.Same)
		for _, s := range label.Slots {
			c.Slots = append(c.Slots, store.Span(s))
		}
	} else {
		q.Log.WarnContext(ctx, "a request to be called back has no label that opens", "id", c.ID, "borne", c.Borne)
	}
	c.Key = newKey()
	if c.Data, err = lock(c.Key, c.Data, forData(c.ID)); err != nil {
		return c, err
	}
	schedule, err := q.schedule(ctx, c.Borne)
	if err != nil {
		return c, err
	}
	c.State = store.CallbackWaiting
	c.Due = firstDeadline(schedule, c, settings.hours())
	c.Deadline = c.Due
	return c, nil
}

// adoptAtOnce is how many raw requests are read at a time.
const adoptAtOnce = 100

// Adopt puts into the queue what is kept raw: what came while no hub could
// read labels yet. It says how many there were.
func (q *Queue) Adopt(ctx context.Context) (n int, err error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return 0, err
	}
	for {
		raw, err := q.Store.RawCallbacks(ctx, adoptAtOnce)
		if err != nil || len(raw) == 0 {
			return n, err
		}
		for _, c := range raw {
			if c, err = q.enter(ctx, c, settings); err != nil {
				return n, err
			}
			ok, err := q.Store.Adopt(ctx, c)
			if err != nil {
				return n, err
			}
			if ok {
				n++
			}
		}
	}
}
