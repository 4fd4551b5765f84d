package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"parvis/hub/callbacks"
	"parvis/hub/clocktest"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store/storetest"
)

// focused is the ID of what has the focus.
func focused(b *browsertest.Browser) string {
	return browsertest.Script[string](b, `document.activeElement.id`)
}

// What somebody else does with a request shows at once, and nothing that is
// being written is lost.
func TestLiveCallbacks(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	list, claire, anne := h.As(people.Mediator), h.As(people.Mediator), h.As(people.Admin)
	list.Open("/rappels?vue=a-prendre")
	live(list)
	id, code := h.called("MN-01", nil)
	path := "/rappels/" + id.String()
	shows(t, list, "#callback-rows", code)
	shows(t, list, "#vue-a-prendre", "À prendre 1")
	shows(t, list, "#menu-rappels", "1 à prendre")

	// Both look at it; Anne is faster.
	claire.Open(path + "?vue=a-prendre")
	live(claire)
	browsertest.Script[bool](claire, `document.getElementById("prendre").focus() === undefined`)
	anne.Open(path)
	anne.Click("#prendre")
	anne.Until(`document.querySelector("#numero")?.textContent === "` + written + `"`)
	shows(t, claire, "#callback-act", "Anne Roth s’occupe de cette demande.")
	shows(t, claire, "#callback-state", "Pris par A. Roth")
	if at := focused(claire); at != "prendre" {
		t.Errorf("the focus has gone to %q", at)
	}
	list.Until(`document.getElementById("rappel-` + id.String() + `") === null`)
	shows(t, list, "#vue-pris", "Pris 1")
	if text := claire.Text("main"); strings.Contains(text, written) {
		t.Error("the number is shown to whoever didn't take the request")
	}

	// Claire takes it over while Anne writes.
	live(anne)
	anne.Type("#note", "commence à noter")
	claire.Click("#reprendre")
	claire.Until(`document.querySelector(".flash")?.textContent.includes("La demande est à vous.")`)
	shows(t, anne, "#callback-lost", "Claire Weber s’occupe maintenant de cette demande")
	anne.Until(`document.querySelector("#numero") === null`)
	if note := browsertest.Script[string](anne, `document.getElementById("note").value`); note != "commence à noter" || focused(anne) != "note" {
		t.Errorf("Anne's note is %q, the focus at %q", note, focused(anne))
	}
	anne.Click("label:has(#quoi-no_answer)")
	anne.Click(".saves")
	anne.Until(`document.querySelector("#erreurs")?.textContent.includes("Claire Weber a pris cette demande.")`)
	if note := browsertest.Script[string](anne, `document.getElementById("note").value`); note != "commence à noter" {
		t.Errorf("after the refusal, Anne's note is %q", note)
	}
	anne.Check("rappel-perdu")
	handed, err := h.People.Log(ctx, people.Filter{Action: people.CallbackHandedOver, Limit: 10})
	must(t, err)
	if len(handed) != 1 || len(h.looks()) != 1 {
		t.Errorf("the audit log: %+v, %+v", handed, h.looks())
	}

	// A request that is deleted under its page says so.
	live(claire)
	later, err := callbacks.New(ctx, callbacks.Options{Store: h.store, Key: h.Key, Now: func() time.Time { return h.clock.Now().AddDate(2, 0, 0) }})
	must(t, err)
	_, err = later.Purge(ctx)
	must(t, err)
	claire.Until(`document.getElementById("callback-state")?.textContent.includes("Cette demande est effacée.")`)
}

// A request that is taken at one hub is gone from the pages of another, over
// one PostgreSQL.
func TestLiveCallbacksOverTwoHubs(t *testing.T) {
	t.Parallel()
	dsn, clock := storetest.Postgres(t), clocktest.At(morning)
	one, two := fleetHubOver(t, storetest.Open(t, dsn), clock), fleetHubOver(t, storetest.Open(t, dsn), clock)
	one.cityFleet()
	id, _ := one.called("MN-01", nil)
	path := "/rappels/" + id.String()
	b := two.As(people.Mediator)
	b.Open(path)
	live(b)
	anne := one.as(people.Admin)
	anne.post(path+"/prise", nil)
	shows(t, b, "#callback-act", "Anne Roth s’occupe de cette demande.")
	other, code := one.called("MM-01", nil)
	shows(t, b, "#callback-rows", code)
	b.Open("/rappels/" + other.String())
	b.Click("#prendre")
	b.Until(`document.querySelector("#numero") !== null`)
	if status, body := anne.post("/rappels/"+other.String()+"/prise", nil); status != http.StatusConflict || !strings.Contains(plain(body), "Claire Weber a pris cette demande.") {
		t.Errorf("taken at the other hub: %d %s", status, plain(body))
	}
}

// typeDate fills in the field of a day that has the focus, part by part, as the
// browser's own language orders them.
func typeDate(b *browsertest.Browser, day time.Time) {
	layout := "02012006"
	if browsertest.Script[string](b, `new Intl.DateTimeFormat().format(new Date(2026, 10, 24))`) == "11/24/2026" {
		layout = "01022006"
	}
	b.Press(day.Format(layout))
}

// The way of a request, by keyboard alone.
func TestCallbackByKeyboard(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	id, code := h.called("MN-01", nil)
	b := h.As(people.Mediator)
	b.Open("/rappels")
	press(t, b, "#lien-"+id.String(), "")
	b.Follow()
	b.Until(`location.pathname === "/rappels/` + id.String() + `" && document.querySelector("#prendre") !== null`)
	press(t, b, "#prendre", kb.Enter)
	b.Until(`document.querySelector("#numero")?.textContent === "` + written + `"`)
	live(b)
	for n := range 2 {
		press(t, b, `input[name="quoi"]`, kb.ArrowDown) // from "Joint"; the next is "Pas de réponse"
		b.Until(`document.querySelector("#quoi-no_answer").checked`)
		if n == 0 {
			press(t, b, "#note", "répondeur plein")
		}
		press(t, b, ".saves", kb.Enter)
		said(b, "C’est noté. Prochain essai proposé")
		b.Until(fmt.Sprintf(`document.querySelector("label:has(#quoi-no_answer)").textContent === "Pas de réponse (%d)"`, n+1))
	}
	press(t, b, "#voir", "")
	b.Follow()
	b.Until(`document.querySelector("#numero")?.textContent === "` + written + `"`)
	press(t, b, `input[name="quoi"]`, kb.ArrowDown+kb.ArrowDown+kb.ArrowDown+kb.ArrowDown)
	b.Until(`document.querySelector("#quoi-appointment").checked`)
	press(t, b, "#jour", "")
	typeDate(b, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	press(t, b, "#heure", "0230PM")
	b.Until(`document.querySelector("#jour").value === "2026-11-24" && document.querySelector("#heure").value === "14:30"`)
	press(t, b, ".saves", kb.Enter)
	said(b, "Rendez-vous noté")
	b.Until(`document.getElementById("callback-state").textContent.includes("mardi 24")`)
	b.Check("rappel-rendez-vous")

	i, err := h.queue().Item(ctx, id)
	must(t, err)
	if i.State != callbacks.Appointment || i.Tries != 2 || i.Appointment.UTC().Format(time.RFC3339) != "2026-11-24T13:30:00Z" {
		t.Errorf("%s is %+v", code, i)
	}
	looks := h.looks()
	if len(looks) != 2 {
		t.Errorf("seen twice, and the audit log has %+v", looks)
	}
	press(t, b, "#agenda", "")
}

// browserShows reports whether an element is seen.
func browserShows(b *browsertest.Browser, selector string) bool {
	return browsertest.Script[bool](b, fmt.Sprintf(`document.querySelector(%q)?.checkVisibility() === true`, selector))
}

// What can have the focus in a part that changes by itself has an ID.
func TestFocusOfCallbacks(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	empty := mediator.stream("/direct/rappels?vue=a-prendre&page=1.00000000-0000-7000-8000-000000000000", 1)
	held, waiting := h.busyQueue()
	admin.post("/rappels/"+held.String()+"/prise", nil)
	for path, least := range map[string]int{"": 4, "/direct/rappels": 6, "/direct/rappels/" + held.String(): 8, "/direct/rappels/" + waiting.String(): 7} {
		events := empty
		if path != "" {
			events = mediator.stream(path, 1)
		}
		wantIDs(t, path, events, least)
		if strings.Contains(events, written) {
			t.Errorf("%s: the stream has a number", path)
		}
	}
}
