package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/e2e/xdrive"
	"parvis/kiosk/callback"
)

func testCallback(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	tap(b, "start", "callback")
	find(b, "topic:social_sante")
	write(b, "0612345652")
	find(b, "continue", "slot:1", "continue")
	write(b, "M")
	write(b, "élanie")
	find(b, "continue")
	if send := b.Target("send"); !send.Disabled {
		t.Error("a request can leave without consent")
	}
	find(b, "consent", "send")
	b.WaitPage("callback.done")

	all := b.Waiting()
	code := requestOf(t, b, "+33612345652").Code
	if !slices.ContainsFunc(all, func(w xdrive.Waiting) bool { return w.Code == code }) {
		t.Errorf("parvis callback list does not show %s: %v", code, all)
	}
	ticket := print(t, b)
	wantText(t, ticket, "CODE: "+callback.FormatCode(code), "On vous rappelle",
		"aujourd’hui après-midi, 14 h – 17 h", "Ce ticket ne porte ni votre nom ni votre téléphone.")
	if found := betrayed([]byte(ticket.Text), secrets("0612345652", "Mélanie")); len(found) > 0 {
		t.Errorf("the ticket says %s:\n%s", found, ticket.Text)
	}
	wantRequest(t, requestOf(t, b, "+33612345652"), callback.Request{
		Topic: "social_sante", Phone: "+33612345652", FirstName: "Mélanie", Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-24T14:00:00+01:00", "2026-11-24T17:00:00+01:00")},
	})
	tap(b, "leave", "leaving.finish")
	b.WaitPage("attract")
	counted("visit", "language.fr", "callback.begun", "callback.kept", "ticket.printed")
}

// slot is a stretch of time.
func slot(t *testing.T, start, end string) callback.Slot {
	t.Helper()
	var s callback.Slot
	var err1, err2 error
	s.Start, err1 = time.Parse(time.RFC3339, start)
	s.End, err2 = time.Parse(time.RFC3339, end)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantRequest compares what the resident asked for, but for the ID, the code
// and the time, which are the borne's.
func wantRequest(t *testing.T, got, want callback.Request) {
	t.Helper()
	if now := slot(t, "2026-11-24T10:42:00+01:00", "2026-11-24T10:52:00+01:00"); got.Created.Before(now.Start) || got.Created.After(now.End) {
		t.Errorf("created %v", got.Created)
	}
	if got.ID.Version() != 7 {
		t.Errorf("ID %s", got.ID)
	}
	if code, err := callback.CheckCode(got.Code); err != nil || code != got.Code {
		t.Errorf("code %q: %v", got.Code, err)
	}
	want.ID, want.Code, want.Created = got.ID, got.Code, got.Created
	g, w := asJSON(t, got), asJSON(t, want)
	if g != w {
		t.Errorf("the request is\n%s, want\n%s", g, w)
	}
}

func asJSON(t *testing.T, r callback.Request) string {
	t.Helper()
	for i := range r.Slots {
		r.Slots[i].Start, r.Slots[i].End = r.Slots[i].Start.UTC(), r.Slots[i].End.UTC()
	}
	r.Created = r.Created.UTC()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each line of the review can be mended, and what leaves is the mended request.
func testMending(t *testing.T, b *xdrive.Borne) {
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0123456789")
	find(b, "continue", "slot:any", "continue")
	write(b, "Paul")
	find(b, "continue", "mend:topic", "topic:e_mail")
	b.WaitPage("callback.review")
	find(b, "mend:phone", "key.clear")
	write(b, "0692")
	if next := b.Target("continue"); !next.Disabled {
		t.Error("a short number is taken")
	}
	write(b, "123456")
	find(b, "continue")
	b.WaitPage("callback.review")
	find(b, "mend:when", "slot:2", "continue")
	b.WaitPage("callback.review")
	find(b, "mend:name", "key.rub", "key.rub", "key.rub", "key.rub", "continue")
	b.WaitPage("callback.review")
	find(b, "consent", "send")
	b.WaitPage("callback.done")
	wantRequest(t, requestOf(t, b, "+262692123456"), callback.Request{
		Topic: "e_mail", Phone: "+262692123456", Lang: "fr", Site: "demo", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-25T09:00:00+01:00", "2026-11-25T12:00:00+01:00")},
	})
	tap(b, "home")
	leave(b)
}

// A deaf resident is written to, at a number that can be written to, by a
// place of their choice.
func testTextMessage(t *testing.T, b *xdrive.Borne) {
	tap(b, "lang:en", "help")
	find(b, "need:demarches", "place:demo-02", "callback", "topic:argent_impots", "by_text")
	write(b, "0388112233")
	if next := b.Target("continue"); !next.Disabled {
		t.Error("a text message is promised to a landline")
	}
	find(b, "key.clear")
	write(b, "0768123456")
	find(b, "continue", "slot:0", "continue", "continue", "consent", "send")
	b.WaitPage("callback.done")
	wantRequest(t, requestOf(t, b, "+33768123456"), callback.Request{
		Topic: "argent_impots", Phone: "+33768123456", Text: true, Lang: "en", Site: "demo", PlaceID: "demo-02", Consent: true,
		Slots: []callback.Slot{slot(t, "2026-11-24T09:00:00+01:00", "2026-11-24T12:00:00+01:00")},
	})
	tap(b, "home")
	leave(b)
}

// A request that the disk does not take is not kept: the resident is told so,
// and what to do. When they try again it is kept once.
func testNotKept(t *testing.T, b *xdrive.Borne) {
	counted := counting(t, b)
	st := b.OpenStore()
	defer st.Close()
	before := len(b.Waiting())
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0456789123")
	find(b, "continue", "slot:any", "continue", "continue", "consent")
	lock, err := st.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tap(b, "send")
	b.WaitPage("waiting") // SQLite tries for two seconds
	b.WaitPage("callback.failed")
	hearPage(b, "Votre demande n'est pas enregistrée", "Rien n'a été gardé.", "Réessayez, ou parlez à l'accueil", "Appelez le zéro 3, 53, zéro 1, zéro zéro, zéro zéro")
	if n := len(b.Waiting()); n != before {
		t.Errorf("%d requests are kept, %d before", n, before)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	tap(b, "retry")
	b.WaitPage("callback.done")
	requestOf(t, b, "+33456789123")
	tap(b, "leave", "leaving.finish")
	b.WaitPage("attract")
	counted("visit", "language.fr", "callback.begun", "callback.failed", "callback.kept", "aid.keypad", "aid.speech") // by hearPage
}

// A borne without a hub's key keeps nothing that anybody could read.
func TestNoKey(t *testing.T) {
	demo, err := os.ReadFile("../packaging/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	profile, _, _ := strings.Cut(string(demo), "[rappel]")
	path := filepath.Join(t.TempDir(), "profile.toml")
	if err := os.WriteFile(path, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	b := xdrive.StartBorne(t, xdrive.Options{Profile: path, Env: []string{xdrive.Morning}, Bare: true})
	tap(b, "start", "callback")
	find(b, "topic:logement")
	write(b, "0456789123")
	find(b, "continue", "slot:any", "continue", "continue", "consent", "send")
	b.WaitPage("callback.failed")
	hearPage(b, "Votre demande n'est pas enregistrée")
	if n := len(b.Waiting()); n != 0 {
		t.Errorf("%d requests are kept", n)
	}
}
