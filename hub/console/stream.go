package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"parvis/hub/people"
)

const (
	// maxStreams is how many open pages of one person are kept fresh.
	maxStreams = 12
	// streamLife ends a stream: nothing is held open for ever.
	streamLife = time.Minute
	// heartbeat keeps proxies from finding the stream idle.
	heartbeat    = 15 * time.Second
	writeWithin  = 10 * time.Second
	reconnectFor = 1000 // milliseconds that a browser waits before it comes again
)

// section is a part of a page that changes by itself: the element with this ID
// gets other contents.
type section struct {
	ID   string
	HTML string
	// Tag is the element's name where it matters: HTML lets parts of a table
	// stand nowhere else.
	Tag string
	// Key, where there is one, stands for the contents when they are compared
	// with those that the page has; otherwise the contents themselves do.
	Key string
	// Holds are the sections within this one, which come anew with it.
	Holds []string
}

// streams counts the open streams of each person.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

// begin takes one of a person's streams, and returns how to give it back; nil
// when there are none left.
func (s *streams) begin(person string) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[person] >= maxStreams {
		return nil
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[person]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[person]--; s.open[person] == 0 {
			delete(s.open, person)
		}
	}
}

// stream keeps a page fresh by server-sent events: it draws the sections when
// something has changed for the borne (or any, with an empty one), and sends
// those that differ from what was sent before. The first time it sends all of
// them: the page may be older than the stream.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, v *visitor, borne string, draw func(context.Context) ([]section, error)) error {
	end := c.streams.begin(v.ID)
	if end == nil {
		return refuse(http.StatusTooManyRequests, "Trop de pages ouvertes",
			"Cette page ne se met plus à jour seule. Fermez d’autres onglets de Parvis, puis actualisez.")
	}
	defer end()
	watcher, leave := c.feed.watch(borne)
	defer leave()

	ctx, cancel := context.WithTimeout(r.Context(), streamLife)
	defer cancel()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	if err := out.send(fmt.Sprintf("retry: %d\n\n", reconnectFor)); err != nil {
		return errAnswered
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	sent := map[string]string{}
	for {
		if same, err := c.stillAllowed(ctx, v); err != nil || !same {
			return errAnswered // the browser comes again, and is told
		}
		sections, err := draw(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.Log.ErrorContext(ctx, "console", "path", r.URL.Path, "err", err)
			}
			return errAnswered // the browser comes again
		}
		if event := changedSections(sections, sent); event != "" {
			if err := out.send(event); err != nil {
				return errAnswered
			}
		}
		if !c.await(ctx, watcher, beat, out) {
			return errAnswered
		}
	}
}

// stillAllowed reports whether a visitor is signed in and what they were when the
// stream began. It is asked before each drawing, so that what somebody may not
// see any more stops within lookEvery.
func (c *Console) stillAllowed(ctx context.Context, v *visitor) (bool, error) {
	open, err := c.People.SessionOpen(ctx, v.Session)
	if err != nil || !open {
		return false, err
	}
	p, err := c.People.Person(ctx, v.ID)
	if errors.Is(err, people.ErrNotFound) {
		return false, nil
	}
	return p.Disabled.IsZero() && p.Role == v.Role, err
}

// await returns when something has changed, or false when the stream is over.
func (c *Console) await(ctx context.Context, watcher *watcher, beat *time.Ticker, out *eventWriter) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-watcher.over:
			return false
		case <-watcher.changed:
			return true
		case <-beat.C:
			if err := out.send(": …\n\n"); err != nil {
				return false
			}
		}
	}
}

// eventWriter sends to a browser that may be gone or very slow.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (e *eventWriter) send(text string) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}

// ages are the elements that count by themselves in the browser: that they
// have moved on is no news.
var ages = regexp.MustCompile(` data-age="[^"]*">[^<]*<`)

// changedSections writes the event with the sections that are not as they were
// sent, and notes them as sent; "" when there are none.
func changedSections(sections []section, sent map[string]string) string {
	var b strings.Builder
	fresh := map[string]bool{} // by a section around them
	for _, s := range sections {
		key := s.Key
		if key == "" {
			key = ages.ReplaceAllString(s.HTML, "><")
		}
		old, known := sent[s.ID]
		sent[s.ID] = key
		if fresh[s.ID] || known && old == key {
			continue
		}
		for _, id := range s.Holds {
			fresh[id] = true
		}
		b.WriteString(s.swap())
	}
	if b.Len() == 0 {
		return ""
	}
	return "data: " + strings.ReplaceAll(b.String(), "\n", "\ndata: ") + "\n\n"
}

// swap is the element that tells the browser where the contents go.
func (s section) swap() string {
	if s.Tag == "" {
		return `<div hx-swap-oob="innerHTML:#` + s.ID + `">` + s.HTML + `</div>`
	}
	return `<template><` + s.Tag + ` hx-swap-oob="innerHTML:#` + s.ID + `">` + s.HTML + `</` + s.Tag + `></template>`
}

// drawSections draws the parts of a page that its template defines under their IDs.
func (c *Console) drawSections(name string, data any, ids ...string) ([]section, error) {
	var all []section
	for _, id := range ids {
		html, err := c.part(name, id, data)
		if err != nil {
			return nil, err
		}
		all = append(all, section{ID: id, HTML: html})
	}
	return all, nil
}

// rowSections draws the rows of a table, by the template OF-row, in the body
// OF-rows: one by one, and all together when others have come or their order has
// changed.
func rowSections[R interface{ Element() string }](c *Console, page, of string, all []R) ([]section, error) {
	body := section{ID: of + "-rows", Tag: "tbody", Key: "rows"}
	rows := make([]section, len(all))
	for i, row := range all {
		html, err := c.part(page, of+"-row", row)
		if err != nil {
			return nil, err
		}
		id := row.Element()
		rows[i] = section{ID: id, HTML: html, Tag: "tr"}
		body.Key += " " + id
		body.HTML += `<tr id="` + template.HTMLEscapeString(id) + `">` + html + `</tr>`
		body.Holds = append(body.Holds, id)
	}
	return append([]section{body}, rows...), nil
}

// part draws one template of a page.
func (c *Console) part(name, part string, data any) (string, error) {
	t, ok := c.pages[name]
	if !ok {
		return "", fmt.Errorf("there is no page %s", name)
	}
	var b bytes.Buffer
	err := t.ExecuteTemplate(&b, part, data)
	return strings.TrimSpace(b.String()), err
}

// age is how long ago something was, as an element that a script counts on.
func age(t, now time.Time) template.HTML {
	if t.IsZero() {
		return template.HTML(ago(t, now))
	}
	seconds := max(0, int(now.Sub(t)/time.Second))
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-age="%d">%s</time>`, t.UTC().Format(time.RFC3339), seconds, ago(t, now)))
}
