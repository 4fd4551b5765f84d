package journey_test

import (
	"strings"
	"testing"

	"parvis/app/journey/journeytest"
	"parvis/app/page"
	"parvis/kiosk/visit"
)

// A borne without an identity asks for the code and for nothing else, says what
// is wrong with it, keeps what was typed, and serves residents once it has one.
func TestEnrolment(t *testing.T) {
	b := journeytest.New(t)
	b.NoIdentity, b.Invitation = true, "01SFR7@HUB.VILLE.FR:8443"
	v := visit.New(1, "")
	here := func() page.Page { return b.Page(t.Context(), v) }
	enter := func() page.Choice {
		t.Helper()
		c, ok := here().Find("enter")
		if !ok {
			t.Fatal("nothing to enter")
		}
		return c
	}
	p := here()
	if p.Name != "maintenance.enrol" || !p.Private || enter().Why == "" {
		t.Fatalf("page %s, private %t, enter %+v", p.Name, p.Private, enter())
	}
	for _, away := range []string{"start", "nav.home", "nav.back", "nav.person", "nav.language"} {
		if _, ok := p.Find(away); ok {
			t.Errorf("%s leads away", away)
		}
	}
	b.Type(t, v, "01SFR8")
	if why := enter().Why; why != "trop court" {
		t.Errorf("a short code: %q", why)
	}
	b.Type(t, v, "@HUB.VILLE.FR:8443")
	b.Choose(t, v, "enter")
	field := here().Blocks[0].(page.Field)
	if field.Problem != "code inconnu" || !strings.HasSuffix(field.Value, "HUB.VILLE.FR:8443") || strings.Contains(field.Spoken, "HUB") {
		t.Errorf("after a wrong code: %+v", field)
	}
	if field.Hint != "01SFR 8 @HUB.VILLE.FR:8443" {
		t.Errorf("it shows %q", field.Hint)
	}
	b.Choose(t, v, "key.rub")
	if here().Blocks[0].(page.Field).Problem != "" {
		t.Error("the problem stands while the code is being mended")
	}
	b.Choose(t, v, "key.clear")
	b.Type(t, v, b.Invitation)
	b.Choose(t, v, "enter")
	if p := here(); p.Name != "attract" || len(v.PIN) != 0 {
		t.Errorf("enrolled, it shows %s and keeps %d signs", p.Name, len(v.PIN))
	}
}
