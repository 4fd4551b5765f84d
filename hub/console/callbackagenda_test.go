package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	ical "github.com/emersion/go-ical"
	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

var secretField = regexp.MustCompile(`<textarea id="(?:adresse|jeton)"[^>]*>([^<]*)</textarea>`)

// once has a page make a secret, and returns what is shown this one time.
func (v *visit) once(page, form string, values url.Values) string {
	v.hub.t.Helper()
	if status, body := v.post(form, values); status != http.StatusSeeOther {
		v.hub.t.Fatalf("%s: %d %s", form, status, plain(body))
	}
	_, body := v.get(page)
	shown := secretField.FindStringSubmatch(body)
	if shown == nil {
		v.hub.t.Fatalf("%s shows no secret: %s", page, plain(body))
	}
	if _, body := v.get(page); secretField.MatchString(body) {
		v.hub.t.Errorf("%s shows the secret again", page)
	}
	return shown[1]
}

// subscribed is what a calendar program gets at an address, without a session.
func (h *fleetHub) subscribed(address string) (int, []ical.Event) {
	h.t.Helper()
	program := &visit{hub: h, client: h.Client()}
	status, body, header := program.file(strings.TrimPrefix(address, h.URL))
	if len(header.Values("Set-Cookie")) > 0 {
		h.t.Errorf("a calendar program gets a cookie: %v", header)
	}
	if status != http.StatusOK {
		return status, nil
	}
	if cache := header.Get("Cache-Control"); !strings.HasPrefix(cache, "private") || !strings.HasPrefix(header.Get("Content-Type"), "text/calendar") {
		h.t.Errorf("the answer has %v", header)
	}
	for _, secret := range []string{"Apolline", "612345652", "Papiers", "Claire", "Anne", "une note"} {
		if strings.Contains(strings.ReplaceAll(body, "\r\n ", ""), secret) {
			h.t.Errorf("the feed says %q", secret)
		}
	}
	return status, readCalendar(h.t, body)
}

// wantFeed makes sure that a feed has the appointments of some requests.
func (h *fleetHub) wantFeed(what, address string, want map[uuid.UUID]time.Time) map[uuid.UUID]ical.Event {
	h.t.Helper()
	status, events := h.subscribed(address)
	if status != http.StatusOK || len(events) != len(want) {
		h.t.Fatalf("%s: %d with %d events, want %d", what, status, len(events), len(want))
	}
	found := map[uuid.UUID]ical.Event{}
	for id, start := range want {
		for _, e := range events {
			if uid, _ := e.Props.Text(ical.PropUID); uid == id.String()+"@parvis" {
				wantEvent(h.t, e, start, nil)
				found[id] = e
			}
		}
		if _, ok := found[id]; !ok {
			h.t.Errorf("%s lacks %s", what, id)
		}
	}
	return found
}

// A mediator's feed has their own appointments, that of a site those of its
// requests: they come, move and go.
func TestAgendas(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	borne, err := h.store.Borne(ctx, "MN-01")
	must(t, err)
	own := mediator.once("/rappels/agendas", "/rappels/agendas/moi", nil)
	site := admin.once("/rappels/agendas", "/rappels/agendas/sites", url.Values{"site": {borne.Site.ID}})
	if !regexp.MustCompile(`^http://[^/]+/agenda/[A-Za-z0-9_-]{43}\.ics$`).MatchString(own) {
		t.Errorf("the address is %q", own)
	}
	h.wantFeed("an empty feed", own, nil)

	mine, code := h.called("MN-01", nil)
	elsewhere, _ := h.called("MM-01", func(r *callback.Request) { r.Phone = "+33699999999" })
	others, _ := h.called("MN-01", func(r *callback.Request) { r.Phone = "+33688888888" })
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 30, 0, 0, hours.Paris) }
	h.appointed(mediator, mine, "2026-11-24", "14:30")
	h.appointed(mediator, elsewhere, "2026-11-23", "09:30")
	h.appointed(admin, others, "2026-11-25", "10:30")
	found := h.wantFeed("the mediator's", own, map[uuid.UUID]time.Time{mine: at(24, 14), elsewhere: at(23, 9)})
	wantEvent(t, found[mine], at(24, 14), map[string]string{ical.PropSummary: "Rappel " + code + ", Mairie de Neudorf"})
	h.wantFeed("the site's", site, map[uuid.UUID]time.Time{mine: at(24, 14), others: at(25, 10)})

	before, err := found[mine].Props.Get(ical.PropSequence).Int()
	must(t, err)
	h.appointed(mediator, mine, "2026-11-26", "16:30")
	found = h.wantFeed("moved", own, map[uuid.UUID]time.Time{mine: at(26, 16), elsewhere: at(23, 9)})
	if after, err := found[mine].Props.Get(ical.PropSequence).Int(); err != nil || after <= before {
		t.Errorf("moved, the sequence is %d after %d (%v)", after, before, err)
	}
	mediator.post("/rappels/"+mine.String()+"/suite", url.Values{"revision": {h.revision(mine)}, "quoi": {"appointment_kept"}, "note": {"une note"}})
	h.wantFeed("after closing", own, map[uuid.UUID]time.Time{elsewhere: at(23, 9)})
	h.wantFeed("the site's after closing", site, map[uuid.UUID]time.Time{others: at(25, 10)})
	h.clock.Add(at(23, 9).AddDate(0, 0, 30).Sub(h.clock.Now()) - time.Second)
	h.wantFeed("30 days later", own, map[uuid.UUID]time.Time{elsewhere: at(23, 9)})
	h.clock.Add(time.Second)
	h.wantFeed("after 30 days", own, nil)
	_, body := h.as(people.Mediator).get("/rappels/agendas")
	contains(t, plain(body), "Dernière lecture par un agenda : aujourd’hui.")
}

// An address dies when it is replaced or stopped, and when its person may not
// see the queue any more. The audit log tells, and no log has an address.
func TestAgendaDies(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	borne, err := h.store.Borne(ctx, "MN-01")
	must(t, err)
	wantDead := func(what, address string) {
		t.Helper()
		if status, _ := h.subscribed(address); status != http.StatusNotFound {
			t.Errorf("%s: %d", what, status)
		}
	}
	first := mediator.once("/rappels/agendas", "/rappels/agendas/moi", nil)
	h.wantFeed("the first", first, nil)
	second := mediator.once("/rappels/agendas", "/rappels/agendas/moi", nil)
	h.wantFeed("the second", second, nil)
	wantDead("replaced", first)
	wantDead("unknown", h.URL+"/agenda/"+strings.Repeat("A", 43)+".ics")
	wantDead("without .ics", strings.TrimSuffix(second, ".ics"))
	wantDead("a program's token", h.URL+"/agenda/"+admin.once("/rappels/acces", "/rappels/acces", url.Values{"nom": {"Métropole"}})+".ics")

	mediator.post("/rappels/agendas/moi/arret", nil)
	wantDead("stopped", second)
	third := mediator.once("/rappels/agendas", "/rappels/agendas/moi", nil)
	_, err = h.People.SetRole(ctx, mediator.ID, people.Reader)
	must(t, err)
	wantDead("without the role", third)
	_, err = h.People.SetRole(ctx, mediator.ID, people.Mediator)
	must(t, err)
	h.wantFeed("with the role again", third, nil)
	_, err = h.People.Disable(ctx, mediator.ID)
	must(t, err)
	wantDead("suspended", third)
	must(t, h.People.Remove(ctx, mediator.ID))
	wantDead("of somebody who has left", third)

	site := admin.once("/rappels/agendas", "/rappels/agendas/sites", url.Values{"site": {borne.Site.ID}})
	h.wantFeed("the site's", site, nil)
	if status, _ := admin.post("/rappels/agendas/sites", url.Values{"site": {"nowhere"}}); status != http.StatusNotFound {
		t.Errorf("of an unknown site: %d", status)
	}
	admin.post("/rappels/agendas/sites/"+borne.Site.ID+"/arret", nil)
	wantDead("the site's, stopped", site)

	count := func(action people.Action, object string) (n int) {
		log, err := h.People.Log(ctx, people.Filter{Action: action})
		must(t, err)
		for _, e := range log {
			if e.Object == object && e.Person != "" {
				n++
			}
		}
		return n
	}
	for object, want := range map[string][2]int{"Claire Weber": {3, 1}, "Mairie de Neudorf": {1, 1}} {
		if made, stopped := count(people.FeedMade, object), count(people.FeedStopped, object); made != want[0] || stopped != want[1] {
			t.Errorf("%s: %d made and %d stopped in the audit log", object, made, stopped)
		}
	}
	lines, err := h.People.Log(ctx, people.Filter{})
	must(t, err)
	for _, address := range []string{first, second, third, site} {
		secret := strings.TrimSuffix(address[strings.LastIndex(address, "/")+1:], ".ics")
		if strings.Contains(h.Logs.String(), secret) {
			t.Error("the log has an address")
		}
		for _, e := range lines {
			for _, word := range append([]string{e.Object}, e.Detail["portée"]) {
				if strings.Contains(word, secret) {
					t.Errorf("the audit log has an address: %+v", e)
				}
			}
		}
	}
}

// Programs get a token each, which is shown once and can be taken away.
func TestAccess(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	admin := h.as(people.Admin)
	for name, says := range map[string]string{"": "Donnez un nom", strings.Repeat("x", 81): "plus de 80 lettres"} {
		status, body := admin.post("/rappels/acces", url.Values{"nom": {name}})
		if status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), says) {
			t.Errorf("%q: %d %s", name, status, plain(body))
		}
	}
	secret := admin.once("/rappels/acces", "/rappels/acces", url.Values{"nom": {" Tableau  de bord "}})
	_, body := admin.get("/rappels/acces")
	contains(t, plain(body), "Tableau de bord", "Activités, pour la Coop", "jamais")
	revoke := regexp.MustCompile(`action="(/rappels/acces/[^"]*/arret)"`).FindStringSubmatch(body)
	if revoke == nil || strings.Contains(body, secret) {
		t.Fatalf("the page is %s", body)
	}
	admin.post(revoke[1], nil)
	_, body = admin.get("/rappels/acces")
	contains(t, plain(body), "L’accès « Tableau de bord » est révoqué", "Aucun programme ne peut lire")
	admin.post(revoke[1], nil)
	for _, action := range []people.Action{people.AccessMade, people.AccessRevoked} {
		log, err := h.People.Log(ctx, people.Filter{Action: action})
		must(t, err)
		if len(log) != 1 || log[0].Object != "Tableau de bord" || log[0].Person != admin.ID {
			t.Errorf("%s: %+v", action, log)
		}
	}
}

// The visitor's own appointments are a list, in order of time.
func TestAppointmentList(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	b := h.As(people.Mediator)
	b.Open("/rappels?vue=rendez-vous")
	b.Check("rappels-rendez-vous-vide")
	late, lateCode := h.called("MN-01", nil)
	soon, soonCode := h.called("MM-01", func(r *callback.Request) { r.Phone = "+33699999999" })
	others, othersCode := h.called("MN-01", func(r *callback.Request) { r.Phone = "+33688888888" })
	h.appointed(mediator, late, "2026-11-24", "14:30")
	h.appointed(mediator, soon, "2026-11-21", "11:30")
	h.appointed(admin, others, "2026-11-22", "11:30")
	_, body := mediator.get("/rappels?vue=rendez-vous")
	text := plain(body)
	contains(t, text, "Rendez-vous 2", "Rendez-vous aujourd’hui, 11 h 30", "Rendez-vous mardi, 14 h 30")
	if strings.Index(text, soonCode) > strings.Index(text, lateCode) || strings.Contains(text, othersCode) {
		t.Errorf("the list is %s", text)
	}
	h.clock.Add(time.Hour)
	_, body = mediator.get("/rappels?vue=rendez-vous")
	contains(t, plain(body), "En retard de 12 min", "rendez-vous aujourd’hui, 11 h 30")
	b.Open("/rappels?vue=rendez-vous")
	b.Check("rappels-rendez-vous")
}

// The pages about feeds and programs, large and small, with axe.
func TestAgendaPages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	b := h.As(people.Mediator)
	b.Open("/rappels/agendas")
	b.Check("rappels-agendas")
	b.Click("#faire-moi")
	b.Until(`document.querySelector("#adresse") !== null`)
	b.Check("rappels-agendas-adresse")
	b = h.As(people.Admin)
	b.Open("/rappels/agendas")
	b.Click("#faire-site")
	b.Until(`document.querySelector("#adresse") !== null`)
	b.Check("rappels-agendas-site")
	b.Open("/rappels/acces")
	b.Check("rappels-acces-vide")
	b.Click("#creer")
	b.Until(`document.querySelector("#erreurs") !== null && document.querySelector("#nom-erreur") !== null`)
	b.Check("rappels-acces-erreur")
	b.Type("#nom", "Tableau de bord de la métropole")
	b.Click("#creer")
	b.Until(`document.querySelector("#jeton") !== null`)
	b.Check("rappels-acces")
}
