package e2e

import (
	"strings"
	"testing"

	"parvis/e2e/xdrive"
)

// TestPrinterFaults breaks the printer in each way. The page says so by itself,
// the resident who touches "Imprimer" reads what happened and what to do, and
// nothing is printed but what they ask for once it is mended.
func TestPrinterFaults(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	for _, fault := range []struct{ name, order, mend, said string }{
		{"no paper", "paper out", "paper in", "L'imprimante n'a plus de papier."},
		{"cover open", "cover open", "cover close", "Le capot de l'imprimante est ouvert."},
		{"unplugged", "unplug", "plug", "L'imprimante ne répond pas."},
		{"silent", "silent on", "silent off", "L'imprimante ne répond pas."},
		{"cutter stuck", "error cutter", "error off", "L'imprimante ne répond pas."},
	} {
		t.Run(fault.name, func(t *testing.T) {
			visit(t, b)
			before := len(b.Tickets())
			openPlace(b)
			order(t, b, fault.order)
			waitPrint(b, false)
			tap(b, "print")
			hearPage(b, fault.said, "Vos informations sont gardées.", "Prenez une photo de cette page.")
			order(t, b, fault.mend)
			waitPrint(b, true)
			wantIdle(t, b, before)
			tap(b, "print")
			wantPage(t, finish(b), "place")
			b.WaitTicket(before + 1)
			wantIdle(t, b, before+1)
			leave(b)
		})
	}
	if status := b.Printer("status"); !strings.Contains(status, "unknown=0") {
		t.Errorf("the printer was sent commands that it does not know: %s", status)
	}
	b.Stop()
	said := b.Says()
	if lost, back := strings.Count(said, "appareil indisponible appareil=imprimante"), strings.Count(said, "appareil de nouveau prêt appareil=imprimante"); lost != 5 || back != 5 {
		t.Errorf("five faults, and the log tells of %d losses and %d returns:\n%s", lost, back, said)
	}
}

// waitPrint waits until the page offers to print, or doesn't.
func waitPrint(b *xdrive.Borne, offers bool) {
	b.Wait("a page that knows how the printer is", func() bool { return b.Target("print").Disabled != offers })
}

// TestPrinterFailsAmid breaks the printer when part of a ticket is on paper.
// Only the resident can see whether it came out, and only their wish prints again.
func TestPrinterFailsAmid(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}})
	for _, fault := range []struct {
		name, order, mend string
		lost              bool // the end of the ticket may be
	}{
		// A printer that stopped goes on where it was; what was on a pulled cable is gone.
		{"no paper", "paper out", "paper in", false},
		{"cover open", "cover open", "cover close", false},
		{"silent", "silent on", "silent off", false},
		{"unplugged", "unplug", "plug", true},
	} {
		t.Run(fault.name, func(t *testing.T) {
			visit(t, b)
			before := whole(b)
			openPlace(b)
			order(t, b, "after 150 "+fault.order)
			tap(b, "print")
			wantPage(t, finish(b), "print.failed")
			hearPage(b, "Le ticket est-il sorti ?", "Regardez sous l'écran.", "Imprimer encore")
			order(t, b, fault.mend)
			if !fault.lost {
				b.Wait("the rest of the ticket", func() bool { return whole(b) == before+1 })
				wantIdle(t, b, len(b.Tickets()))
			}
			before = whole(b)
			tap(b, "retry")
			wantPage(t, finish(b), "place")
			b.Wait("the ticket asked for", func() bool { return whole(b) > before })
			if now := whole(b); now != before+1 {
				t.Errorf("one retry printed %d whole tickets", now-before)
			}
			wantIdle(t, b, len(b.Tickets()))
			leave(b)
		})
	}
}

// A request is kept though its ticket cannot be printed: the code is shown.
func TestPrinterFailsAfterCallback(t *testing.T) {
	b := xdrive.StartBorne(t, xdrive.Options{Env: []string{xdrive.Morning}, Bare: true})
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0187654321")
	find(b, "continue", "slot:any", "continue", "continue", "consent", "send")
	b.WaitPage("callback.done")
	waitPrint(b, false)
	tap(b, "print")
	code := strings.Join(strings.Split(requestOf(t, b, "+33187654321").Code, ""), " ")
	hearPage(b, "L'imprimante ne répond pas.", "Prenez une photo de ce numéro.", code)
	leave(b)
	if n := len(b.Waiting()); n != 1 {
		t.Errorf("the outbox holds %d requests", n)
	}
}

func openPlace(b *xdrive.Borne) {
	tap(b, "start", "help")
	find(b, "need:ordinateur", "place:demo-16")
	b.WaitPage("place")
}

func wantPage(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("on page %s, want %s", got, want)
	}
}

func order(t *testing.T, b *xdrive.Borne, what string) {
	t.Helper()
	if answer := b.Printer(what); answer != "ok" {
		t.Fatalf("%s: %s", what, answer)
	}
}

// whole is how many tickets have come out from their first line to their last.
func whole(b *xdrive.Borne) int {
	n := 0
	for _, ticket := range b.Tickets() {
		text := strings.TrimSpace(flat(ticket.Text))
		if strings.HasPrefix(text, "Mairie de quartier") && strings.HasSuffix(text, "Service gratuit.") {
			n++
		}
	}
	return n
}

// wantIdle asks that so many tickets are out, and that the printer holds
// nothing that could still come out by itself.
func wantIdle(t *testing.T, b *xdrive.Borne, tickets int) {
	t.Helper()
	if n := len(b.Tickets()); n != tickets {
		t.Errorf("%d tickets, want %d", n, tickets)
	}
	if status := b.Printer("status"); !strings.Contains(status, "waiting=0 ") {
		t.Errorf("the printer is not idle: %s", status)
	}
}
