package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"parvis/hub/store"
)

// params are what argon2id is asked for.
type params struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// current are those that OWASP's Password Storage Cheat Sheet gives first.
// Hashes made with others are made anew at the next sign-in.
var current = params{memory: 19 * 1024, time: 2, threads: 1}

const keyLen, saltLen = 32, 16

// hash gives the usual form: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func (a params) hash(password string) string {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails
	key := argon2.IDKey(normal(password), salt, a.time, a.memory, a.threads, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// normal makes one of the ways in which keyboards and systems write one letter.
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

var errHash = errors.New("people: a password's hash makes no sense")

// verify reports whether a password has a hash, and with which parameters the
// hash was made.
func verify(hash, password string) (bool, params, error) {
	var a params
	var version int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, a, errHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, a, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); err != nil {
		return false, a, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, a, errHash
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) != keyLen {
		return false, a, errHash
	}
	got := argon2.IDKey(normal(password), salt, a.time, a.memory, a.threads, keyLen)
	return subtle.ConstantTimeCompare(got, want) == 1, a, nil
}

// checkSlowly is verify, few at a time: a crowd at the door must not take all
// the memory.
func (p *People) checkSlowly(ctx context.Context, hash, password string) (ok bool, a params, err error) {
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
		return verify(hash, password)
	case <-ctx.Done():
		return false, a, ctx.Err()
	}
}

func (p *People) hashSlowly(ctx context.Context, password string) (string, error) {
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
		return p.params.hash(password), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// What a password's length may be, in letters.
const (
	MinPassword = 12
	MaxPassword = 200
)

//go:embed passwords.txt
var commonList string

// common are the words and phrases that guessers try first, in small letters
// and without signs.
var common = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set[line] = true
		}
	}
	return set
}()

// CheckPassword says what is wrong with a password for somebody. Errors: *FieldError.
func CheckPassword(password, name, email string) error {
	wrong := func(text string) error { return &FieldError{"password", text} }
	letters := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return wrong("Ce mot de passe contient un caractère illisible.")
	case letters < MinPassword:
		return wrong(fmt.Sprintf("Choisissez un mot de passe d’au moins %d caractères : quelques mots sans lien font un bon mot de passe.", MinPassword))
	case letters > MaxPassword:
		return wrong(fmt.Sprintf("Un mot de passe ne peut pas dépasser %d caractères.", MaxPassword))
	case known(password, name, email):
		return wrong("Ce mot de passe contient surtout votre nom ou votre adresse : choisissez-en un autre.")
	case guessable(password):
		return wrong("Ce mot de passe est trop facile à deviner : choisissez par exemple quatre mots sans lien entre eux.")
	}
	return nil
}

// known reports whether a password is made of what anybody knows of a person:
// fewer than eight letters are left without it.
func known(password, name, email string) bool {
	local, domain, _ := strings.Cut(strings.ToLower(email), "@")
	rest := bare(password)
	for _, word := range append(strings.FieldsFunc(name+" "+local+" "+domain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), bare(name), bare(local), bare(email)) {
		if word = bare(word); len(word) >= 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	return rest != bare(password) && utf8.RuneCountInString(rest) < 8
}

// guessable reports whether a password is on the list, with or without figures
// and signs around it, or is one sign or one run over and over.
func guessable(password string) bool {
	word := bare(password)
	core := strings.Trim(word, "0123456789")
	return common[word] || common[core] || monotone(word) || repeated(word)
}

// bare is a word in small letters, without accents, signs and spaces.
func bare(word string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(word)) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// monotone reports whether all letters follow each other at one distance:
// "aaaa", "1234567890123", "fedcba".
func monotone(word string) bool {
	r := []rune(word)
	for step := rune(-1); step <= 1; step++ {
		follows := func(i int) bool {
			d := r[i] - r[i-1]
			return d == step || step != 0 && d == -9*step && unicode.IsDigit(r[i]) && unicode.IsDigit(r[i-1])
		}
		i := 1
		for i < len(r) && follows(i) {
			i++
		}
		if i >= len(r) {
			return true
		}
	}
	return false
}

// repeated reports whether a piece of at most four letters makes up the word.
func repeated(word string) bool {
	for n := 1; n <= min(4, len(word)/2); n++ {
		if strings.HasPrefix(strings.Repeat(word[:n], len(word)/n+1), word) {
			return true
		}
	}
	return false
}

// ChangePassword gives a person another password, for one who knows the old
// one, and ends all sessions but the one given. Errors: *FieldError, *TooSoon.
func (p *People) ChangePassword(ctx context.Context, id, old, password, session, address string) error {
	s, err := p.store.Person(ctx, id)
	if err != nil {
		return err
	}
	if err := p.proveSelf(ctx, s, old, address); err != nil {
		return err
	}
	if err := CheckPassword(password, s.Name, s.Email); err != nil {
		return err
	}
	if err := p.setPassword(ctx, id, password); err != nil {
		return err
	}
	return p.store.EndSessionsOf(ctx, id, session)
}

// proveSelf asks somebody who is signed in for the password once more; who has
// none comes by single sign-on. Errors: *FieldError for a wrong one, *TooSoon.
func (p *People) proveSelf(ctx context.Context, s store.Person, password, address string) error {
	if s.Hash == "" {
		return nil
	}
	name := "password:" + s.ID
	if err := p.try(ctx, name, accountBrake); err != nil {
		return err
	}
	ok, _, err := p.checkSlowly(ctx, s.Hash, password)
	if err != nil {
		return err
	}
	if !ok {
		return &FieldError{"old", "Ce n’est pas votre mot de passe actuel."}
	}
	return p.store.ForgetAttempts(ctx, name)
}

func (p *People) setPassword(ctx context.Context, id, password string) error {
	hash, err := p.hashSlowly(ctx, password)
	if err != nil {
		return err
	}
	_, err = p.store.ChangePerson(ctx, id, string(Admin), func(s *store.Person, _ int) error {
		s.Hash = hash
		return nil
	})
	return err
}
