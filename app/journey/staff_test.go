package journey_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parvis/app/journey"
	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/device"
	"parvis/device/printer"
	"parvis/device/reader"
	"parvis/kiosk/card"
	"parvis/kiosk/visit"
)

// try shows the badge and types a code.
func try(t *testing.T, b *journeytest.Borne, v *visit.Visit, pin string) {
	t.Helper()
	b.Show(v, journeytest.Agent)
	b.Type(t, v, pin)
	b.Choose(t, v, "enter")
}

// A badge opens nothing by itself, and a wrong code nothing either.
func TestBadgeNeedsAPIN(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	try(t, b, v, "2469")
	p := b.Page(t.Context(), v)
	if p.Name != "maintenance.pin" || !strings.Contains(words(p), "pas le bon") || len(v.PIN) != 0 {
		t.Fatalf("page %s, %d digits left, says\n%s", p.Name, len(v.PIN), words(p))
	}
	if b.Counts["maintenance.refused"] != 1 || b.Counts["maintenance.opened"] != 0 {
		t.Errorf("counts %v", b.Counts)
	}
	b.Type(t, v, journeytest.PIN)
	b.Choose(t, v, "enter")
	if v.Here().Page != "maintenance" || b.Counts["maintenance.opened"] != 1 {
		t.Errorf("on page %s, counts %v", v.Here().Page, b.Counts)
	}
}

// What is typed shows as dots, and no part of the page says a digit of it but
// into a headset.
func TestPINIsNotShown(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.Agent)
	b.Type(t, v, "297")
	p := b.Page(t.Context(), v)
	said := words(p)
	if !p.Private || strings.Contains(said, "297") || strings.Contains(said, "•") || !strings.Contains(said, "3 signes") {
		t.Errorf("the page says\n%s", said)
	}
	for _, part := range p.Reading() {
		if p.IsKey(part) && !part.Private {
			t.Errorf("key %s may be said to all", part.Choice.ID)
		}
	}
	if c, _ := p.Find("enter"); !strings.Contains(c.Why, "4 chiffres") {
		t.Errorf("three digits: why %q", c.Why)
	}
}

// Who guesses waits longer and longer, whatever badge or visit, and the right
// code doesn't help during the wait.
func TestPINLimit(t *testing.T) {
	b := journeytest.New(t)
	for i := range 3 {
		try(t, b, visit.New(i, ""), "0000")
	}
	v := visit.New(9, "")
	b.Show(v, journeytest.Agent)
	b.Type(t, v, journeytest.PIN)
	c, _ := b.Page(t.Context(), v).Find("enter")
	if !strings.Contains(c.Why, "Attendez 1\u00a0minute") && !strings.Contains(c.Why, "Attendez 1 minute") {
		t.Errorf("why: %q", c.Why)
	}
	if task := b.Journey.Choose(t.Context(), v, "enter"); task != nil {
		t.Error("a try is made during the wait")
	}
	b.Clock = b.Clock.Add(time.Minute)
	b.Choose(t, v, "enter")
	if v.Here().Page != "maintenance" {
		t.Errorf("on page %s", v.Here().Page)
	}
}

func TestPINWithoutDiskOrProfile(t *testing.T) {
	b := journeytest.New(t)
	b.PINLimit.Load = func(context.Context) (string, error) { return "", errors.New("disk") }
	v := visit.New(1, "")
	try(t, b, v, journeytest.PIN)
	if p := b.Page(t.Context(), v); p.Name != "maintenance.pin" || !strings.Contains(words(p), "disque") {
		t.Errorf("page %s says\n%s", p.Name, words(p))
	}
	b = journeytest.New(t)
	b.PIN = card.PIN{}
	v = visit.New(1, "")
	b.Show(v, journeytest.Agent)
	p := b.Page(t.Context(), v)
	if _, ok := p.Find("enter"); ok || !strings.Contains(p.Lead, "parvis badge code") {
		t.Errorf("without a code in the profile: says\n%s", words(p))
	}
}

// open gets to the pages for staff.
func open(t *testing.T, b *journeytest.Borne) *visit.Visit {
	t.Helper()
	v := visit.New(1, "")
	try(t, b, v, journeytest.PIN)
	if v.Here().Page != "maintenance" {
		t.Fatalf("on page %s", v.Here().Page)
	}
	return v
}

func TestMaintenancePages(t *testing.T) {
	b := journeytest.New(t)
	b.AddSheetPrinter()
	v := open(t, b)
	v.Lang = "en"
	if p := b.Page(t.Context(), v); p.Lang != "fr" || !strings.Contains(words(p), "4 appareils à regarder") {
		t.Errorf("in %s:\n%s", p.Lang, words(p))
	}
	if b.Patience(v) != visit.Maintenance {
		t.Errorf("patience %v", b.Patience(v))
	}
	b.Choose(t, v, "devices")
	said := words(b.Page(t.Context(), v))
	for _, want := range []string{"Imprimante A4\u00a0: Appareil débranché", "le câble est branché", "Bientôt plus de papier", "Lecteur de badges\u00a0: en ordre", "Lecteur de codes\u00a0: état inconnu", "Son\u00a0: démarrage"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing from\n%s", want, said)
		}
	}
	b.Choose(t, v, "trial:0", "trial:1")
	if len(b.Tickets) != 1 || len(b.Sheets) != 1 || !strings.Contains(printed(b.Tickets[0]), "Page d’essai") {
		t.Errorf("%d tickets, %d sheets", len(b.Tickets), len(b.Sheets))
	}
	b.Fault = &printer.Error{Fault: device.NoPaper, Printed: printer.Nothing}
	b.Choose(t, v, "trial:0")
	if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "Essai manqué") || !strings.Contains(said, "Mettez un rouleau") {
		t.Errorf("the trial failed, and the page says\n%s", said)
	}
	// Staff try the reader: it says what it sees and leads nowhere.
	b.Show(v, journeytest.CityCard)
	if p := b.Page(t.Context(), v); p.Name != "maintenance.devices" || p.Banner == nil || !strings.Contains(p.Banner.Text, "carte de la ville") || len(v.Card) != 0 {
		t.Errorf("page %s, banner %+v, number %q", p.Name, p.Banner, v.Card)
	}
	b.Choose(t, v, "nav.back", "faults")
	if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "Plus de papier") || !strings.Contains(said, "Mardi 24 novembre, 9\u00a0h\u00a042") {
		t.Errorf("faults:\n%s", said)
	}
	b.RestartFails = errors.New("site.nom")
	b.Choose(t, v, "nav.back", "restart")
	if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "ne repartirait pas") {
		t.Errorf("with a profile that is wrong:\n%s", said)
	}
	b.RestartFails = nil
	b.Choose(t, v, "restart")
	if b.Restarts != 2 {
		t.Errorf("restarted %d times", b.Restarts)
	}
}

// From the pages for staff nothing leads on to pages for residents, whence Back
// would lead to them again without the code.
func TestNothingIsLeftOpen(t *testing.T) {
	for _, out := range []bool{false, true} {
		b := journeytest.New(t)
		if out {
			b.Kept["out"] = "yes"
		}
		for _, way := range [][]string{{}, {"devices"}, {"faults"}, {"sound"}} {
			v := visit.New(1, "")
			b.Show(v, journeytest.Agent)
			b.Choose(t, v, "nav.bigger")
			onlyStaffNav(t, b, v)
			b.Type(t, v, journeytest.PIN)
			for _, id := range append([]string{"enter"}, way...) {
				b.Choose(t, v, id)
				onlyStaffNav(t, b, v)
			}
			b.Choose(t, v, "nav.home")
			if got, want := pages(v), map[bool]string{false: "home", true: "attract"}[out]; got != want {
				t.Errorf("out of service %t: home from %v leads to %s", out, way, got)
			}
		}
	}
}

// onlyStaffNav checks what the foot of a page for staff offers.
func onlyStaffNav(t *testing.T, b *journeytest.Borne, v *visit.Visit) {
	t.Helper()
	var ids []string
	for _, c := range b.Page(t.Context(), v).Nav {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, " "); got != "nav.back nav.home nav.listen nav.bigger" {
		t.Errorf("page %s offers %s", v.Here().Page, got)
	}
}

// The right code ends the visit amid which the badge was shown: nothing of it is
// seen behind the pages for staff.
func TestCodeEndsTheVisit(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:1", "continue", "continue")
	phone := v.Draft.Phone
	try(t, b, v, "0000")
	if got := pages(v); !strings.HasSuffix(got, "callback.review maintenance.pin") || string(v.Draft.Phone) != "0612345678" {
		t.Fatalf("after a wrong code: path %s, typed %q", got, v.Draft.Phone)
	}
	b.Type(t, v, journeytest.PIN)
	b.Choose(t, v, "enter")
	if got := pages(v); got != "home maintenance" || strings.Trim(string(phone), "\x00") != "" || len(v.Draft.Phone) != 0 {
		t.Errorf("path %s, %q is left", got, phone)
	}
}

// The goroutine that draws waits for no disk: the faults are read once, by a
// task, and the wait for the next try is known.
func TestDrawingReadsNoDisk(t *testing.T) {
	b := journeytest.New(t)
	read := 0
	load, faults := b.PINLimit.Load, b.Faults
	b.PINLimit.Load = func(ctx context.Context) (string, error) { read++; return load(ctx) }
	b.Faults = func() []journey.FaultLine { read++; return faults() }
	v := visit.New(1, "")
	b.Show(v, journeytest.Agent)
	b.Type(t, v, journeytest.PIN)
	if b.Page(t.Context(), v); read != 0 {
		t.Fatalf("the page for the code has read the disk %d times", read)
	}
	b.Choose(t, v, "enter")
	read = 0
	task := b.Journey.Choose(t.Context(), v, "faults")
	if task == nil || read != 0 {
		t.Fatalf("task %v, read %d times", task, read)
	}
	task.Run(t.Context())(v)
	for range 3 {
		if p := b.Page(t.Context(), v); p.Name != "maintenance.faults" || !strings.Contains(words(p), "Plus de papier") {
			t.Errorf("page %s says\n%s", p.Name, words(p))
		}
	}
	if read != 1 {
		t.Errorf("read %d times", read)
	}
}

// What the resident asked to hear aloud was not the code.
func TestPINIsNotForAll(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	v.Aloud = true
	b.Show(v, journeytest.Agent)
	if v.Aloud {
		t.Error("it is still asked for")
	}
	v.Aloud = true
	if b.MaySay(v) {
		t.Error("the code may be said to all")
	}
}

// Out of service, the page for the code stays in sight whatever card a resident
// shows.
func TestCardsOverTheCode(t *testing.T) {
	b := journeytest.New(t)
	b.Kept["out"] = "yes"
	v := visit.New(1, "")
	b.Show(v, journeytest.Agent)
	b.Type(t, v, "24")
	for _, e := range []reader.Event{journeytest.CityCard, journeytest.Mediator, journeytest.Vitale, journeytest.Two} {
		b.Show(v, e)
	}
	if pages(v) != "attract maintenance.pin" || string(v.PIN) != "24" || len(v.Card) != 0 || v.Accompanied {
		t.Errorf("path %s, %d digits, number %q", pages(v), len(v.PIN), v.Card)
	}
}

func TestStartVolume(t *testing.T) {
	b := journeytest.New(t)
	v := open(t, b)
	b.Choose(t, v, "sound")
	for range 5 {
		b.Choose(t, v, "louder")
	}
	p := b.Page(t.Context(), v)
	if c, _ := p.Find("louder"); b.StartVolume() != 7 || !c.Disabled() || !strings.Contains(p.Lead, "8 sur 8") {
		t.Errorf("volume %d, the page says %q", b.StartVolume(), p.Lead)
	}
	b.SetVolume = func(int) error { return errors.New("disk") }
	b.Choose(t, v, "quieter")
	if said := words(b.Page(t.Context(), v)); b.StartVolume() != 7 || !strings.Contains(said, "n’est pas gardé") {
		t.Errorf("volume %d, the page says\n%s", b.StartVolume(), said)
	}
}

// Out of service only a staff badge does anything, over a restart too.
func TestOutOfService(t *testing.T) {
	b := journeytest.New(t)
	v := open(t, b)
	b.Choose(t, v, "out")
	if pages(v) != "attract maintenance" || b.Counts["maintenance.out"] != 1 {
		t.Errorf("path %s, counts %v", pages(v), b.Counts)
	}
	v = visit.New(2, "")
	p := b.Page(t.Context(), v)
	if p.Name != "closed" || !strings.Contains(words(p), "l’accueil\u00a0: Mairie de quartier") || !strings.Contains(words(p), "out of service") {
		t.Errorf("page %s says\n%s", p.Name, words(p))
	}
	for _, id := range []string{"start", "lang:fr", "nav.home", "nav.person"} {
		b.Journey.Choose(t.Context(), v, id)
	}
	b.Show(v, journeytest.CityCard)
	b.Show(v, journeytest.Mediator)
	if pages(v) != "attract" || v.Accompanied || len(v.Card) != 0 || b.Counts["visit"] != 0 {
		t.Errorf("out of service: path %s, counts %v", pages(v), b.Counts)
	}
	b.Show(v, journeytest.Agent)
	b.Choose(t, v, "nav.home")
	if p := b.Page(t.Context(), v); p.Name != "closed" {
		t.Errorf("home leads to %s", p.Name)
	}
	try(t, b, v, journeytest.PIN)
	b.Choose(t, v, "in", "nav.back")
	if p := b.Page(t.Context(), v); p.Name != "home" {
		t.Errorf("in service again, back leads to %s", p.Name)
	}
}

func TestStickIsLetIn(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "fr")
	b.Show(v, journeytest.Agent)
	b.Type(t, v, journeytest.PIN)
	b.Choose(t, v, "enter", "usb")
	p := b.Page(t.Context(), v)
	if b.Kept["usb"] != "open" || p.Name != "maintenance" || p.Banner == nil || !strings.Contains(p.Banner.Text, "Branchez la clé") {
		t.Errorf("page %s, banner %+v, sockets %q", p.Name, p.Banner, b.Kept["usb"])
	}
	b.SocketsFail = errors.New("read-only")
	b.Choose(t, v, "usb")
	p = b.Page(t.Context(), v)
	if n, ok := p.Blocks[0].(page.Notice); !ok || n.Title != "Les prises restent fermées" || p.Banner != nil {
		t.Errorf("sockets that stay shut: %+v, %+v", p.Blocks[0], p.Banner)
	}
}
