package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"parvis/hub/store"
	"parvis/provisioning/ca"
)

// The names that secrets have in the store.
const (
	authorityName = "authority"
	callbackName  = "callback"
)

// OpenFor opens the key of a database, and makes it for one that holds no
// secret yet. Where there are secrets, a new key would open none of them, and a
// backup sealed to it would be lost with them: then the key must be there.
// Errors: ErrNoKey, ErrOtherKey.
func OpenFor(ctx context.Context, s *store.Store, path string) (*Key, error) {
	k, err := Load(path)
	if errors.Is(err, ErrNoKey) {
		if _, secret := s.Secret(ctx, authorityName); !errors.Is(secret, store.ErrNotFound) {
			return nil, errors.Join(secret, err)
		}
		k, err = Open(path)
	}
	if err != nil {
		return nil, err
	}
	if err := k.Check(ctx, s); !errors.Is(err, store.ErrNotFound) {
		return k, err
	}
	return k, nil
}

// Check reports whether the key opens what a database holds. Errors:
// ErrOtherKey, store.ErrNotFound for a database that no hub has used yet.
func (k *Key) Check(ctx context.Context, s *store.Store) error {
	sealed, err := s.Secret(ctx, authorityName)
	if err != nil {
		return err
	}
	plain, err := k.Open(sealed)
	clear(plain)
	return err
}

// Once returns the secret kept under a name, opened. Where there is none, draw
// makes it: hubs that do so at the same time all get the same one. Errors:
// ErrOtherKey, with which a hub must not start.
func (k *Key) Once(ctx context.Context, s *store.Store, name string, draw func() ([]byte, error)) ([]byte, error) {
	sealed, err := s.Secret(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		sealed, err = k.putOnce(ctx, s, name, draw)
	}
	if err != nil {
		return nil, fmt.Errorf("secret « %s » : %w", name, err)
	}
	plain, err := k.Open(sealed)
	if err != nil {
		return nil, fmt.Errorf("secret « %s » : %w", name, err)
	}
	return plain, nil
}

func (k *Key) putOnce(ctx context.Context, s *store.Store, name string, draw func() ([]byte, error)) ([]byte, error) {
	plain, err := draw()
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	sealed, err := k.Seal(plain)
	if err != nil {
		return nil, err
	}
	return s.PutSecretOnce(ctx, name, sealed)
}

// Authority returns the certificate authority of all hubs of a database, made
// when it is first asked for.
func (k *Key) Authority(ctx context.Context, s *store.Store, now time.Time) (*ca.Authority, error) {
	data, err := k.Once(ctx, s, authorityName, func() ([]byte, error) {
		a, err := ca.New(now)
		if err != nil {
			return nil, err
		}
		return a.Marshal()
	})
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ca.Parse(data)
}

// CallbackRecipient is the age public key that bornes seal requests to be
// called back to, made when it is first asked for.
func (k *Key) CallbackRecipient(ctx context.Context, s *store.Store) (string, error) {
	id, err := k.CallbackIdentity(ctx, s)
	if err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}

// CallbackIdentity is the private half of CallbackRecipient.
func (k *Key) CallbackIdentity(ctx context.Context, s *store.Store) (*age.X25519Identity, error) {
	data, err := k.Once(ctx, s, callbackName, func() ([]byte, error) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		return []byte(id.String()), nil
	})
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return age.ParseX25519Identity(string(data))
}
