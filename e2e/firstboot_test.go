package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/e2e/fleet"
	"parvis/e2e/xdrive"
)

// TestFirstBoot puts a borne that knows nothing into service: it asks for the
// code on its glass, and for nothing else, and serves residents once a hub has
// taken it.
func TestFirstBoot(t *testing.T) {
	hub := fleet.StartHub(t, fleet.HubOptions{})
	code := hub.Code("neudorf", "Mairie de Neudorf", "MN-01")
	b := xdrive.StartBorne(t, xdrive.Options{Profile: "-", Places: "-", Bare: true, Env: []string{xdrive.Morning}})
	fleet.Strange(t, filepath.Join(b.Dir, "run/data"))
	b.WaitPage("maintenance.enrol")
	for _, away := range []string{"start", "nav.home", "nav.back", "nav.person"} {
		for _, target := range b.Page().Targets {
			if target.ID == away {
				t.Errorf("%s leads away from the first page", away)
			}
		}
	}
	typeLine := func(line string) {
		t.Helper()
		for _, r := range strings.ToUpper(line) {
			b.Tap("key:" + string(r))
		}
	}
	began := time.Now()
	wrong := strings.Repeat("0", 45) + "@" + hub.Bornes
	typeLine(wrong)
	if !b.Target("enter").Disabled {
		t.Error("a code that is none can be entered")
	}
	b.Tap("key.clear")
	typeLine(code + "@" + hub.Bornes)
	before := started(t, b)
	b.Tap("enter")
	b.Wait("a new start", func() bool { return started(t, b) != before && b.Page().Page == "attract" })
	t.Logf("typed and in service after %v", time.Since(began).Round(time.Millisecond))
	b.Tap("start")
	b.WaitPage("home")
	fleetSays := func() string { return hub.Command("borne", "list") }
	b.Wait("the hub to hear of it", func() bool { return strings.Contains(fleetSays(), "MN-01") })
}
