package journey_test

import (
	"strings"
	"testing"

	"parvis/app/journey"
	"parvis/app/journey/journeytest"
	"parvis/device"
	"parvis/device/printer"
	"parvis/kiosk/visit"
)

func printed(d printer.Document) string {
	var all []string
	for _, b := range d.Blocks {
		switch b := b.(type) {
		case printer.Text:
			all = append(all, b.Text)
		case printer.Heading:
			all = append(all, b.Text)
		}
	}
	return strings.Join(all, "\n")
}

// With two printers the resident chooses the paper; a sheet has room for more
// places than a ticket.
func TestTicketOrSheet(t *testing.T) {
	b := journeytest.New(t)
	b.AddSheetPrinter()
	v := visit.New(1, "")
	b.Choose(t, v, "start", "help", "need:demarches", "print", "on:a4")
	if p := b.Page(t.Context(), v); p.Name != "places" || p.Banner == nil || !strings.Contains(p.Banner.Text, "feuille est imprimée") {
		t.Errorf("page %s with %+v", p.Name, p.Banner)
	}
	b.Choose(t, v, "print", "on:ticket")
	if len(b.Sheets) != 1 || len(b.Tickets) != 1 {
		t.Fatalf("%d sheets, %d tickets", len(b.Sheets), len(b.Tickets))
	}
	if s, tk := strings.Count(printed(b.Sheets[0]), "Strasbourg"), strings.Count(printed(b.Tickets[0]), "Strasbourg"); tk != 5 || s <= tk {
		t.Errorf("%d places on the sheet, %d on the ticket", s, tk)
	}
	if b.Counts["a4.printed"] != 1 || b.Counts["ticket.printed"] != 1 {
		t.Errorf("counts %v", b.Counts)
	}
}

// Whatever the site's only printer is, it is not asked for.
func TestOnePrinterIsNotAskedFor(t *testing.T) {
	for _, only := range []string{journey.Ticket, journey.Sheet} {
		b := journeytest.New(t)
		b.AddSheetPrinter()
		b.Outputs = map[string][]journey.Output{journey.Ticket: b.Outputs[:1], journey.Sheet: b.Outputs[1:]}[only]
		v := visit.New(1, "")
		b.Choose(t, v, "start", "help", "need:demarches", "place:demo-02", "print")
		if v.Here().Page != "place" || b.Counts[only+".printed"] != 1 {
			t.Errorf("%s: on page %s, counts %v", only, v.Here().Page, b.Counts)
		}
	}
}

// A printer that is known not to work says what happened, what is safe and what
// to do, before anybody waits for it.
func TestKnownTrouble(t *testing.T) {
	no := device.NoPaper.With(nil)
	for _, tc := range []struct {
		name          string
		ticket, sheet device.Status
		why           []string // of "print"; empty when it may be tried
	}{
		{"both work", device.Status{State: device.Online}, device.Status{State: device.Busy}, nil},
		{"nothing known yet", device.Status{}, device.Status{State: device.Starting}, nil},
		{"paper is low", device.PaperEnds.With(nil), no, nil},
		{"one works", no, device.Status{State: device.Online}, nil},
		{"none works", no, device.CoverOpen.With(nil), []string{"plus de papier", "gardées", "Prenez une photo de cette page"}},
		{"offline for no known reason", device.Status{State: device.Offline}, no, []string{"ne répond pas", "gardées"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := journeytest.New(t)
			b.AddSheetPrinter()
			b.TicketPrinter, b.SheetPrinter = tc.ticket, tc.sheet
			v := visit.New(1, "")
			b.Choose(t, v, "start", "help", "need:demarches")
			c, ok := b.Page(t.Context(), v).Find("print")
			if !ok || c.Disabled() != (len(tc.why) > 0) {
				t.Fatalf("choice %+v", c)
			}
			for _, want := range tc.why {
				if !strings.Contains(c.Why, want) {
					t.Errorf("why: %q, want %q in it", c.Why, want)
				}
			}
			if c.Disabled() {
				return
			}
			b.Choose(t, v, "print")
			for id, s := range map[string]device.Status{"on:ticket": tc.ticket, "on:a4": tc.sheet} {
				c, _ := b.Page(t.Context(), v).Find(id)
				broken := s.State == device.UserError
				if c.Disabled() != broken || broken && !strings.Contains(c.Why, "Revenez à la page") {
					t.Errorf("%s with %v: why %q", id, s.State, c.Why)
				}
			}
		})
	}
}

// Who has just been given a number is told to photograph it.
func TestNumberToPhotograph(t *testing.T) {
	b := journeytest.New(t)
	b.TicketPrinter = device.NoPaper.With(nil)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:1", "continue", "continue", "consent", "send")
	if c, _ := b.Page(t.Context(), v).Find("print"); !strings.Contains(c.Why, "photo de ce numéro") {
		t.Errorf("why: %q", c.Why)
	}
}

// What failed is tried again on the same paper, and only when the resident asks.
func TestRetryOnTheSamePaper(t *testing.T) {
	b := journeytest.New(t)
	b.AddSheetPrinter()
	b.Fault = &printer.Error{Fault: device.Silent, Printed: printer.Maybe}
	v := visit.New(1, "")
	b.Choose(t, v, "start", "help", "need:demarches", "print", "on:a4")
	if p := b.Page(t.Context(), v); p.Name != "print.failed" || !strings.Contains(p.Title, "feuille") {
		t.Fatalf("page %s says %q", p.Name, p.Title)
	}
	b.Fault = nil
	if len(b.Sheets) != 0 {
		t.Fatal("printed again by itself")
	}
	b.Choose(t, v, "retry")
	if v.Here().Page != "places" || len(b.Sheets) != 1 || len(b.Tickets) != 0 {
		t.Errorf("on page %s, %d sheets, %d tickets", v.Here().Page, len(b.Sheets), len(b.Tickets))
	}
}

// Whatever a printer gives as the reason, the resident reads that the printer is
// why, that nothing is lost and what to do.
func TestEveryFaultIsTold(t *testing.T) {
	all := append(device.Faults(), device.FaultInfo{Fault: device.None}, device.FaultInfo{Fault: "another"})
	for _, f := range all {
		t.Run(string(f.Fault), func(t *testing.T) {
			b := journeytest.New(t)
			b.Fault = &printer.Error{Fault: f.Fault, Printed: printer.Nothing}
			v := visit.New(1, "")
			b.Choose(t, v, "start", "help", "need:demarches", "print")
			p := b.Page(t.Context(), v)
			if p.Name != "print.failed" || !strings.HasSuffix(p.Title, ".") || !strings.Contains(p.Lead, "gardées") || !strings.Contains(words(p), "photo") {
				t.Errorf("page %s says\n%s", p.Name, words(p))
			}
		})
	}
}
