package journeytest

import (
	"context"
	"regexp"
	"testing"
	"time"

	"parvis/app/journey"
	"parvis/device"
	"parvis/device/printer"
	"parvis/device/reader"
	"parvis/kiosk/card"
	"parvis/kiosk/visit"
)

// What residents and staff show to the reader.
var (
	CityCard  = reader.Event{Medium: reader.RFID, Present: true, Number: "010063E9AE"}
	OtherCity = reader.Event{Medium: reader.RFID, Present: true, Number: "010063E9AF"}
	Mediator  = reader.Event{Medium: reader.RFID, Present: true, Number: "100086F444"}
	Agent     = reader.Event{Medium: reader.Contactless, Present: true, Number: "04A2B3C4D5E680"}
	Pass      = reader.Event{Medium: reader.Code, Present: true, Text: "AB12CD34EF"}
	Web       = reader.Event{Medium: reader.Code, Present: true, Text: "https://example.org/"}
	Vitale    = reader.Event{Medium: reader.Contact, Present: true, ATR: []byte{0x3B, 0x75, 0x13, 0, 0, 0x47, 0x09, 0xEA, 0x90, 0}}
	Stranger  = reader.Event{Medium: reader.Contactless, Present: true, Number: "01020304"}
	Two       = reader.Event{Medium: reader.Contactless, Present: true, Several: true}
)

// CityNumber is the number of CityCard as the city writes it, OtherNumber that
// of OtherCity.
const (
	CityNumber  = "0006547886"
	OtherNumber = "0006547887"
)

// PIN opens the pages for staff; pinHash is what a profile holds of it.
const (
	PIN     = "2468"
	pinHash = "$argon2id$v=19$m=19456,t=2,p=1$E1KLPHRhmJ1o9xQCP0ZhKQ$+hIEw0KVwZqTJebR7KI73L2hVhWBg4uJHYim3QH9W8U"
)

func cardRules() card.Rules {
	key := []byte("a key of a profile, 32 bytes long")
	return card.Rules{
		Key: key,
		Badges: []card.Badge{
			{Role: card.RoleMediator, Fingerprint: card.Fingerprint(key, Mediator.Medium, Mediator.Number)},
			{Role: card.RoleAgent, Fingerprint: card.Fingerprint(key, Agent.Medium, Agent.Number)},
		},
		City: []card.CityRule{{Medium: reader.RFID, Form: card.Decimal, Pattern: regexp.MustCompile(`^000[0-9]{7}$`)}},
		Pass: regexp.MustCompile(`^[A-Z0-9]{10}$`),
	}
}

func (b *Borne) printTo(tray *[]printer.Document) func(context.Context, printer.Document) error {
	return func(_ context.Context, d printer.Document) error {
		if b.Fault == nil {
			*tray = append(*tray, d)
		}
		return b.Fault
	}
}

// AddSheetPrinter gives the site an A4 printer beside its ticket printer.
func (b *Borne) AddSheetPrinter() {
	b.Outputs = append(b.Outputs[:1:1], journey.Output{ID: journey.Sheet, Print: b.printTo(&b.Sheets), Status: func() device.Status { return b.SheetPrinter }})
}

// staff keeps settings in b.Kept.
func (b *Borne) staff(t testing.TB) journey.Staff {
	t.Helper()
	pin, err := card.ParsePIN(pinHash)
	if err != nil {
		t.Fatal(err)
	}
	b.DeviceLines = []journey.DeviceLine{
		{Name: "Imprimante de tickets", Status: device.Status{State: device.Online, Paper: device.PaperLow, Fault: device.PaperEnds}},
		{Name: "Imprimante A4", Status: device.Unplugged.With(nil)},
		{Name: "Lecteur de badges", Status: device.Status{State: device.Online}},
		{Name: "Lecteur de codes"},
		{Name: "Son", Status: device.Status{State: device.Starting}},
	}
	volume := 2
	return journey.Staff{
		PIN: pin,
		PINLimit: &card.Limit{
			Load: func(context.Context) (string, error) { return b.Kept["tries"], nil },
			Save: func(_ context.Context, s string) error { b.Kept["tries"] = s; return nil },
			Now:  func() time.Time { return b.Clock },
		},
		Devices: func() []journey.DeviceLine { return b.DeviceLines },
		Faults: func() []journey.FaultLine {
			return []journey.FaultLine{{When: b.Clock.Add(-time.Hour), Name: "Imprimante de tickets", Fault: device.NoPaper}, {When: b.Clock.AddDate(0, 0, -3), Name: "Lecteur de badges", Fault: device.Unplugged}}
		},
		Restart:         func() error { b.Restarts++; return b.RestartFails },
		OpenUSB:         func() error { b.Kept["usb"] = "open"; return b.SocketsFail },
		OutOfService:    func() bool { return b.Kept["out"] != "" },
		SetOutOfService: func(out bool) error { b.Kept["out"] = map[bool]string{true: "yes"}[out]; return nil },
		Volume:          func() int { return volume },
		SetVolume:       func(n int) error { volume = n; return nil },
	}
}

// Show shows a card to the borne's reader.
func (b *Borne) Show(v *visit.Visit, e reader.Event) {
	b.Card(v, b.Cards.Recognise(e))
}

// cardScenes are those of cards, shown on the home page and amid a request.
func (b *Borne) cardScenes(t testing.TB, at func(string, ...string) *visit.Visit) {
	t.Helper()
	show := func(v *visit.Visit, e reader.Event, page string) *visit.Visit {
		b.Show(v, e)
		if got := v.Here().Page; got != page {
			t.Fatalf("%v led to %s, want %s", e, got, page)
		}
		return v
	}
	for _, s := range []struct {
		e    reader.Event
		page string
	}{
		{CityCard, "card.city"}, {Mediator, "card.mediator"}, {Pass, "card.pass"}, {Vitale, "card.vitale"},
		{Two, "card.several"}, {Stranger, "card.unknown"}, {Web, "card.unknown"},
	} {
		show(at("home"), s.e, s.page)
	}
	show(at("callback.phone", "callback", "topic:logement", "key:0"), CityCard, "card.city")
	v := show(at("home"), CityCard, "card.city")
	b.Choose(t, v, "yes", "topic:logement", "slot:1", "continue", "continue")
	v = show(at("home"), CityCard, "card.city")
	b.Choose(t, v, "yes", "topic:logement", "slot:1", "continue", "continue", "consent", "send")
	show(at("home"), Vitale, "card.vitale").Go(visit.Step{Page: "leaving"})
}

// staffScenes are the pages for staff.
func (b *Borne) staffScenes(t testing.TB, at func(string, ...string) *visit.Visit) {
	t.Helper()
	open := func(ids ...string) {
		v := at("home")
		b.Show(v, Agent)
		b.Type(t, v, PIN)
		b.Choose(t, v, "enter")
		if got := v.Here().Page; got != "maintenance" {
			t.Fatalf("the PIN led to %s", got)
		}
		b.Choose(t, v, ids...)
	}
	b.Show(at("home"), Agent)
	v := at("home")
	b.Show(v, Agent)
	b.Type(t, v, "0000")
	b.Choose(t, v, "enter")
	open()
	open("devices")
	open("devices", "trial:0")
	open("faults")
	open("sound")
	v = at("home")
	v.Path = []visit.Step{{Page: "closed"}}
	v = at("home")
	v.Path = []visit.Step{{Page: "maintenance.enrol"}}
	b.Type(t, v, "01SFR7")
}
