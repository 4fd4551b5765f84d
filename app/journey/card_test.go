package journey_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/device"
	"parvis/device/reader"
	"parvis/kiosk/callback"
	"parvis/kiosk/card"
	"parvis/kiosk/visit"
)

func pages(v *visit.Visit) string {
	var names []string
	for _, s := range v.Path {
		names = append(names, s.Page)
	}
	return strings.Join(names, " ")
}

// words are all that a page says.
func words(p page.Page) string {
	var all []string
	for _, part := range p.Reading() {
		all = append(all, part.Text)
	}
	return strings.Join(all, "\n")
}

// kept opens the only request in the outbox.
func kept(t *testing.T, b *journeytest.Borne) callback.Request {
	t.Helper()
	waiting, err := b.Store.Outbox(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("outbox %v, %v", waiting, err)
	}
	r, err := callback.Unseal(waiting[0].Data, b.Key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every card, before a visit and amid one, leads to its page, and Back to
// where the resident was.
func TestCardLeadsToItsPage(t *testing.T) {
	for _, tc := range []struct {
		e          reader.Event
		page, says string
		count      string
	}{
		{journeytest.CityCard, "card.city", "Est-ce bien vous", "card.city"},
		{journeytest.Mediator, "card.mediator", "accompagnée", "card.mediator"},
		{journeytest.Agent, "maintenance.pin", "Code d’entretien", "card.staff"},
		{journeytest.Pass, "card.pass", "la forme d’un Pass numérique", "card.pass"},
		{journeytest.Vitale, "card.vitale", "ne lit pas votre carte Vitale", "card.vitale"},
		{journeytest.Two, "card.several", "Une seule carte", "card.several"},
		{journeytest.Stranger, "card.unknown", "ne connaît pas cette carte", "card.unknown"},
		{journeytest.Web, "card.unknown", "ne connaît pas ce code", "card.not_a_pass"},
	} {
		for _, before := range [][]string{nil, {"start", "demarches"}, {"start", "callback", "topic:logement", "key:0"}} {
			b := journeytest.New(t)
			v := visit.New(1, "")
			b.Choose(t, v, before...)
			was := v.Here().Page
			b.Show(v, tc.e)
			p := b.Page(t.Context(), v)
			if p.Name != tc.page || !strings.Contains(p.Title, tc.says) || p.Lang != "fr" {
				t.Errorf("%v on %s: page %s says %q in %s", tc.e, was, p.Name, p.Title, p.Lang)
			}
			depth := len(v.Path)
			b.Show(v, tc.e)
			if b.Counts[tc.count] != 1 || len(v.Path) != depth {
				t.Errorf("%v on %s, shown twice: counts %v, path %s", tc.e, was, b.Counts, pages(v))
			}
			b.Choose(t, v, "nav.back")
			if was == "attract" {
				was = "home"
			}
			if v.Here().Page != was {
				t.Errorf("%v: back leads to %s, not %s", tc.e, v.Here().Page, was)
			}
			if was == "callback.phone" && string(v.Draft.Phone) != "0" {
				t.Errorf("%v: typed %q is left", tc.e, v.Draft.Phone)
			}
		}
	}
}

// The first visit of a card counts as one, that of staff does not.
func TestCardStartsAVisit(t *testing.T) {
	b := journeytest.New(t)
	b.Show(visit.New(1, ""), journeytest.Stranger)
	b.Show(visit.New(2, ""), journeytest.Agent)
	if b.Counts["visit"] != 1 || b.Counts["language.fr"] != 1 {
		t.Errorf("counts %v", b.Counts)
	}
}

// One card after the other doesn't pile up pages.
func TestCardAfterCard(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "demarches")
	for _, e := range []reader.Event{journeytest.Stranger, journeytest.CityCard, journeytest.Vitale, journeytest.Pass, journeytest.Web} {
		b.Show(v, e)
	}
	if got := pages(v); got != "home demarches card.unknown" {
		t.Errorf("path %s", got)
	}
}

// The city's card takes the place of the telephone number, and nothing of it is
// shown.
func TestCallbackByCard(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.CityCard)
	number := v.Card
	steps := []string{"yes", "topic:logement", "slot:1", "continue", "continue", "consent", "send"}
	for _, id := range steps {
		if said := words(b.Page(t.Context(), v)); strings.Contains(said, "6547886") || strings.Contains(said, "63E9AE") {
			t.Errorf("page %s shows the card's number:\n%s", v.Here().Page, said)
		}
		b.Choose(t, v, id)
	}
	p := b.Page(t.Context(), v)
	if p.Name != "callback.done" || !strings.Contains(p.Lead, "au numéro que la ville connaît") {
		t.Fatalf("page %s says %q", p.Name, p.Lead)
	}
	if r := kept(t, b); r.Card != journeytest.CityNumber || r.Phone != "" || r.Topic != "logement" {
		t.Errorf("request with card %q, phone %q, topic %s", r.Card, r.Phone, r.Topic)
	}
	if !bytes.Equal(number, make([]byte, len(number))) || len(v.Card)+len(v.Draft.Card) != 0 {
		t.Errorf("after the request %q is left of the number", number)
	}
}

// A card shown at any page of a request goes into that request.
func TestCardAmidARequest(t *testing.T) {
	typed := []string{"key:0", "key:6", "key:1", "key:2", "key:3", "key:4", "key:5", "key:6", "key:7", "key:8", "continue", "slot:1", "continue", "key:L", "key:o", "continue"}
	for _, tc := range []struct {
		name  string
		ids   []string
		page  string // after "yes"
		after []string
	}{
		{"topic", nil, "callback.topic", []string{"topic:justice", "slot:1", "continue", "continue"}},
		{"phone", append([]string{"topic:justice"}, typed[:3]...), "callback.when", []string{"slot:1", "continue", "continue"}},
		{"when", append([]string{"topic:justice"}, typed[:11]...), "callback.when", []string{"slot:1", "continue", "continue"}},
		{"name", append([]string{"topic:justice"}, typed[:14]...), "callback.name", []string{"continue"}},
		{"review", append([]string{"topic:justice"}, typed...), "callback.review", nil},
		{"mending the phone", append(append([]string{"topic:justice"}, typed...), "mend:phone"), "callback.review", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := journeytest.New(t)
			v := visit.New(1, "")
			b.Choose(t, v, "start", "callback")
			b.Choose(t, v, tc.ids...)
			b.Show(v, journeytest.CityCard)
			b.Choose(t, v, "yes")
			if v.Here().Page != tc.page {
				t.Fatalf("yes led to %s, want %s", v.Here().Page, tc.page)
			}
			b.Choose(t, v, tc.after...)
			if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "que la ville connaît") || strings.Contains(said, "06 12") {
				t.Errorf("the review says\n%s", said)
			}
			b.Choose(t, v, "consent", "send")
			if r := kept(t, b); r.Card != journeytest.CityNumber || r.Phone != "" || r.Topic != "justice" {
				t.Errorf("request with card %q, phone %q, topic %s", r.Card, r.Phone, r.Topic)
			}
		})
	}
}

// "No" leads to a number to type, also after another card was agreed to; the
// number typed then takes the card's place.
func TestNotThisCard(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.CityCard)
	b.Choose(t, v, "no")
	if v.Here().Page != "callback.topic" || len(v.Card)+len(v.Draft.Card) != 0 {
		t.Fatalf("no led to %s, with %q and %q", v.Here().Page, v.Card, v.Draft.Card)
	}
	b.Choose(t, v, "nav.back")
	b.Show(v, journeytest.CityCard)
	b.Choose(t, v, "yes", "topic:logement", "slot:1", "continue", "continue")
	agreed := v.Draft.Card
	b.Show(v, journeytest.OtherCity)
	b.Choose(t, v, "no")
	if v.Here().Page != "callback.phone" || !bytes.Equal(agreed, make([]byte, len(agreed))) {
		t.Fatalf("no led to %s, with %q left", v.Here().Page, agreed)
	}
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "consent", "send")
	if r := kept(t, b); r.Card != "" || r.Phone != "+33612345678" {
		t.Errorf("request with card %q, phone %q", r.Card, r.Phone)
	}
}

// Another city card in sight of the question takes the first one's place; one
// that was not agreed to never enters a request.
func TestOtherCityCard(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.CityCard)
	first := v.Card
	b.Show(v, journeytest.OtherCity)
	b.Choose(t, v, "yes")
	if string(v.Draft.Card) != journeytest.OtherNumber || !bytes.Equal(first, make([]byte, len(first))) {
		t.Errorf("agreed to %q, %q is left", v.Draft.Card, first)
	}
	b.Choose(t, v, "topic:logement", "slot:1", "continue", "continue")
	b.Show(v, journeytest.CityCard)
	b.Choose(t, v, "nav.back", "consent", "send")
	if r := kept(t, b); r.Card != journeytest.OtherNumber {
		t.Errorf("request with card %q", r.Card)
	}
}

// A mediator's badge makes the visit an accompanied one until its end.
func TestAccompanied(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start")
	if got := b.Patience(v); got != visit.Usual {
		t.Errorf("patience %v", got)
	}
	b.Show(v, journeytest.Mediator)
	p := b.Page(t.Context(), v)
	if !strings.Contains(words(p), "mots de passe") || p.Header.Note != "Visite accompagnée" {
		t.Errorf("page %s with note %q says\n%s", p.Name, p.Header.Note, words(p))
	}
	b.Choose(t, v, "continue", "demarches", "nav.home")
	if got := b.Patience(v); got != visit.Accompanied {
		t.Errorf("patience %v", got)
	}
	b.Show(v, journeytest.Mediator)
	if p := b.Page(t.Context(), v); p.Name != "home" || p.Banner == nil || !strings.Contains(p.Banner.Text, "déjà accompagnée") {
		t.Errorf("shown again: page %s, banner %+v", p.Name, p.Banner)
	}
	if b.Counts["visit.accompanied"] != 1 {
		t.Errorf("counts %v", b.Counts)
	}
	b.End(v, b.Clock)
	if v.Accompanied {
		t.Error("the next resident's visit is accompanied")
	}
}

// A Pass leads to places that say that they take it, and where none does, that
// is said.
func TestPassPlaces(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.Pass)
	if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "aucun lieu ne dit") {
		t.Errorf("no place takes it, but the page says\n%s", said)
	}
	csv := "id,pivot,nom,commune,code_postal,adresse,latitude,longitude,date_maj,autres_formations_labels\n" +
		"demo-pass,00000000000000,Atelier du Pass,Strasbourg,67000,1 rue du Pass,48.57,7.75,2026-09-15,Accepte le Pass numérique\n" +
		"demo-autre,00000000000000,Atelier sans,Strasbourg,67000,2 rue du Pas,48.57,7.75,2026-09-15,\n" +
		"demo-aptic,00000000000000,Atelier lointain,Strasbourg,67000,3 rue du Pass,48.60,7.75,2026-09-15,APTIC\n"
	if _, err := b.Places.Import(t.Context(), strings.NewReader(csv), "pass.csv", nil); err != nil {
		t.Fatal(err)
	}
	p := b.Page(t.Context(), v)
	if list := words(p); strings.Index(list, "Atelier du Pass") >= strings.Index(list, "Atelier lointain") || strings.Contains(words(p), "Atelier sans") || strings.Contains(words(p), "AB12") {
		t.Errorf("the page says\n%s", words(p))
	}
	b.Choose(t, v, "place:demo-aptic")
	if v.Here().Page != "place" {
		t.Errorf("on page %s", v.Here().Page)
	}
}

func TestVitaleLeadsToItsDemarche(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.Vitale)
	b.Choose(t, v, "demarche:carte-vitale-droits-sante")
	if v.Here().Page != "demarche.question" {
		t.Errorf("on page %s", v.Here().Page)
	}
}

// Whoever leaves a chip card in the reader is told before they go.
func TestCardLeftInTheReader(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Show(v, journeytest.Vitale)
	b.Choose(t, v, "nav.home", "nav.leave")
	if said := words(b.Page(t.Context(), v)); !strings.Contains(said, "N’oubliez pas votre carte") {
		t.Errorf("the page says\n%s", said)
	}
	gone := journeytest.Vitale
	gone.Present = false
	b.Show(v, gone)
	if said := words(b.Page(t.Context(), v)); v.Here().Page != "leaving" || strings.Contains(said, "N’oubliez pas votre carte") {
		t.Errorf("taken away, the page says\n%s", said)
	}
	b.Show(v, journeytest.Stranger)
	if v.CardPresent {
		t.Error("a card held before the reader is taken for one left in it")
	}
}

// The page about cards says the truth about the reader.
func TestCardPage(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "card")
	for _, tc := range []struct {
		status device.Status
		says   string
	}{
		{device.Status{State: device.Online}, "Montrez votre carte"},
		{device.Status{State: device.Starting}, "Montrez votre carte"},
		{device.Unplugged.With(nil), "ne marche pas"},
		{device.NoService.With(nil), "ne marche pas"},
	} {
		b.Reader = tc.status
		if p := b.Page(t.Context(), v); !strings.Contains(p.Lead, tc.says) || strings.Contains(words(p), "Carte de la ville") == strings.Contains(tc.says, "ne marche") {
			t.Errorf("%v: the page says\n%s", tc.status.State, words(p))
		}
	}
	b.Reader = device.Status{State: device.Online}
	b.Cards = card.Rules{}
	if p := b.Page(t.Context(), v); strings.Contains(words(p), "Carte de la ville") {
		t.Errorf("a city without cards: the page says\n%s", words(p))
	}
	b.CardReader = nil
	if p := b.Page(t.Context(), v); !strings.Contains(p.Lead, "pas de lecteur") {
		t.Errorf("without a reader: the page says\n%s", words(p))
	}
}

// Of several readers, the page asks for what those that work can read.
func TestCardPageWithSeveralReaders(t *testing.T) {
	online, unplugged := device.Status{State: device.Online}, device.Unplugged.With(nil)
	for _, tc := range []struct {
		name    string
		readers map[reader.Medium]device.Status
		lead    string
		city    bool // its card, by RFID, is spoken of
		pass    bool // its code is asked for
	}{
		{"both work", map[reader.Medium]device.Status{reader.RFID: online, reader.Code: online}, "votre carte ou votre code", true, true},
		{"RFID unplugged", map[reader.Medium]device.Status{reader.RFID: unplugged, reader.Code: online}, "Montrez votre code", false, true},
		{"scanner unplugged", map[reader.Medium]device.Status{reader.RFID: online, reader.Code: unplugged}, "Montrez votre carte au", true, false},
		{"no scanner", map[reader.Medium]device.Status{reader.RFID: online}, "Montrez votre carte au", true, false},
		{"scanner alone", map[reader.Medium]device.Status{reader.Code: online}, "Montrez votre code", false, true},
		{"chip cards alone", map[reader.Medium]device.Status{reader.Contact: online, reader.Contactless: online}, "Montrez votre carte au", false, false},
		{"all unplugged", map[reader.Medium]device.Status{reader.RFID: unplugged, reader.Code: unplugged}, "ne marche pas", false, false},
		{"none", nil, "pas de lecteur", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := journeytest.New(t)
			b.CardReader = func(m reader.Medium) (device.Status, bool) { s, ok := tc.readers[m]; return s, ok }
			v := visit.New(1, "")
			b.Choose(t, v, "start", "card")
			p := b.Page(t.Context(), v)
			said := words(p)
			if !strings.Contains(p.Lead, tc.lead) || strings.Contains(said, "Carte de la ville") != tc.city || strings.Contains(said, "Montrez son code") != tc.pass {
				t.Errorf("the page says\n%s", said)
			}
		})
	}
}

// A card's number is overwritten wherever the visit ends.
func TestWipeOverwritesCards(t *testing.T) {
	for name, wipe := range map[string]func(*journeytest.Borne, *visit.Visit){
		"home": func(b *journeytest.Borne, v *visit.Visit) { b.Choose(t, v, "nav.home") },
		"end":  func(b *journeytest.Borne, v *visit.Visit) { b.End(v, b.Clock) },
	} {
		b := journeytest.New(t)
		v := visit.New(1, "")
		b.Show(v, journeytest.CityCard)
		b.Choose(t, v, "yes", "topic:logement")
		b.Show(v, journeytest.OtherCity)
		for _, number := range [][]byte{v.Card, v.Draft.Card} {
			if len(number) == 0 {
				t.Fatal("there is no number to wipe")
			}
			defer func() {
				if !bytes.Equal(number, make([]byte, len(number))) {
					t.Errorf("%s leaves %q", name, number)
				}
			}()
		}
		wipe(b, v)
		if len(v.Card)+len(v.Draft.Card) != 0 || slices.ContainsFunc(v.Path, func(s visit.Step) bool { return strings.HasPrefix(s.Page, "card.") }) {
			t.Errorf("%s leaves %q, %q and path %s", name, v.Card, v.Draft.Card, pages(v))
		}
	}
}
