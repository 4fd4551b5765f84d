package alerts

import (
	"context"
	"encoding/json"

	"parvis/device"
	"parvis/hub/store"
)

// NewNotice makes a message about something that is about no borne, for a
// channel: it is sent as all are once it is kept in the store. A mail goes to
// the given addresses, or without any to the channel's own; a webhook is told of
// none. Path is that of the console's page.
func (a *Alerts) NewNotice(c Channel, to []string, title string, lines []string, path string) (store.AlertMessage, error) {
	m := Message{Items: []Item{{Event: Notice, Title: title, Severity: device.Warning, Lines: lines, Path: path, Began: a.Now()}}}
	if c.Kind == Mail {
		m.To = to
	}
	data, err := json.Marshal(m)
	if err != nil {
		return store.AlertMessage{}, err
	}
	return store.AlertMessage{ID: newID(), Channel: c.ID, Name: c.Name, Data: string(data), Created: a.Now(), Due: a.Now()}, nil
}

// Mail sends one mail by the server of a channel, at once: to one address, of
// which nothing is kept. Errors: store.ErrNotFound, SendError.
func (a *Alerts) Mail(ctx context.Context, channel, to, subject, text string) error {
	c, err := a.Channel(ctx, channel)
	if err != nil {
		return err
	}
	if c.Kind != Mail {
		return &SendError{"le canal « " + c.Name + " » n’envoie pas de courriel"}
	}
	secret, err := a.secretOf(c)
	if err != nil {
		return err
	}
	c.To = []string{to}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	msg, err := a.newMail(c, newID(), subject, text)
	if err != nil {
		return &SendError{"adresse ou expéditeur refusés"}
	}
	if err := a.dispatch(ctx, c, secret, msg); err != nil {
		return &SendError{short(err.Error())}
	}
	return nil
}
