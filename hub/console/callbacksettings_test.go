package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/hub/alerts"
	"parvis/hub/alerts/mailtest"
	"parvis/hub/people"
)

// mailed gives the hub a mail server, as a channel of the page of alerts, and
// returns the channel's ID.
func (h *fleetHub) mailed() (*mailtest.Mailbox, string) {
	h.t.Helper()
	box := mailtest.Start(h.t)
	a := alerts.New(alerts.Options{Store: h.store, Key: h.Key, Now: h.clock.Now})
	channel, err := a.PutChannel(ctx, box.Channel(), mailtest.Password)
	must(h.t, err)
	return box, channel.ID
}

// settingsForm is the form of the queue's settings as it first is, with what a
// test changes.
func settingsForm(change url.Values) url.Values {
	form := url.Values{"hours": {"8"}, "tries": {"3"}, "near": {"60"}, "flood": {"10"}, "months": {"12"}}
	for key, values := range change {
		form[key] = values
	}
	return form
}

func TestCallbackSettings(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	_, channel := h.mailed()
	admin, mediator := h.as(people.Admin), h.as(people.Mediator)
	const path = "/rappels/reglages"
	_, body := mediator.get("/rappels")
	if strings.Contains(body, path) {
		t.Error("a mediator is shown settings that they may not change")
	}
	_, body = admin.get("/rappels")
	contains(t, body, path)
	for name, test := range map[string]struct {
		form url.Values
		says string
	}{
		"hours":   {url.Values{"hours": {"deux"}}, "Donnez un nombre d’heures ouvrées, de 1 à 80."},
		"near":    {url.Values{"near": {"601"}}, "Donnez un nombre de minutes, de 0 à 600."},
		"gateway": {url.Values{"channel": {channel}, "gateway": {"sms@exemple.fr"}}, "Donnez l’adresse de la passerelle avec la place du numéro"},
		"phone":   {url.Values{"phone": {"<b>"}}, "Donnez un numéro de téléphone"},
	} {
		status, body := admin.post(path, settingsForm(test.form))
		if status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), test.says) || !strings.Contains(body, `id="`+name+`-erreur"`) {
			t.Errorf("%s: %d %s", name, status, plain(body))
		}
	}
	if status, body := admin.post(path, settingsForm(url.Values{"channel": {channel}, "gateway": {"{numero}@sms.exemple.fr"}, "phone": {"03 88 00 00 00"},
		"near": {"90"}, "duty-6": {mediator.ID}})); status != http.StatusSeeOther {
		t.Fatalf("saving: %d %s", status, plain(body))
	}
	s, err := h.queue().Settings(ctx)
	must(t, err)
	if s.Near != 90 || s.Duty[time.Saturday] != mediator.ID || s.Duty[time.Monday] != "" || s.Channel != channel {
		t.Errorf("saved: %+v", s)
	}
	_, body = admin.get(path)
	contains(t, plain(body), "Les réglages sont enregistrés.", "« Mairie de quartier : nous vous avons appelé au sujet de votre demande K7M 2QX.")
	log, err := h.People.Log(ctx, people.Filter{Action: people.CallbackSettings, Limit: 10})
	must(t, err)
	if len(log) != 1 || log[0].Person != admin.ID {
		t.Errorf("the audit log has %+v", log)
	}

	// Today is a Saturday.
	_, body = mediator.get("/rappels")
	contains(t, plain(body), "Vous êtes de permanence aujourd’hui.")
	_, body = admin.get("/rappels")
	contains(t, plain(body), "De permanence aujourd’hui : Claire Weber")

	must(t, alerts.New(alerts.Options{Store: h.store, Key: h.Key, Now: h.clock.Now}).RemoveChannel(ctx, channel))
	_, body = admin.get(path)
	contains(t, plain(body), "Le canal choisi a été supprimé")
}

// A text message is offered to whoever holds a request, for numbers that take
// one, and says on the page what it will say.
func TestCallbackText(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	box, channel := h.mailed()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	id, code := h.called("MN-01", nil)
	path := "/rappels/" + id.String()
	mediator.post(path+"/prise", nil)
	_, body := mediator.get(path + "?voir=oui")
	if strings.Contains(body, "Envoyer un SMS") {
		t.Error("text messages are offered that nobody has set up")
	}
	admin.post("/rappels/reglages", settingsForm(url.Values{"channel": {channel}, "gateway": {"{numero}@sms.exemple.fr"}}))
	_, body = mediator.get(path + "?voir=oui")
	contains(t, plain(body), "Envoyer un SMS", "Mairie de Neudorf : nous vous avons appelé au sujet de votre demande "+code+". Nous rappellerons.")
	if status, body := mediator.post(path+"/sms", url.Values{"revision": {h.revision(id)}, "vu": {"oui"}}); status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), "Choisissez un message.") {
		t.Errorf("none chosen: %d %s", status, plain(body))
	}
	form := func() url.Values {
		return url.Values{"revision": {h.revision(id)}, "sms": {"text_missed"}, "vu": {"oui"}}
	}
	if status, _ := admin.post(path+"/sms", form()); status != http.StatusConflict || box.Count() != 0 {
		t.Errorf("by somebody who doesn’t hold the request: %d", status)
	}
	if status, body := mediator.post(path+"/sms", form()); status != http.StatusSeeOther {
		t.Fatalf("sending: %d %s", status, plain(body))
	}
	if l := box.Got(); len(l) != 1 || l[0].To[0] != "0612345652@sms.exemple.fr" {
		t.Errorf("sent: %+v", l)
	}
	_, body = mediator.get(path + "?voir=oui")
	contains(t, plain(body), "Le SMS est parti.", "SMS envoyé : Nous avons appelé sans vous joindre")

	box.Stop()
	status, body := mediator.post(path+"/sms", form())
	if status != http.StatusBadGateway || !strings.Contains(plain(body), "Le SMS n’est pas parti.") {
		t.Errorf("without a mail server: %d %s", status, plain(body))
	}
}

// The page of settings and the offer of a text message, large and small.
func TestCallbackSettingsPages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	_, channel := h.mailed()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	if status, body := admin.post("/rappels/reglages", settingsForm(url.Values{"channel": {channel}, "gateway": {"{numero}@sms.exemple.fr"}, "phone": {"03 88 00 00 00"},
		"duty-6": {mediator.ID}})); status != http.StatusSeeOther {
		t.Fatalf("saving: %d %s", status, plain(body))
	}
	b := h.As(people.Admin)
	b.Open("/rappels/reglages")
	b.Check("rappels-reglages")
	held, _ := h.busyQueue()
	m := h.As(people.Mediator)
	m.Open("/rappels/" + held.String())
	m.Click("#prendre")
	m.Until(`document.querySelector("#numero") !== null`)
	m.Click(".callback-text summary")
	m.Check("rappel-sms")
	m.Click(`.callback-text label:has([value="text_missed"])`)
	m.Click("#envoyer")
	said(m, "Le SMS est parti.")
}
