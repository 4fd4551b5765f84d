package enrol

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"parvis/kiosk/link"
	"parvis/provisioning/ca"
)

// Renew gets the borne's next certificate, with a new key; ask sends the
// request to the hub, over a connection made with TLS, and brings its answer.
// It works with a certificate that has ended, too. Whatever happens meanwhile,
// a power cut too, the borne keeps an identity that works; after a failure,
// Renew may be repeated. Afterwards close the connections that stand with the
// old certificate: once the hub has seen the new one it renews no other.
func (i *Identity) Renew(ctx context.Context, ask func(context.Context, link.RenewRequest) (link.Enrolled, error)) error {
	release, err := i.folder.lock()
	if err != nil {
		return err
	}
	defer release()

	old := i.state()
	disk, err := i.folder.read(identityFile)
	if err == nil && !bytes.Equal(disk.Chain[0], old.Chain[0]) {
		i.take(disk) // another program has renewed it or enrolled the borne anew
		return nil
	}
	key, err := i.folder.nextKey("renew " + ca.Serial(old.cert.Leaf))
	if err != nil {
		return fmt.Errorf("identité de la borne : %w", err)
	}
	csr, err := newCSR(key)
	if err != nil {
		return err
	}
	answer, err := ask(ctx, link.RenewRequest{CSR: csr})
	if err != nil {
		return err
	}
	next, err := answered(old.Hub, old.Code, key, answer)
	if err != nil {
		return err
	}
	if next.Borne != old.Borne {
		return errors.New("réponse du hub inutilisable : elle est pour une autre borne")
	}
	if f := ca.Fingerprint(old.authority); !hasFingerprint(next.authority, f[:]) {
		return fmt.Errorf("réponse du hub inutilisable : %w", ca.ErrForeign)
	}
	if err := i.folder.supersede(old, next); err != nil {
		return fmt.Errorf("identité de la borne : %w", err)
	}
	i.take(next)
	return nil
}

// supersede puts next in the place of old, which is kept beside it until the
// next time: by then the hub has answered to next.
func (f folder) supersede(old, next *state) error {
	if err := f.save(previousFile, old.saved); err != nil {
		return err
	}
	if err := f.save(identityFile, next.saved); err != nil {
		return err
	}
	return f.remove(nextKeyFile)
}

func (i *Identity) take(s *state) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.newest = s
}
