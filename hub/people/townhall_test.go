package people_test

import (
	"strconv"
	"testing"
	"time"

	"parvis/hub/people"
	"parvis/hub/people/oidctest"
)

// All of a town hall has one address: the mistakes of some keep nobody out who
// has signed in there before, and they have no more tries for that.
func TestTownHallBehindOneAddress(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		anne := h.mustFirst()
		_, err := h.SignedIn(ctx, anne.ID, desk)
		must(t, err)
		for i := range 40 {
			_, err := h.SignIn(ctx, strconv.Itoa(i)+"@ville.fr", other, desk)
			if i < 30 {
				want(t, err, people.ErrWrong)
			} else {
				h.clock.Add(wantWait(t, err))
				_, err := h.SignIn(ctx, strconv.Itoa(i)+"@ville.fr", other, desk)
				want(t, err, people.ErrWrong)
			}
		}
		_, err = h.SignIn(ctx, "new@ville.fr", other, desk)
		if wait := wantWait(t, err); wait < 5*time.Minute {
			t.Fatalf("a stranger waits for %v only: the test proves nothing", wait)
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		must(t, err)
		for range 5 {
			_, err = h.SignIn(ctx, "anne@ville.fr", other, desk)
			want(t, err, people.ErrWrong)
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		wantWait(t, err)
	})
}

// Whoever has one address of IPv6 has billions: they count as one. Who signs in
// with another each day is known all the same.
func TestNetworkOfIPv6(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		anne := h.mustFirst()
		_, err := h.SignedIn(ctx, anne.ID, "2001:db8:1:2::7")
		must(t, err)
		for i := range 31 {
			_, err = h.SignIn(ctx, strconv.Itoa(i)+"@ville.fr", other, "2001:db8:1:2::"+strconv.Itoa(i))
			if i < 30 {
				want(t, err, people.ErrWrong)
			}
		}
		wantWait(t, err)
		_, err = h.SignIn(ctx, "new@ville.fr", other, "2001:db8:1:3::1")
		want(t, err, people.ErrWrong)
		_, err = h.SignIn(ctx, "anne@ville.fr", good, "2001:db8:1:2:aaaa::1")
		must(t, err)
		// One of IPv4 is one, however it is written.
		for i := range 31 {
			_, err = h.SignIn(ctx, strconv.Itoa(i)+"@autre.fr", other, []string{far, "::ffff:" + far}[i%2])
		}
		wantWait(t, err)
		_, err = h.SignIn(ctx, "new@ville.fr", other, "203.0.113.98")
		want(t, err, people.ErrWrong)
	})
}

// Of sign-ins at the provider only those count that lead nowhere.
func TestSSOOfATownHall(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{"bruno": {"email": "bruno@ville.fr", "email_verified": true, "name": "Bruno Klein"}})
	for range 298 {
		_, err := h.BeginSSO(ctx, back, desk)
		must(t, err)
	}
	for range 4 {
		_, err := arrive(h, p, "bruno", nil)
		must(t, err)
	}
	for range 2 {
		_, err := h.BeginSSO(ctx, back, desk)
		must(t, err)
	}
	_, err := h.BeginSSO(ctx, back, desk)
	wantWait(t, err)
	_, err = h.BeginSSO(ctx, back, far)
	must(t, err)
}

// That the provider vouches for one address says nothing of another.
func TestSSOVouchesForOneAddress(t *testing.T) {
	h, p := newSSO(t, nil)
	p.Accounts(map[string]oidctest.Account{
		"eve": {"email": "anne@ville.fr", "name": "Eve", "id_token": map[string]any{"email": "eve@ville.fr", "email_verified": true}},
	})
	_, err := arrive(h, p, "eve", nil)
	wantSSO(t, err, "ne garantit pas")
}
