package alerts_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

const webhookKey = "une clé de seize lettres"

func (r *receiver) channel() alerts.Channel {
	return alerts.Channel{Kind: alerts.Webhook, Name: "Centre de services", On: true, URL: r.URL + "/parvis?jeton=abc"}
}

func TestWebhook(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
		r := newReceiver(t)
		c, err := w.hubs[0].PutChannel(ctx, r.channel(), webhookKey)
		must(t, err)
		kept, err := w.store.AlertChannels(ctx)
		must(t, err)
		if len(kept) != 1 || bytes.Contains(kept[0].Secret, []byte(webhookKey)) || strings.Contains(kept[0].Data, webhookKey) {
			t.Errorf("the key lies open: %+v", kept)
		}
		w.run(3 * time.Minute)
		r.reply = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
		b.faults = w.fault(link.FaultAppStopped)
		w.run(3 * time.Minute)
		tries := r.got()
		if len(tries) == 0 {
			t.Fatal("nothing came")
		}
		r.reply = func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "/elsewhere", http.StatusTemporaryRedirect)
		}
		w.run(5 * time.Minute)
		tries = append(tries, r.got()...)
		r.reply = nil
		w.run(10 * time.Minute)
		posts := r.got()
		if len(posts) != 1 {
			t.Fatalf("%d messages", len(posts))
		}
		for _, p := range append(tries, posts...) {
			at := p.header.Get("Parvis-Timestamp")
			mac := hmac.New(sha256.New, []byte(webhookKey))
			mac.Write([]byte(at + "." + string(p.body)))
			if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); p.header.Get("Parvis-Signature") != want {
				t.Errorf("signature %q, want %q", p.header.Get("Parvis-Signature"), want)
			}
			if p.header.Get("Idempotency-Key") != posts[0].header.Get("Idempotency-Key") {
				t.Errorf("another ID: %v", p.header)
			}
		}
		var m struct {
			ID, Subject, Text, URL string
			Items                  []alerts.Item
		}
		must(t, json.Unmarshal(posts[0].body, &m))
		if len(m.Items) != 1 || m.Items[0].Fault != link.FaultAppStopped || m.Items[0].Event != alerts.Begins || m.Items[0].Bornes[0] != (alerts.Place{Borne: "MN-01", Site: "Mairie de Neudorf"}) {
			t.Errorf("the message: %s", posts[0].body)
		}
		must(t, w.hubs[0].Try(ctx, c.ID))
		if posts := r.got(); len(posts) != 1 || !strings.Contains(string(posts[0].body), `"event":"test"`) {
			t.Errorf("the trial: %v", posts)
		}
	})
}

// A webhook leads nowhere that only the hub itself can reach, by whatever name.
func TestWebhookGuard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	a := alerts.New(alerts.Options{Store: w.store, Key: w.key, URL: "https://parvis.ville.fr", Now: w.clock, Roots: mailtest.Roots})
	r := newReceiver(t)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	for _, url := range []string{r.URL, "https://localhost" + port, "http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port, "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://224.0.0.1/"} {
		c, err := a.PutChannel(ctx, alerts.Channel{Kind: alerts.Webhook, Name: "x", On: true, URL: url}, webhookKey)
		must(t, err)
		var failed *alerts.SendError
		if err := a.Try(ctx, c.ID); !errors.As(err, &failed) || !strings.Contains(err.Error(), "celle du hub lui-même ou d’un réseau réservé") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if posts := r.got(); len(posts) > 0 {
		t.Errorf("%d messages came through", len(posts))
	}
}

func TestMailRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	a := w.hubs[0]
	box := mailtest.Start(t)
	c, err := a.PutChannel(ctx, box.Channel(), "s3cr3t-mistake")
	must(t, err)
	var failed *alerts.SendError
	if err := a.Try(ctx, c.ID); !errors.As(err, &failed) || strings.Contains(err.Error(), "s3cr3t-mistake") {
		t.Errorf("a wrong password: %v", err)
	}
	c, err = a.PutChannel(ctx, c, mailtest.Password)
	must(t, err)
	must(t, a.Try(ctx, c.ID))
	if l := box.Got(); len(l) != 1 || l[0].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("the trial: %+v", l)
	}
	// The password stays, unless the server is another one.
	c.To = []string{"other@ville.fr"}
	c, err = a.PutChannel(ctx, c, "")
	must(t, err)
	must(t, a.Try(ctx, c.ID))
	c.Host = "localhost"
	var field *alerts.FieldError
	if _, err := a.PutChannel(ctx, c, ""); !errors.As(err, &field) || field.Field != "secret" {
		t.Errorf("another server gets the old password: %v", err)
	}
	box.Refuse(&smtp.SMTPError{Code: 554, Message: "No such user here"})
	if err := a.Try(ctx, c.ID); err == nil || !strings.Contains(err.Error(), "554") {
		t.Errorf("a refused mail: %v", err)
	}
}

// One who has left keeps nobody else from being told, and nobody is told twice.
func TestRecipientGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	box := mailtest.Start(t)
	c := box.Channel()
	c.To = []string{"agents@ville.fr", "gone@ville.fr", "it@ville.fr"}
	_, err := w.hubs[0].PutChannel(ctx, c, mailtest.Password)
	must(t, err)
	w.run(time.Minute)
	b.faults = w.fault(link.FaultAppStopped)
	w.run(20 * time.Minute)
	told := map[string]int{}
	for _, l := range box.Got() {
		for _, to := range l.To {
			told[to]++
		}
	}
	if len(told) != 2 || told["agents@ville.fr"] != 1 || told["it@ville.fr"] != 1 {
		t.Errorf("told: %v", told)
	}
	open, err := w.store.Alerts(ctx, true, "", 1)
	must(t, err)
	id := open[0].Told[0].Began
	messages, err := w.store.AlertMessages(ctx, []string{id})
	must(t, err)
	if m := messages[id]; m.Sent.IsZero() || !strings.Contains(m.Error, "gone@ville.fr") {
		t.Errorf("the message: %+v", m)
	}
}

func TestChannelMistakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	mail := (&mailtest.Mailbox{Port: 25}).Channel()
	hook := alerts.Channel{Kind: alerts.Webhook, Name: "x", URL: "https://example.org/"}
	for name, test := range map[string]struct {
		edit   func(*alerts.Channel)
		of     alerts.Channel
		secret string
		field  string
	}{
		"no name":             {func(c *alerts.Channel) { c.Name = "" }, mail, "x", "name"},
		"no kind":             {func(c *alerts.Channel) { c.Kind = "" }, mail, "x", "kind"},
		"host with path":      {func(c *alerts.Channel) { c.Host = "smtp.ville.fr/x" }, mail, "x", "host"},
		"host with line":      {func(c *alerts.Channel) { c.Host = "smtp\r\nville" }, mail, "x", "host"},
		"port":                {func(c *alerts.Channel) { c.Port = 70000 }, mail, "x", "port"},
		"password in clear":   {func(c *alerts.Channel) { c.TLS = alerts.Plain }, mail, "x", "tls"},
		"from":                {func(c *alerts.Channel) { c.From = "Parvis" }, mail, "x", "from"},
		"nobody":              {func(c *alerts.Channel) { c.To = nil }, mail, "x", "to"},
		"header in address":   {func(c *alerts.Channel) { c.To = []string{"a@b.fr\r\nBcc: x@y.fr"} }, mail, "x", "to"},
		"no password":         {func(*alerts.Channel) {}, mail, "", "secret"},
		"no key":              {func(*alerts.Channel) {}, hook, "", "secret"},
		"short key":           {func(*alerts.Channel) {}, hook, "short", "secret"},
		"file":                {func(c *alerts.Channel) { c.URL = "file:///etc/passwd" }, hook, webhookKey, "url"},
		"gopher":              {func(c *alerts.Channel) { c.URL = "gopher://example.org" }, hook, webhookKey, "url"},
		"password in the URL": {func(c *alerts.Channel) { c.URL = "https://a:b@example.org/" }, hook, webhookKey, "url"},
	} {
		c := test.of
		test.edit(&c)
		var field *alerts.FieldError
		if _, err := w.hubs[0].PutChannel(ctx, c, test.secret); !errors.As(err, &field) || field.Field != test.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if kept, err := w.store.AlertChannels(ctx); err != nil || len(kept) > 0 {
		t.Errorf("kept: %v %v", kept, err)
	}
}

// A name cannot become a header, nor HTML.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	b := w.add("MN-01", "Mairie\r\nBcc: victim@ville.fr\r\n\r\n<script>alert(1)</script>\u2028x", "203.0.113.7")
	b.devices = []link.Device{{Name: "<img src=x>\r\nX-Evil: 1", Kind: "ticket_printer", State: "user_error", Fault: "no_paper", Since: w.clock().Unix()}}
	box := w.mail()
	w.run(4 * time.Minute)
	l := box.Got()
	if len(l) != 1 {
		t.Fatalf("%d mails", len(l))
	}
	if l[0].Header.Get("Bcc") != "" || l[0].Header.Get("X-Evil") != "" || len(l[0].To) != 2 {
		t.Errorf("headers %v, to %v", l[0].Header, l[0].To)
	}
	if strings.Contains(l[0].HTML, "<script") || strings.Contains(l[0].HTML, "<img") || !strings.Contains(l[0].HTML, "&lt;script&gt;") || !strings.Contains(l[0].HTML, "&lt;img") {
		t.Errorf("the HTML: %s", l[0].HTML)
	}
	if !strings.Contains(l[0].Subject, "<script>") { // as a text it does no harm
		t.Errorf("the subject: %q", l[0].Subject)
	}
}

// A hub that is told to stop while it sends notes what has arrived: the next
// one does not tell it again.
func TestStopsWhileSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	b := w.add("MN-01", "Mairie de Neudorf", "203.0.113.7")
	r := newReceiver(t)
	_, err := w.hubs[0].PutChannel(ctx, r.channel(), webhookKey)
	must(t, err)
	w.run(time.Minute)
	b.faults = w.fault(link.FaultAppStopped)
	for range 6 {
		w.set(w.clock().Add(30 * time.Second))
		w.report()
		must(t, w.hubs[0].Step(ctx))
	}
	stopping := &ending{Context: ctx}
	r.reply = func(http.ResponseWriter, *http.Request) { stopping.ended.Store(true) }
	must(t, w.hubs[0].Send(stopping))
	r.reply = nil
	if n := len(r.got()); n != 1 {
		t.Fatalf("%d messages before the stop", n)
	}
	w.hubs = nil
	w.hub(w.store)
	w.run(10 * time.Minute)
	if n := len(r.got()); n != 0 {
		t.Errorf("it is told %d times more", n)
	}
}

// ending is a context that ends at a moment when nobody looks at Done.
type ending struct {
	context.Context
	ended atomic.Bool
}

func (e *ending) Err() error {
	if e.ended.Load() {
		return context.Canceled
	}
	return nil
}
