package ticket_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/device/printer"
	"parvis/device/printer/escpos"
	"parvis/kiosk/fiche"
	"parvis/kiosk/ticket"
)

func TestFiche(t *testing.T) {
	f := &fiche.Fiche{ID: "F1", Title: "Carte d’identité", Updated: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Source: fiche.Source,
		URL: "https://www.service-public.gouv.fr/particuliers/vosdroits/F1"}
	s := fiche.Section{Chapters: []string{"La demande"}, Title: "Les pièces", Cases: []string{"Majeur"}, Blocks: []fiche.Block{
		fiche.Paragraph{Text: "Apportez\nles originaux."},
		fiche.Heading{Text: "Dans tous les cas"},
		fiche.List{Style: fiche.Checklist, Items: []string{"Photo\nrécente"}},
		fiche.List{Style: fiche.Numbered, Items: []string{"Venir", "Signer"}},
		fiche.List{Items: []string{"Un point"}},
		fiche.Notice{Kind: fiche.Note, Title: "À noter", Text: "Prenez rendez-vous."},
		fiche.Table{Title: "Prix", Header: true, Rows: [][]string{{"Âge", "Prix"}, {"18 ans", "86\u00a0€"}}},
		fiche.Picture{Title: "Plan", Caption: "L’entrée", Alt: "Où entrer"},
		fiche.Office{Title: "Mairie", Text: "Le matin", URL: "https://www.ville.example.org/mairie/"},
		fiche.Service{Kind: "Téléservice", Title: "Demande", Cerfa: "1*02", URL: "https://www.ville.example.org/" + strings.Repeat("long/", 20)},
		fiche.Link{Text: "Voir aussi", Note: "la ville"},
		fiche.Definition{Term: "RIB", Text: "Un relevé"},
	}}
	doc := ticket.Fiche(site, monday(t), f, s, s.Blocks, "fr", spell)
	if _, err := escpos.Encode(doc); err != nil {
		t.Fatal(err)
	}
	text := func(s string) printer.Block { return printer.Text{Text: s} }
	bold := func(s string) printer.Block { return printer.Text{Text: s, Bold: true} }
	want := []printer.Block{
		printer.Heading{Level: 1, Text: "Carte d’identité"}, text("La demande"), printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Les pièces"}, bold("Majeur"), printer.Space{Lines: 1},
		text("Apportez\nles originaux."),
		printer.Space{Lines: 1}, printer.Heading{Level: 3, Text: "Dans tous les cas"},
		printer.Checkbox{Text: "Photo", Detail: "récente"}, text("1. Venir"), text("2. Signer"), printer.Bullet{Text: "Un point"},
		bold("À noter"), text("Prenez rendez-vous."),
		bold("Prix"), bold("Âge\u00a0: Prix"), text("18 ans\u00a0: 86\u00a0€"),
		bold("Plan"), text("L’entrée"), text("Où entrer"),
		bold("Mairie"), text("Le matin"), text("ville.example.org/mairie"),
		bold("Demande"), text("Téléservice"), text("form(1*02)"), text("ville.example.org"),
		bold("Voir aussi"), text("la ville"), bold("RIB"), text("Un relevé"),
		printer.Rule{Dashed: true}, printer.Space{Lines: 1}, printer.Text{Text: "fiche", Bold: true, Centred: true}, printer.QR{Data: f.URL},
		printer.Text{Text: "scan", Centred: true}, printer.Text{Text: "service-public.gouv.fr/particuliers/vosdroits/F1", Centred: true},
		text("source(Service-Public.gouv.fr / DILA)"), text("updated(date(first,month.november,2026))"),
	}
	got := doc.Blocks[3:min(3+len(want), len(doc.Blocks))] // after where and when it was printed
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
