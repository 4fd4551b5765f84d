package ticket

import (
	"time"

	"parvis/device/printer"
)

// Trial is what staff print to see that a printer works: accents, boxes and a
// code to scan, which holds no more than the date.
func Trial(site Site, at time.Time, tr Translate) printer.Document {
	p := start(site, at, "fr", tr)
	p.add(
		printer.Heading{Level: 1, Text: p.say("ticket.trial")},
		printer.Text{Text: p.say("ticket.trial_signs")},
		printer.Checkbox{Text: p.say("ticket.trial_box")},
		printer.Space{Lines: 1},
		printer.QR{Data: at.Format(time.RFC3339)},
	)
	return p.end()
}
