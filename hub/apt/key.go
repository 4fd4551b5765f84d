package apt

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"parvis/hub/seal"
	"parvis/hub/store"
)

// keyName is the name of the signing key among the store's secrets.
const keyName = "apt"

// signer signs with the hub's OpenPGP key. At the same time it gives the same
// signature of the same text: every hub of a database serves the same bytes.
type signer struct{ entity *openpgp.Entity }

// keyCreated is the date that every signing key bears. A signature older than
// its key counts for nothing, so a key dated by the clock could not be used by
// a hub whose clock is a little behind, or was ahead when it first started.
var keyCreated = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// openSigner opens the signing key of all hubs of a database, made when it is
// first asked for. It doesn't expire: bornes are given it once, by hand or by
// an image, and there is no way to them beside it.
func openSigner(ctx context.Context, key *seal.Key, st *store.Store) (*signer, error) {
	data, err := key.Once(ctx, st, keyName, func() ([]byte, error) {
		entity, err := openpgp.NewEntity("Parvis", "dépôt apt du hub", "", signing(keyCreated))
		if err != nil {
			return nil, err
		}
		entity.Subkeys = nil // it signs, and nothing else
		var out bytes.Buffer
		err = entity.SerializePrivate(&out, signing(keyCreated))
		return out.Bytes(), err
	})
	if err != nil {
		return nil, err
	}
	defer clear(data)
	entity, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, fmt.Errorf("clé de signature des paquets : %w", err)
	}
	return &signer{entity}, nil
}

// signing says how is signed, as of when. Debian 12's gpgv knows all of it.
func signing(at time.Time) *packet.Config {
	random := false
	return &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512,
		Time: func() time.Time { return at }, NonDeterministicSignaturesViaNotation: &random,
	}
}

// public is the key that bornes check with, as apt reads it from a .gpg file.
func (s *signer) public() ([]byte, error) {
	var out bytes.Buffer
	if err := s.entity.Serialize(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// armored is the public key as text, as apt reads it from an .asc file.
func (s *signer) armored() ([]byte, error) {
	data, err := s.public()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	err = errors.Join(err, w.Close())
	out.WriteByte('\n')
	return out.Bytes(), err
}

// clear signs text inside a message, as InRelease is.
func (s *signer) clear(text []byte, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w, err := clearsign.Encode(&out, s.entity.PrivateKey, signing(at))
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = errors.Join(err, w.Close())
	out.WriteByte('\n')
	return out.Bytes(), err
}

// detached signs text beside it, as Release.gpg does.
func (s *signer) detached(text []byte, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	err := openpgp.ArmoredDetachSign(&out, s.entity, bytes.NewReader(text), signing(at))
	out.WriteByte('\n')
	return out.Bytes(), err
}
