// Package profile reads the settings of one site: the house, its borne's
// screen and devices, and where requests go. One TOML file in French keys, or
// several layers of it that are merged into one; every key that cannot be taken
// is told at once, with its line and what may have been meant.
package profile

import (
	"fmt"
	"os"
)

// Profile is one site's settings. What the keys mean, and which values they
// take, stands in the fields' tags: errors, the JSON Schema and the guide for IT
// are made from them.
type Profile struct {
	Site        Site          `toml:"site" jsonschema:"required" jsonschema_description:"La maison où se trouve la borne."`
	Contacts    Contacts      `toml:"contacts" jsonschema_description:"Qui joindre : pour les habitants et pour le personnel."`
	Screen      Screen        `toml:"ecran" jsonschema_description:"L’écran : sa taille, sa place, ses heures."`
	Network     Network       `toml:"reseau" jsonschema_description:"Le réseau de la borne."`
	Wifi        Wifi          `toml:"wifi" jsonschema_description:"Le Wi-Fi public de la maison, tel que le ticket Wi-Fi l’indique aux habitants. Sans nom, il n’y a pas de ticket."`
	Printer     Printer       `toml:"imprimante" jsonschema_description:"L’imprimante de tickets. Sans port, il n’y en a pas."`
	Office      OfficePrinter `toml:"imprimante_a4" jsonschema_description:"L’imprimante A4. Sans file, il n’y en a pas."`
	Readers     []Reader      `toml:"lecteurs" jsonschema_description:"Les lecteurs de cartes et de codes, un par table."`
	Sound       Sound         `toml:"son" jsonschema_description:"Où l’on entend la voix, et à quel volume."`
	Cards       Cards         `toml:"cartes" jsonschema_description:"Ce que sont les cartes que l’on présente."`
	Badges      []Badge       `toml:"badges" jsonschema_description:"Les badges du personnel et des médiateurs, un par table, connus par leur seule empreinte."`
	Maintenance Maintenance   `toml:"maintenance" jsonschema_description:"Les pages d’entretien, ouvertes par le badge d’un agent puis un code."`
	Callback    Callback      `toml:"rappel" jsonschema_description:"Où vont les demandes de rappel."`
	Agent       Agent         `toml:"agent" jsonschema_description:"Ce que les agents de la ville voient de la borne depuis leur bureau."`
}

// Default is a profile in which nothing was set.
func Default() *Profile {
	return &Profile{
		Site:    Site{Region: "metropole", Languages: []string{"fr", "falc", "en"}, Mediators: "Mo-Fr 09:00-12:00,14:00-17:00; PH off"},
		Wifi:    Wifi{Security: "wpa"},
		Network: Network{Address: "dhcp"},
		Printer: Printer{Baud: 19200, Flow: "aucun"},
		Sound:   Sound{Output: "haut-parleur", Volume: 3, Level: 60},
		Cards:   Cards{Pass: `^[A-Z][A-Z0-9]{7,15}$`},
		Agent:   Agent{Capture: SharpCapture},
	}
}

// Load reads a profile from a file, as Parse does.
func Load(path string, further ...Further) (*Profile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("profil illisible : %w", err)
	}
	return Parse(path, data, further...)
}

// Parse reads a profile; name is the file's, for errors. An error about what it
// says is Errors.
func Parse(name string, data []byte, further ...Further) (*Profile, error) {
	doc, wrong := parse(name, data)
	return check(doc, wrong, further)
}

// Further is a check that the caller can make and this package cannot, of texts
// that others know how to read: opening hours, models of printers. It is given
// a profile that is otherwise right, and tells what is wrong by key, as
// "site.ouverture" or "lecteurs[0].port".
type Further func(*Profile) map[string]error
