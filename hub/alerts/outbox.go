package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"parvis/hub/store"
)

const (
	// giveUp is for how long a message is tried: later it is no longer news.
	giveUp = 24 * time.Hour
	// claimFor is after how long a message is sent by another hub, when the one
	// that was at it has died.
	claimFor = 2 * time.Minute
	firstTry = 30 * time.Second // waited after the first failure, then twice as long each time
	lastTry  = 30 * time.Minute // the longest wait
	atOnce   = 100              // of a channel
)

// send sends the messages that are due: each channel's one after another, the
// channels side by side.
func (a *Alerts) send(ctx context.Context) error {
	due, err := a.Store.DueMessages(ctx, a.Now(), atOnce)
	if err != nil || len(due) == 0 {
		return err
	}
	channels, err := a.Channels(ctx)
	if err != nil {
		return err
	}
	byID := make(map[string]Channel, len(channels))
	for _, c := range channels {
		byID[c.ID] = c
	}
	queues := make(map[string][]store.AlertMessage)
	for _, m := range due {
		queues[m.Channel] = append(queues[m.Channel], m)
	}
	var sending sync.WaitGroup
	var mu sync.Mutex
	var all error
	for id, queue := range queues {
		c, known := byID[id]
		sending.Go(func() {
			if err := a.sendQueue(ctx, c, known, queue); err != nil {
				mu.Lock()
				defer mu.Unlock()
				all = errors.Join(all, err)
			}
		})
	}
	sending.Wait()
	return all
}

// sendQueue sends what waits for one channel, until something doesn't go.
func (a *Alerts) sendQueue(ctx context.Context, c Channel, known bool, queue []store.AlertMessage) error {
	for _, m := range queue {
		claimed, err := a.Store.ClaimMessage(ctx, m, a.Now().Add(claimFor))
		if err != nil {
			return err
		}
		if !claimed {
			continue
		}
		m.Tries++
		var failure error
		if known {
			failure = a.deliver(ctx, c, m)
		} else {
			failure = errors.New("ce canal a été supprimé")
		}
		if failure != nil && ctx.Err() != nil {
			return nil // the hub stops; the claim runs out
		}
		now := a.Now()
		some := new(partial)
		switch {
		case errors.As(failure, &some): // trying again would tell the others twice
			m.Sent, m.Error, failure = now, short(some.text), nil
		case failure == nil:
			m.Sent, m.Error = now, ""
		case !known, now.Sub(m.Created) >= giveUp:
			m.Failed, m.Error = now, short(failure.Error())
		default:
			m.Due, m.Error = now.Add(pause(m.Tries)), short(failure.Error())
		}
		if err := a.endMessage(ctx, m); err != nil {
			return err
		}
		if failure != nil {
			a.Log.WarnContext(ctx, "alerts: a message could not be sent", "channel", m.Channel, "message", m.ID, "tries", m.Tries)
			if known {
				return nil // the others need not try the same server now
			}
		}
	}
	return nil
}

// endMessage notes how a try went, also when the hub is told to stop: what has
// arrived must not be sent again.
func (a *Alerts) endMessage(ctx context.Context, m store.AlertMessage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return a.Store.EndMessage(ctx, m)
}

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration {
	if tries > 10 {
		return lastTry
	}
	return min(lastTry, firstTry<<(tries-1))
}

// short cuts a text that a server has sent.
func short(text string) string { return oneLineOf(strings.ToValidUTF8(text, "?"), 400) }

func (a *Alerts) deliver(ctx context.Context, c Channel, m store.AlertMessage) error {
	var content Message
	if err := json.Unmarshal([]byte(m.Data), &content); err != nil {
		return err
	}
	return a.sendTo(ctx, c, m.ID, content)
}

// secretOf opens what a channel's server asks for; empty for nothing.
func (a *Alerts) secretOf(c Channel) (string, error) {
	if !c.Secret {
		return "", nil
	}
	plain, err := a.Key.Open(c.sealed)
	if err != nil {
		return "", err
	}
	defer clear(plain)
	return string(plain), nil
}

// sendTo sends a message to a channel.
func (a *Alerts) sendTo(ctx context.Context, c Channel, id string, m Message) error {
	secret, err := a.secretOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	if c.Kind == Mail {
		return a.mail(ctx, c, secret, id, m)
	}
	return a.webhook(ctx, c, secret, id, m)
}

// Try sends a message that says nothing is wrong, at once. Errors:
// store.ErrNotFound, and what the server said.
func (a *Alerts) Try(ctx context.Context, channel string) error {
	c, err := a.Channel(ctx, channel)
	if err != nil {
		return err
	}
	if err := a.sendTo(ctx, c, newID(), Message{Items: []Item{{Event: Trial, Title: "Essai"}}}); err != nil {
		return &SendError{short(err.Error())}
	}
	return nil
}

// SendError is why a channel could not be told, for people.
type SendError struct{ Text string }

func (e *SendError) Error() string { return e.Text }
