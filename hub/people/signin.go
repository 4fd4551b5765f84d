package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"parvis/hub/store"
)

// ErrWrong is the one answer to a wrong password, an unknown address and an
// account without a password.
var ErrWrong = errors.New("adresse électronique ou mot de passe incorrect")

// ErrDisabled is said only to those who know the password.
var ErrDisabled = errors.New("ce compte est suspendu : voyez avec l’administration de Parvis")

// TooSoon refuses a try because too many have failed before.
type TooSoon struct{ Wait time.Duration }

func (e *TooSoon) Error() string { return "trop d’essais : attendez encore " + waitWords(e.Wait) }

func waitWords(d time.Duration) string {
	if d <= 90*time.Second {
		return fmt.Sprintf("%d\u00a0secondes", max(2, int(d.Seconds()+1)))
	}
	return fmt.Sprintf("%d\u00a0minutes", int(d.Minutes()+1))
}

// Nobody is ever locked out for good: a wait ends after a quarter of an hour.
// Tries from an address where the person has signed in before are counted
// apart, and for that person alone: neither a stranger's nor those of all the
// others in a town hall behind one address stand in the way.
var (
	accountBrake = store.Brake{Free: 5, Most: 15 * time.Minute, Forget: 24 * time.Hour}
	addressBrake = store.Brake{Free: 30, Most: 15 * time.Minute, Forget: time.Hour}
	flowBrake    = store.Brake{Free: 300, Most: time.Minute, Forget: time.Hour}
)

// keepTries is how long tries, and the addresses that a person comes from, are
// remembered.
const keepTries = 60 * 24 * time.Hour

// try counts a try, or refuses it. Errors: *TooSoon.
func (p *People) try(ctx context.Context, name string, b store.Brake) error {
	wait, err := p.store.Attempt(ctx, name, b, p.now())
	if err == nil && wait > 0 {
		err = &TooSoon{wait}
	}
	return err
}

// tries names what a try is counted under. What people type may be anything, a
// password in the wrong field too: only its hash is kept.
func tries(kind string, of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	return kind + ":" + hex.EncodeToString(sum[:16])
}

// network is what tries from an address are counted under: of IPv6 the first 64
// bits, as whoever has one address has all that begin so.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// knownFrom reports whether somebody has signed in from an address before.
func (p *People) knownFrom(ctx context.Context, email, address string) (bool, error) {
	return p.store.Attempted(ctx, tries("known", email, network(address)))
}

// tryAccount counts a try for an account, apart for an address it is known from.
func (p *People) tryAccount(ctx context.Context, kind, email, address string, known bool) (name string, err error) {
	name = tries(kind, email)
	if known {
		name = tries(kind, email, network(address))
	}
	return name, p.try(ctx, name, accountBrake)
}

// SignIn finds who has an address and a password. The second factor, if
// there is one, is still to be asked for. Errors: ErrWrong, ErrDisabled, *TooSoon;
// with the last two, and a wrong password, the person is returned for the log
// where there is one.
func (p *People) SignIn(ctx context.Context, email, password, address string) (Person, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	known, err := p.knownFrom(ctx, email, address)
	if err != nil {
		return Person{}, err
	}
	from := tries("address", network(address))
	if !known {
		if err := p.try(ctx, from, addressBrake); err != nil {
			return Person{}, err
		}
	}
	name, err := p.tryAccount(ctx, "account", email, address, known)
	if err != nil {
		return Person{}, err
	}
	s, err := p.store.PersonByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Person{}, err
	}
	// Somebody unknown takes as long as somebody known.
	hash := s.Hash
	if hash == "" {
		hash = p.dummy
	}
	ok, with, err := p.checkSlowly(ctx, hash, password)
	switch {
	case err != nil:
		return Person{}, err
	case !ok || s.Hash == "":
		return personOf(s), ErrWrong
	case !s.Disabled.IsZero():
		return personOf(s), ErrDisabled
	}
	if !known {
		err = p.store.ForgiveAttempt(ctx, from)
	}
	if err := errors.Join(err, p.store.ForgetAttempts(ctx, name)); err != nil {
		return Person{}, err
	}
	if with != p.params {
		if err := p.setPassword(ctx, s.ID, password); err != nil {
			return Person{}, err
		}
	}
	return personOf(s), nil
}

// SignedIn notes that a person has come in, with all that was asked for.
// Errors: ErrDisabled, ErrNotFound.
func (p *People) SignedIn(ctx context.Context, id, address string) (Person, error) {
	s, err := p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, _ int) error {
		if !s.Disabled.IsZero() {
			return ErrDisabled
		}
		s.Seen = p.now()
		return nil
	})
	if err != nil {
		return Person{}, err
	}
	_, err = p.store.Attempt(ctx, tries("known", s.Email, network(address)), store.Brake{Free: 1 << 30, Forget: keepTries}, p.now())
	return personOf(s), err
}
