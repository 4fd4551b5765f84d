package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"parvis/hub/store"
)

// LinkLife is how long a link lives: for the first administrator, an
// invitation, or another password.
const LinkLife = 24 * time.Hour

// LinkPath is where a link leads, on the console.
const LinkPath = "/bienvenue/"

// SetupLink gives the path that makes the first administrator, once. There is
// none, and no error, where somebody has an account already.
func (p *People) SetupLink(ctx context.Context) (path string, err error) {
	path, err = p.newLink(ctx, "")
	if errors.Is(err, ErrExists) {
		return "", nil
	}
	return path, err
}

// Invite gives the path that lets a person in once, to choose a password; the
// person's earlier ones are worthless from then on. It also serves who has
// forgotten a password. Errors: ErrNotFound.
func (p *People) Invite(ctx context.Context, id string) (path string, err error) {
	if _, err := p.store.Person(ctx, id); err != nil {
		return "", err
	}
	return p.newLink(ctx, id)
}

func (p *People) newLink(ctx context.Context, person string) (path string, err error) {
	token := rand.Text() // 130 bits
	err = p.store.PutLink(ctx, store.Link{Hash: tokenHash(token), Person: person, Expires: p.now().Add(LinkLife)})
	return LinkPath + token, err
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Linked says whom a link is for; the zero Person is the first administrator.
// Errors: ErrNotFound for one that is unknown, used or expired.
func (p *People) Linked(ctx context.Context, token string) (Person, error) {
	l, err := p.store.Link(ctx, tokenHash(token), p.now())
	if err != nil || l.Person == "" {
		return Person{}, err
	}
	return p.Person(ctx, l.Person)
}

// Accept uses a link up: the person gets the password, and the first
// administrator a name and an address too. All the person's sessions end.
// Errors: *FieldError; ErrNotFound for a link that is unknown, used or expired;
// ErrDisabled.
func (p *People) Accept(ctx context.Context, token, name, email, password string) (Person, error) {
	known, err := p.Linked(ctx, token)
	if err != nil {
		return Person{}, err
	}
	if known.ID != "" {
		name, email = known.Name, known.Email
	}
	if name, err = cleanName(name); err != nil {
		return Person{}, err
	}
	if email, err = cleanEmail(email); err != nil {
		return Person{}, err
	}
	if err := CheckPassword(password, name, email); err != nil {
		return Person{}, err
	}
	hash, err := p.hashSlowly(ctx, password)
	if err != nil {
		return Person{}, err
	}
	s, err := p.store.UseLink(ctx, tokenHash(token), p.now(), func(s *store.Person) error {
		if s.ID == "" {
			*s = store.Person{ID: newID(), Name: name, Email: email, Role: string(Admin), Created: p.now()}
		}
		if !s.Disabled.IsZero() {
			return ErrDisabled
		}
		s.Hash = hash
		return nil
	})
	return personOf(s), err
}

// Invitations gives, by person, until when a link is open.
func (p *People) Invitations(ctx context.Context) (map[string]time.Time, error) {
	return p.store.Invited(ctx, p.now())
}
