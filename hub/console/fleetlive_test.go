package console_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"parvis/hub/clocktest"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// atOnce is how soon an open page must show what the store was told, on a machine
// that is busy with other tests. Without events it takes up to lookEvery.
const atOnce = 3 * time.Second

// live waits until a page is connected, and marks it: a page that is loaded
// anew has no mark.
func live(b *browsertest.Browser) {
	b.Until(`document.querySelector(".live[data-open]") !== null`)
	browsertest.Script[bool](b, `window.mark = true`)
}

// shows fails the test unless the page shows something soon, without having
// been loaded anew.
func shows(t *testing.T, b *browsertest.Browser, selector, text string) {
	t.Helper()
	began := time.Now()
	b.Until(fmt.Sprintf(`document.querySelector(%q)?.textContent.replace(/[\u00a0\u202f]/g, " ").includes(%q)`, selector, text))
	took := time.Since(began)
	if took > atOnce {
		t.Errorf("%s shows %q after %v", selector, text, took)
	}
	if !browsertest.Script[bool](b, `window.mark === true`) {
		t.Error("the page was loaded anew")
	}
	t.Logf("%q after %v", text, took.Round(time.Millisecond))
}

func TestLiveFleet(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	b := h.As(people.Reader)
	b.Open("/")
	live(b)
	browsertest.Script[bool](b, `document.getElementById("lien-MN-01").focus() === undefined`)

	h.report("MN-01", noPaper)
	shows(t, b, "#borne-MN-01 .badge", "Plus de papier")
	shows(t, b, "#fleet-chips", "À voir 3")
	if focused := browsertest.Script[string](b, `document.activeElement.id`); focused != "lien-MN-01" {
		t.Errorf("the focus has gone to %q", focused)
	}
	h.report("MN-01")
	shows(t, b, "#borne-MN-01 .badge", "En service")

	h.enrol("Mairie de Koenigshoffen", "MK-01")
	h.report("MK-01")
	shows(t, b, "#borne-MK-01", "Mairie de Koenigshoffen")
	must(t, h.store.Revoke(ctx, "CA-01", h.clock.Now()))
	b.Until(`document.getElementById("borne-CA-01") === null`)
	shows(t, b, "#fleet-chips", "Toutes 6")

	for range 5 {
		_, err := h.store.PutCallback(ctx, store.Callback{ID: uuid.Must(uuid.NewV7()), Borne: "MN-01", Code: "K7", Created: h.clock.Now(), Received: h.clock.Now(), Data: []byte("sealed")})
		must(t, err)
	}
	shows(t, b, "#fleet-tiles", "5demandes de rappel")

	// Silence has no event: the page looks at the clock by itself.
	h.clock.Add(2 * time.Minute)
	b.Until(`document.querySelector("#borne-MN-01 .badge").textContent === "Hors ligne"`)
}

func TestLiveEmptyFleet(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	b := h.As(people.IT)
	b.Open("/")
	live(b)
	h.enrol("Mairie de Neudorf", "MN-01")
	shows(t, b, "#borne-MN-01", "Jamais vue")
	if empty := browsertest.Script[string](b, `document.getElementById("fleet-none").textContent`); empty != "" {
		t.Errorf("the page still says %q", empty)
	}
}

// TestLiveOverTwoHubs has a page open on one hub, and a borne that tells the
// other, over one PostgreSQL.
func TestLiveOverTwoHubs(t *testing.T) {
	t.Parallel()
	dsn, clock := storetest.Postgres(t), clocktest.At(morning)
	one, two := fleetHubOver(t, storetest.Open(t, dsn), clock), fleetHubOver(t, storetest.Open(t, dsn), clock)
	one.cityFleet()
	fleet, borne := two.As(people.IT), two.As(people.IT)
	fleet.Open("/")
	borne.Open("/bornes/MN-01")
	live(fleet)
	live(borne)
	one.report("MN-01", noPaper)
	shows(t, fleet, "#borne-MN-01 .badge", "Plus de papier")
	shows(t, borne, "#borne-faults", "Plus de papier, depuis")

	// A command that is given on hub 2 is seen by a borne that hub 1 holds, and
	// what became of it on the page of hub 2.
	press(t, borne, "#ordre-capture", kb.Enter)
	borne.Until(`document.body.innerText.includes("Capture demandée")`) // the next page, not the one before
	live(borne)
	one.end("MN-01", link.Outcome{State: link.Refused, Why: "Quelqu’un tape un numéro."})
	shows(t, borne, "#borne-commands", "Refusée")
	shows(t, borne, "#borne-commands", "Quelqu’un tape un numéro.")
}

// press goes to an element by the tabulator alone, and presses keys there.
func press(t *testing.T, b *browsertest.Browser, selector, keys string) {
	t.Helper()
	for range 120 {
		b.Press(kb.Tab)
		if browsertest.Script[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			b.Press(keys)
			return
		}
	}
	t.Fatalf("the tabulator never comes to %s on %s", selector, b.Path())
}

// said waits for what the page says after a form.
func said(b *browsertest.Browser, text string) {
	b.Until(fmt.Sprintf(`document.querySelector(".flash")?.textContent.includes(%q)`, text))
}

func TestBorneByKeyboard(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	must(t, h.store.WantPack(ctx, []string{"MM-01"}, "2026-12"))
	b := h.As(people.IT)
	b.Open("/")
	press(t, b, "#lien-MM-01", kb.Enter)
	b.Until(`location.pathname === "/bornes/MM-01"`)

	press(t, b, "#ordre-capture", kb.Enter)
	said(b, "Capture demandée.")
	live(b)
	shot := h.end("MM-01", link.Outcome{State: link.Done, FileType: "image/png", File: picture(t)})
	shows(t, b, "#borne-screen figcaption", "Capture de 10 h 42. Jamais pendant une saisie.")
	b.Until(fmt.Sprintf(`(() => { const i = document.querySelector(".bezel img"); return i.src.endsWith("/captures/%s") && i.complete && i.naturalWidth === 270 })()`, shot))

	for _, step := range []struct {
		selector, confirm, says string
		state                   link.OutcomeState
	}{
		{"#ordre-relance", "Relancer l’application", "Relance demandée.", link.Done},
		{"#ordre-service", "Hors service", "Mise hors service demandée.", link.Done},
		{"details.more a[href$=redemarrage]", "Redémarrer la machine", "Redémarrage demandé.", link.Failed},
		{"details.more form[action$=essai] button", "", "Ticket d’essai demandé.", link.Done},
		{"details.more form[action$=journaux] button", "", "Journaux demandés.", link.Done},
		{"#ordre-mise-a-jour", "", "Mise à jour demandée.", link.Refused},
		{"details.more form[action$=volume] button", "", "Volume demandé.", link.Done},
	} {
		if strings.HasPrefix(step.selector, "details") {
			press(t, b, "details.more summary", kb.Enter)
		}
		press(t, b, step.selector, kb.Enter)
		if step.confirm != "" {
			b.Until(fmt.Sprintf(`document.querySelector("h1").textContent.includes(%q)`, step.confirm))
			press(t, b, "main .button", kb.Enter)
		}
		said(b, step.says)
		o := link.Outcome{State: step.state, Why: "Fin de " + step.selector}
		if strings.Contains(step.selector, "journaux") {
			o.FileType, o.File = "text/plain", []byte("10:42 tout va bien\n")
		}
		live(b)
		h.end("MM-01", o)
		shows(t, b, "#borne-said", o.Why)
	}
	press(t, b, "#borne-commands a[href*=journaux]", kb.Enter)
	b.Until(`document.querySelector(".log")?.textContent.includes("tout va bien")`)

	b.Open("/bornes/MM-01")
	h.report("MM-01", application(link.AppOutOfService))
	live(b)
	b.Until(`document.querySelector("#ordre-service").textContent === "Remettre en service"`)
	press(t, b, "#ordre-service", kb.Enter)
	said(b, "Remise en service demandée.")

	press(t, b, "details.more summary", kb.Enter)
	press(t, b, "#message-texte", "Fermé à 16 h")
	press(t, b, "#message-minutes", kb.ArrowDown)
	press(t, b, "details.more form[action$=message] button", kb.Enter)
	said(b, "Message envoyé.")
	commands, err := h.store.Commands(ctx, "MM-01", 1)
	must(t, err)
	if commands[0].Args != (link.Args{Text: "Fermé à 16 h", Minutes: 240}) {
		t.Errorf("the message: %+v", commands[0].Args)
	}
	press(t, b, "details.more summary", kb.Enter)
	b.Press(kb.Escape)
	b.Until(`!document.querySelector("details.more").open && document.activeElement.matches("details.more summary")`)

	must(t, h.store.SetCloned(ctx, "MM-01", h.clock.Now()))
	b.Until(`document.querySelector("#borne-faults form[action$=double-identite]") !== null`)
	press(t, b, "#borne-faults form button", kb.Enter)
	said(b, "L’alerte est close.")
	press(t, b, ".revoke a", kb.Enter)
	b.Until(`document.querySelector("h1").textContent.includes("Révoquer")`)
	press(t, b, "main .button", kb.Enter)
	said(b, "La borne MM-01 est révoquée.")
}

func TestEnrolmentByKeyboard(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	b := h.As(people.IT)
	b.Open("/mise-en-service")
	press(t, b, "#enrol-nom", "Mairie de Neudorf")
	press(t, b, "#enrol-borne", "mn-07"+kb.Enter)
	b.Until(`document.querySelector("#ligne")?.textContent.startsWith("curl -fsSL http")`)
	press(t, b, "main a.pill[href='/mise-en-service']", kb.Enter)
	b.Until(`document.querySelector("form[action$=retrait]") !== null`)
	press(t, b, "form[action$=retrait] button", kb.Enter)
	said(b, "Le code pour MN-07 est retiré.")
	press(t, b, ".lines summary", kb.Enter)
	press(t, b, "#nom-mairie-de-neudorf", kb.Backspace+"e Neudorf"+kb.Enter)
	said(b, "est enregistré.")
	h.enrol("Centre administratif", "CA-01")
	b.Open("/mise-en-service")
	press(t, b, "td.actions a", kb.Enter)
	b.Until(`location.pathname === "/bornes/CA-01/revocation"`)
}

// TestPages looks at every page about bornes in every state, with axe and at
// both sizes.
func TestPages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	b := h.As(people.IT)
	look := func(name, path string) {
		t.Helper()
		b.Open(path)
		b.Check(name)
	}
	look("bornes-vide", "/")
	look("alertes-vide", "/alertes")
	look("mise-en-service-vide", "/mise-en-service")

	h.enrol("Mairie de la Meinau", "MM-01")
	h.pastWeek("MM-01")
	h.cityFleet()
	look("bornes", "/")
	look("bornes-recherche", "/?q=introuvable")
	look("borne-hors-ligne", "/bornes/MC-01")
	it := h.as(people.IT)
	it.post("/bornes/MM-01/capture", nil)
	h.end("MM-01", link.Outcome{State: link.Done, FileType: "image/png", File: picture(t)})
	it.post("/bornes/MM-01/journaux", nil)
	logs := h.end("MM-01", link.Outcome{State: link.Done, FileType: "text/plain", File: []byte(strings.Repeat("nov. 21 10:41:07 parvis[812]: le lecteur a été débranché, puis rebranché ; la ligne est assez longue pour aller plus loin que l’écran\n", 40))})
	it.post("/bornes/MM-01/essai", nil)
	h.end("MM-01", link.Outcome{State: link.Refused, Why: "Quelqu’un se sert de la borne : recommencez dans un moment."})
	it.post("/bornes/MM-01/message", url.Values{"texte": {"La mairie ferme à 16 h aujourd’hui."}, "minutes": {"60"}})
	must(t, h.store.WantPack(ctx, []string{"MM-01"}, "2026-12"))
	look("borne", "/bornes/MM-01")
	b.Click("details.more summary")
	b.Check("borne-plus")
	look("journaux", "/bornes/MM-01/journaux/"+logs.String())
	look("alertes", "/alertes")
	look("mise-en-service", "/mise-en-service")

	h.report("MM-01", application(link.AppServing), lowPaper)
	look("confirmation", "/bornes/MM-01/relance")
	look("revocation", "/bornes/MM-01/revocation")
	must(t, h.store.SetCloned(ctx, "MM-01", h.clock.Now()))
	look("borne-double", "/bornes/MM-01")
	must(t, h.store.Revoke(ctx, "MM-01", h.clock.Now()))
	look("borne-revoquee", "/bornes/MM-01")

	b.Open("/bornes/MN-01")
	b.Click("details.more summary")
	b.Click("form[action$=message] button")
	b.Until(`document.querySelector(".errors") !== null`)
	b.Check("borne-erreur")
	b.Open("/mise-en-service")
	b.Click("#quel-nouveau")
	b.Click("form[action$=codes] .button")
	b.Until(`document.querySelector(".errors") !== null`)
	b.Check("mise-en-service-erreur")
	b.Type("#enrol-nom", "Mairie du Neuhof")
	b.Click("form[action$=codes] .button")
	b.Until(`document.querySelector(".code-groups") !== null`)
	b.Check("mise-en-service-code")
	b.Open("/mise-en-service")
	b.Check("mise-en-service-attente")

	mediator := h.As(people.Mediator)
	mediator.Open("/bornes/MN-01")
	mediator.Check("borne-mediation")
}

// TestLost has a page that can't be kept fresh say so, and go on when it can.
func TestLost(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	reader := h.as(people.Reader)
	var open []io.Closer
	for range 12 { // as many as one person can have
		answer, err := reader.client.Get(h.URL + "/direct/bornes")
		must(t, err)
		open = append(open, answer.Body)
	}
	b := h.As(people.Reader)
	b.Open("/")
	b.Until(`document.querySelector(".live .lost").textContent.startsWith("Cette page n’est plus à jour")`)
	for _, stream := range open {
		stream.Close()
	}
	b.Until(`document.querySelector(".live .lost").textContent === ""`)
	browsertest.Script[bool](b, `window.mark = true`)
	h.report("MN-01", noPaper)
	shows(t, b, "#borne-MN-01 .badge", "Plus de papier")
}

// TestStreams checks what keeps streams from being held for ever.
func TestStreams(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	reader := h.as(people.Reader)
	var open []io.Closer
	for i := range 13 {
		answer, err := reader.client.Get(h.URL + "/direct/bornes")
		must(t, err)
		open = append(open, answer.Body)
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 12]; answer.StatusCode != want {
			t.Errorf("stream %d: %d", i+1, answer.StatusCode)
		}
	}
	other := h.as(people.Agent)
	if events := other.stream("/direct/bornes", 1); !strings.Contains(events, "retry: 1000") || !strings.Contains(events, "Mairie de Neudorf") {
		t.Errorf("somebody else's stream: %s", events)
	}
	for _, body := range open {
		body.Close()
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		answer, err := reader.client.Get(h.URL + "/direct/bornes")
		must(t, err)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("streams that were closed still count")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status, _ := reader.get("/direct/bornes/XX-99"); status != http.StatusNotFound {
		t.Errorf("the stream of no borne: %d", status)
	}
	if status, _ := h.Get(h.Client(), "/direct/bornes"); status != http.StatusUnauthorized {
		t.Errorf("a stream for nobody: %d", status)
	}
}

// TestFleetWithoutScripts has all that a browser without scripts needs.
func TestFleetWithoutScripts(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	it := h.as(people.IT)
	for path, want := range map[string]string{
		"/?liste=a-voir&tri=etat": `<a href="/?liste=a-voir&amp;tri=etat">Actualiser</a>`,
		"/bornes/MN-01":           `<a href="/bornes/MN-01">Actualiser</a>`,
		"/alertes":                `<a href="/alertes">Actualiser</a>`,
	} {
		if _, body := it.get(path); !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
}
