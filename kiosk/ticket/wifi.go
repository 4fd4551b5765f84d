package ticket

import (
	"strings"
	"time"

	"parvis/device/printer"
)

// Wifi is the house's Wi-Fi for residents, which the town hall makes public.
type Wifi struct {
	Name     string // empty: the house has none
	Password string // empty: it asks for none
	Note     string // one sentence more, in French; may be empty
}

var wifiEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, ":", `\:`, `"`, `\"`)

// Code is what telephones read from a QR code to join: the form that ZXing's
// wiki describes ("Wi-Fi Network config") and Android and iOS read.
func (w Wifi) Code() string {
	code := "WIFI:T:nopass;"
	if w.Password != "" {
		code = "WIFI:T:WPA;"
	}
	code += "S:" + wifiEscapes.Replace(w.Name) + ";"
	if w.Password != "" {
		code += "P:" + wifiEscapes.Replace(w.Password) + ";"
	}
	return code + ";"
}

// Join is the ticket that says how to join the house's Wi-Fi.
func Join(site Site, at time.Time, w Wifi, lang string, tr Translate) printer.Document {
	p := start(site, at, lang, tr)
	p.add(printer.Heading{Level: 1, Text: p.say("ticket.wifi")}, printer.Text{Text: p.say("ticket.wifi_name")}, printer.Text{Text: w.Name, Bold: true})
	if w.Password == "" {
		p.text(p.say("ticket.wifi_open"))
	} else {
		p.add(printer.Text{Text: p.say("ticket.wifi_password")}, printer.Text{Text: w.Password, Bold: true})
	}
	p.text(w.Note)
	p.section(p.say("ticket.wifi_how"))
	steps := []string{"ticket.wifi_settings", "ticket.wifi_choose", "ticket.wifi_type"}
	if w.Password == "" {
		steps = steps[:2]
	}
	for _, id := range steps {
		p.add(printer.Bullet{Text: p.say(id)})
	}
	p.add(printer.Space{Lines: 1}, printer.Text{Text: p.say("ticket.wifi_scan"), Bold: true, Centred: true}, printer.QR{Data: w.Code()})
	return p.end()
}
