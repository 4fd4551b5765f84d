package packs

import (
	"context"
	"errors"
	"fmt"

	"parvis/provisioning/pack"
)

func secretName(number string) string { return "pack.online." + number }

// online opens a key of the hub's own.
func (p *Packs) online(ctx context.Context, number string) (pack.Key, error) {
	sealed, err := p.store.Secret(ctx, secretName(number))
	if err != nil {
		return pack.Key{}, fmt.Errorf("clé %s du hub pour les contenus : %w", number, err)
	}
	data, err := p.key.Open(sealed)
	if err != nil {
		return pack.Key{}, err
	}
	return pack.ParseKey(data, nil)
}

// newOnline makes a key of the hub's own, and keeps it.
func (p *Packs) newOnline(ctx context.Context) (pack.Key, error) {
	k, err := pack.NewKey()
	if err != nil {
		return k, err
	}
	data, err := k.Marshal("", "")
	if err != nil {
		return k, err
	}
	sealed, err := p.key.Seal(data)
	if err != nil {
		return k, err
	}
	return k, p.store.PutSecret(ctx, secretName(k.Number()), sealed)
}

// Create makes the metadata of a hub that has none. Errors: ErrKeys.
func (p *Packs) Create(ctx context.Context, roots []pack.Key, threshold int, publisher pack.Key) error {
	if _, err := p.load(ctx); err == nil {
		return ErrKeys
	} else if !errors.Is(err, ErrNone) {
		return err
	}
	online, err := p.newOnline(ctx)
	if err != nil {
		return err
	}
	r, err := pack.NewRepository(roots, threshold, publisher, online, p.now())
	if err != nil {
		return err
	}
	return p.put(ctx, &state{Repository: r}, pack.TimestampValid)
}

// Fresh is a key that Rotate has put in the place of another.
type Fresh struct {
	Role pack.Role
	Key  pack.Key
}

// Rotate replaces keys, by their number, and has all that counts signed anew;
// without any it gives the root another stretch of time. save is given the new
// keys before anything is changed; the hub keeps its own itself. Errors:
// ErrNone, pack.ErrUnknownKey, pack.ErrFewKeys, save's, store.ErrStale.
func (p *Packs) Rotate(ctx context.Context, signers []pack.Key, replace []string, save func([]Fresh) error) error {
	s, err := p.load(ctx)
	if err != nil {
		return err
	}
	if err := s.Verify(); err != nil {
		return err
	}
	var replacements []pack.Replacement
	var fresh []Fresh
	for _, number := range replace {
		old, err := s.Find(number)
		if err != nil {
			return err
		}
		newKey := pack.NewKey
		if old.Role == pack.RoleOnline {
			newKey = func() (pack.Key, error) { return p.newOnline(ctx) }
		}
		key, err := newKey()
		if err != nil {
			return err
		}
		replacements = append(replacements, pack.Replacement{Old: old, New: key})
		if old.Role != pack.RoleOnline {
			fresh = append(fresh, Fresh{old.Role, key})
		}
	}
	if err := s.Rotate(signers, replacements, p.now()); err != nil {
		return err
	}
	if err := save(fresh); err != nil {
		return err
	}
	return p.put(ctx, s, pack.TimestampValid)
}
