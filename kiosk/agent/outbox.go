package agent

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"parvis/kiosk/link"
	"parvis/kiosk/store"
)

const (
	// outboxAnyway is how often the outbox is looked at, rung or not.
	outboxAnyway = 15 * time.Second
	// refusedCallback is how long a request rests that the hub has refused, and
	// failedCallback one over which the hub has stumbled: it may be the hub, or
	// that request alone.
	refusedCallback = time.Hour
	failedCallback  = 30 * time.Second
)

// courier brings the requests to be called back to the hub, each at least
// once. Only what the hub says it has leaves the borne.
type courier struct {
	agent *Agent
	// rest is until when a request that the hub did not take is left in peace. It
	// waits for a hub that takes it, and holds up no other.
	rest map[uuid.UUID]time.Time
	// left are requests that the hub has, and of which a trace may be left in
	// the database's log.
	left map[uuid.UUID]bool
}

func (a *Agent) delivering(ctx context.Context) {
	c := &courier{agent: a, rest: make(map[uuid.UUID]time.Time), left: make(map[uuid.UUID]bool)}
	back := newBackoff()
	back.Reset()
	for ctx.Err() == nil {
		a.pulse.beat("outbox", time.Hour) // a long outbox over a slow line is progress
		if !a.line.await(ctx, time.Minute) {
			continue
		}
		err := c.deliver(ctx)
		switch p := problemOf(err); {
		case err == nil:
			back.Reset()
			a.outbox.wait(ctx, outboxAnyway)
		case ctx.Err() != nil, errors.Is(err, link.ErrReconnected):
		case p != nil && !standing(p):
			pause(ctx, max(p.RetryAfter, back.NextBackOff()))
		default:
			a.line.suspect()
			pause(ctx, back.NextBackOff())
		}
	}
}

// deliver delivers what waits, oldest first, until the hub can't be reached or
// wants to be left alone.
func (c *courier) deliver(ctx context.Context) error {
	c.sweep(ctx)
	waiting, err := c.agent.o.Store.Outbox(ctx)
	c.agent.trouble(ctx, "demandes en attente", err)
	for _, r := range waiting {
		if time.Now().Before(c.rest[r.ID]) || c.forAnother(r) {
			continue
		}
		c.agent.pulse.beat("outbox", time.Hour)
		if err := c.put(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// forAnother reports whether another hub alone can open a request: a former one,
// of before the borne was enrolled here. It waits for that hub.
func (c *courier) forAnother(r store.Sealed) bool {
	if r.OnlyFor == "" || r.OnlyFor == c.agent.o.Identity.Recipient() {
		return false
	}
	if c.agent.refused.first("demande " + r.ID.String()) {
		c.agent.log.Error("une demande ne s’ouvre qu’au hub d’avant : elle est gardée", "demande", r.ID)
	}
	return true
}

func (c *courier) put(ctx context.Context, r store.Sealed) error {
	_, err := c.agent.o.Client.PutCallback(ctx, r.ID, link.Callback{
		Code: r.Code, Created: c.agent.clock.mend(r.Created).UnixMilli(), Data: r.Data})
	if p := problemOf(err); p != nil && !passing(p) {
		if c.agent.refused.first("demande " + r.ID.String()) {
			c.agent.log.Error("le hub refuse une demande : elle est gardée, nouvel essai toutes les heures",
				"demande", r.ID, "problème", p.Type, "statut", p.Status)
		}
		c.rest[r.ID] = time.Now().Add(refusedCallback)
		return nil
	}
	if p := problemOf(err); p != nil && !standing(p) && p.Type != link.ProblemBusy {
		c.agent.clock.learn(p.Now)
		c.rest[r.ID] = time.Now().Add(failedCallback)
	}
	if err != nil {
		return err
	}
	delete(c.rest, r.ID)
	c.agent.refused.forget("demande " + r.ID.String())
	c.left[r.ID] = true
	c.sweep(ctx)
	return nil
}

// sweep deletes what the hub has. What can't be deleted now will be put and
// deleted again: the hub knows it.
func (c *courier) sweep(ctx context.Context) {
	for id := range c.left {
		err := c.agent.o.Store.Delete(ctx, id)
		if err == nil {
			delete(c.left, id)
		}
		if !errors.Is(err, store.ErrLocked) { // soon another try succeeds
			c.agent.trouble(ctx, "demande transmise, non effacée", err)
		}
	}
}
