package journey_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parvis/app/journey"
	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/kiosk/callback"
	"parvis/kiosk/level"
	"parvis/kiosk/visit"
)

// identifier is what a missing sentence shows as.
var identifier = regexp.MustCompile(`\b[a-z]+\.[a-z_]+\b`)

// Every page, in every language, can be read, tells where one is, and has a
// way out and a way to a person.
func TestEveryPage(t *testing.T) {
	for _, lang := range []string{"fr", "falc", "en"} {
		b := journeytest.New(t)
		seen := map[string]bool{}
		for _, scene := range b.Scenes(t, lang) {
			p := b.Page(t.Context(), scene.Visit)
			seen[p.Name] = true
			if p.Title == "" {
				t.Errorf("%s %s: no title", lang, scene.Name)
			}
			ids := map[string]bool{}
			for _, part := range p.Reading() {
				if identifier.MatchString(part.Text) && !strings.Contains(part.Text, "/") && !isAddress(part.Text) {
					t.Errorf("%s %s: %q looks like the id of a missing sentence", lang, scene.Name, part.Text)
				}
				if part.Choice == nil {
					continue
				}
				if part.Text == "" {
					t.Errorf("%s %s: choice %s says nothing", lang, scene.Name, part.Choice.ID)
				}
				if ids[part.Choice.ID] {
					t.Errorf("%s %s: two choices are called %s", lang, scene.Name, part.Choice.ID)
				}
				ids[part.Choice.ID] = true
			}
			if p.Layout == page.Attract || p.Name == "closed" || p.Name == "maintenance.enrol" {
				continue
			}
			staff := strings.HasPrefix(p.Name, "maintenance")
			for _, way := range []string{"nav.back", "nav.person", "nav.listen", "nav.bigger", "nav.language"} {
				if onwards := way == "nav.person" || way == "nav.language"; ids[way] == (staff && onwards) {
					t.Errorf("%s %s: %s is there: %t", lang, scene.Name, way, ids[way])
				}
			}
			if !ids["nav.home"] && !ids["nav.leave"] {
				t.Errorf("%s %s: no way home", lang, scene.Name)
			}
		}
		for _, name := range journey.Names() {
			if !seen[name] {
				t.Errorf("%s: no scene shows page %s", lang, name)
			}
		}
	}
}

func isAddress(text string) bool {
	return regexp.MustCompile(`\.(fr|org|com|eu)\b`).MatchString(text)
}

// Switching the language keeps the resident's place and what they chose.
func TestLanguageKeepsThePlace(t *testing.T) {
	b := journeytest.New(t)
	for _, scene := range b.Scenes(t, "fr") {
		v := scene.Visit
		if name := v.Here().Page; name == "attract" || name == "closed" || name == "language" || name == "demarche.search" || strings.HasPrefix(name, "maintenance") {
			continue // what is typed in a search finds other things in another language, and staff read French
		}
		before, path := v.Here(), len(v.Path)
		fr := b.Page(t.Context(), v)
		b.Choose(t, v, "nav.language", "lang:en")
		en := b.Page(t.Context(), v)
		if v.Here() != before || len(v.Path) != path || en.Lang != "en" {
			t.Errorf("%s: went from %v to %v in %s", scene.Name, before, v.Here(), en.Lang)
		}
		if len(fr.Reading()) != len(en.Reading()) {
			t.Errorf("%s: %d parts in French, %d in English", scene.Name, len(fr.Reading()), len(en.Reading()))
		}
	}
}

// Back goes one step, and from anywhere leads home in the end.
func TestBackLeadsHome(t *testing.T) {
	b := journeytest.New(t)
	for _, scene := range b.Scenes(t, "fr") {
		v := scene.Visit
		for steps := 0; v.Here().Page != "home" && v.Here().Page != "attract" && v.Here().Page != "closed" && v.Here().Page != "maintenance.enrol"; steps++ {
			if steps > 20 {
				t.Fatalf("%s: still on %s after 20 steps back", scene.Name, v.Here().Page)
			}
			b.Choose(t, v, "nav.back")
		}
	}
}

func TestAnswerAgainAfterBack(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "demarches", "demarche:carte-identite-passeport", "answer:carte", "nav.back", "answer:passeport")
	if want := []visit.Answer{{Question: v.Answers[0].Question, Choice: "passeport"}}; !slices.Equal(v.Answers, want) {
		t.Errorf("answers %v, want %v", v.Answers, want)
	}
}

func TestCallback(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:1", "continue")
	b.Type(t, v, "L")
	b.Type(t, v, "éo")
	b.Choose(t, v, "continue", "mend:topic", "topic:justice", "consent", "send")
	if got := v.Here().Page; got != "callback.done" {
		t.Fatalf("on page %s", got)
	}
	waiting, err := b.Store.Outbox(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("outbox %v, %v", waiting, err)
	}
	r, err := callback.Unseal(waiting[0].Data, b.Key)
	if err != nil {
		t.Fatal(err)
	}
	if r.Topic != "justice" || r.Phone != "+33612345678" || r.FirstName != "Léo" || r.Lang != "fr" || r.Site != "demo" || !r.Consent || len(r.Slots) != 1 {
		t.Errorf("request %+v", []any{r.Topic, r.Phone, r.FirstName, r.Lang, r.Site, r.Consent, r.Slots})
	}
	if r.Code != waiting[0].Code || r.Code != v.Draft.Code {
		t.Errorf("codes differ: %s in the request, %s outside, %s on the glass", r.Code, waiting[0].Code, v.Draft.Code)
	}
	if p := b.Page(t.Context(), v); strings.Contains(p.Lead, "34 56") || !strings.Contains(p.Lead, "78") {
		t.Errorf("the number is not masked in %q", p.Lead)
	}
}

// A request that cannot be kept is not confirmed, and trying again after the
// cause is mended keeps it once.
func TestCallbackNotKept(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:any", "continue", "continue", "consent")
	recipients := b.Desk.Recipients
	b.Desk.Recipients = nil
	b.Choose(t, v, "send")
	p := b.Page(t.Context(), v)
	if p.Name != "callback.failed" || !strings.Contains(p.Title, "pas enregistrée") {
		t.Fatalf("page %s says %q", p.Name, p.Title)
	}
	b.Desk.Recipients = recipients
	b.Choose(t, v, "retry")
	waiting, err := b.Store.Outbox(t.Context())
	if err != nil || len(waiting) != 1 || v.Here().Page != "callback.done" {
		t.Fatalf("page %s, outbox %v, %v", v.Here().Page, waiting, err)
	}
}

func TestTextMessageInsteadOfACall(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement", "by_text")
	b.Type(t, v, "0388123456")
	if c, _ := b.Page(t.Context(), v).Find("continue"); !strings.Contains(c.Why, "mobile") {
		t.Errorf("a landline may not receive texts, but continue says %q", c.Why)
	}
	b.Choose(t, v, "key.clear")
	b.Type(t, v, "0712345678")
	b.Choose(t, v, "key.clear")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:0", "continue", "continue", "consent", "send")
	if p := b.Page(t.Context(), v); p.Name != "callback.done" || !strings.Contains(p.Lead, "écrit") {
		t.Errorf("page %s says %q", p.Name, p.Lead)
	}
}

func TestContinueSaysWhyNot(t *testing.T) {
	b := journeytest.New(t)
	for typed, want := range map[string]string{"": "trop court", "06": "trop court", "112": "urgence", "0912": "trop court", "99": "commence par 0", "0812345678": "08", "061234567890": "trop long"} {
		v := visit.New(1, "")
		b.Choose(t, v, "start", "callback", "topic:logement")
		b.Type(t, v, typed)
		c, _ := b.Page(t.Context(), v).Find("continue")
		if !strings.Contains(c.Why, want) {
			t.Errorf("%q: continue says %q, want %q", typed, c.Why, want)
		}
	}
}

// A site without a printer offers none.
func TestNoPrinterNoChoice(t *testing.T) {
	b := journeytest.New(t)
	b.Outputs = nil
	v := visit.New(1, "")
	b.Choose(t, v, "start", "help", "need:demarches")
	if _, ok := b.Page(t.Context(), v).Find("print"); ok {
		t.Error("the page offers to print")
	}
}

// The three wishes at the end of the level test lead to the three profiles.
func TestLevelLeadsToItsPlaces(t *testing.T) {
	b := journeytest.New(t)
	last := b.Level.Questions[len(b.Level.Questions)-1]
	for _, profile := range b.Level.Profiles {
		wish := slices.IndexFunc(last.Choices, func(c level.Choice) bool { return c.Points[profile.ID] >= 5 })
		if wish < 0 {
			t.Fatalf("no wish leads to %s", profile.ID)
		}
		v := visit.New(1, "")
		b.Choose(t, v, "start", "level")
		for _, q := range b.Level.Questions[:len(b.Level.Questions)-1] {
			b.Choose(t, v, "answer:"+q.Choices[0].ID)
		}
		b.Choose(t, v, "answer:"+last.Choices[wish].ID)
		p := b.Page(t.Context(), v)
		if p.Title != profile.Title["fr"] || b.Counts["level."+profile.ID] != 1 {
			t.Errorf("%s: title %q, counts %v", profile.ID, p.Title, b.Counts)
		}
		b.Choose(t, v, "places")
		if _, found := b.Page(t.Context(), v).Find("sort"); !found {
			t.Errorf("%s: no places", profile.ID)
		}
	}
}

// A touch that comes after the page has changed is no order.
func TestLateTouchDoesNothing(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start")
	for _, id := range []string{"send", "key:1", "leaving.finish", "place:demo-02", ""} {
		if task := b.Journey.Choose(t.Context(), v, id); task != nil || v.Here().Page != "home" {
			t.Errorf("%q led to %s", id, v.Here().Page)
		}
	}
}

func BenchmarkNextPage(b *testing.B) {
	borne := journeytest.New(b)
	scenes := borne.Scenes(b, "fr")
	for i := 0; b.Loop(); i++ {
		borne.Page(b.Context(), scenes[i%len(scenes)].Visit)
	}
}

// A second request begins with nothing of the first, and once a request is kept
// nothing of it is left in memory.
func TestRequestsAreOverwritten(t *testing.T) {
	b := journeytest.New(t)
	v := visit.New(1, "")
	b.Choose(t, v, "start", "callback", "topic:logement")
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:1", "continue")
	b.Type(t, v, "Léa")
	first := [][]byte{v.Draft.Phone, v.Draft.Name}
	gone := func(when string, texts [][]byte) {
		t.Helper()
		for _, text := range texts {
			if all := text[:cap(text)]; !bytes.Equal(all, make([]byte, len(all))) {
				t.Errorf("%s: %q is left", when, all)
			}
		}
	}
	b.Choose(t, v, "nav.person", "callback", "topic:logement")
	gone("begun anew", first)
	b.Type(t, v, "0612345678")
	b.Choose(t, v, "continue", "slot:1", "continue")
	b.Type(t, v, "Zo")
	b.Choose(t, v, "continue", "consent")
	second := [][]byte{v.Draft.Phone[:3], v.Draft.Name[:1]}
	v.Draft.Name = v.Draft.Name[:1] // as if a sign had only been taken out of sight
	b.Choose(t, v, "send")
	gone("kept", second)
}
