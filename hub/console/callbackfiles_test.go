package console_test

import (
	"encoding/csv"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ical "github.com/emersion/go-ical"
	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/cards"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/kiosk/callback"
	"parvis/kiosk/hours"
)

// The sheet for a day without network has the numbers of the visitor's own
// requests only, and only where they are asked for; each is a look.
func TestCallbacksPrinted(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	held, waiting := h.busyQueue()
	other, _ := h.called("ML-02", func(r *callback.Request) { r.Phone = "+33699999999" })
	mediator, admin := h.as(people.Mediator), h.as(people.Admin)
	mediator.post("/rappels/"+held.String()+"/prise", nil)
	admin.post("/rappels/"+other.String()+"/prise", nil)

	_, body := mediator.get("/rappels/imprimer")
	contains(t, plain(body), "Rappels du samedi 21 novembre", "celui de la demande que j’ai prise", "Argent, impôts", "Turc", "Imprimé aujourd’hui, 10 h 42, par Claire Weber.")
	if strings.Contains(body, written) || len(h.looks()) != 0 {
		t.Error("numbers that nobody has asked for")
	}
	_, body = mediator.get("/rappels/imprimer?numeros=oui")
	contains(t, plain(body), written, "le journal note que vous avez vu chacun d’eux", "détruisez-la")
	if strings.Contains(body, "03 88") || strings.Contains(body, "06 99") || strings.Count(body, written) != 1 {
		t.Error("the sheet has a number that isn't the visitor's to see")
	}
	if looks := h.looks(); len(looks) != 1 || looks[0].Person != mediator.ID {
		t.Errorf("the audit log has %+v", looks)
	}
	_ = waiting
	b := h.As(people.Mediator)
	b.Open("/rappels/imprimer?numeros=oui")
	b.Check("rappels-imprimer")
	b.Print()
	if browserShows(b, ".no-print") || browserShows(b, ".side") || !browserShows(b, ".printed") {
		t.Error("on paper there is what is only for the screen, or the list is missing")
	}
}

// What was closed goes to a spreadsheet, with nothing of any resident.
func TestCallbacksExported(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator := h.as(people.Mediator)
	site, err := h.store.Borne(ctx, "MN-01")
	must(t, err)
	must(t, h.store.PutSite(ctx, store.Site{ID: site.Site.ID, Name: "=HYPERLINK(\"x\")", Created: h.clock.Now()}))
	ended := func() string {
		id, code := h.called("MN-01", nil)
		mediator.post("/rappels/"+id.String()+"/prise", nil)
		mediator.post("/rappels/"+id.String()+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"voicemail"}})
		status, body := mediator.post("/rappels/"+id.String()+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"redirected"}, "vers": {"aide_sociale"},
			"lieu": {"chez Apolline"}, "note": {"une note"}, "theme": {"logement", "e_mail"}, "autonomie": {"avec_guidage"}})
		if status != http.StatusSeeOther {
			t.Fatalf("closing: %d %s", status, plain(body))
		}
		return code
	}
	old := ended()
	h.clock.Add(48 * time.Hour)
	mediator = h.as(people.Mediator) // the session has ended
	fresh := ended()
	h.called("MN-01", nil) // nobody has closed it

	rows := func(path string) [][]string {
		t.Helper()
		status, body, header := mediator.file(path)
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(body, "\ufeff") {
			t.Fatalf("%s: %d %v", path, status, header)
		}
		for _, secret := range []string{"Apolline", "612345652", written, "une note", "Claire", "\n=", ";="} {
			if strings.Contains(body, secret) {
				t.Errorf("the file says %q", secret)
			}
		}
		in := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
		in.Comma = ';'
		all, err := in.ReadAll()
		must(t, err)
		return all[1:]
	}
	all := rows("/rappels/export.csv")
	if len(all) != 2 || all[0][0] != fresh || all[1][0] != old {
		t.Fatalf("the file has %q", all)
	}
	if got := strings.Join(all[1], ";"); got != old+`;'=HYPERLINK("x");MN-01;Papiers, élections, citoyenneté;Français;2026-11-21 10:42;2026-11-24 11:00;2026-11-21 10:42;2026-11-21 10:42;Réorienté;E-mail | Logement;Avec guidage;Aide sociale;1` {
		t.Errorf("a line is %s", got)
	}
	for query, want := range map[string]int{"?au=2026-11-21": 1, "?du=2026-11-22": 1, "?du=2026-11-21&au=2026-11-23": 2, "?langue=tr": 0} {
		if got := rows("/rappels/export.csv" + query); len(got) != want {
			t.Errorf("%s: %d lines, want %d", query, len(got), want)
		}
	}
	if status, _ := mediator.get("/rappels/export.csv?du=hier"); status != http.StatusBadRequest {
		t.Errorf("yesterday: %d", status)
	}
	log, err := h.People.Log(ctx, people.Filter{Action: people.CallbacksExported, Limit: 10})
	must(t, err)
	said := map[string]string{}
	for _, e := range log {
		if e.Person != mediator.ID || e.Name != "Claire Weber" || e.Address == "" {
			t.Errorf("an export in the audit log: %+v", e)
		}
		said[e.Detail["période"]+" "+e.Detail["langue"]] = e.Detail["lignes"]
	}
	if want := map[string]string{"tout ce qui est gardé ": "2", "au 2026-11-21 ": "1", "du 2026-11-22 ": "1", "du 2026-11-21 au 2026-11-23 ": "2", "tout ce qui est gardé tr": "0"}; !maps.Equal(said, want) {
		t.Errorf("the audit log tells of %v", said)
	}
	b := h.As(people.Mediator)
	b.Open("/rappels?vue=termines")
	b.Check("rappels-termines")
}

// An appointment goes to a calendar, with nothing of the resident but the code.
func TestCallbackCalendar(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator := h.as(people.Mediator)
	id, code := h.called("MN-01", nil)
	path := "/rappels/" + id.String()
	if status, _ := mediator.get(path + "/rendez-vous.ics"); status != http.StatusNotFound {
		t.Errorf("without an appointment: %d", status)
	}
	h.appointed(mediator, id, "2026-11-24", "14:30")
	status, body, header := mediator.file(path + "/rendez-vous.ics")
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/calendar") {
		t.Fatalf("%d %v", status, header)
	}
	event := readCalendar(t, body)[0]
	wantEvent(t, event, time.Date(2026, 11, 24, 14, 30, 0, 0, hours.Paris), map[string]string{
		ical.PropUID: id.String() + "@parvis", ical.PropSummary: "Rappel " + code + ", Mairie de Neudorf",
		ical.PropDescription: "Le sujet et le numéro sont dans Parvis, pour la personne qui a pris la demande :\n" + h.URL + path,
	})
	if got := event.Props.Get(ical.PropURL).Value; got != h.URL+path {
		t.Errorf("the address is %q", got)
	}
	for _, secret := range []string{"Apolline", "612345652", "Papiers", "Claire"} {
		if strings.Contains(strings.ReplaceAll(body, "\r\n ", ""), secret) {
			t.Errorf("the calendar says %q", secret)
		}
	}
}

// What a site is called does not break a calendar.
func TestCallbackCalendarEscapes(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	const name = "Maison\\ « Étoile », salle 2; 1er étage\n, où l’on accueille aussi les habitants de la Krutenau 🙂"
	borne, err := h.store.Borne(ctx, "MN-01")
	must(t, err)
	must(t, h.store.PutSite(ctx, store.Site{ID: borne.Site.ID, Name: name, Created: h.clock.Now()}))
	mediator := h.as(people.Mediator)
	id, code := h.called("MN-01", nil)
	h.appointed(mediator, id, "2026-11-24", "14:30")
	_, body, _ := mediator.file("/rappels/" + id.String() + "/rendez-vous.ics")
	wantEvent(t, readCalendar(t, body)[0], time.Date(2026, 11, 24, 14, 30, 0, 0, hours.Paris), map[string]string{
		ical.PropSummary: "Rappel " + code + ", " + name,
	})
}

// appointed takes a request and agrees on a time with whoever asks.
func (h *fleetHub) appointed(v *visit, id uuid.UUID, day, hour string) {
	h.t.Helper()
	path := "/rappels/" + id.String()
	v.post(path+"/prise", nil)
	status, body := v.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"appointment"}, "jour": {day}, "heure": {hour}})
	if status != http.StatusSeeOther {
		h.t.Fatalf("an appointment: %d %s", status, plain(body))
	}
}

// readCalendar reads the events of a calendar as other programs do: with
// another library than what wrote it.
func readCalendar(t testing.TB, text string) []ical.Event {
	t.Helper()
	for line := range strings.SplitAfterSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if line = strings.TrimSuffix(line, "\r\n"); len(line) > 75 || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	cal, err := ical.NewDecoder(strings.NewReader(text)).Decode()
	must(t, err)
	must(t, ical.NewEncoder(io.Discard).Encode(cal)) // it writes only what has all that the standard asks for
	return cal.Events()
}

func wantEvent(t testing.TB, e ical.Event, start time.Time, texts map[string]string) {
	t.Helper()
	from, err := e.DateTimeStart(nil)
	must(t, err)
	to, err := e.DateTimeEnd(nil)
	must(t, err)
	if !from.Equal(start) || to.Sub(from) != 30*time.Minute {
		t.Errorf("from %s to %s, want half an hour from %s", from, to, start)
	}
	for name, want := range texts {
		if got, err := e.Props.Text(name); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

// A request by city card shows the number that the city knows, to whoever looks.
func TestCallbackByCard(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	list, err := cards.Open(ctx, h.Key, h.store)
	must(t, err)
	_, faults, err := list.Import(ctx, strings.NewReader("carte,telephone,prenom\nVILLE00042,0612345652,Apolline\n"))
	must(t, err)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	mediator := h.as(people.Mediator)
	for card, want := range map[string][]string{
		"VILLE00042": {written, "Apolline", "Par la carte n° VILLE00042"},
		"VILLE00043": {"Carte n° VILLE00043", "Cette carte n’est pas dans la liste que la ville a importée"},
	} {
		id, _ := h.called("MN-01", func(r *callback.Request) { r.Phone, r.FirstName, r.Card = "", "", card })
		path := "/rappels/" + id.String()
		mediator.post(path+"/prise", nil)
		if _, body := mediator.get(path); strings.Contains(body, card) || strings.Contains(body, written) {
			t.Errorf("%s: shown without being asked for", card)
		}
		_, body := mediator.get(path + "?voir=oui")
		contains(t, plain(body), want...)
		_, body = mediator.get("/rappels/imprimer?numeros=oui")
		contains(t, strings.ToLower(plain(body)), strings.ToLower(want[0]))
	}
}

// A request whose label can't be read is there all the same, and says so.
func TestCallbackWithoutLabel(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	id := uuid.Must(uuid.NewV7())
	_, err := h.queue().Take(ctx, callbacks.Arrival{ID: id, Borne: "MN-01", Code: callback.NewCode(), Created: h.clock.Now(), Data: []byte("sealed to nobody")})
	must(t, err)
	mediator := h.as(people.Mediator)
	_, body := mediator.get("/rappels")
	contains(t, plain(body), "Étiquette illisible", "Mairie de Neudorf")
	mediator.post("/rappels/"+id.String()+"/prise", nil)
	_, body = mediator.get("/rappels/" + id.String() + "?voir=oui")
	contains(t, plain(body), "Cette demande est scellée pour une autre clé que celle de ce hub", "Rendre à la file")
	_, body = mediator.get("/rappels/imprimer?numeros=oui")
	contains(t, plain(body), "illisible")
}

// The colleague whom a request is passed to has it; it can be given back, and
// one that was closed by mistake taken up again.
func TestCallbackPassed(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator, admin, reader := h.as(people.Mediator), h.as(people.Admin), h.Person(people.Reader)
	id, code := h.called("MN-01", nil)
	path := "/rappels/" + id.String()
	mediator.post(path+"/prise", nil)
	for colleague, status := range map[string]int{"": 422, reader.ID: 422, "nobody": 422} {
		if got, body := mediator.post(path+"/passage", url.Values{"revision": {h.revision(id)}, "collegue": {colleague}}); got != status || !strings.Contains(body, "Choisissez à qui passer la demande.") {
			t.Errorf("passed to %q: %d %s", colleague, got, plain(body))
		}
	}
	mediator.post(path+"/passage", url.Values{"revision": {h.revision(id)}, "collegue": {admin.ID}})
	_, body := admin.get("/rappels?vue=moi")
	contains(t, plain(body), code)
	_, body = mediator.get("/rappels?vue=pris")
	contains(t, plain(body), "La demande est passée à Anne Roth.", code, "Pris par A. Roth")
	// Only its holder gives it back.
	if status, body := mediator.post(path+"/retour", url.Values{"revision": {h.revision(id)}}); status != http.StatusConflict {
		t.Errorf("given back by another: %d %s", status, plain(body))
	}
	admin.post(path+"/retour", url.Values{"revision": {h.revision(id)}})
	_, body = mediator.get("/rappels?vue=a-prendre")
	contains(t, plain(body), code, "Nouveau")
	mediator.post(path+"/prise", nil)
	mediator.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"other"}})
	if status, body := admin.post(path+"/reouverture", url.Values{"revision": {h.revision(id)}}); status != http.StatusSeeOther {
		t.Errorf("taken up again: %d %s", status, plain(body))
	}
	_, body = admin.get(path + "?voir=oui")
	contains(t, plain(body), written, "Rouverte", "Rendue à la file", "Passée à Anne Roth")

	// Of somebody who has left, a colleague takes over.
	bruno, err := h.People.Create(ctx, "Bruno Klein", "bruno@ville.fr", people.Mediator)
	must(t, err)
	admin.post(path+"/passage", url.Values{"revision": {h.revision(id)}, "collegue": {bruno.ID}})
	_, body = mediator.get(path)
	contains(t, plain(body), "Pris par B. Klein", "Reprendre la demande de Bruno Klein")
	must(t, h.People.Remove(ctx, bruno.ID))
	_, body = mediator.get(path + "?voir=oui")
	contains(t, plain(body), "Pris, compte supprimé", "Quelqu’un d’autre a pris cette demande", "n’a plus de compte : reprenez-la.")
	if status, body := mediator.post(path+"/passage", url.Values{"revision": {h.revision(id)}, "collegue": {mediator.ID}}); status != http.StatusSeeOther {
		t.Errorf("taken over: %d %s", status, plain(body))
	}
}
