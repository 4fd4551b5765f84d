package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/people"
	"parvis/hub/statistics"
	"parvis/hub/store"
	"parvis/kiosk/link"
)

// plain is a page's text with ordinary spaces, for looking things up.
func plain(html string) string {
	html = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(html, " ")
	return strings.Join(strings.Fields(strings.NewReplacer("\u00a0", " ", "\u202f", " ", "&nbsp;", " ", "&#39;", "'", "&amp;", "&").Replace(html)), " ")
}

func contains(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %q", w)
		}
	}
	if t.Failed() {
		t.Logf("the page: %s", page)
	}
}

func TestFleetPage(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	reader := h.as(people.Reader)

	_, body := reader.get("/")
	contains(t, plain(body), "Aucune borne pour l’instant", "Toutes 0")

	h.cityFleet()
	status, body := reader.get("/")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	contains(t, plain(body), "Toutes 6", "À voir 2", "Hors ligne 1", "5 / 6 en service", "hors ligne depuis 2 h", "1 sans papier, ou bientôt",
		"50 visites aujourd’hui, au moins", "moins de 5 demandes de rappel reçues",
		"Mairie de la Meinau , borne MM-01 MM-01 Bientôt plus de papier Papier bas Lecteur OK il y a 11 s",
		"Mairie de Cronenbourg , borne MC-01 MC-01 Hors ligne ? inconnu ? inconnu il y a 2 h",
		"Médiathèque Malraux , borne ML-02 ML-02 En service Papier OK — aucun",
		"PR-01 Mise à jour")
	contains(t, body, `aria-label="20`+"\u00a0visites, dont 15 à 9\u00a0h, l’heure la plus chargée.\"")

	_, body = reader.get("/?liste=hors-ligne")
	if page := plain(body); strings.Contains(page, "Neudorf") || !strings.Contains(page, "Cronenbourg") {
		t.Errorf("the list of those offline: %s", page)
	}
	_, body = reader.get("/?q=introuvable")
	contains(t, plain(body), "Aucune borne ne correspond à « introuvable »", "Toutes 6")
}

func TestBornePage(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	it := h.as(people.IT)
	h.cityFleet()
	h.clock.Add(time.Minute)
	h.report("MM-01", noPaper)

	_, body := it.get("/bornes/MM-01")
	contains(t, plain(body), "Mairie de la Meinau · MM-01", "Plus de papier, depuis 10 h 42", "Mettez un rouleau",
		"Imprimante de tickets imprimante Plus de papier 10 h 42 1 200 tickets", "Imprimante A4 a4 En ligne jeudi 310 pages", "Lecteur de cartes lecteur En ligne jeudi 85 lectures",
		"20 visites jusqu’à 10 h · environ 4 min en moyenne", "Rappels à transmettre moins de 5", "Bientôt plus de papier", "2026-11", "depuis 3 j 4 h", "10.67.4.21", "à l’heure", "Aucune commande")
	if status, _ := it.get("/bornes/XX-99"); status != http.StatusNotFound {
		t.Errorf("an unknown borne: %d", status)
	}
	h.report("MM-01", func(r *link.Report) { r.Skew = -3700 })
	_, body = it.get("/bornes/MM-01")
	contains(t, plain(body), "retarde de 1 h 1 min")

	must(t, h.store.SetCloned(ctx, "MM-01", h.clock.Now()))
	_, body = it.get("/bornes/MM-01")
	contains(t, plain(body), "Identité en double, depuis 10 h 43", "Révoquez la borne", "C’est réglé")
	if status, _ := it.post("/bornes/MM-01/double-identite", nil); status != http.StatusSeeOther {
		t.Errorf("closing the alert: %d", status)
	}
	if b, err := h.store.Borne(ctx, "MM-01"); err != nil || !b.Cloned.IsZero() {
		t.Errorf("still a copy: %v %v", b.Cloned, err)
	}

	_, body = it.get("/bornes/MM-01/revocation")
	contains(t, plain(body), "Révoquer la borne ?", "Annuler")
	it.post("/bornes/MM-01/revocation", nil)
	_, body = it.get("/bornes/MM-01")
	contains(t, plain(body), "Révoquée", "Borne révoquée", "La borne MM-01 est révoquée.")
	if strings.Contains(body, "/bornes/MM-01/capture") {
		t.Error("a revoked borne is offered commands")
	}
	if status, body := it.post("/bornes/MM-01/capture", nil); status != http.StatusConflict {
		t.Errorf("a command to a revoked borne: %d %s", status, plain(body))
	}
}

// One resident more where few came can't be seen on the pages that show the
// fleet as it is, nor in what keeps them fresh.
func TestOneVisitOnLivePages(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	it := h.as(people.IT)
	at9 := func(visits int) map[string]string {
		h.report("PR-01", func(r *link.Report) {
			r.Waiting = visits
			r.Counts = map[string]map[string]int{"2026-11-21": {"visit": visits + 3, "visit.h09": visits, "visit.seconds": 400*visits + 750,
				"device.imprimante.pages": visits, "device.lecteur.reads": visits}}
		})
		// The sum over the fleet is read again after a while: other bornes have 50.
		sum := fmt.Sprintf("<b>%d</b><span>visites aujourd’hui, au moins</span>", 50+(visits+1)/statistics.Step*statistics.Step)
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			_, body := it.get("/")
			if strings.Contains(body, sum) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("with %d visits there is no %s in\n%s", visits, sum, body)
			}
		}
		told := map[string]string{"the stream of the fleet": it.stream("/direct/bornes", 1), "the stream of the borne": it.stream("/direct/bornes/PR-01", 1)}
		for _, path := range []string{"/", "/?tri=etat", "/bornes/PR-01"} {
			_, told[path] = it.get(path)
		}
		return told
	}
	for _, visits := range []int{2, 7} { // and one at 8 h
		before, after := at9(visits), at9(visits+1)
		for what := range before {
			if before[what] != after[what] {
				t.Errorf("%s tells of one visit more than %d:\n%s\n%s", what, visits, before[what], after[what])
			}
		}
		for what, text := range at9(visits + 5) {
			if text == before[what] {
				t.Errorf("%s doesn't tell of five visits more than %d: the test could see nothing", what, visits)
			}
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.enrol("Mairie de Neudorf", "MN-01")
	h.report("MN-01")
	it := h.as(people.IT)
	tests := []struct {
		path    string
		form    url.Values
		kind    link.CommandKind
		args    link.Args
		life    time.Duration
		confirm bool
	}{
		{path: "capture", kind: link.Screenshot, life: 10 * time.Minute},
		{path: "relance", kind: link.RestartApp, life: 10 * time.Minute, confirm: true},
		{path: "redemarrage", kind: link.RestartMachine, life: 10 * time.Minute, confirm: true},
		{path: "essai", kind: link.TestPrint, life: 10 * time.Minute},
		{path: "volume", form: url.Values{"niveau": {"3"}}, kind: link.SetVolume, args: link.Args{Level: 3}, life: 24 * time.Hour},
		{path: "message", form: url.Values{"texte": {" Fermé à\n16 h "}, "minutes": {"60"}}, kind: link.ShowMessage, args: link.Args{Text: "Fermé à 16 h", Minutes: 60}, life: 10 * time.Minute},
		{path: "message", form: url.Values{"retirer": {"oui"}, "texte": {"x"}}, kind: link.ShowMessage, life: 10 * time.Minute},
		{path: "hors-service", kind: link.OutOfService, life: 24 * time.Hour, confirm: true},
		{path: "en-service", kind: link.BackInService, life: 24 * time.Hour},
		{path: "journaux", kind: link.FetchLogs, life: 10 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			if status, _ := it.get("/bornes/MN-01/" + test.path); test.confirm != (status == http.StatusOK) {
				t.Errorf("the page that asks once more: %d", status)
			}
			for range 2 { // the second press is no second command
				if status, body := it.post("/bornes/MN-01/"+test.path, test.form); status != http.StatusSeeOther {
					t.Fatalf("%d %s", status, plain(body))
				}
			}
			commands, err := h.store.TakeCommands(ctx, "MN-01", h.clock.Now())
			must(t, err)
			if len(commands) != 1 {
				t.Fatalf("%d commands wait", len(commands))
			}
			c := commands[0]
			if c.Kind != test.kind || c.Args != test.args || c.By != it.ID || c.Expires != h.clock.Now().Add(test.life).UnixMilli() {
				t.Errorf("command %+v", c)
			}
			h.end("MN-01", link.Outcome{State: link.Done})
			log, err := h.People.Log(ctx, people.Filter{Action: people.CommandGiven, Borne: "MN-01", Limit: 1})
			must(t, err)
			if len(log) != 1 || log[0].Person != it.ID || log[0].Detail["commande"] != c.ID.String() {
				t.Errorf("the audit log: %+v", log)
			}
		})
	}
}

// The page says what a borne should have and has, and offers to bring at once
// what it has not.
func TestWanted(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.enrol("Mairie de Neudorf", "MN-01")
	it, agent := h.as(people.IT), h.as(people.Agent)
	_, body := it.get("/bornes/MN-01")
	contains(t, plain(body), "Logiciel — aucun au choix de la borne ? inconnu", "Contenus — aucun ceux du logiciel ? inconnu", "Profil — aucun celui de la borne ? inconnu")
	const sum = "d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26"
	has := func(change ...func(*link.Report)) string {
		h.clock.Add(time.Second)
		h.report("MN-01", append([]func(*link.Report){func(r *link.Report) { r.Content = "" }}, change...)...)
		_, body := it.get("/bornes/MN-01")
		return body
	}
	body = has()
	contains(t, plain(body), "Logiciel 1.4.0 au choix de la borne À jour", "Contenus ceux du logiciel ceux du logiciel À jour", "Profil celui de la borne celui de la borne À jour")
	if strings.Contains(body, "mise-a-jour") {
		t.Error("an update is offered where nothing is wanted")
	}
	if status, body := it.post("/bornes/MN-01/mise-a-jour", nil); status != http.StatusConflict {
		t.Errorf("an update with nothing to bring: %d %s", status, plain(body))
	}

	ids := []string{"MN-01"}
	must(t, h.store.WantPack(ctx, ids, "2026-12"))
	must(t, h.store.WantSoftware(ctx, ids, "1.5.0"))
	must(t, h.store.WantProfiles(ctx, map[string]link.File{"MN-01": {SHA256: sum, Size: 1}}))
	body = has()
	contains(t, plain(body), "Logiciel 1.4.0 1.5.0 En attente S’installe après la fermeture.", "Contenus ceux du logiciel 2026-12 En attente", "Profil celui de la borne "+sum[:12]+" En attente", "Mettre à jour maintenant")
	if _, body := agent.get("/bornes/MN-01"); strings.Contains(body, "mise-a-jour") || !strings.Contains(plain(body), "2026-12 En attente") {
		t.Error("an agent is offered an update, or doesn’t see what is wanted")
	}
	if status, body := it.post("/bornes/MN-01/mise-a-jour", nil); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, plain(body))
	}
	commands, err := h.store.TakeCommands(ctx, "MN-01", h.clock.Now())
	must(t, err)
	if len(commands) != 1 || commands[0].Kind != link.Update || commands[0].Args != (link.Args{}) {
		t.Errorf("commands: %+v", commands)
	}

	w, err := h.store.Wanted(ctx, "MN-01")
	must(t, err)
	body = has(func(r *link.Report) {
		r.Tag, r.Content, r.Profile = w.Tag, "2026-12", sum[:12]
		r.Failures = []link.Failure{{Kind: link.KindSoftware, Version: "1.5.0", Why: "L’application n’était pas saine au bout de 5 minutes."}}
	})
	contains(t, plain(body), "Logiciel 1.4.0 1.5.0 Échec L’application n’était pas saine au bout de 5 minutes.", "Contenus 2026-12 2026-12 À jour", "Profil "+sum[:12]+" "+sum[:12]+" À jour", "Mettre à jour maintenant")
	body = has(func(r *link.Report) { r.Tag, r.Content, r.Profile, r.Version = w.Tag, "2026-12", sum[:12], "1.5.0" })
	contains(t, plain(body), "Logiciel 1.5.0 1.5.0 À jour")
	contains(t, body, `href="/profils/bornes/MN-01"`)
	if _, body := agent.get("/bornes/MN-01"); strings.Contains(body, "/profils/bornes/") {
		t.Error("an agent is led to a page that is not for agents")
	}
	body = has(func(r *link.Report) {
		r.Tag, r.Content, r.Profile, r.Version = w.Tag, "2026-12", sum[:12], "1.5.0"
		r.Failures = []link.Failure{{Kind: link.KindProfile, Version: sum, Why: "adresse fixe : NetworkManager tient le réseau de cette machine."}}
	})
	contains(t, plain(body), "Profil "+sum[:12]+" "+sum[:12]+" En partie adresse fixe : NetworkManager tient le réseau de cette machine.")
	body = has(func(r *link.Report) { r.Tag, r.Content, r.Profile, r.Version = w.Tag, "2026-12", sum[:12], "1.5.0" })
	if strings.Contains(body, "mise-a-jour") {
		t.Error("an update is offered to a borne that has all")
	}
}

func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.enrol("Mairie de Neudorf", "MN-01")
	h.report("MN-01")
	it := h.as(people.IT)
	for _, test := range []struct {
		name, path, field, says string
		form                    url.Values
	}{
		{"no volume", "volume", "volume-niveau", "Choisissez un volume de 1 à 8.", nil},
		{"too loud", "volume", "volume-niveau", "Choisissez un volume de 1 à 8.", url.Values{"niveau": {"9"}}},
		{"empty message", "message", "message-texte", "Écrivez le message à afficher.", url.Values{"texte": {" \n"}, "minutes": {"15"}}},
		{"long message", "message", "message-texte", "Le message a 201 lettres", url.Values{"texte": {strings.Repeat("é", 201)}, "minutes": {"15"}}},
		{"for ever and a day", "message", "message-minutes", "Choisissez combien de temps", url.Values{"texte": {"Fermé"}, "minutes": {"99999"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := it.post("/bornes/MN-01/"+test.path, test.form)
			if status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", status)
			}
			contains(t, plain(body), test.says)
			contains(t, body, `href="#`+test.field+`"`, `aria-invalid="true"`, "<details class=\"more\" open>")
		})
	}
	if commands, err := h.store.Commands(ctx, "MN-01", 10); err != nil || len(commands) != 0 {
		t.Errorf("%d commands were given, %v", len(commands), err)
	}
	for role, may := range map[people.Role]string{
		people.Reader: "", people.Mediator: "message", people.Agent: "capture relance essai volume message hors-service en-service",
	} {
		v := h.as(role)
		_, page := v.get("/bornes/MN-01")
		for _, path := range strings.Fields("capture relance redemarrage essai volume message hors-service en-service journaux mise-a-jour revocation double-identite") {
			status, _ := v.post("/bornes/MN-01/"+path, nil)
			allowed := strings.Contains(" "+may+" ", " "+path+" ")
			if (status != http.StatusForbidden) != allowed {
				t.Errorf("%s %s: %d", role, path, status)
			}
			if strings.Contains(page, "/bornes/MN-01/"+path+`"`) != (allowed && path != "en-service") {
				t.Errorf("%s: the page and the permission disagree on %s", role, path)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.enrol("Mairie de Neudorf", "MN-01")
	h.enrol("Mairie de Neudorf", "MN-02")
	h.report("MN-01")
	it := h.as(people.IT)
	it.post("/bornes/MN-01/capture", nil)
	shot := h.end("MN-01", link.Outcome{State: link.Done, FileType: "image/png", File: picture(t)})
	it.post("/bornes/MN-01/journaux", nil)
	logs := h.end("MN-01", link.Outcome{State: link.Done, FileType: "text/plain", File: []byte("10:41 ok\n10:42 <script>alert(1)</script>\xff\n")})

	status, body, header := it.file("/bornes/MN-01/captures/" + shot.String())
	if status != http.StatusOK || body != string(picture(t)) {
		t.Errorf("the picture: %d, %d bytes", status, len(body))
	}
	for key, want := range map[string]string{"Content-Type": "image/png", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	_, body = it.get("/bornes/MN-01")
	contains(t, body, `src="/bornes/MN-01/captures/`+shot.String()+`"`)
	contains(t, plain(body), "Capture de 10 h 42. Jamais pendant une saisie.")

	_, body = it.get("/bornes/MN-01/journaux/" + logs.String())
	contains(t, body, "10:42 &lt;script&gt;alert(1)&lt;/script&gt;\uFFFD")
	status, body, header = it.file("/bornes/MN-01/journaux/" + logs.String() + "/texte")
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") || header.Get("Content-Disposition") != `attachment; filename="parvis-MN-01.txt"` || !strings.Contains(body, "<script>") {
		t.Errorf("the file: %d %v", status, header)
	}

	for name, path := range map[string]string{
		"another borne's":       "/bornes/MN-02/captures/" + shot.String(),
		"a log as a picture":    "/bornes/MN-01/captures/" + logs.String(),
		"a picture as a log":    "/bornes/MN-01/journaux/" + shot.String(),
		"no such command":       "/bornes/MN-01/captures/" + uuid.NewString(),
		"not a command":         "/bornes/MN-01/captures/1",
		"a log of no such":      "/bornes/MN-01/journaux/" + uuid.NewString(),
		"a text of another one": "/bornes/MN-02/journaux/" + logs.String() + "/texte",
	} {
		if status, _ := it.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
	seen, err := h.People.Log(ctx, people.Filter{Borne: "MN-01"})
	must(t, err)
	n := map[people.Action]int{}
	for _, e := range seen {
		n[e.Action]++
	}
	if n[people.ScreenshotSeen] != 1 || n[people.LogsRead] != 2 {
		t.Errorf("seen according to the audit log: %v", n)
	}

	it.post("/bornes/MN-01/capture", nil)
	page := h.end("MN-01", link.Outcome{State: link.Done, FileType: "image/svg+xml", File: []byte("<svg onload='alert(1)'/>")})
	if status, _ := it.get("/bornes/MN-01/captures/" + page.String()); status != http.StatusNotFound {
		t.Errorf("a picture that could hold a script: %d", status)
	}
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	it := h.as(people.IT)
	_, body := it.get("/mise-en-service")
	contains(t, plain(body), "Aucun code n’attend sa borne.", "Aucun site.", "Aucune borne n’est en service")

	status, body := it.post("/mise-en-service/codes", url.Values{"quel": {"nouveau"}, "nom": {"Mairie de Neudorf"}})
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, plain(body))
	}
	line := regexp.MustCompile(`curl -fsSL https?://[^ <]+/borne \| sudo sh -s ((?:[0-9A-HJKMNP-TV-Z]{5}-){8}[0-9A-HJKMNP-TV-Z]{5})<`).FindStringSubmatch(body)
	if line == nil {
		t.Fatalf("the page shows no command line: %s", plain(body))
	}
	contains(t, plain(body), "Code pour MN-01", "Il vaut jusqu’à demain, 10 h 42 , pour une seule borne", "une seule fois")
	contains(t, body, `<svg class="qr-code" role="img"`, `download="parvis-enrolement.txt"`, `href="data:text/plain;charset=utf-8,`+line[1]+`@parvis.strasbourg.eu:443%0A"`)
	tokens, err := h.store.Tokens(ctx, h.clock.Now())
	must(t, err)
	if len(tokens) != 1 || tokens[0].Borne != "MN-01" || tokens[0].Site.ID != "mairie-de-neudorf" || tokens[0].By != it.ID || !tokens[0].Expires.Equal(h.clock.Now().Add(24*time.Hour)) {
		t.Fatalf("tokens %+v", tokens)
	}
	_, body = it.get("/mise-en-service")
	contains(t, plain(body), "MN-01 · Mairie de Neudorf Fait par Idris Tahar")
	if strings.Contains(body, line[1]) || strings.Contains(body, line[1][30:]) {
		t.Error("the secret is shown again")
	}
	log, err := h.People.Log(ctx, people.Filter{})
	must(t, err)
	for _, e := range log {
		if strings.Contains(e.Object, line[1]) || strings.Contains(e.Detail["code"], line[1]) {
			t.Errorf("the audit log holds the secret: %+v", e)
		}
	}

	for name, test := range map[string]struct {
		form url.Values
		says string
	}{
		"no name":          {url.Values{"quel": {"nouveau"}}, "Donnez le nom du site"},
		"the same site":    {url.Values{"quel": {"nouveau"}, "nom": {"Mairie de NEUDORF"}}, "a déjà l’identifiant « mairie-de-neudorf »"},
		"a bad ID":         {url.Values{"quel": {"nouveau"}, "nom": {"Île"}, "identifiant": {"L'Île"}}, "L’identifiant du site est fait de"},
		"only signs":       {url.Values{"quel": {"nouveau"}, "nom": {"…"}}, "L’identifiant du site est fait de"},
		"no such site":     {url.Values{"quel": {"existant"}, "site": {"ailleurs"}}, "Choisissez le site"},
		"a bad borne's ID": {url.Values{"quel": {"existant"}, "site": {"mairie-de-neudorf"}, "borne": {"MN 01"}}, "L’identifiant de la borne"},
	} {
		status, body := it.post("/mise-en-service/codes", test.form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), test.says) {
			t.Errorf("%s: %d %s", name, status, plain(body))
		}
	}

	it.post("/mise-en-service/codes/"+tokens[0].ID+"/retrait", nil)
	if tokens, err := h.store.Tokens(ctx, h.clock.Now()); err != nil || len(tokens) != 0 {
		t.Errorf("not withdrawn: %v %v", tokens, err)
	}
	it.post("/mise-en-service/codes/"+tokens[0].ID+"/retrait", nil)
	_, body = it.get("/mise-en-service")
	contains(t, plain(body), "Ce code ne valait déjà plus")

	it.post("/mise-en-service/sites/mairie-de-neudorf", url.Values{"nom": {"Mairie du Neudorf"}})
	if sites, err := h.store.Sites(ctx); err != nil || len(sites) != 1 || sites[0].Name != "Mairie du Neudorf" {
		t.Errorf("renamed: %+v %v", sites, err)
	}
	if status, body := it.post("/mise-en-service/sites/mairie-de-neudorf", url.Values{"nom": {" "}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a site without a name: %d %s", status, plain(body))
	}

	h.enrol("Mairie de Neudorf", "MN-01")
	_, body = it.post("/mise-en-service/codes", url.Values{"quel": {"existant"}, "site": {"mairie-de-neudorf"}, "borne": {"mn-01"}})
	contains(t, plain(body), "MN-01 est déjà en service.")
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	reader := h.as(people.Reader)
	_, body := reader.get("/alertes")
	contains(t, plain(body), "Aucune panne en ce moment.", "Aucune borne n’est encore en service.")

	h.cityFleet()
	h.report("ML-02", noPaper, func(r *link.Report) { r.Faults = []link.Fault{{Fault: link.FaultDisk, Since: r.At / 1000}} })
	must(t, h.store.SetCloned(ctx, "CA-01", h.clock.Now()))
	_, body = reader.get("/alertes")
	page := plain(body)
	contains(t, page, "5 pannes en ce moment, dont 3 graves, dans 4 lieux.", "Identité en double", "Plus de papier", "Disque presque plein", "Hors ligne", "Bientôt plus de papier imprimante depuis 9 h 12")
	if strings.Index(page, "Meinau") < strings.Index(page, "Malraux") {
		t.Error("a place that only warns comes before one that doesn't serve")
	}
}

// TestHostile has a borne, a site, an agent and a resident's town try to put a
// script into every page.
func TestHostile(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>`
	h := newFleetHub(t)
	it := h.as(people.Admin)
	if _, err := h.People.Rename(ctx, it.ID, "<b>Eve</b>", it.Email); err != nil {
		t.Fatal(err)
	}
	h.enrol(evil, "MN-01")
	h.report("MN-01", func(r *link.Report) {
		r.Version, r.Content = evil, evil
		r.Devices[0].Name, r.Devices[0].Fault, r.Devices[1].Kind, r.Devices[1].State = evil, evil, evil, evil
		r.Faults = []link.Fault{{Fault: evil, Since: r.At / 1000}}
		r.Failures = []link.Failure{{Kind: link.KindPack, Version: evil, Why: evil}}
		r.Counts = map[string]map[string]int{"2026-11-21": {evil: 3, "device." + evil + ".pages": 4}}
	})
	it.post("/bornes/MN-01/message", url.Values{"texte": {evil}, "minutes": {"60"}})
	h.end("MN-01", link.Outcome{State: link.Failed, Why: evil})
	it.post("/bornes/MN-01/journaux", nil)
	logs := h.end("MN-01", link.Outcome{State: link.Done, Why: evil, FileType: "text/plain", File: []byte("</pre>" + evil)})
	must(t, h.store.PutCommand(ctx, store.Command{Command: link.Command{ID: uuid.Must(uuid.NewV7()), Kind: evil, Expires: h.clock.Now().Add(time.Hour).UnixMilli()}, Borne: "MN-01", By: evil, Created: h.clock.Now()}))
	must(t, h.store.WantPack(ctx, []string{"MN-01"}, evil))

	live := func(path string) string { return it.stream(path, 1) }
	pages := map[string]string{"the stream of the fleet": live("/direct/bornes"), "the stream of the borne": live("/direct/bornes/MN-01"), "the stream of alerts": live("/direct/alertes")}
	for _, path := range []string{"/", "/?q=" + url.QueryEscape(evil), "/bornes/MN-01", "/bornes/MN-01/relance", "/bornes/MN-01/revocation", "/bornes/MN-01/journaux/" + logs.String(), "/mise-en-service?q=" + url.QueryEscape(evil), "/alertes"} {
		status, body := it.get(path)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		pages[path] = body
	}
	_, pages["a refused message"] = it.post("/bornes/MN-01/message", url.Values{"texte": {evil}, "minutes": {"no"}})
	_, pages["a refused site"] = it.post("/mise-en-service/codes", url.Values{"quel": {"nouveau"}, "nom": {evil}, "identifiant": {evil}, "borne": {evil}})
	for name, body := range pages {
		if strings.Contains(body, "<img src=x") || strings.Contains(body, "<script>alert") || strings.Contains(body, "<b>Eve") {
			t.Errorf("%s lets a script in", name)
		}
		if !strings.Contains(body, "&lt;img") {
			t.Errorf("%s doesn't show what was tried: the test proves nothing", name)
		}
	}
}
