package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parvis/hub/clocktest"
	"parvis/hub/console"
	"parvis/hub/console/browsertest"
	"parvis/hub/packs"
	"parvis/hub/people"
	"parvis/kiosk/callback"
	"parvis/kiosk/link"
)

// cityNames are those in the pack of the tests.
func cityNames(context.Context) (packs.Names, error) {
	return packs.Names{
		Places: []packs.Place{
			{ID: "strasbourg-ml", Name: "Médiathèque Malraux", Town: "Strasbourg", Lat: 48.5700, Lon: 7.7610},
			{ID: "strasbourg-ccas", Name: "CCAS de Strasbourg", Town: "Strasbourg", Lat: 48.5800, Lon: 7.7500},
		},
		Demarches: map[string]string{
			"carte-identite-passeport": "Carte d’identité, passeport", "carte-vitale-droits-sante": "Carte Vitale et droits santé", "impots": "Impôts",
			"rsa-prime-activite": "RSA, prime d’activité", "logement-social": "Logement social (HLM)", "permis-conduire": "Permis de conduire", "retraite": "Retraite",
		},
	}, nil
}

// A place has its name wherever a request speaks of it.
func TestCallbackPlaces(t *testing.T) {
	t.Parallel()
	h := newFleetHub(t)
	h.cityFleet()
	mediator := h.as(people.Mediator)
	id, _ := h.called("MN-01", func(r *callback.Request) { r.PlaceID = "strasbourg-ml" })
	path := "/rappels/" + id.String()
	_, body := mediator.get(path)
	contains(t, plain(body), "Lieu demandé Médiathèque Malraux, Strasbourg")
	if stream := mediator.stream("/direct"+path, 1); strings.Contains(stream, "strasbourg-ml") || !strings.Contains(stream, "Médiathèque Malraux, Strasbourg") {
		t.Error("what keeps the page fresh has the place's ID")
	}
	mediator.post(path+"/prise", nil)
	_, body = mediator.get(path)
	contains(t, body, `list="lieux"`, `<datalist id="lieux"><option value="CCAS de Strasbourg, Strasbourg"></option><option value="Médiathèque Malraux, Strasbourg"></option></datalist>`)
	if strings.Contains(body, "strasbourg-ml") {
		t.Error("the page has the place's ID")
	}
	for typed, want := range map[string]string{"CCAS de Strasbourg, Strasbourg": "", "strasbourg-ccas": "CCAS de Strasbourg, Strasbourg", "chez l’écrivain public": ""} {
		status, body := mediator.post(path+"/suite", url.Values{"revision": {h.revision(id)}, "quoi": {"redirected"}, "vers": {"aide_sociale"}, "lieu": {typed}})
		if status != http.StatusSeeOther {
			t.Fatalf("%q: %d %s", typed, status, plain(body))
		}
		if want == "" {
			want = typed
		}
		_, body = mediator.get(path)
		contains(t, plain(body), "Aide sociale : "+want)
		mediator.post(path+"/reouverture", url.Values{"revision": {h.revision(id)}})
	}
	other, _ := h.called("MN-01", func(r *callback.Request) { r.PlaceID = "ferme-depuis" })
	_, body = mediator.get("/rappels/" + other.String())
	contains(t, plain(body), "Lieu demandé ferme-depuis")
	b := h.As(people.Mediator)
	b.Open(path)
	b.Click("label:has(#quoi-redirected)")
	b.Check("rappel-reoriente")
}

// Of a large directory, the field offers what is near the borne. Without names
// the pages are there all the same.
func TestManyPlaces(t *testing.T) {
	t.Parallel()
	var all []packs.Place
	for n := range 1000 { // ever further to the north
		all = append(all, packs.Place{ID: fmt.Sprint(n), Name: fmt.Sprintf("Lieu %03d", n), Lat: 48 + float64(n)/1000, Lon: 7.7})
	}
	all = append(all, packs.Place{ID: "nulle-part", Name: "Aaa sans adresse"})
	var failure error
	c := browsertest.Start(t, func(o *console.Options) {
		o.Names = func(context.Context) (packs.Names, error) {
			if failure != nil {
				return packs.Names{}, failure
			}
			return packs.Names{Places: all}, nil
		}
	})
	h := &fleetHub{Console: c, t: t, clock: clocktest.At(morning), store: c.Store, runs: map[string]uint64{}}
	h.enrol("Mairie de Neudorf", "MN-01")
	id, _ := h.called("MN-01", nil)
	mediator := h.as(people.Mediator)
	path := "/rappels/" + id.String()
	mediator.post(path+"/prise", nil)
	offers := func() (n int, first, near, far bool) {
		status, body := mediator.get(path)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, plain(body))
		}
		return strings.Count(body, "<option value=\"Lieu"), strings.Contains(body, "Aaa sans adresse"), strings.Contains(body, "Lieu 500"), strings.Contains(body, "Lieu 250")
	}
	if n, _, near, far := offers(); n != 200 || near || far {
		t.Errorf("where nobody knows where the borne stands, %d are offered", n)
	}
	sum, err := h.store.PutFile(ctx, []byte("[site]\nid = \"neudorf\"\nnom = \"Mairie\"\nlatitude = 48.5\nlongitude = 7.7\n"), morning)
	must(t, err)
	must(t, h.store.WantProfiles(ctx, map[string]link.File{"MN-01": {SHA256: sum, Size: 1}}))
	if n, first, near, far := offers(); n != 200 || first || !near || far {
		t.Errorf("%d are offered, one of no address %v, the one nearby %v, one far off %v", n, first, near, far)
	}
	failure = errors.New("the pack is gone")
	if n, _, _, _ := offers(); n != 0 {
		t.Errorf("without names, %d are offered", n)
	}
}
