package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/google/uuid"

	"parvis/e2e/fleet"
	"parvis/e2e/xdrive"
	"parvis/hub/callbacks"
	"parvis/hub/console/browsertest"
	"parvis/hub/store/storetest"
)

// TestMediator follows one request from the resident's finger to the last byte of
// it: asked for at the borne, called about by a mediator in a browser, and thirty
// days later nowhere.
func TestMediator(t *testing.T) {
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) { testMediator(t, name, fresh) })
	}
}

func testMediator(t *testing.T, kind string, fresh func(testing.TB) string) {
	const number, written, first, note = "0612735164", "06 12 73 51 64", "Théodule", "parler fort, il porte un sonotone"
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	b.Lend(t)
	var o fleet.HubOptions
	if kind == "postgres" {
		o.Database = fresh(t)
	}
	hub := fleet.StartHub(t, o)
	dsn := o.Database
	if dsn == "" {
		dsn = filepath.Join(hub.Data, "hub.sqlite")
	}
	data := filepath.Join(b.Dir, "run/data")
	agent := fleet.Enrol(t, data, hub.Bornes, hub.Code("demo", "Mairie de quartier", "MQ-01"))
	m := mediator(t, hub)
	m.Open("/aide/agents/rappels.md") // the hub brings its guides along
	if browsertest.Script[int](m, `[...document.querySelectorAll(".guide img")].filter(i => i.naturalWidth).length`) < 4 {
		t.Errorf("the guide lacks pictures: %s", m.Text("main"))
	}
	m.Open("/rappels")

	tap(b, "start", "callback")
	find(b, "topic:justice")
	write(b, number)
	find(b, "continue", "slot:any", "continue")
	write(b, first)
	find(b, "continue", "consent", "send")
	b.WaitPage("callback.done")

	// It comes by itself, and says nothing of who asks.
	m.Until(`document.querySelector("#callback-rows")?.innerText.includes("Justice")`)
	id, err := uuid.Parse(strings.TrimPrefix(browsertest.Script[string](m, `document.querySelector("#callback-rows a").id`), "lien-"))
	must(t, err)
	m.Click("#callback-rows a")
	m.Until(`document.querySelector("#prendre") !== null`)
	if shown := m.Text("body"); strings.Contains(shown, written) || strings.Contains(shown, first) {
		t.Errorf("before anybody has taken it, the page says %s", shown)
	}
	m.Click("#prendre")
	m.Until(`document.querySelector("#numero") !== null`)
	if shown := m.Text("main"); !strings.Contains(shown, written) || !strings.Contains(shown, first) {
		t.Errorf("the holder sees %s", shown)
	}
	for n := range 2 {
		m.Click("label:has(#quoi-no_answer)")
		if n == 0 {
			m.Type("#note", note)
		}
		m.Click(".saves")
		m.Until(fmt.Sprintf(`document.querySelector("#callback-state")?.innerText.includes("Essais") && document.querySelector("label:has(#quoi-no_answer)").innerText.includes("(%d)")`, n+1))
	}
	day := time.Now().AddDate(0, 0, 7)
	when := time.Date(day.Year(), day.Month(), day.Day(), 14, 30, 0, 0, paris(t))
	m.Click("label:has(#quoi-appointment)")
	browsertest.Script[bool](m, fmt.Sprintf(`(document.querySelector("#jour").value = %q, document.querySelector("#heure").value = "14:30", true)`, when.Format(time.DateOnly)))
	m.Click(".saves")
	m.Until(`document.querySelector("#agenda") !== null`)
	wantCalendar(t, browsertest.Script[string](m, `fetch(document.querySelector("#agenda").href).then(r => r.text())`), id, when, secrets(number, first))

	traces := tracesOf(t, dsn, id, number, first, note)
	if before := inFiles(t, storetest.Files(t, dsn), traces); !slices.Contains(before, "ID") || !slices.Contains(before, "key") || !slices.Contains(before, "encrypted") {
		t.Fatalf("while the request is open, the database holds %q: the search is of no use", before)
	} else if slices.Contains(before, "number") || slices.Contains(before, "first name") || slices.Contains(before, "note") {
		t.Errorf("the database holds %q as people wrote it", before)
	}
	backups := t.TempDir()
	hub.Command("backup", filepath.Join(backups, "avant"))
	m.Click("label:has(#quoi-appointment_kept)")
	m.Click(".ends")
	m.Until(`document.body.innerText.includes("est close")`)
	tap(b, "leave", "leaving.finish")
	b.WaitPage("attract")

	agent.Stop()
	b.Stop()
	hub.Stop()
	o.Data, o.Env = hub.Data, []string{"PARVIS_NOW=" + time.Now().Add(callbacks.KeepClosed+time.Hour).Format(time.RFC3339)}
	later := fleet.StartHub(t, o)
	b.Wait("the end of what was kept", func() bool { return len(inFiles(t, storetest.Files(t, dsn), traces)) == 0 })
	later.Command("backup", filepath.Join(backups, "après"))

	var left []string
	for _, dir := range []string{filepath.Join(b.Dir, "run"), hub.Data, backups} {
		must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				left = append(left, path)
			}
			return err
		}))
	}
	if found := inFiles(t, left, traces); len(found) > 0 {
		t.Errorf("in the borne's, the hub's or the backups' files there is %q", found)
	}
	if restored := inFiles(t, restore(t, hub.Data, filepath.Join(backups, "avant")), traces); len(restored) > 0 {
		t.Errorf("the backup of before gives back %q", restored)
	}
}

// mediator opens the console in a browser as a mediator whom the administrator
// has invited.
func mediator(t *testing.T, hub *fleet.Hub) *browsertest.Browser {
	t.Helper()
	c := openConsole(t, hub)
	c.Open("/agents/nouveau")
	c.Type("#name", "M. Durand")
	c.Type("#email", "m.durand@parvis.test")
	c.Click(`label:has([name=role][value=mediator])`)
	c.Click("main button[type=submit]")
	c.Until(`document.querySelector("#lien") !== null`)
	link := browsertest.Script[string](c, `document.querySelector("#lien").value`)
	m := browsertest.At(t, hub.People).Browser()
	m.OpenURL(link)
	m.Type("#password", browsertest.Password)
	m.Type("#again", browsertest.Password)
	m.Click("main button[type=submit]")
	m.Until(`document.querySelector("h1")?.innerText == "Bornes"`)
	return m
}

// wantCalendar reads an appointment as a calendar program does.
func wantCalendar(t *testing.T, text string, id uuid.UUID, when time.Time, hidden []secret) {
	t.Helper()
	cal, err := ical.NewDecoder(strings.NewReader(text)).Decode()
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	events := cal.Events()
	if len(events) != 1 {
		t.Fatalf("%d events in\n%s", len(events), text)
	}
	start, err := events[0].DateTimeStart(time.UTC)
	must(t, err)
	uid, err := events[0].Props.Text(ical.PropUID)
	must(t, err)
	if !start.Equal(when) || !strings.HasPrefix(uid, id.String()) {
		t.Errorf("%s at %v, want %v", uid, start, when)
	}
	if found := betrayed([]byte(text), hidden); len(found) > 0 {
		t.Errorf("the calendar holds %q", found)
	}
}

// tracesOf are bytes that only one request has, by what they are.
func tracesOf(t *testing.T, dsn string, id uuid.UUID, number, first, note string) map[string][]byte {
	t.Helper()
	s := storetest.Open(t, dsn)
	c, err := s.Callback(t.Context(), id)
	must(t, err)
	sealed, err := callbacks.Sealed(c)
	must(t, err)
	steps, err := s.CallbackSteps(t.Context(), id)
	must(t, err)
	must(t, s.Close()) // its readers would be in the way of what clears the file
	traces := map[string][]byte{"ID": []byte(id.String()), "key": c.Key, "hash": c.Same, "encrypted": c.Data[:64], "sealed": sealed[len(sealed)-64:],
		"number": []byte(number[1:]), "first name": []byte(first), "note": []byte(note)}
	for _, step := range steps {
		if len(step.Note) > 0 {
			traces["encrypted note"] = step.Note
		}
	}
	if len(traces) != 9 {
		t.Fatalf("there is no note among %q", slices.Sorted(maps.Keys(traces)))
	}
	return traces
}

// inFiles lists which traces are in any of some files.
func inFiles(t *testing.T, files []string, traces map[string][]byte) []string {
	t.Helper()
	all := make(map[string]bool)
	for _, path := range files {
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) { // a log that was just emptied
			continue
		}
		must(t, err)
		for what, trace := range traces {
			all[what] = all[what] || bytes.Contains(data, trace)
		}
	}
	maps.DeleteFunc(all, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(all))
}

// restore gives a backup to a new hub with the same key, on SQLite, and returns
// its database's files.
func restore(t *testing.T, of, backup string) []string {
	t.Helper()
	data := t.TempDir()
	key, err := os.ReadFile(filepath.Join(of, "hub.key"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(data, "hub.key"), key, 0o600))
	root, err := xdrive.Root()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(root, "bin/parvis-hub"), "restore", backup, "--data", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return storetest.Files(t, filepath.Join(data, "hub.sqlite"))
}

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	return zone
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
