package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"parvis/hub/store"
)

// period is how long a one-time code lives, in seconds; apps know no other.
const period = 30

// recoveryCodes is how many a person gets.
const recoveryCodes = 10

// NewFactor draws a secret for an authenticator app. It counts for nothing
// until SetFactor has seen a code made with it.
func (p *People) NewFactor() (secret string) {
	b := make([]byte, 20) // as long as RFC 4226 asks for
	rand.Read(b)          // never fails
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// FactorURI is what an authenticator app reads from a QR code.
func (p *People) FactorURI(secret string, person Person) string {
	q := url.Values{"secret": {secret}, "issuer": {p.name}}
	// Apps read "+" as itself.
	return fmt.Sprintf("otpauth://totp/%s:%s?%s", url.PathEscape(p.name), url.PathEscape(person.Email), strings.ReplaceAll(q.Encode(), "+", "%20"))
}

var errCode = &FieldError{"code", "Ce code n’est pas le bon, ou il est trop ancien. Saisissez les 6 chiffres que l’application affiche maintenant ; vérifiez l’heure du téléphone."}

// SetFactor makes a secret a person's second factor, once a code proves that
// the app has it, and returns recovery codes: they can't be shown again.
// Errors: *FieldError, *TooSoon.
func (p *People) SetFactor(ctx context.Context, id, secret, code string) (recovery []string, err error) {
	name := "factor:" + id
	if err := p.try(ctx, name, accountBrake); err != nil {
		return nil, err
	}
	step, ok := p.stepOf(secret, code)
	if !ok {
		return nil, errCode
	}
	sealed, err := p.key.Seal([]byte(secret))
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	recovery, hashes := newRecovery()
	if err := p.store.SetFactor(ctx, id, sealed, step, hashes); err != nil {
		return nil, err
	}
	return recovery, p.store.ForgetAttempts(ctx, name)
}

// stepOf finds the step whose code this is: now's, the one before or after.
func (p *People) stepOf(secret, code string) (step int64, ok bool) {
	code = strings.Join(strings.Fields(code), "")
	now := p.now().Unix() / period
	for _, step := range []int64{now, now - 1, now + 1} {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// newRecovery draws codes of 80 bits; with so many, a plain hash keeps them.
func newRecovery() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()[:16])
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes = append(hashes, recoveryHash(text))
	}
	return codes, hashes
}

func recoveryHash(code string) []byte {
	sum := sha256.Sum256([]byte(bare(code)))
	return sum[:]
}

// CheckFactor checks the second factor of somebody whose password was right: a
// code of the app, none of them twice, or a recovery code, which is then used
// up. recovered says that it was one. Errors: *FieldError, *TooSoon, ErrNotFound
// for who has no second factor.
func (p *People) CheckFactor(ctx context.Context, id, code, address string) (recovered bool, err error) {
	s, err := p.store.Person(ctx, id)
	if err != nil {
		return false, err
	}
	known, err := p.knownFrom(ctx, s.Email, address)
	if err != nil {
		return false, err
	}
	name, err := p.tryAccount(ctx, "code", s.Email, address, known)
	if err != nil {
		return false, err
	}
	if len(s.Secret) == 0 {
		return false, ErrNotFound
	}
	if recovered, err = p.takeCode(ctx, s, code); err != nil {
		return false, err
	}
	return recovered, p.store.ForgetAttempts(ctx, name)
}

func (p *People) takeCode(ctx context.Context, s store.Person, code string) (recovered bool, err error) {
	if len(bare(code)) > 6 {
		err := p.store.TakeRecovery(ctx, s.ID, recoveryHash(code))
		if errors.Is(err, ErrNotFound) {
			err = &FieldError{"code", "Ce code de secours n’est pas connu ou a déjà servi."}
		}
		return true, err
	}
	secret, err := p.key.Open(s.Secret)
	if err != nil {
		return false, fmt.Errorf("people: %w", err)
	}
	step, ok := p.stepOf(string(secret), code)
	if !ok {
		return false, errCode
	}
	fresh, err := p.store.TakeStep(ctx, s.ID, step)
	if err == nil && !fresh {
		err = &FieldError{"code", "Ce code a déjà servi. Attendez que l’application en affiche un autre."}
	}
	return false, err
}

// RemoveFactor takes a person's second factor away, for the person with the
// password. Errors: *FieldError, *TooSoon.
func (p *People) RemoveFactor(ctx context.Context, id, password, address string) error {
	s, err := p.store.Person(ctx, id)
	if err != nil {
		return err
	}
	if err := p.proveSelf(ctx, s, password, address); err != nil {
		return err
	}
	return p.store.SetFactor(ctx, id, nil, 0, nil)
}

// ResetFactor takes a person's second factor away, for an administrator: the
// phone and the recovery codes are lost.
func (p *People) ResetFactor(ctx context.Context, id string) error {
	return p.store.SetFactor(ctx, id, nil, 0, nil)
}

// RenewRecovery replaces a person's recovery codes, for the person with the
// password. Errors: *FieldError, *TooSoon, ErrNotFound for who has no second factor.
func (p *People) RenewRecovery(ctx context.Context, id, password, address string) (recovery []string, err error) {
	s, err := p.store.Person(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(s.Secret) == 0 {
		return nil, ErrNotFound
	}
	if err := p.proveSelf(ctx, s, password, address); err != nil {
		return nil, err
	}
	recovery, hashes := newRecovery()
	return recovery, p.store.SetRecovery(ctx, id, hashes)
}

// RecoveryLeft is how many recovery codes a person has not used yet.
func (p *People) RecoveryLeft(ctx context.Context, id string) (int, error) {
	return p.store.CountRecovery(ctx, id)
}
