package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
)

// The plain numbers of the demo site's cards.
const (
	cityNumber   = "0006547886"
	mediatorCard = "rfid card mediator"
	staffCard    = "rfid card staff"
	staffPIN     = "2468"
)

// TestCards shows every kind of card to a borne that stands idle.
func TestCards(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Also: []string{"card"}})
	for _, test := range []struct {
		name string
		try  func(*testing.T, *xdrive.Borne)
	}{
		{"city", testCityCard}, {"mediator", testMediatorBadge}, {"staff", testStaffBadge},
		{"vitale", testVitale}, {"pass", testPass}, {"unknown", testUnknownCard},
	} {
		t.Run(test.name, func(t *testing.T) {
			visit(t, b)
			test.try(t, b)
		})
	}
}

// show shows a card to a reader and waits for the page it leads to.
func show(t *testing.T, b *xdrive.Borne, what, page string) {
	t.Helper()
	device(t, b, what)
	b.Wait("page "+page, func() bool { return b.Page().Page == page })
}

func device(t *testing.T, b *xdrive.Borne, what string) {
	t.Helper()
	if answer := b.Order(what); answer != "ok" {
		t.Fatalf("%s: %s", what, answer)
	}
}

// The city's card stands for the number that the city has: it goes into the
// sealed request in place of a phone number, and nowhere else.
func testCityCard(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	show(t, b, "rfid card "+cityNumber, "card.city")
	device(t, b, "rfid remove")
	find(b, "yes", "topic:logement", "slot:any", "continue", "continue")
	b.WaitPage("callback.review")
	find(b, "consent", "send")
	b.WaitPage("callback.done")
	ticket := print(t, b)
	if strings.Contains(ticket.Text, cityNumber) {
		t.Errorf("the ticket bears the card's number:\n%s", ticket.Text)
	}
	i := slices.IndexFunc(b.Requests(), func(r callback.Request) bool { return r.Card == cityNumber })
	if i < 0 {
		t.Fatal("no request bears the card")
	}
	if r := b.Requests()[i]; r.Phone != "" || r.Topic != "logement" {
		t.Errorf("the request asks for %s with phone %q", r.Topic, r.Phone)
	}
	leave(b)
	counted("visit", "language.fr", "card.city", "callback.begun", "callback.kept", "ticket.printed")
	for path, data := range everyFile(t, b) {
		if strings.Contains(string(data), cityNumber) || strings.Contains(string(data), "010063E9AE") {
			t.Errorf("%s holds the card's number", path)
		}
	}
}

// everyFile reads all that the borne has left under its folder, save what
// belongs to the desk of simulators.
func everyFile(t *testing.T, b *xdrive.Borne) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(b.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "profile.toml") {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 3 {
		t.Fatalf("only %d files under %s", len(all), b.Dir)
	}
	return all
}

// A mediator's badge reminds of the charter, and is counted.
func testMediatorBadge(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	show(t, b, mediatorCard, "card.mediator")
	device(t, b, "rfid remove")
	hearPage(b, "mots de passe")
	tap(b, "continue")
	b.WaitPage("home")
	leave(b)
	counted("visit", "language.fr", "card.mediator", "visit.accompanied", "aid.keypad", "aid.speech") // by hearPage
}

// A staff badge alone opens nothing; with the code it opens the pages for staff.
func testStaffBadge(t *testing.T, b *xdrive.Borne) {
	show(t, b, staffCard, "maintenance.pin")
	device(t, b, "rfid remove")
	write(b, "1357")
	tap(b, "enter")
	wantPage(t, finish(b), "maintenance.pin")
	hearPage(b, "n'est pas le bon")
	write(b, staffPIN)
	tap(b, "enter")
	b.Wait("the page for staff", func() bool { return b.Page().Page == "maintenance" })

	find(b, "devices")
	b.WaitPage("maintenance.devices")
	hearPage(b, "Imprimante de tickets : en ordre", "Lecteur de badges : en ordre", "Lecteur de cartes à puce")
	before := len(b.Tickets())
	find(b, "trial:0")
	wantPage(t, finish(b), "maintenance.devices")
	if ticket := b.WaitTicket(before + 1); !strings.Contains(flat(ticket.Text), "essai") {
		t.Errorf("the trial prints\n%s", ticket.Text)
	}
	tap(b, "nav.back")
	find(b, "out")
	b.Wait("out of service", func() bool { return has(b.Page(), "in") })
	find(b, "leaving.finish")
	b.WaitPage("closed")

	// Out of service it stays, over a restart and whatever resident touches it.
	pid := b.PID()
	b.Kill()
	b.Start()
	if page := b.Page().Page; page != "closed" {
		t.Fatalf("after a power cut the borne shows %s", page)
	}
	device(t, b, mediatorCard)
	device(t, b, "rfid remove")
	show(t, b, staffCard, "maintenance.pin")
	device(t, b, "rfid remove")
	write(b, staffPIN)
	tap(b, "enter")
	b.Wait("the page for staff", func() bool { return b.Page().Page == "maintenance" })
	find(b, "in")
	b.Wait("in service", func() bool { return has(b.Page(), "out") })
	if b.PID() == pid {
		t.Fatal("the borne was not started again")
	}

	// Restarted by staff, the same process begins anew.
	pid = b.PID()
	find(b, "restart")
	b.Wait("the first page", func() bool { return b.Page().Page == "attract" })
	if b.PID() != pid || syscall.Kill(pid, 0) != nil {
		t.Error("restarting ended the process")
	}
	var touched time.Time
	b.Wait("a borne that answers", func() bool { // the page is told before its window takes touches
		if b.Page().Page == "attract" && time.Since(touched) > time.Second {
			b.Tap("start")
			touched = time.Now()
		}
		return b.Page().Page == "home"
	})
	leave(b)
}

// A carte Vitale is known by what every chip card says of itself; nothing on it
// is read, and the resident is told where to update it.
func testVitale(t *testing.T, b *xdrive.Borne) {
	show(t, b, "card insert vitale", "card.vitale")
	hearPage(b, "ne lit pas votre carte Vitale", "pharmacie")
	leaveWith := func() bool { return strings.Contains(strings.Join(heard(b), "\n"), "votre carte") }
	tap(b, "nav.home", "nav.leave")
	b.Key("F1")
	b.Wait("the reminder", leaveWith)
	b.Key("F1")
	if status := b.Order("card status"); !strings.Contains(status, "apdus=0") {
		t.Errorf("the card was asked something: %s", status)
	}
	device(t, b, "card remove")
	find(b, "leaving.finish")
	b.WaitPage("attract")
}

func heard(b *xdrive.Borne) []string {
	var all []string
	for _, u := range b.Spoken() {
		all = append(all, u.Text)
	}
	return all
}

// A Pass numérique is only looked at for its form.
func testPass(t *testing.T, b *xdrive.Borne) {
	show(t, b, "scanner scan ABCD12345678", "card.pass")
	for _, u := range b.Listen() {
		if strings.Contains(u.Text, "ABCD") {
			t.Errorf("the code is said: %q", u.Text)
		}
	}
	show(t, b, "scanner scan https://example.org/x", "card.unknown")
	leave(b)
}

// An unknown card, and a city card read by pcscd while the other lies there.
func testUnknownCard(t *testing.T, b *xdrive.Borne) {
	show(t, b, "card insert city", "card.city")
	device(t, b, "card remove")
	show(t, b, "rfid card unknown", "card.unknown")
	device(t, b, "rfid remove")
	find(b, "callback")
	b.WaitPage("callback.topic")
	leave(b)
}

// An A4 printer prints what the page shows; its paper ends amid a sheet, is
// refilled, and nothing comes out twice.
func TestOfficePrinter(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Also: []string{"office"}})
	openPlace(b)
	b.Wait("both printers", func() bool { return !b.Target("print").Disabled })
	tap(b, "print")
	b.WaitPage("print.choose")
	tap(b, "on:a4")
	wantPage(t, finish(b), "place")
	if text := sheet(t, b, 1); !strings.Contains(text, "Bureau de poste") || !strings.Contains(text, "Horaires") {
		t.Errorf("the sheet says\n%s", text)
	}
	device(t, b, "office paper out")
	tap(b, "print")
	b.WaitPage("print.choose")
	b.Wait("a page that knows there is no paper", func() bool { return b.Target("on:a4").Disabled && !b.Target("on:ticket").Disabled })
	tap(b, "on:a4")
	hearPage(b, "L'imprimante n'a plus de papier.", "Vos informations sont gardées.")
	device(t, b, "office paper in")
	b.Wait("a page that offers the sheet again", func() bool { return !b.Target("on:a4").Disabled })
	tap(b, "on:a4")
	wantPage(t, finish(b), "place")
	sheet(t, b, 2)
	if n := len(sheets(t, b)); n != 2 {
		t.Errorf("%d sheets were printed", n)
	}
	leave(b)
}

func sheets(t *testing.T, b *xdrive.Borne) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(b.Dir, "run/office/printed/*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sheet waits for the n-th sheet and reads it.
func sheet(t *testing.T, b *xdrive.Borne, n int) string {
	t.Helper()
	b.Wait("a sheet", func() bool { return len(sheets(t, b)) >= n })
	all := sheets(t, b)
	slices.Sort(all)
	text, err := exec.Command("pdftotext", "-layout", all[len(all)-1], "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian package poppler-utils): %v", err)
	}
	return string(text)
}

// TestDoctor asks a running borne how it is, and one that stands still.
func TestDoctor(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{})
	order(t, b, "paper out")
	var findings map[string]string
	b.Wait("a doctor who knows of the paper", func() bool {
		findings = doctor(t, b)
		return strings.Contains(findings["Imprimante de tickets"], "plus de papier")
	})
	if seen := findings["Lecteur de badges"]; !strings.Contains(seen, "prêt") {
		t.Errorf("of the reader it says %q", seen)
	}
	b.Stop()
	order(t, b, "paper in")
	order(t, b, "cover open")
	findings = doctor(t, b)
	if seen := findings["Imprimante de tickets"]; !strings.Contains(seen, "capot ouvert") {
		t.Errorf("with nobody at the printer it says %q", seen)
	}
}

// doctor maps the devices to what it sees of them.
func doctor(t *testing.T, b *xdrive.Borne) map[string]string {
	t.Helper()
	out, status := b.Try("doctor", "--data", "run/data", "--profile", "run/profile.toml", "--json")
	if status != 1 {
		t.Fatalf("with a fault, doctor ends with status %d:\n%s", status, out)
	}
	seen := map[string]string{}
	for line := range strings.Lines(out) {
		var f struct{ Check, Device, Seen, Do, Severity string }
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if f.Severity != "" && f.Do == "" {
			t.Errorf("%s is wrong, and nobody is told what to do", f.Seen)
		}
		seen[f.Device] = f.Seen
	}
	return seen
}
