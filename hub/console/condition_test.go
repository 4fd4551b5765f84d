package console

import (
	"testing"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	type change = func(*store.Head)
	faults := func(f ...string) change { return func(h *store.Head) { h.Faults = f } }
	app := func(a link.AppState) change { return func(h *store.Head) { h.App = a } }
	updating := func(h *store.Head) { h.Updating = true }
	tests := []struct {
		name                        string
		changes                     []change
		text, tone                  string
		serving, attention, offline bool
	}{
		{"fine", nil, "En service", toneGood, true, false, false},
		{"with a resident", []change{app(link.AppServing)}, "En service", toneGood, true, false, false},
		{"just within the silence", []change{func(h *store.Head) { h.Seen = now.Add(-link.Silence) }}, "En service", toneGood, true, false, false},
		{"silent", []change{func(h *store.Head) { h.Seen = now.Add(-link.Silence - 1) }}, "Hors ligne", toneOff, false, true, true},
		{"silence hides what was told before", []change{func(h *store.Head) { h.Seen = now.Add(-time.Hour) }, faults("no_paper")}, "Hors ligne", toneOff, false, true, true},
		{"never seen", []change{func(h *store.Head) { h.Seen = time.Time{} }}, "Jamais vue", toneOff, false, true, true},
		{"revoked", []change{func(h *store.Head) { h.Revoked, h.Seen = now, time.Time{} }}, "Révoquée", toneOff, false, false, false},
		{"a copy comes before silence", []change{func(h *store.Head) { h.Cloned, h.Seen = now, now.Add(-time.Hour) }}, "Identité en double", toneBad, false, true, true},
		{"stopped", []change{app(link.AppStopped)}, "Application arrêtée", toneBad, false, true, false},
		{"stopped, by its fault", []change{faults(link.FaultAppStopped)}, "Application arrêtée", toneBad, false, true, false},
		{"frozen comes before paper", []change{app(link.AppFrozen), faults("no_paper")}, "Écran figé", toneBad, false, true, false},
		{"out of service comes before paper", []change{app(link.AppOutOfService), faults("no_paper")}, "Hors service", toneOff, false, true, false},
		{"no paper", []change{faults("paper_ends", "no_paper")}, "Plus de papier", toneBad, true, true, false},
		{"paper before the other critical ones", []change{faults("unplugged", "no_paper")}, "Plus de papier", toneBad, true, true, false},
		{"little paper", []change{faults("paper_ends")}, "Bientôt plus de papier", toneWarn, true, true, false},
		{"critical comes before an update", []change{faults("jam"), updating}, "Papier coincé", toneBad, true, true, false},
		{"an update comes before a warning, which counts", []change{faults("paper_ends"), updating}, "Mise à jour", toneInfo, true, true, false},
		{"an update", []change{updating}, "Mise à jour", toneInfo, true, false, false},
		{"starting", []change{app(link.AppStarting)}, "Démarrage", toneInfo, false, false, false},
		{"a fault for the log only", []change{faults("interrupted")}, "En service", toneGood, true, false, false},
		{"a certificate about to end", []change{func(h *store.Head) { h.CertEnds = now.Add(23 * time.Hour) }}, "Certificat bientôt périmé", toneWarn, true, true, false},
		{"a fault of the future", []change{faults("gremlin")}, "Panne inconnue : gremlin", toneBad, true, true, false},
		{"no word of the application", []change{app(link.AppUnknown)}, "État inconnu", toneWarn, false, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := store.Head{ID: "MN-01", Seen: now.Add(-8 * time.Second), CertEnds: now.Add(7 * 24 * time.Hour), App: link.AppIdle}
			for _, change := range test.changes {
				change(&h)
			}
			c := judge(h, now)
			if c.Text != test.text || c.Tone != test.tone {
				t.Errorf("badge %q (%s), want %q (%s)", c.Text, c.Tone, test.text, test.tone)
			}
			if c.Serving != test.serving || c.Attention != test.attention || c.Offline != test.offline {
				t.Errorf("serving %v, attention %v, offline %v", c.Serving, c.Attention, c.Offline)
			}
		})
	}
}

func TestDevicesInAWord(t *testing.T) {
	with := func(d ...link.Device) store.Borne { return store.Borne{State: link.Report{Devices: d}} }
	printer := link.Device{Name: "imprimante", Kind: "ticket_printer", State: "online", Paper: "full"}
	a4 := link.Device{Name: "a4", Kind: "office_printer", State: "online"}
	low, out, reader := printer, printer, link.Device{Name: "lecteur", Kind: "card_reader", State: "online"}
	low.Paper, low.Fault = "low", "paper_ends"
	out.Paper, out.Fault, out.State = "out", "no_paper", "user_error"
	gone := reader
	gone.State, gone.Fault = "no_device", "unplugged"
	tests := []struct {
		name            string
		borne           store.Borne
		printer, reader string
	}{
		{"nothing", with(), "—", "—"},
		{"all fine", with(printer, a4, reader), "Papier\u00a0OK", "Lecteur\u00a0OK"},
		{"only A4", with(a4), "Imprimante\u00a0OK", "—"},
		{"little paper", with(a4, low), "Papier bas", "—"},
		{"the worse of two", with(low, out), "Plus de papier", "—"},
		{"no reader", with(printer, gone), "Papier\u00a0OK", "Appareil débranché"},
		{"nobody knows", with(link.Device{Kind: "card_reader"}), "—", "Inconnu"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if p, r := printers(test.borne), readers(test.borne); p != test.printer || r != test.reader {
				t.Errorf("%q, %q; want %q, %q", p, r, test.printer, test.reader)
			}
		})
	}
}
