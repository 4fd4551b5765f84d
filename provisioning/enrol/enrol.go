package enrol

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// ErrNotTheHub says that the server at the address is not the hub that gave the
// code. It has been told nothing.
var ErrNotTheHub = errors.New("ce serveur n’est pas le hub qui a donné le code : mauvaise adresse, code d’un autre hub, ou proxy qui déchiffre. Rien ne lui a été confié")

// Options say how to reach the hub.
type Options struct {
	Proxy    string // as in link.ClientOptions
	Settings func() (proxy string, without []string)
}

// Enrol asks a hub for the borne's identity and keeps it in DIR/identity. The
// secret in the code is told to nobody but the hub that gave it. After any
// failure, a power cut too, Enrol may be repeated with the same code: where the
// hub had granted it, it gives the same again. An identity that was there works
// until the new one takes its place. Errors: ErrNotTheHub, *link.Problem for
// what the hub refused, and others.
func Enrol(ctx context.Context, hub string, code Code, dir string, o Options) (*Identity, error) {
	address, err := link.ParseHub(hub)
	if err != nil {
		return nil, err
	}
	f := folderIn(dir)
	if err := f.create(); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	release, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer release()

	if s, err := f.read(identityFile); err == nil && bytes.Equal(s.Code, code.Hash()) {
		return Load(dir) // it was done, and its caller didn't hear of it
	}
	key, err := f.nextKey("enrol " + hex.EncodeToString(code.Hash()))
	if err != nil {
		return nil, fmt.Errorf("identité de la borne : %w", err)
	}
	csr, err := newCSR(key)
	if err != nil {
		return nil, err
	}
	answer, err := ask(ctx, address.String(), code, csr, o)
	if err != nil {
		return nil, err
	}
	s, err := answered(address.String(), code.Hash(), key, answer)
	if err != nil {
		return nil, err
	}
	if !hasFingerprint(s.authority, code.fingerprint[:]) {
		return nil, fmt.Errorf("réponse du hub inutilisable : %w", ca.ErrForeign)
	}
	if err := f.replace(s); err != nil {
		return nil, fmt.Errorf("identité de la borne : %w", err)
	}
	return &Identity{folder: f, newest: s}, nil
}

// replace puts the identity of a new enrolment in place. What was before it,
// of another enrolment, must never come back.
func (f folder) replace(s *state) error {
	if err := f.remove(previousFile); err != nil {
		return err
	}
	if err := f.save(identityFile, s.saved); err != nil {
		return err
	}
	return f.remove(nextKeyFile)
}

// newCSR asks for a certificate of key. It says nothing else: the hub knows.
func newCSR(key *ecdsa.PrivateKey) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return csr, nil
}

// ask sends the request over a connection of its own, made without a
// certificate: there is none yet.
func ask(ctx context.Context, hub string, code Code, csr []byte, o Options) (link.Enrolled, error) {
	client, err := link.NewClient(link.ClientOptions{Hub: hub, Proxy: o.Proxy, Settings: o.Settings, TLS: clientTLS(
		func() []byte { return code.fingerprint[:] }, nil)})
	if err != nil {
		return link.Enrolled{}, err
	}
	defer client.Close()
	answer, err := client.Enrol(ctx, link.EnrolRequest{Secret: code.secret[:], CSR: csr})
	var refused *link.Problem
	switch {
	case errors.Is(err, ca.ErrForeign):
		return link.Enrolled{}, fmt.Errorf("%w (%w)", ErrNotTheHub, err)
	case err != nil && !errors.As(err, &refused):
		return link.Enrolled{}, fmt.Errorf("%w. La même commande peut être refaite, avec le même code", err)
	}
	return answer, err
}
