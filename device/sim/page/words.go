package page

import (
	"errors"
	"strings"

	"parvis/device/sim"
)

// device is one as the page shows it.
type device struct {
	Name, Title string
	Groups      []group
	Chips       []chip
}

// group is buttons of one kind, or a field to fill in.
type group struct {
	Title   string
	Buttons []button
	Field   *field
	Only    string // shown where the status has this word
}

// button gives an order. Kind is "", "bad" for what keeps the device from its
// work, or "good" for what mends it.
type button struct{ Label, Order, Kind string }

// field gives an order with what is typed into it.
type field struct{ Label, Order, Hint, Button string }

// chip is one word on how a device is. Kind is that of a button.
type chip struct {
	Text string `json:"text"`
	Kind string `json:"kind"`
}

func plugs(name string) group {
	return group{Title: "Câble", Buttons: []button{
		{"Rebrancher", name + " plug", "good"}, {"Débrancher", name + " unplug", "bad"},
	}}
}

var devices = []device{
	{Name: "printer", Title: "Imprimante à tickets", Groups: []group{
		{Title: "Papier", Buttons: []button{
			{"Rouleau plein", "printer paper in", "good"}, {"Presque fini", "printer paper low", ""}, {"Fini", "printer paper out", "bad"},
		}},
		{Title: "Capot", Buttons: []button{
			{"Fermer", "printer cover close", "good"}, {"Ouvrir", "printer cover open", "bad"},
		}},
		{Title: "Panne", Buttons: []button{
			{"Réparer", "printer error off", "good"}, {"Massicot bloqué", "printer error cutter", "bad"}, {"Bourrage", "printer error jam", "bad"},
			{"Tête trop chaude", "printer error hot", "bad"}, {"Panne grave", "printer error fatal", "bad"},
		}},
		{Title: "Réponses", Buttons: []button{
			{"Répondre", "printer silent off", "good"}, {"Ne plus répondre", "printer silent on", "bad"},
		}},
		{Only: "mouth=", Title: "Ticket dans la bouche", Buttons: []button{{"Prendre", "printer take", ""}}},
		plugs("printer"),
	}},
	{Name: "rfid", Title: "Lecteur de badges (125 kHz)", Groups: []group{
		{Title: "Poser", Buttons: []button{
			{"Carte de la ville", "rfid card city", ""}, {"Badge médiateur", "rfid card mediator", ""}, {"Badge ambassadrice", "rfid card ambassador", ""},
			{"Badge agent", "rfid card staff", ""}, {"Carte inconnue", "rfid card unknown", ""}, {"Deux à la fois", "rfid two city mediator", "bad"},
		}},
		{Title: "Retirer ou perturber", Buttons: []button{{"Retirer", "rfid remove", "good"}, {"Parasites", "rfid noise", "bad"}, {"Flot continu", "rfid flood", "bad"}}},
		{Field: &field{"Autre carte", "rfid card", "0008844356", "Poser"}},
		plugs("rfid"),
	}},
	{Name: "card", Title: "Lecteur de cartes à puce", Groups: []group{
		{Title: "Poser ou insérer", Buttons: []button{
			{"Carte de la ville", "card insert city", ""}, {"Badge médiateur", "card insert mediator", ""}, {"Badge ambassadrice", "card insert ambassador", ""},
			{"Badge agent", "card insert staff", ""}, {"Carte inconnue", "card insert unknown", ""}, {"Carte Vitale", "card insert vitale", ""}, {"Carte bancaire", "card insert contact", ""},
		}},
		{Title: "Retirer", Buttons: []button{{"Retirer", "card remove", "good"}}},
	}},
	{Name: "scanner", Title: "Lecteur de codes", Groups: []group{
		{Field: &field{"Code", "scanner scan", "PASS0001", "Scanner"}},
		{Title: "Incidents", Buttons: []button{{"Parasites", "scanner noise", "bad"}, {"Code très long", "scanner long", "bad"}, {"Flot continu", "scanner flood", "bad"}}},
		plugs("scanner"),
	}},
	{Name: "office", Title: "Imprimante A4", Groups: []group{
		{Title: "Papier", Buttons: []button{
			{"Bac plein", "office paper in", "good"}, {"Presque vide", "office paper low", ""}, {"Vide", "office paper out", "bad"},
		}},
		{Title: "Toner", Buttons: []button{
			{"Plein", "office toner ok", "good"}, {"Presque vide", "office toner low", ""}, {"Vide", "office toner empty", "bad"},
		}},
		{Title: "Bourrage", Buttons: []button{{"Dégager", "office jam off", "good"}, {"Coincer le papier", "office jam", "bad"}}},
		{Title: "Capot", Buttons: []button{{"Fermer", "office cover close", "good"}, {"Ouvrir", "office cover open", "bad"}}},
		{Title: "Pause", Buttons: []button{{"Reprendre", "office start", "good"}, {"Suspendre", "office stop", "bad"}}},
		plugs("office"),
	}},
}

// words are what the status lines of the devices say, in French. What is not
// here is of no use at a desk.
var words = map[string]chip{
	"paper=in": {"papier", "good"}, "paper=low": {"bientôt plus de papier", ""}, "paper=out": {"plus de papier", "bad"},
	"cover=close": {"capot fermé", "good"}, "cover=open": {"capot ouvert", "bad"},
	"error=cutter": {"massicot bloqué", "bad"}, "error=jam": {"bourrage", "bad"}, "error=hot": {"tête trop chaude", "bad"}, "error=fatal": {"panne grave", "bad"},
	"silent=true":   {"ne répond plus", "bad"},
	"mouth=present": {"un ticket dépasse", ""}, "mouth=taken": {"ticket pris", "good"}, "mouth=ejected": {"ticket éjecté", ""}, "mouth=retracted": {"ticket repris", ""},
	"plugged=true": {"câble branché", "good"}, "plugged=false": {"câble débranché", "bad"},
	"card=true": {"une carte est posée", ""}, "card=false": {"aucune carte", "good"},
	"inserted=true": {"une carte est là", ""}, "inserted=false": {"aucune carte", "good"},
	"none": {"prête", "good"}, "media-empty": {"bac vide", "bad"}, "media-low": {"bac presque vide", ""}, "media-jam": {"papier coincé", "bad"},
	"toner-empty": {"plus de toner", "bad"}, "toner-low": {"bientôt plus de toner", ""}, "cover-open": {"capot ouvert", "bad"}, "paused": {"suspendue", "bad"},
}

// chips tells how a device is.
func (d *Desk) chips(name string) []chip {
	status, err := d.bench.Do(name + " status")
	if err != nil {
		return []chip{{french(err), "bad"}}
	}
	var all []chip
	for pair := range strings.FieldsSeq(status) {
		key, value, _ := strings.Cut(pair, "=")
		if key == "reasons" {
			for reason := range strings.SplitSeq(value, ",") {
				all = append(all, words[reason])
			}
			continue
		}
		if c, ok := words[pair]; ok {
			all = append(all, c)
		}
	}
	return all
}

// french says why an order was not carried out.
func french(err error) string {
	for known, said := range map[error]string{
		sim.ErrPlugged:    "C’est déjà branché.",
		sim.ErrUnplugged:  "C’est déjà débranché.",
		sim.ErrInserted:   "Une carte est déjà là : retirez-la d’abord.",
		sim.ErrRemoved:    "Il n’y a pas de carte à retirer.",
		sim.ErrMouthEmpty: "Aucun ticket ne dépasse de la bouche.",
	} {
		if errors.Is(err, known) {
			return said
		}
	}
	return "Ordre refusé : " + err.Error()
}
