package command

import (
	"fmt"
	"os"
	"time"

	"parvis/app/text"
	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/kiosk/callback"
	"parvis/kiosk/demarche"
	"parvis/kiosk/hours"
	"parvis/kiosk/place"
	"parvis/kiosk/ticket"
)

// Ticket groups the commands about printed tickets.
type Ticket struct {
	Demo TicketDemo `cmd:"" help:"Écrit un ticket d’essai, tel qu’il part vers l’imprimante (ESC/POS)."`
}

// TicketDemo writes the bytes of an invented ticket.
type TicketDemo struct {
	Kind  string `enum:"demarche,place,callback" default:"demarche" help:"Ce que dit le ticket : demarche, place (un lieu) ou callback (un rappel)."`
	Lang  string `enum:"fr,falc,en,ar" default:"fr" help:"Langue du ticket : fr, falc (facile à lire), en ou ar."`
	Model string `default:"generique" help:"Modèle d’imprimante, comme dans le profil."`
	Out   string `required:"" placeholder:"FICHIER" help:"Fichier à écrire ; il peut être le port de l’imprimante."`
}

// Run writes the file.
func (c *TicketDemo) Run(rt *Runtime) error {
	doc, err := c.document(rt)
	if err != nil {
		return err
	}
	model, err := escpos.LoadModel(c.Model)
	if err != nil {
		return fmt.Errorf("--model : %w", err)
	}
	b, err := escpos.NewEncoder(model).Encode(doc)
	if err != nil {
		return fmt.Errorf("ticket %s : %w", c.Kind, err)
	}
	return os.WriteFile(c.Out, b, 0o644)
}

func (c *TicketDemo) document(rt *Runtime) (printer.Document, error) {
	texts, err := text.Load()
	if err != nil {
		return printer.Document{}, err
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return printer.Document{}, err
	}
	at, words := rt.Now().In(paris), texts.In(c.Lang)
	site := ticket.Site{Name: "Mairie de quartier", Region: hours.Region("metropole")}
	switch c.Kind {
	case "place":
		return ticket.Place(site, at, demoPlace(at), c.Lang, words.Sentence), nil
	case "callback":
		slot := words.T("slot.afternoon", "Day", words.Weekday(time.Monday))
		return ticket.Callback(site, at, callback.FormatCode(callback.NewCode()), slot, c.Lang, words.Sentence), nil
	}
	catalogue, ok, err := loadDemarches(rt, "")
	if err != nil {
		return printer.Document{}, err
	}
	if !ok || len(catalogue.Demarches) == 0 {
		return printer.Document{}, ExitError(1)
	}
	d := catalogue.Demarches[0]
	return ticket.Demarche(site, at, d, firstAnswers(d), c.Lang, []place.Hit{demoPlace(at)}, words.Sentence), nil
}

// firstAnswers answers every question with its first choice.
func firstAnswers(d *demarche.Demarche) demarche.Answers {
	a := demarche.Answers{}
	for q := d.Next(a); q != nil; q = d.Next(a) {
		a[q.ID] = q.Choices[0].ID
	}
	return a
}

// demoPlace is a place that does not exist.
func demoPlace(at time.Time) place.Hit {
	return place.Hit{
		Place: place.Place{
			Name: "Médiathèque du centre", Address: "3 rue des Fontaines", Postcode: "00000", City: "Ville-Exemple",
			Phone: "01 99 00 00 00", Websites: []string{"https://mediatheque.example.org/"},
			Hours: "Mo-Fr 09:00-12:00,14:00-18:00; Sa 10:00-17:30", Source: "Démonstration", Updated: at,
		},
		Metres: 500, Walk: 7 * time.Minute,
	}
}
