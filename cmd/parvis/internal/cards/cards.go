// Package cards makes a site's rules for cards, and the code for staff, of its
// profile.
package cards

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"parvis/kiosk/card"
	"parvis/kiosk/store"
	"parvis/provisioning/profile"
)

// PIN gives the code of the pages for staff, and what slows down whoever
// guesses it.
func PIN(prof *profile.Profile, st *store.Store, now func() time.Time) (card.PIN, *card.Limit, error) {
	pin, err := card.ParsePIN(prof.Maintenance.Code)
	if err != nil {
		return card.PIN{}, nil, fmt.Errorf("maintenance.code : %w", err)
	}
	const tries = "maintenance.tries"
	return pin, &card.Limit{
		Load: func(ctx context.Context) (string, error) { return st.Setting(ctx, tries) },
		Save: func(ctx context.Context, s string) error { return st.SetSetting(ctx, tries, s) },
		Now:  now,
	}, nil
}

// Rules are a site's rules for cards. The profile has checked most of what
// they are made of.
func Rules(prof *profile.Profile) (card.Rules, error) {
	var r card.Rules
	var err error
	if r.Key, err = hex.DecodeString(prof.Cards.Key); err != nil {
		return r, fmt.Errorf("cartes.cle : %w", err)
	}
	if prof.Cards.Pass != "" {
		if r.Pass, err = profile.Whole(prof.Cards.Pass); err != nil {
			return r, fmt.Errorf("cartes.pass : %w", err)
		}
	}
	for i, c := range prof.Cards.City {
		rule := card.CityRule{Form: card.Form(c.Form)}
		if rule.Medium, err = card.ParseMedium(c.Medium); err != nil {
			return r, fmt.Errorf("cartes.ville n° %d : lecture : %w", i+1, err)
		}
		if rule.Pattern, err = profile.Whole(c.Pattern); err != nil {
			return r, fmt.Errorf("cartes.ville n° %d : motif : %w", i+1, err)
		}
		r.City = append(r.City, rule)
	}
	for i, b := range prof.Badges {
		print, err := hex.DecodeString(b.Fingerprint)
		if err != nil {
			return r, fmt.Errorf("badges n° %d : empreinte : %w", i+1, err)
		}
		r.Badges = append(r.Badges, card.Badge{Role: card.Role(b.Role), Fingerprint: print})
	}
	return r, nil
}
