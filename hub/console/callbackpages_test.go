package console_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/people"
	"parvis/kiosk/callback"
)

// number is that of whoever asks in these tests, and how people write it.
const number, written = "+33612345652", "06 12 34 56 52"

// queue is the queue that the console shows, as a borne's requests reach it.
func (h *fleetHub) queue() *callbacks.Queue {
	h.t.Helper()
	q, err := callbacks.New(ctx, callbacks.Options{Store: h.store, Key: h.Key, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler)})
	must(h.t, err)
	return q
}

// called has a borne hand over a request, but for what change says, and returns
// its ID and its code.
func (h *fleetHub) called(borne string, change func(*callback.Request)) (id uuid.UUID, code string) {
	h.t.Helper()
	r := callback.New(h.clock.Now())
	r.Topic, r.Phone, r.FirstName, r.Lang, r.Site, r.Consent = "papiers_elections_citoyennete", number, "Apolline", "fr", "mairie", true
	r.Slots = []callback.Slot{{}}
	if change != nil {
		change(&r)
	}
	must(h.t, r.Validate())
	recipient, err := h.Key.CallbackRecipient(ctx, h.store)
	must(h.t, err)
	to, err := callback.ParseRecipients([]string{recipient})
	must(h.t, err)
	data, err := callback.Seal(r, to)
	must(h.t, err)
	_, err = h.queue().Take(ctx, callbacks.Arrival{ID: r.ID, Borne: borne, Code: r.Code, Created: r.Created, Data: data})
	must(h.t, err)
	return r.ID, callback.FormatCode(r.Code)
}

// revision is the request as a page would show it.
func (h *fleetHub) revision(id uuid.UUID) string {
	h.t.Helper()
	i, err := h.queue().Item(ctx, id)
	must(h.t, err)
	return fmt.Sprint(i.Revision)
}

// looks lists who has seen who asks, by the audit log.
func (h *fleetHub) looks() []people.Entry {
	h.t.Helper()
	log, err := h.People.Log(ctx, people.Filter{Action: people.CallbackSeen, Limit: 100})
	must(h.t, err)
	return log
}

// A request from the list to its end, without scripts.
func TestCallbackWay(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator := h.as(people.Mediator)
	_, body := mediator.get("/rappels")
	contains(t, plain(body), "Aucune demande n’attend")
	id, code := h.called("MN-01", nil)
	path := "/rappels/" + id.String()

	_, body = mediator.get("/rappels")
	contains(t, plain(body), "À moi 0", "À prendre 1", code, "Papiers, élections, citoyenneté", "n’importe quand", "Mairie de Neudorf", "Français", "Nouveau")
	_, body = mediator.get(path)
	contains(t, plain(body), "Prendre la demande")
	// Nothing personal before the request is somebody's, nor to those who only ask.
	for _, p := range []string{"/rappels", path, path + "?voir=oui"} {
		if _, body := mediator.get(p); strings.Contains(body, written) || strings.Contains(body, "Apolline") {
			t.Errorf("%s shows who asks", p)
		}
	}
	if looks := h.looks(); len(looks) != 0 {
		t.Errorf("before anybody has looked, the audit log has %+v", looks)
	}

	if status, _ := mediator.post(path+"/prise", nil); status != http.StatusSeeOther {
		t.Fatalf("claiming: %d", status)
	}
	_, body = mediator.get(path)
	contains(t, plain(body), "La demande est à vous.", "Voir le numéro")
	if strings.Contains(body, written) {
		t.Error("the number is shown without being asked for")
	}
	_, body = mediator.get(path + "?voir=oui")
	contains(t, plain(body), written, "Apolline", "Consentement donné le 21 novembre à 10 h 42.", "Effacé 30 jours après la clôture.")
	if looks := h.looks(); len(looks) != 1 || looks[0].Person != mediator.ID || looks[0].Object != strings.ReplaceAll(code, " ", "") {
		t.Errorf("the audit log has %+v", looks)
	}
	status, body := mediator.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"no_answer"}, "note": {"rappeler lundi"}})
	if status != http.StatusSeeOther {
		t.Fatalf("a try: %d %s", status, plain(body))
	}
	_, body = mediator.get(path + "?voir=oui")
	contains(t, plain(body), "C’est noté. Prochain essai proposé : lundi, 14 h – 17 h.", "Pas de réponse (1)", "rappeler lundi")
	status, body = mediator.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"redirected"}, "vers": {"aide_sociale"}, "lieu": {"CCAS"}, "theme": {"logement"}, "autonomie": {"autonome"}})
	if status != http.StatusSeeOther {
		t.Fatalf("closing: %d %s", status, plain(body))
	}
	_, body = mediator.get("/rappels?vue=termines")
	contains(t, plain(body), "est close.", code, "Réorienté")
	_, body = mediator.get(path)
	contains(t, plain(body), "Logement", "Autonome", "Aide sociale : CCAS", "Rouvrir la demande", "Voir le numéro")
	if len(h.looks()) != 2 {
		t.Errorf("the audit log has %d looks", len(h.looks()))
	}
}

// What somebody has written is there again after whatever went wrong.
func TestCallbackErrors(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	id, _ := h.called("MN-01", nil)
	path := "/rappels/" + id.String()
	mediator.post(path+"/prise", nil)
	at := h.revision(id)
	for name, test := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"nothing":      {url.Values{}, 422, "Dites ce qu’a donné l’appel."},
		"no day":       {url.Values{"quoi": {"appointment"}, "heure": {"14:30"}}, 422, "Donnez le jour du rendez-vous."},
		"day gone by":  {url.Values{"quoi": {"appointment"}, "jour": {"2026-11-20"}, "heure": {"14:30"}}, 422, "Donnez une date à venir"},
		"to nobody":    {url.Values{"quoi": {"redirected"}}, 422, "Choisissez vers qui la personne est réorientée."},
		"unknown":      {url.Values{"quoi": {"x"}}, 422, "Choisissez comment la demande se termine."},
		"never called": {url.Values{"quoi": {"unreachable"}}, 422, "Notez d’abord un essai"},
		"older page":   {url.Values{"quoi": {"reached"}, "revision": {"0"}}, 409, "Cette demande a changé entre-temps."},
		"sensitive":    {url.Values{"quoi": {"reached"}, "note": {"son numéro : 1 85 05 78 006 084 91"}}, 422, "un numéro de sécurité sociale"},
	} {
		form := url.Values{"revision": {at}, "note": {"à ne pas perdre"}}
		for key, values := range test.form {
			form[key] = values
		}
		status, body := mediator.post(path+"/suite", form)
		if status != test.status || !strings.Contains(plain(body), test.says) || !strings.Contains(body, ">"+form.Get("note")+"</textarea>") {
			t.Errorf("%s: %d %s", name, status, plain(body))
		}
	}
	// Confirmed, the note is saved as it stands.
	status, _ := mediator.post(path+"/suite", url.Values{"revision": {at}, "quoi": {"note"}, "note": {"1 85 05 78 006 084 91"}, "confirme": {"oui"}})
	if status != http.StatusSeeOther {
		t.Errorf("confirmed: %d", status)
	}
	// A colleague takes it over: the first is told who has it, and keeps the note.
	if status, body := admin.post(path+"/passage", url.Values{"revision": {h.revision(id)}, "collegue": {admin.ID}}); status != http.StatusSeeOther {
		t.Fatalf("taking over: %d %s", status, plain(body))
	}
	status, body := mediator.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"reached"}, "vu": {"oui"}, "note": {"à ne pas perdre"}})
	if status != http.StatusConflict || !strings.Contains(plain(body), "Anne Roth a pris cette demande. Rien n’a été enregistré.") || !strings.Contains(body, ">à ne pas perdre</textarea>") || strings.Contains(body, written) {
		t.Errorf("taken over: %d %s", status, plain(body))
	}
	status, body = mediator.post(path+"/prise", nil)
	if status != http.StatusConflict || !strings.Contains(plain(body), "Anne Roth a pris cette demande.") {
		t.Errorf("claiming what is taken: %d %s", status, plain(body))
	}
	if status, body := mediator.get("/rappels/" + uuid.NewString()); status != http.StatusNotFound || !strings.Contains(plain(body), "Cette demande n’existe plus") {
		t.Errorf("gone: %d", status)
	}
}

// A long queue comes in pages, the most pressing first, and each has its place.
func TestCallbackPaging(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	q := h.queue()
	must(t, q.SetSettings(ctx, callbacks.Settings{Hours: 8, Tries: 3, Months: 12, Flood: 500}))
	const more = 3
	for range callbacks.PageSize + more {
		h.called("MN-01", func(r *callback.Request) { r.Topic = "logement" })
		h.clock.Add(time.Second)
	}
	h.called("MM-01", func(r *callback.Request) { r.Lang = "tr" })
	mediator := h.as(people.Mediator)
	rows := regexp.MustCompile(`<tr id="rappel-([^"]*)"`)
	next := regexp.MustCompile(`id="page-apres" rel="next" href="([^"]*)"`)
	_, body := mediator.get("/rappels?sujet=logement")
	seen := rows.FindAllString(body, -1)
	to := next.FindStringSubmatch(body)
	if len(seen) != callbacks.PageSize || to == nil {
		t.Fatalf("%d rows, and on to %q", len(seen), to)
	}
	contains(t, plain(body), "À prendre "+fmt.Sprint(callbacks.PageSize+more))
	_, body = mediator.get(strings.ReplaceAll(to[1], "&amp;", "&"))
	rest := rows.FindAllString(body, -1)
	if len(rest) != more || next.MatchString(body) || slices.Contains(seen, rest[0]) || !strings.Contains(body, `id="page-debut"`) {
		t.Errorf("the second page has %q", rest)
	}
	_, body = mediator.get("/rappels?langue=tr")
	if got := rows.FindAllString(body, -1); len(got) != 1 {
		t.Errorf("in Turkish there is %q", got)
	}
	if status, _ := mediator.get("/rappels?page=x"); status != http.StatusNotFound {
		t.Errorf("a page that isn't one: %d", status)
	}
}

// busyQueue is a queue as on a working day.
func (h *fleetHub) busyQueue() (held, waiting uuid.UUID) {
	h.t.Helper()
	now := h.clock.Now()
	h.clock.Add(-26 * time.Hour)
	held, _ = h.called("MN-01", func(r *callback.Request) {
		r.Slots = []callback.Slot{{Start: now.Add(2 * time.Hour), End: now.Add(5*time.Hour + 18*time.Minute)}}
	})
	h.called("MM-01", func(r *callback.Request) { r.Topic, r.Lang = "argent_impots", "ar" })
	h.clock.Add(26 * time.Hour)
	waiting, _ = h.called("CA-01", func(r *callback.Request) { r.Topic, r.Phone, r.Lang = "logement", "+33388609090", "tr" })
	return held, waiting
}

// Every page of the queue, large and small, with axe.
func TestCallbackPages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	b := h.As(people.Mediator)
	b.Open("/rappels")
	b.Check("rappels-vide")
	held, waiting := h.busyQueue()
	b.Open("/rappels")
	b.Check("rappels")
	b.Open("/rappels/" + waiting.String())
	b.Check("rappel-a-prendre")
	b.Open("/rappels/" + held.String())
	b.Click("#prendre")
	b.Until(`document.querySelector("#numero") !== null`)
	b.Check("rappel-pris")
	b.Click("label:has(#quoi-reached)")
	b.Check("rappel-joint")
	b.Click("label:has(#quoi-appointment)")
	b.Click(".saves")
	b.Until(`document.querySelector("#erreurs") !== null`)
	b.Check("rappel-erreur")
	b.Type("#note", "son numéro : 1 85 05 78 006 084 91")
	b.Click("label:has(#quoi-no_answer)")
	b.Click(".saves")
	b.Until(`document.querySelector("#confirme") !== null`)
	b.Check("rappel-note")
	b.Click("#confirme")
	b.Click(".saves")
	said(b, "C’est noté.")
	b.Open("/rappels?vue=a-prendre&langue=fr&sujet=logement")
	b.Check("rappels-sans-resultat")
}
