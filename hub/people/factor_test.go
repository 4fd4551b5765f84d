package people_test

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp"

	"parvis/hub/people"
)

func TestFactor(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		secret := h.NewFactor()
		key, err := otp.NewKeyFromURL(h.FactorURI(secret, anne))
		must(t, err)
		if key.Secret() != secret || key.Issuer() != "Parvis Test" || key.AccountName() != "anne@ville.fr" || key.Type() != "totp" {
			t.Errorf("an app reads %v", key)
		}
		if u, err := url.Parse(key.String()); err != nil || strings.Contains(u.RawQuery, "+") {
			t.Errorf("apps would show a plus: %s", key)
		}

		_, err = h.SetFactor(ctx, anne.ID, secret, "000000")
		wantField(t, err, "code")
		if p, err := h.Person(ctx, anne.ID); err != nil || p.Factor {
			t.Fatalf("a wrong code has set the factor: %v", err)
		}
		recovery, err := h.SetFactor(ctx, anne.ID, secret, h.code(secret))
		must(t, err)
		p, err := h.Person(ctx, anne.ID)
		must(t, err)
		if !p.Factor || len(recovery) != 10 {
			t.Fatalf("factor %v, %d codes", p.Factor, len(recovery))
		}

		// The code that set it is used up; so is each other.
		_, err = h.CheckFactor(ctx, anne.ID, h.code(secret), desk)
		wantField(t, err, "code")
		h.clock.Add(30 * time.Second)
		code := h.code(secret)
		_, err = h.CheckFactor(ctx, anne.ID, code[:3]+" "+code[3:], desk)
		must(t, err)
		_, err = h.CheckFactor(ctx, anne.ID, code, desk)
		wantField(t, err, "code")
		// An app whose clock is a little behind is understood, one far behind isn't.
		h.clock.Add(60 * time.Second)
		behind := h.code(secret)
		h.clock.Add(30 * time.Second)
		_, err = h.CheckFactor(ctx, anne.ID, behind, desk)
		must(t, err)
		h.clock.Add(90 * time.Second)
		_, err = h.CheckFactor(ctx, anne.ID, behind, desk)
		wantField(t, err, "code")
	})
}

func TestCodeOnceAmongMany(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		secret, _ := h.mustFactor(anne)
		h.clock.Add(30 * time.Second)
		code := h.code(secret)
		var in atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := h.CheckFactor(ctx, anne.ID, code, desk); err == nil {
					in.Add(1)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("one code let %d in", in.Load())
		}
	})
}

func TestRecovery(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		_, recovery := h.mustFactor(anne)
		recovered, err := h.CheckFactor(ctx, anne.ID, strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " ")), desk)
		must(t, err)
		if !recovered {
			t.Error("it was a recovery code")
		}
		_, err = h.CheckFactor(ctx, anne.ID, recovery[3], desk)
		wantField(t, err, "code")
		if left, err := h.RecoveryLeft(ctx, anne.ID); err != nil || left != 9 {
			t.Errorf("%d are left (%v)", left, err)
		}
		_, err = h.RenewRecovery(ctx, anne.ID, other, desk)
		wantField(t, err, "old")
		fresh, err := h.RenewRecovery(ctx, anne.ID, good, desk)
		must(t, err)
		_, err = h.CheckFactor(ctx, anne.ID, recovery[4], desk)
		wantField(t, err, "code")
		_, err = h.CheckFactor(ctx, anne.ID, fresh[0], desk)
		must(t, err)
		// Another's codes are of no use.
		bruno := h.mustPerson("Bruno Klein", "bruno@ville.fr", people.Agent)
		h.mustFactor(bruno)
		_, err = h.CheckFactor(ctx, bruno.ID, fresh[1], desk)
		wantField(t, err, "code")
	})
}

func TestCodesSlowDown(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		secret, recovery := h.mustFactor(anne)
		for range 5 {
			_, err := h.CheckFactor(ctx, anne.ID, "123456", far)
			wantField(t, err, "code")
		}
		_, err := h.CheckFactor(ctx, anne.ID, recovery[0], far)
		wait := wantWait(t, err)
		h.clock.Add(wait + 30*time.Second)
		_, err = h.CheckFactor(ctx, anne.ID, h.code(secret), far)
		must(t, err)
	})
}

func TestRemoveFactor(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		anne := h.mustFirst()
		_, recovery := h.mustFactor(anne)
		wantField(t, h.RemoveFactor(ctx, anne.ID, other, desk), "old")
		must(t, h.RemoveFactor(ctx, anne.ID, good, desk))
		p, err := h.Person(ctx, anne.ID)
		must(t, err)
		left, err := h.RecoveryLeft(ctx, anne.ID)
		must(t, err)
		if p.Factor || left != 0 {
			t.Errorf("factor %v, %d codes left", p.Factor, left)
		}
		_, err = h.CheckFactor(ctx, anne.ID, recovery[0], desk)
		want(t, err, people.ErrNotFound)
		_, err = h.RenewRecovery(ctx, anne.ID, good, desk)
		want(t, err, people.ErrNotFound)
	})
}
