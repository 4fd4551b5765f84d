package console

import (
	"slices"
	"strings"
	"time"

	"parvis/hub/store"
	"parvis/kiosk/link"
)

// condition sums up in a badge how a borne is, and what follows for the lists.
type condition struct {
	Text string
	Tone string // a class of the style sheet; the words say the same
	// rank sorts by urgency: the smaller, the sooner somebody should look.
	rank      int
	Serving   bool // residents can use it
	Attention bool // somebody should look at it
	Offline   bool
	LowPaper  bool
}

// The tones of badges.
const (
	toneGood = "good"
	toneInfo = "info"
	toneWarn = "bad"  // it works, but a hand is needed
	toneBad  = "stop" // it doesn't work
	toneOff  = "off"  // nothing is known, or nothing is offered
)

// Faults that the console looks for by name; the others come as they are.
const (
	faultNoPaper   = "no_paper"
	faultPaperEnds = "paper_ends"
	critical       = "critical" // device.Critical
	warning        = "warning"  // device.Warning
)

// certificateSoon is how long before its end a certificate is a fault: the
// borne should have renewed it long since.
const certificateSoon = 24 * time.Hour

// title names a fault in a few words: the same ones as in the messages that tell
// of it.
func title(fault string) string { return link.Explain(fault).Title }

// hubFaults lists the faults that no borne can tell of itself.
func hubFaults(h store.Head, now time.Time) []string {
	var all []string
	if !h.Cloned.IsZero() {
		all = append(all, link.FaultClone)
	}
	if h.Offline(now) {
		all = append(all, link.FaultOffline)
	}
	if h.CertEnds.Sub(now) < certificateSoon {
		all = append(all, link.FaultCertificate)
	}
	return all
}

// judge sums up how a borne is. What keeps residents from it comes first, then
// what will, then that all is well.
func judge(h store.Head, now time.Time) condition {
	c := condition{
		Offline:  h.Offline(now),
		LowPaper: slices.Contains(h.Faults, faultPaperEnds) || slices.Contains(h.Faults, faultNoPaper),
	}
	has := func(fault string) bool { return slices.Contains(h.Faults, fault) }
	set := func(rank int, text, tone string, attention bool) condition {
		c.rank, c.Text, c.Tone, c.Attention = rank, text, tone, attention
		return c
	}
	switch {
	case !h.Revoked.IsZero():
		c.Offline, c.LowPaper = false, false
		return set(90, "Révoquée", toneOff, false)
	case h.Seen.IsZero():
		return set(20, "Jamais vue", toneOff, true)
	case !h.Cloned.IsZero():
		return set(0, title(link.FaultClone), toneBad, true)
	case c.Offline:
		return set(1, "Hors ligne", toneOff, true)
	case h.App == link.AppStopped || has(link.FaultAppStopped):
		return set(2, title(link.FaultAppStopped), toneBad, true)
	case h.App == link.AppFrozen || has(link.FaultAppFrozen):
		return set(3, title(link.FaultAppFrozen), toneBad, true)
	case h.App == link.AppOutOfService:
		return set(30, "Hors service", toneOff, true)
	}
	c.Serving = h.App == link.AppServing || h.App == link.AppIdle
	if f, ok := worst(h.Faults, critical); ok {
		return set(10, title(f), toneBad, true)
	}
	warn, warned := worst(h.Faults, warning)
	if !warned && h.CertEnds.Sub(now) < certificateSoon {
		warn, warned = link.FaultCertificate, true
	}
	switch {
	case h.Updating:
		return set(50, "Mise à jour", toneInfo, warned)
	case h.App == link.AppStarting:
		return set(51, "Démarrage", toneInfo, warned)
	case warned:
		return set(40, title(warn), toneWarn, true)
	case h.App == link.AppUnknown:
		return set(45, "État inconnu", toneWarn, true)
	}
	return set(80, "En service", toneGood, false)
}

// worst finds the first fault of a severity, the printer's before all others:
// most of what residents take home comes out of it.
func worst(faults []string, severity string) (string, bool) {
	found := ""
	for _, f := range faults {
		if string(link.Explain(f).Severity) != severity {
			continue
		}
		if found == "" || strings.Contains(f, "paper") && !strings.Contains(found, "paper") {
			found = f
		}
	}
	return found, found != ""
}

// deviceState says in a badge how a device is.
func deviceState(d link.Device) (text, tone string) {
	if d.Fault != "" {
		switch string(link.Explain(string(d.Fault)).Severity) {
		case critical:
			return title(string(d.Fault)), toneBad
		case warning:
			return title(string(d.Fault)), toneWarn
		}
	}
	switch d.State {
	case "online":
		return "En ligne", toneGood
	case "busy":
		return "Occupé", toneGood
	case "starting":
		return "Démarrage", toneInfo
	case "offline":
		return "Hors ligne", toneBad
	case "no_device":
		return "Absent", toneBad
	case "hardware_error", "user_error":
		return "En panne", toneBad
	}
	return "Inconnu", toneOff
}

// deviceKind names what a device is for.
func deviceKind(d link.Device) string {
	switch d.Kind {
	case "ticket_printer":
		return "Imprimante de tickets"
	case "office_printer":
		return "Imprimante A4"
	case "card_reader":
		return "Lecteur de cartes"
	case "sound":
		return "Son"
	}
	return "Appareil"
}

// printers sums up the printers of a borne in a word, the worst of them.
func printers(b store.Borne) string {
	return devices(b, func(d link.Device) bool { return d.Kind == "ticket_printer" || d.Kind == "office_printer" }, func(d link.Device) string {
		switch d.Paper {
		case "low":
			return "Papier bas"
		case "full":
			return "Papier" + fixed + "OK"
		}
		return "Imprimante" + fixed + "OK"
	})
}

// readers sums up the readers of a borne in a word, the worst of them.
func readers(b store.Borne) string {
	return devices(b, func(d link.Device) bool { return d.Kind == "card_reader" }, func(link.Device) string {
		return "Lecteur" + fixed + "OK"
	})
}

// devices gives the fault of the first of a borne's devices that has one, or
// how the first is; "—" where it has none of the kind.
func devices(b store.Borne, kind func(link.Device) bool, fine func(link.Device) string) string {
	said := ""
	for _, d := range b.State.Devices {
		if !kind(d) {
			continue
		}
		text, tone := deviceState(d)
		switch {
		case tone == toneBad:
			return text
		case tone == toneGood:
			text = fine(d)
		case d.Fault == faultPaperEnds:
			text = "Papier bas"
		}
		if said == "" || tone == toneWarn {
			said = text
		}
	}
	if said == "" {
		return "—"
	}
	return said
}
