package access_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"parvis/hub/access"
	"parvis/hub/store"
	"parvis/hub/store/storetest"
	"parvis/kiosk/hours"
)

var ctx = context.Background()

// late is close to midnight in Paris, when the day in UTC is still the one before.
var late = time.Date(2026, 11, 22, 0, 30, 0, 0, hours.Paris)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// each runs a test on both databases, at a time that it sets.
func each(t *testing.T, test func(t *testing.T, s *store.Store, tokens *access.Tokens, now *time.Time)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store, _ string) {
		s, now := open(), late
		test(t, s, access.New(s, func() time.Time { return now.UTC() }, hours.Paris), &now)
	})
}

func TestFeed(t *testing.T) {
	each(t, func(t *testing.T, _ *store.Store, tokens *access.Tokens, now *time.Time) {
		first, err := tokens.Feed(ctx, access.PersonFeed, "anne")
		must(t, err)
		if random, err := base64.RawURLEncoding.DecodeString(first); err != nil || len(random) != 32 {
			t.Fatalf("the secret is %q", first)
		}
		other, err := tokens.Feed(ctx, access.PersonFeed, "bruno")
		must(t, err)
		site, err := tokens.Feed(ctx, access.SiteFeed, "anne") // a site of that name
		must(t, err)
		second, err := tokens.Feed(ctx, access.PersonFeed, "anne")
		must(t, err)
		for secret, want := range map[string]access.Token{
			second: {Kind: access.PersonFeed, Owner: "anne"}, other: {Kind: access.PersonFeed, Owner: "bruno"}, site: {Kind: access.SiteFeed, Owner: "anne"},
		} {
			got, err := tokens.Open(ctx, secret)
			if err != nil || got.Kind != want.Kind || got.Owner != want.Owner || !got.Created.Equal(late) || got.Used != "2026-11-22" {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
		sum := sha256.Sum256([]byte(second))
		for _, secret := range []string{first, "", second + "x", string(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:])} {
			if got, err := tokens.Open(ctx, secret); !errors.Is(err, access.ErrUnknown) {
				t.Errorf("%q opens %+v, %v", secret, got, err)
			}
		}
		*now = late.AddDate(0, 0, 3)
		_, err = tokens.Open(ctx, second)
		must(t, err)
		list, err := tokens.List(ctx, access.PersonFeed)
		must(t, err)
		if len(list) != 2 || list[0].Owner != "anne" || list[0].Used != "2026-11-25" || list[1].Owner != "bruno" || list[1].Used != "2026-11-22" {
			t.Errorf("list: %+v", list)
		}
		if _, err := tokens.Feed(ctx, access.PersonFeed, ""); err == nil {
			t.Error("a feed of nobody")
		}
	})
}

func TestProgram(t *testing.T) {
	each(t, func(t *testing.T, _ *store.Store, tokens *access.Tokens, _ *time.Time) {
		first, err := tokens.Program(ctx, "Métropole", access.Coop)
		must(t, err)
		second, err := tokens.Program(ctx, "Région", access.Coop)
		must(t, err)
		list, err := tokens.List(ctx, access.Program)
		must(t, err)
		if len(list) != 2 || list[0].Name != "Région" || list[1].Name != "Métropole" || list[1].Scope != access.Coop || list[1].Used != "" {
			t.Fatalf("list: %+v", list)
		}
		must(t, tokens.Revoke(ctx, list[1].ID))
		if _, err := tokens.Open(ctx, first); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("revoked: %v", err)
		}
		if err := tokens.Revoke(ctx, list[1].ID); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("revoked again: %v", err)
		}
		if got, err := tokens.Open(ctx, second); err != nil || got.Name != "Région" {
			t.Errorf("the other: %+v, %v", got, err)
		}
	})
}

// With an account goes its feed, and nobody else's.
func TestRemovedPerson(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store, tokens *access.Tokens, _ *time.Time) {
		must(t, s.CreatePerson(ctx, store.Person{ID: "anne", Email: "anne@ville.fr", Name: "Anne", Role: "mediator", Created: late}))
		var kept []string
		for kind, owner := range map[access.Kind]string{access.PersonFeed: "bruno", access.SiteFeed: "anne"} {
			secret, err := tokens.Feed(ctx, kind, owner)
			must(t, err)
			kept = append(kept, secret)
		}
		gone, err := tokens.Feed(ctx, access.PersonFeed, "anne")
		must(t, err)
		must(t, s.RemovePerson(ctx, "anne", "admin", func(store.Person, int) error { return nil }))
		if _, err := tokens.Open(ctx, gone); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("the feed of somebody who has left: %v", err)
		}
		for _, secret := range kept {
			if _, err := tokens.Open(ctx, secret); err != nil {
				t.Error(err)
			}
		}
	})
}
