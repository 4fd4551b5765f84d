package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"parvis/hub/store"
)

// Kind is how a channel tells.
type Kind string

// The kinds.
const (
	Mail    Kind = "mail"
	Webhook Kind = "webhook"
)

// Encryption is how the connection to a mail server is secured.
type Encryption string

// The ways. Without any, nobody signs in.
const (
	STARTTLS Encryption = "starttls"
	TLS      Encryption = "tls"
	Plain    Encryption = "none"
)

// Channel is somewhere that messages go to. Its secret stands apart: see
// PutChannel.
type Channel struct {
	ID   string `json:"-"`
	Kind Kind
	Name string
	On   bool
	// Mail.
	Host string     `json:",omitempty"`
	Port int        `json:",omitempty"`
	TLS  Encryption `json:",omitempty"`
	User string     `json:",omitempty"` // empty: nobody signs in
	From string     `json:",omitempty"`
	To   []string   `json:",omitempty"`
	// Webhook.
	URL string `json:",omitempty"`

	Secret bool `json:"-"` // there is one: the password, or the key that signs
	sealed []byte
}

// Channels lists the channels, oldest first.
func (a *Alerts) Channels(ctx context.Context) ([]Channel, error) {
	kept, err := a.Store.AlertChannels(ctx)
	if err != nil {
		return nil, err
	}
	var channels []Channel
	for _, k := range kept {
		var c Channel
		if err := json.Unmarshal([]byte(k.Data), &c); err != nil {
			return nil, fmt.Errorf("alerts: channel %s: %w", k.ID, err)
		}
		c.ID, c.Secret, c.sealed = k.ID, len(k.Secret) > 0, k.Secret
		channels = append(channels, c)
	}
	return channels, nil
}

// Channel returns one channel. Errors: store.ErrNotFound.
func (a *Alerts) Channel(ctx context.Context, id string) (Channel, error) {
	channels, err := a.Channels(ctx)
	if err != nil {
		return Channel{}, err
	}
	i := slices.IndexFunc(channels, func(c Channel) bool { return c.ID == id })
	if i < 0 {
		return Channel{}, store.ErrNotFound
	}
	return channels[i], nil
}

// PutChannel keeps a channel; one without an ID is new and gets one. An empty
// secret leaves the one that is there. A secret stays with the server it was
// given for: with another host, address or user it must be given anew.
// Errors: FieldError, store.ErrNotFound.
func (a *Alerts) PutChannel(ctx context.Context, c Channel, secret string) (Channel, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	var sealed []byte
	if c.ID == "" {
		c.ID = newID()
	} else {
		old, err := a.Channel(ctx, c.ID)
		if err != nil {
			return c, err
		}
		if sealed = old.sealed; old.Host != c.Host || old.Port != c.Port || old.TLS != c.TLS || old.User != c.User || old.URL != c.URL {
			sealed = nil
		}
	}
	if c.Kind == Webhook && secret != "" && len(secret) < minKey {
		return c, wrong("secret", "La clé a au moins %d signes.", minKey)
	}
	var err error
	if secret != "" {
		if sealed, err = a.Key.Seal([]byte(secret)); err != nil {
			return c, err
		}
	}
	if c.Kind == Mail && c.User == "" {
		sealed = nil
	}
	switch needs := c.Kind == Webhook || c.User != ""; {
	case needs && len(sealed) == 0 && c.Kind == Mail:
		return c, wrong("secret", "Donnez le mot de passe de ce compte.")
	case needs && len(sealed) == 0:
		return c, wrong("secret", "Donnez la clé qui signera les messages ; le logiciel qui les reçoit a la même.")
	}
	data, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	c.Secret, c.sealed = len(sealed) > 0, sealed
	return c, a.Store.PutAlertChannel(ctx, store.AlertChannel{ID: c.ID, Created: a.Now(), Data: string(data), Secret: sealed})
}

// RemoveChannel removes a channel; what waits for it is given up. Errors:
// store.ErrNotFound.
func (a *Alerts) RemoveChannel(ctx context.Context, id string) error {
	return a.Store.RemoveAlertChannel(ctx, id)
}

// maxTo is how many addresses a mail goes to.
const maxTo = 30

func (c *Channel) check() error {
	if n := utf8.RuneCountInString(c.Name); n == 0 || n > maxName {
		return wrong("name", "Donnez un nom au canal, de %d lettres au plus.", maxName)
	}
	switch c.Kind {
	case Mail:
		return c.checkMail()
	case Webhook:
		return c.checkWebhook()
	}
	return wrong("kind", "Choisissez le courriel ou le webhook.")
}

func (c *Channel) checkMail() error {
	c.URL = ""
	if c.Host == "" || len(c.Host) > 253 || strings.ContainsAny(c.Host, " /:@\r\n\t") {
		return wrong("host", "Donnez le nom du serveur, comme smtp.ville.fr.")
	}
	if c.Port < 1 || c.Port > 65535 {
		return wrong("port", "Donnez un port, de 1 à 65535 ; souvent 587, ou 465 avec TLS.")
	}
	if !slices.Contains([]Encryption{STARTTLS, TLS, Plain}, c.TLS) {
		return wrong("tls", "Choisissez comment la connexion est chiffrée.")
	}
	if c.User != "" && c.TLS == Plain {
		return wrong("tls", "Sans chiffrement, le mot de passe passerait en clair : choisissez STARTTLS ou TLS, ou ne donnez pas de compte.")
	}
	if from, ok := address(c.From); ok {
		c.From = from
	} else {
		return wrong("from", "Donnez l’adresse de l’expéditeur, comme parvis@ville.fr.")
	}
	if len(c.To) == 0 || len(c.To) > maxTo {
		return wrong("to", "Donnez de 1 à %d adresses, une par ligne.", maxTo)
	}
	for i, to := range c.To {
		fine, ok := address(to)
		if !ok {
			return wrong("to", "« %s » n’est pas une adresse de courriel.", oneLine(to))
		}
		c.To[i] = fine
	}
	return nil
}

// address checks a bare mail address.
func address(text string) (string, bool) {
	a, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil || a.Name != "" || strings.ContainsAny(a.Address, "\r\n \"") {
		return "", false
	}
	return a.Address, true
}

// minKey is how many bytes the key of a webhook has at least.
const minKey = 16

func (c *Channel) checkWebhook() error {
	*c = Channel{ID: c.ID, Kind: c.Kind, Name: c.Name, On: c.On, URL: strings.TrimSpace(c.URL)}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(c.URL) > 2000 {
		return wrong("url", "Donnez une adresse qui commence par https:// (ou http://), sans nom ni mot de passe.")
	}
	return nil
}
