package people

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// patience is how long a provider may take to answer.
const patience = 5 * time.Second

// providers remembers what the provider has said of itself, for a while. Any
// hub asks anew when it doesn't know.
type providers struct {
	mu       sync.Mutex
	provider *oidc.Provider
	issuer   string
	asked    time.Time
}

// provider asks an issuer who it is. Nobody waits for another's question: one
// that isn't answered would hold everybody up.
func (p *People) provider(ctx context.Context, issuer string) (*oidc.Provider, error) {
	c := &p.providers
	c.mu.Lock()
	known := c.provider
	fresh := known != nil && c.issuer == issuer && p.now().Sub(c.asked) < 10*time.Minute
	c.mu.Unlock()
	if fresh {
		return known, nil
	}
	found, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, &SSOError{"Le service de connexion ne répond pas. Connectez-vous avec votre mot de passe Parvis si vous en avez un, ou réessayez plus tard.", err}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.provider, c.issuer, c.asked = found, issuer, p.now()
	return found, nil
}

func withClient(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, &http.Client{Timeout: patience})
}

// askIssuer reports whether there is a provider.
func askIssuer(ctx context.Context, issuer string) error {
	_, err := oidc.NewProvider(withClient(ctx), issuer)
	return err
}

// authURL is where the browser goes to sign in.
func (p *People) authURL(ctx context.Context, s SSO, back string, f Flow) (string, error) {
	client, _, err := p.client(withClient(ctx), s, back)
	if err != nil {
		return "", err
	}
	return client.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), nil
}

func (p *People) client(ctx context.Context, s SSO, back string) (*oauth2.Config, *oidc.Provider, error) {
	provider, err := p.provider(ctx, s.Issuer)
	if err != nil {
		return nil, nil, err
	}
	secret, err := p.ssoSecret(ctx)
	return &oauth2.Config{
		ClientID: s.ClientID, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: back,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, provider, err
}

// identify trades the code for who it is.
func (p *People) identify(ctx context.Context, s SSO, back string, f Flow, code string) (map[string]any, string, error) {
	ctx = withClient(ctx)
	client, provider, err := p.client(ctx, s, back)
	if err != nil {
		return nil, "", err
	}
	unreadable := func(err error) error {
		return &SSOError{"La réponse du service de connexion n’a pas pu être vérifiée. Réessayez ; si cela dure, prévenez votre service informatique.", err}
	}
	token, err := client.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, "", unreadable(exchangeError(err))
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: client.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return nil, "", unreadable(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return nil, "", unreadable(errors.New("the ID token has another nonce"))
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return nil, "", unreadable(err)
	}
	if provider.UserInfoEndpoint() == "" {
		return claims, id.Subject, nil
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, "", unreadable(errors.New("user info: the provider refused")) // its words may hold a token
	}
	if info.Subject != id.Subject {
		return nil, "", unreadable(errors.New("user info is about another subject"))
	}
	if info.Email != "" {
		delete(claims, "email_verified") // it spoke of the token's address, which may be another
	}
	if err := info.Claims(&claims); err != nil {
		return nil, "", unreadable(err)
	}
	return claims, id.Subject, nil
}

// exchangeError keeps the provider's code of an error, not its body.
func exchangeError(err error) error {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) {
		return fmt.Errorf("token endpoint: %s", e.ErrorCode)
	}
	return err
}
