package console_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parvis/hub/callbacks"
	"parvis/hub/clocktest"
	"parvis/hub/console/browsertest"
	"parvis/hub/people"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/callback"
)

// colleague is one of many mediators, signed in at one of the hubs. What it
// does may be done beside the test: nothing of it ends the test.
type colleague struct {
	ID, Name string
	hub      *fleetHub
	client   *http.Client
}

// colleagues signs many mediators in, each at the next hub.
func colleagues(t *testing.T, many int, hubs ...*fleetHub) []*colleague {
	t.Helper()
	known, err := hubs[0].store.Person(ctx, hubs[0].Person(people.Mediator).ID)
	must(t, err)
	all := make([]*colleague, many)
	for n := range all { // not at once: many tries from one address are held up
		hub := hubs[n%len(hubs)]
		c := &colleague{fmt.Sprintf("01990000-0000-7000-8000-0000000001%02d", n), fmt.Sprintf("Mediateur N%02d", n), hub, hub.Client()}
		email := fmt.Sprintf("m%02d@ville.fr", n)
		// With the password of somebody whose account was made the long way.
		must(t, hub.store.CreatePerson(ctx, store.Person{ID: c.ID, Email: email, Name: c.Name, Role: string(people.Mediator), Hash: known.Hash, Created: morning}))
		status, page, _, err := c.send(http.MethodPost, "/connexion", url.Values{"email": {email}, "password": {browsertest.Password}})
		must(t, err)
		if status != http.StatusSeeOther {
			t.Fatalf("signing %s in answers %d: %s", c.Name, status, plain(page))
		}
		all[n] = c
	}
	return all
}

// send asks for a page, or sends a form, and says where the answer leads.
func (c *colleague) send(method, path string, form url.Values) (status int, body, to string, err error) {
	r, err := http.NewRequest(method, c.hub.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := c.client.Do(r)
	if err != nil {
		return 0, "", "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(data), answer.Header.Get("Location"), err
}

// Fifty mediators at two hubs over one PostgreSQL click « Prendre » on the same
// requests at once: each request goes to one of them, every other is told to
// whom, and nobody else sees a number.
func TestFiftyMediatorsClick(t *testing.T) {
	t.Parallel()
	const mediators = 50
	requests := 30
	if raceDetector { // it makes everything slow
		requests = 5
	}
	dsn, clock := storetest.Postgres(t), clocktest.At(morning)
	one, two := fleetHubOver(t, storetest.Open(t, dsn), clock), fleetHubOver(t, storetest.Open(t, dsn), clock)
	one.cityFleet()
	must(t, one.queue().SetSettings(ctx, callbacks.Settings{Hours: 8, Tries: 3, Months: 12, Flood: 500}))
	ids, numbers := make([]uuid.UUID, requests), make([]string, requests)
	for i := range ids {
		numbers[i] = fmt.Sprintf("06 12 34 57 %02d", i)
		ids[i], _ = one.called("MN-01", func(r *callback.Request) { r.Phone = "+33" + strings.ReplaceAll(numbers[i], " ", "")[1:] })
	}
	// shown counts the numbers on a page, as people read them and as links have them.
	shown := func(page string) int {
		return strings.Count(plain(page), "06 12 34 57") + strings.Count(page, "336123457")
	}
	team := colleagues(t, mediators, one, two)

	type click struct {
		who, request int
		status       int
		page, to     string
	}
	clicks := make(chan click, mediators*requests)
	start := make(chan struct{})
	errs := make([]error, mediators)
	var all sync.WaitGroup
	for who, c := range team {
		all.Go(func() {
			<-start
			for _, i := range rand.Perm(requests) {
				status, page, to, err := c.send(http.MethodPost, "/rappels/"+ids[i].String()+"/prise", nil)
				if err != nil {
					errs[who] = err
					return
				}
				clicks <- click{who, i, status, page, to}
			}
		})
	}
	began := time.Now()
	close(start)
	all.Wait()
	t.Logf("%d clicks in %v", mediators*requests, time.Since(began).Round(time.Millisecond))
	must(t, errors.Join(errs...))
	close(clicks)

	winners, losers := map[int]click{}, []click{}
	for c := range clicks {
		switch other, taken := winners[c.request]; {
		case c.status == http.StatusConflict:
			losers = append(losers, c)
		case c.status != http.StatusSeeOther:
			t.Errorf("%s is answered %d: %s", team[c.who].Name, c.status, plain(c.page))
		case taken:
			t.Errorf("request %d went to %s and to %s", c.request, team[other.who].Name, team[c.who].Name)
		default:
			winners[c.request] = c
		}
	}
	if len(winners) != requests || len(losers) != requests*(mediators-1) {
		t.Fatalf("%d of %d requests taken, %d told that they were late", len(winners), requests, len(losers))
	}
	for _, l := range losers {
		holder := team[winners[l.request].who].Name
		if !strings.Contains(plain(l.page), holder+" a pris cette demande. Rien n’a été enregistré.") || shown(l.page) > 0 {
			t.Fatalf("%s is not told that %s has request %d, or sees a number: %s", team[l.who].Name, holder, l.request, plain(l.page))
		}
	}
	for i, w := range winners {
		_, page, _, err := team[w.who].send(http.MethodGet, w.to, nil)
		must(t, err)
		if !strings.Contains(plain(page), numbers[i]) || shown(page) != 2 {
			t.Errorf("%s has request %d, and sees: %s", team[w.who].Name, i, plain(page))
		}
		// Who was late asks for the number all the same, at the other hub.
		late := team[(w.who+1)%mediators]
		status, page, _, err := late.send(http.MethodGet, w.to, nil)
		must(t, err)
		if shown(page) > 0 || !strings.Contains(plain(page), "le numéro n’est montré qu’à la personne qui appelle") {
			t.Errorf("%s was late for request %d, and gets %d: %s", late.Name, i, status, plain(page))
		}
		if item, err := two.queue().Item(ctx, ids[i]); err != nil || item.Holder != team[w.who].ID || item.Revision != 1 {
			t.Errorf("request %d is held by %q at revision %d, %v: %s was told it is theirs", i, item.HolderName, item.Revision, err, team[w.who].Name)
		}
	}
	if looks := one.looks(); len(looks) != requests {
		t.Errorf("%d numbers were shown, and the audit log has %d", requests, len(looks))
	}
	page, err := one.queue().List(ctx, callbacks.Filter{View: callbacks.Taken})
	must(t, err)
	if page.Counts.Taken != requests || page.Counts.Waiting != 0 {
		t.Errorf("the queue has %+v", page.Counts)
	}
}

// queueWithin is how long 95 of 100 pages of the queue may take.
const queueWithin = 150 * time.Millisecond

// A page of the queue is drawn at once, whatever is asked for, with 100,000
// requests in the store.
func TestQueueOfHundredThousand(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes everything slow")
	}
	for name, fresh := range storetest.Databases() {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t)
			h := fleetHubOver(t, storetest.Open(t, dsn), clocktest.At(morning))
			h.enrol("Mairie de Neudorf", "MN-01")
			for id, name := range map[string]string{"neudorf": "Mairie de Neudorf", "meinau": "Mairie de la Meinau"} {
				must(t, h.store.PutSite(ctx, store.Site{ID: id, Name: name, Created: morning}))
			}
			mediator := h.as(people.Mediator)
			began := time.Now()
			storetest.FillCallbacks(t, dsn, mediator.ID, 100_000)
			t.Logf("filled in %v", time.Since(began).Round(time.Millisecond))

			const deep = "50000000.019aa600-0000-7000-8000-100000050008" // half the way down
			var paths []string
			for _, view := range []string{"", "moi", "a-prendre", "pris", "termines"} {
				for _, filter := range []string{"", "site=meinau", "langue=tr", "sujet=logement", "site=neudorf&langue=fr&sujet=logement", "sujet=justice"} {
					paths = append(paths, "/rappels?vue="+view+"&"+filter)
				}
				paths = append(paths, "/rappels?vue="+view+"&page="+deep)
			}
			best := time.Hour
			for round := 0; round < 6 && best > queueWithin; round++ { // others use this machine too
				took := map[string][]time.Duration{}
				var all []time.Duration
				for range 3 {
					for _, path := range paths {
						began := time.Now()
						status, body := mediator.get(path)
						d := time.Since(began)
						if status != http.StatusOK || !strings.Contains(body, "</html>") {
							t.Fatalf("%s: %d", path, status)
						}
						all, took[path] = append(all, d), append(took[path], d)
					}
				}
				slices.Sort(all)
				p95 := all[len(all)*95/100]
				t.Logf("%d pages: p50 %v, p95 %v, max %v", len(all), all[len(all)/2], p95, all[len(all)-1])
				slowest := slices.MaxFunc(paths, func(a, b string) int { return cmp.Compare(slices.Min(took[a]), slices.Min(took[b])) })
				t.Logf("the slowest is %s: %v", slowest, took[slowest])
				best = min(best, p95)
			}
			if best > queueWithin {
				t.Errorf("p95 is %v at best, over %v", best, queueWithin)
			}
		})
	}
}
