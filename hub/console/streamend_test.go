package console_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/kiosk/link"
)

// A stream ends within seconds for whoever may not see its page any more, and
// shows nothing of what happens from then on.
func TestStreamEndsWithTheRight(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	for _, test := range []struct {
		name, borne string
		role        people.Role
		lose        func(p people.Person) error
	}{
		{"another role", "MN-01", people.Agent, func(p people.Person) error { _, err := h.People.SetRole(ctx, p.ID, people.Mediator); return err }},
		{"shut out", "MM-01", people.Reader, func(p people.Person) error { _, err := h.People.Disable(ctx, p.ID); return err }},
		{"signed out", "CA-01", people.IT, func(p people.Person) error { return h.People.EndSessions(ctx, p.ID, "") }},
		{"removed", "PR-01", people.Mediator, func(p people.Person) error { return h.People.Remove(ctx, p.ID) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			visitor := h.as(test.role)
			limited, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(limited, "GET", h.URL+"/direct/bornes/"+test.borne, nil)
			must(t, err)
			answer, err := visitor.client.Do(r)
			must(t, err)
			defer answer.Body.Close()
			lines := bufio.NewScanner(answer.Body)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() && !strings.HasPrefix(lines.Text(), "data:") {
			}
			must(t, test.lose(visitor.Person))
			began := time.Now()
			h.report(test.borne, noPaper)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "Plus de papier") {
					t.Error("the stream shows what happens afterwards")
				}
			}
			must(t, lines.Err())
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the stream has gone on for %v", took)
			}
		})
	}
}

// What is on the screen goes, too: the page makes way for the one to sign in.
func TestPageEndsWithTheSession(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	b := h.As(people.Reader)
	b.Open("/?q=neudorf")
	live(b)
	must(t, h.People.EndSessions(ctx, h.Person(people.Reader).ID, ""))
	b.Until(`location.pathname === "/connexion" && document.querySelector("[name=suite]").value === "/?q=neudorf"`)
}

// A stream comes again once a minute, and begins with all that the page has
// already: nothing on the page is touched by that, or what became of the last
// command would be read aloud every minute.
func TestStreamComesAgainQuietly(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	it := h.as(people.IT)
	it.post("/bornes/MM-01/essai", nil)
	h.end("MM-01", link.Outcome{State: link.Done})
	b := h.As(people.IT)
	for path, least := range map[string]int{"/bornes/MM-01": 13, "/": 5, "/alertes": 2} {
		b.Open(path)
		live(b)
		b.Until(`document.querySelectorAll("time[data-age]").length > 0 || location.pathname === "/alertes"`)
		browsertest.Script[bool](b, `(() => {
			window.touched = []; window.swaps = 0; window.messages = 0;
			new MutationObserver((all) => window.touched.push(...all.map((m) => m.target).filter((e) => !e.closest(".live") && e.localName !== "time").map((e) => e.id || e.outerHTML))).observe(document.querySelector("main"), {childList: true, subtree: true});
			document.addEventListener("htmx:oobBeforeSwap", () => window.swaps++);
			const old = document.querySelector("[sse-connect]"), fresh = old.cloneNode();
			old.replaceWith(fresh);
			htmx.process(fresh);
			return true;
		})()`)
		b.Until(fmt.Sprintf(`window.swaps >= %d`, least))
		if touched := browsertest.Script[string](b, `new Promise((done) => setTimeout(() => done([...new Set(window.touched)].join(" ")), 50))`); touched != "" {
			t.Errorf("%s: touched without need: %s", path, touched)
		}
	}
}
