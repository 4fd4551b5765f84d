package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"parvis/device"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// Event says which end of an alert an item tells of.
type Event string

// The events.
const (
	Begins Event = "begin"
	Ends   Event = "end"
	Trial  Event = "test"   // nothing is wrong: somebody tries the channel
	Notice Event = "notice" // something that is about no borne: see Alerts.NewNotice
)

// Message is what one message says.
type Message struct {
	Items []Item `json:"items"`
	// To are the addresses that a mail goes to instead of its channel's own.
	To []string `json:"to,omitempty"`
}

// Item is what a message says of one alert.
type Item struct {
	Alert    string           `json:"alert"`
	Event    Event            `json:"event"`
	Fault    string           `json:"fault"`
	Title    string           `json:"title"`
	Severity device.Severity  `json:"severity"`
	Do       string           `json:"do"`
	Device   string           `json:"device,omitempty"`
	Scope    store.AlertScope `json:"scope"`
	Address  string           `json:"address,omitempty"`
	Bornes   []Place          `json:"bornes"`
	Missing  []Place          `json:"missing,omitempty"` // of Bornes: still not back at the end
	Removed  bool             `json:"removed,omitempty"` // it ends because the bornes were taken out of service
	Began    time.Time        `json:"began"`
	Ended    time.Time        `json:"ended,omitzero"`
	// Of a notice, whose Title is its headline.
	Lines []string `json:"lines,omitempty"`
	Path  string   `json:"path,omitempty"` // of the console's page
}

// Place is a borne and where it stands.
type Place struct {
	Borne string `json:"borne"`
	Site  string `json:"site"` // its name
}

// Spaces that keep what belongs together on one line.
const (
	narrow = "\u202f"
	fixed  = "\u00a0"
)

// named is how many bornes or sites are named in a line; the others are counted.
const named = 5

// subject sums a message up in one line, without what could end it.
func (m Message) subject() string {
	if len(m.Items) == 1 {
		return oneLine(m.Items[0].headline())
	}
	begin := 0
	for _, i := range m.Items {
		if i.Event == Begins {
			begin++
		}
	}
	var parts []string
	if begin > 0 {
		parts = append(parts, count(begin, "alerte", "alertes"))
	}
	if end := len(m.Items) - begin; end > 0 {
		parts = append(parts, count(end, "panne finie", "pannes finies"))
	}
	return strings.Join(parts, ", ")
}

// headline is an item in one line: the place, the fault, the borne.
func (i Item) headline() string {
	switch i.Event {
	case Trial:
		return "Essai des alertes de Parvis"
	case Notice:
		return i.Title
	case Begins:
		return i.what()
	}
	switch {
	case i.Removed:
		return "Fin d’alerte" + fixed + ": " + i.what()
	case len(i.Missing) > 0:
		return fmt.Sprintf("Presque rétabli, %d sur %d"+fixed+": %s", len(i.Bornes)-len(i.Missing), len(i.Bornes), i.what())
	}
	return "Rétabli" + fixed + ": " + i.what()
}

// what names the fault and where it is.
func (i Item) what() string {
	if len(i.Bornes) == 1 {
		b := i.Bornes[0]
		return fmt.Sprintf("%s"+fixed+": %s (%s)", b.Site, i.Title, b.Borne)
	}
	sites := list(siteNames(i.Bornes))
	n := count(len(i.Bornes), "borne", "bornes")
	switch i.Scope {
	case store.ScopeNetwork:
		return fmt.Sprintf("%s hors ligne"+fixed+": réseau %s (%s)", n, i.Address, sites)
	case store.ScopeHub:
		return fmt.Sprintf("Toutes les bornes sont hors ligne (%d)", len(i.Bornes))
	}
	return fmt.Sprintf("%s hors ligne"+fixed+": %s", n, sites)
}

// advice is what to do about an alert: a fault's own advice, or a network's.
func (i Item) advice() string {
	if i.Fault != link.FaultOffline || len(i.Bornes) == 1 {
		return i.Do
	}
	if i.Scope == store.ScopeHub {
		return "Le hub est peut-être coupé du réseau : vérifiez son accès à Internet et son pare-feu. Les bornes continuent de servir ; rien n’est perdu."
	}
	return "Vérifiez le réseau ou le courant de ce lieu avant les bornes elles-mêmes. Elles continuent de servir ; rien n’est perdu."
}

// siteNames lists the sites of some bornes, each once.
func siteNames(bornes []Place) []string {
	var names []string
	for _, b := range bornes {
		if !slices.Contains(names, b.Site) {
			names = append(names, b.Site)
		}
	}
	return names
}

// list names the first few, and counts the others.
func list(names []string) string {
	if len(names) <= named {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:named], ", ") + " et " + count(len(names)-named, "autre", "autres")
}

// lines are what a message says of an item, below its headline.
func (i Item) lines(zone *time.Location) []string {
	if i.Event == Trial {
		return []string{"Ce message montre que ce canal d’alerte marche. Aucune borne n’est en panne."}
	}
	if i.Event == Notice {
		return i.Lines
	}
	var all []string
	if i.Device != "" {
		all = append(all, "Appareil"+fixed+": "+i.Device)
	}
	if len(i.Bornes) > 1 {
		all = append(all, "Bornes"+fixed+": "+places(i.Bornes))
	}
	all = append(all, "Depuis"+fixed+": "+moment(i.Began.In(zone)))
	if i.Event == Begins {
		return append(all, "À faire"+fixed+": "+i.advice())
	}
	if i.Removed {
		return append(all, "La borne n’est plus en service.")
	}
	all = append(all, "Rétabli"+fixed+": "+moment(i.Ended.In(zone)), "Durée"+fixed+": "+lasted(i.Ended.Sub(i.Began)))
	if len(i.Missing) > 0 {
		all = append(all, "Encore hors ligne"+fixed+": "+places(i.Missing))
	}
	return all
}

// most is how many bornes a message names one by one.
const most = 60

func places(all []Place) string {
	var names []string
	for _, p := range all[:min(len(all), most)] {
		names = append(names, p.Borne+" ("+p.Site+")")
	}
	text := strings.Join(names, ", ")
	if over := len(all) - most; over > 0 {
		text += " et " + count(over, "autre", "autres")
	}
	return text
}

// path is where the console shows an item.
func (i Item) path() string {
	if i.Event == Notice {
		return i.Path
	}
	if len(i.Bornes) == 1 {
		return "/bornes/" + i.Bornes[0].Borne
	}
	return "/alertes/journal"
}

func count(n int, one, many string) string {
	if n < 2 {
		return fmt.Sprintf("%d"+fixed+"%s", n, one)
	}
	return fmt.Sprintf("%d"+fixed+"%s", n, many)
}

// moment writes a day and an hour: "21/11/2026, 9 h 12".
func moment(t time.Time) string {
	return fmt.Sprintf("%s, %d"+fixed+"h"+fixed+"%02d", t.Format("02/01/2006"), t.Hour(), t.Minute())
}

// lasted writes how long something was: "2 j 3 h", "1 h 5 min", "12 min".
func lasted(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	unit := func(n int, name string) string { return fmt.Sprintf("%d"+fixed+"%s", n, name) }
	switch {
	case days > 0 && hours == 0:
		return unit(days, "j")
	case days > 0:
		return unit(days, "j") + fixed + unit(hours, "h")
	case hours > 0 && minutes == 0:
		return unit(hours, "h")
	case hours > 0:
		return unit(hours, "h") + fixed + unit(minutes, "min")
	}
	return unit(max(1, minutes), "min")
}

// oneLine makes a text fit for a header.
func oneLine(text string) string { return oneLineOf(text, 180) }

// oneLineOf takes out what ends a line and what isn't seen, and cuts what is
// over a number of letters.
func oneLineOf(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0' || r == '\u202f':
			return r
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}
