package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

var (
	focusable = regexp.MustCompile(`<(?:a|button|select|summary|textarea|input)\b[^>]*>`)
	ids       = regexp.MustCompile(`\bid="([^"]*)"`)
)

// What can have the focus in a part of a page that changes by itself has an ID:
// by that the browser finds where the focus was.
func TestFocusCanBeFoundAgain(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	it := h.as(people.IT)
	empty := it.stream("/direct/bornes", 1)
	h.cityFleet()
	h.someAlerts()
	it.post("/bornes/MM-01/capture", nil)
	h.end("MM-01", link.Outcome{State: link.Done, FileType: "image/png", File: picture(t)})
	it.post("/bornes/MM-01/journaux", nil)
	h.end("MM-01", link.Outcome{State: link.Done, FileType: "text/plain", File: []byte("10:42 ok\n")})
	must(t, h.store.SetCloned(ctx, "MM-01", h.clock.Now()))
	for path, least := range map[string]int{"": 4, "/direct/bornes": 9, "/direct/bornes/MM-01": 7, "/direct/alertes": 3, "/direct/alertes/journal": 4} {
		events := empty
		if path != "" {
			events = it.stream(path, 1)
		}
		wantIDs(t, path, events, least)
	}
}

// wantIDs makes sure that everything in some events that can have the focus has an
// ID of its own, and that there is as much of it as a test needs.
func wantIDs(t *testing.T, path, events string, least int) {
	t.Helper()
	seen := map[string]bool{}
	for _, element := range focusable.FindAllString(events, -1) {
		if strings.Contains(element, `type="hidden"`) {
			continue
		}
		id := ids.FindStringSubmatch(element)
		if id == nil || seen[id[1]] {
			t.Errorf("%s: without an ID of its own: %s", path, element)
			continue
		}
		seen[id[1]] = true
	}
	if len(seen) < least {
		t.Errorf("%s: only %d elements: the test proves nothing", path, len(seen))
	}
}

// A town without bornes tells each what they can do about it.
func TestNoBornesYet(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	for role, enrols := range map[people.Role]bool{people.Reader: false, people.Agent: false, people.IT: true} {
		v := h.as(role)
		_, body := v.get("/")
		for what, html := range map[string]string{"page": body, "stream": v.stream("/direct/bornes", 1)} {
			if link := strings.Contains(html, `id="premiere"`); link != enrols || strings.Contains(html, "Votre service informatique") == enrols {
				t.Errorf("the %s shows %s the way to enrolment: %v", what, role, link)
			}
		}
	}
	_, body := h.as(people.Reader).get("/alertes")
	if strings.Contains(body, "Tout va bien") {
		t.Error("all is well with bornes that aren't there")
	}
}

// Requests to be called back are rounded at the head of the fleet.
func TestFewCallbacks(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "moins de 5 demandes de rappel reçues", 4: "moins de 5 demandes de rappel reçues", 7: " 5 demandes de rappel reçues"} {
		h := newFleetHub(t)
		for range n {
			_, err := h.store.PutCallback(ctx, store.Callback{ID: uuid.Must(uuid.NewV7()), Borne: "MN-01", Code: "K7", Created: h.clock.Now(), Received: h.clock.Now(), Data: []byte("sealed")})
			must(t, err)
		}
		_, body := h.as(people.Reader).get("/")
		contains(t, plain(body), want)
	}
}
