package people_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/hub/people"
)

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		p, err := h.SignIn(ctx, " Anne@Ville.FR ", good, desk)
		must(t, err)
		if p.ID != anne.ID || p.Role != people.Admin || p.Name != "Anne Roth" {
			t.Errorf("signed in as %+v", p)
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", other, desk)
		want(t, err, people.ErrWrong)
		_, err = h.SignIn(ctx, "nobody@ville.fr", good, desk)
		want(t, err, people.ErrWrong)
		// An account that has no password yet is like none.
		_, err = h.Create(ctx, "Bruno Klein", "bruno@ville.fr", people.Agent)
		must(t, err)
		_, err = h.SignIn(ctx, "bruno@ville.fr", "", desk)
		want(t, err, people.ErrWrong)
	})
}

func TestSignInWhenDisabled(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.mustFirst()
		bruno := h.mustPerson("Bruno Klein", "bruno@ville.fr", people.Agent)
		_, err := h.Disable(ctx, bruno.ID)
		must(t, err)
		_, err = h.SignIn(ctx, "bruno@ville.fr", other, desk)
		want(t, err, people.ErrWrong) // only who knows the password is told
		_, err = h.SignIn(ctx, "bruno@ville.fr", good, desk)
		want(t, err, people.ErrDisabled)
		_, err = h.SignedIn(ctx, bruno.ID, desk)
		want(t, err, people.ErrDisabled)
		_, err = h.Enable(ctx, bruno.ID)
		must(t, err)
		_, err = h.SignIn(ctx, "bruno@ville.fr", good, desk)
		must(t, err)
	})
}

// Letters can be written in more than one way; keyboards differ.
func TestPasswordInAnyNormalForm(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.mustFirst()
		bruno, err := h.Create(ctx, "Bruno Klein", "bruno@ville.fr", people.Agent)
		must(t, err)
		path, err := h.Invite(ctx, bruno.ID)
		must(t, err)
		_, err = h.Accept(ctx, token(t, path), "", "", "pâquerette et hélice")
		must(t, err)
		_, err = h.SignIn(ctx, "bruno@ville.fr", "pa\u0302querette et he\u0301lice", desk)
		must(t, err)
	})
}

// Who watches the time must not learn who has an account. The fastest tries
// tell: other programs on the machine only ever slow some down.
func TestUnknownTakesAsLong(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.mustFirst()
		fastest := map[string]time.Duration{"anne@ville.fr": time.Hour, "nobody@ville.fr": time.Hour}
		var ratio float64
		for range 250 { // one or two do on a quiet machine
			h.clock.Add(time.Hour + time.Minute) // nobody has to wait
			for email := range fastest {
				began := time.Now()
				_, err := h.SignIn(ctx, email, other, far+strconv.Itoa(int(began.UnixNano())))
				want(t, err, people.ErrWrong)
				fastest[email] = min(fastest[email], time.Since(began))
			}
			ratio = float64(fastest["nobody@ville.fr"]) / float64(fastest["anne@ville.fr"])
			if ratio > 0.6 && ratio < 1.6 {
				return
			}
		}
		t.Errorf("at best: %v", fastest)
	})
}

func TestFailuresSlowDown(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		h.mustFirst()
		for _, email := range []string{"anne@ville.fr", "nobody@ville.fr"} { // nothing tells them apart
			for range 5 {
				_, err := h.SignIn(ctx, email, other, desk)
				want(t, err, people.ErrWrong)
			}
			var waits []time.Duration
			for range 11 {
				_, err := h.SignIn(ctx, email, good, desk) // the right one, too
				wait := wantWait(t, err)
				waits = append(waits, wait)
				h.clock.Add(wait)
				_, err = h.SignIn(ctx, email, other, far+strings.Repeat("1", len(waits)))
				want(t, err, people.ErrWrong)
			}
			if waits[0] != time.Second || waits[1] != 2*time.Second || waits[5] != 32*time.Second {
				t.Errorf("the waits are %v", waits)
			}
			if most := slices.Max(waits); most != 15*time.Minute {
				t.Errorf("the longest wait is %v", most)
			}
		}
		// Never for good: after the wait the right password opens, and all is forgotten.
		h.clock.Add(15 * time.Minute)
		_, err := h.SignIn(ctx, "anne@ville.fr", good, desk)
		must(t, err)
		_, err = h.SignIn(ctx, "anne@ville.fr", other, desk)
		want(t, err, people.ErrWrong)
	})
}

// A stranger who fails on purpose doesn't keep somebody from signing in where
// they always do.
func TestStrangerDoesNotLockOut(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		anne := h.mustFirst()
		_, err := h.SignedIn(ctx, anne.ID, desk)
		must(t, err)
		for range 5 {
			_, err := h.SignIn(ctx, "anne@ville.fr", other, far)
			want(t, err, people.ErrWrong)
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", other, far)
		wantWait(t, err)
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		must(t, err)
		// There, too, failures count.
		for range 5 {
			_, err := h.SignIn(ctx, "anne@ville.fr", other, desk)
			want(t, err, people.ErrWrong)
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		wantWait(t, err)
	})
}

func TestAddressSlowsDown(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		h.mustFirst()
		for range 35 { // a whole town hall behind one address
			_, err := h.SignIn(ctx, "anne@ville.fr", good, desk)
			must(t, err)
		}
		for i := range 30 { // somebody who tries many names
			_, err := h.SignIn(ctx, strings.Repeat("a", i+1)+"@ville.fr", other, desk)
			want(t, err, people.ErrWrong)
		}
		_, err := h.SignIn(ctx, "new@ville.fr", other, desk)
		wantWait(t, err)
		_, err = h.SignIn(ctx, "new@ville.fr", other, far)
		want(t, err, people.ErrWrong)
		h.clock.Add(time.Hour + time.Minute)
		_, err = h.SignIn(ctx, "new@ville.fr", other, desk)
		want(t, err, people.ErrWrong)
	})
}

// Many tries at once are counted before they are made.
func TestManyTriesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.quick()
		h.mustFirst()
		var tried, refused atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := h.SignIn(ctx, "anne@ville.fr", other, desk)
				soon := new(people.TooSoon)
				switch {
				case errors.Is(err, people.ErrWrong):
					tried.Add(1)
				case errors.As(err, &soon):
					refused.Add(1)
				default:
					t.Errorf("unexpected: %v", err)
				}
			})
		}
		all.Wait()
		if tried.Load() != 5 || refused.Load() != 15 {
			t.Errorf("%d were tried, %d refused", tried.Load(), refused.Load())
		}
	})
}

// An older hash is made anew when its owner signs in.
func TestOldHashIsMadeAnew(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		older, err := people.NewOlder(h.options())
		must(t, err)
		path, err := older.SetupLink(ctx)
		must(t, err)
		_, err = older.Accept(ctx, token(t, path), "Anne Roth", "anne@ville.fr", good)
		must(t, err)
		hash := func() string {
			p, err := h.store.PersonByEmail(ctx, "anne@ville.fr")
			must(t, err)
			return p.Hash
		}
		if !strings.HasPrefix(hash(), "$argon2id$v=19$m=8192,t=1,p=1$") {
			t.Fatalf("the old hash is %q", hash())
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", other, desk)
		want(t, err, people.ErrWrong)
		if !strings.Contains(hash(), "m=8192") {
			t.Error("a wrong password has changed the hash")
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		must(t, err)
		if !strings.HasPrefix(hash(), "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the new hash is %q", hash())
		}
		_, err = h.SignIn(ctx, "anne@ville.fr", good, desk)
		must(t, err)
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		wantField(t, h.ChangePassword(ctx, anne.ID, other, other, "", desk), "old")
		wantField(t, h.ChangePassword(ctx, anne.ID, good, "court", "", desk), "password")
		must(t, h.ChangePassword(ctx, anne.ID, good, other, "", desk))
		_, err := h.SignIn(ctx, "anne@ville.fr", good, desk)
		want(t, err, people.ErrWrong)
		_, err = h.SignIn(ctx, "anne@ville.fr", other, desk)
		must(t, err)
		for range 5 {
			wantField(t, h.ChangePassword(ctx, anne.ID, good, good, "", desk), "old")
		}
		wantWait(t, h.ChangePassword(ctx, anne.ID, other, good, "", desk))
	})
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		good:                         true,
		"correct cheval pile agrafe": true,
		"Xk9$vTq2!mWz":               true,
		"éléphant-mauve-7":           true,
		"日本語のとても長い合言葉です": true,
		"court":                        false,
		"onze signes":                  false,
		strings.Repeat("a", 12):        false,
		"123456789012":                 false,
		"987654321098":                 false,
		"abcdefghijkl":                 false,
		"abcabcabcabc":                 false,
		"Motdepasse123!":               false,
		"motdepasse2026":               false,
		"MotDePasseMotDePasse":         false,
		"Azertyuiop12":                 false,
		"administrateur":               false,
		"Claire Weber 1":               false,
		"claire.weber@":                false,
		"claire.weber@ville-test.fr":   false,
		"weberclaire2026":              false,
		"Claire aime les ronds-points": true,
		strings.Repeat("ab c", 60):     false,
		"invalide\xff\xfe-et-long":     false,
	} {
		err := people.CheckPassword(password, "Claire Weber", "claire.weber@ville-test.fr")
		if ok != (err == nil) {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil {
			wantField(t, err, "password")
		}
	}
}
