package journey_test

import (
	"slices"
	"strings"
	"testing"

	"parvis/app/journey"
	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/device/printer"
	"parvis/kiosk/ticket"
	"parvis/kiosk/visit"
)

// said is all that stands in a page's blocks.
func said(p page.Page) string {
	var all []string
	for _, part := range p.Reading() {
		all = append(all, part.Text)
		if part.Choice != nil {
			all = append(all, part.Choice.Label)
		}
	}
	return strings.Join(all, "\n")
}

func TestWifi(t *testing.T) {
	b := journeytest.New(t)
	for _, lang := range []string{"fr", "falc", "en", "ar"} {
		b.Site.Languages = append(b.Site.Languages[:3:3], "ar")
		for _, net := range []ticket.Wifi{{Name: "Été;1", Password: `pa:ss\word`, Note: "Acceptez les conditions."}, {Name: "Libre"}} {
			b.Site.Wifi = net
			v := visit.New(1, "")
			b.Choose(t, v, "lang:"+lang, "help", "need:ordinateur", "wifi")
			p := b.Page(t.Context(), v)
			for _, want := range []string{net.Name, net.Password, net.Note} {
				if !strings.Contains(said(p), want) {
					t.Errorf("%s: no %q in %s", lang, want, said(p))
				}
			}
			code := page.QR{Data: net.Code(), Caption: b.Texts.In(lang).T("wifi.scan")}
			if !slices.Contains(p.Blocks, page.Block(code)) {
				t.Errorf("%s: no %+v in %+v", lang, code, p.Blocks)
			}
			if p.Private {
				t.Error("what the town hall tells everybody is kept from pictures of the screen")
			}
			b.Choose(t, v, "print")
			doc := b.Tickets[len(b.Tickets)-1]
			if doc.Lang != lang || !slices.Contains(doc.Blocks, printer.Block(printer.QR{Data: net.Code()})) || !slices.Contains(doc.Blocks, printer.Block(printer.Text{Text: net.Name, Bold: true})) {
				t.Errorf("%s: ticket %+v", lang, doc)
			}
		}
	}
	b.Site.Wifi = ticket.Wifi{}
	v := visit.New(1, "")
	b.Choose(t, v, "lang:fr", "help", "need:ordinateur")
	if p := b.Page(t.Context(), v); slices.ContainsFunc(p.Reading(), func(r page.Part) bool { return r.Choice != nil && r.Choice.ID == "wifi" }) {
		t.Error("a house without Wi-Fi offers it")
	}
}

// Where to turn to stands where one looks for it.
func TestContacts(t *testing.T) {
	b := journeytest.New(t)
	b.Site.Mediator = journey.Contact{Name: "Amal, conseillère numérique", Email: "amal@ville.example.org"}
	want := func(v *visit.Visit, texts ...string) {
		t.Helper()
		got := said(b.Page(t.Context(), v))
		for _, text := range texts {
			if !strings.Contains(got, text) {
				t.Errorf("%s: no %q in %s", v.Here().Page, text, got)
			}
		}
	}
	v := visit.New(1, "")
	b.Choose(t, v, "lang:fr", "nav.person")
	want(v, "Mairie de quartier, 1 place de la Fontaine, 67000 Ville-Exemple", "Appelez le 03 53 01 00 00. Écrivez à accueil@ville.example.org.",
		"Amal, conseillère numérique", "Écrivez à amal@ville.example.org.")
	if err := b.Journey.SetOutOfService(true); err != nil {
		t.Fatal(err)
	}
	want(visit.New(1, ""), "1 place de la Fontaine", "03 53 01 00 00")
	b.Site.Address, b.Site.Phone, b.Site.Desk, b.Site.Mediator = "", "", journey.Contact{}, journey.Contact{}
	if got := said(b.Page(t.Context(), visit.New(1, ""))); !strings.Contains(got, "Mairie de quartier.") || strings.Contains(got, "Appelez") {
		t.Errorf("without an address: %s", got)
	}
	v = visit.New(1, "")
	v.Path = []visit.Step{{Page: "maintenance"}}
	want(v, "Assistance des bornes · 03\u00a053\u00a001\u00a000\u00a099")
}
