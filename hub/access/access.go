// Package access lets programs in that nobody signs in to: calendars that read
// a feed, and those that read the JSON API. Each has a secret token, of which
// only a digest is kept.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"

	"parvis/hub/store"
)

// Kind says what a token is for.
type Kind string

// The kinds.
const (
	PersonFeed Kind = "person"  // the calendar feed of the person Owner
	SiteFeed   Kind = "site"    // the calendar feed of the site Owner
	Program    Kind = "program" // the JSON API, as far as Scope goes
)

// Coop is the scope of what is reported to the national Coop de la médiation
// numérique.
const Coop = "coop"

// Token is what lets a program in, without its secret.
type Token struct {
	ID      string // UUIDv7
	Kind    Kind
	Owner   string // ID of a person or a site; empty for a program
	Name    string // of a program
	Scope   string // of a program
	Created time.Time
	Used    string // the last day, "2026-11-21"; empty: never
}

func tokenOf(t store.AccessToken) Token {
	return Token{t.ID, Kind(t.Kind), t.Owner, t.Name, t.Scope, t.Created, t.Used}
}

// Tokens are those of a hub. They are safe for concurrent use, and nothing of
// them is in memory.
type Tokens struct {
	store *store.Store
	now   func() time.Time
	zone  *time.Location // of days
}

// New opens the tokens of a store.
func New(s *store.Store, now func() time.Time, zone *time.Location) *Tokens {
	return &Tokens{s, now, zone}
}

// ErrUnknown says that there is no such token, or no more.
var ErrUnknown = errors.New("access: unknown token")

// Feed makes the address of somebody's or some site's calendar feed. The one
// that they had is worthless from then on. secret is told this once.
func (t *Tokens) Feed(ctx context.Context, kind Kind, owner string) (secret string, err error) {
	if owner == "" || kind != PersonFeed && kind != SiteFeed {
		return "", errors.New("access: a feed of nobody")
	}
	return t.put(ctx, Token{Kind: kind, Owner: owner})
}

// Program makes the token of a program. secret is told this once.
func (t *Tokens) Program(ctx context.Context, name, scope string) (secret string, err error) {
	return t.put(ctx, Token{Kind: Program, Name: name, Scope: scope})
}

func (t *Tokens) put(ctx context.Context, token Token) (secret string, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, t.store.PutAccessToken(ctx, store.AccessToken{ID: id.String(), Digest: digest(secret),
		Kind: string(token.Kind), Owner: token.Owner, Name: token.Name, Scope: token.Scope, Created: t.now()})
}

// digest is what is kept of a secret. It is found by comparing digests: how long
// that takes tells nothing of the secret.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Open finds the token of a secret, and notes that it was used today. Errors:
// ErrUnknown.
func (t *Tokens) Open(ctx context.Context, secret string) (Token, error) {
	found, err := t.store.AccessToken(ctx, digest(secret))
	if errors.Is(err, store.ErrNotFound) {
		return Token{}, ErrUnknown
	}
	if err != nil {
		return Token{}, err
	}
	if today := t.now().In(t.zone).Format(time.DateOnly); found.Used != today {
		found.Used, err = today, t.store.UseAccessToken(ctx, found.ID, today)
	}
	return tokenOf(found), err
}

// List lists the tokens of a kind, the newest first.
func (t *Tokens) List(ctx context.Context, kind Kind) ([]Token, error) {
	found, err := t.store.AccessTokens(ctx, string(kind))
	if err != nil {
		return nil, err
	}
	list := make([]Token, len(found))
	for i, f := range found {
		list[i] = tokenOf(f)
	}
	return list, nil
}

// Revoke makes a token worthless, from the next request on. Errors: ErrUnknown.
func (t *Tokens) Revoke(ctx context.Context, id string) error {
	err := t.store.RemoveAccessToken(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	return err
}
