package console_test

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store"
)

// enrolled makes sites with a borne each, and one with none.
func enrolled(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	for _, one := range []struct{ id, name, borne string }{
		{"neudorf", "Mairie de Neudorf", "MN-01"}, {"meinau", "Mairie de la Meinau", "MM-01"}, {"robertsau", "Mairie de la Robertsau", ""},
	} {
		must(t, s.PutSite(ctx, store.Site{ID: one.id, Name: one.name, Created: now}))
		if one.borne == "" {
			continue
		}
		hash, key := sha256.Sum256([]byte("token "+one.borne)), sha256.Sum256([]byte(one.borne))
		_, err := s.CreateToken(ctx, store.Token{Hash: hash[:], Site: store.Site{ID: one.id}, Borne: one.borne, Created: now, Expires: now.Add(time.Hour)})
		must(t, err)
		_, err = s.Enrol(ctx, hash[:], key[:], store.Certificate{Serial: "1-" + one.borne, Ends: now.AddDate(0, 0, 14)}, now)
		must(t, err)
	}
}

// write puts a text into the editor.
func write(b *browsertest.Browser, text string) {
	browsertest.Script[bool](b, `(document.querySelector("#texte").value = `+"`"+text+"`"+`, true)`)
}

// submit clicks on a button that brings another page, and waits for one that
// holds an element.
func submit(b *browsertest.Browser, button, there string) {
	browsertest.Script[bool](b, `window.left = true`)
	b.Click(button)
	b.Until(`document.readyState == "complete" && !window.left && document.querySelector('` + there + `')`)
}

const (
	save  = `button[value="enregistrer"]`
	trial = `button[value="essai"]`
)

func TestProfilePages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	b := c.As(people.IT)
	b.Open("/profils")
	b.Check("profils-vide")
	enrolled(t, c.Store)
	b.Open("/profils/couches/ville/toutes")
	b.Check("profil-nouveau")

	// All mistakes at once, each with its line, and the text is kept.
	write(b, "[ecran]\ndiagonal = 32\nallumage = \"Mo-Sa 07:30-19:30\"\n\n[son]\nsortie = \"casqe\"\nvolume = 9\n")
	submit(b, save, "#erreurs")
	if text := b.Text("#erreurs"); !strings.Contains(text, "pourquoi") {
		t.Errorf("without a reason: %s", text)
	}
	b.Type("#pourquoi", "Horaires de l’écran")
	submit(b, save, ".listing")
	text := b.Text("#erreurs")
	for _, want := range []string{"Ligne 2\u00a0: «\u00a0ecran.diagonal\u00a0» n’existe pas, vouliez-vous «\u00a0ecran.diagonale\u00a0»", "Ligne 6\u00a0: son.sortie", "vouliez-vous «\u00a0casque\u00a0»", "Ligne 7\u00a0: son.volume\u00a0: de 1 à 8"} {
		if !strings.Contains(text, want) {
			t.Errorf("the errors lack %q:\n%s", want, text)
		}
	}
	if n := browsertest.Script[int](b, `document.querySelectorAll(".listing li.bad").length`); n != 3 {
		t.Errorf("%d lines are marked", n)
	}
	b.Check("profil-erreurs")

	// What a change does is seen before it is made, and bornes leave their own
	// file only with a yes.
	right := "[ecran]\ndiagonale = 32\nallumage = \"Mo-Sa 07:30-19:30\"\n\n[son]\nsortie = \"casque\"\nvolume = 5\n"
	write(b, right)
	submit(b, trial, "#effet")
	if text := b.Text("main"); !strings.Contains(text, "MN-01") || !strings.Contains(text, "Rien n’est encore enregistré") {
		t.Errorf("a trial says %s", text)
	}
	b.Check("profil-essai")
	submit(b, save, "#premier-erreur")
	if layers, err := c.Store.ProfileLayers(ctx); err != nil || len(layers) > 0 {
		t.Fatalf("saved without a yes: %+v, %v", layers, err)
	}
	b.Click("#premier")
	submit(b, save, ".flash")
	if text := b.Text(".flash"); !strings.Contains(text, "2\u00a0bornes le prendront") {
		t.Errorf("it says %q", text)
	}
	if w, err := c.Store.Wanted(ctx, "MM-01"); err != nil || w.Profile == nil {
		t.Errorf("MM-01 is wanted to have %+v, %v", w, err)
	}

	// A second version, what it changed, and back.
	write(b, strings.Replace(right, "volume = 5", "volume = 4\nniveau = 40", 1))
	b.Type("#pourquoi", "Trop fort à l’accueil")
	submit(b, save, ".flash")
	b.Check("profil-couche")
	b.Open("/profils/couches/ville/toutes/versions/2")
	b.Check("profil-version")
	if removed, added := b.Text(".diff .removed"), browsertest.Script[int](b, `document.querySelectorAll(".diff .added").length`); !strings.Contains(removed, "volume = 5") || added != 2 {
		t.Errorf("removed %q, %d lines added", removed, added)
	}
	b.Open("/profils/couches/ville/toutes/versions/1")
	submit(b, `form[action$="/reprise"] button`, ".flash")
	if text := browsertest.Script[string](b, `document.querySelector("#texte").value`); text != right {
		t.Errorf("back at %q", text)
	}
	if history, err := c.Store.ProfileHistory(ctx, store.CityProfile, "", 10); err != nil || len(history) != 3 || history[0].By != c.Person(people.IT).Name {
		t.Errorf("history %+v, %v", history, err)
	}

	b.Open("/profils/couches/site/neudorf")
	write(b, "[site]\ncommune = \"Strasbourg\"\n\n[son]\nvolume = 2\n")
	b.Type("#pourquoi", "Une petite salle")
	submit(b, save, ".flash")
	b.Open("/profils/bornes/MN-01")
	b.Check("profil-borne")
	whole := b.Text("main")
	for _, want := range []string{"son.volume", "Site Mairie de Neudorf, ligne 5", "Ville, ligne 3", "Mise en service"} {
		if !strings.Contains(strings.Join(strings.Fields(whole), " "), want) {
			t.Errorf("the whole profile lacks %q:\n%s", want, whole)
		}
	}
	b.Open("/profils")
	b.Check("profils")
	b.Open("/profils?q=zzz")
	if text := b.Text("main"); !strings.Contains(text, "Rien ne correspond") {
		t.Errorf("a search in vain says %s", text)
	}
	log, err := c.People.Log(ctx, people.Filter{Action: people.ProfileSaved})
	if err != nil || len(log) != 4 {
		t.Errorf("%d lines in the log, %v", len(log), err)
	}
}

func TestProfileGroupPages(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	enrolled(t, c.Store)
	b := c.As(people.IT)
	b.Open("/profils/groupes/nouvelle")
	b.Check("groupe-nouveau")
	submit(b, "main form button", "#erreurs")
	b.Type("#nom", "Quartiers sud")
	submit(b, "main form button", ".flash")
	submit(b, `form[action$="/sites"] button`, ".flash")
	submit(b, `form[action$="/sites"] button`, ".flash")
	b.Check("groupe")
	in := func() (ids string) {
		sites, err := c.Store.Sites(ctx)
		must(t, err)
		for _, s := range sites {
			if s.Group == "quartiers-sud" {
				ids += s.ID + " "
			}
		}
		return ids
	}
	if got := in(); got != "meinau robertsau " {
		t.Errorf("in the group: %s", got)
	}
	submit(b, `form[action$="/sites/robertsau/retrait"] button`, ".flash")
	if got := in(); got != "meinau " {
		t.Errorf("in the group: %s", got)
	}
	b.Click("details summary")
	submit(b, `form[action$="/suppression"] button`, ".flash")
	if groups, err := c.Store.Groups(ctx); err != nil || len(groups) > 0 || in() != "" {
		t.Errorf("groups %+v, %v", groups, err)
	}
}

// A change that would break a borne, or that is made over another's, is refused
// with a reason; nothing typed is lost. Sent as a browser without scripts does.
func TestProfileRefusals(t *testing.T) {
	t.Parallel()
	c := browsertest.Start(t)
	enrolled(t, c.Store)
	client := c.SignedIn(people.IT)
	post := func(path string, form url.Values) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, strings.NewReader(form.Encode()))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		answer, err := client.Do(r)
		must(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		return answer.StatusCode, string(body)
	}
	form := func(text, base string) url.Values {
		return url.Values{"texte": {text}, "pourquoi": {"pour voir"}, "base": {base}, "premier": {"oui"}, "faire": {"enregistrer"}}
	}
	const city, site = "/profils/couches/ville/toutes", "/profils/couches/site/neudorf"
	if code, body := post(site, form("[[lecteurs]]\r\ntype = \"rfid\"\r\nport = \"/dev/a\"\r\n", "0")); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	code, body := post(city, form("[imprimante]\nport = \"/dev/a\"\n", "0"))
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "La borne MN-01 ne pourrait plus démarrer") || !strings.Contains(body, "Site Mairie de Neudorf, ligne 3") {
		t.Errorf("%d %s", code, body)
	}
	if !strings.Contains(body, "port = &#34;/dev/a&#34;") {
		t.Error("what was typed is lost")
	}
	if code, body := post(site, form("[son]\nvolume = 2\n", "0")); code != http.StatusUnprocessableEntity || !strings.Contains(body, "Quelqu’un d’autre a changé cette couche") || !strings.Contains(body, `name="base" value="1"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := post(site, form("[son]\nvolume = 2\n", "")); code != http.StatusBadRequest {
		t.Errorf("without a base: %d", code)
	}
	for _, path := range []string{"/profils/couches/pays/toutes", "/profils/couches/ville/x", "/profils/couches/site/x", "/profils/couches/borne/x", "/profils/groupes/x", "/profils/groupes/nouvelle/sites", "/profils/couches/site/neudorf/versions/7/reprise"} {
		if code, _ := post(path, form("", "0")); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	answer, err := client.Get(c.URL + "/profils/bornes/MN-01/profil.toml")
	must(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(data), "/dev/a") || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, data)
	}
}
