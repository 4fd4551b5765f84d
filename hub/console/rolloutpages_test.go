package console_test

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"parvis/hub/clocktest"
	"parvis/hub/console"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/rollout"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/link"
)

// newRolloutHub is a hub with a fleet in two groups and versions to roll out.
func newRolloutHub(t testing.TB) *fleetHub {
	t.Helper()
	clock := clocktest.At(morning)
	s := storetest.Open(t, storetest.SQLite(t))
	fingerprint := sha256.Sum256([]byte("authority"))
	c := browsertest.StartOver(t, s, func(o *console.Options) {
		o.Now, o.BornesURL, o.Fingerprint = clock.Now, "parvis.strasbourg.eu:443", fingerprint[:]
		o.Offers = func(_ context.Context, kind string) ([]rollout.Version, error) {
			if kind == link.KindSoftware {
				return []rollout.Version{{Version: "1.5.0", Added: morning.AddDate(0, 0, -1)}}, nil
			}
			return []rollout.Version{{Version: "2026-12", Added: morning.Add(-time.Hour)}, {Version: "2026-11", Added: morning.AddDate(0, -1, 0)}}, nil
		}
	})
	h := &fleetHub{Console: c, t: t, clock: clock, store: s, runs: map[string]uint64{}}
	h.cityFleet()
	for i, name := range []string{"Sites pilotes", "Quartiers sud"} {
		id := []string{"pilote", "sud"}[i]
		must(t, s.PutGroup(ctx, store.Group{ID: id, Name: name, Created: morning}))
		b, err := s.Borne(ctx, []string{"MN-01", "MM-01"}[i])
		must(t, err)
		must(t, s.SetSiteGroup(ctx, b.Site.ID, id))
	}
	return h
}

// moved makes a step of a rollout, as the hub that moves it on would.
func (h *fleetHub) moved(id string, change func(r *store.Rollout), events []store.RolloutEvent, bornes ...store.RolloutBorne) {
	h.t.Helper()
	now := h.clock.Now()
	held, err := h.store.Lease(ctx, "rollout", "test", now, now.Add(time.Minute))
	must(h.t, err)
	if !held {
		h.t.Fatal("the lease is held")
	}
	found, err := h.store.Rollout(ctx, id)
	must(h.t, err)
	is := found
	change(&is)
	must(h.t, h.store.StepRollout(ctx, store.RolloutStep{Lease: "rollout", Holder: "test", Now: now, Found: found, Rollout: is, Bornes: bornes, Events: events}))
}

// usualForm is what somebody types to give the contents of december to all.
func usualForm() url.Values {
	return url.Values{"version": {"pack/2026-12"}, "groupe-1": {"pilote"}, "part-2": {"100"}, "threshold": {"10"}, "note": {"Nouveaux tarifs"}}
}

// start begins a rollout with the form, and returns its ID.
func (h *fleetHub) start(v *visit, form url.Values) string {
	h.t.Helper()
	if status, body := v.post("/deploiements/nouveau", form); status != http.StatusSeeOther {
		h.t.Fatalf("%d %s", status, plain(body))
	}
	all, err := h.store.Rollouts(ctx)
	must(h.t, err)
	return all[0].ID
}

func TestRollouts(t *testing.T) {
	t.Parallel()
	h := newRolloutHub(t)
	it := h.as(people.IT)
	_, body := it.get("/deploiements")
	contains(t, plain(body), "Aucun déploiement")
	_, body = it.get("/deploiements/nouveau")
	contains(t, plain(body), "2026-12 (aujourd’hui, 9 h 42)", "1.5.0 (hier, 10 h 42)", "Sites pilotes", "Quartiers sud")
	contains(t, body, `<optgroup label="Contenus">`, `<optgroup label="Logiciel">`)

	id := h.start(it, usualForm())
	r, err := h.store.Rollout(ctx, id)
	must(t, err)
	if r.Kind != link.KindPack || r.Version != "2026-12" || r.Quiet != 2*time.Hour || r.Threshold != 10 || r.By != it.Name || r.Note != "Nouveaux tarifs" ||
		len(r.Stages) != 2 || r.Stages[0].Groups[0] != "pilote" || r.Stages[1].Percent != 100 {
		t.Errorf("%+v", r)
	}
	if status, body := it.post("/deploiements/nouveau", usualForm()); status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), "déjà en cours") {
		t.Errorf("a second one: %d", status)
	}
	page := "/deploiements/" + id
	_, body = it.get(page)
	contains(t, plain(body), "Contenus 2026-12", "En cours", "On attend qu’une borne de l’étape soit en ligne.", "1. Sites pilotes En cours 0", "2. toutes les bornes À venir 0",
		"2 h sans nouvelle panne", "à partir de 10 %", "Commencé aujourd’hui, 10 h 42, par "+it.Name, "Mettre en pause", "Arrêter", "Revenir en arrière")

	now := h.clock.Now()
	row := store.RolloutBorne{Borne: "MN-01", Before: "2026-11", Given: now, State: store.BorneWaiting, Since: now}
	h.moved(id, func(*store.Rollout) {}, nil, row)
	_, body = it.get(page)
	contains(t, plain(body), "On attend encore : MN-01.")
	row.State = store.BorneHas
	failed := store.RolloutBorne{Borne: "CA-01", Stage: 1, Before: "2026-11", Given: now, State: store.BorneFailed, Since: now, Why: "L’application n’est pas repartie."}
	silent := store.RolloutBorne{Borne: "PR-01", Stage: 1, Before: "2026-11", Given: now, State: store.BorneSilent, Since: now}
	absent := store.RolloutBorne{Borne: "MC-01", Stage: 1, Before: "2026-11", Given: now, State: store.BorneAbsent, Since: now}
	h.moved(id, func(r *store.Rollout) { r.Stage, r.Settled = 1, now }, []store.RolloutEvent{{At: now, What: "Étape 2", Why: "1 borne a la version."}}, row, failed, silent, absent)
	_, body = it.get(page)
	contains(t, plain(body), "1. Sites pilotes Passée 1 1 0 0 0", "2. toutes les bornes Sous surveillance 3 0 0 2 (100 %) 1", "Sans nouvelle panne jusqu’à 12 h 42",
		"CA-01 Centre administratif Refusée par la borne L’application n’est pas repartie. aujourd’hui, 10 h 42 non", "PR-01", "Ne répond plus", "Étape 2 aujourd’hui, 10 h 42 1 borne a la version.")
	_, body = it.get("/deploiements")
	contains(t, plain(body), "Contenus 2026-12 En cours 2 sur 2 1 sur 4 2")

	follow := func(path string, form url.Values, says ...string) {
		t.Helper()
		if status, _ := it.post(page+path, form); status != http.StatusSeeOther {
			t.Errorf("%s: %d", path, status)
		}
		_, body := it.get(page)
		contains(t, plain(body), says...)
	}
	follow("/pause", nil, "Le déploiement est en pause", "En pause. Aucune autre borne", "Reprendre")
	follow("/pause", nil, "Rien n’a changé")
	follow("/reprise", nil, "Le déploiement reprend.", "En cours")
	_, body = it.get(page + "/arret")
	contains(t, plain(body), "Arrêter ?", "Les bornes qui ont la version la gardent.", "Annuler")
	follow("/arret", url.Values{"pourquoi": {" trop\nde pannes "}}, "Le déploiement est arrêté.", "Arrêté aujourd’hui, 10 h 42", "trop de pannes", "2. toutes les bornes Arrêtée")
	follow("/reprise", nil, "Rien n’a changé")
	_, body = it.get(page + "/retour")
	contains(t, plain(body), "Revenir en arrière ?", "Toutes les bornes")
	follow("/retour", nil, "Retour en arrière demandé", "Annulé")
	if status, _ := it.get("/deploiements/rien"); status != http.StatusNotFound {
		t.Errorf("one that isn't there: %d", status)
	}

	log, err := h.People.Log(ctx, people.Filter{Action: people.RolloutChanged})
	must(t, err)
	if len(log) != 4 || log[0].Object != "Contenus 2026-12" || log[0].Detail["déploiement"] != id || log[0].Detail["action"] != "Revenir en arrière" || log[0].Person != it.ID {
		t.Errorf("the audit log: %+v", log)
	}
	if log, err = h.People.Log(ctx, people.Filter{Action: people.RolloutStarted}); err != nil || len(log) != 1 {
		t.Errorf("the audit log: %+v, %v", log, err)
	}
}

func TestRolloutForm(t *testing.T) {
	t.Parallel()
	h := newRolloutHub(t)
	it := h.as(people.IT)
	for _, test := range []struct {
		name, field, value, at, says string
	}{
		{"no version", "version", "", "version", "Choisissez"},
		{"unknown version", "version", "pack/2027", "version", "Le hub n’a pas la version « 2027 »."},
		{"no percentage", "part-2", "tout", "part-2", "Donnez un pourcentage"},
		{"over all", "part-2", "101", "part-1", "un pourcentage va de 1 à 100"},
		{"shrinks", "part-3", "50", "part-1", "n’ajoute personne"},
		{"no group", "groupe-1", "nord", "part-1", "le groupe « nord » n’existe pas"},
		{"no hours", "quiet", "jamais", "quiet", "Donnez un nombre d’heures"},
		{"for ever", "quiet", "99999999999", "quiet", "Donnez un nombre d’heures"},
		{"no threshold", "threshold", "", "threshold", "Donnez un pourcentage"},
		{"threshold of nothing", "threshold", "0", "threshold", "de 1 à 100"},
		{"a novel", "note", strings.Repeat("é", 201), "note", "200 lettres au plus"},
	} {
		form := usualForm()
		form.Set(test.field, test.value)
		status, body := it.post("/deploiements/nouveau", form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(plain(body), test.says) || !strings.Contains(body, `href="#`+test.at+`"`) || !strings.Contains(body, `id="`+test.at+`"`) {
			t.Errorf("%s: %d %s", test.name, status, plain(body))
		}
		if test.field != "groupe-1" && !strings.Contains(body, `value="pilote" checked`) {
			t.Errorf("%s: what was ticked is lost", test.name)
		}
	}
	form := usualForm()
	form.Set("version", "software/1.5.0")
	form.Del("groupe-1")
	r, err := h.store.Rollout(ctx, h.start(it, form))
	must(t, err)
	if r.Kind != link.KindSoftware || r.Quiet != 24*time.Hour || len(r.Stages) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestRolloutLooks looks at the pages in every state, with axe and at every size.
func TestRolloutLooks(t *testing.T) {
	t.Parallel()
	h := newRolloutHub(t)
	it := h.as(people.IT)
	b := h.As(people.IT)
	look := func(name, path string) {
		t.Helper()
		b.Open(path)
		b.Check(name)
	}
	look("deploiements-vide", "/deploiements")
	look("deploiement-nouveau", "/deploiements/nouveau")
	b.Click("main form .button")
	b.Until(`document.querySelector(".errors") !== null`)
	b.Check("deploiement-nouveau-erreur")

	id := h.start(it, usualForm())
	now := h.clock.Now()
	var rows []store.RolloutBorne
	for i, borne := range []string{"MN-01", "CA-01", "MM-01", "ML-02", "MC-01", "PR-01"} {
		state := []store.RolloutBorneState{store.BorneHas, store.BorneFailed, store.BorneHas, store.BorneWorse, store.BorneAbsent, store.BorneWaiting}[i]
		rows = append(rows, store.RolloutBorne{Borne: borne, Stage: min(i, 1), Before: "2026-11", Given: now, State: state, Since: now})
	}
	rows[1].Why, rows[3].Why = "L’application n’est pas repartie en 5 minutes avec ces contenus.", "Écran figé"
	h.moved(id, func(r *store.Rollout) { r.Stage = 1 }, []store.RolloutEvent{{At: now, What: "Étape 2", Why: "1 borne a la version."}}, rows...)
	look("deploiement", "/deploiements/"+id)
	look("deploiement-arreter", "/deploiements/"+id+"/arret")
	for i := range rows {
		if rows[i].State != store.BorneHas && rows[i].State != store.BorneWorse {
			rows[i].Back = now
		}
	}
	why := "Étape 2 : 2 bornes en échec sur 4 (50 %), seuil 10 %."
	h.moved(id, func(r *store.Rollout) { r.State, r.Ended, r.Why = store.RolloutStopped, now, why }, []store.RolloutEvent{{At: now, What: "Arrêté par le hub", Why: why}}, rows...)
	look("deploiement-arrete", "/deploiements/"+id)
	look("deploiements", "/deploiements")
}

// By the keyboard alone, and the page keeps itself fresh.
func TestRolloutByKeyboard(t *testing.T) {
	t.Parallel()
	h := newRolloutHub(t)
	b := h.As(people.IT)
	b.Open("/deploiements")
	press(t, b, "main a[href$=nouveau]", kb.Enter)
	b.Until(`location.pathname.endsWith("/nouveau") && document.querySelector("#version") !== null`)
	press(t, b, "#version", kb.ArrowDown)
	press(t, b, `[name="groupe-1"][value=pilote]`, " ")
	press(t, b, "main form .button", kb.Enter)
	said(b, "Le déploiement a commencé.")
	all, err := h.store.Rollouts(ctx)
	must(t, err)
	if len(all) != 1 || all[0].Version != "2026-12" || len(all[0].Stages) != 3 || len(all[0].Stages[0].Groups) != 1 {
		t.Fatalf("%+v", all)
	}
	live(b)
	now := h.clock.Now()
	h.moved(all[0].ID, func(*store.Rollout) {}, nil, store.RolloutBorne{Borne: "CA-01", Given: now, State: store.BorneFailed, Since: now, Why: "Trop grand"})
	shows(t, b, "#rollout-bornes", "Trop grand")
	press(t, b, "#deploiement-pause", kb.Enter)
	said(b, "en pause")
	press(t, b, "#deploiement-retour", kb.Enter)
	b.Until(`document.querySelector("h1").textContent.includes("Revenir en arrière")`)
	press(t, b, "#pourquoi", "Contenus trop grands")
	press(t, b, "main .button", kb.Enter)
	said(b, "Retour en arrière demandé")
	if text := b.Text("#rollout-history"); !strings.Contains(text, "Contenus trop grands") {
		t.Errorf("the history: %s", text)
	}
}
