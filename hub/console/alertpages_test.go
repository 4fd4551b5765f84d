package console_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parvis/hub/alerts"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// alerted puts alerts into the store, as the hub that watches would.
func (h *fleetHub) alerted(messages []store.AlertMessage, all ...store.Alert) {
	h.t.Helper()
	now := h.clock.Now()
	held, err := h.store.Lease(ctx, "alerts", "test", now, now.Add(time.Minute))
	must(h.t, err)
	if !held {
		h.t.Fatal("the lease is held")
	}
	must(h.t, h.store.ChangeAlerts(ctx, store.AlertChange{Lease: "alerts", Holder: "test", Now: now, Alerts: all, Messages: messages}))
}

const alertOne, alertTwo, alertOld = "01930000-0000-7000-8000-000000000001", "01930000-0000-7000-8000-000000000002", "01930000-0000-7000-8000-000000000000"

// someAlerts is an alert that was told, one of a network that is held back and
// could not be sent, and one that has ended.
func (h *fleetHub) someAlerts() {
	h.t.Helper()
	now := h.clock.Now()
	message := func(id, channel string) store.AlertMessage {
		return store.AlertMessage{ID: id, Channel: channel, Name: "Équipe numérique", Data: "{}", Created: now.Add(-time.Hour), Due: now, Sent: now.Add(-59 * time.Minute)}
	}
	failed := message("m3", "c2")
	failed.Name, failed.Sent, failed.Failed, failed.Error = "Centre de services", time.Time{}, now.Add(-10*time.Minute), "webhook : réponse 503"
	waiting := message("m4", "c1")
	waiting.Sent, waiting.Error, waiting.Due = time.Time{}, "courriel par smtp.ville.fr:587 : connexion refusée ; vérifiez l’adresse et le port", now.Add(5*time.Minute)
	site := func(id string) string {
		b, err := h.store.Borne(ctx, id)
		must(h.t, err)
		return b.Site.ID
	}
	var bornes []store.AlertBorne
	for _, id := range []string{"MC-01", "MN-01", "ML-02"} {
		bornes = append(bornes, store.AlertBorne{Borne: id, Site: site(id), Fell: now.Add(-2 * time.Hour)})
	}
	bornes[1].Back = now.Add(-time.Minute)
	h.alerted([]store.AlertMessage{message("m1", "c1"), message("m2", "c1"), failed, waiting, message("m5", "c1")},
		store.Alert{ID: alertOne, Key: "a", Fault: "no_paper", Device: "imprimante", Scope: store.ScopeBorne, Began: now.Add(-time.Hour), Opened: now.Add(-time.Hour),
			Bornes: []store.AlertBorne{{Borne: "MM-01", Site: site("MM-01"), Fell: now.Add(-time.Hour)}}, Told: []store.AlertTold{{Channel: "c1", Began: "m1"}, {Channel: "c2", Began: "m3"}}},
		store.Alert{ID: alertTwo, Key: "b", Fault: link.FaultOffline, Scope: store.ScopeNetwork, Address: "203.0.113.7", Began: now.Add(-2 * time.Hour), Opened: now.Add(-time.Hour),
			Bornes: bornes, Told: []store.AlertTold{{Channel: "c1", Began: "m4"}, {Channel: "c2", Held: now.Add(-time.Hour)}}},
		store.Alert{ID: alertOld, Key: "c", Fault: link.FaultAppFrozen, Scope: store.ScopeBorne, Began: now.Add(-26 * time.Hour), Opened: now.Add(-25 * time.Hour), Mended: now.Add(-24 * time.Hour), Ended: now.Add(-23 * time.Hour),
			Bornes: []store.AlertBorne{{Borne: "MN-01", Site: site("MN-01"), Fell: now.Add(-26 * time.Hour), Back: now.Add(-24 * time.Hour)}}, Told: []store.AlertTold{{Channel: "c1", Began: "m2", Ended: "m5"}}})
}

func TestAlertLog(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	reader, agent := h.as(people.Reader), h.as(people.Agent)
	_, body := reader.get("/alertes/journal")
	contains(t, plain(body), "Aucune alerte en cours", "Aucune alerte finie", "Personne n’est prévenu")
	h.cityFleet()
	h.someAlerts()
	_, body = reader.get("/alertes/journal")
	contains(t, plain(body), "Plus de papier", "3 bornes hors ligne : réseau 203.0.113.7", "2 sur 3", "Mairie de la Meinau, MM-01", "Écran figé", "après 2 h",
		"Prévenu du début Équipe numérique", "Prévenu de la fin", "envoi abandonné Centre de services", "réponse 503", "nouvel essai prévu", "Retenu pendant les heures calmes", "Personne ne s’en occupe encore.")
	if strings.Contains(body, "Je m’en occupe") {
		t.Error("a reader is offered to see to it")
	}
	if status, _ := agent.post("/alertes/journal/"+alertOne+"/prise", nil); status != http.StatusSeeOther {
		t.Fatalf("taking: %d", status)
	}
	_, body = reader.get("/alertes/journal")
	contains(t, plain(body), "Alice Gauthier s’en occupe depuis aujourd’hui, 10 h 42")
	log, err := h.People.Log(ctx, people.Filter{Action: people.AlertTaken})
	must(t, err)
	if len(log) != 1 || log[0].Person != agent.ID || log[0].Detail["alerte"] != alertOne {
		t.Errorf("the audit log: %+v", log)
	}
	agent.post("/alertes/journal/"+alertOne+"/rendue", nil)
	_, body = reader.get("/alertes/journal")
	if strings.Contains(body, "Alice Gauthier") {
		t.Error("still hers")
	}
	agent.post("/alertes/journal/"+alertOld+"/prise", nil)
	_, body = agent.get("/alertes/journal")
	contains(t, plain(body), "Cette alerte est déjà finie.")
	_, body = agent.get("/alertes/journal?avant=" + alertOld)
	if strings.Contains(body, "Écran figé") {
		t.Error("the page before the oldest alert shows it")
	}
}

func TestAlertForms(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	it := h.as(people.IT)
	_, body := it.get("/alertes/reglages")
	contains(t, plain(body), "Aucun canal", "Toutes les pannes", "lundi", "Heures de présence")

	for name, test := range map[string]struct {
		path string
		form url.Values
		says string
	}{
		"no faults":  {"regles/nouvelle", url.Values{"name": {"x"}, "lesquelles": {"choisies"}, "outside": {"all"}}, "Cochez au moins une panne"},
		"no name":    {"regles/nouvelle", url.Values{"lesquelles": {"warning"}, "outside": {"all"}}, "Donnez un nom"},
		"for ever":   {"regles/nouvelle", url.Values{"name": {"x"}, "lesquelles": {"warning"}, "outside": {"all"}, "after": {"99999999"}}, "Donnez un nombre de minutes"},
		"no hours":   {"reglages/heures", url.Values{"present-1": {"oui"}, "de-1": {"x"}, "a-1": {"18:00"}}, "Donnez deux heures pour lundi"},
		"no host":    {"canaux/nouveau-courriel", url.Values{"name": {"x"}}, "Donnez le nom du serveur"},
		"no webhook": {"canaux/nouveau-webhook", url.Values{"name": {"x"}, "url": {"ftp://x"}}, "commence par https://"},
	} {
		if status, body := it.post("/alertes/"+test.path, test.form); status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), test.says) {
			t.Errorf("%s: %d %s", name, status, plain(body))
		}
	}
	if status, body := it.post("/alertes/regles/"+alerts.BaseRule+"/suppression", nil); status != http.StatusConflict {
		t.Errorf("removing the base rule: %d %s", status, plain(body))
	}
	it.post("/alertes/reglages/heures", url.Values{"present-6": {"oui"}, "de-6": {"22:00"}, "a-6": {"06:30"}})
	_, body = it.get("/alertes/reglages")
	contains(t, body, `value="22:00"`, `value="06:30"`)
	it.post("/alertes/regles/nouvelle", url.Values{"name": {"Papier"}, "on": {"oui"}, "lesquelles": {"choisies"}, "panne": {"no_paper", "paper_ends"}, "after": {"90"}, "outside": {"nothing"}})
	_, body = it.get("/alertes/reglages")
	contains(t, plain(body), "Plus de papier, Bientôt plus de papier, après 1 h 30 min · Tous les sites · Tous les canaux · Aux heures de présence")

	// Nothing listens there: the trial says so.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	l.Close()
	mail := url.Values{"name": {"Équipe"}, "on": {"oui"}, "to": {"a@ville.fr\nb@ville.fr"}, "from": {"parvis@ville.fr"}, "host": {"127.0.0.1"}, "port": {port}, "tls": {"starttls"}, "user": {"parvis"}, "secret": {"dahlia-secret"}}
	if status, body := it.post("/alertes/canaux/nouveau-courriel", mail); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, plain(body))
	}
	kept, err := h.store.AlertChannels(ctx)
	must(t, err)
	at := "/alertes/canaux/" + kept[0].ID
	_, body = it.get(at)
	if strings.Contains(body, "dahlia-secret") {
		t.Error("the password is shown again")
	}
	contains(t, body, "a@ville.fr\nb@ville.fr")
	if status, body := it.post(at+"/essai", nil); status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), "L’essai n’est pas parti.") || strings.Contains(body, "dahlia-secret") {
		t.Errorf("the trial: %d %s", status, plain(body))
	}
	if status, _ := it.post(at+"/suppression", nil); status != http.StatusSeeOther {
		t.Errorf("removing: %d", status)
	}
	if kept, err := h.store.AlertChannels(ctx); err != nil || len(kept) > 0 {
		t.Errorf("still there: %v %v", kept, err)
	}
	log, err := h.People.Log(ctx, people.Filter{})
	must(t, err)
	n := map[people.Action]int{}
	for _, e := range log {
		n[e.Action]++
		if strings.Contains(e.Object, "dahlia") {
			t.Error("the audit log holds the password")
		}
	}
	if n[people.RuleSaved] != 1 || n[people.AlertSettings] != 4 {
		t.Errorf("audited: %v", n)
	}
	for _, path := range []string{"/alertes/canaux/x", "/alertes/regles/x"} {
		if status, _ := it.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// The pages in a real browser, with the keyboard alone where something is done.
func TestAlertPages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	b := h.As(people.IT)
	b.Open("/alertes/journal")
	b.Check("alertes-journal-vide")
	b.Open("/alertes/reglages")
	b.Check("alertes-reglages-vides")
	h.cityFleet()
	h.someAlerts()
	b.Open("/alertes/journal")
	b.Until(`document.querySelectorAll("#alertlog-open article").length == 2`)
	b.Check("alertes-journal")

	b.Do(chromedp.Focus(chromedp.CSS("#prise-" + alertOne)))
	b.Press(kb.Enter)
	b.Until(`document.readyState == "complete" && document.querySelector("#alertlog-open").textContent.includes("Idris Tahar")`)
	b.Check("alertes-journal-prise")

	// What happens elsewhere shows by itself.
	must(t, h.store.TakeAlert(ctx, alertTwo, "Alice Gauthier", h.clock.Now()))
	b.Until(`document.querySelector("#alerte-` + alertTwo + `").textContent.includes("Alice Gauthier")`)

	b.Open("/alertes/canaux/nouveau-courriel")
	b.Check("alertes-canal-courriel")
	b.Do(chromedp.Focus(chromedp.CSS("#name")))
	b.Press("Équipe numérique")
	b.Press(kb.Enter)
	b.Until(`document.querySelector("#erreurs") == document.activeElement`)
	b.Check("alertes-canal-erreur")
	b.Open("/alertes/canaux/nouveau-webhook")
	b.Check("alertes-canal-webhook")
	b.Type("#name", "Centre de services")
	b.Type("#url", "https://169.254.169.254/parvis")
	b.Type("#secret", "une clé de seize signes")
	b.Press(kb.Enter)
	b.Until(`document.readyState == "complete" && document.querySelector("#essai")`)
	b.Check("alertes-canal")
	b.Do(chromedp.Focus(chromedp.CSS("#essai")))
	b.Press(kb.Enter)
	b.Until(`document.querySelector("#erreurs") == document.activeElement`)
	if text := b.Text("#erreurs"); !strings.Contains(text, "celle du hub lui-même") {
		t.Errorf("the trial says %q", text)
	}
	b.Check("alertes-canal-essai-rate")
	b.Do(chromedp.Focus(chromedp.CSS("#name"))) // from here the form is still the channel's
	b.Press(kb.Enter)
	b.Until(`document.readyState == "complete" && document.querySelector(".flash")?.textContent.includes("est enregistré")`)

	b.Open("/alertes/regles/nouvelle")
	b.Type("#name", "Papier des mairies")
	b.Do(chromedp.Focus(chromedp.CSS("#choisies")))
	b.Press(" ")
	b.Until(`document.querySelector(".of-chosen").offsetHeight > 0`)
	b.Check("alertes-regle")
	b.Do(chromedp.Focus(chromedp.CSS(`[name="panne"][value="no_paper"]`)))
	b.Press(" ")
	b.Press(kb.Enter)
	b.Until(`document.readyState == "complete" && location.pathname == "/alertes/reglages"`)
	b.Check("alertes-reglages")
}
